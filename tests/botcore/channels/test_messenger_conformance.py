"""Messenger and Instagram keep what every channel keeps."""

from __future__ import annotations

from typing import Any

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.meta_platform import APP_SECRET, SHARED, TOKEN, VERIFY_TOKEN, Signed, signed
from tests.botcore.channels.platform import Told

PAGE = "1067280970047460"
pytestmark = pytest.mark.django_db


class TestMessenger(Signed, ChannelConformance):
    name = "messenger"
    kind = "page"
    config = {"page_id": PAGE, **SHARED}
    secrets = (TOKEN, APP_SECRET, VERIFY_TOKEN)
    lacks = frozenset({"edit"})
    success = Told(200, {"recipient_id": "4711", "message_id": "m_out"})
    platform_id = "m_out"

    def events(self, *messaging: dict[str, Any]) -> dict[str, Any]:
        person = {"sender": {"id": "4711"}, "recipient": {"id": PAGE}, "timestamp": 1458692752478}
        return {
            "object": self.kind,
            "entry": [{"id": PAGE, "time": 1458692752478, "messaging": [{**person, **one} for one in messaging]}],
        }

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return signed(url, self.events({"message": {"mid": f"m_{number}", "text": text}}))

    def unknown(self, url: str) -> WebhookRequest:
        return signed(url, self.events({"pass_thread_control": {"new_owner_app_id": "1"}}))

    def button(self, url: str, token: str) -> WebhookRequest:
        if token.endswith(("a", "b", "c", "d")):  # some as postbacks, some as quick replies
            reply = {"mid": f"m_{token}", "text": "Helpful", "quick_reply": {"payload": token}}
            return signed(url, self.events({"message": reply}))
        postback = {"mid": f"m_{token}", "title": "Tell me more", "payload": token}
        return signed(url, self.events({"postback": postback}))

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        reaction = {"reaction": "love", "emoji": "❤️", "action": "react", "mid": platform_id}
        return signed(url, self.events({"reaction": reaction}))

    def media(self, url: str) -> WebhookRequest:
        image = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/v/photo.jpg"}}
        return signed(url, self.events({"message": {"mid": "m_7", "attachments": [image]}}))

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        return signed(url, self.events({"delivery": {"mids": [platform_id], "watermark": 1458668856253}}))

    def batch(self, url: str, texts: list[str]) -> WebhookRequest:
        messages = [{"message": {"mid": f"m_{n}", "text": text}} for n, text in enumerate(texts, start=30)]
        return signed(url, self.events(*messages))

    def limited(self, seconds: int | None) -> Told:
        error = {"message": "Calls to this api have exceeded the rate limit.", "code": 613}
        return Told(400, {"error": error}) if seconds is None else super().limited(seconds)

    def window_closed(self) -> Told:
        error = {"message": "(#10) outside the allowed window", "code": 10, "error_subcode": 2018278}
        return Told(400, {"error": error})


class TestInstagram(TestMessenger):
    name = "instagram"
    kind = "instagram"
    config = {"account_id": PAGE, **SHARED}
    lacks = frozenset()

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        return signed(url, self.events({"read": {"mid": platform_id}}))

    def edit(self, url: str, text: str) -> WebhookRequest:
        return signed(url, self.events({"message_edit": {"mid": "m_1", "text": text, "num_edit": 1}}))

    def window_closed(self) -> Told:
        error = {"message": "(#10) outside the allowed window", "code": 10, "error_subcode": 2534022}
        return Told(400, {"error": error})
