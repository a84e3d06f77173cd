"""What changed in a shop's conversations: the last week against the four before. Only reads; the console tells it.

The statistics are in ``stability.py`` (samples of categories) and ``adwin.py`` (streams).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

from django.db.models import Count, QuerySet

from botcore.dialogue.facts import format_price
from botcore.models import Turn
from botcore.monitoring.adwin import Adwin, cut_bound
from botcore.monitoring.stability import OTHERS, Comparison, Tally, compare, psi
from catalog.models import Category, Interaction, Shop

__all__ = ["Adwin", "Drift", "Interval", "categories", "clicks", "drifts", "intents", "price_buckets", "prices", "psi"]

RECENT, REFERENCE = timedelta(days=7), timedelta(days=28)
FEWEST_TURNS = 100
"""Answered turns that either interval needs."""
PATIENCE = timedelta(days=1)
"""Within which a shown product has to be chosen. Younger replies are left out: their customers are not done yet."""
BUCKETS = 5
"""Of the reference's prices, with as many products in each as ties allow."""


@dataclass(frozen=True)
class Drift:
    """One change that is both large and beyond chance: ``value`` of the measure is above ``threshold``.

    ``what`` is "intents", "categories", "prices" or "clicks"; ``since`` when the changed time began: for "clicks" an estimate.
    """

    what: str
    measure: str
    value: float
    threshold: float
    since: datetime
    sentence: str


@dataclass(frozen=True)
class Interval:
    """From ``since`` up to, but not including, ``until``."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class PriceBuckets:
    """``floors`` are the lowest prices of the buckets in rising order; those below and above all are buckets as well."""

    floors: tuple[Decimal, ...]
    highest: Decimal
    currency: str

    def of(self, price: Decimal) -> str:
        if price > self.highest:
            return f"over {self._told(self.highest)}"
        place = bisect_right(self.floors, price)
        if place == 0:
            return f"under {self._told(self.floors[0])}"
        if place < len(self.floors):
            return f"{self._told(self.floors[place - 1])} to under {self._told(self.floors[place])}"
        last = self._told(self.floors[-1])
        return last if self.floors[-1] == self.highest else f"{last} to {self._told(self.highest)}"

    def _told(self, price: Decimal) -> str:
        return format_price(price, self.currency)


@dataclass(frozen=True)
class Shown:
    """A reply with products that ranking gave a place."""

    contact: int
    at: datetime
    skus: frozenset[str]


@dataclass(frozen=True)
class Choice:
    """A customer's sign of interest in one product: said so, looked at it, put it into the cart or ordered it."""

    contact: int
    at: datetime
    sku: str


@dataclass(frozen=True)
class Click:
    """Whether any product of a reply was chosen."""

    at: datetime
    chosen: bool


def drifts(shop: Shop, now: datetime) -> list[Drift]:
    """What of the last ``RECENT`` differs from the ``REFERENCE`` before it; nothing where either has too few turns."""
    recent = Interval(now - RECENT, now)
    before = Interval(recent.since - REFERENCE, recent.since)
    if min(turns(shop, before).count(), turns(shop, recent).count()) < FEWEST_TURNS:
        return []
    found = [
        _shift("intents", compare(intents(shop, before), intents(shop, recent)), recent.since),
        _category_shift(shop, before, recent),
        _price_shift(shop, before, recent),
        click_drift(clicks(shop, Interval(before.since, now)), recent.since),
    ]
    return [drift for drift in found if drift]


def turns(shop: Shop, interval: Interval) -> QuerySet[Turn]:
    """The shop's answered turns by when the customer wrote."""
    return Turn.objects.filter(
        conversation__shop=shop,
        status=Turn.Status.ANSWERED,
        created_at__gte=interval.since,
        created_at__lt=interval.until,
    )


def intents(shop: Shop, interval: Interval) -> Tally:
    """What messages want done; those that a person had to take over unread have no intent."""
    rows = (
        turns(shop, interval)
        .filter(understanding__has_key="intent")
        .values_list("conversation__contact_id", "understanding__intent")
        .annotate(messages=Count("pk"))
        .order_by()
    )
    return _tally((contact, intent, count) for contact, intent, count in rows)


def categories(shop: Shop, interval: Interval) -> Tally:
    """Category paths asked for, once each time a conversation turns to one: staying with it asks for nothing new."""
    rows = turns(shop, interval).values_list("conversation__contact_id", "state_before__goal", "state_after__goal")
    return _tally((contact, goal, 1) for contact, earlier, goal in rows if goal and goal != (earlier or ""))


def price_buckets(shop: Shop, reference: Interval) -> PriceBuckets | None:
    """Quantile buckets of the products shown in the reference; None where none were. Edges are prices that occurred."""
    known = sorted(price for _, price in _prices(shop, reference))
    if not known:
        return None
    floors = dict.fromkeys(known[len(known) * place // BUCKETS] for place in range(BUCKETS))
    return PriceBuckets(tuple(floors), known[-1], shop.currency)


def prices(shop: Shop, interval: Interval, buckets: PriceBuckets) -> Tally:
    """Buckets of the prices of all products shown."""
    return _tally((contact, buckets.of(price), 1) for contact, price in _prices(shop, interval))


def clicks(shop: Shop, interval: Interval) -> list[Click]:
    """For every reply that showed products, whether one was chosen within ``PATIENCE``, in order of time.

    Replies of the interval's last ``PATIENCE`` are left out.
    """
    shown, choices = _shown_and_liked(shop, interval)
    return attributed(shown, [*choices, *_done(shop, interval)], interval.until - PATIENCE)


def attributed(shown: Sequence[Shown], choices: Iterable[Choice], until: datetime) -> list[Click]:
    """Each choice belongs to the last reply before it that showed the product to this contact. ``shown`` in order of time."""
    places: dict[tuple[int, str], list[int]] = defaultdict(list)
    for place, reply in enumerate(shown):
        for sku in reply.skus:
            places[reply.contact, sku].append(place)
    chosen = set()
    for choice in choices:
        candidates = places[choice.contact, choice.sku]
        earlier = bisect_left(candidates, choice.at, key=lambda place: shown[place].at)
        if earlier and choice.at - shown[candidates[earlier - 1]].at <= PATIENCE:
            chosen.add(candidates[earlier - 1])
    return [Click(reply.at, place in chosen) for place, reply in enumerate(shown) if reply.at < until]


def click_drift(stream: Sequence[Click], recent: datetime) -> Drift | None:
    """The change that ADWIN found from ``recent`` on, if it still stands at the end of the stream.

    ADWIN drops no more than it must, so its window begins before the change: where it was is estimated once it is known.
    """
    changed = _changed(stream, recent)
    if len(changed) < 2:
        return None
    turning = turning_point([click.chosen for click in changed])
    before, after, overall = _mean(changed[:turning]), _mean(changed[turning:]), _mean(changed)
    bound = cut_bound(turning, len(changed) - turning, overall * (1 - overall))
    if abs(after - before) <= bound:
        return None
    sentence = (
        f"Customers choose products {'more' if after > before else 'less'} often: "
        f"after {_percent(after)} of the replies that show some, it was {_percent(before)}."
    )
    return Drift("clicks", "ADWIN", abs(after - before), bound, changed[turning].at, sentence)


def turning_point(values: Sequence[float]) -> int:
    """Where the mean changed, if it did once: the number of values before the extreme of their CUSUM (Page 1955)."""
    mean = sum(values) / len(values)
    sums = list(accumulate(value - mean for value in values))
    return 1 + max(range(len(values) - 1), key=lambda place: abs(sums[place]))


def _changed(stream: Sequence[Click], recent: datetime) -> Sequence[Click]:
    """From the beginning of the window in which ADWIN first found a change from ``recent`` on; empty without one."""
    adwin = Adwin()
    for place, click in enumerate(stream):
        begin = place - adwin.width
        if adwin.add(click.chosen) and click.at >= recent:
            return stream[begin:]
    return ()


SUBJECTS = {
    "intents": ("What customers ask for has changed", "messages"),
    "categories": ("The categories that customers look for have changed", "searches"),
    "prices": ("The prices of the products shown have changed", "products"),
}


def _category_shift(shop: Shop, before: Interval, recent: Interval) -> Drift | None:
    found = compare(categories(shop, before), categories(shop, recent))
    if not found.differs:
        return None
    names = dict(Category.objects.filter(shop=shop, path__in=found.actual).values_list("path", "name"))
    return _shift("categories", found, recent.since, names)


def _price_shift(shop: Shop, before: Interval, recent: Interval) -> Drift | None:
    buckets = price_buckets(shop, before)
    if buckets is None:
        return None
    return _shift("prices", compare(prices(shop, before, buckets), prices(shop, recent, buckets)), recent.since)


def _shift(what: str, found: Comparison, since: datetime, names: Mapping[str, str] | None = None) -> Drift | None:
    """A PSI above its threshold, told by the cell that adds most to it."""
    if not found.differs:
        return None
    moved = max(found.actual, key=lambda cell: (cell != OTHERS, found.parts[cell]))
    subject, counted = SUBJECTS[what]
    sentence = (
        f'{subject}: "{(names or {}).get(moved, moved.replace("_", " "))}" is now '
        f"{_percent(found.actual[moved])} of {counted}, it was {_percent(found.expected[moved])}."
    )
    return Drift(what, "PSI", found.psi, found.threshold, since, sentence)


def _prices(shop: Shop, interval: Interval) -> list[tuple[int, Decimal]]:
    rows = turns(shop, interval).exclude(slate=[]).values_list("conversation__contact_id", "slate")
    read = ((contact, _price(str(item.get("price", "")))) for contact, slate in rows for item in slate)
    return [(contact, price) for contact, price in read if price is not None]


def _price(text: str) -> Decimal | None:
    """The amount in ``49.00`` or, as older turns have it, ``$1,200``."""
    number = re.search(r"\d[\d,]*(?:\.\d+)?", text)
    return Decimal(number.group().replace(",", "")) if number else None


def _shown_and_liked(shop: Shop, interval: Interval) -> tuple[list[Shown], list[Choice]]:
    """Replies with products, and the products that a message newly said to like (as ``catalog.ranking.exposures`` counts)."""
    shown: list[Shown] = []
    choices: list[Choice] = []
    rows = (
        turns(shop, interval)
        .order_by("created_at", "pk")
        .values_list("conversation__contact_id", "created_at", "slate", "state_before__liked", "state_after__liked")
    )
    for contact, at, slate, before, after in rows:
        if skus := _placed(slate):
            shown.append(Shown(contact, at, skus))
        choices += [Choice(contact, at, sku) for sku in {*(after or ())} - {*(before or ())}]
    return shown, choices


def _placed(slate: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The products that ranking gave a place; those without a propensity are the customer's own pick, told of again."""
    return frozenset(item["sku"] for item in slate if "propensity" in item)


def _done(shop: Shop, interval: Interval) -> list[Choice]:
    """What contacts who are known as customers did in the shop."""
    rows = Interaction.objects.filter(
        shop=shop, at__gte=interval.since, at__lt=interval.until, customer__contacts__isnull=False
    ).exclude(kind=Interaction.Kind.REVIEW)
    return [Choice(*row) for row in rows.values_list("customer__contacts__pk", "at", "product__sku")]


def _tally(rows: Iterable[tuple[int, str, int]]) -> Tally:
    customers: dict[int, Counter[str]] = defaultdict(Counter)
    for contact, category, count in rows:
        customers[contact][category] += count
    return Tally(tuple(customers.values()))


def _mean(stream: Sequence[Click]) -> float:
    return sum(click.chosen for click in stream) / len(stream)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
