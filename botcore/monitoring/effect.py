"""What the bot's recommendations bring about: the people of a trial whom it shows products beside those whom it does not.

Everybody counts for the group they were drawn into, whatever happened then (intention to treat). A person's outcome is
what they ordered, anything, within ``WINDOW`` of their first message in the trial; people whose window is still open, and
contacts that nobody has linked to a customer of the shop, are left out of both groups alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

import numpy as np
from django.db import connection

from botcore.models import Holdout

WINDOW = timedelta(days=7)
FEWEST = 100
"""People that either group needs before anything is said."""
FEWEST_BUYERS = 10
"""And buyers, both groups together, without which no interval is to be trusted."""
Z = 1.96
"""Of 95 % of a normal distribution."""
RESAMPLES = 2_000


@dataclass(frozen=True)
class Arm:
    """One group: how many people, what each of those who ordered spent (in the shop's currency)."""

    people: int
    spent: Sequence[float]

    @property
    def conversion(self) -> float:
        """The share that ordered."""
        return len(self.spent) / self.people if self.people else 0.0

    @property
    def revenue(self) -> float:
        """A person's, on average."""
        return sum(self.spent) / self.people if self.people else 0.0


@dataclass(frozen=True)
class Difference:
    """Recommended minus held out, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies on one side of nought, 0 where it holds it: then no effect is claimed."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True)
class Effect:
    """Both groups; the differences are None as long as there is not enough to tell."""

    people: int
    held_out: int
    buyers: int
    held_out_buyers: int
    conversion: float
    held_out_conversion: float
    revenue: float
    held_out_revenue: float
    conversion_difference: Difference | None = None
    revenue_difference: Difference | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Effect:
        """Inverse of :meth:`to_json`."""
        named = ("conversion_difference", "revenue_difference")
        return cls(**{**data, **{name: Difference(**data[name]) for name in named if data[name]}})


def measure(trial: Holdout, now: datetime) -> Effect:
    """Measure a trial and keep the outcome with it."""
    found = compared(*arms(trial, now), seed=trial.pk)
    trial.effect, trial.measured_at = found.to_json(), now
    trial.save(update_fields=["effect", "measured_at"])
    return found


def compared(shown: Arm, held_out: Arm, seed: int = 0) -> Effect:
    """The two groups beside each other. Pure; the intervals are Newcombe's for shares and the bootstrap's for revenue."""
    told = min(shown.people, held_out.people) >= FEWEST and len(shown.spent) + len(held_out.spent) >= FEWEST_BUYERS
    return Effect(
        people=shown.people,
        held_out=held_out.people,
        buyers=len(shown.spent),
        held_out_buyers=len(held_out.spent),
        conversion=shown.conversion,
        held_out_conversion=held_out.conversion,
        revenue=shown.revenue,
        held_out_revenue=held_out.revenue,
        conversion_difference=_newcombe(shown, held_out) if told else None,
        revenue_difference=_bootstrapped(shown, held_out, seed) if told else None,
    )


def _newcombe(shown: Arm, held_out: Arm) -> Difference:
    """Newcombe 1998, Interval estimation for the difference between independent proportions, method 10."""
    p, q = shown.conversion, held_out.conversion
    (p_low, p_high), (q_low, q_high) = _wilson(shown), _wilson(held_out)
    low = p - q - sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    high = p - q + sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return Difference(p - q, low, high)


def _wilson(arm: Arm) -> tuple[float, float]:
    n, p = arm.people, arm.conversion
    centre, spread = p + Z**2 / (2 * n), Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return (centre - spread) / (1 + Z**2 / n), (centre + spread) / (1 + Z**2 / n)


def _bootstrapped(shown: Arm, held_out: Arm, seed: int) -> Difference:
    """Percentiles of means of people drawn with replacement: how many of them bought, then what each of those spent."""
    rng = np.random.default_rng(seed)
    differences = _resampled(shown, rng) - _resampled(held_out, rng)
    low, high = np.percentile(differences, [2.5, 97.5])
    return Difference(shown.revenue - held_out.revenue, float(low), float(high))


def _resampled(arm: Arm, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float64]]:
    spent = np.asarray(arm.spent, dtype=float)
    if not len(spent):
        return np.zeros(RESAMPLES)
    buyers = rng.binomial(arm.people, arm.conversion, RESAMPLES)
    return np.array([rng.choice(spent, count).sum() for count in buyers]) / arm.people


# --- the rows ---------------------------------------------------------------------------------------------------------

PEOPLE = """
WITH person AS (
    SELECT k.customer_id AS customer, min(c.created_at) AS begun, (array_agg(c.held_out ORDER BY c.id))[1] AS held_out
    FROM botcore_conversation c JOIN botcore_contact k ON k.id = c.contact_id
    WHERE c.trial_id = %(trial)s AND k.customer_id IS NOT NULL
    GROUP BY k.customer_id HAVING min(c.created_at) <= %(latest)s
)
SELECT p.held_out, sum(i.quantity * COALESCE((
    SELECT min(v.price) FROM catalog_variant v WHERE v.product_id = i.product_id), 0))
FROM person p LEFT JOIN catalog_interaction i
    ON i.customer_id = p.customer AND i.kind = 'order' AND i.at BETWEEN p.begun AND p.begun + %(window)s::interval
GROUP BY p.customer, p.held_out
"""


def arms(trial: Holdout, now: datetime) -> tuple[Arm, Arm]:
    """The people whom the bot showed products, and those held out. Orders are valued at their product's lowest price."""
    latest = (trial.ended_at or now) - WINDOW
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, {"trial": trial.pk, "latest": latest, "window": str(WINDOW)})
        rows = cursor.fetchall()
    groups = ([spent for held_out, spent in rows if held_out is side] for side in (False, True))
    shown, kept = (Arm(len(group), [float(spent) for spent in group if spent is not None]) for group in groups)
    return shown, kept
