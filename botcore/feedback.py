"""What customers think of replies, tied to the reply they judge."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from botcore import queues
from botcore.channels.registry import channel_class
from botcore.channels.values import ReceivedEvent
from botcore.learning.review.queue import weigh_again
from botcore.models import Contact, Feedback, InboundEvent, Outbound, Turn
from botcore.webhooks.events import Event
from botcore.webhooks.outbox import announce

WITHDRAWN = "none"
"""The verdict of a thumb pressed a second time, or of a reaction taken away."""


def record(contact: Contact, received: ReceivedEvent) -> Feedback | None:
    """Store a thumb or reaction, with what was written beside it; a second opinion from the same source replaces the first.

    None where the reply is not one that this contact received: the event is kept, nobody's reply is judged.
    """
    turn = _judged_turn(contact, received)
    verdict = received.data["verdict"]
    source = Feedback.Source.REACTION if received.kind == InboundEvent.Kind.REACTION else Feedback.Source.BUTTON
    if turn is None or verdict not in (*Feedback.Kind.values, WITHDRAWN):
        return None
    if source == Feedback.Source.BUTTON and channel_class(contact.account.channel).capabilities.edit:
        for outbound_id in Outbound.objects.filter(turn=turn).values_list("pk", flat=True):
            transaction.on_commit(partial(queues.wake_verdict, outbound_id))
    if verdict == WITHDRAWN:
        Feedback.objects.filter(turn=turn, contact=contact, source=source).delete()
        weigh_again(turn.pk)
        return None
    return opinion(turn, contact, verdict, source, received.text)


@transaction.atomic
def opinion(turn: Turn, contact: Contact, kind: str, source: str, text: str = "") -> Feedback:
    """Store one opinion, replacing the contact's earlier one from the same source."""
    row, _ = Feedback.objects.update_or_create(
        turn=turn, contact=contact, source=source, defaults={"kind": kind, "text": text}
    )
    weigh_again(turn.pk)
    talk = turn.conversation
    told = {"feedback": row.pk, "conversation": str(talk.key), "turn": turn.pk, "kind": kind, "source": source}
    announce(talk.shop_id, Event.FEEDBACK_GIVEN, told)
    return row


def _judged_turn(contact: Contact, received: ReceivedEvent) -> Turn | None:
    turns = Turn.objects.filter(conversation__contact=contact, status=Turn.Status.ANSWERED)
    if turn_id := received.data.get("turn"):
        return turns.filter(pk=turn_id).first() if str(turn_id).isdecimal() else None
    outbound = Outbound.objects.filter(
        conversation__contact=contact, platform_ids__contains=[str(received.data.get("platform_id", ""))]
    )
    return turns.filter(outbound__in=outbound).first()
