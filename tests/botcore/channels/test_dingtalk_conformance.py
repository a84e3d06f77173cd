"""DingTalk keeps what every channel keeps. No SDK signs for it: signatures follow the documented formula."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.platform import Told, as_json, delivery, without

APP_KEY = "dingabcdef0123456789"
SECRET = "this-is-a-secret_0123456789abcdefghijklmnopqrstuvwxyz"
CONFIG = {"app_key": APP_KEY, "app_secret": SECRET}
SENDER = "$:LWCP_v1:$Ff09GIxxxxx"
GROUP = "cidE1Fqxxxxx=="
ADDRESS = "/robot/sendBySession?session=1f5cf0d4b7"
UNTIL = int((time.time() + 5400) * 1000)
GRANTED = Told(200, {"accessToken": "granted-access-token", "expireIn": 7200})
TOKENS = "/v1.0/oauth2/accessToken"


def message(number: int = 1, kind: str = "text", **parts: Any) -> dict[str, Any]:
    """What an outsider writes to the robot; another ``number`` is another message."""
    return {
        "msgId": f"msg0xxxxx{number:03}",
        "msgtype": kind,
        "conversationId": "cidB7Zkxxxxx==",
        "conversationType": "1",
        "chatbotUserId": "$:LWCP_v1:$8IsdyQxxxxx",
        "robotCode": APP_KEY,
        "senderId": SENDER,
        "senderNick": "小钉",
        "isAdmin": False,
        "createAt": 1613630252678,
        "sessionWebhook": f"https://oapi.dingtalk.com{ADDRESS}",
        "sessionWebhookExpiredTime": UNTIL,
        **parts,
    }


def words(text: str, number: int = 1, **parts: Any) -> dict[str, Any]:
    return message(number, text={"content": f" {text} "}, **parts)


def signed(url: str, body: bytes, at: float | None = None, secret: str = SECRET) -> WebhookRequest:
    moment = time.time() if at is None else at
    stamp = str(int(moment * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    headers = {"timestamp": stamp, "sign": base64.b64encode(digest).decode(), "content-type": "application/json"}
    return delivery(url, body, headers, moment)


class TestDingTalk(ChannelConformance):
    name = "dingtalk"
    config = CONFIG
    secrets = (SECRET, "granted-access-token", "1f5cf0d4b7")
    contact = SENDER
    lacks = frozenset({"button", "reaction", "edit", "status", "batch"})
    pages = {TOKENS: GRANTED}
    success = Told(200, {"errcode": 0, "errmsg": "ok"})
    platform_id = ""
    address = {"session": ADDRESS, "until": UNTIL}
    signs_body = False
    pytestmark = pytest.mark.django_db

    def delivered(self, url: str, value: Any) -> WebhookRequest:
        return signed(url, as_json(value))

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return self.delivered(url, words(text, number))

    def unknown(self, url: str) -> WebhookRequest:
        return self.delivered(url, {"eventType": "something new"})

    def media(self, url: str) -> WebhookRequest:
        return self.delivered(url, message(7, "picture", content={"downloadCode": "mIofN681YE3f"}))

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        return {
            "wrong": signed(genuine.url, genuine.body, secret="another secret"),
            "missing": without(genuine, "sign"),
            "stale": replace(signed(genuine.url, genuine.body, time.time() - 3601), at=time.time()),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return replace(genuine, body=body)

    def limited(self, seconds: int | None) -> Told:
        value = {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}
        return Told(200, value) if seconds is None else Told(429, value, {"Retry-After": str(seconds)})

    def window_closed(self) -> Told:
        return Told(200, {"errcode": 300001, "errmsg": "session 不存在"})
