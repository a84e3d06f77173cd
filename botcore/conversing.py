"""A conversation held in this process, by the same way as on any channel: accepted, answered, stored.

For the terminal, scenario runs and benchmarks; no broker is involved.
"""

from __future__ import annotations

import uuid

from botcore import answering, intake
from botcore.channels.values import ReceivedEvent
from botcore.dialogue.ports import Ports
from botcore.models import ChannelAccount, InboundEvent, Turn
from catalog.models import Shop


class Conversing:
    """One person talking with one shop."""

    def __init__(self, shop: Shop, contact_id: str, ports: Ports) -> None:
        self.account, _ = ChannelAccount.objects.get_or_create(shop=shop, channel="terminal")
        self.contact_id = contact_id
        self.ports = ports

    def say(self, text: str) -> Turn:
        """The answered turn. Raises ``RuntimeError`` where another process took the turn (it cannot, but for a sweeper)."""
        (turn_id,) = accepted(self.account, self.contact_id, text)
        answering.answer_turn(turn_id, self.ports)
        return Turn.objects.select_related("conversation").get(pk=turn_id)

    def begin_again(self) -> None:
        """Close the conversation; the next message opens another."""
        accepted(self.account, self.contact_id, "", InboundEvent.Kind.RESET)


def accepted(account: ChannelAccount, contact_id: str, text: str, kind: str = InboundEvent.Kind.TEXT) -> list[int]:
    """The ids of the turns that what somebody sends opens; the caller answers them."""
    event = ReceivedEvent(event_key=uuid.uuid4().hex, kind=kind, contact_id=contact_id, text=text)
    return intake.accept(account, [event], wake=_nobody)


def _nobody(turn_id: int) -> None:
    """The caller answers the turn itself."""
