"""What there is to count in a shop's rows, by minute, channel and version: numbers that add up, whatever they are read as.

A duration is counted in a histogram whose bins grow by a tenth, so that quantiles of many buckets are within 5 % of those
of the rows. Only reads; ``rollup.py`` keeps what is counted here, ``metrics.py`` says what it means.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Func, JSONField, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncMinute

from botcore.dialogue.state import Act
from botcore.models import AttributedOrder, Feedback, Outbound, Turn
from catalog.models import Shop

GROWTH = math.log(1.1)
LONGEST = 150
"""The last bin holds whatever takes longer than 1.6 million ms, half an hour."""
TIME = "time:"
"""How the names of histograms' bins begin: ``time:find:37``."""
SHIPPED = "shipped"
"""The version of a reply that no version of the shop's own was asked for: the one that ships."""
ANSWER = "answer"
"""The histogram of how long customers waited, from their message to the stored reply; the others are of its stages."""

Counts = Mapping[str, float]


class Place(NamedTuple):
    """Where something is counted."""

    minute: datetime
    channel: str
    version: str


class Answered(NamedTuple):
    """What is counted of one answered turn. ``verdicts`` say of each text the model wrote whether it may be sent."""

    number: int
    act: str
    written_by: str
    error: str
    shown: bool
    waited_ms: float
    timings_ms: Mapping[str, Any]
    verdicts: Iterable[Any]


def counted(shop: Shop, since: datetime, until: datetime) -> dict[Place, Counter[str]]:
    """Everything of the minutes from ``since`` up to, but not including, ``until``."""
    found: dict[Place, Counter[str]] = defaultdict(Counter)
    for place, counts in (
        *_replies(shop, since, until),
        *_messages(shop, since, until),
        *_opinions(shop, since, until),
        *_deliveries(shop, since, until),
        *_orders(shop, since, until),
    ):
        found[place].update(counts)
    return dict(found)


def of_reply(turn: Answered) -> Counter[str]:
    """What one reply adds to its bucket. The model was asked where it wrote, or where a reason is kept why it did not."""
    asked = turn.written_by == Turn.WrittenBy.MODEL or bool(turn.error)
    verdicts = list(turn.verdicts)
    counts: Counter[str] = Counter(
        {
            "replies": 1,
            "conversations": int(turn.number == 1),
            f"act:{turn.act}": 1,
            f"by:{turn.written_by}": 1,
            "asked": asked,
            "fallbacks": asked and turn.written_by != Turn.WrittenBy.MODEL,
            "errors": "failed" in turn.error,
            "shows": turn.shown,
            "asks": turn.act == Act.ASK,
            "samples": len(verdicts),
            "grounded": sum(verdict is True for verdict in verdicts),
            "waited_ms": round(turn.waited_ms),
            f"{TIME}{ANSWER}:{bin_of(turn.waited_ms)}": 1,
        }
    )
    counts.update(f"{TIME}{stage}:{bin_of(ms)}" for stage, ms in turn.timings_ms.items() if isinstance(ms, int | float))
    return +counts


def bin_of(ms: float) -> int:
    """The histogram's bin of a duration: bin n is centred on 1.1 to the power n milliseconds."""
    return min(max(round(math.log(ms) / GROWTH), 0), LONGEST) if ms > 1 else 0


def quantile(counts: Counts, name: str, share: float) -> float | None:
    """The duration in ms that ``share`` of a histogram's values do not exceed; None for an empty one."""
    start = f"{TIME}{name}:"
    bins = sorted((int(key[len(start) :]), count) for key, count in counts.items() if key.startswith(start))
    total, below = sum(count for _, count in bins), 0.0
    for place, count in bins:
        below += count
        if below >= share * total:
            return 1.1**place
    return None


def timed(counts: Counts, name: str) -> float:
    """How many values a histogram holds."""
    start = f"{TIME}{name}:"
    return sum(count for key, count in counts.items() if key.startswith(start))


# --- the rows ---------------------------------------------------------------------------------------------------------

CHANNEL, VERSION = "conversation__contact__account__channel", "asked_version__name"


def turns(shop: Shop) -> QuerySet[Turn]:
    return Turn.objects.filter(conversation__shop=shop).order_by()


def _replies(shop: Shop, since: datetime, until: datetime) -> Iterator[tuple[Place, Counter[str]]]:
    """By when they were stored."""
    rows = turns(shop).filter(status=Turn.Status.ANSWERED, answered_at__gte=since, answered_at__lt=until)
    shown = ExpressionWrapper(~Q(slate=[]), BooleanField())
    verdicts = Func(
        F("samples"), Value("$[*].accepted"), function="jsonb_path_query_array", output_field=JSONField(),
        template="%(function)s(%(expressions)s::jsonpath)",
    )  # fmt: skip
    fields = ("answered_at", CHANNEL, VERSION, "created_at", "number", "act", "written_by", "error", "timings_ms")
    for row in rows.values_list(*fields, shown, verdicts).iterator():
        at, channel, version, asked_at, number, act, written_by, error, timings, has_shown, accepted = row
        waited = max((at - asked_at).total_seconds() * 1_000, 0.0)
        turn = Answered(number, act, written_by, error, has_shown, waited, timings, accepted)
        yield Place(_minute(at), channel, version or SHIPPED), of_reply(turn)


def _messages(shop: Shop, since: datetime, until: datetime) -> Iterator[tuple[Place, Counter[str]]]:
    """What customers wrote, by when they did."""
    rows = turns(shop).filter(created_at__gte=since, created_at__lt=until)
    grouped = rows.values_list(TruncMinute("created_at"), CHANNEL, VERSION).annotate(Count("pk"))
    for minute, channel, version, count in grouped:
        yield Place(minute, channel, version or SHIPPED), Counter(messages=count)


def _opinions(shop: Shop, since: datetime, until: datetime) -> Iterator[tuple[Place, Counter[str]]]:
    """Thumbs, by when they were first given."""
    rows = Feedback.objects.filter(turn__conversation__shop=shop, created_at__gte=since, created_at__lt=until)
    place = (TruncMinute("created_at"), f"turn__{CHANNEL}", f"turn__{VERSION}")
    for minute, channel, version, kind, count in rows.order_by().values_list(*place, "kind").annotate(Count("pk")):
        yield Place(minute, channel, version or SHIPPED), Counter({f"opinion:{kind}": count})


def _deliveries(shop: Shop, since: datetime, until: datetime) -> Iterator[tuple[Place, Counter[str]]]:
    """Messages that arrived or were given up, by when they were made."""
    rows = Outbound.objects.filter(conversation__shop=shop, created_at__gte=since, created_at__lt=until)
    place = (TruncMinute("created_at"), CHANNEL, f"turn__{VERSION}")
    for minute, channel, version, status, count in rows.order_by().values_list(*place, "status").annotate(Count("pk")):
        yield Place(minute, channel, version or SHIPPED), Counter({f"outbound:{status}": count})


def _orders(shop: Shop, since: datetime, until: datetime) -> Iterator[tuple[Place, Counter[str]]]:
    rows = AttributedOrder.objects.filter(shop=shop, at__gte=since, at__lt=until)
    place = (TruncMinute("at"), f"turn__{CHANNEL}", f"turn__{VERSION}")
    sums = {"orders": Count("pk"), "buyers": Count("pk", filter=Q(first=True)), "earned": Sum("revenue")}
    for minute, channel, version, orders, buyers, revenue in rows.order_by().values_list(*place).annotate(**sums):
        counts: Counter[str] = Counter(orders=orders, buyers=buyers)
        counts["revenue"] = float(revenue)  # type: ignore[assignment]  # a Counter adds what adds
        yield Place(minute, channel, version or SHIPPED), counts


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
