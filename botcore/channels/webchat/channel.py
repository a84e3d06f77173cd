"""The web chat behind the channel interface. Its pages post to their own views, so there is no webhook to verify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

from botcore.channels.base import Channel, Field
from botcore.channels.values import (
    Capabilities,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
)
from botcore.channels.webchat.stream import notify
from botcore.models import ChannelAccount
from botcore.security import seal
from catalog.models import Shop


class WebChat(Channel):
    name = "webchat"
    title = "Web chat"
    capabilities = Capabilities(
        text_limit=20_000,
        buttons=8,
        payload_bytes=200,
        pictures=True,
        carousel=8,
        feedback="page",
        typing=True,
        rate=None,
        idempotent=True,
    )
    fields = (
        Field(
            "origin",
            "The site that may show the chat",
            "for example https://shop.example; without it any site may",
            pattern="https?://.+",
            required=False,
        ),
    )
    steps = ("Put the line below into the pages of your site, or link to the chat's own page.",)

    def verify(self, request: WebhookRequest) -> bool:
        return False

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        return []

    def render(self, message: OutboundMessage) -> list[Payload]:
        """One wake-up: the page reads the stored reply itself."""
        return [{}]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        notify(self.account_key, recipient.contact_id)
        return SendResult(ok=True)

    def announce(self, contact_id: str) -> None:
        notify(self.account_key, contact_id)

    def typing(self, recipient: Recipient) -> None:
        notify(self.account_key, recipient.contact_id)

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        prepared = super().prepare_config(config)
        origin = prepared.get("origin", "").rstrip("/")
        parts = urlsplit(origin)
        if origin and (parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}"):
            raise ValueError(
                f'origin="{origin}" is not a site\'s origin; write for example origin=https://shop.example'
            )
        return {"origin": origin} if origin else {}

    def connect(self, webhook_url: str) -> Sequence[str]:
        account = ChannelAccount.objects.select_related("shop").get(key=self.account_key)
        page = f"{settings.PUBLIC_URL}/chat/{account.shop.slug}/"
        return [f"page: {page}", f'widget: <script src="{page}widget.js" async></script>']


def ensure_webchat(shop: Shop) -> ChannelAccount:
    """The shop's web chat, made if it has none. Safe against two callers at once."""
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)
        account = ChannelAccount.objects.filter(shop=shop, channel=WebChat.name, active=True).order_by("pk").first()
        return account or ChannelAccount.objects.create(shop=shop, channel=WebChat.name, sealed_config=seal({}))
