"""Linear heads on vectors, with calibrated chances, in numpy: the weights are trained elsewhere, a JSON beside them says how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """``weights`` has shape ``(width + 1, len(labels))``, its last row the intercept.

    ``temperature`` by language divides the logits: fitted on messages that the weights were not (Guo et al. 2017).
    ``usual`` is how often each label occurred.
    """

    labels: tuple[str, ...]
    weights: Floats
    temperature: Mapping[str, float]
    usual: Mapping[str, float]

    def probabilities(self, inputs: Floats, language: str) -> Floats:
        """For one row of inputs, shape ``(width,)``, the chance of each label; they add up to one."""
        logits = (inputs @ self.weights[:-1] + self.weights[-1]) / self.temperature[language]
        shares: Floats = np.exp(logits - logits.max())
        return shares / shares.sum()


def load(path: Path) -> Head:
    """The head whose weights lie at ``path`` (``.npz``). Raises ``OSError`` where its files are missing."""
    meta = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    with np.load(path) as stored:
        weights = stored["weights"].astype(np.float32)
    return Head(tuple(meta["labels"]), weights, meta["temperature"], meta["usual"])
