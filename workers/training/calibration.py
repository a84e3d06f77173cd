"""How sure a classifier is and how right: accuracy, macro-F1, expected calibration error, and the temperature that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BINS = 15


@dataclass(frozen=True)
class Judgement:
    """One answer of a classifier: its confidence, the right label and its own."""

    confidence: float
    truth: str
    said: str


def accuracy(judged: Sequence[Judgement]) -> float:
    return sum(j.truth == j.said for j in judged) / max(1, len(judged))


def macro_f1(judged: Sequence[Judgement]) -> float:
    """The mean F1 over the labels that occur."""
    scores = []
    for label in {j.truth for j in judged}:
        both = sum(j.truth == j.said == label for j in judged)
        scores.append(2 * both / sum((j.truth == label) + (j.said == label) for j in judged))
    return float(np.mean(scores)) if scores else 0.0


def calibration_error(judged: Sequence[Judgement], bins: int = BINS) -> float:
    """Expected calibration error over equal bins of confidence (Naeini et al. 2015)."""
    places = [min(int(j.confidence * bins), bins - 1) for j in judged]
    error = 0.0
    for place in set(places):
        inside = [j for j, at in zip(judged, places, strict=True) if at == place]
        error += abs(sum(j.confidence - (j.truth == j.said) for j in inside))
    return error / max(1, len(judged))


def measures(judged: Sequence[Judgement]) -> dict[str, float]:
    return {
        "messages": len(judged),
        "accuracy": round(accuracy(judged), 3),
        "macro_f1": round(macro_f1(judged), 3),
        "ece": round(calibration_error(judged), 3),
    }


def temperature_for(logits: Sequence[Floats], right: Sequence[Sequence[int]]) -> float:
    """The temperature that makes the right answers likeliest; ``right`` lists the places that are right for each row."""

    def loss(temperature: float) -> float:
        total = 0.0
        for row, places in zip(logits, right, strict=True):
            scaled = row / temperature
            shares = np.exp(scaled - scaled.max())
            total -= float(np.log(max(shares[list(places)].sum() / shares.sum(), 1e-9)))
        return total

    return float(min(np.geomspace(0.3, 4, 80), key=loss))
