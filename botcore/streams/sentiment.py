"""How a text feels: a linear head on the reader's vectors with calibrated chances, one for English and Chinese.

``workers/training/sentiment.py`` trains it; the JSON beside the weights tells from what and how well it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from botcore.dialogue.linear import Head, load

Floats = npt.NDArray[np.float32]

DATA = Path(__file__).parent / "data"
LABELS = ("negative", "neutral", "positive")
"""As ``botcore.models.Sentiment`` has them; this module needs no configured Django."""
NAME = "sentiment"


@dataclass(frozen=True)
class Feeling:
    """A sentiment and the chance that it is right."""

    sentiment: str
    confidence: float


def feelings(vectors: Floats, languages: Sequence[str], head: Head | None = None) -> list[Feeling]:
    """The likeliest sentiment of each text. ``vectors`` are what the reader's ``feels`` gives, a row a text."""
    used = head or shipped()
    found = []
    for vector, language in zip(vectors, languages, strict=True):
        chances = used.probabilities(vector, "zh" if language == "zh" else "en")
        place = int(np.argmax(chances))
        found.append(Feeling(used.labels[place], round(float(chances[place]), 4)))
    return found


@lru_cache(maxsize=1)
def shipped() -> Head:
    """The head that comes with the project. Raises ``OSError`` where its files are missing."""
    return load(DATA / f"{NAME}.npz")
