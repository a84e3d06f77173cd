"""The terminal as a channel: ``manage.py chat`` reads the stored reply itself; nothing to verify, nothing to send."""

from __future__ import annotations

from uuid import UUID

from botcore.channels.base import Channel
from botcore.channels.values import (
    Capabilities,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
)


class Terminal(Channel):
    name = "terminal"
    title = "Terminal"
    capabilities = Capabilities(text_limit=100_000, rate=None)

    def verify(self, request: WebhookRequest) -> bool:
        return False

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        return []

    def render(self, message: OutboundMessage) -> list[Payload]:
        return []

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        return SendResult(ok=True)
