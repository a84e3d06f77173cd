"""LINE keeps what every channel keeps."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.platform import Told, as_json, delivery, with_header, without

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
TOKEN = "bNl4YEFPI/hjFWhTqexp4MuEw5YPs7qhr6dJDXKwNPuLka+QmvBcIc4Zy="
USER = "U4af4980629" + "0" * 22
HEADER = "x-line-signature"
REPLY_TOKEN = "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA"
pytestmark = pytest.mark.django_db


def event(number: int = 1, kind: str = "message", **parts: Any) -> dict[str, Any]:
    """An event as LINE documents it, of one person."""
    return {
        "type": kind,
        "mode": "active",
        "timestamp": 1462629479859 + number,
        "source": {"type": "user", "userId": USER},
        "webhookEventId": f"01FZ74A0TDDPYRVKNK77XKC{number:03}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": REPLY_TOKEN,
        **parts,
    }


def text_message(text: str, **parts: Any) -> dict[str, Any]:
    return {"id": "468789577898262530", "type": "text", "quoteToken": "q3Plxr4AgKd", "text": text, **parts}


def body_of(*events: Any) -> bytes:
    return as_json({"destination": "U" + "f" * 32, "events": list(events)})


def signature(body: bytes) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()


def signed(url: str, body: bytes) -> WebhookRequest:
    return delivery(url, body, {HEADER: signature(body), "content-type": "application/json; charset=utf-8"})


class TestLine(ChannelConformance):
    name = "line"
    config = {"channel_id": "1234567890", "channel_secret": SECRET, "channel_access_token": TOKEN}
    secrets = (SECRET, TOKEN)
    contact = USER
    lacks = frozenset({"reaction", "edit", "status", "window"})
    success = Told(200, {"sentMessages": [{"id": "461230966842064897", "quoteToken": "IStG5h1Tz7b"}]})
    platform_id = "461230966842064897"
    address = {"reply_token": REPLY_TOKEN}

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return signed(url, body_of(event(number, message=text_message(text))))

    def unknown(self, url: str) -> WebhookRequest:
        return signed(url, body_of(event(900, "beacon", beacon={"hwid": "d41d8cd98f", "type": "enter"})))

    def button(self, url: str, token: str) -> WebhookRequest:
        return signed(url, body_of(event(200 + sum(token.encode()) % 700, "postback", postback={"data": token})))

    def media(self, url: str) -> WebhookRequest:
        picture = {"id": "354718705033693859", "type": "image", "quoteToken": "q", "contentProvider": {"type": "line"}}
        return signed(url, body_of(event(7, message=picture)))

    def batch(self, url: str, texts: list[str]) -> WebhookRequest:
        return signed(url, body_of(*(event(number, message=text_message(text)) for number, text in enumerate(texts))))

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        another = base64.b64encode(hmac.new(b"another secret", genuine.body, hashlib.sha256).digest()).decode()
        return {"wrong": with_header(genuine, HEADER, another), "missing": without(genuine, HEADER)}

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return with_header(replace(genuine, body=body), HEADER, signature(body))

    def limited(self, seconds: int | None) -> Told:
        told = super().limited(seconds)
        return replace(told, value={"message": "The API rate limit has been exceeded. Try again later."})
