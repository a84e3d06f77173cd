"""How likely a piece of evidence answers, from its log odds against that nothing does. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

READ, MEANING, USUAL = 0.8, 5.0, 0.4
"""How much the reader's odds count, and the sentence encoder's cosine beyond a usual one. Chosen on the development questions of
``benchmarks.answers``; ``python -m workers.training.answers --served`` judges them on shops that nothing was chosen on."""


def fused(odds: Floats, near: Floats) -> Floats:
    """The reader's log odds weighed with the cosines of the sentence encoder, which reads English and knows nothing of
    silence."""
    weighed: Floats = READ * odds + MEANING * (near - USUAL)
    return weighed


def chances(odds: Floats) -> Floats:
    """Chances of pieces by their log odds against that none answers, which has the rest."""
    most = max(float(odds.max()), 0.0)
    shares = np.exp(odds - most)
    found: Floats = shares / (shares.sum() + np.exp(-most))
    return found
