"""From a stored reply to the platform: leased, in order, with retries; every part's platform id is kept.

A crash between a send and its record sends that one part again: neither platform of this release takes an idempotency
key, and a customer is better served by a repeated line than by silence (docs/decisions/0004).
"""

from __future__ import annotations

import random
from datetime import timedelta

import structlog
from django.db.models import Exists, F, OuterRef, Q, QuerySet
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
    try:
        problem = _send_rest(outbound)
    except Exception as error:
        _put_off(outbound, SendResult(ok=False, error=f"{type(error).__name__}: {error}"))
        raise
    if problem:
        _put_off(outbound, problem)
    else:
        outbound.status, outbound.sent_at, outbound.leased_until = Outbound.Status.SENT, timezone.now(), None
        outbound.save(update_fields=["status", "sent_at", "leased_until"])
    if outbound.status != Outbound.Status.PENDING:
        _wake_next(outbound.conversation_id)


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
    ).exclude(Exists(_earlier()))
    ids = list(due.order_by("created_at").values_list("pk", flat=True)[:500])
    if queues.backlog("io") >= len(ids):
        return 0
    for outbound_id in ids:
        queues.wake_delivery(outbound_id)
    return len(ids)


def _send_rest(outbound: Outbound) -> SendResult | None:
    """Send the parts that are left; what the platform said where it did not take one. Every part renews the lease."""
    channel = channel_for(outbound.conversation.contact.account)
    payloads = channel.render(OutboundMessage.from_json(outbound.content))
    for payload in payloads[outbound.parts_sent :]:
        result = channel.send(outbound.conversation.contact.external_id, payload)
        if not result.ok:
            return result
        outbound.parts_sent += 1
        outbound.platform_ids = [*outbound.platform_ids, result.platform_id]
        outbound.leased_until = timezone.now() + LEASE
        outbound.save(update_fields=["parts_sent", "platform_ids", "leased_until"])
    return None


def _earlier() -> QuerySet[Outbound]:
    """A message's predecessors that are still to be sent, for a query over messages.

    Turns of a conversation have ascending ids. Their numbers would need a join, and an UPDATE with a join decides in a
    subquery, which PostgreSQL does not repeat after waiting for another worker's claim.
    """
    return Outbound.objects.filter(
        conversation=OuterRef("conversation"), turn__lt=OuterRef("turn"), status=Outbound.Status.PENDING
    )


def _claim(outbound_id: int) -> Outbound | None:
    """Lease a message that is due and whose predecessors in its conversation are sent or given up."""
    now = timezone.now()
    claimed = (
        Outbound.objects.filter(
            Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
            Q(leased_until=None) | Q(leased_until__lt=now),
            pk=outbound_id,
            status=Outbound.Status.PENDING,
        )
        .exclude(Exists(_earlier()))
        .update(leased_until=now + LEASE, attempts=F("attempts") + 1)
    )
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


def _wake_next(conversation_id: int) -> None:
    """The next message of the conversation could not be sent before this one."""
    pending = Outbound.objects.filter(conversation_id=conversation_id, status=Outbound.Status.PENDING)
    if following := pending.order_by("turn_id").first():
        queues.wake_delivery(following.pk)
