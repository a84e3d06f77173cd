"""The links of products, as replies read them and as a merchant edits them. Only products on sale are told."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from catalog.models import Product, ProductLink, Shop

Kind, Origin = ProductLink.Kind, ProductLink.Origin
MIRRORED = (Kind.GOES_WITH, Kind.SUBSTITUTE_FOR, Kind.SAME_SERIES)
"""Kinds that hold in both directions."""


def companions_of(shop: Shop, products: Sequence[Product]) -> list[str]:
    """SKUs of what goes with the products or is an accessory of them; the shop's own links first, then the strongest."""
    ids = [product.pk for product in products]
    goes_with = _links(shop).filter(kind=Kind.GOES_WITH, source__in=ids, target__active=True)
    accessories = _links(shop).filter(kind=Kind.ACCESSORY_OF, target__in=ids, source__active=True)
    found = [
        *goes_with.values_list("origin", "weight", "target__sku"),
        *accessories.values_list("origin", "weight", "source__sku"),
    ]
    return _best_first(found, {product.sku for product in products})


def substitutes_of(shop: Shop, product: Product) -> list[str]:
    """SKUs of what may stand in for a product; the shop's own links first, then the strongest."""
    links = _links(shop).filter(kind=Kind.SUBSTITUTE_FOR, target=product, source__active=True)
    return _best_first(list(links.values_list("origin", "weight", "source__sku")), {product.sku})


def vetoed_pairs(shop: Shop) -> list[tuple[int, int]]:
    """The ids of every two products that the shop does not want to see together."""
    vetoes = ProductLink.objects.filter(shop=shop, origin=Origin.VETO)
    return list(vetoes.order_by("pk").values_list("source_id", "target_id"))


def neighbours_of(product: Product) -> QuerySet[ProductLink]:
    """Every link of a product with both its ends: from it, and what is an accessory of it or vetoed beside it."""
    own = Q(source=product) | Q(target=product, kind=Kind.ACCESSORY_OF) | Q(target=product, origin=Origin.VETO)
    links = ProductLink.objects.filter(own, shop=product.shop_id).select_related("source", "target")
    return links.order_by("kind", "-weight", "pk")


def add(source: Product, target: Product, kind: str) -> None:
    """The shop says that ``source`` is such to ``target``; a veto on the two is forgotten.

    Raises ``ValueError`` for products of two shops or one product twice.
    """
    _check(source, target)
    ends = [(source, target), (target, source)] if kind in MIRRORED else [(source, target)]
    with transaction.atomic():
        _lock(source.shop_id)
        _between(source, target).filter(origin=Origin.VETO).delete()
        for one, other in ends:
            ProductLink.objects.update_or_create(
                source=one, target=other, kind=kind,
                defaults={"shop_id": source.shop_id, "origin": Origin.MERCHANT, "weight": 1.0, "support": 0},
            )  # fmt: skip


def veto(source: Product, target: Product) -> None:
    """The two are never shown or offered together. Their links go, and no rebuild brings them back.

    Raises ``ValueError`` for products of two shops or one product twice.
    """
    _check(source, target)
    with transaction.atomic():
        _lock(source.shop_id)
        _between(source, target).delete()
        ProductLink.objects.create(
            shop_id=source.shop_id, source=source, target=target, kind=Kind.GOES_WITH, origin=Origin.VETO, weight=0
        )


def remove(source: Product, target: Product, kind: str) -> None:
    """Take back what the shop itself said of the two; the next rebuild says again what customers' doings say.

    A link that was computed stays: it goes by a veto.
    """
    with transaction.atomic():
        _lock(source.shop_id)
        said = Q(origin=Origin.VETO) | Q(origin=Origin.MERCHANT, kind=kind)
        _between(source, target).filter(said).delete()


def _links(shop: Shop) -> QuerySet[ProductLink]:
    return ProductLink.objects.filter(shop=shop).exclude(origin=Origin.VETO)


def _between(one: Product, other: Product) -> QuerySet[ProductLink]:
    return ProductLink.objects.filter(Q(source=one, target=other) | Q(source=other, target=one), shop=one.shop_id)


def _best_first(found: Sequence[tuple[str, float, str]], without: Collection[str]) -> list[str]:
    ordered = sorted(found, key=lambda each: (each[0] != Origin.MERCHANT, -each[1], each[2]))
    return list(dict.fromkeys(sku for _, _, sku in ordered if sku not in without))


def _lock(shop_id: int) -> None:
    """Edits wait for a rebuild and the other way round; rows that only name the shop do not."""
    Shop.objects.select_for_update(no_key=True).get(pk=shop_id)


def _check(source: Product, target: Product) -> None:
    if source.shop_id != target.shop_id:
        raise ValueError("the products belong to two shops")
    if source.pk == target.pk:
        raise ValueError("a product has no link to itself")
