"""What a customer may choose under a reply: stored with it, and found again by a button's token or a written number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from botcore.channels.values import Capabilities, Card, Choice, OutboundMessage
from botcore.models import Button, Contact, Outbound
from botcore.models.conversations import make_token

NUMBER = re.compile(r"\s*(?:no\.?|#|第)?\s*([0-9]{1,2})\s*[.)。、号]?\s*", re.IGNORECASE)
LOOKED_BACK = 4
"""How many messages back a number may reach, past those that offer nothing."""
UNSEEN = Q(status__in=(Outbound.Status.FAILED, Outbound.Status.HELD), parts_sent=0)
"""Messages of which the customer has nothing: given up, or kept until the platform asks."""


def offer(message: OutboundMessage, outbound: Outbound, can: Capabilities) -> OutboundMessage:
    """The message with its choices, which are stored: its products from 1 on, then the two thumbs, where there are any.

    Where thumbs are numbers, those of a reply without products come after the numbers that the last products still have.
    A page of our own tells us itself what was pressed on it.
    """
    if can.feedback in ("page", "none"):
        return message
    taken = 0 if message.cards or can.feedback != "numbers" else _products_numbered(outbound)
    rows = Button.objects.bulk_create(
        Button(token=make_token(), outbound=outbound, number=number, action=action)
        for number, action in enumerate(_actions(message, can), start=taken + 1)
    )
    return message.with_choices(tuple(Choice(row.token, row.number) for row in rows))


def pressed(contact: Contact, token: str) -> Mapping[str, Any]:
    """What a button does that this contact was sent; nothing for any other token."""
    button = Button.objects.filter(token=token[:16], outbound__conversation__contact=contact).first()
    return button.action if button else {}


def written(contact: Contact, text: str, can: Capabilities) -> Mapping[str, Any]:
    """What a bare number means under the last message that the customer saw with any; nothing for another text or number.

    Products have numbers everywhere, by their order; the thumbs only where these are shown, and there a reply without
    products leaves the products before it theirs.
    """
    found = NUMBER.fullmatch(unicodedata.normalize("NFKC", text))
    if not found:
        return {}
    talk = Outbound.objects.filter(conversation__contact=contact, conversation__closed=False)
    for message in _last_of(talk.exclude(UNSEEN)):
        numbered = _numbered(message, can)
        if action := numbered.get(int(found[1])):
            return action
        if message.cards or (message.up and not numbered):
            return {}
    return {}


def _products_numbered(outbound: Outbound) -> int:
    """How many products the customer may still choose by number when a message without any comes."""
    before = Outbound.objects.filter(conversation=outbound.conversation_id, pk__lt=outbound.pk)
    return next((len(message.cards) for message in _last_of(before) if message.cards), 0)


def _last_of(messages: QuerySet[Outbound]) -> Iterator[OutboundMessage]:
    """The last few messages, the newest first."""
    for outbound in messages.order_by("-pk")[:LOOKED_BACK]:
        yield OutboundMessage.from_json(outbound.content)


def _numbered(message: OutboundMessage, can: Capabilities) -> dict[int, dict[str, Any]]:
    """What the numbers mean that a message shows or implies."""
    found = dict(enumerate(map(_choice_of, message.cards), start=1))
    if can.feedback == "numbers" and message.up and message.down:
        thumbs = {"up": message.up, "down": message.down}
        found |= {choice.number: _verdict(verdict, message) for verdict, choice in thumbs.items()}
    return found


def _actions(message: OutboundMessage, can: Capabilities) -> list[dict[str, Any]]:
    """What can be chosen under a message, in the order of the numbers.

    Where thumbs are numbers, a reply that neither shows products nor rests on anything has none: "2" may answer what it
    asks.
    """
    actions = [_choice_of(card) for card in message.cards]
    if message.turn and (message.cards or message.source or can.feedback != "numbers"):
        actions += [_verdict(verdict, message) for verdict in ("up", "down")]
    return actions


def _choice_of(card: Card) -> dict[str, Any]:
    return {"sku": card.sku, "text": card.title}


def _verdict(verdict: str, message: OutboundMessage) -> dict[str, Any]:
    return {"verdict": verdict, "turn": message.turn}
