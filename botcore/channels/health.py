"""May an account send now? Its token bucket, what its platform asked for, and its circuit breaker, for all workers alike.

Everything is decided by conditional UPDATEs of one row, so that many workers hold one promise together.
"""

from __future__ import annotations

import random
from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, F, Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from botcore.channels.values import Capabilities, SendResult
from botcore.models import ChannelAccount, ChannelHealth

FAILURES_TO_OPEN = 5
"""So many messages that failed one after the other, whatever their conversation, are the platform's failure."""
OPEN_SECONDS = (10, 30, 60, 120, 300)
"""How long the breaker stays open, the longer the more probes have failed."""
PROBE_SECONDS = 15
"""How long one message has the way to itself to find out whether the platform is back."""


def wait(account: ChannelAccount, can: Capabilities) -> float:
    """Take the right to send one message; else the seconds after which to ask again, 0 where it was taken."""
    if can.rate is None:
        return 0.0
    now = timezone.now()
    health, _ = ChannelHealth.objects.get_or_create(account=account)
    if health.paused_until and health.paused_until > now:
        return (health.paused_until - now).total_seconds()
    if health.open_until and not _probe(health):
        return max((health.open_until - now).total_seconds(), 1.0)
    return _take_token(health, can.rate, can.burst)


def succeeded(account: ChannelAccount) -> None:
    """A message arrived: the breaker closes."""
    ChannelHealth.objects.filter(account=account).update(failures=0, open_until=None, last_ok_at=timezone.now())


def failed(account: ChannelAccount, result: SendResult) -> None:
    """A message did not arrive. What is wrong with the message alone, with its reader's pace, or is kept for later, says
    nothing of the platform.
    """
    if result.held or result.crowded:
        return
    now = timezone.now()
    health = ChannelHealth.objects.filter(account=account)
    health.update(last_failure_at=now, last_error=result.error[:500])
    if result.retry_after is not None:
        health.update(paused_until=now + timedelta(seconds=result.retry_after))
    elif not (result.permanent or result.window_closed):
        health.update(failures=F("failures") + 1)
        failures = health.values_list("failures", flat=True).first() or 0
        if failures >= FAILURES_TO_OPEN:
            step = OPEN_SECONDS[min(failures - FAILURES_TO_OPEN, len(OPEN_SECONDS) - 1)]
            health.update(open_until=now + timedelta(seconds=step * random.uniform(0.9, 1.1)))


def _probe(health: ChannelHealth) -> bool:
    """Whether the breaker's time is over and this message is the one that tries."""
    now = timezone.now()
    due = ChannelHealth.objects.filter(pk=health.pk, open_until__lte=now)
    return bool(due.update(open_until=now + timedelta(seconds=PROBE_SECONDS)))


def _take_token(health: ChannelHealth, rate: float, burst: int) -> float:
    """``free_at`` moves on by one message's share of a second, and may be ahead of now by ``burst`` messages at most."""
    now = timezone.now()
    share = timedelta(seconds=1 / rate)
    after = ExpressionWrapper(Greatest(F("free_at"), Value(now)) + Value(share), output_field=DateTimeField())
    room = Q(free_at__lte=now + share * (burst - 1))
    if ChannelHealth.objects.filter(room, pk=health.pk).update(free_at=after):
        return 0.0
    free_at = ChannelHealth.objects.values_list("free_at", flat=True).get(pk=health.pk)
    return max((free_at - now).total_seconds() - burst / rate, 0.0) + 1 / rate
