"""Slack keeps what every channel keeps; its requests are signed by ``slack_sdk``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk.signature import SignatureVerifier

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.platform import Told, as_json, delivery, with_header, without

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-1111-2222-the-bots-token"
CHANNEL = "D024BE91L"
pytestmark = pytest.mark.django_db


def signed(genuine: WebhookRequest, body: bytes, secret: str = SECRET, at: float | None = None) -> WebhookRequest:
    """The request with another body, signed as Slack signs. Its SDK signs texts only, so bytes are stood in for."""
    stamp = str(int(genuine.at if at is None else at))
    text = body.decode("utf-8", "replace")
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=text)
    headers = {**genuine.headers, "x-slack-request-timestamp": stamp, "x-slack-signature": str(signature)}
    return replace(genuine, body=body, headers=headers)


def event(number: int = 1, team: str = "T1", **fields: Any) -> dict[str, Any]:
    """One event as the Events API delivers it."""
    return {
        "token": "deprecated",
        "team_id": team,
        "api_app_id": "A1",
        "type": "event_callback",
        "event_id": f"Ev{number:08}",
        "event_time": 1355517523,
        "authorizations": [{"enterprise_id": None, "team_id": team, "user_id": "U0BOT", "is_bot": True}],
        "event": {"event_ts": f"{1355517523 + number}.000005", **fields},
    }


def message(text: str = "a green jacket", number: int = 1, **fields: Any) -> dict[str, Any]:
    """A direct message to the bot."""
    stamp = f"{1355517523 + number}.000005"
    base = {"type": "message", "channel": CHANNEL, "channel_type": "im", "user": "U2147483697", "ts": stamp}
    return event(number, **{**base, "text": text, **fields})


def pressed(token: str, **fields: Any) -> dict[str, Any]:
    """A pressed button of one of our messages."""
    stamp = "1548261231.000200"
    action = {"type": "button", "block_id": "=qXel", "action_id": "choose", "value": token, "action_ts": "1548426417.8"}
    return {
        "type": "block_actions",
        "team": {"id": "T1", "domain": "example"},
        "user": {"id": "U2147483697", "username": "ada", "team_id": "T1"},
        "api_app_id": "A1",
        "container": {"type": "message", "message_ts": stamp, "channel_id": CHANNEL, "is_ephemeral": False},
        "channel": {"id": CHANNEL, "name": "directmessage"},
        "message": {"type": "message", "bot_id": "B1", "ts": stamp, "text": "Here."},
        "actions": [action],
        **fields,
    }


class TestSlack(ChannelConformance):
    name = "slack"
    config = {"token": TOKEN, "signing_secret": SECRET}
    secrets = (TOKEN, SECRET)
    contact = "U2147483697"
    lacks = frozenset({"status", "batch", "window"})
    success = Told(200, {"ok": True, "channel": CHANNEL, "ts": "1503435956.000247", "user": "shop", "team": "Lantern"})
    platform_id = f"{CHANNEL}:1503435956.000247"
    address = {"channel": CHANNEL}

    def delivered(self, url: str, value: Any) -> WebhookRequest:
        request = delivery(url, b"", {"content-type": "application/json"})
        return signed(request, as_json(value))

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return self.delivered(url, message(text, number))

    def unknown(self, url: str) -> WebhookRequest:
        return self.delivered(url, event(type="app_home_opened", user="U2147483697", channel=CHANNEL, tab="home"))

    def button(self, url: str, token: str) -> WebhookRequest:
        request = delivery(url, b"", {"content-type": "application/x-www-form-urlencoded"})
        return signed(request, urlencode({"payload": json.dumps(pressed(token))}).encode())

    def reaction(self, url: str, platform_id: str) -> WebhookRequest:
        channel, _, stamp = platform_id.partition(":")
        item = {"type": "message", "channel": channel, "ts": stamp}
        return self.delivered(
            url, event(type="reaction_added", user="U2147483697", reaction="+1", item_user="U0BOT", item=item)
        )

    def media(self, url: str) -> WebhookRequest:
        file = {"id": "F1", "mimetype": "image/png", "url_private": "https://files.slack.com/files-pri/T1-F1/a.png"}
        return self.delivered(url, message("", subtype="file_share", files=[file]))

    def edit(self, url: str, text: str) -> WebhookRequest:
        return self.delivered(url, edited("a green jacket", text))

    def limited(self, seconds: int | None) -> Told:
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        return Told(429, {"ok": False, "error": "ratelimited"}, headers)

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        return {
            "wrong": signed(genuine, genuine.body, SECRET[::-1]),
            "missing": without(genuine, "x-slack-signature"),
            "stale": signed(genuine, genuine.body, at=genuine.at - 301),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return signed(genuine, body)

    @pytest.mark.parametrize("stamp", ["", "soon", "9" * 400, "9" * 5000, "-1", "1e9", "٣"])
    def test_a_timestamp_that_is_none_is_refused(self, channel, stamp):
        genuine = self.text("https://shop.example/webhooks/slack/key")
        assert channel.verify(genuine)
        assert not channel.verify(with_header(genuine, "x-slack-request-timestamp", stamp))


def edited(before: str, after: str, **fields: Any) -> dict[str, Any]:
    """The first direct message with other words."""
    stamp = "1355517524.000005"
    old = {"type": "message", "user": "U2147483697", "text": before, "ts": stamp}
    new = {**old, "text": after, "edited": {"user": "U2147483697", "ts": "1355517600.000000"}, **fields}
    base = {"type": "message", "subtype": "message_changed", "channel": CHANNEL, "channel_type": "im", "hidden": True}
    return event(8, **base, ts="1355517600.000100", message=new, previous_message=old)
