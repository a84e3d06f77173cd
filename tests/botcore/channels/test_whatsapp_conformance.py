"""WhatsApp keeps what every channel keeps."""

from __future__ import annotations

from typing import Any

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.meta_platform import APP_SECRET, SHARED, TOKEN, VERIFY_TOKEN, Signed, signed
from tests.botcore.channels.platform import Told

NUMBER = "106540352242922"
pytestmark = pytest.mark.django_db


def changed(value: Any, number: str = NUMBER) -> dict[str, Any]:
    """One change, as Meta wraps it."""
    metadata = {"display_phone_number": "15550783881", "phone_number_id": number}
    wrapped = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    return {"id": "102290129340398", "changes": [{"value": wrapped, "field": "messages"}]}


def entries(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"object": "whatsapp_business_account", "entry": list(changes)}


def message(number: int, kind: str, **content: Any) -> dict[str, Any]:
    contact = {"profile": {"name": "Ada Byron"}, "wa_id": "4711", "user_id": "US.13491208655302741918"}
    sent = {"from": "4711", "id": f"wamid.{number}", "timestamp": "1749416383", "type": kind, **content}
    return {"contacts": [contact], "messages": [sent]}


class TestWhatsApp(Signed, ChannelConformance):
    name = "whatsapp"
    config = {"phone_number_id": NUMBER, **SHARED}
    secrets = (TOKEN, APP_SECRET, VERIFY_TOKEN)
    success = Told(200, {"messaging_product": "whatsapp", "messages": [{"id": "wamid.out"}]})
    platform_id = "wamid.out"
    address = {"message": "wamid.1"}

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return signed(url, entries(changed(message(number, "text", text={"body": text}))))

    def unknown(self, url: str) -> WebhookRequest:
        return signed(url, entries({"id": "1", "changes": [{"field": "account_update", "value": {"event": "x"}}]}))

    def button(self, url: str, token: str) -> WebhookRequest:
        pressed = {"type": "button_reply", "button_reply": {"id": token, "title": "Tell me more"}}
        number = 200 + sum(token.encode())
        return signed(url, entries(changed(message(number, "interactive", interactive=pressed))))

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        reaction = {"message_id": platform_id, "emoji": "👍"}
        return signed(url, entries(changed(message(6, "reaction", reaction=reaction))))

    def media(self, url: str) -> WebhookRequest:
        image = {"mime_type": "image/jpeg", "sha256": "aa", "id": "1003383421387256"}
        return signed(url, entries(changed(message(7, "image", image=image))))

    def edit(self, url: str, text: str) -> WebhookRequest:
        edited = {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": text}}}
        return signed(url, entries(changed(message(8, "edit", edit=edited))))

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        status = {"id": platform_id, "status": "delivered", "timestamp": "1750263773", "recipient_id": "4711"}
        return signed(url, entries(changed({"statuses": [status]})))

    def batch(self, url: str, texts: list[str]) -> WebhookRequest:
        first, *rest = [message(number, "text", text={"body": text}) for number, text in enumerate(texts, start=30)]
        return signed(url, entries(changed(first), *(changed(one) for one in rest)))

    def limited(self, seconds: int | None) -> Told:
        error = {"message": "(#130429) Rate limit hit", "type": "OAuthException", "code": 130429}
        return Told(429, {"error": error}, {} if seconds is None else {"Retry-After": str(seconds)})

    def window_closed(self) -> Told:
        error = {"message": "Re-engagement message", "type": "OAuthException", "code": 131047, "fbtrace_id": "A"}
        return Told(400, {"error": error})
