"""Fresh judges of naturalness: how well what a model wrote can be told from what people wrote for the same brief.

A judge is linear and pairwise (Bradley and Terry 1952): it sees the difference of two replies and says which one is the
human's. It is trained anew for every comparison and only ever asked about briefs that it has not seen, so no model can have
learned to please it. Chance is .5; a model that writes as people do is told apart no better.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from botcore.dialogue.ports import Encoder
from workers.engine.discriminator import canonical

Floats = npt.NDArray[np.float64]

BUCKETS = 2048
"""Of hashed words, pairs and triples of words."""
LONGEST_GRAM = 3
RIDGE = 1.0
FOLDS = 5
MEANING = 2.0
"""Length of a reply's sentence vector beside its n-grams', which have length one."""


def equalised(human: str, written: str, share: float = 1.0) -> tuple[list[str], list[str]]:
    """Both as canonical words, cut to ``share`` of the shorter one's length: how long a reply is must not give it away."""
    first, second = canonical(human), canonical(written)
    shorter = min(len(first), len(second))
    length = max(round(share * shorter), min(shorter, 1))
    return first[:length], second[:length]


def told_apart(humans: Sequence[str], written: Sequence[str], encoder: Encoder, seed: int = 0) -> Floats:
    """For each pair whether a judge trained on the other folds picks the human's reply: 1, 0, or .5 where they are alike.

    Shape ``(len(humans),)``. Raises ``ValueError`` for fewer pairs than folds.
    """
    if len(humans) < FOLDS:
        raise ValueError(f"A judge needs {FOLDS} pairs at least, not {len(humans)}.")
    pairs = [equalised(*pair) for pair in zip(humans, written, strict=True)]
    differences = features([first for first, _ in pairs], encoder) - features([second for _, second in pairs], encoder)
    folds = np.random.default_rng(seed).permutation(len(pairs)) % FOLDS
    verdicts = np.zeros(len(pairs))
    for fold in range(FOLDS):
        weights = fitted(differences[folds != fold])
        margins = differences[folds == fold] @ weights
        verdicts[folds == fold] = np.where(np.abs(margins) < 1e-12, 0.5, margins > 0)
    return verdicts


def features(replies: Sequence[Sequence[str]], encoder: Encoder) -> Floats:
    """Hashed n-grams, to length one, and the sentence's vector. Shape ``(len(replies), BUCKETS + dimensions)``."""
    counts = np.zeros((len(replies), BUCKETS))
    for row, words in zip(counts, replies, strict=True):
        for size in range(1, LONGEST_GRAM + 1):
            for start in range(len(words) - size + 1):
                row[zlib.crc32(" ".join(words[start : start + size]).encode()) % BUCKETS] += 1
    counts /= np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)
    return np.hstack([counts, MEANING * encoder.encode([" ".join(words) for words in replies])])


def fitted(differences: Floats) -> Floats:
    """Weights of the judge for which the human's reply, which the differences start from, is the likelier one."""

    def loss(weights: Floats) -> tuple[float, Floats]:
        margins = differences @ weights
        value = np.logaddexp(0, -margins).sum() + RIDGE / 2 * weights @ weights
        return float(value), RIDGE * weights - differences.T @ expit(-margins)

    found = minimize(loss, np.zeros(differences.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(found.x)
