"""What another policy would have earned, from the logs of this one: clipped, self-normalised inverse propensity scoring.

A log says what was chosen, with which probability, and what it earned. Pure; ``ranker.py`` reads the logs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CLIP = 20.0


@dataclass(frozen=True)
class Estimate:
    """A policy's mean reward with its 95 % interval by bootstrap over the logged choices.

    ``effective`` is Kish's sample size: how many equally weighted choices the weighted ones are worth.
    """

    value: float
    low: float
    high: float
    effective: float
    choices: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] from {self.choices} choices, worth {self.effective:.0f}"


def snips(rewards: Floats, logged: Floats, target: Floats, clip: float = CLIP, seed: int = 0) -> Estimate:
    """The target policy's value (Swaminathan and Joachims 2015, with weights clipped at ``clip``).

    All shapes ``(n,)``: what each logged choice earned, its probability under the logging policy (in (0, 1]) and under
    the target policy. Raises ``ValueError`` where nothing can be estimated: no choices, a propensity of zero, or no
    choice that the target would ever make.
    """
    if not len(rewards) or not (len(rewards) == len(logged) == len(target)):
        raise ValueError("one reward and two probabilities for each of at least one logged choice")
    if not ((logged > 0) & (logged <= 1)).all():
        raise ValueError("a logged choice had a probability above 0 and at most 1")
    weights = np.minimum(target / logged, clip)
    if not weights.sum() > 0:
        raise ValueError("the target policy would have made none of the logged choices")
    draws = np.random.default_rng(seed).integers(0, len(rewards), (1_000, len(rewards)))
    sums = weights[draws].sum(axis=1)
    means = (weights * rewards)[draws].sum(axis=1)[sums > 0] / sums[sums > 0]
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(
        value=float((weights * rewards).sum() / weights.sum()),
        low=float(low),
        high=float(high),
        effective=float(weights.sum() ** 2 / (weights**2).sum()),
        choices=len(rewards),
    )


def training_weights(propensities: Floats, clip: float = CLIP) -> Floats:
    """Weights that make logged examples stand for all that could have been logged: ``min(1 / p, clip)``, mean 1."""
    weights = np.minimum(1 / propensities, clip)
    return weights / weights.mean() if len(weights) else weights
