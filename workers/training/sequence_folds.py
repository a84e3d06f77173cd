"""Sequence scores for training a ranker: each customer's come from a model that never saw this customer.

Two models, each trained on one half of the customers (cross-fitting). A model that had seen the customer's next step would
teach the ranker to trust it more than it deserves.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from catalog.models import Product
from workers.engine.sequence import SequenceScorer, content_of
from workers.training.sequence import Histories, Recipe, SequenceTrainingError, train

FOLDS = 2


def fold_of(customer: int) -> int:
    """The half a customer belongs to; independent of the ranker's own splits."""
    return hashlib.sha256(f"fold {customer}".encode()).digest()[0] % FOLDS


class SequenceFolds:
    """Trained when made. A half with too few histories to learn from says nothing about the other."""

    def __init__(self, taken: Mapping[int, tuple[str, ...]], products: Iterable[Product], seed: int) -> None:
        """``taken``: SKUs by customer, oldest first."""
        self._content = {product.sku: content_of(product) for product in products}
        self._scorers = [self._trained(taken, fold, seed) for fold in range(FOLDS)]

    def scores(self, customer: int, history: Sequence[str], products: Sequence[Product]) -> dict[int, float]:
        """By product id, as :meth:`SequenceScorer.scores`; empty where nothing is known."""
        scorer = self._scorers[1 - fold_of(customer)]
        if scorer is None or not history or not products:
            return {}
        found = scorer.scores(history, [product.sku for product in products], self._content)
        return {product.pk: float(score) for product, score in zip(products, found, strict=True)}

    def _trained(self, taken: Mapping[int, tuple[str, ...]], fold: int, seed: int) -> SequenceScorer | None:
        sequences = tuple(skus for customer, skus in sorted(taken.items()) if fold_of(customer) == fold)
        digest = hashlib.sha256(json.dumps(sequences).encode()).hexdigest()
        histories = Histories(sequences, self._content, {f"fold {fold}": digest})
        with tempfile.TemporaryDirectory(prefix="daogou-fold-") as folder:
            try:
                train(Recipe(seed=seed, refit=True), histories, Path(folder))
            except SequenceTrainingError:
                return None
            return SequenceScorer.open(Path(folder))
