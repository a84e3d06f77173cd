"""Which messages that nobody labelled may teach, and whether what they taught is kept. Pure decisions over arrays.

Two heads that see different things must agree, both surer than a threshold at which they were right often enough on messages
with labels (co-training's agreement: Blum and Mitchell 1998).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.int64]

PRECISION = 0.97
"""How often a pseudo-label is to be right, at the lower end of what the development messages say of it."""
CERTAINTY = 1.96
"""Standard deviations of a 95 % interval."""


@dataclass(frozen=True)
class Threshold:
    """``chance`` that both heads must give, the precision it had and its 95 % interval, over how many agreements of how many
    messages."""

    chance: float
    precision: float
    low: float
    high: float
    agreements: int
    messages: int

    def __str__(self) -> str:
        return (
            f"{self.chance:.3f}: right {self.precision:.3f} [{self.low:.3f}, {self.high:.3f}] in {self.agreements} of "
            f"{self.messages} messages"
        )


@dataclass(frozen=True)
class Difference:
    """How much better the new is on the same messages, with a 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def agreed(first: Floats, second: Floats) -> tuple[Places, Floats]:
    """The first head's likeliest labels, and how sure the less sure of the two is; 0 where they differ.

    Both are calibrated chances, shape ``(messages, labels)``.
    """
    labels = first.argmax(axis=1)
    surest = np.minimum(first.max(axis=1), second.max(axis=1))
    return labels, np.where(labels == second.argmax(axis=1), surest, 0.0)


def threshold_for(chances: Floats, right: npt.NDArray[np.bool_], precision: float = PRECISION) -> Threshold | None:
    """The lowest chance from which agreements are right as often as ``precision`` with their whole interval; None where no
    chance is high enough, or too few agree to tell.

    ``chances`` as :func:`agreed` gives them, ``right`` whether the label is.
    """
    order = np.argsort(-chances, kind="stable")
    order = order[chances[order] > 0]
    counts = np.arange(1, len(order) + 1)
    shares = np.cumsum(right[order]) / counts
    lows, highs = wilson(shares, counts)
    last_of_its_chance = np.diff(chances[order], append=-1.0) != 0
    enough = np.flatnonzero((lows >= precision) & last_of_its_chance)
    if not len(enough):
        return None
    place = enough[-1]
    chance, share, low, high = (float(of[place]) for of in (chances[order], shares, lows, highs))
    return Threshold(chance, share, low, high, int(counts[place]), len(chances))


def wilson(shares: Floats, counts: Places) -> tuple[Floats, Floats]:
    """The 95 % intervals of shares (Wilson 1927)."""
    z = CERTAINTY**2 / counts
    middle = (shares + z / 2) / (1 + z)
    reach = CERTAINTY * np.sqrt(shares * (1 - shares) / counts + z / (4 * counts)) / (1 + z)
    return middle - reach, middle + reach


def weights_of(labels: Places, most: float) -> npt.NDArray[np.float64]:
    """What each pseudo-label counts: one, or less where its label has more than ``most``.

    Customers wish far oftener than they thank; teaching that would only make a head expect wishes.
    """
    counts = np.bincount(labels)
    return np.asarray(np.minimum(1, most / np.maximum(counts, 1))[labels])


def improved(differences: Iterable[Difference]) -> bool:
    """Whether a new layer is kept: worse by no measure, and by one of them better with the whole interval."""
    found = list(differences)
    return all(d.mean >= 0 for d in found) and any(d.low > 0 for d in found)
