"""The numbers of a shop as the overview shows them: tiles, one chart, tables by stage, channel and version; open alerts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from admin_console import access, labels
from admin_console.sentences import plainly
from botcore import holdout
from botcore.models import Alert, Holdout, MetricBucket, MetricMark, Turn
from botcore.monitoring import rollup, waiting
from botcore.monitoring.alerts import silenced
from botcore.monitoring.counting import SHIPPED, Counts
from botcore.monitoring.effect import Difference, Effect
from botcore.monitoring.metrics import METRICS, STAGES, Better, Group, Metric, Unit
from botcore.monitoring.rollup import Bucket, Interval
from botcore.monitoring.telling import sentence_of, value_of
from botcore.roles import Right
from catalog.models import Shop

Width = MetricBucket.Width
Key = TypeVar("Key")
TILES = {
    Group.TRAFFIC: ("messages", "replies", "conversations", "queue"),
    Group.SPEED: ("answer_p50", "answer_p95", "compose_p95", "find_p95"),
    Group.QUALITY: (
        "errors", "fallbacks", "undelivered", "grounded", "thumbs_down", "thumbs", "handoffs", "asking",
    ),
    Group.SALES: ("conversion", "orders", "revenue"),
}  # fmt: skip
COMPARED = (
    "replies",
    "answer_p95",
    "errors",
    "fallbacks",
    "grounded",
    "thumbs_down",
    "handoffs",
    "conversion",
    "revenue",
)
"""The columns of the tables by channel and version."""
LINES = 6
"""Of a chart that is split: the busiest; more are not told apart by colour."""
SPARK_WIDTH, SPARK_HEIGHT = 96, 24


@dataclass(frozen=True)
class Period:
    """The last ``length`` in buckets of a width."""

    width: Width
    length: timedelta

    @property
    def step(self) -> timedelta:
        return timedelta(seconds=self.width)

    def starts(self, now: datetime) -> list[datetime]:
        """When its buckets begin; the last one is not over."""
        last = now - (now - datetime(2000, 1, 1, tzinfo=UTC)) % self.step
        count = self.length // self.step
        return [last - self.step * (count - 1 - place) for place in range(count)]


PERIODS = {
    "1h": Period(Width.MINUTE, timedelta(hours=1)),
    "24h": Period(Width.HOUR, timedelta(hours=24)),
    "7d": Period(Width.HOUR, timedelta(days=7)),
    "30d": Period(Width.DAY, timedelta(days=30)),
    "90d": Period(Width.DAY, timedelta(days=90)),
}
USUAL_PERIOD = "24h"


@dataclass(frozen=True)
class Asked:
    """What an address asks to see. ``split`` is "", "channel" or "version"."""

    period: str = USUAL_PERIOD
    channel: str = ""
    version: str = ""
    metric: str = "replies"
    split: str = ""


@dataclass(frozen=True)
class Tile:
    """A number with its course. ``trend`` is "better" or "worse" than the time before, "" where that cannot be said."""

    metric: Metric
    value: str
    before: str
    trend: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One line of the chart: a value for each bucket, None for a gap, with the words for each."""

    name: str
    points: Sequence[float | None]
    told: Sequence[str]


@dataclass(frozen=True)
class Chart:
    metric: Metric
    starts: Sequence[datetime]
    lines: Sequence[Line]

    @property
    def leads_on(self) -> bool:
        """Whether there are replies behind it."""
        return self.metric.behind is not None

    @property
    def rows(self) -> list[tuple[datetime, list[tuple[float | None, str]]]]:
        """As a table: a row for each time."""
        cells = [list(zip(line.points, line.told, strict=True)) for line in self.lines]
        return [(start, [cell[place] for cell in cells]) for place, start in enumerate(self.starts)]


@dataclass(frozen=True)
class StageTime:
    """``part`` of the slowest stage's 95th percentile, 0 to 100."""

    name: str
    median: str
    p95: str
    part: int


@dataclass(frozen=True)
class Compared:
    """A channel or version with the values of ``COMPARED``."""

    key: str
    name: str
    values: Sequence[str]


@dataclass(frozen=True)
class Overview:
    groups: Sequence[tuple[str, Sequence[Tile]]]
    chart: Chart
    stages: Sequence[StageTime]
    by_channel: Sequence[Compared]
    by_version: Sequence[Compared]
    channels: Mapping[str, str]
    versions: Mapping[str, str]
    empty: bool


@dataclass(frozen=True)
class Queue:
    """What waits at this moment; ``wake_ups`` of the broker's queues are of all shops, empty where it does not tell."""

    waiting: int
    oldest: timedelta
    unsent: int
    wake_ups: Mapping[str, int]
    counted_at: datetime | None


@dataclass(frozen=True)
class Told:
    """An alert in the reader's words."""

    alert: Alert
    sentence: str
    silent: bool


@dataclass(frozen=True)
class Trial:
    """A holdout with what it shows so far."""

    row: Holdout
    effect: Effect | None
    sentences: Sequence[str]


def counts(user: User | AnonymousUser) -> dict[str, int]:
    """How many alerts are open that nobody has silenced."""
    opened = access.alerts(user, Right.READ).filter(closed_at=None)
    loud = silenced(opened, timezone.now()).filter(silent=False)  # type: ignore[misc]
    return {"alerts": loud.count()}


def overview(shop: Shop, asked: Asked, now: datetime) -> Overview:
    """Everything of one period: two queries."""
    period = PERIODS[asked.period]
    starts = period.starts(now)
    earlier = Interval(starts[0] - period.length, starts[0])
    current = rollup.read(shop, period.width, starts[0], now)
    shown = [bucket for bucket in current if _is_asked(bucket, asked)]
    before = rollup.total(shop, period.width, earlier, asked.channel, asked.version)
    by_time = _grouped(shown, lambda bucket: bucket.start)
    parts = _grouped(shown, lambda bucket: (bucket.channel, bucket.version))
    total = rollup.merged(Bucket(now, *part, counts) for part, counts in parts.items())
    minutes = period.length / timedelta(minutes=1)

    def tile(metric: Metric) -> Tile:
        course = _course(metric, by_time, starts, period)
        value, was = metric.read(total, minutes), metric.read(before, minutes) if before else None
        now_told, before_told = (value_of(metric.unit, each, shop.currency) for each in (value, was))
        trend = _trend(metric, value, was) if now_told != before_told else ""
        return Tile(metric, now_told, before_told, trend, spark(course))

    return Overview(
        groups=[
            (labels.label(labels.watching.METRIC_GROUPS, group), [tile(METRICS[key]) for key in keys])
            for group, keys in TILES.items()
        ],
        chart=_chart(METRICS[asked.metric], shown, by_time, starts, period, asked.split, shop.currency),
        stages=_stages(total),
        by_channel=_compared(_by(parts, 0), labels.channel_name, minutes, shop.currency),
        by_version=_compared(_by(parts, 1), version_name, minutes, shop.currency),
        channels={key: labels.channel_name(key) for key in sorted({bucket.channel for bucket in current})},
        versions={key: version_name(key) for key in sorted({bucket.version for bucket in current})},
        empty=not current and not before,
    )


def value_asked(shop: Shop, asked: Asked, now: datetime) -> float | None:
    """The metric's value in the period: what lies behind a quantile is above it."""
    period = PERIODS[asked.period]
    interval = Interval(period.starts(now)[0], now)
    counts = rollup.total(shop, period.width, interval, asked.channel, asked.version)
    return METRICS[asked.metric].read(counts, period.length / timedelta(minutes=1))


def behind(turns: QuerySet[Turn], asked: Asked, value: float | None, now: datetime) -> QuerySet[Turn]:
    """The replies that a number of the overview is made of, newest first."""
    metric = METRICS[asked.metric]
    found = turns.filter(answered_at__gte=PERIODS[asked.period].starts(now)[0])
    if asked.channel:
        found = found.filter(conversation__contact__account__channel=asked.channel)
    if asked.version == SHIPPED:
        found = found.filter(asked_version=None)
    elif asked.version:
        found = found.filter(asked_version__name=asked.version)
    narrowed = metric.behind(found, value) if metric.behind else found.none()
    return narrowed.select_related("conversation__contact__account").order_by("-answered_at", "-pk")


def queue(shop: Shop) -> Queue:
    """Four queries."""
    mark = MetricMark.objects.filter(shop=shop).first()
    told = {name: count for name, count in (mark.queued if mark else {}).items() if count is not None}
    oldest = timedelta(seconds=waiting.oldest(shop))
    return Queue(int(waiting.depth(shop)), oldest, waiting.unsent(shop), told, mark.upto if mark else None)


def told(alert: Alert) -> Told:
    """``alert`` is annotated by :func:`botcore.monitoring.alerts.silenced`, and its rule and shop are read with it."""
    by_rule = alert.measured.get("metric") in METRICS
    sentence = sentence_of(alert.measured, alert.shop.currency) if by_rule else plainly(alert.sentence)
    named = f"{alert.rule.name}: {sentence}" if by_rule and alert.rule else sentence
    return Told(alert, named, alert.silent)  # type: ignore[attr-defined]


def trial(shop: Shop) -> Trial | None:
    """The trial that runs, else the last one."""
    row = holdout.open_trial(shop) or Holdout.objects.filter(shop=shop).first()
    if row is None:
        return None
    effect = Effect.from_json(row.effect) if row.effect else None
    return Trial(row, effect, _plain_words(effect, shop.currency))


def version_name(version: str) -> str:
    return _("the model that ships") if version == SHIPPED else version


def spark(points: Sequence[float | None]) -> tuple[str, ...]:
    """The points of SVG polylines of a small chart, a line between gaps; nothing where all is nought or unknown."""
    known = [point for point in points if point is not None]
    if not known or not any(known):
        return ()
    high, along = max(known), SPARK_WIDTH / max(len(points) - 1, 1)
    lines: list[list[str]] = [[]]
    for place, point in enumerate(points):
        if point is None:
            lines.append([])
        else:
            lines[-1].append(f"{place * along:.1f},{(SPARK_HEIGHT - 2) * (1 - point / high) + 1:.1f}")
    return tuple(" ".join(line) for line in lines if len(line) > 1)


# --- parts ------------------------------------------------------------------------------------------------------------


def _is_asked(bucket: Bucket, asked: Asked) -> bool:
    return asked.channel in ("", bucket.channel) and asked.version in ("", bucket.version)


def _grouped(buckets: Iterable[Bucket], key: Callable[[Bucket], Key]) -> dict[Key, Counts]:
    found: dict[Key, list[Bucket]] = defaultdict(list)
    for bucket in buckets:
        found[key(bucket)].append(bucket)
    return {shared: rollup.merged(group) for shared, group in found.items()}


def _course(
    metric: Metric, by_time: Mapping[datetime, Counts], starts: Sequence[datetime], period: Period
) -> list[float | None]:
    """The metric's value for each bucket."""
    minutes = period.width / 60
    return [metric.read(by_time.get(start, {}), minutes) for start in starts]


def _trend(metric: Metric, value: float | None, earlier: float | None) -> str:
    """Better or worse by more than a twentieth; nothing where neither way is better."""
    if value is None or not earlier or metric.better is Better.NEITHER or abs(value - earlier) <= abs(earlier) / 20:
        return ""
    return "better" if (value > earlier) == (metric.better is Better.HIGHER) else "worse"


def _chart(
    metric: Metric,
    shown: Sequence[Bucket],
    by_time: Mapping[datetime, Counts],
    starts: Sequence[datetime],
    period: Period,
    split: str,
    currency: str,
) -> Chart:
    """One line of all that is shown, or one for each of the busiest channels or versions."""
    names = {"channel": labels.channel_name, "version": version_name}
    series: dict[str, Mapping[datetime, Counts]] = {str(metric.label): by_time}
    if split in names:
        replies: Counter[str] = Counter()
        for bucket in shown:
            replies[getattr(bucket, split)] += bucket.counts.get("replies", 0)  # type: ignore[assignment]
        series = {
            names[split](part): _grouped((b for b in shown if getattr(b, split) == part), lambda bucket: bucket.start)
            for part, _count in replies.most_common(LINES)
        }
    lines = []
    for name, buckets in series.items():
        course = _course(metric, buckets, starts, period)
        lines.append(Line(name, course, [value_of(metric.unit, point, currency) for point in course]))
    return Chart(metric, starts, lines)


def _stages(total: Counts) -> list[StageTime]:
    """The stages that were timed, with the whole reply last."""
    found = {}
    for stage, name in STAGES.items():
        median, p95 = (METRICS[f"{stage}_{short}"].read(total, 1) for short in ("p50", "p95"))
        if median is not None and p95 is not None:
            found[str(name)] = (METRICS[f"{stage}_p50"], median, p95)
    slowest = max((p95 for _, _, p95 in found.values()), default=1.0)
    return [
        StageTime(name, value_of(metric.unit, median), value_of(metric.unit, p95), round(100 * p95 / slowest))
        for name, (metric, median, p95) in found.items()
    ]


def _by(parts: Mapping[tuple[str, str], Counts], place: int) -> dict[str, Counter[str]]:
    """Counts by channel and version, by one of them alone."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for part, counts in parts.items():
        found[part[place]].update(counts)
    return found


def _compared(parts: Mapping[str, Counts], name: Callable[[str], str], minutes: float, currency: str) -> list[Compared]:
    """The busiest first."""
    metrics = [METRICS[key] for key in COMPARED]
    return [
        Compared(key, name(key), [value_of(m.unit, m.read(parts[key], minutes), currency) for m in metrics])
        for key in sorted(parts, key=lambda key: (-parts[key].get("replies", 0), key))
    ]


def _plain_words(effect: Effect | None, currency: str) -> list[str]:
    """What a trial shows, in sentences; no effect is claimed whose interval holds nought."""
    if effect is None or effect.conversion_difference is None or effect.revenue_difference is None:
        return [_("Not enough yet to tell: an answer needs more people in both groups, and more orders.")]
    return [_of_orders(effect.conversion_difference), _of_revenue(effect.revenue_difference, currency)]


def _of_orders(difference: Difference) -> str:
    low, high = (f"{100 * end:+.1f}" for end in (difference.low, difference.high))
    told = {
        1: _("With recommendations more people order: the difference lies between %(low)s and %(high)s points."),
        0: _("No difference in orders can be told from chance: it lies between %(low)s and %(high)s points."),
        -1: _("With recommendations fewer people order: the difference lies between %(low)s and %(high)s points."),
    }
    return told[difference.sign] % {"low": low, "high": high}


def _of_revenue(difference: Difference, currency: str) -> str:
    low, high = (_signed(end, currency) for end in (difference.low, difference.high))
    told = {
        1: _("They spend more: between %(low)s and %(high)s a person."),
        0: _("No difference in revenue can be told from chance: it lies between %(low)s and %(high)s a person."),
        -1: _("They spend less: between %(low)s and %(high)s a person."),
    }
    return told[difference.sign] % {"low": low, "high": high}


def _signed(amount: float, currency: str) -> str:
    return f"{'−' if amount < 0 else '+'}{value_of(Unit.MONEY, abs(amount), currency)}"
