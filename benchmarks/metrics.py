"""Measures of rankings and classifications, with bootstrap intervals. Plain functions over plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Row = TypeVar("Row")

RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A measure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def first_hit(ranked: Sequence[str], relevant: Collection[str]) -> int:
    """The place (from 1) of the first relevant item; 0 where none is ranked."""
    return next((place for place, item in enumerate(ranked, 1) if item in relevant), 0)


def hit_at(k: int, ranked: Sequence[str], relevant: Collection[str]) -> float:
    """1 where one of the first ``k`` is relevant, else 0."""
    return float(0 < first_hit(ranked, relevant) <= k)


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """1 over the place of the first relevant item, 0 where none is ranked."""
    place = first_hit(ranked, relevant)
    return 1 / place if place else 0.0


def accuracy(pairs: Sequence[tuple[str, str]]) -> float:
    """The share of (truth, prediction) that agree."""
    return sum(truth == predicted for truth, predicted in pairs) / len(pairs)


def f1(label: str, pairs: Sequence[tuple[str, str]]) -> float:
    """The harmonic mean of one label's precision and recall; 0 where it is never predicted rightly."""
    right = sum(truth == predicted == label for truth, predicted in pairs)
    said = sum(predicted == label for _, predicted in pairs)
    true = sum(truth == label for truth, _ in pairs)
    return 2 * right / (said + true) if right else 0.0


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean :func:`f1` of the labels that occur among the truths."""
    labels = {truth for truth, _ in pairs}
    return sum(f1(label, pairs) for label in labels) / len(labels)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def bootstrap(
    rows: Sequence[Row], groups: Sequence[str], measure: Callable[[Sequence[Row]], float], seed: int = 0
) -> Interval:
    """``measure`` of all rows, and the 2.5 and 97.5 percentiles over resamples of whole groups (Efron 1979).

    ``groups`` names the group (conversation) of each row: rows of one conversation are not independent.
    """
    by_group: dict[str, list[Row]] = {}
    for row, group in zip(rows, groups, strict=True):
        by_group.setdefault(group, []).append(row)
    members = list(by_group.values())
    draws = np.random.default_rng(seed).integers(len(members), size=(RESAMPLES, len(members)))
    values = [measure([row for place in draw for row in members[place]]) for draw in draws]
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(measure(rows), float(low), float(high))
