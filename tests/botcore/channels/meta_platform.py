"""Meta's side of the wire: signed deliveries of WhatsApp, Messenger and Instagram in their documented shapes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.platform import as_json, delivery, with_header, without

TOKEN = "EAAGm0PX4ZCpsBAKZCZBtheTokenOfTheAccount"
APP_SECRET = "0123456789abcdef0123456789abcdef"
VERIFY_TOKEN = "the-verify-token-of-this-account"
SHARED = {"token": TOKEN, "app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN}
SIGNATURE = "x-hub-signature-256"


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(url: str, value: Any) -> WebhookRequest:
    body = value if isinstance(value, bytes) else as_json(value)
    return delivery(url, body, {SIGNATURE: signature(body), "content-type": "application/json"})


class Signed:
    """The forgeries that all three platforms share."""

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        return {
            "wrong": with_header(genuine, SIGNATURE, signature(genuine.body, APP_SECRET[:-1] + "0")),
            "missing": without(genuine, SIGNATURE),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return replace(genuine, body=body, headers={**genuine.headers, SIGNATURE: signature(body)})
