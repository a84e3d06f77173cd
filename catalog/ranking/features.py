"""What the ranker knows of a candidate: one row of numbers per candidate, always the same columns.

The console shows the columns under these names, a trained model is only loaded if its columns are these, and training
calls the same functions as serving.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from catalog.ranking.taste import COLD, PriceLevel, Taste, Vector
from catalog.search import Candidate

FEATURES = (
    "vector",  # cosine of the wishes' words and the product's text, -1 to 1
    "text",  # full-text rank of the wishes' words, 0 to 1
    "soft",  # how many soft wishes hold
    "title",  # 1 where the title names the thing talked about
    "interest",  # cosine of the whole conversation and the product's text, -1 to 1
    "price_fit",  # 1 inside the stated budget, falling gently outside; 1 where none was stated
    "popularity",  # log of decayed interactions, about 0 to 1
    "rating",  # mean stars shrunk to the prior by few votes, -1 to 1
    "stock",  # log of pieces of the shown variant, 0 to 1
    "affinity",  # cosine of the customer's history and the product's text, times the history's certainty
    "likes",  # mean share of the product's attribute values in the customer's history, 0 to 1
    "price_habit",  # nearness to the customer's usual price level, times the history's certainty, 0 to 1
    "sequence",  # score of the sequence model, 0 without one
)

PRIOR_STARS, PRIOR_VOTES = 3.8, 8
BUDGET_SLOPE = 0.25
"""A price this share beyond the budget fits 1/e as well as one inside."""
ABOUT_SLOPE = 0.5
"""What "around 50" costs a price of 100: a wish for the middle, not a limit."""
DEEP = 50
"""Pieces from which more stock says nothing more."""


@dataclass(frozen=True)
class PriceWish:
    """What was said about the price, in the shop's currency; ``about`` is the centre of "around 50"."""

    low: Decimal | None = None
    high: Decimal | None = None
    about: Decimal | None = None

    def fit(self, price: float) -> float:
        """1 inside and near the centre, else falling with the relative distance; never negative."""
        fit = 1.0
        if self.high is not None and price > self.high:
            fit *= math.exp(-(price / max(float(self.high), 0.01) - 1) / BUDGET_SLOPE)
        if self.low is not None and price < self.low:
            fit *= math.exp(-(1 - price / float(self.low)) / BUDGET_SLOPE)
        if self.about:
            fit *= 1 - ABOUT_SLOPE * min(1.0, abs(price / float(self.about) - 1))
        return fit


@dataclass(frozen=True)
class Context:
    """What a conversation and its customer bring to the ranking; the empty one is a stranger who said nothing.

    ``sequence`` maps product ids to the sequence model's scores; ``levels`` category ids to their price levels.
    """

    conversation: Vector | None = None
    price: PriceWish = field(default_factory=PriceWish)
    taste: Taste = COLD
    sequence: Mapping[int, float] = field(default_factory=dict)
    levels: Mapping[int, PriceLevel] = field(default_factory=dict)


def feature_rows(candidates: Sequence[Candidate], context: Context) -> npt.NDArray[np.float64]:
    """Shape ``(len(candidates), len(FEATURES))``, columns as in ``FEATURES``."""
    rows = np.zeros((len(candidates), len(FEATURES)))
    likeness = _cosines(candidates, (context.conversation, context.taste.direction))
    for row, candidate, (interest, affinity) in zip(rows, candidates, likeness, strict=True):
        found, product, taste = candidate.features, candidate.product, context.taste
        price = float(candidate.variant.price)
        row[:] = (
            found.get("vector", 0.0),
            found.get("text", 0.0),
            found.get("soft", 0.0),
            found.get("title", 0.0),
            interest,
            context.price.fit(price),
            popularity(product.popularity),
            rating(product.rating, product.rating_count),
            stock(candidate.variant.stock),
            affinity * taste.certainty,
            likes(product.attributes, taste),
            price_habit(price, context.levels.get(product.category_id), taste),
            context.sequence.get(product.pk, 0.0),
        )
    return rows


def conversation_vector(
    said: Sequence[Vector], liked: Sequence[Vector] = (), rejected: Sequence[Vector] = ()
) -> Vector | None:
    """What was said, moved towards what was liked and away from what was rejected (Rocchio 1971: 1, 0.75, 0.15).

    Unit length, or None where nothing was said or liked.
    """
    total = np.zeros(1)
    for weight, vectors in ((1.0, said), (0.75, liked), (-0.15, rejected)):
        if len(vectors):
            total = total + weight * np.mean(np.asarray(vectors, dtype=np.float64), axis=0)
    length = float(np.linalg.norm(total))
    return np.asarray(total / length, dtype=np.float32) if length > 1e-9 and (said or liked) else None


def popularity(decayed: float) -> float:
    """``Product.popularity`` on a logarithm, so that a best-seller does not drown the rest."""
    return math.log1p(max(0.0, decayed)) / 8


def rating(stars: float | None, votes: int) -> float:
    """Bayesian mean of 1 to 5 stars as -1 to 1: few votes stay near the prior."""
    mean = ((stars or PRIOR_STARS) * votes + PRIOR_STARS * PRIOR_VOTES) / (votes + PRIOR_VOTES)
    return (mean - 3) / 2


def stock(pieces: int) -> float:
    return math.log1p(min(pieces, DEEP)) / math.log1p(DEEP)


def likes(attributes: Mapping[str, Sequence[str]], taste: Taste) -> float:
    """How much of the customer's history had this product's values: the mean over its attributes of the best value."""
    if not taste.values or not attributes:
        return 0.0
    shares = (max((taste.values.get((a, v), 0.0) for v in listed), default=0.0) for a, listed in attributes.items())
    return sum(shares) / len(attributes)


def price_habit(price: float, level: PriceLevel | None, taste: Taste) -> float:
    """Nearness of two price levels: 1 where equal, 0 from two standard deviations on; shrunk by the certainty."""
    if level is None:
        return 0.0
    return taste.certainty * max(0.0, 1 - abs(level.of(price) - taste.level) / 2)


def _cosines(candidates: Sequence[Candidate], directions: Sequence[Vector | None]) -> npt.NDArray[np.float64]:
    """Shape ``(candidates, directions)``: 0 where either side has no vector."""
    found = np.zeros((len(candidates), len(directions)))
    known = [index for index, candidate in enumerate(candidates) if candidate.product.embedding is not None]
    if known:
        products = np.asarray([candidates[index].product.embedding for index in known], dtype=np.float64)
        for column, direction in enumerate(directions):
            if direction is not None:
                found[known, column] = products @ np.asarray(direction, dtype=np.float64)
    return found
