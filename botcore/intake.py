"""From a platform's events to a turn that a worker holds: everything before the dialogue thinks.

``accept`` stores, ``claim`` leases. Nothing here knows a platform or a model.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from botcore import buttons, feedback, held, holdout, queues, receipts
from botcore.channels.registry import channel_class
from botcore.channels.values import ReceivedEvent
from botcore.models import ChannelAccount, Contact, Conversation, InboundEvent, Turn
from botcore.recipients import stored_address

BURST = timedelta(seconds=1.5)
"""Messages that follow each other this quickly are one question. A turn in the making takes them in."""

TEXT_LIMIT = 4000
"""Characters of one message that are read; the rest of an endless message is cut."""

KEY_LIMIT = 190

Wake = Callable[[int], None]


@dataclass(frozen=True)
class Lease:
    """The right to answer one turn, until it expires. ``events`` is how many messages the answer must cover."""

    turn_id: int
    key: uuid.UUID
    events: int


def accept(account: ChannelAccount, received: Sequence[ReceivedEvent], wake: Wake | None = None) -> list[int]:
    """Store what a platform told us, once each, and wake a worker for every turn that now waits.

    All events of one delivery are stored, or none. Returns the ids of the turns that wait.
    """
    with transaction.atomic():
        # By contact, in each contact's own order: deliveries that share contacts never wait for each other in a ring.
        ordered = sorted(received, key=lambda event: event.contact_id)
        turns = dict.fromkeys(turn.pk for event in ordered if (turn := _take(account, event)) is not None)
        for turn_id in turns:
            for call in [wake] if wake else _wakes(account):
                transaction.on_commit(partial(call, turn_id))
    return list(turns)


def claim(turn_id: int) -> Lease | None:
    """Lease a waiting turn whose predecessors in its conversation are answered; None when it is not ours to take."""
    now = timezone.now()
    key = uuid.uuid4()
    leased = (
        Turn.objects.filter(Q(leased_until=None) | Q(leased_until__lt=now), pk=turn_id, status=Turn.Status.WAITING)
        .exclude(Exists(_earlier()))
        .update(
            lease=key, leased_until=now + timedelta(seconds=settings.TURN_LEASE_SECONDS), attempts=F("attempts") + 1
        )
    )
    if not leased:
        return None
    return Lease(turn_id, key, InboundEvent.objects.filter(turn_id=turn_id).count())


def sweep(wake: Wake | None = None) -> int:
    """Wake workers again for turns that nobody holds: a broker forgot them or a worker died. Returns how many."""
    now = timezone.now()
    late = now - timedelta(seconds=settings.SWEEP_SECONDS)
    abandoned = Turn.objects.filter(
        Q(leased_until=None, created_at__lt=late) | Q(leased_until__lt=now), status=Turn.Status.WAITING
    ).exclude(Exists(_earlier()))
    turn_ids = list(abandoned.order_by("created_at").values_list("pk", flat=True)[:500])
    if wake is None and queues.backlog("reply") >= len(turn_ids):
        return 0
    for turn_id in turn_ids:
        (wake or queues.wake_reply)(turn_id)
    return len(turn_ids)


def open_conversation(contact: Contact) -> Conversation:
    """The contact's conversation, locked for this transaction so that its turns are numbered one after the other."""
    while True:
        opened, new = Conversation.objects.get_or_create(
            contact=contact, closed=False, defaults={"shop_id": contact.account.shop_id}
        )
        if new:
            holdout.enrol(opened)
        conversation = Conversation.objects.select_for_update().filter(contact=contact, closed=False).first()
        if conversation:  # else a reset closed it in between
            return conversation


def _earlier() -> QuerySet[Turn]:
    """A turn's predecessors that still wait, for a query over turns."""
    return Turn.objects.filter(
        conversation=OuterRef("conversation"), number__lt=OuterRef("number"), status=Turn.Status.WAITING
    )


def _wakes(account: ChannelAccount) -> tuple[Wake, ...]:
    """Who hears of a waiting turn: the writers, and whoever shows on the platform that a reply is being written."""
    typing = channel_class(account.channel).capabilities.typing
    return (queues.wake_reply, queues.wake_typing) if typing else (queues.wake_reply,)


def _take(account: ChannelAccount, received: ReceivedEvent) -> Turn | None:
    """Store one event; the turn it asks to be answered in, if it asks anything and was not known before."""
    if received.kind == InboundEvent.Kind.STATUS:
        receipts.note(account, received)
        return None
    contact, _ = Contact.objects.get_or_create(
        account=account,
        external_id=received.contact_id,
        defaults={"name": received.contact_name[:200], "language": received.language[:8]},
    )
    contact.account = account  # spares a query
    received = _with_choice(contact, _as_meant(contact, received))
    event_id = _insert(account, contact, received)
    if event_id is None:
        return None
    if received.kind != InboundEvent.Kind.REACTION:
        _heard(contact, received)
    if received.kind == InboundEvent.Kind.RESET:
        Conversation.objects.filter(contact=contact, closed=False).update(closed=True)
        return None
    if "verdict" in received.data:
        feedback.record(contact, received)
        return None
    if (
        contact.stopped_at
        or received.kind == InboundEvent.Kind.START
        or not (_readable(received.text).strip() or received.media)
        or (received.data.get("more") and held.awaited(contact))
    ):
        return None
    conversation = open_conversation(contact)
    if received.kind == InboundEvent.Kind.EDIT and _corrected(contact, received):
        return None
    turn = _turn_for(conversation)
    InboundEvent.objects.filter(pk=event_id).update(turn=turn)
    Conversation.objects.filter(pk=conversation.pk).update(last_message_at=timezone.now())
    return turn


def _as_meant(contact: Contact, received: ReceivedEvent) -> ReceivedEvent:
    """A word that starts messages again, such as "yes", is an answer like any other to those who never stopped them."""
    if received.kind == InboundEvent.Kind.START and received.text.strip() and not contact.stopped_at:
        return replace(received, kind=InboundEvent.Kind.TEXT)
    return received


def _with_choice(contact: Contact, received: ReceivedEvent) -> ReceivedEvent:
    """The event with what its button or its bare number stands for. A button of nobody's making says nothing."""
    if "token" in received.data:
        action = buttons.pressed(contact, str(received.data["token"]))
    elif received.kind == InboundEvent.Kind.TEXT:
        action = buttons.written(contact, received.text, channel_class(contact.account.channel).capabilities)
    else:
        action = {}
    if not action:
        return received
    said = {name: value for name, value in action.items() if name != "text"}
    text = str(action.get("text", ""))
    return replace(received, kind=InboundEvent.Kind.BUTTON, text=text, data={**received.data, **said})


def _heard(contact: Contact, received: ReceivedEvent) -> None:
    """Note when and from where the contact wrote, and whether they want messages at all."""
    contact.heard_at, contact.sent_since = timezone.now(), 0
    if received.address:
        contact.address = stored_address(contact.account.channel, received.address)
    if received.kind == InboundEvent.Kind.STOP:
        contact.stopped_at = contact.stopped_at or contact.heard_at
    elif received.kind == InboundEvent.Kind.START:
        contact.stopped_at = None
    contact.save(update_fields=["heard_at", "sent_since", "address", "stopped_at"])


def _corrected(contact: Contact, received: ReceivedEvent) -> bool:
    """Put an edited message in the place of the one it was, while nobody is answering it. Else it is a new message."""
    waiting = InboundEvent.objects.filter(
        contact=contact,
        data__message=str(received.data.get("message", "")),
        turn__status=Turn.Status.WAITING,
        turn__leased_until=None,
    )
    return bool(waiting.update(text=_readable(received.text)))


def _insert(account: ChannelAccount, contact: Contact, received: ReceivedEvent) -> int | None:
    """The id of the new row, or None where the platform repeats itself. One statement decides, across processes."""
    event = InboundEvent(
        account=account,
        contact=contact,
        event_key=_key(received.event_key),
        kind=received.kind,
        text=_readable(received.text),
        data=_stored_data(received),
        received_at=timezone.now(),
    )
    fields = [field for field in InboundEvent._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(str(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    values = [field.get_db_prep_save(getattr(event, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {InboundEvent._meta.db_table} ({columns}) VALUES ({places})"  # noqa: S608 (names are ours)
            " ON CONFLICT (account_id, event_key) DO NOTHING RETURNING id",
            values,
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _key(event_key: str) -> str:
    """The key as it fits its column. Endless keys that begin alike stay apart."""
    return event_key if len(event_key) <= KEY_LIMIT else hashlib.sha256(event_key.encode()).hexdigest()


def _stored_data(received: ReceivedEvent) -> dict[str, Any]:
    media = [media.to_json() for media in received.media]
    return {**received.data, **({"media": media} if media else {})}


def _readable(text: str) -> str:
    return text[:TEXT_LIMIT].replace("\0", "")  # PostgreSQL stores no NUL


def _turn_for(conversation: Conversation) -> Turn:
    """The turn in the making when it is young enough to take one more message, else a new one."""
    last = conversation.turns.order_by("-number").first()
    if last and last.status == Turn.Status.WAITING and timezone.now() - last.created_at < BURST:
        return last
    return conversation.turns.create(number=last.number + 1 if last else 1)
