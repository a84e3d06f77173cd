"""What a customer may choose under a reply: stored with it, and found again by a button's token or a written number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from botcore.channels.values import Capabilities, Choice, OutboundMessage
from botcore.models import Button, Contact, Outbound
from botcore.models.conversations import make_token

NUMBER = re.compile(r"\s*(?:no\.?|#|第)?\s*([0-9]{1,2})\s*[.)。、号]?\s*", re.IGNORECASE)
LOOKED_BACK = 4
"""How many messages back a number may reach, past those that offer nothing."""


def offer(message: OutboundMessage, outbound: Outbound, can: Capabilities) -> OutboundMessage:
    """The message with its choices, which are stored: its products from 1 on, then the two thumbs, where there are any.

    A page of our own tells us itself what was pressed on it.
    """
    if can.feedback in ("page", "none"):
        return message
    rows = Button.objects.bulk_create(
        Button(token=make_token(), outbound=outbound, number=number, action=action)
        for number, action in enumerate(_actions(message, can), start=1)
    )
    return message.with_choices(tuple(Choice(row.token, row.number) for row in rows))


def pressed(contact: Contact, token: str) -> Mapping[str, Any]:
    """What a button does that this contact was sent; nothing for any other token."""
    button = Button.objects.filter(token=token[:16], outbound__conversation__contact=contact).first()
    return button.action if button else {}


def written(contact: Contact, text: str, can: Capabilities) -> Mapping[str, Any]:
    """What a bare number means under the last message that offered any; nothing for another text or number.

    Products have numbers everywhere, by their order; the thumbs only where these are shown.
    """
    found = NUMBER.fullmatch(unicodedata.normalize("NFKC", text))
    if not found:
        return {}
    sent = Outbound.objects.filter(conversation__contact=contact, conversation__closed=False).order_by("-pk")
    messages = (OutboundMessage.from_json(outbound.content) for outbound in sent[:LOOKED_BACK])
    offering = next((message for message in messages if message.cards or message.up), None)
    actions = _actions(offering, can) if offering else []
    action = actions[int(found[1]) - 1] if 0 < int(found[1]) <= len(actions) else {}
    return {} if "verdict" in action and can.feedback != "numbers" else action


def _actions(message: OutboundMessage, can: Capabilities) -> list[dict[str, Any]]:
    """What can be chosen under a message, in the order of the numbers.

    Where thumbs are numbers, a reply without products has none: "2" may answer what it asks.
    """
    actions: list[dict[str, Any]] = [{"sku": card.sku, "text": card.title} for card in message.cards]
    if message.turn and (message.cards or can.feedback != "numbers"):
        actions += [{"verdict": verdict, "turn": message.turn} for verdict in ("up", "down")]
    return actions
