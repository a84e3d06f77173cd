"""The terminal as a channel: ``manage.py chat`` reads the stored reply itself; nothing to verify, nothing to send."""

from __future__ import annotations

from django.http import HttpRequest

from botcore.channels.base import Capabilities, Channel, OutboundMessage, Payload, ReceivedEvent, SendResult


class Terminal(Channel):
    name = "terminal"
    capabilities = Capabilities(
        text_limit=100_000, text_unit="characters", buttons=0, button_payload_bytes=0, pictures=False, typing=False
    )

    def verify(self, request: HttpRequest) -> bool:
        return False

    def parse(self, body: bytes) -> list[ReceivedEvent]:
        return []

    def render(self, message: OutboundMessage) -> list[Payload]:
        return []

    def send(self, contact_id: str, payload: Payload) -> SendResult:
        return SendResult(ok=True)
