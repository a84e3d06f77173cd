"""Telegram keeps what every channel keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.conftest import SECRET, TOKEN, update
from tests.botcore.channels.platform import Told, as_json, delivery, with_header, without

HEADER = "x-telegram-bot-api-secret-token"
pytestmark = pytest.mark.django_db


class TestTelegram(ChannelConformance):
    name = "telegram"
    config = {"token": TOKEN, "secret": SECRET}
    secrets = (TOKEN, SECRET)
    lacks = frozenset({"status", "batch", "window"})
    success = Told(200, {"ok": True, "result": {"message_id": 81, "username": "shop_bot"}})
    platform_id = "81"
    signs_body = False

    def delivered(self, url: str, value: Any) -> WebhookRequest:
        return delivery(url, as_json(value), {HEADER: SECRET, "content-type": "application/json"})

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return self.delivered(url, update(number, text, message_id=100 + number))

    def unknown(self, url: str) -> WebhookRequest:
        return self.delivered(url, {"update_id": 900, "my_chat_member": {"chat": {"id": 4711}}})

    def button(self, url: str, token: str) -> WebhookRequest:
        person = update()["message"]["from"]
        number = 200 + sum(token.encode())
        return self.delivered(url, {"update_id": number, "callback_query": {"id": "q1", "from": person, "data": token}})

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        value = {"chat": {"id": 4711, "type": "private"}, "message_id": int(platform_id), "old_reaction": []}
        return self.delivered(
            url, {"update_id": 6, "message_reaction": {**value, "new_reaction": [{"type": "emoji", "emoji": "👍"}]}}
        )

    def media(self, url: str) -> WebhookRequest:
        value = update(7)
        del value["message"]["text"]
        sizes = [{"file_id": name, "file_unique_id": name, "width": 90, "height": 90} for name in ("small", "large")]
        return self.delivered(url, {**value, "message": {**value["message"], "photo": sizes}})

    def edit(self, url: str, text: str) -> WebhookRequest:
        value = update(8, text, message_id=101, edit_date=2)
        return self.delivered(url, {"update_id": 8, "edited_message": value["message"]})

    def limited(self, seconds: int | None) -> Told:
        parameters = {} if seconds is None else {"parameters": {"retry_after": seconds}}
        return Told(429, {"ok": False, "error_code": 429, "description": "Too Many Requests", **parameters})

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        return {"wrong": with_header(genuine, HEADER, SECRET[:-1]), "missing": without(genuine, HEADER)}

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return replace(genuine, body=body)
