"""One change of many products: looked at first, then carried out batch by batch under a journal, so that it can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.ingest.vocabulary import Vocabulary, merged_names, recount
from catalog.ingest.write import MAX_PRICE, alone, announce, describe
from catalog.journal import Journal
from catalog.models import AttributeValue, ChangeSet, MerchandisingRule, Product, Shop, Variant
from catalog.shelf import Filter, products

HIDE, SHOW, STOCK, PRICE, CATEGORY, ADD, REMOVE = ACTIONS = (
    "hide", "show", "stock", "price", "category", "add", "remove",
)  # fmt: skip
RENAME, NAME = "rename", "name"
"""What is done to a value wherever it occurs: it gets another word, or names in another language."""
CENT, NINETY_NINE, WHOLE = ROUNDINGS = ("cent", "ninety_nine", "whole")
BATCH = 500
AT_ONCE = 500
"""So many are changed while the merchant waits; more by a worker."""
EXAMPLES = 10


@dataclass(frozen=True)
class Change:
    """What is done. ``number`` is a stock or a percentage, ``category`` an id, ``attribute`` and ``value`` as stored.

    ``to`` is a value's new word; ``names`` are its names in ``language``.
    """

    action: str
    number: Decimal = Decimal(0)
    rounding: str = CENT
    category: int = 0
    attribute: str = ""
    value: str = ""
    to: str = ""
    language: str = ""
    names: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """For :attr:`ChangeSet.options`."""
        return {**vars(self), "number": str(self.number)}

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Change:
        return cls(**{**said, "number": Decimal(said["number"])})


@dataclass(frozen=True)
class Example:
    """A product before and after; ``variants`` likewise, in pairs."""

    before: Product
    after: Product
    variants: Sequence[tuple[Variant, Variant]]


def chosen(shop: Shop, selection: Mapping[str, Any]) -> QuerySet[Product]:
    """The products that a selection means: ``{"ids": [...]}``, ``{"values": [attribute, value, ...]}`` or ``{"filter": {...}}``;
    always of this shop."""
    if "ids" in selection:
        return Product.objects.filter(shop=shop, pk__in=selection["ids"])
    if "values" in selection:
        attribute, *values = selection["values"]
        held = (Q(attributes__contains={attribute: [value]}) for value in values)
        return Product.objects.filter(reduce(or_, held), shop=shop)
    return products(shop, Filter.from_dict(selection["filter"]))


def holding(change: Change) -> dict[str, Any]:
    """The selection for what is done to a value: all that hold it, or hold what it becomes one with."""
    return {"values": [change.attribute, change.value, *([change.to] if change.to else [])]}


def examples(shop: Shop, selection: Mapping[str, Any], change: Change) -> list[Example]:
    """What would become of the first few."""
    found = []
    for before in _loaded(chosen(shop, selection).order_by("pk")[:EXAMPLES]):
        after, variants = deepcopy(before), list(before.variants.all())
        changed = deepcopy(variants)
        _apply(after, changed, change)
        found.append(Example(before, after, list(zip(variants, changed, strict=True))))
    return found


def carry_out(change_set: ChangeSet, progress: Callable[[int], None] | None = None) -> dict[str, int]:
    """Changes what the set's options say; how many were ``updated``. Begun again it goes on with those not changed yet."""
    shop, change = change_set.shop, Change.from_dict(change_set.options["change"])
    done = set(change_set.changed.values_list("sku", flat=True))
    waiting = dict(chosen(shop, change_set.options["selection"]).order_by("pk").values_list("pk", "sku"))
    ids = [pk for pk, sku in waiting.items() if sku not in done]
    journal = Journal(change_set)
    with alone(shop), journal.words():
        _reword(change_set, change)
    vocabulary = Vocabulary.of(shop)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        with alone(shop), journal.products([waiting[pk] for pk in batch]):
            _store(shop, _loaded(Product.objects.filter(pk__in=batch, shop=shop)), change, vocabulary)
        if progress:
            progress(len(batch))
    if change.action not in (STOCK, PRICE):
        with alone(shop):
            recount(shop)
    changed = change_set.changed.count()
    return {"updated": changed, "unchanged": len(ids) + len(done) - changed}


def _reword(change_set: ChangeSet, change: Change) -> None:
    """What the vocabulary says: a value's names; of a renamed one the new word, which its old one and its names still mean."""
    if change.action not in (RENAME, NAME):
        return
    shop = change_set.shop
    rows = AttributeValue.objects.filter(shop=shop, attribute=change.attribute)
    old = rows.filter(value=change.value).first()
    names = dict(old.names) if old else {}
    if change.action == NAME:
        rest = {language: said for language, said in names.items() if language != change.language}
        names = {**rest, change.language: list(change.names)} if change.names else rest
        rows.filter(value=change.value).update(names=names)
        return
    new, _ = AttributeValue.objects.get_or_create(shop=shop, attribute=change.attribute, value=change.to)
    names[shop.language] = [*names.get(shop.language, ()), change.value]
    new.names = merged_names(new.names, names)
    new.save(update_fields=["names"])
    rules = MerchandisingRule.objects.filter(shop=shop, attribute=change.attribute, value=change.value)
    change_set.options["rules"] = [*change_set.options.get("rules", ()), *rules.values_list("pk", flat=True)]
    change_set.save(update_fields=["options"])
    rules.update(value=change.to)


def _loaded(rows: QuerySet[Product]) -> list[Product]:
    return list(rows.defer("embedding", "search_vector").select_related("category").prefetch_related("variants"))


def _store(shop: Shop, rows: Sequence[Product], change: Change, vocabulary: Vocabulary) -> None:
    variants: list[Variant] = []
    texts_differ = False
    for product in rows:
        own = list(product.variants.all())
        _apply(product, own, change)
        variants += own
        if "document" in _PRODUCT_FIELDS.get(change.action, ()):
            digest = product.text_digest
            describe(product, vocabulary)
            texts_differ |= digest != product.text_digest
        product.updated_at = timezone.now()
    Product.objects.bulk_update(rows, [*_PRODUCT_FIELDS.get(change.action, ()), "updated_at"])
    if fields := _VARIANT_FIELDS.get(change.action):
        Variant.objects.bulk_update(variants, fields)
    if texts_differ:
        announce(shop)


_TEXTS = ("document", "text_digest")
_PRODUCT_FIELDS: Mapping[str, Sequence[str]] = {
    HIDE: ["active"],
    SHOW: ["active"],
    CATEGORY: ["category", *_TEXTS],
    ADD: ["attributes", *_TEXTS],
    REMOVE: ["attributes", *_TEXTS],
    RENAME: ["attributes", *_TEXTS],
    NAME: _TEXTS,
}
_VARIANT_FIELDS: Mapping[str, Sequence[str]] = {STOCK: ["stock"], PRICE: ["price"], REMOVE: ["attributes"]}


def _apply(product: Product, variants: Iterable[Variant], change: Change) -> None:
    """The change, in memory."""
    rows: list[Product | Variant] = [product, *variants]
    match change.action:
        case "hide" | "show":
            product.active = change.action == SHOW
        case "category":
            product.category_id = change.category
        case "add":
            held = product.attributes.get(change.attribute, [])
            product.attributes = {**product.attributes, change.attribute: list(dict.fromkeys([*held, change.value]))}
        case "remove":
            for row in rows:
                row.attributes = _replaced(row.attributes, change, [])
        case "rename":
            for row in rows:
                row.attributes = _replaced(row.attributes, change, [change.to])
        case "stock":
            for variant in variants:
                variant.stock = int(change.number)
        case "price":
            for variant in variants:
                variant.price = repriced(variant.price, change.number, change.rounding)


def _replaced(attributes: Mapping[str, list[str]], change: Change, by: Sequence[str]) -> dict[str, list[str]]:
    """The attributes with the change's value replaced where it occurs; an attribute without values is none."""
    told = dict(attributes)
    if change.value in told.get(change.attribute, ()):
        new = (word for value in told[change.attribute] for word in (by if value == change.value else [value]))
        told[change.attribute] = list(dict.fromkeys(new))
    return {name: values for name, values in told.items() if values}


def repriced(price: Decimal, percent: Decimal, rounding: str) -> Decimal:
    """A price raised by so many percent (lowered where negative), to the cent, to the next ...99, or to the unit."""
    if not price:
        return price
    raised = price * (100 + percent) / 100
    if rounding == WHOLE:
        raised = raised.quantize(Decimal(1), ROUND_HALF_UP)
    elif rounding == NINETY_NINE:
        whole = max((raised + Decimal("0.01")).quantize(Decimal(1), ROUND_HALF_UP), Decimal(1))
        raised = whole - Decimal("0.01")
    return min(max(raised, Decimal(0)), MAX_PRICE).quantize(Decimal("0.01"), ROUND_HALF_UP)
