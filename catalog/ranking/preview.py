"""What rules do to a slate before they are switched on: the same query with and without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.ranking.beside import beside
from catalog.ranking.features import Context
from catalog.ranking.model import ranker_of
from catalog.ranking.rules import Rule
from catalog.ranking.slate import Slate, slate_of
from catalog.search import Candidate, ProductQuery, search_products


@dataclass(frozen=True)
class Preview:
    """``beside`` is what would be offered with the first product of the slate with rules, once it is chosen."""

    without: Slate
    with_rules: Slate
    beside: tuple[Candidate, ...]

    @property
    def changed(self) -> bool:
        """Whether another product, or another order, would be shown."""
        return _skus(self.without) != _skus(self.with_rules)


def preview(query: ProductQuery, rules: Sequence[Rule], context: Context | None = None, size: int = 3) -> Preview:
    """Both slates of a query, as ``size`` places would hold them."""
    found, ranker = search_products(query), ranker_of(query.shop)
    without, with_rules = (
        slate_of(query, found, context or Context(), ranker, size=size, rules=some) for some in ((), rules)
    )
    offered = beside(query.shop, with_rules.shown[:1], rules, query.category) if with_rules.shown else ()
    return Preview(without, with_rules, offered)


def _skus(slate: Slate) -> list[str]:
    return [candidate.product.sku for candidate in slate.shown]
