"""What platforms post to us when a customer writes: genuine requests in their documented shapes, signed as they sign them.

One function a channel, made of the account's settings alone; a new channel is such a function and a line in ``PLATFORMS``.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from jwt.algorithms import RSAAlgorithm
from nacl.signing import SigningKey
from standardwebhooks.webhooks import Webhook
from twilio.request_validator import RequestValidator

from botcore.channels.webchat.visitor import TOKEN_HEADER, cookie_of, token_for
from botcore.models import ChannelAccount

PERSON = 1_000_000
"""The first customer's number; every message is from another one."""
DISCORD = SigningKey(b"\1" * 32)
"""What stands for Discord's own key."""
MICROSOFT = "benchmark"
"""The id of what stands for Microsoft's."""
SERVICE = "https://smba.trafficmanager.net/emea/"


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


def whatsapp(at: Connected, number: int, text: str) -> Post:
    person, phone = str(15550000000 + number), at.config["phone_number_id"]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550006789", "phone_number_id": phone},
        "contacts": [{"profile": {"name": f"Person {number}"}, "wa_id": person}],
        "messages": [
            {"from": person, "id": f"wamid.{number}", "timestamp": str(int(time.time())), "type": "text", "text": {"body": text}}
        ],
    }  # fmt: skip
    return _of_meta(at, "whatsapp_business_account", {"changes": [{"field": "messages", "value": value}]})


def messenger(at: Connected, number: int, text: str) -> Post:
    return _of_meta(at, "page", {"messaging": [_direct(at.config["page_id"], number, text)]})


def instagram(at: Connected, number: int, text: str) -> Post:
    return _of_meta(at, "instagram", {"messaging": [_direct(at.config["account_id"], number, text)]})


def line(at: Connected, number: int, text: str) -> Post:
    event = {
        "type": "message", "mode": "active", "timestamp": int(time.time() * 1000), "webhookEventId": f"01H{number:023}",
        "deliveryContext": {"isRedelivery": False}, "replyToken": f"{number:032x}",
        "source": {"type": "user", "userId": f"U{number:032x}"},
        "message": {"id": str(number), "type": "text", "quoteToken": f"q-{number}", "text": text},
    }  # fmt: skip
    post = as_json(at.url, {"destination": "U" + "0" * 32, "events": [event]}, {})
    digest = hmac.digest(at.config["channel_secret"].encode(), post.body, "sha256")
    return Post(post.url, {**post.headers, "X-Line-Signature": base64.b64encode(digest).decode()}, post.body)


def wechat(at: Connected, number: int, text: str) -> Post:
    """A plain message; its signature stands in the address."""
    now = str(int(time.time()))
    signature = hashlib.sha1("".join(sorted((at.config["token"], now, "1"))).encode()).hexdigest()
    person = f"oPerson{PERSON + number}"
    values = {"ToUserName": "gh_0", "FromUserName": person, "MsgType": "text", "Content": text}
    told = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in values.items())
    body = f"<xml>{told}<CreateTime>{now}</CreateTime><MsgId>{number}</MsgId></xml>"
    query = urlencode({"signature": signature, "timestamp": now, "nonce": "1", "openid": person})
    return Post(f"{at.url}?{query}", {"Content-Type": "text/xml"}, body.encode())


def feishu(at: Connected, number: int, text: str) -> Post:
    """A sealed event (AES-256-CBC under the encrypt key's digest), signed as it goes."""
    key, now = at.config["encrypt_key"].encode(), str(int(time.time()))
    header = {
        "event_id": f"event-{number}", "event_type": "im.message.receive_v1", "token": at.config["verification_token"],
        "app_id": at.config["app_id"], "tenant_key": "t", "create_time": f"{now}000",
    }  # fmt: skip
    message = {
        "message_id": f"om_{number}", "chat_id": f"oc_{number}", "chat_type": "p2p", "message_type": "text",
        "create_time": f"{now}000", "content": json.dumps({"text": text}),
    }  # fmt: skip
    sender = {"sender_id": {"open_id": f"ou_{PERSON + number}"}, "sender_type": "user"}
    plain = json.dumps({"schema": "2.0", "header": header, "event": {"sender": sender, "message": message}}).encode()
    vector, padding = number.to_bytes(16, "big"), 16 - len(plain) % 16
    sealing = Cipher(algorithms.AES(hashlib.sha256(key).digest()), modes.CBC(vector)).encryptor()
    sealed = vector + sealing.update(plain + bytes([padding]) * padding) + sealing.finalize()
    post = as_json(at.url, {"encrypt": base64.b64encode(sealed).decode()}, {})
    signature = hashlib.sha256(f"{now}1".encode() + key + post.body).hexdigest()
    signed = {"X-Lark-Request-Timestamp": now, "X-Lark-Request-Nonce": "1", "X-Lark-Signature": signature}
    return Post(post.url, {**post.headers, **signed}, post.body)


def dingtalk(at: Connected, number: int, text: str) -> Post:
    now, secret = str(int(time.time() * 1000)), at.config["app_secret"]
    digest = hmac.digest(secret.encode(), f"{now}\n{secret}".encode(), "sha256")
    body = {
        "msgId": f"msg{number}", "msgtype": "text", "text": {"content": text}, "conversationId": f"cid{number}",
        "conversationType": "1", "robotCode": at.config["app_key"], "senderId": f"person-{PERSON + number}",
        "senderNick": f"Person {number}", "createAt": int(now),
        "sessionWebhook": f"https://oapi.dingtalk.com/robot/sendBySession?session={number}",
        "sessionWebhookExpiredTime": int(now) + 5_400_000,
    }  # fmt: skip
    return as_json(at.url, body, {"timestamp": now, "sign": base64.b64encode(digest).decode()})


def teams(at: Connected, number: int, text: str) -> Post:
    """A message in the personal chat, with the token that Microsoft signs for a call."""
    now, bot = int(time.time()), f"28:{at.config['app_id']}"
    activity = {
        "type": "message", "id": str(1_485_983_408_511 + number), "channelId": "msteams", "serviceUrl": SERVICE,
        "timestamp": "2026-11-29T16:00:00.000Z", "textFormat": "plain", "text": text, "locale": "en-US",
        "from": {"id": f"29:{PERSON + number}", "name": f"Person {number}", "aadObjectId": f"person-{number}"},
        "conversation": {"id": f"a:{number}", "conversationType": "personal", "tenantId": at.config["tenant"]},
        "recipient": {"id": bot, "name": "Bench"}, "channelData": {"tenant": {"id": at.config["tenant"]}},
    }  # fmt: skip
    claims = {
        "iss": "https://api.botframework.com", "aud": at.config["app_id"], "serviceurl": SERVICE,
        "nbf": now - 60, "exp": now + 3600,
    }  # fmt: skip
    token = jwt.encode(claims, microsofts_key(), algorithm="RS256", headers={"kid": MICROSOFT})
    return as_json(at.url, activity, {"Authorization": f"Bearer {token}"})


@functools.cache
def microsofts_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pages(api: str) -> Mapping[str, Any]:
    """What the platforms let anybody read, by path: where Microsoft's keys are, and the keys."""
    public = json.loads(RSAAlgorithm.to_jwk(microsofts_key().public_key()))
    key = {**public, "use": "sig", "kid": MICROSOFT, "endorsements": ["msteams"]}
    return {
        "/openid": {"issuer": "https://api.botframework.com", "jwks_uri": f"{api}/keys"},
        "/keys": {"keys": [key]},
    }


def _of_meta(at: Connected, kind: str, entry: Mapping[str, Any]) -> Post:
    """Meta's envelope and signature, the same for all its platforms."""
    account = next(at.config[name] for name in ("phone_number_id", "page_id", "account_id") if name in at.config)
    told = {"object": kind, "entry": [{"id": account, "time": int(time.time() * 1000), **entry}]}
    post = as_json(at.url, told, {})
    digest = hmac.new(at.config["app_secret"].encode(), post.body, hashlib.sha256).hexdigest()
    return Post(post.url, {**post.headers, "X-Hub-Signature-256": f"sha256={digest}"}, post.body)


def _direct(account: str, number: int, text: str) -> dict[str, Any]:
    """A message to a page or to an account of Instagram."""
    return {
        "sender": {"id": str(PERSON + number)},
        "recipient": {"id": account},
        "timestamp": int(time.time() * 1000),
        "message": {"mid": f"m_{number}", "text": text},
    }


API = {"api_base_url": "{api}"}
META = {"app_secret": "d" * 32, "token": "EAA" + "b" * 40, **API}
PLATFORMS: Mapping[str, Platform] = {
    "telegram": Platform(telegram, {"token": "12345:" + "a" * 35, **API}),
    "generic": Platform(generic, {"reply_url": "{api}/replies", "allow_private": "yes"}),
    "twilio": Platform(
        twilio, {"account_sid": "AC" + "0" * 32, "auth_token": "f" * 32, "from_number": "+15550006789", **API}
    ),
    "webchat": Platform(webchat, {}),
    "whatsapp": Platform(whatsapp, {"phone_number_id": "106540352242922", **META}),
    "messenger": Platform(messenger, {"page_id": "106540352242923", **META}),
    "instagram": Platform(instagram, {"account_id": "17841400000000001", **META}),
    "slack": Platform(slack, {"token": "xoxb-" + "1" * 24, "signing_secret": "e" * 32, **API}),
    "discord": Platform(
        discord,
        {
            "application_id": "8" * 18,
            "public_key": DISCORD.verify_key.encode().hex(),
            "bot_token": "a.b.c",
            **API,
        },
    ),
    "line": Platform(
        line,
        {
            "channel_id": "1234567890",
            "channel_secret": "c" * 32,
            "channel_access_token": "t" * 170,
            **API,
        },
    ),
    "wechat": Platform(wechat, {"app_id": "wx" + "0" * 16, "app_secret": "f" * 32, "token": "token", **API}),
    "feishu": Platform(
        feishu,
        {
            "app_id": "cli_" + "0" * 16,
            "app_secret": "f" * 32,
            "encrypt_key": "k" * 32,
            "verification_token": "v" * 32,
            **API,
        },
    ),
    "dingtalk": Platform(dingtalk, {"app_key": "ding" + "0" * 16, "app_secret": "s" * 64, **API}),
    "teams": Platform(
        teams,
        {
            "app_id": "5f3a1c1e-1111-4222-8333-0123456789ab",
            "app_password": "p" * 40,
            "tenant": "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "openid_url": "{api}/openid",
            **API,
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
