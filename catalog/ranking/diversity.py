"""Good, and not three of the same: maximal marginal relevance with the shop's dial. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from catalog.models import EMBEDDING_DIMENSIONS
from catalog.search import Candidate

SHARPNESS = 8.0
"""Scores times this are log odds: the scale at which the learned ranker was trained."""

Fits = Callable[[Candidate, Sequence[Candidate]], bool]


def likeness(one: Candidate, other: Candidate) -> float:
    """Cosine of two products' texts, -1 to 1; 0 where one has no vector yet."""
    if one.product.embedding is None or other.product.embedding is None:
        return 0.0
    return float(np.dot(one.product.embedding, other.product.embedding))


def varied(
    candidates: Sequence[Candidate],
    size: int,
    dial: float,
    *,
    pinned: Mapping[int, Candidate] | None = None,
    fits: Fits = lambda candidate, slate: True,
) -> tuple[Candidate, ...]:
    """``size`` candidates by maximal marginal relevance (Carbonell and Goldstein 1998).

    ``dial`` 0 takes the best scores, 1 the least alike; between, ``(1 - dial) * relevance - dial * likeness``, the mean
    likeness to the products taken already. Relevance is the softmax of the scores times ``size``: where one product
    stands out variety is dear, where many are equally good it costs nothing. ``pinned`` maps places (from 0) to
    candidates; ``fits`` may refuse a candidate beside those taken. Two products of one title are shown only where
    nothing else is left.
    """
    slate: dict[int, Candidate] = {place: each for place, each in (pinned or {}).items() if place < size}
    vectors, relevance = _vectors(candidates), (1 - dial) * size * _softmax(candidates)
    for place in range(size):
        if place in slate:
            continue
        taken = list(slate.values())
        ids = {candidate.product.pk for candidate in taken}
        titles = {candidate.product.title for candidate in taken}
        allowed = [n for n, each in enumerate(candidates) if each.product.pk not in ids and fits(each, taken)]
        if not allowed:
            break
        worth = relevance - dial * _mean_likeness(vectors, taken)
        best = max(allowed, key=lambda n: (candidates[n].product.title not in titles, worth[n]))
        slate[place] = candidates[best]
    return tuple(slate[place] for place in sorted(slate))


def intra_list_distance(slate: Sequence[Candidate]) -> float:
    """Mean of ``1 - cosine`` over all pairs (Ziegler et al. 2005); 0 for fewer than two."""
    pairs = list(itertools.combinations(slate, 2))
    return sum(1 - likeness(one, other) for one, other in pairs) / len(pairs) if pairs else 0.0


def _softmax(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    scores = SHARPNESS * np.array([candidate.score for candidate in candidates])
    odds = np.exp(scores - scores.max(initial=-np.inf))
    return odds / odds.sum()


def _mean_likeness(vectors: npt.NDArray[np.float64], taken: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    """Of each row to all the taken ones; 0 where nothing is taken yet."""
    return np.mean(vectors @ _vectors(taken).T, axis=1) if taken else np.zeros(len(vectors))


def _vectors(candidates: Sequence[Candidate]) -> npt.NDArray[np.float64]:
    """One row each; zeros where a product has none, which makes it unlike everything."""
    nothing = np.zeros(EMBEDDING_DIMENSIONS)
    rows = [nothing if c.product.embedding is None else c.product.embedding for c in candidates]
    return np.array(rows, dtype=float).reshape(len(rows), EMBEDDING_DIMENSIONS)
