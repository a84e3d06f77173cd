"""ADWIN: a window over a stream that grows while the mean stays and drops its old end when it changes. Pure.

Bifet & Gavaldà 2007, Learning from Time-Changing Data with Adaptive Windowing: the second algorithm (ADWIN2), whose
exponential histogram keeps the window in memory of the logarithm of its width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt
from typing import Any, Self

DELTA = 0.002
"""Bound on the chance of a false alarm, as in the paper's experiments and in MOA."""
BUCKETS = 5
"""Of one size that are kept before the two oldest become one (the paper's M)."""
EVERY = 32
"""Values between two looks for a change, as in MOA: a look costs the number of buckets."""
FEWEST = 5
"""Values that either side of a cut must have, as in MOA."""


@dataclass(frozen=True)
class Bucket:
    """So many neighbours of the stream by their sum and sum of squares; ``size`` is a power of two."""

    size: int
    total: float
    squares: float

    def joined(self, other: Bucket) -> Bucket:
        return Bucket(self.size + other.size, self.total + other.total, self.squares + other.squares)


class Adwin:
    """Detects changes in the mean of values from 0 to 1."""

    def __init__(self, delta: float = DELTA) -> None:
        self.delta = delta
        self._seen = 0
        self._buckets: list[Bucket] = []
        """Oldest first, so that sizes never grow from one to the next."""

    @property
    def width(self) -> int:
        return sum(bucket.size for bucket in self._buckets)

    @property
    def mean(self) -> float:
        """Of the window; 0 for an empty one."""
        return sum(bucket.total for bucket in self._buckets) / self.width if self._buckets else 0.0

    @property
    def buckets(self) -> int:
        """How many are kept: at most ``BUCKETS`` of each power of two up to the width."""
        return len(self._buckets)

    def add(self, value: float) -> bool:
        """Take the next value of the stream; True where the mean changed and the window lost its old end.

        Raises ``ValueError`` for a value outside 0 to 1, on which the bound rests.
        """
        if not 0 <= value <= 1:
            raise ValueError(f"ADWIN takes values from 0 to 1, not {value}: scale them by their range")
        self._buckets.append(Bucket(1, float(value), float(value) ** 2))
        self._compress()
        self._seen += 1
        return self._seen % EVERY == 0 and self._shrink()

    def to_json(self) -> dict[str, Any]:
        buckets = [[bucket.size, bucket.total, bucket.squares] for bucket in self._buckets]
        return {"delta": self.delta, "seen": self._seen, "buckets": buckets}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`: goes on as if it had never been stored."""
        adwin = cls(data["delta"])
        adwin._seen = data["seen"]
        adwin._buckets = [Bucket(size, total, squares) for size, total, squares in data["buckets"]]
        return adwin

    def _compress(self) -> None:
        """Join the two oldest buckets of a size that has too many, which may then be too many of the next."""
        size, end = 1, len(self._buckets)
        while True:
            start = end
            while start and self._buckets[start - 1].size == size:
                start -= 1
            if end - start <= BUCKETS:
                return
            self._buckets[start : start + 2] = [self._buckets[start].joined(self._buckets[start + 1])]
            size, end = 2 * size, start + 1

    def _shrink(self) -> bool:
        """Drop the oldest bucket until no cut of the window tells its sides apart; whether there was one to drop."""
        shrunk = False
        while self._sides_differ():
            del self._buckets[0]
            shrunk = True
        return shrunk

    def _sides_differ(self) -> bool:
        width, total = self.width, sum(bucket.total for bucket in self._buckets)
        variance = _variance(width, total, sum(bucket.squares for bucket in self._buckets))
        older, older_total = 0, 0.0
        for bucket in self._buckets:
            older, older_total = older + bucket.size, older_total + bucket.total
            newer = width - older
            if newer < FEWEST:
                return False
            distance = abs(older_total / older - (total - older_total) / newer)
            if older >= FEWEST and distance > cut_bound(older, newer, variance, self.delta):
                return True
        return False


def cut_bound(older: int, newer: int, variance: float, delta: float = DELTA) -> float:
    """How far apart the means of the sides of a cut may be by chance: the paper's epsilon by Bernstein's inequality.

    ``delta`` is shared among the cuts, of which an exponential histogram has as many as the logarithm of the width.
    """
    confidence = log(2 * log(older + newer) / delta)
    inverse = 1 / older + 1 / newer
    return sqrt(2 * inverse * variance * confidence) + 2 / 3 * inverse * confidence


def _variance(width: int, total: float, squares: float) -> float:
    return max(0.0, squares / width - (total / width) ** 2) if width else 0.0
