"""Feishu and Lark keep what every channel keeps."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from Crypto.Cipher import AES
from Crypto.Util.Padding import pad

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.platform import Told, as_json, delivery, without

APP_SECRET = "dskLLdkasdjlasdKK0123456789abcde"
ENCRYPT_KEY = "kudryavka-and-loom"
TOKEN = "v-rvhgp4VXXXXXXXXXXXXXXXXXXXXXXX"
OPEN_ID = "ou_84aad35d084aa403a838cf73ee18467"
BOT = "ou_7d8a6e6df7621552ee0d21922b676767ccf"
CHAT = "oc_5ce6d572455d361153b7xx51da133945"
CONFIG = {
    "app_id": "cli_9f5343c580712544",
    "app_secret": APP_SECRET,
    "encrypt_key": ENCRYPT_KEY,
    "verification_token": TOKEN,
    "bot_open_id": BOT,
}
TOKENS = "/open-apis/auth/v3/tenant_access_token/internal"
GRANTED = Told(200, {"code": 0, "msg": "ok", "tenant_access_token": "t-granted-token", "expire": 7200})
SIGNATURE = "x-lark-signature"


def event(kind: str, body: Any, number: int = 1, **header: Any) -> dict[str, Any]:
    named = {"event_id": f"5e3702a84e847582be8db7fb73283c{number:03}", "event_type": kind, "token": TOKEN}
    more = {"create_time": "1608725989000", "tenant_key": "2ca1d211f64f6438", "app_id": CONFIG["app_id"]}
    return {"schema": "2.0", "header": {**named, **more, **header}, "event": body}


def message(content: Any, kind: str = "text", number: int = 1, **parts: Any) -> dict[str, Any]:
    """What somebody wrote to the bot; another ``number`` is another message."""
    sender = {"sender_id": {"open_id": OPEN_ID, "union_id": "on_8ed6aa67826108097d9ee143816345"}, "sender_type": "user"}
    told = {
        "message_id": f"om_5ce6d572455d361153b7cb51da{number:06}",
        "create_time": "1609073151345",
        "chat_id": CHAT,
        "chat_type": "p2p",
        "message_type": kind,
        "content": json.dumps(content, ensure_ascii=False),
        **parts,
    }
    return {"sender": sender, "message": told}


def words(text: str, number: int = 1, **parts: Any) -> dict[str, Any]:
    return event("im.message.receive_v1", message({"text": text}, number=number, **parts), number)


def sealed(plain: bytes, key: str = ENCRYPT_KEY) -> bytes:
    vector = b"0123456789abcdef"
    cipher = AES.new(sha256(key.encode()).digest(), AES.MODE_CBC, vector)
    return as_json({"encrypt": base64.b64encode(vector + cipher.encrypt(pad(plain, 16))).decode()})


def signed(url: str, body: bytes, at: float | None = None, key: str = ENCRYPT_KEY) -> WebhookRequest:
    moment = time.time() if at is None else at
    stamp, nonce = str(int(moment)), "1628673498"
    signature = sha256(f"{stamp}{nonce}{key}".encode() + body).hexdigest()
    headers = {"X-Lark-Request-Timestamp": stamp, "X-Lark-Request-Nonce": nonce, SIGNATURE: signature}
    return delivery(url, body, {**headers, "content-type": "application/json"}, moment)


class TestFeishu(ChannelConformance):
    name = "feishu"
    config = CONFIG
    secrets = (APP_SECRET, ENCRYPT_KEY, TOKEN, "t-granted-token")
    contact = OPEN_ID
    lacks = frozenset({"edit", "batch", "window"})
    pages = {TOKENS: GRANTED}
    success = Told(200, {"code": 0, "msg": "success", "data": {"message_id": "om_dc13264520392913993dd051dba21dcf"}})
    platform_id = "om_dc13264520392913993dd051dba21dcf"
    pytestmark = pytest.mark.django_db

    def delivered(self, url: str, value: Any) -> WebhookRequest:
        return signed(url, as_json(value))

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return self.delivered(url, words(text, number))

    def unknown(self, url: str) -> WebhookRequest:
        return self.delivered(url, event("im.chat.member.bot.added_v1", {"chat_id": CHAT}, 900))

    def button(self, url: str, token: str) -> WebhookRequest:
        body = {
            "operator": {"open_id": OPEN_ID},
            "token": "c-295ee57216a5dc9de90fefd0aadb4b1d7d",
            "action": {"value": {"token": token}, "tag": "button"},
            "context": {"open_message_id": self.platform_id, "open_chat_id": CHAT},
        }
        return self.delivered(url, event("card.action.trigger", body, 200 + sum(token.encode()) % 700))

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        body = {
            "message_id": platform_id,
            "reaction_type": {"emoji_type": "THUMBSUP"},
            "operator_type": "user",
            "user_id": {"open_id": OPEN_ID},
            "action_time": "1627641418803",
        }
        return self.delivered(url, event("im.message.reaction.created_v1", body, 6))

    def media(self, url: str) -> WebhookRequest:
        body = message({"image_key": "img_v2_d02bc3f1"}, "image", 7)
        return self.delivered(url, event("im.message.receive_v1", body, 7))

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        reader = {"reader_id": {"open_id": OPEN_ID}, "read_time": "1609484183000"}
        body = {"reader": reader, "message_id_list": [platform_id]}
        return self.delivered(url, event("im.message.message_read_v1", body, 8))

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        return {
            "wrong": signed(genuine.url, genuine.body, key="another key"),
            "missing": without(genuine, SIGNATURE),
            "stale": replace(signed(genuine.url, genuine.body, time.time() - 301), at=time.time()),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return signed(genuine.url, body)

    def limited(self, seconds: int | None) -> Told:
        """Older APIs say it with status 400."""
        headers = {} if seconds is None else {"x-ogw-ratelimit-limit": "100", "x-ogw-ratelimit-reset": str(seconds)}
        return Told(400, {"code": 99991400, "msg": "request trigger frequency limit"}, headers)


class TestFeishuSealed(TestFeishu):
    def delivered(self, url: str, value: Any) -> WebhookRequest:
        return signed(url, sealed(as_json(value)))

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return signed(genuine.url, sealed(body))
