"""Whether two samples of categories differ: the Population Stability Index with thresholds that know the sample sizes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log

import numpy as np
from scipy.special import chdtri

CUSTOMARY = 0.25
"""A PSI above it is called a large shift whatever the sample size (Siddiqi 2006, Credit Risk Scorecards)."""
FALSE_ALARMS = 0.001
"""Chance of passing the critical value when nothing changed: three comparisons a day make one false alarm a year."""
SMOOTHING = 0.5
"""Added to every cell of the union (Jeffreys' prior), so that an empty one has a finite logarithm."""
FEWEST = 5
"""Cochran's rule (1954): cells expected to hold fewer spoil the chi-squared approximation and are counted together."""
OTHERS = "others"


@dataclass(frozen=True)
class Tally:
    """Counts by category, customer by customer: what one customer says resembles itself, so it is no random sample."""

    customers: tuple[Mapping[str, int], ...]

    @property
    def counts(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for customer in self.customers:
            total.update(customer)
        return total

    def together(self, categories: frozenset[str]) -> Tally:
        """The same counts with ``categories`` as the one cell ``OTHERS``."""
        return Tally(tuple(_together(customer, categories) for customer in self.customers))


@dataclass(frozen=True)
class Comparison:
    """Two samples over the same cells. ``expected`` and ``actual`` are shares of the cells, ``parts`` what each adds."""

    parts: Mapping[str, float]
    threshold: float
    expected: Mapping[str, float]
    actual: Mapping[str, float]

    @property
    def psi(self) -> float:
        return sum(self.parts.values())

    @property
    def differs(self) -> bool:
        return self.psi > self.threshold


def psi(expected: Mapping[str, int], actual: Mapping[str, int]) -> float:
    """``sum((a - e) ln(a / e))`` over the shares of all categories of either, smoothed by ``SMOOTHING``; 0 for equal shares."""
    return sum(contributions(expected, actual).values())


def contributions(expected: Mapping[str, int], actual: Mapping[str, int]) -> dict[str, float]:
    """What each category adds to the PSI; never negative."""
    cells = sorted({*expected, *actual})
    before, after = _smoothed(expected, cells), _smoothed(actual, cells)
    return {cell: (after[cell] - before[cell]) * log(after[cell] / before[cell]) for cell in cells}


def psi_without_change(cells: int, expected_size: float, actual_size: float) -> float:
    """The mean of the PSI when nothing changed: it is ``(1/n + 1/m)`` times a chi-squared with ``cells - 1`` degrees
    of freedom (Yurdakul 2018, Statistical Properties of Population Stability Index)."""
    return (1 / expected_size + 1 / actual_size) * (cells - 1)


def psi_threshold(cells: int, expected_size: float, actual_size: float) -> float:
    """The larger of ``CUSTOMARY``, below which a shift does not matter, and Yurdakul's critical value, below which it
    may be chance. Infinite for an empty sample."""
    if min(expected_size, actual_size) <= 0:
        return inf
    if cells < 2:
        return CUSTOMARY
    return max(CUSTOMARY, (1 / expected_size + 1 / actual_size) * float(chdtri(cells - 1, FALSE_ALARMS)))


def compare(expected: Tally, actual: Tally) -> Comparison:
    """The PSI with rare categories counted together, against the threshold for as many independent observations."""
    few = rare(expected.counts, actual.counts)
    expected, actual = expected.together(few), actual.together(few)
    cells = {*expected.counts, *actual.counts}
    sizes = effective_size(expected.customers), effective_size(actual.customers)
    return Comparison(
        contributions(expected.counts, actual.counts),
        psi_threshold(len(cells), *sizes),
        shares(expected.counts, cells),
        shares(actual.counts, cells),
    )


def rare(expected: Mapping[str, int], actual: Mapping[str, int]) -> frozenset[str]:
    """Categories of which the smaller sample would hold fewer than ``FEWEST`` if both were drawn alike."""
    both = Counter(expected) + Counter(actual)
    smaller = min(sum(expected.values()), sum(actual.values()))
    return frozenset(cell for cell, count in both.items() if count * smaller < FEWEST * both.total())


def effective_size(clusters: Sequence[Mapping[str, int]]) -> float:
    """How many independent observations the counts are worth: at most their number, less where clusters are of a kind.

    The size over the mean design effect of the cells (Rao & Scott 1981), each cell's variance estimated between clusters.
    A single cluster says nothing of the others: it counts as one.
    """
    clusters = [cluster for cluster in clusters if sum(cluster.values())]
    cells = sorted({cell for cluster in clusters for cell in cluster})
    if len(clusters) < 2:
        return float(len(clusters))
    counts = np.array([[cluster.get(cell, 0) for cell in cells] for cluster in clusters], dtype=float)
    size, share = counts.sum(), counts.sum(axis=0) / counts.sum()
    if len(cells) < 2:
        return float(size)
    residuals = counts - counts.sum(axis=1, keepdims=True) * share
    between = len(clusters) / (len(clusters) - 1) * ((residuals**2).sum(axis=0) / (size * share)).sum()
    return float(size / max(1.0, between / (len(cells) - 1)))


def shares(counts: Mapping[str, int], cells: Iterable[str]) -> dict[str, float]:
    total = sum(counts.values())
    return {cell: counts.get(cell, 0) / total if total else 0.0 for cell in cells}


def _smoothed(counts: Mapping[str, int], cells: Sequence[str]) -> dict[str, float]:
    total = sum(counts.values()) + SMOOTHING * len(cells)
    return {cell: (counts.get(cell, 0) + SMOOTHING) / total for cell in cells}


def _together(counts: Mapping[str, int], categories: frozenset[str]) -> Counter[str]:
    cells: Counter[str] = Counter()
    for category, count in counts.items():
        cells[OTHERS if category in categories else category] += count
    return cells
