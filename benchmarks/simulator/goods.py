"""The shop as the simulator sees it: plain values read once from the catalogue's tables, not through its search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.models import Product, Shop

Values = Mapping[str, frozenset[str]]
Names = Mapping[tuple[str, str], str]
"""The Chinese name of a value, by attribute and value."""


@dataclass(frozen=True)
class Offer:
    """A variant: what one pays for and takes home."""

    price: Decimal
    stock: int
    values: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Good:
    """A product. ``kind`` is what a person calls the thing (rain jackets and puffers are two kinds), and is read from
    the SKU: the demo shop's categories hold several kinds each. ``texts`` are everything that a search box would index."""

    sku: str
    kind: str
    department: str
    category: str
    values: Values
    offers: tuple[Offer, ...]
    popularity: float = 0.0
    texts: str = ""

    def is_a(self, name: str) -> bool:
        """Whether it is of a kind, or of a department."""
        return name in (self.kind, self.department)

    @property
    def in_stock(self) -> tuple[Offer, ...]:
        return tuple(offer for offer in self.offers if offer.stock)

    @cached_property
    def of_variants(self) -> frozenset[str]:
        """The attributes in which one variant differs from another: those of the product say only what some have."""
        return frozenset(attribute for offer in self.offers for attribute in offer.values)

    def values_of(self, offer: Offer, attribute: str) -> frozenset[str]:
        source = offer.values if attribute in self.of_variants else self.values
        return source.get(attribute, frozenset())


@dataclass(frozen=True)
class Market:
    """Every good, and what Chinese customers call values. ``called`` holds the names that lead to a category's path."""

    goods: Mapping[str, Good]
    names: Names
    called: Mapping[str, str]

    @cached_property
    def kinds(self) -> dict[str, list[Good]]:
        """The goods in stock, by kind."""
        kinds: dict[str, list[Good]] = {}
        for good in self.goods.values():
            if good.in_stock:
                kinds.setdefault(good.kind, []).append(good)
        return kinds

    def range_of(self, name: str) -> list[Good]:
        """The goods in stock of a kind or of a department."""
        return self.kinds.get(name) or [g for goods in self.kinds.values() for g in goods if g.department == name]

    @cached_property
    def departments(self) -> list[str]:
        return sorted({goods[0].department for goods in self.kinds.values()})


def market_of(shop: Shop) -> Market:
    """Reads the whole catalogue of a shop whose SKUs are ``kind-number``, as the demo shop's are."""
    from catalog.models import AttributeValue, Category, Product

    rows = Product.objects.filter(shop=shop, active=True).select_related("category").prefetch_related("variants")
    names = AttributeValue.objects.filter(shop=shop).values_list("attribute", "value", "names")
    called = {
        name.lower(): category.path
        for category in Category.objects.filter(shop=shop).order_by("path")
        for name in (category.name, *category.aliases, category.translations.get("zh", {}).get("name", ""))
        if name
    }
    goods = (_good(product) for product in rows.order_by("sku").defer("embedding"))
    return Market(
        {good.sku: good for good in goods},
        {(attribute, value): found["zh"][0] for attribute, value, found in names if found.get("zh")},
        called,
    )


def _good(product: Product) -> Good:
    offers = tuple(Offer(v.price, v.stock, _values(v.attributes)) for v in product.variants.all())
    path = product.category.path
    return Good(
        sku=product.sku,
        kind=product.sku.rsplit("-", 1)[0],
        department=path.split("/")[0],
        category=path,
        values=_values(product.attributes),
        offers=offers,
        popularity=product.popularity,
        texts=product.document,
    )


def _values(attributes: Mapping[str, list[str]]) -> Values:
    return {attribute: frozenset(values) for attribute, values in attributes.items()}
