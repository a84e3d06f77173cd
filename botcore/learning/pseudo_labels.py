"""Which messages that nobody labelled may teach, and whether what they taught is kept. Pure decisions over arrays.

Two heads that see different things must agree, both surer than a threshold at which they were right often enough on messages
with labels (co-training's agreement: Blum and Mitchell 1998).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

PRECISION = 0.97
"""How often a pseudo-label is to be right."""
FEWEST = 100
"""Agreements that a threshold must rest on."""
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
    """The lowest chance from which agreements were right as often as ``precision``; None where no ``FEWEST`` of them are.

    ``chances`` as :func:`agreed` gives them, ``right`` whether the label is.
    """
    order = np.argsort(-chances, kind="stable")
    order = order[chances[order] > 0]
    counts = np.arange(1, len(order) + 1)
    shares = np.cumsum(right[order]) / counts
    last_of_its_chance = np.append(np.diff(chances[order]) != 0, True)[: len(order)]
    enough = np.flatnonzero((shares >= precision) & (counts >= FEWEST) & last_of_its_chance)
    if not len(enough):
        return None
    place = int(enough[-1])
    share, count = float(shares[place]), int(counts[place])
    return Threshold(float(chances[order[place]]), share, *wilson(share, count), count, len(chances))


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z = CERTAINTY**2 / count
    middle = (share + z / 2) / (1 + z)
    reach = CERTAINTY * np.sqrt(share * (1 - share) / count + z / (4 * count)) / (1 + z)
    return float(middle - reach), float(middle + reach)


def weights_of(labels: Places, usual: Floats, most: float) -> Floats:
    """What each pseudo-label counts: ``most``, or less where its label would otherwise outweigh those that people gave.

    ``usual`` are the labelled messages of each label, summed by their weights.
    """
    counts = np.bincount(labels, minlength=len(usual))
    each = np.minimum(most, usual / np.maximum(counts, 1))
    return np.asarray(each[labels], dtype=np.float32)


def improved(differences: Iterable[Difference]) -> bool:
    """Whether a new layer is kept: worse by no measure, and by one of them better with the whole interval."""
    found = list(differences)
    return all(d.mean >= 0 for d in found) and any(d.low > 0 for d in found)
