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


def offer(message: OutboundMessage, outbound: Outbound, can: Capabilities) -> OutboundMessage:
    """The message with its choices, which are stored: its products from 1 on, then the two thumbs, where there are any.

    A page of our own tells us itself what was pressed on it.
    """
    if can.feedback in ("page", "none"):
        return message
    actions: list[dict[str, Any]] = [{"sku": card.sku, "text": card.title} for card in message.cards]
    if message.turn:
        actions += [{"verdict": verdict, "turn": message.turn} for verdict in ("up", "down")]
    rows = Button.objects.bulk_create(
        Button(token=make_token(), outbound=outbound, number=number, action=action)
        for number, action in enumerate(actions, start=1)
    )
    return message.with_choices(tuple(Choice(row.token, row.number) for row in rows))


def pressed(contact: Contact, token: str) -> Mapping[str, Any]:
    """What a button does that this contact was sent; nothing for any other token."""
    button = Button.objects.filter(token=token[:16], outbound__conversation__contact=contact).first()
    return button.action if button else {}


def written(contact: Contact, text: str, can: Capabilities) -> Mapping[str, Any]:
    """What a bare number means under the last message that offered any; nothing for another text or number.

    Where buttons are shown, numbers are not: there they can still name a product, but judge nothing.
    """
    found = NUMBER.fullmatch(unicodedata.normalize("NFKC", text))
    if not found or can.feedback in ("page", "none"):
        return {}
    offered = Button.objects.filter(outbound__conversation__contact=contact, outbound__conversation__closed=False)
    last = offered.order_by("-outbound_id").first()
    button = offered.filter(outbound=last.outbound_id, number=int(found[1])).first() if last else None
    if button is None or ("verdict" in button.action and can.feedback != "numbers"):
        return {}
    return button.action
