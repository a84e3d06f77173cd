"""From a stored reply to the platform: leased, in order, with retries; every part's platform id is kept.

A crash between a send and its record sends that one part again, with the same idempotency key: a platform that takes
one shows it once. Where it takes none a customer is better served by a repeated line than by silence
(docs/decisions/0004).
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid5

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from botcore import buttons, queues, receipts
from botcore.channels import health
from botcore.channels.base import Channel
from botcore.channels.registry import channel_for
from botcore.channels.values import Capabilities, OutboundMessage, Payload, SendResult
from botcore.models import Contact, Conversation, Feedback, Outbound, Turn
from botcore.recipients import recipient_of
from botcore.stated import may_go
from botcore.webhooks.events import Event
from botcore.webhooks.outbox import announce

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 8
BACKOFF_SECONDS = (1, 2, 5, 15, 60, 180, 600)
SENDING = UUID("6f2b7c1e-3f0d-5a57-9d52-6d0f6a5e2f11")
"""The namespace of idempotency keys."""
ASKING_BACK = 1000
"""The part of a message that its first call to ask the customer back counts as, beyond all of its own."""
CLOSED = SendResult(ok=False, window_closed=True, error="the customer wrote too long ago for this platform")
SENTENCE = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")


class _NotNow(Exception):  # noqa: N818 (nothing is wrong)
    """The account may not send for so many seconds. That is no attempt of the message's."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def post(
    conversation: Conversation,
    message: OutboundMessage,
    turn: Turn | None = None,
    author: Any = None,
    facts: Mapping[str, Any] | None = None,
) -> Outbound:
    """Store a message to be sent, in the caller's transaction, which holds the conversation; it is sent after that.

    ``turn`` is the turn it answers; without one it is a person's, ``author``. ``facts`` are what it states of the shop
    (:func:`botcore.stated.stated`): they are read again where it has to wait.
    """
    contact = conversation.contact
    channel = channel_for(contact.account)
    outbound = Outbound.objects.create(
        conversation=conversation, turn=turn, author=author, content={}, facts=facts or {}
    )
    outbound.content = buttons.offer(message, outbound, channel.capabilities).to_json()
    outbound.save(update_fields=["content"])
    channel.announce(contact.external_id)
    transaction.on_commit(partial(queues.wake_delivery, outbound.pk))
    return outbound


def deliver(outbound_id: int) -> None:
    """Send what is left of one message, if it is due and nobody else is at it."""
    outbound = _claim(outbound_id)
    if outbound is None:
        return
    try:
        problem = _send_rest(outbound)
    except _NotNow as refusal:
        _wait(outbound, refusal.seconds)
        return
    except Exception as error:
        _put_off(outbound, SendResult(ok=False, error=f"{type(error).__name__}: {error}"))
        raise
    if problem:
        _put_off(outbound, problem)
    else:
        _close(outbound, Outbound.Status.SENT)
    if outbound.status != Outbound.Status.PENDING:
        receipts.catch_up(outbound.conversation.contact_id, outbound.platform_ids)
        _wake_next(outbound.conversation_id)


def resend(outbound: Outbound) -> None:
    """Try a message that was given up once more, from the part on that did not arrive."""
    again = Outbound.objects.filter(pk=outbound.pk, status=Outbound.Status.FAILED)
    if again.update(status=Outbound.Status.PENDING, attempts=0, next_attempt_at=None, error=""):
        queues.wake_delivery(outbound.pk)


def show_typing(turn_id: int) -> None:
    """Tell the platform that a reply is on its way, while there is still none."""
    turn = (
        Turn.objects.select_related("conversation__contact__account")
        .filter(pk=turn_id, status=Turn.Status.WAITING, conversation__waiting_for_person=False)
        .first()
    )
    if turn:
        contact = turn.conversation.contact
        channel_for(contact.account).typing(recipient_of(contact))


def show_verdict(outbound_id: int) -> None:
    """Show under a reply which thumb is pressed, on a platform whose messages can be edited."""
    outbound = Outbound.objects.select_related("conversation__contact__account").get(pk=outbound_id)
    contact = outbound.conversation.contact
    pressed = Feedback.objects.filter(turn=outbound.turn_id, contact=contact, source=Feedback.Source.BUTTON).first()
    channel, message = channel_for(contact.account), OutboundMessage.from_json(outbound.content)
    bare, shown = (channel.render(replace(message, verdict=v)) for v in ("", pressed.kind if pressed else ""))
    for platform_id, without, payload in zip(outbound.platform_ids, bare, shown, strict=False):
        if without != payload or not pressed:
            channel.edit(recipient_of(contact), platform_id, payload)


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


def window_open(can: Capabilities, contact: Contact) -> bool:
    """Whether the platform lets us write: so long after the customer did, and so often."""
    heard = contact.heard_at
    late = can.window is not None and heard is not None and timezone.now() - heard > timedelta(seconds=can.window)
    return not late and (can.quota is None or contact.sent_since < can.quota)


def _send_rest(outbound: Outbound) -> SendResult | None:
    """Send the parts that are left; what the platform said where it did not take one. Every part renews the lease."""
    contact = outbound.conversation.contact
    channel = channel_for(contact.account)
    message = OutboundMessage.from_json(outbound.content)
    if not contact.account.active:
        return SendResult(ok=False, permanent=True, error="the channel is switched off")
    if contact.stopped_at:
        return SendResult(ok=False, permanent=True, error="the customer asked for no more messages")
    if not may_go(outbound):
        return SendResult(ok=False, permanent=True, error="prices, stock or texts have changed while it waited")
    payloads = channel.render(message)
    for part, payload in enumerate(payloads[outbound.parts_sent :], start=outbound.parts_sent):
        if not window_open(channel.capabilities, contact):
            return _reopen(channel, outbound, message, CLOSED)
        if part == 0 and channel.capabilities.streaming:
            _stream(channel, contact, message)
        result = _send(channel, outbound, part, payload)
        if result.window_closed:
            return _reopen(channel, outbound, message, result)
        if not result.ok:
            return result
        outbound.parts_sent += 1
        outbound.platform_ids = [*outbound.platform_ids, result.platform_id]
        outbound.leased_until = timezone.now() + LEASE
        outbound.save(update_fields=["parts_sent", "platform_ids", "leased_until"])
    return None


def _send(channel: Channel, outbound: Outbound, part: int, payload: Payload) -> SendResult:
    """One call, when the account may make it. Raises ``_NotNow``."""
    contact = outbound.conversation.contact
    if seconds := health.wait(contact.account, channel.capabilities):
        raise _NotNow(seconds)
    result = channel.send(recipient_of(contact), payload, _idempotency_key(outbound, part))
    if result.ok:
        health.succeeded(contact.account)
        Contact.objects.filter(pk=contact.pk).update(sent_since=F("sent_since") + 1)
        contact.sent_since += 1
    else:
        health.failed(contact.account, result)
    if result.stopped:
        Contact.objects.filter(pk=contact.pk, stopped_at=None).update(stopped_at=timezone.now())
    return result


def _idempotency_key(outbound: Outbound, part: int) -> UUID:
    """The same for every attempt. What was sent and refused after all is sent again as another message: under its old
    key the platform would take it for a repeat.
    """
    sent = f"/{outbound.sent_at.isoformat()}" if outbound.sent_at else ""
    return uuid5(SENDING, f"{outbound.conversation.contact.account.key}/{outbound.pk}/{part}{sent}")


def _stream(channel: Channel, contact: Contact, message: OutboundMessage) -> None:
    """Show the reply grow, sentence by sentence. All of it is checked: nothing is shown that is not sent."""
    ends = [match.start() for match in SENTENCE.finditer(message.text)]
    for end in ends:
        channel.stream(recipient_of(contact), message.turn, message.text[:end])


def _reopen(channel: Channel, outbound: Outbound, message: OutboundMessage, closed: SendResult) -> SendResult:
    """Ask the customer back, once until they write, where the platform has a message for that; the reply itself stays with
    the dead letters.
    """
    contact = outbound.conversation.contact
    payloads = channel.reopen(message)
    if not payloads or (contact.asked_back_at and contact.asked_back_at >= (contact.heard_at or contact.created_at)):
        return closed
    for part, payload in enumerate(payloads):
        result = _send(channel, outbound, ASKING_BACK + part, payload)
        if not result.ok:
            return replace(closed, error=f"{closed.error}, and was not asked back: {result.error}")
    Contact.objects.filter(pk=contact.pk).update(asked_back_at=timezone.now())
    return replace(closed, error=f"{CLOSED.error}, and was asked back")


def _earlier() -> QuerySet[Outbound]:
    """A message's predecessors that are still to be sent, for a query over messages.

    Without a join: an UPDATE with one decides in a subquery, which PostgreSQL does not repeat after waiting for another
    worker's claim.
    """
    return Outbound.objects.filter(
        conversation=OuterRef("conversation"), pk__lt=OuterRef("pk"), status=Outbound.Status.PENDING
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
    return Outbound.objects.select_related("conversation__contact__account", "conversation__shop").get(pk=outbound_id)


def _put_off(outbound: Outbound, result: SendResult) -> None:
    """Plan the next attempt, or give up where none can help. Jitter keeps many messages from returning at once.

    A platform may ask for more time than we would wait, not for less: eight times "in a second" is no attempt to wait.
    """
    outbound.error = result.error[:500]
    if result.held:
        _close(outbound, Outbound.Status.HELD)
    elif result.permanent or result.window_closed or outbound.attempts >= MAX_ATTEMPTS:
        log.warning("message given up", outbound=outbound.pk, error=result.error)
        _close(outbound, Outbound.Status.FAILED)
    else:
        step = BACKOFF_SECONDS[min(outbound.attempts - 1, len(BACKOFF_SECONDS) - 1)]
        _plan(outbound, max(step * random.uniform(0.8, 1.2), result.retry_after or 0))


def _wait(outbound: Outbound, seconds: float) -> None:
    """The account may not send yet; whoever waits with this message is spread over a second."""
    outbound.attempts -= 1
    _plan(outbound, seconds + random.uniform(0, min(seconds, 1)))


def _plan(outbound: Outbound, seconds: float) -> None:
    """Give the message back and have it tried again. The sweeper finds what no worker remembers."""
    outbound.leased_until, outbound.next_attempt_at = None, timezone.now() + timedelta(seconds=seconds)
    outbound.save(update_fields=["leased_until", "next_attempt_at", "attempts", "error"])
    queues.wake_delivery(outbound.pk, after=seconds)


@transaction.atomic
def _close(outbound: Outbound, status: Outbound.Status) -> None:
    outbound.status, outbound.leased_until = status, None
    if status == Outbound.Status.SENT:
        outbound.sent_at = timezone.now()
        _tell_of_reply(outbound)
    outbound.save(update_fields=["status", "sent_at", "leased_until", "error"])


def _tell_of_reply(outbound: Outbound) -> None:
    talk, turn = outbound.conversation, outbound.turn
    told = {
        "conversation": str(talk.key),
        "turn": outbound.turn_id,
        "act": turn.act if turn else "",
        "written_by": turn.written_by if turn else "person",
        "channel": talk.contact.account.channel,
    }
    announce(talk.shop_id, Event.REPLY_SENT, told)


def _wake_next(conversation_id: int) -> None:
    """The next message of the conversation could not be sent before this one."""
    pending = Outbound.objects.filter(conversation_id=conversation_id, status=Outbound.Status.PENDING)
    if following := pending.order_by("pk").first():
        queues.wake_delivery(following.pk)
