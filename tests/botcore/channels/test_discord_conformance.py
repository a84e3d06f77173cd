"""Discord keeps what every channel keeps; its requests are signed by PyNaCl."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from nacl.signing import SigningKey

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.conformance import ChannelConformance
from tests.botcore.channels.platform import Told, as_json, delivery, with_header, without

KEY = SigningKey(b"the shop's key for tests, 32 by.")
APPLICATION = "845027738276462632"
BOT = "ODQ1MDI3.the-bots.token"
TOKEN = "aW50ZXJhY3Rpb246-token_of_one.interaction"
USER = {"id": "53908232506183680", "username": "ada", "global_name": "Ada Byron", "discriminator": "0"}
pytestmark = pytest.mark.django_db


def signed(genuine: WebhookRequest, body: bytes, key: SigningKey = KEY, at: float | None = None) -> WebhookRequest:
    """The request with another body, signed as Discord signs."""
    stamp = str(int(genuine.at if at is None else at))
    signature = key.sign(stamp.encode() + body).signature.hex()
    headers = {**genuine.headers, "x-signature-timestamp": stamp, "x-signature-ed25519": signature}
    return replace(genuine, body=body, headers=headers)


def interaction(number: int, **fields: Any) -> dict[str, Any]:
    """In the conversation with the bot alone."""
    return {
        "id": f"{846462639134605312 + number}",
        "application_id": APPLICATION,
        "token": TOKEN,
        "version": 1,
        "context": 1,
        "channel_id": "772908445358620702",
        "locale": "en-GB",
        "user": USER,
        **fields,
    }


def asked(text: str = "a green jacket", number: int = 1, **fields: Any) -> dict[str, Any]:
    """The command with its text."""
    options = [{"type": 3, "name": "text", "value": text}] if text else []
    data = {"id": "771825006014889984", "name": "ask", "type": 1, "options": options}
    return interaction(number, **{"type": 2, "data": data, **fields})


def pressed(token: str, face: str = "", **fields: Any) -> dict[str, Any]:
    """A button; thumbs have a face."""
    button = {
        "type": 2,
        "style": 2,
        "custom_id": token,
        **({"emoji": {"name": face}} if face else {"label": "1. Moss"}),
    }
    row = {"type": 1, "components": [button]}
    message = {"id": "1234567890", "content": "Here.", "components": [row]}
    data = {"component_type": 2, "custom_id": token}
    return interaction(200 + sum(token.encode()), **{"type": 3, "data": data, "message": message, **fields})


class TestDiscord(ChannelConformance):
    name = "discord"
    config = {"application_id": APPLICATION, "public_key": KEY.verify_key.encode().hex(), "bot_token": BOT}
    secrets = (BOT, TOKEN)
    contact = USER["id"]
    lacks = frozenset({"reaction", "edit", "status", "batch"})
    success = Told(200, {"id": "1100", "flags": 128, "name": "Lantern"})
    platform_id = "1100"
    address = {"token": TOKEN, "private": False}

    def delivered(self, url: str, value: Any) -> WebhookRequest:
        return signed(delivery(url, b"", {"content-type": "application/json"}), as_json(value))

    def text(self, url: str, text: str = "a green jacket", number: int = 1) -> WebhookRequest:
        return self.delivered(url, asked(text, number))

    def unknown(self, url: str) -> WebhookRequest:
        return self.delivered(url, interaction(900, type=5, data={"custom_id": "a-form", "components": []}))

    def button(self, url: str, token: str) -> WebhookRequest:
        return self.delivered(url, pressed(token))

    def media(self, url: str) -> WebhookRequest:
        file = {"id": "88", "filename": "a.png", "content_type": "image/png", "url": "https://cdn.discordapp.com/a.png"}
        data = {
            "name": "ask",
            "options": [{"type": 11, "name": "photo", "value": "88"}],
            "resolved": {"attachments": {"88": file}},
        }
        return self.delivered(url, asked(data=data))

    def limited(self, seconds: int | None) -> Told:
        body: dict[str, Any] = {"message": "You are being rate limited.", "global": False}
        return Told(429, body if seconds is None else {**body, "retry_after": seconds})

    def window_closed(self) -> Told:
        return Told(401, {"message": "Invalid Webhook Token", "code": 50027})

    def forged(self, genuine: WebhookRequest) -> Mapping[str, WebhookRequest]:
        return {
            "wrong": signed(genuine, genuine.body, SigningKey(b"another application's key, 32 by")),
            "missing": without(genuine, "x-signature-ed25519"),
            "stale": signed(genuine, genuine.body, at=genuine.at - 301),
        }

    def resigned(self, genuine: WebhookRequest, body: bytes) -> WebhookRequest:
        return signed(genuine, body)

    @pytest.mark.parametrize("stamp", ["", "soon", "9" * 400, "9" * 5000, "-1", "é"])
    def test_a_timestamp_that_is_none_is_refused(self, channel, stamp):
        genuine = self.text("https://shop.example/webhooks/discord/key")
        assert channel.verify(genuine)
        assert not channel.verify(with_header(genuine, "x-signature-timestamp", stamp))
