"""The last place of a slate tries products that few were shown, by Thompson sampling with a stored propensity. Pure.

Every candidate's chance of being chosen once shown has a Beta posterior: its prior is its relevance (so that a new
product is judged by its content), its evidence what customers did. One draw of each decides; the propensity is the
winner's share of further draws from the same posteriors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.search import Candidate

POOL = 12
"""Only the best so many candidates may be tried: exploring is no excuse for the irrelevant."""
PRIOR_SHOWS = 6.0
"""A product's relevance counts as much as so many customers."""
BEST_CHANCE, WORST_CHANCE = 0.25, 0.05
"""Prior chances of the best and the worst of the pool."""
DRAWS = 1_000
"""For the propensity: its standard error is at most 0.016."""


@dataclass(frozen=True)
class Tried:
    """The candidate for the last place, and how probable it was that just this one would be drawn."""

    candidate: Candidate
    propensity: float


def thompson(pool: Sequence[Candidate], counts: Mapping[int, tuple[int, int]], seed: int) -> Tried | None:
    """One of ``pool`` (best first); ``counts`` maps product ids to (shown, chosen). The same seed draws the same.

    The propensity is ``(wins + 1) / (DRAWS + pool)``: never 0, so that weights made from it stay finite.
    """
    tried = pool[:POOL]
    if not tried:
        return None
    draws = np.random.default_rng(seed).beta(*_posterior(tried, counts), size=(DRAWS + 1, len(tried)))
    winners = draws.argmax(axis=1)
    chosen = int(winners[0])
    wins = int((winners[1:] == chosen).sum())
    return Tried(tried[chosen], (wins + 1) / (DRAWS + len(tried)))


def _posterior(
    pool: Sequence[Candidate], counts: Mapping[int, tuple[int, int]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    scores = np.array([candidate.score for candidate in pool])
    spread = float(scores.max() - scores.min())
    relevance = (scores - scores.min()) / spread if spread > 0 else np.ones(len(pool))
    prior = WORST_CHANCE + (BEST_CHANCE - WORST_CHANCE) * relevance
    evidence = np.array([counts.get(candidate.product.pk, (0, 0)) for candidate in pool], dtype=float)
    chosen = np.minimum(evidence[:, 1], evidence[:, 0])
    return PRIOR_SHOWS * prior + chosen, PRIOR_SHOWS * (1 - prior) + evidence[:, 0] - chosen
