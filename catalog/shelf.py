"""A shop's products as a merchant looks through them: filtered, ordered, a page at a time. Unlike ``search`` this leaves
nothing out and ranks nothing; hidden products are there too."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from catalog.models import Product, Shop, Variant
from catalog.text import segment

IN_STOCK, SOLD_OUT = "in", "out"
ON_SALE, HIDDEN = "on", "hidden"
PICTURE, DESCRIPTION, EMBEDDING = "picture", "description", "embedding"

MOST_COUNTED = 10_000
"""Of a longer list nobody wants the length to the last product, and counting it takes longer than showing a page."""
MOST_NAMED = 2_000
"""Products found by words that a list looks through; whoever has more wants other words."""

_VARIANTS = Variant.objects.filter(product=OuterRef("pk")).order_by().values("product")
_PRICE = Subquery(_VARIANTS.annotate(of=Min("price")).values("of"))
_STOCK = Coalesce(Subquery(_VARIANTS.annotate(of=Sum("stock")).values("of")), 0)


@dataclass(frozen=True)
class Order:
    """By what a list is ordered. ``computed`` is of variants, product by product: only for lists that were counted."""

    key: Any
    descending: bool = False
    computed: bool = False


ORDERS: Mapping[str, Order] = {
    "changed": Order(F("updated_at"), descending=True),
    "title": Order(F("title")),
    "popular": Order(F("popularity"), descending=True),
    "cheapest": Order(_PRICE, computed=True),
    "dearest": Order(_PRICE, descending=True, computed=True),
    "stock": Order(_STOCK, computed=True),
}
"""By name; the first is usual."""
USUAL = "changed"


@dataclass(frozen=True)
class Filter:
    """What holds of the products asked for; ``category`` is a path and means its subtree, ``missing`` what they lack."""

    words: str = ""
    category: str = ""
    stock: str = ""
    shown: str = ""
    missing: str = ""

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Filter:
        """Inverse of :meth:`to_dict`; what is not a filter is left out."""
        return cls(**{part.name: str(said.get(part.name, "")) for part in fields(cls)})

    def to_dict(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


def products(shop: Shop, wanted: Filter) -> QuerySet[Product]:
    """The shop's products that a filter lets through, all of them, unordered."""
    found = _besides_words(shop, wanted)
    if wanted.words:
        first, *others = _named(shop, wanted.words)
        found = found.filter(pk__in=first.union(*others))
    return found


def _besides_words(shop: Shop, wanted: Filter) -> QuerySet[Product]:
    found = Product.objects.filter(shop=shop)
    if wanted.category:
        path = wanted.category
        found = found.filter(Q(category__path=path) | Q(category__path__startswith=f"{path}/"), category__shop=shop)
    match wanted.stock:
        case "in":
            found = found.filter(Exists(Variant.objects.filter(product=OuterRef("pk"), stock__gt=0)))
        case "out":  # both sides are read from indexes alone
            gone, left = Variant.objects.filter(stock=0), Variant.objects.filter(stock__gt=0)
            found = found.filter(pk__in=gone.values("product").difference(left.values("product")))
    if wanted.shown:
        found = found.filter(active=wanted.shown == ON_SALE)
    match wanted.missing:
        case "picture":
            found = found.filter(image="")
        case "description":
            found = found.filter(description="")
        case "embedding":
            found = found.exclude(embedded_digest=F("text_digest"))
    return found


@dataclass(frozen=True)
class Page:
    """A page of a list. ``before`` and ``after`` are the ids by which the pages beside it are asked for, None at the ends.

    ``count`` is the length of the list where ``more`` is False; else the list is longer. ``order`` is the one it has.
    """

    rows: Sequence[Product]
    count: int
    more: bool
    order: str
    before: int | None
    after: int | None


def page(
    shop: Shop, wanted: Filter, order: str, size: int, after: int | None = None, before: int | None = None
) -> Page:
    """The products after, or before, the one with this id; the first page where there is none such.

    Bounded whatever the shop's size: at most six queries, none of which reads further than ``MOST_COUNTED`` matches. A
    list that is longer is not ordered by what has to be computed, but as usual.
    """
    found = _besides_words(shop, wanted)
    if wanted.words:
        named = {
            pk for rows in _named(shop, wanted.words) for pk in rows.values_list("pk", flat=True)[: MOST_NAMED + 1]
        }
        found = found.filter(pk__in=named)
    if wanted.stock == SOLD_OUT:  # the only condition that takes longer than reading its matches: asked once
        found = found.filter(pk__in=list(found.values_list("pk", flat=True)[: MOST_COUNTED + 1]))
    count = found[: MOST_COUNTED + 1].count()
    more = count > MOST_COUNTED or bool(wanted.words and len(named) > MOST_NAMED)
    order = USUAL if ORDERS[order].computed and count > MOST_COUNTED else order
    ids, earlier, later = _ids(shop, found, ORDERS[order], size, after, before)
    rows = Product.objects.filter(pk__in=ids).defer("embedding", "search_vector", "document")
    by_id = {row.pk: row for row in rows.select_related("category", "shop").prefetch_related("variants")}
    shown = [by_id[pk] for pk in ids if pk in by_id]
    return Page(
        shown, min(count, MOST_COUNTED), more, order, ids[0] if ids and earlier else None, ids[-1] if ids and later else None
    )  # fmt: skip


def _ids(
    shop: Shop, found: QuerySet[Product], order: Order, size: int, after: int | None, before: int | None
) -> tuple[list[int], bool, bool]:
    """The ids of a page, and whether there are any before and after it. Reads on from where the last page ended, not from
    the beginning (keyset)."""
    place = after or before
    key = (
        place
        and Product.objects.filter(shop=shop, pk=place).annotate(key=order.key).values_list("key", flat=True).first()
    )
    backwards = before is not None and after is None and key is not None
    descending = order.descending != backwards
    keyed = found.annotate(key=order.key)
    if key is not None:
        far, beyond = ("lte", "lt") if descending else ("gte", "gt")
        keyed = keyed.filter(Q(**{f"key__{beyond}": key}) | Q(**{f"pk__{beyond}": place}), **{f"key__{far}": key})
    sorting = ("-key", "-pk") if descending else ("key", "pk")
    ids = list(keyed.order_by(*sorting).values_list("pk", flat=True)[: size + 1])
    further, ids = len(ids) > size, ids[:size]
    return (ids[::-1], further, True) if backwards else (ids, key is not None, further)


def price_range(variants: Sequence[Variant]) -> tuple[Any, Any] | None:
    """The lowest and the highest price of a product's variants."""
    prices = [variant.price for variant in variants]
    return (min(prices), max(prices)) if prices else None


def _named(shop: Shop, words: str) -> list[QuerySet[Product]]:
    """Products whose SKU, or a variant's, begins so, and those whose texts hold all the words (the last may be unfinished)."""
    own = Product.objects.filter(shop=shop)
    found = [own.filter(sku__startswith=words), own.filter(pk__in=_with_variant(shop, words))]
    said = re.findall(r"\w+", segment(words))
    if said:
        query = SearchQuery(" & ".join([*said[:-1], f"{said[-1]}:*"]), config="english", search_type="raw")
        found.append(own.filter(search_vector=query))
    return [rows.only("pk") for rows in found]


def _with_variant(shop: Shop, sku: str) -> QuerySet[Variant, Any]:
    return Variant.objects.filter(product__shop=shop, sku=sku).values("product")
