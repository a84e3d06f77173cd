"""Which items occur together more often than chance: counts, expectations, significance. Pure."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

FALSE_DISCOVERIES = 0.05
"""Of the pairs found, so many may be chance."""


@dataclass(frozen=True)
class Pair:
    """Two items (``one < other``) with how many groups hold both, and how many would by chance."""

    one: int
    other: int
    together: int
    expected: float

    @property
    def weight(self) -> float:
        """How many times more often than chance, shrunk towards 1 by few cases (a gamma prior with mean and weight 1)."""
        return (self.together + 1) / (self.expected + 1)


def associated(groups: Sequence[Collection[int]], support: int) -> list[Pair]:
    """The pairs that at least ``support`` groups hold and that chance does not explain, strongest first.

    Chance fills groups of these very sizes with items drawn by their frequency (the configuration model): a pair is then
    expected in ``sum of size * (size - 1)`` times the product of both shares. Its count is judged by the Poisson
    distribution, all pairs of items at once by Benjamini and Hochberg (1995), so that a large catalogue brings no more
    false pairs than a small one.
    """
    sizes = [len(group) for group in groups]
    counts = Counter(itertools.chain.from_iterable(groups))
    drawn = sum(sizes)
    pairs_drawn = sum(size * (size - 1) for size in sizes)
    seen = Counter(pair for group in groups for pair in itertools.combinations(sorted(group), 2))
    judged = []
    for (one, other), together in seen.items():
        expected = pairs_drawn * counts[one] * counts[other] / drawn**2
        if together >= support and together > expected:
            judged.append((at_least(together, expected), Pair(one, other, together, expected)))
    judged.sort(key=lambda each: (each[0], each[1].one, each[1].other))
    possible = len(counts) * (len(counts) - 1) / 2
    kept = max((n for n, (p, _) in enumerate(judged, 1) if p <= FALSE_DISCOVERIES * n / possible), default=0)
    return sorted((pair for _, pair in judged[:kept]), key=lambda pair: (-pair.weight, pair.one, pair.other))


def at_least(count: int, expected: float) -> float:
    """The probability that a Poisson variable with mean ``expected`` reaches ``count``, where that is above the mean."""
    term = math.exp(count * math.log(expected) - expected - math.lgamma(count + 1))
    total, following = term, count
    while term > 1e-12 * total:
        following += 1
        term *= expected / following
        total += term
    return min(1.0, total)
