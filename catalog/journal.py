"""What a set of changes found before it wrote, kept product by product, so that it can be taken back.

An image of a product is flat: its fields by name, and each variant as ``variant/SKU``. Of a change only the values that
differ are kept. What has changed in the same respects since is not taken back but told; the rest is as it was before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from catalog.ingest.vocabulary import Vocabulary, recount
from catalog.ingest.write import alone, announce, describe, refresh_texts
from catalog.models import (
    AttributeValue,
    Category,
    ChangedProduct,
    ChangeSet,
    Interaction,
    MerchandisingRule,
    Product,
    ProductLink,
    Shop,
    Variant,
)

Image = Mapping[str, Any]
Difference = tuple[dict[str, Any] | None, dict[str, Any]]
"""What was there before, None of what is new, and what is there now."""

FIELDS = (
    "category_id", "title", "description", "brand", "attributes", "translations", "image", "url", "rating",
    "rating_count", "active",
)  # fmt: skip
VARIANT = "variant/"
BATCH = 500
CHANGED, GONE, USED, CATEGORY = "changed", "gone", "used", "category"
"""Why an undo leaves a product: edited since, deleted since, customers or rules hold on to it, its category is gone."""


class Journal:
    """Keeps what a change set does; ``upsert_products`` and bulk edits write under its eyes."""

    def __init__(self, change_set: ChangeSet) -> None:
        self.change_set = change_set

    @contextmanager
    def words(self) -> Iterator[None]:
        """Around what makes categories and names of values."""
        shop = self.change_set.shop
        categories, names = _category_ids(shop), _names(shop)
        yield
        self.change_set.categories += sorted(_category_ids(shop) - categories)
        self.change_set.names += [
            [*key, names.get(key), now] for key, now in _names(shop).items() if names.get(key) != now
        ]
        self.change_set.save(update_fields=["categories", "names"])

    @contextmanager
    def products(self, skus: Sequence[str]) -> Iterator[None]:
        """Around what changes these products, in the same transaction."""
        with differences(self.change_set.shop, skus) as told:
            yield
        for row in self.change_set.changed.filter(sku__in=told):  # a run that was interrupted goes over them again
            was, now = told[row.sku]
            told[row.sku] = (None if row.before is None else {**(was or {}), **row.before}, {**row.after, **now})
        ChangedProduct.objects.bulk_create(
            [ChangedProduct(change_set=self.change_set, sku=sku, before=was, after=now) for sku, (was, now) in told.items()],
            update_conflicts=True, unique_fields=["change_set", "sku"], update_fields=["before", "after"],
        )  # fmt: skip


@contextmanager
def differences(shop: Shop, skus: Sequence[str]) -> Iterator[dict[str, Difference]]:
    """Around what changes these products, in the same transaction: it has, afterwards, what became of each that differs."""
    before = images(shop, skus)
    told: dict[str, Difference] = {}
    yield told
    after = images(shop, skus)
    told |= {sku: _difference(before.get(sku), image) for sku, image in after.items() if before.get(sku) != image}


def images(shop: Shop, skus: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The images of a shop's products by SKU, of those that there are."""
    rows = Product.objects.filter(shop=shop, sku__in=skus).values("pk", "sku", *FIELDS)
    found = {row["pk"]: (row["sku"], {name: row[name] for name in FIELDS}) for row in rows}
    for variant in Variant.objects.filter(product__in=found):
        found[variant.product_id][1][VARIANT + variant.sku] = {
            "id": variant.pk,
            "attributes": variant.attributes,
            "price": str(variant.price),
            "stock": variant.stock,
            "image": variant.image,
        }
    return dict(found.values())


def undo(change_set: ChangeSet, progress: Callable[[int], None] | None = None) -> dict[str, int]:
    """Puts back what the change set changed, a batch a transaction; how many are ``undone`` and ``kept``.

    May be repeated: what is undone already is left alone. Of what is kept each :class:`ChangedProduct` says why.
    """
    shop = change_set.shop
    waiting = change_set.changed.filter(undone=False, kept="").order_by("pk")
    while batch := list(waiting[:BATCH]):
        with alone(shop):
            _take_back(shop, batch)
        if progress:
            progress(len(batch))
    with alone(shop):
        renamed = _take_back_words(change_set)
        _take_back_rules(change_set)
        recount(shop)
    if renamed:
        refresh_texts(shop)
    rows = change_set.changed
    return {"undone": rows.filter(undone=True).count(), "kept": rows.exclude(kept="").count()}


def _take_back(shop: Shop, rows: Sequence[ChangedProduct]) -> None:
    now = images(shop, [row.sku for row in rows])
    made = [row.sku for row in rows if row.before is None]
    held = set(_held(shop, made)) if made else set()
    categories = _category_ids(shop)
    for row in rows:
        row.kept = _reason(row, now.get(row.sku), categories, row.sku in held)
        row.undone = not row.kept
    Product.objects.filter(shop=shop, sku__in=[row.sku for row in rows if row.undone and row.before is None]).delete()
    _restore(shop, {row.sku: row.before for row in rows if row.undone and row.before is not None})
    ChangedProduct.objects.bulk_update(rows, ["undone", "kept"])


def _reason(row: ChangedProduct, now: Image | None, categories: set[int], held: bool) -> str:
    """Why this product stays as it is; "" where nothing is against taking it back."""
    if now is None:
        return "" if row.before is None else GONE
    if any(now.get(name) != value for name, value in row.after.items()):
        return CHANGED
    if row.before is None:
        more = any(name.startswith(VARIANT) and name not in row.after for name in now)
        return CHANGED if more else USED if held else ""
    return CATEGORY if row.before.get("category_id", now["category_id"]) not in categories else ""


def _held(shop: Shop, skus: Sequence[str]) -> list[str]:
    """Those of the products that customers have dealt with, or that rules or links of the shop itself name."""
    own = ProductLink.objects.filter(
        Q(source=OuterRef("pk")) | Q(target=OuterRef("pk")), origin__in=[ProductLink.Origin.MERCHANT, ProductLink.Origin.VETO]
    )  # fmt: skip
    rules = MerchandisingRule.objects.filter(Q(products=OuterRef("pk")) | Q(companions=OuterRef("pk")))
    dealt = Interaction.objects.filter(product=OuterRef("pk"))
    found = Product.objects.filter(Exists(dealt) | Exists(rules) | Exists(own), shop=shop, sku__in=skus)
    return list(found.values_list("sku", flat=True))


def _restore(shop: Shop, before: Mapping[str, Image]) -> None:
    if not before:
        return
    vocabulary = Vocabulary.of(shop)
    products = list(Product.objects.filter(shop=shop, sku__in=before).defer("embedding", "search_vector"))
    variants: list[Variant] = []
    gone = Q(pk__in=[])
    texts_differ = False
    for product in products:
        digest = product.text_digest
        for name, value in before[product.sku].items():
            if not name.startswith(VARIANT):
                setattr(product, name, value)
            elif value is None:
                gone |= Q(product=product, sku=name.removeprefix(VARIANT))
            else:
                variants.append(_variant(product, name.removeprefix(VARIANT), value))
        product.updated_at = timezone.now()
        describe(product, vocabulary)
        texts_differ |= digest != product.text_digest
    Product.objects.bulk_update(products, [*FIELDS, "document", "text_digest", "updated_at"])
    Variant.objects.filter(gone).delete()
    Variant.objects.bulk_create(
        variants, update_conflicts=True, unique_fields=["product", "sku"],
        update_fields=["attributes", "price", "stock", "image"],
    )  # fmt: skip
    if texts_differ:
        announce(shop)


def _variant(product: Product, sku: str, said: Image) -> Variant:
    """With the id that it had: one that was withdrawn comes back as itself."""
    price = Decimal(said["price"])
    return Variant(
        pk=said["id"], product=product, sku=sku, attributes=said["attributes"], price=price, stock=said["stock"],
        image=said["image"],
    )  # fmt: skip


def _take_back_words(change_set: ChangeSet) -> bool:
    """Names of values as they were, and no category that nothing lies in; whether a name changed."""
    known = _names(change_set.shop)
    renamed = False
    for attribute, value, before, after in change_set.names:
        if known.get((attribute, value)) == after:
            row = AttributeValue.objects.filter(shop=change_set.shop, attribute=attribute, value=value)
            renamed |= bool(row.update(names=before or {}))
    for pk in sorted(change_set.categories, reverse=True):  # children are made after their parents
        Category.objects.filter(
            pk=pk, shop=change_set.shop, products=None, children=None, merchandising_rules=None
        ).delete()
    return renamed


def _take_back_rules(change_set: ChangeSet) -> None:
    """Rules speak again of the value that was renamed under them."""
    change = change_set.options.get("change", {})
    for pk in change_set.options.get("rules", ()):
        rules = MerchandisingRule.objects.filter(pk=pk, shop=change_set.shop, attribute=change["attribute"])
        rules.filter(value=change["to"]).update(value=change["value"])


def _difference(before: Image | None, after: Image) -> Difference:
    """The values that differ, before and after; of what was made all, but for whether it is on sale, which is decided later."""
    if before is None:
        return None, {name: value for name, value in after.items() if name != "active"}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _category_ids(shop: Shop) -> set[int]:
    return set(Category.objects.filter(shop=shop).values_list("pk", flat=True))


def _names(shop: Shop) -> dict[tuple[str, str], Any]:
    rows = AttributeValue.objects.filter(shop=shop).exclude(names={})
    return {(attribute, value): names for attribute, value, names in rows.values_list("attribute", "value", "names")}
