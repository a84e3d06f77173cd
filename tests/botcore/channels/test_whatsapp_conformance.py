"""WhatsApp keeps what every channel keeps."""

from __future__ import annotations

from typing import Any

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.meta_platform import (
    APP_SECRET,
    NUMBER,
    TOKEN,
    VERIFY,
    MetaConformance,
    change,
    message,
    refusal,
    signed,
    status,
    whatsapp,
)
from tests.botcore.channels.platform import Told

pytestmark = pytest.mark.django_db


class TestWhatsApp(MetaConformance):
    name = "whatsapp"
    config = {"phone_number_id": NUMBER, "token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY}
    platform_id = "wamid.out"
    success = Told(200, {"messaging_product": "whatsapp", "messages": [{"id": "wamid.out"}], "id": NUMBER})
    address = {"message": "wamid.1"}

    def told(self, url: str, *messages: Any) -> WebhookRequest:
        return signed(url, whatsapp(change(*messages)))

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return self.told(url, message("text", {"body": text}, number))

    def unknown(self, url: str) -> WebhookRequest:
        return signed(url, whatsapp({"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}))

    def button(self, url: str, token: str) -> WebhookRequest:
        chosen = {"type": "list_reply", "list_reply": {"id": token, "title": "2. Rain shell"}}
        return self.told(url, message("interactive", chosen, sum(token.encode())))

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        return self.told(url, message("reaction", {"message_id": platform_id, "emoji": "👍🏽"}, 6))

    def media(self, url: str) -> WebhookRequest:
        photo = {"id": "1003383421387256", "mime_type": "image/jpeg", "sha256": "a="}
        return self.told(url, message("image", photo, 7))

    def edit(self, url: str, text: str) -> WebhookRequest:
        words = {"type": "text", "text": {"body": text}}
        return self.told(url, message("edit", {"original_message_id": "wamid.1", "message": words}, 8))

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        return signed(url, whatsapp(change(statuses=[status(platform_id, "delivered")])))

    def batch(self, url: str, texts: list[str]) -> WebhookRequest:
        return self.told(url, *(message("text", {"body": text}, number) for number, text in enumerate(texts, start=20)))

    def window_closed(self) -> Told:
        return refusal(400, 131047, "(#131047) Re-engagement message")
