"""Messages that a platform lets us send only in its own answers: kept until it asks, and given part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from botcore.channels.registry import channel_for
from botcore.channels.values import OutboundMessage, Payload
from botcore.models import Contact, InboundEvent, Outbound, Turn
from botcore.stated import may_go


@dataclass(frozen=True)
class Look:
    """What there is for a message of the customer's: a part to give; else nothing yet, or nothing at all (``over``).

    ``more``: its rest, or something that nobody has seen, is kept behind it. ``age`` is how long ago the message first
    came.
    """

    payload: Payload | None = None
    more: bool = False
    language: str = ""
    over: bool = False
    age: timedelta = timedelta()


def awaited(contact: Contact) -> bool:
    """Whether anything is being made, sent or kept for a contact who asks for it."""
    waiting = Turn.objects.filter(conversation__contact=contact, conversation__closed=False)
    unsent = Q(status__in=(Outbound.Status.PENDING, Outbound.Status.HELD))
    return waiting.filter(status=Turn.Status.WAITING).exists() or _messages(contact).filter(unsent).exists()


def look(account_key: str, event_keys: Sequence[str]) -> Look:
    """What to answer a delivery with that brought these events; whoever repeats it gets the same part again."""
    found = InboundEvent.objects.filter(account__key=account_key, event_key__in=event_keys)
    events = list(found.select_related("contact__account", "turn").order_by("pk"))
    if not events:
        return Look(over=True)
    contact, name = events[0].contact, events[0].event_key
    age = timezone.now() - events[0].received_at
    turn = _turn_of(events)
    if turn and turn.status == Turn.Status.WAITING:  # for most of the time, and for two queries
        return Look(language=_language(contact), age=age)
    with transaction.atomic():
        if _asked_for(contact, events) is None:
            return Look(over=not _expected(contact, events), language=_language(contact), age=age)
        Contact.objects.select_for_update().get(pk=contact.pk)  # the same may be asked for twice at once
        outbound = _asked_for(contact, events)
        if outbound is None:
            return Look(age=age)
        if name not in outbound.platform_ids and not may_go(outbound):
            outbound.status, outbound.error = Outbound.Status.FAILED, "it was no longer so when it was asked for"
            outbound.save(update_fields=["status", "error"])
            return Look(over=True, language=_language(contact), age=age)
        payload, left = _give(outbound, name, contact)
        unseen = _messages(contact).filter(status=Outbound.Status.HELD, parts_sent=0)
        return Look(payload, left or unseen.exists(), OutboundMessage.from_json(outbound.content).language, age=age)


def _asked_for(contact: Contact, events: Sequence[InboundEvent]) -> Outbound | None:
    """The message of which this delivery was given a part before, else the one of which it is due the next."""
    given = _messages(contact).filter(platform_ids__contains=[events[0].event_key])
    return given.first() or _due(contact, events)


def _due(contact: Contact, events: Sequence[InboundEvent]) -> Outbound | None:
    """The kept message that these events ask for: the answer to their turn, or whatever is kept.

    What nobody has seen yet comes before the rest of what was begun, and of that the last before the older.
    """
    held = _messages(contact).filter(status=Outbound.Status.HELD)
    turn = _turn_of(events)
    if turn and turn.status != Turn.Status.SILENT:
        return held.filter(turn=turn).first()
    if turn or any("more" in event.data for event in events):
        return held.filter(parts_sent=0).order_by("pk").first() or held.order_by("-pk").first()
    return None


def _expected(contact: Contact, events: Sequence[InboundEvent]) -> bool:
    """Whether an answer to these events, whose turn waits no longer, may still come."""
    if turn := _turn_of(events):
        unsent = (Outbound.Status.PENDING, Outbound.Status.HELD)
        return Outbound.objects.filter(turn=turn, status__in=unsent).exists()
    return any("more" in event.data for event in events) and awaited(contact)


def _turn_of(events: Sequence[InboundEvent]) -> Turn | None:
    """The turn that is to answer a delivery, if it asks anything."""
    return next((event.turn for event in reversed(events) if event.turn), None)


def _give(outbound: Outbound, name: str, contact: Contact) -> tuple[Payload, bool]:
    """The part of a message that was or now is given to this delivery, and whether there are more."""
    payloads = channel_for(contact.account).render(OutboundMessage.from_json(outbound.content))
    if name not in outbound.platform_ids:
        outbound.platform_ids = [*outbound.platform_ids, name]
        outbound.parts_sent += 1
        if outbound.parts_sent >= len(payloads):
            outbound.status, outbound.sent_at = Outbound.Status.SENT, timezone.now()
        outbound.save(update_fields=["platform_ids", "parts_sent", "status", "sent_at"])
    part = outbound.platform_ids.index(name)
    return payloads[part], outbound.parts_sent < len(payloads)


def _messages(contact: Contact) -> QuerySet[Outbound]:
    return Outbound.objects.filter(conversation__contact=contact, conversation__closed=False)


def _language(contact: Contact) -> str:
    """What the contact was last answered in."""
    turns = Turn.objects.filter(conversation__contact=contact).exclude(language="").order_by("-pk")
    return turns.values_list("language", flat=True).first() or contact.language
