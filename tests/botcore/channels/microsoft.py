"""Microsoft's side of the wire: its signing key, the activities that it signs for, and a server that has its key."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from botcore.channels.values import WebhookRequest
from tests.botcore.channels.platform import PlatformServer, Told, as_json, delivery

APP = "5f3a1c1e-1111-4222-8333-0123456789ab"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
SERVICE = "https://smba.trafficmanager.net/emea/"
METADATA = "/v1/.well-known/openidconfiguration"
KEYS = "/v1/.well-known/keys"
TOKENS = f"/{TENANT}/oauth2/v2.0/token"
GRANTED = Told(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": "granted-token"})
KEY_ID = "key-1"
BOT, USER = f"28:{APP}", "29:1ada-byron"
PERSONAL = "a:1personal-conversation"


@functools.cache
def signing_key(name: str) -> RSAPrivateKey:
    """One key for each name, made once."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def public_key(name: str = KEY_ID, endorsements: list[str] | None = None) -> dict[str, Any]:
    """As the key set shows it."""
    key = json.loads(RSAAlgorithm.to_jwk(signing_key(name).public_key()))
    return {**key, "use": "sig", "kid": name, "endorsements": ["msteams"] if endorsements is None else endorsements}


def publish(server: PlatformServer, *keys: dict[str, Any]) -> str:
    """Have a server show these keys; the address of its metadata."""
    server.pages[METADATA] = Told(200, {"issuer": "https://api.botframework.com", "jwks_uri": server.address + KEYS})
    server.pages[KEYS] = Told(200, {"keys": list(keys) or [public_key()]})
    return server.address + METADATA


def token(at: float, key: str = KEY_ID, headers: Any = None, begins: int = -60, ends: int = 3600, **claims: Any) -> str:
    """A token of Microsoft's for a call at this time, before which it begins and after which it ends by so many seconds."""
    named = {
        "serviceurl": SERVICE,
        "iss": "https://api.botframework.com",
        "aud": APP,
        "nbf": int(at) + begins,
        "exp": int(at) + ends,
    }
    given = {name: value for name, value in {**named, **claims}.items() if value is not None}
    return jwt.encode(given, signing_key(key), algorithm="RS256", headers={"kid": key, **(headers or {})})


def activity(kind: str = "message", number: int = 1, **fields: Any) -> dict[str, Any]:
    """An activity in the personal chat with the bot."""
    return {
        "type": kind,
        "id": f"{1485983408511 + number}",
        "timestamp": "2026-11-29T16:00:00.000Z",
        "channelId": "msteams",
        "serviceUrl": SERVICE,
        "from": {"id": USER, "name": "Ada Byron", "aadObjectId": "ada-in-the-directory"},
        "conversation": {"id": PERSONAL, "conversationType": "personal", "tenantId": TENANT},
        "recipient": {"id": BOT, "name": "Lantern"},
        "locale": "en-GB",
        "channelData": {"tenant": {"id": TENANT}},
        **fields,
    }


def called(url: str, value: Any, **claims: Any) -> WebhookRequest:
    """An activity as Microsoft posts it, with its token."""
    request = delivery(url, as_json(value), {"content-type": "application/json; charset=utf-8"})
    return with_token(request, token(request.at, **claims))


def with_token(request: WebhookRequest, bearer: str) -> WebhookRequest:
    return replace(request, headers={**request.headers, "authorization": f"Bearer {bearer}"})
