"""What platforms post to us when a customer writes: genuine requests in their documented shapes, signed as they sign them.

One function a channel, made of the account's settings alone; a new channel is such a function and a line in ``PLATFORMS``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from nacl.signing import SigningKey
from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator

from botcore.channels.webchat.visitor import TOKEN_HEADER, cookie_of, token_for
from botcore.models import ChannelAccount

PERSON = 1_000_000
"""The first customer's number; every message is from another one."""
DISCORD = SigningKey(b"\1" * 32)
"""What stands for Discord's own key."""


@dataclass(frozen=True)
class Post:
    """One request of a platform."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Connected:
    """An account as its platform sees it: the address to call (the web chat's page), and the settings of both sides."""

    account: ChannelAccount
    url: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Platform:
    """``config`` is what an operator gives; ``{api}`` in it is the address of the server that stands for the platform.

    ``post`` makes the request for message ``number``, with its text.
    """

    post: Callable[[Connected, int, str], Post]
    config: Mapping[str, str]


def telegram(at: Connected, number: int, text: str) -> Post:
    return as_json(
        at.url, update(number, PERSON + number, text), {"X-Telegram-Bot-Api-Secret-Token": at.config["secret"]}
    )


def twilio(at: Connected, number: int, text: str) -> Post:
    sid = f"SM{number:032x}"
    form = {
        "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "SmsStatus": "received", "NumMedia": "0", "NumSegments": "1",
        "AccountSid": at.config["account_sid"], "From": f"+1555{PERSON + number}", "To": at.config["from_number"],
        "FromCountry": "US", "ToCountry": "US", "Body": text, "ApiVersion": "2010-04-01",
    }  # fmt: skip
    signature = RequestValidator(at.config["auth_token"]).compute_signature(at.url, form)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return Post(at.url, headers, urlencode(form).encode())


def generic(at: Connected, number: int, text: str) -> Post:
    contact = {"id": str(PERSON + number), "name": f"Person {number}", "language": "en"}
    post = as_json(at.url, {"type": "message", "data": {"contact": contact, "id": f"m-{number}", "text": text}}, {})
    now = datetime.now(UTC)
    signature = Webhook(at.config["secret"]).sign(f"msg-{number}", now, post.body.decode())
    signed = {
        "webhook-id": f"msg-{number}",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    return Post(post.url, {**post.headers, **signed}, post.body)


def webchat(at: Connected, number: int, text: str) -> Post:
    visitor = f"bench-visitor-{number}"
    name, value = cookie_of(at.account, visitor)
    own = {"Cookie": f"{name}={value}", TOKEN_HEADER: token_for(at.account, visitor)}
    return as_json(f"{at.url}messages", {"id": f"message-{number}", "text": text}, own)


def slack(at: Connected, number: int, text: str) -> Post:
    now = int(time.time())
    moment = f"{now}.{number:06}"
    event = {
        "type": "message", "channel_type": "im", "channel": f"D{PERSON + number}", "user": f"U{PERSON + number}",
        "text": text, "ts": moment, "event_ts": moment,
    }  # fmt: skip
    body = {
        "type": "event_callback", "event_id": f"Ev{number}", "event_time": now, "team_id": "T1", "api_app_id": "A1",
        "event": event, "authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True}],
    }  # fmt: skip
    post = as_json(at.url, body, {"X-Slack-Request-Timestamp": str(now)})
    digest = hmac.new(
        at.config["signing_secret"].encode(), f"v0:{now}:".encode() + post.body, hashlib.sha256
    ).hexdigest()
    return Post(post.url, {**post.headers, "X-Slack-Signature": f"v0={digest}"}, post.body)


def discord(at: Connected, number: int, text: str) -> Post:
    """The command ``/ask`` in the conversation with the bot alone."""
    now = str(int(time.time()))
    user = {"id": str(8 * 10**17 + number), "username": f"person{number}", "global_name": f"Person {number}"}
    command = {"id": "1", "name": "ask", "type": 1, "options": [{"type": 3, "name": "text", "value": text}]}
    body = {
        "id": str(9 * 10**17 + number), "application_id": at.config["application_id"], "token": f"token-{number}", "version": 1,
        "type": 2, "context": 1, "channel_id": str(7 * 10**17 + number), "locale": "en-US", "user": user, "data": command,
    }  # fmt: skip
    post = as_json(at.url, body, {"X-Signature-Timestamp": now})
    signature = DISCORD.sign(now.encode() + post.body).signature.hex()
    return Post(post.url, {**post.headers, "X-Signature-Ed25519": signature}, post.body)


PLATFORMS: Mapping[str, Platform] = {
    "telegram": Platform(telegram, {"token": "12345:" + "a" * 35, "api_base_url": "{api}"}),
    "generic": Platform(generic, {"reply_url": "{api}/replies", "allow_private": "yes"}),
    "twilio": Platform(
        twilio,
        {
            "account_sid": "AC" + "0" * 32,
            "auth_token": "f" * 32,
            "from_number": "+15550006789",
            "api_base_url": "{api}",
        },
    ),
    "webchat": Platform(webchat, {}),
    "slack": Platform(slack, {"token": "xoxb-" + "1" * 24, "signing_secret": "e" * 32, "api_base_url": "{api}"}),
    "discord": Platform(
        discord,
        {
            "application_id": "8" * 18,
            "public_key": DISCORD.verify_key.encode().hex(),
            "bot_token": "a.b.c",
            "api_base_url": "{api}",
        },
    ),
}


def update(number: int, person: int, text: str) -> dict[str, object]:
    """A text message as Telegram sends it."""
    who = {"id": person, "is_bot": False, "first_name": f"Person {person}", "language_code": "en"}
    chat = {"id": person, "type": "private", "first_name": who["first_name"]}
    message = {"message_id": number, "date": int(time.time()), "from": who, "chat": chat, "text": text}
    return {"update_id": number, "message": message}


def as_json(url: str, value: Any, headers: Mapping[str, str]) -> Post:
    return Post(url, {"Content-Type": "application/json", **headers}, json.dumps(value).encode())
