"""Keeps the buckets of metrics: counts again every minute in which something changed, and the hours and days around it.

Counting again instead of adding makes a repetition harmless and lets late rows in: a thumb on yesterday's reply, an order
that a feed brings a week later. ``manage.py rebuild_metrics`` counts everything anew. What is settled is left alone by
both: some of its rows are forgotten.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import TruncMinute

from botcore.models import AttributedOrder, Conversation, Feedback, MetricBucket, MetricMark, Outbound
from botcore.monitoring.attribution import attribute
from botcore.monitoring.counting import Counts, Place, counted, turns
from catalog.models import Interaction, Shop

Width = MetricBucket.Width
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MINUTES_KEPT = timedelta(days=22)
"""Three weeks of the same minutes of other days, which anomalies are told by; hours and days are kept for good."""
MARGIN = timedelta(minutes=2)
"""A row may be stored so long after the time it bears: its transaction was open meanwhile."""
INTERACTIONS_MARGIN = 2_000
"""Ids are given before rows are stored: so many of the last ones are looked at again."""
NEAR = timedelta(minutes=10)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
GIVING_UP = timedelta(hours=1)
"""Within which a message that cannot be delivered is given up: a row that says when is not kept."""


@dataclass(frozen=True)
class Interval:
    """From ``since`` up to, but not including, ``until``."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Bucket:
    """One bucket as it is read."""

    start: datetime
    channel: str
    version: str
    counts: Counts


def roll(shop: Shop, now: datetime) -> bool:
    """Count what changed since the last time; False where another worker is at it, and the counts may be behind.

    A shop that is new here is counted day by day from its beginning.
    """
    while (upto := _advance(shop, now)) is not None and upto < now:
        pass
    return upto is not None


def rebuild(shop: Shop) -> None:
    """Forget what was counted and is not settled; the next :func:`roll` begins at the beginning of that."""
    with transaction.atomic():
        settled = MetricMark.objects.filter(shop=shop).values_list("settled", flat=True).first() or LONG_AGO
        MetricBucket.objects.filter(shop=shop, start__gte=settled).delete()
        AttributedOrder.objects.filter(shop=shop, at__gte=settled).delete()
        MetricMark.objects.filter(shop=shop, settled=None).delete()
        MetricMark.objects.filter(shop=shop).update(upto=F("settled"), interaction=0)


def settle(shop: Shop, before: datetime) -> None:
    """Count nothing again of what happened in hours that began before: its rows are about to go."""
    settled = _whole(Interval(before, before), HOUR).until
    mark = Q(settled=None) | Q(settled__lt=settled)
    MetricMark.objects.filter(mark, shop=shop).update(settled=settled)


def read(
    shop: Shop, width: int, since: datetime, until: datetime, channel: str = "", version: str = ""
) -> list[Bucket]:
    """The buckets that begin in an interval, in order of time; of one channel or version where they are named."""
    return _read(shop, _of(width, Interval(since, until)), channel, version)


def total(shop: Shop, width: int, interval: Interval, channel: str = "", version: str = "") -> Counts:
    """The counts of an interval of whole buckets of this width, read from days wherever it holds a whole one."""
    days = Interval(_floor(interval.since - timedelta(microseconds=1), DAY) + DAY, _floor(interval.until, DAY))
    if days.since >= days.until:
        wanted = _of(width, interval)
    else:
        edges = (Interval(interval.since, days.since), Interval(days.until, interval.until))
        wanted = _of(Width.DAY, days) | _of(width, edges[0]) | _of(width, edges[1])
    return merged(_read(shop, wanted, channel, version))


def read_many(
    shop: Shop, width: int, intervals: Sequence[Interval], channel: str = "", version: str = ""
) -> list[list[Bucket]]:
    """The buckets of each of several intervals: one query."""
    wanted = [_of(width, interval) for interval in intervals]
    found = _read(shop, reduce(or_, wanted), channel, version) if wanted else []
    return [[bucket for bucket in found if one.since <= bucket.start < one.until] for one in intervals]


def merged(buckets: Iterable[Bucket]) -> Counts:
    """The counts of many buckets as one's. A page does this with hundreds of thousands; ``Counter`` takes twice as long."""
    sums: dict[str, float] = {}
    for bucket in buckets:
        for name, count in bucket.counts.items():
            sums[name] = sums[name] + count if name in sums else count
    return sums


def _of(width: int, interval: Interval) -> Q:
    return Q(width=width, start__gte=interval.since, start__lt=interval.until)


def _read(shop: Shop, wanted: Q, channel: str, version: str) -> list[Bucket]:
    rows = MetricBucket.objects.filter(wanted, shop=shop)
    if channel:
        rows = rows.filter(channel=channel)
    if version:
        rows = rows.filter(version=version)
    return [Bucket(*row) for row in rows.order_by("start").values_list("start", "channel", "version", "counts")]


# --- counting -------------------------------------------------------------------------------------------------------


def _advance(shop: Shop, now: datetime) -> datetime | None:
    """Count one step, of a day at most, and say how far that brought us; None where another worker is at it."""
    MetricMark.objects.get_or_create(shop=shop, defaults={"upto": _beginning(shop, now)})
    with transaction.atomic():
        mark = MetricMark.objects.select_for_update(skip_locked=True).filter(shop=shop).first()
        if mark is None:
            return None
        newest = Interaction.objects.aggregate(newest=Max("pk"))["newest"] or 0
        orders = attribute(shop, mark.interaction - INTERACTIONS_MARGIN, newest)
        late = {_floor(at, MINUTE) for at in orders if at < mark.upto}
        until = min(mark.upto + DAY, now)
        changed = late | _changed(shop, Interval(mark.upto - MARGIN, until + MARGIN))
        changed = {minute for minute in changed if minute >= (mark.settled or LONG_AGO)}
        border = _floor(now - MINUTES_KEPT, HOUR) + DAY
        for interval in _joined({_floor(minute, HOUR) for minute in changed if minute < border}, HOUR):
            _keep_hours(shop, interval)
        for interval in _joined({minute for minute in changed if minute >= border}, MINUTE):
            _keep_minutes(shop, interval)
        MetricBucket.objects.filter(shop=shop, width=Width.MINUTE, start__lt=border - DAY).delete()
        mark.upto, mark.interaction = until, newest
        mark.save(update_fields=["upto", "interaction"])
        return until


def _beginning(shop: Shop, now: datetime) -> datetime:
    first = Conversation.objects.filter(shop=shop).order_by("created_at").values_list("created_at", flat=True).first()
    return first or now


def _changed(shop: Shop, interval: Interval) -> set[datetime]:
    """The minutes whose counts may have changed in an interval."""
    times = (interval.since, interval.until)
    answered = turns(shop).filter(answered_at__range=times)
    opinions = Feedback.objects.filter(turn__conversation__shop=shop, updated_at__range=times)
    messages = Outbound.objects.filter(
        Q(created_at__gte=interval.since) | Q(sent_at__range=times) | Q(status=Outbound.Status.FAILED),
        conversation__shop=shop,
        created_at__range=(interval.since - GIVING_UP, interval.until),
    )
    return {
        *_minutes(turns(shop).filter(created_at__range=times), "created_at"),
        *_minutes(answered, "created_at"),
        *_minutes(answered, "answered_at"),
        *_minutes(opinions, "created_at"),
        *_minutes(messages, "created_at"),
        *_minutes(AttributedOrder.objects.filter(shop=shop, at__range=times), "at"),
    }


def _minutes(rows: QuerySet[Any], field: str) -> Iterable[datetime]:
    return rows.order_by().values_list(TruncMinute(field), flat=True).distinct()


def _joined(starts: Iterable[datetime], step: timedelta) -> list[Interval]:
    """Steps that are close together as one interval, of a day at most: what lies between costs less than a query."""
    joined: list[Interval] = []
    for start in sorted(starts):
        last = joined[-1] if joined else None
        if last and start - last.until <= NEAR and start - last.since < DAY:
            joined[-1] = Interval(last.since, start + step)
        else:
            joined.append(Interval(start, start + step))
    return joined


def _keep_minutes(shop: Shop, interval: Interval) -> None:
    """Replace the buckets of some minutes, and those of the hours and days around them."""
    _replace(shop, Width.MINUTE, interval, counted(shop, interval.since, interval.until))
    hours = _whole(interval, HOUR)
    _replace(shop, Width.HOUR, hours, _summed(shop, Width.MINUTE, hours, HOUR))
    _keep_days(shop, hours)


def _keep_hours(shop: Shop, interval: Interval) -> None:
    """The same of whole hours whose minutes are not kept any more."""
    _replace(shop, Width.HOUR, interval, _coarser(counted(shop, interval.since, interval.until).items(), HOUR))
    _keep_days(shop, interval)


def _keep_days(shop: Shop, interval: Interval) -> None:
    days = _whole(interval, DAY)
    _replace(shop, Width.DAY, days, _summed(shop, Width.HOUR, days, DAY))


def _summed(shop: Shop, width: int, interval: Interval, step: timedelta) -> dict[Place, Counter[str]]:
    rows = read(shop, width, interval.since, interval.until)
    return _coarser(((Place(row.start, row.channel, row.version), row.counts) for row in rows), step)


def _coarser(finer: Iterable[tuple[Place, Counts]], step: timedelta) -> dict[Place, Counter[str]]:
    sums: dict[Place, Counter[str]] = defaultdict(Counter)
    for place, counts in finer:
        sums[place._replace(minute=_floor(place.minute, step))].update(counts)
    return sums


def _replace(shop: Shop, width: int, interval: Interval, found: Mapping[Place, Counts]) -> None:
    MetricBucket.objects.filter(shop=shop, width=width, start__gte=interval.since, start__lt=interval.until).delete()
    MetricBucket.objects.bulk_create(
        (
            MetricBucket(
                shop=shop, width=width, start=place.minute, channel=place.channel, version=place.version, counts=counts
            )
            for place, counts in found.items()
        ),
        batch_size=2_000,
    )


def _floor(at: datetime, step: timedelta) -> datetime:
    """Days are UTC's."""
    return at - (at - LONG_AGO) % step


def _whole(interval: Interval, step: timedelta) -> Interval:
    return Interval(_floor(interval.since, step), _floor(interval.until - timedelta(microseconds=1), step) + step)
