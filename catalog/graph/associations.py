"""Which items occur together more often than chance: counts, expectations, significance. Pure."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FALSE_DISCOVERIES = 0.05
"""Of the pairs found, so many may be chance."""

Item = Any
"""Hashable and sortable: a product's id, or a label that many products bear."""


@dataclass(frozen=True)
class Pair:
    """Two items (``one < other``) with how often both are in a group, and how often they would be by chance."""

    one: Item
    other: Item
    together: int
    expected: float

    @property
    def lift(self) -> float:
        """How many times more often than chance, shrunk towards 1 by few cases."""
        return (self.together + 1) / (self.expected + 1)


@dataclass(frozen=True)
class Counted:
    """What groups (baskets, visits) hold: how often each item and each pair occurs, ``drawn`` items in all.

    Chance, that is: groups of these very sizes filled with items by their frequency (the configuration model). A pair is
    then expected ``pairs_drawn`` times the product of both items' shares; ``pairs_drawn`` sums ``size * (size - 1)``.
    """

    items: Mapping[Item, int]
    pairs: Mapping[tuple[Item, Item], int]
    drawn: int
    pairs_drawn: int

    @classmethod
    def of(cls, groups: Iterable[Collection[Item]]) -> Counted:
        items, pairs = Counter[Item](), Counter[tuple[Item, Item]]()
        for group in groups:
            items.update(group)
            pairs.update(itertools.combinations(sorted(group), 2))
        sizes = items.total()
        return cls(items, pairs, sizes, 2 * pairs.total())

    def expected(self, one: Item, other: Item) -> float:
        return self.pairs_drawn * self.share(one) * self.share(other)

    def share(self, item: Item) -> float:
        return self.items.get(item, 0) / self.drawn if self.drawn else 0.0

    def where(self, holds: Callable[[Item, Item], bool]) -> Counted:
        """Only some of the pairs; what the others are expected to be is not changed by that."""
        some = {pair: count for pair, count in self.pairs.items() if holds(*pair)}
        return Counted(self.items, some, self.drawn, self.pairs_drawn)

    def labelled(self, labels: Mapping[Item, Collection[Item]]) -> Counted:
        """The same counts for the labels that items bear; each occurrence counts for every label."""
        items, pairs = Counter[Item](), Counter[tuple[Item, Item]]()
        for item, count in self.items.items():
            for label in labels[item]:
                items[label] += count
        for (one, other), count in self.pairs.items():
            for first, second in itertools.product(labels[one], labels[other]):
                if first != second:
                    pairs[min(first, second), max(first, second)] += count
        return Counted(items, pairs, self.drawn, self.pairs_drawn)

    def associated(self, support: int) -> list[Pair]:
        """The pairs that occur at least ``support`` times and that chance does not explain, strongest first.

        Counts are judged by the Poisson distribution, all pairs of items at once, so that a large catalogue brings no
        more false pairs than a small one.
        """
        judged = []
        for (one, other), together in self.pairs.items():
            expected = self.expected(one, other)
            if together >= support and together > expected:
                judged.append((at_least(together, expected), Pair(one, other, together, expected)))
        found = discovered(judged, len(self.items) * (len(self.items) - 1) // 2)
        return sorted(found, key=lambda pair: (-pair.lift, pair.one, pair.other))


def discovered(judged: Sequence[tuple[float, Pair]], tests: int) -> list[Pair]:
    """Of the pairs with their p-values, those that hold when so many were tested (Benjamini and Hochberg 1995)."""
    ordered = sorted(judged, key=lambda each: (each[0], each[1].one, each[1].other))
    kept = max((n for n, (p, _) in enumerate(ordered, 1) if p <= FALSE_DISCOVERIES * n / tests), default=0)
    return [pair for _, pair in ordered[:kept]]


def at_least(count: int, expected: float) -> float:
    """The probability that a Poisson variable with mean ``expected`` reaches ``count``, where that is above the mean."""
    term = math.exp(count * math.log(expected) - expected - math.lgamma(count + 1))
    total, following = term, count
    while term > 1e-12 * total:
        following += 1
        term *= expected / following
        total += term
    return min(1.0, total)


def at_most(count: int, expected: float) -> float:
    """The probability that a Poisson variable with mean ``expected`` stays at or below ``count``."""
    return sum(math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(count + 1))
