"""How a shop's assistant did in an interval, read from the rows themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from botcore.dialogue.state import Act
from botcore.models import Conversation, Feedback, Outbound, Turn
from catalog.models import Shop


@dataclass(frozen=True)
class Metrics:
    """Counts, shares from 0 to 1, seconds; None where nothing was counted."""

    since: datetime
    until: datetime
    conversations: int
    replies: int
    written_by_model: float | None
    handoffs: int
    reply_seconds_p50: float | None
    reply_seconds_p95: float | None
    up: int
    down: int
    not_meant: int
    failed_messages: int


def measured(shop: Shop, since: datetime, until: datetime) -> Metrics:
    """What happened from ``since`` on and before ``until``."""
    answered = Turn.objects.filter(
        conversation__shop=shop, status=Turn.Status.ANSWERED, answered_at__gte=since, answered_at__lt=until
    )
    rows = list(answered.values_list("written_by", "act", "created_at", "answered_at"))
    seconds = [(done - asked).total_seconds() for _, _, asked, done in rows if done]
    said = Feedback.objects.filter(turn__conversation__shop=shop, updated_at__gte=since, updated_at__lt=until)
    opinions = Counter(said.values_list("kind", flat=True))
    talks = Conversation.objects.filter(shop=shop, turns__created_at__gte=since, turns__created_at__lt=until)
    failed = Outbound.objects.filter(
        conversation__shop=shop, status=Outbound.Status.FAILED, created_at__gte=since, created_at__lt=until
    )
    by_model = sum(written_by == Turn.WrittenBy.MODEL for written_by, *_ in rows)
    return Metrics(
        since=since,
        until=until,
        conversations=talks.distinct().count(),
        replies=len(rows),
        written_by_model=by_model / len(rows) if rows else None,
        handoffs=sum(act == Act.HANDOFF for _, act, *_ in rows),
        reply_seconds_p50=float(np.percentile(seconds, 50)) if seconds else None,
        reply_seconds_p95=float(np.percentile(seconds, 95)) if seconds else None,
        up=opinions[Feedback.Kind.UP],
        down=opinions[Feedback.Kind.DOWN],
        not_meant=opinions[Feedback.Kind.NOT_MEANT],
        failed_messages=failed.count(),
    )
