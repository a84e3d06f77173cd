"""What usually follows what a customer took: the shop's sequence model, fed with the customer's interactions.

The dialogue's port ``SequenceScores``. The same products in the same order as ``workers.training.sequence`` learns from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from catalog.models import Interaction, Product

log = structlog.get_logger(__name__)

REMEMBERED = 200
"""Interactions that are read of one customer, newest first; the model reads the last products of them."""


class ShopSequences:
    """The models below a folder, one a shop, loaded when first needed. Safe to call from many threads."""

    def __init__(self, models: Path) -> None:
        self._models = models

    def scores(self, customer_id: int, products: Sequence[Product]) -> Mapping[int, float]:
        """See :class:`botcore.dialogue.ports.SequenceScores`; a model that cannot be used is logged."""
        from workers.engine.sequence import SequenceModelError, content_of, scorer_of  # only a reply worker has torch

        if not products:
            return {}
        shop = products[0].shop.slug
        try:
            scorer = scorer_of(shop, self._models)
        except SequenceModelError as error:
            log.error("the sequence model cannot be used; it has no say", shop=shop, error=str(error))
            return {}
        history = history_of(customer_id) if scorer else []
        if scorer is None or not history:
            return {}
        content = {product.sku: content_of(product) for product in products}
        found = scorer.scores(history, [product.sku for product in products], content)
        return {product.pk: float(score) for product, score in zip(products, found, strict=True)}


def history_of(customer_id: int) -> list[str]:
    """SKUs in the order in which the customer first viewed, carted or ordered them, reviews left out."""
    rows = Interaction.objects.filter(customer_id=customer_id).exclude(kind=Interaction.Kind.REVIEW)
    newest = rows.order_by("-at", "-pk").values_list("product__sku", flat=True)[:REMEMBERED]
    return list(dict.fromkeys(reversed(list(newest))))
