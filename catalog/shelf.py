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

_VARIANTS = Variant.objects.filter(product=OuterRef("pk")).order_by().values("product")
_PRICE = Subquery(_VARIANTS.annotate(of=Min("price")).values("of"))
_STOCK = Coalesce(Subquery(_VARIANTS.annotate(of=Sum("stock")).values("of")), 0)
ORDERS: Mapping[str, tuple[Any, ...]] = {
    "changed": ("-updated_at", "-pk"),
    "title": ("title", "pk"),
    "popular": ("-popularity", "pk"),
    "cheapest": (_PRICE.asc(), "pk"),
    "dearest": (_PRICE.desc(), "pk"),
    "stock": (_STOCK, "pk"),
}
"""By name: what was changed last first; titles; and so on. The first is usual."""


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
    """The shop's products that a filter lets through, unordered."""
    found = Product.objects.filter(shop=shop)
    if wanted.words:
        found = found.filter(pk__in=_named(shop, wanted.words))
    if wanted.category:
        path = wanted.category
        found = found.filter(Q(category__path=path) | Q(category__path__startswith=f"{path}/"), category__shop=shop)
    if wanted.stock:
        available = Exists(Variant.objects.filter(product=OuterRef("pk"), stock__gt=0))
        found = found.filter(available if wanted.stock == IN_STOCK else ~available)
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


def page(found: QuerySet[Product], order: str, start: int, count: int) -> list[Product]:
    """Products of a list by place, with their categories and variants. Ids first: their order is in an index alone."""
    ids = list(found.order_by(*ORDERS[order]).values_list("pk", flat=True)[start : start + count])
    rows = Product.objects.filter(pk__in=ids).defer("embedding", "search_vector", "document")
    by_id = {row.pk: row for row in rows.select_related("category", "shop").prefetch_related("variants")}
    return [by_id[pk] for pk in ids if pk in by_id]


def price_range(variants: Sequence[Variant]) -> tuple[Any, Any] | None:
    """The lowest and the highest price of a product's variants."""
    prices = [variant.price for variant in variants]
    return (min(prices), max(prices)) if prices else None


def _named(shop: Shop, words: str) -> QuerySet[Any, Any]:
    """Ids of products whose texts hold all the words (the last may be unfinished), or whose SKU or a variant's begins so."""
    own = Product.objects.filter(shop=shop)
    by_sku = own.filter(sku__startswith=words).values("pk")
    variants = Variant.objects.filter(product__shop=shop, sku=words).values("product")
    said = re.findall(r"\w+", segment(words))
    if not said:
        return by_sku.union(variants)
    query = SearchQuery(" & ".join([*said[:-1], f"{said[-1]}:*"]), config="english", search_type="raw")
    return by_sku.union(variants, own.filter(search_vector=query).values("pk"))
