"""A shop's own app keeps what every channel keeps."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

import pytest
from standardwebhooks.webhooks import Webhook

from botcore.channels.base import Channel
from botcore.channels.registry import channel_class
from botcore.channels.values import WebhookRequest
from botcore.delivery import SENDING
from botcore.models import Outbound
from tests.botcore.channels.conformance import KEY, ChannelConformance
from tests.botcore.channels.platform import PlatformServer, Told, as_json, delivery, with_header, without

SECRET = "whsec_" + base64.b64encode(b"the app signs with these 32 byte").decode()
REPLY_SECRET = "whsec_" + base64.b64encode(b"and we sign our replies with it!").decode()
CONFIG = {
    "reply_url": "https://app.example/replies",
    "secret": SECRET,
    "reply_secret": REPLY_SECRET,
    "media_hosts": "cdn.app.example, voice.app.example",
}
CONTACT = {"id": "4711", "name": "Ada Byron", "language": "en-GB"}
pytestmark = pytest.mark.django_db


def signed(
    url: str, body: bytes, message_id: str = "msg-1", secret: str = SECRET, at: float | None = None
) -> WebhookRequest:
    """A body as an app signs it with the library that others use."""
    now = time.time() if at is None else at
    text = body.decode(errors="replace")
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": Webhook(secret).sign(message_id, datetime.fromtimestamp(int(now), UTC), text),
        "content-type": "application/json",
    }
    return delivery(url, body, headers)


def told(url: str, kind: str, message_id: str = "msg-1", **data: Any) -> WebhookRequest:
    return signed(url, as_json({"type": kind, "data": {"contact": CONTACT, **data}}), message_id)


class TestGeneric(ChannelConformance):
    name = "generic"
    config = CONFIG
    secrets = (SECRET, REPLY_SECRET)
    lacks = frozenset({"batch", "window"})
    success = Told(200, {})
    platform_id = str(KEY)

    def sent_as(self, outbound: Outbound) -> str:
        """An app that gives no id of its own has the key of our call."""
        return str(uuid5(SENDING, f"{outbound.conversation.contact.account.key}/{outbound.pk}/0"))

    def to(self, platform: PlatformServer) -> Channel:
        """The app has no API of its own: replies go to its one address."""
        here = {"reply_url": f"{platform.address}/replies", "allow_private": "yes"}
        return channel_class(self.name)(channel_class(self.name).prepare_config({**self.config, **here}), "account-key")

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return told(url, "message", f"msg-{number}", id=f"m-{number}", text=text)

    def unknown(self, url: str) -> WebhookRequest:
        return told(url, "seen_page", "msg-9")

    def button(self, url: str, token: str) -> WebhookRequest:
        return told(url, "choice", f"press-{token}", token=token)

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        return told(url, "reaction", message=platform_id, verdict="up")

    def media(self, url: str) -> WebhookRequest:
        return told(url, "message", media=[{"kind": "photo", "url": "https://cdn.app.example/1.jpg"}])

    def edit(self, url: str, text: str) -> WebhookRequest:
        return told(url, "edit", "msg-1-edited", id="m-1", text=text)

    def status(self, url: str, platform_id: str) -> WebhookRequest:
        return told(url, "receipt", message=platform_id, status="delivered")

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        return {
            "wrong": signed(genuine.url, genuine.body, secret=REPLY_SECRET),
            "missing": without(genuine, "webhook-signature"),
            "stale": signed(genuine.url, genuine.body, at=time.time() - 400),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        signature = signed(genuine.url, body).headers["webhook-signature"]
        return replace(with_header(genuine, "webhook-signature", signature), body=body)
