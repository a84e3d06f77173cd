"""Good, and not three of the same: maximal marginal relevance with the shop's dial. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from catalog.search import Candidate

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

    ``dial`` 0 takes the best scores, 1 the least alike; between, ``(1 - dial) * score - dial * likeness`` to the
    nearest product taken already. ``pinned`` maps places (from 0) to candidates; ``fits`` may refuse a candidate beside
    those taken. Two products of one title are shown only where nothing else is left.
    """
    places = dict(pinned or {})
    slate: dict[int, Candidate] = {place: candidate for place, candidate in places.items() if place < size}
    held = {candidate.product.pk for candidate in slate.values()}
    left = [candidate for candidate in candidates if candidate.product.pk not in held]
    for place in range(size):
        if place in slate:
            continue
        taken = list(slate.values())
        allowed = [candidate for candidate in left if fits(candidate, taken)]
        if not allowed:
            break
        best = max(allowed, key=lambda candidate: _worth(candidate, taken, dial))
        slate[place] = best
        left.remove(best)
    return tuple(slate[place] for place in sorted(slate))


def intra_list_distance(slate: Sequence[Candidate]) -> float:
    """Mean of ``1 - cosine`` over all pairs (Ziegler et al. 2005); 0 for fewer than two."""
    pairs = list(itertools.combinations(slate, 2))
    return sum(1 - likeness(one, other) for one, other in pairs) / len(pairs) if pairs else 0.0


def _worth(candidate: Candidate, taken: Sequence[Candidate], dial: float) -> tuple[bool, float]:
    twin = any(candidate.product.title == other.product.title for other in taken)
    nearest = max((likeness(candidate, other) for other in taken), default=0.0)
    return not twin, (1 - dial) * candidate.score - dial * nearest
