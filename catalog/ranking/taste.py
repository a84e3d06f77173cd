"""What a customer's past says about them: the direction of what they looked at, its attributes, its price level.

Content only, so that it speaks of products nobody has bought yet. A customer without history is ``COLD`` and every
feature made from it is 0. Serving reads the database here; training builds the same ``Taste`` from its own rows.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from django.db.models import Avg, FloatField, Min, StdDev
from django.db.models.functions import Cast, Ln

from catalog.models import Interaction, Variant

Vector = npt.NDArray[np.float32]

WEIGHTS: Mapping[str, float] = {"view": 1.0, "cart": 3.0, "order": 6.0, "review": 0.0}
"""What an interaction tells of interest; a review follows an order that was counted already."""
HALF_LIFE_DAYS = 60.0
REMEMBERED = 80
"""Interactions that are read of one customer, newest first."""
DOUBT = 4.0
"""So much weight of interactions is needed before a history counts half."""
LEVEL_SECONDS = 600.0


@dataclass(frozen=True)
class PriceLevel:
    """How a category's prices lie: mean and standard deviation of their natural logarithm."""

    mean: float
    deviation: float

    def of(self, price: float) -> float:
        """Standard deviations above the category's mean, within -3 and 3."""
        if price <= 0 or self.deviation < 1e-6:
            return 0.0
        return max(-3.0, min(3.0, (math.log(price) - self.mean) / self.deviation))


@dataclass(frozen=True)
class Trace:
    """One thing a customer did with a product. ``level`` is its price in :meth:`PriceLevel.of`'s unit."""

    kind: str
    at: datetime
    embedding: Vector | None
    attributes: Mapping[str, Sequence[str]]
    level: float | None = None


@dataclass(frozen=True)
class Taste:
    """``direction`` is a unit vector; ``values`` holds each attribute value's share of its attribute's weight.

    ``certainty`` goes from 0 (no history) towards 1; ``values`` and ``level`` are shrunk or to be shrunk by it.
    """

    direction: Vector | None = None
    values: Mapping[tuple[str, str], float] = field(default_factory=dict)
    level: float = 0.0
    certainty: float = 0.0


COLD = Taste()


def taste_from(traces: Iterable[Trace], now: datetime) -> Taste:
    """The taste that a history shows at ``now``: later traces weigh more, orders more than views."""
    direction: npt.NDArray[np.float64] | float = 0.0
    values: defaultdict[tuple[str, str], float] = defaultdict(float)
    attributes: defaultdict[str, float] = defaultdict(float)
    total = leveled = level = 0.0
    for trace in traces:
        age = max(0.0, (now - trace.at).total_seconds() / 86_400)
        weight = WEIGHTS.get(trace.kind, 0.0) * 0.5 ** (age / HALF_LIFE_DAYS)
        if not weight:
            continue
        total += weight
        if trace.embedding is not None:
            direction = direction + weight * np.asarray(trace.embedding, dtype=np.float64)
        if trace.level is not None:
            leveled, level = leveled + weight, level + weight * trace.level
        for attribute, listed in trace.attributes.items():
            attributes[attribute] += weight
            for value in listed:
                values[attribute, value] += weight / len(listed)
    if not total:
        return COLD
    return Taste(
        direction=_unit(direction),
        values={key: weight / (attributes[key[0]] + DOUBT) for key, weight in values.items()},
        level=level / leveled if leveled else 0.0,
        certainty=total / (total + DOUBT),
    )


def taste_of(customer_id: int | None, now: datetime) -> Taste:
    """The taste of one of the shop's customers; ``COLD`` for a stranger."""
    if customer_id is None:
        return COLD
    rows = list(
        Interaction.objects.filter(customer_id=customer_id, at__lt=now)
        .exclude(kind=Interaction.Kind.REVIEW)
        .order_by("-at")
        .values_list("kind", "at", "product_id", "product__embedding", "product__attributes", "product__category_id")[
            :REMEMBERED
        ]
    )
    if not rows:
        return COLD
    prices = dict(
        Variant.objects.filter(product_id__in={row[2] for row in rows})
        .values_list("product_id")
        .annotate(price=Min("price"))
    )
    levels = price_levels({row[5] for row in rows})
    return taste_from(
        (
            Trace(kind, at, embedding, attributes, levels[category].of(float(prices[product])))
            if product in prices and category in levels
            else Trace(kind, at, embedding, attributes)
            for kind, at, product, embedding, attributes, category in rows
        ),
        now,
    )


_levels: dict[int, tuple[float, PriceLevel]] = {}


def price_levels(category_ids: Iterable[int]) -> dict[int, PriceLevel]:
    """The price level of each category, read from the database at most every ten minutes per process."""
    wanted, now = set(category_ids), time.monotonic()
    stale = {pk for pk in wanted if pk not in _levels or _levels[pk][0] < now - LEVEL_SECONDS}
    if stale:
        logarithm = Ln(Cast("price", FloatField()))
        rows = (
            Variant.objects.filter(product__category_id__in=stale, product__active=True, price__gt=0)
            .values_list("product__category_id")
            .annotate(mean=Avg(logarithm), deviation=StdDev(logarithm))
        )
        for category, mean, deviation in rows:
            _levels[category] = (now, PriceLevel(mean, deviation))
    return {pk: _levels[pk][1] for pk in wanted if pk in _levels}


def _unit(vector: npt.NDArray[np.float64] | float) -> Vector | None:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length, dtype=np.float32) if length > 1e-9 else None
