"""From a stored reply to the platform: leased, in order, with retries; every part's platform id is kept.

A crash between a send and its record sends that one part again: neither platform of this release takes an idempotency
key, and a customer is better served by a repeated line than by silence (docs/decisions/0004).
"""

from __future__ import annotations

import random
from datetime import timedelta

import structlog
from django.db.models import F, Q
from django.utils import timezone

from botcore import queues
from botcore.channels.base import OutboundMessage, SendResult
from botcore.channels.registry import channel_for
from botcore.models import Outbound, Turn

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 8
BACKOFF_SECONDS = (1, 2, 5, 15, 60, 180, 600)


def deliver(outbound_id: int) -> None:
    """Send what is left of one message, if it is due and nobody else is at it."""
    outbound = _claim(outbound_id)
    if outbound is None:
        return
    channel = channel_for(outbound.conversation.contact.account)
    payloads = channel.render(OutboundMessage.from_json(outbound.content))
    for payload in payloads[outbound.parts_sent :]:
        result = channel.send(outbound.conversation.contact.external_id, payload)
        if not result.ok:
            _put_off(outbound, result)
            return
        outbound.parts_sent += 1
        outbound.platform_ids = [*outbound.platform_ids, result.platform_id]
        outbound.save(update_fields=["parts_sent", "platform_ids"])
    outbound.status = Outbound.Status.SENT
    outbound.sent_at = timezone.now()
    outbound.leased_until = None
    outbound.save(update_fields=["status", "sent_at", "leased_until"])


def show_typing(turn_id: int) -> None:
    """Tell the platform that a reply is on its way, while there is still none."""
    turn = Turn.objects.select_related("conversation__contact__account").filter(pk=turn_id, status="waiting").first()
    if turn:
        channel_for(turn.conversation.contact.account).typing(turn.conversation.contact.external_id)


def sweep() -> int:
    """Wake workers again for messages that are due and that nobody is sending. Returns how many."""
    now = timezone.now()
    due = Outbound.objects.filter(
        Q(next_attempt_at=None, created_at__lt=now - timedelta(seconds=5)) | Q(next_attempt_at__lte=now),
        Q(leased_until=None) | Q(leased_until__lt=now),
        status=Outbound.Status.PENDING,
    )
    ids = list(due.order_by("created_at").values_list("pk", flat=True)[:500])
    for outbound_id in ids:
        queues.wake_delivery(outbound_id)
    return len(ids)


def _claim(outbound_id: int) -> Outbound | None:
    now = timezone.now()
    claimed = Outbound.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
        Q(leased_until=None) | Q(leased_until__lt=now),
        pk=outbound_id,
        status=Outbound.Status.PENDING,
    ).update(leased_until=now + LEASE, attempts=F("attempts") + 1)
    if not claimed:
        return None
    return Outbound.objects.select_related("conversation__contact__account").get(pk=outbound_id)


def _put_off(outbound: Outbound, result: SendResult) -> None:
    """Plan the next attempt, or give up where none can help. Jitter keeps many messages from returning at once."""
    outbound.leased_until = None
    outbound.error = result.error[:500]
    if result.permanent or outbound.attempts >= MAX_ATTEMPTS:
        outbound.status = Outbound.Status.FAILED
        log.warning("message given up", outbound=outbound.pk, error=result.error)
    else:
        step = BACKOFF_SECONDS[min(outbound.attempts - 1, len(BACKOFF_SECONDS) - 1)]
        seconds = result.retry_after if result.retry_after is not None else step * random.uniform(0.8, 1.2)
        outbound.next_attempt_at = timezone.now() + timedelta(seconds=seconds)
    outbound.save(update_fields=["leased_until", "error", "status", "next_attempt_at"])
