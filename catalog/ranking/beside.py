"""What is offered beside a product: by the shop's goes-with rules first, then by the product graph. Never what is vetoed."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.graph.links import companions_of, substitutes_of
from catalog.models import Shop
from catalog.ranking.rules import Rule, companions, joining, vetoes
from catalog.search import Candidate, ProductQuery, search_products

BESIDE = 2
CONSIDERED = 12


def beside(
    shop: Shop, shown: Sequence[Candidate], rules: Sequence[Rule], goal: str, hidden: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """Up to ``BESIDE`` products in stock that go with any of the shown ones; ``hidden`` are SKUs not to offer."""
    named = [*companions(shown, rules, goal), *companions_of(shop, [candidate.product for candidate in shown])]
    skus = [sku for sku in dict.fromkeys(named) if sku not in hidden][:CONSIDERED]
    return _allowed(shop, shown, _in_order(shop, skus), rules, goal)


def instead(
    shop: Shop, product: Candidate, rules: Sequence[Rule], goal: str, hidden: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """Up to ``BESIDE`` products in stock that may stand in for one that is sold out.

    The graph's substitutes, then what is nearest by its text in its category: a product without history has those too.
    """
    skus = [sku for sku in substitutes_of(shop, product.product) if sku not in hidden][:CONSIDERED]
    found = _in_order(shop, skus)
    nearest = ProductQuery(
        shop=shop,
        embedding=product.product.embedding,
        category=product.product.category.path,
        exclude=(product.product.sku, *skus, *hidden),
        limit=CONSIDERED,
    )
    if len(found) < BESIDE:
        found += search_products(nearest)
    return _allowed(shop, (product,), found, rules, goal)


def _in_order(shop: Shop, skus: Sequence[str]) -> list[Candidate]:
    if not skus:
        return []
    found = search_products(ProductQuery(shop=shop, only=tuple(skus), limit=len(skus)))
    return sorted(found, key=lambda candidate: skus.index(candidate.product.sku))


def _allowed(
    shop: Shop, shown: Sequence[Candidate], found: Sequence[Candidate], rules: Sequence[Rule], goal: str
) -> tuple[Candidate, ...]:
    return joining(found, shown, BESIDE, (*rules, *vetoes(shop, (*shown, *found))), goal)
