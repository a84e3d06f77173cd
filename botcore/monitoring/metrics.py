"""Every metric by name: what it is called, its unit, which way is better, how it is read from counts, and which replies
lie behind it. Pages, alert rules and the API share this list. Pure, but for what is read as it stands this moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from botcore.dialogue.state import Act
from botcore.models import Feedback, Turn
from botcore.monitoring import waiting
from botcore.monitoring.counting import ANSWER, Counts, quantile, timed
from catalog.models import Shop

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Unit(StrEnum):
    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"
    MILLISECONDS = "ms"
    SECONDS = "s"
    MONEY = "money"


class Better(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = ""


class Group(StrEnum):
    """Where a metric stands on a page."""

    TRAFFIC = "traffic"
    SPEED = "speed"
    QUALITY = "quality"
    SALES = "sales"


Behind = Callable[[QuerySet[Turn], float | None], QuerySet[Turn]]
"""The turns of a selection that a metric of such a value is made of."""


@dataclass(frozen=True)
class Metric:
    """``read`` gives the value of the counts of so many minutes, None where nothing can be said; ``rests_on`` how many
    events that is of.

    ``now``, where there is one, reads the value from the shop's rows as they stand: such a metric has no past, and
    neither channel nor version. A metric that ``adds_up`` is the sum of its parts, so that its windows are compared by
    their length.
    """

    key: str
    label: StrPromise
    group: Group
    unit: Unit
    better: Better
    read: Callable[[Counts, float], float | None]
    rests_on: Callable[[Counts], float]
    behind: Behind | None = None
    adds_up: bool = False
    now: Callable[[Shop], float] | None = None


def _sum(counts: Counts, names: Iterable[str]) -> float:
    return sum(counts.get(name, 0) for name in names)


def _where(**conditions: object) -> Behind:
    return lambda turns, value: turns.filter(**conditions)


def _every(turns: QuerySet[Turn], value: float | None) -> QuerySet[Turn]:
    return turns


def _slowest(turns: QuerySet[Turn], value: float | None) -> QuerySet[Turn]:
    """Those that took as long as the metric says, or longer."""
    waited = ExpressionWrapper(F("answered_at") - F("created_at"), output_field=DurationField())
    return turns.annotate(waited=waited).filter(waited__gte=timedelta(milliseconds=value or 0))


def _slowest_in(stage: str) -> Behind:
    return lambda turns, value: turns.filter(**{f"timings_ms__{stage}__gte": value or 0})


def _count(
    key: str, label: StrPromise, group: Group, name: str, behind: Behind | None = None, better: Better = Better.NEITHER,
    unit: Unit = Unit.COUNT,
) -> Metric:  # fmt: skip
    def read(counts: Counts, minutes: float = 0) -> float:
        return counts.get(name, 0)

    return Metric(key, label, group, unit, better, read, read, behind, adds_up=True)


def _share(
    key: str, label: StrPromise, group: Group, better: Better, of: str, among: tuple[str, ...], behind: Behind | None
) -> Metric:
    def read(counts: Counts, minutes: float) -> float | None:
        whole = _sum(counts, among)
        return counts.get(of, 0) / whole if whole else None

    return Metric(key, label, group, Unit.SHARE, better, read, lambda counts: _sum(counts, among), behind)


def _quantile(key: str, label: StrPromise, name: str, share: float, behind: Behind) -> Metric:
    return Metric(
        key, label, Group.SPEED, Unit.MILLISECONDS, Better.LOWER,
        lambda counts, minutes: quantile(counts, name, share), lambda counts: timed(counts, name), behind,
    )  # fmt: skip


def _now(key: str, label: StrPromise, unit: Unit, read: Callable[[Shop], float]) -> Metric:
    return Metric(
        key, label, Group.TRAFFIC, unit, Better.LOWER, lambda counts, minutes: None, lambda counts: 1, now=read
    )


_LOW, _HIGH, _EITHER = Better.LOWER, Better.HIGHER, Better.NEITHER
_UP, _DOWN = f"opinion:{Feedback.Kind.UP}", f"opinion:{Feedback.Kind.DOWN}"
_FAILED, _SENT = "outbound:failed", "outbound:sent"

STAGES = {
    "understand": _("Understanding"),
    "decide": _("Deciding"),
    "find": _("Finding products"),
    "ask": _("Weighing a question"),
    "plan": _("Planning"),
    "compose": _("Writing"),
    "total": _("The whole reply"),
}
"""Of a reply, as :mod:`botcore.dialogue.pipeline` times them; the whole is without waiting in the queue."""

_ALL = (
    _count("messages", _("Messages from customers"), Group.TRAFFIC, "messages", _every),
    _count("replies", _("Replies"), Group.TRAFFIC, "replies", _every),
    _count("conversations", _("Conversations begun"), Group.TRAFFIC, "conversations", _where(number=1)),
    Metric(
        "queue", _("Customers waiting, on average"), Group.TRAFFIC, Unit.NUMBER, Better.LOWER,
        lambda counts, minutes: counts.get("waited_ms", 0) / 60_000 / minutes, lambda counts: counts.get("replies", 0),
        _every,
    ),
    _now("waiting", _("Messages waiting now"), Unit.COUNT, waiting.depth),
    _now("oldest", _("Longest wait now"), Unit.SECONDS, waiting.oldest),
    _quantile("answer_p50", _("Answer time, median"), ANSWER, 0.5, _slowest),
    _quantile("answer_p95", _("Answer time, 95th percentile"), ANSWER, 0.95, _slowest),
    *(
        _quantile(f"{stage}_{short}", format_lazy("{}: {}", name, told), stage, share, _slowest_in(stage))
        for stage, name in STAGES.items()
        for short, share, told in (("p50", 0.5, _("median")), ("p95", 0.95, _("95th percentile")))
    ),
    _share("errors", _("Errors"), Group.QUALITY, _LOW, "errors", ("replies",), _where(error__contains="failed")),
    _share(
        "fallbacks", _("Fallbacks to a phrase"), Group.QUALITY, _LOW, "fallbacks", ("asked",),
        lambda turns, value: turns.exclude(error="").exclude(written_by=Turn.WrittenBy.MODEL),
    ),
    _share("undelivered", _("Messages given up"), Group.QUALITY, _LOW, _FAILED, (_FAILED, _SENT),
           _where(outbound__status="failed")),
    _share("grounded", _("Texts of the model that may be sent"), Group.QUALITY, _HIGH, "grounded", ("samples",),
           _where(samples__contains=[{"accepted": False}])),
    _share("thumbs_down", _("Thumbs down"), Group.QUALITY, _LOW, _DOWN, (_UP, _DOWN),
           lambda turns, value: turns.filter(feedback__kind=Feedback.Kind.DOWN).distinct()),
    _count("thumbs", _("Thumbs up"), Group.QUALITY, _UP,
           lambda turns, value: turns.filter(feedback__kind=Feedback.Kind.UP).distinct(), _HIGH),
    _share("handoffs", _("Handed to a person"), Group.QUALITY, _LOW, f"act:{Act.HANDOFF}", ("replies",),
           _where(act=Act.HANDOFF)),
    _share("asking", _("Questions among questions and lists"), Group.QUALITY, _EITHER, "asks", ("asks", "shows"),
           _where(act=Act.ASK)),
    _count("orders", _("Orders after a conversation"), Group.SALES, "orders", _where(attributed_orders__isnull=False),
           _HIGH),
    _share("conversion", _("Conversations followed by an order"), Group.SALES, _HIGH, "buyers", ("conversations",),
           _where(attributed_orders__first=True)),
    _count("revenue", _("Revenue after a conversation"), Group.SALES, "revenue",
           _where(attributed_orders__isnull=False), _HIGH, Unit.MONEY),
)  # fmt: skip

METRICS = {metric.key: metric for metric in _ALL}
"""By key, in the order in which they are offered."""
