"""Who is who between Microsoft and us: the tokens it calls us with, and those we call it with.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import jwt

from botcore.channels import http
from botcore.channels.values import SendResult

LEEWAY_SECONDS = 300
"""How far Microsoft's clock and ours may be apart."""
REFRESH_SECONDS, KEPT_SECONDS = 12 * 3600, 24 * 3600
"""How old signing keys are fetched again, and how old they are used at most."""
RARELY_SECONDS, SOON_SECONDS = 60, 5
"""How often we ask for them at most: with some in hand, so that no stranger's key id makes us ask, and without any."""
EARLY_SECONDS = 300
"""So long before its end a token of ours is renewed."""


@dataclass(frozen=True)
class Cloud:
    """Where one of Microsoft's clouds has what; ``scope`` is what a bot's own token is for."""

    issuer: str
    metadata: str
    login: str
    scope: str


CLOUDS: Mapping[str, Cloud] = {
    "public": Cloud(
        "https://api.botframework.com",
        "https://login.botframework.com/v1/.well-known/openidconfiguration",
        "https://login.microsoftonline.com",
        "https://api.botframework.com/.default",
    ),
    "us": Cloud(
        "https://api.botframework.us",
        "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
        "https://login.microsoftonline.us",
        "https://api.botframework.us/.default",
    ),
}

CHECKED_HERE: Any = {"require": ["exp", "iss", "aud"], "verify_exp": False, "verify_nbf": False, "verify_iat": False}
"""For PyJWT: we compare the times with the request's, not with the moment at which it is read."""


# --- theirs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SigningKey:
    """A public key, and the channels whose calls it may sign."""

    key: Any
    endorsements: frozenset[str]


class SigningKeys:
    """The keys under one metadata address, fetched when they are wanted, but not for every stranger."""

    def __init__(self, metadata_url: str) -> None:
        self.metadata_url = metadata_url
        self._keys: Mapping[str, SigningKey] = {}
        self._had_at = self._tried_at = float("-inf")
        self._lock = threading.Lock()

    def find(self, key_id: str, at: float) -> SigningKey | None:
        """The key with this id; None where there is none or where none could be had for a day.

        Who needs a key that another thread is fetching waits for it; who has one does not.
        """
        if self._wants(key_id, at) and self._lock.acquire(blocking=key_id not in self._keys):
            try:
                if self._wants(key_id, at):
                    self._fetch(at)
                    self._tried_at = at
            finally:
                self._lock.release()
        return self._keys.get(key_id) if at - self._had_at <= KEPT_SECONDS else None

    def _wants(self, key_id: str, at: float) -> bool:
        wanted = key_id not in self._keys or at - self._had_at > REFRESH_SECONDS
        return wanted and at - self._tried_at > (RARELY_SECONDS if self._keys else SOON_SECONDS)

    def _fetch(self, at: float) -> None:
        try:
            metadata = http.json_of(http.call("metadata", "GET", self.metadata_url))
            address = str(metadata.get("jwks_uri", ""))
            if self.metadata_url.startswith("https://") and not address.startswith("https://"):
                return
            found = http.json_of(http.call("signing keys", "GET", address)).get("keys")
        except http.UnreachableError:
            return
        keys = _usable(found) if isinstance(found, list) else {}
        if keys:
            self._keys, self._had_at = keys, at


@functools.cache
def keys_at(metadata_url: str) -> SigningKeys:
    """This process's copy of the keys under an address."""
    return SigningKeys(metadata_url)


def _usable(found: list[Any]) -> dict[str, SigningKey]:
    """The RSA keys in a key set by their ids, without what is not one."""
    keys = {}
    for one in found:
        try:
            endorsements = frozenset(map(str, one.get("endorsements", [])))
            keys[str(one["kid"])] = SigningKey(jwt.PyJWK(one, algorithm="RS256").key, endorsements)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return keys


@dataclass(frozen=True)
class Caller:
    """What a valid token says of a call: for which service address, and which channels its key may sign for."""

    service_url: str
    endorsements: frozenset[str]


def caller(authorization: str, issuer: str, audience: str, keys: SigningKeys, at: float) -> Caller | None:
    """Who calls by the ``Authorization`` header; None for any doubt. ``at`` is when, in seconds since 1970."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not audience:
        return None
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        key = keys.find(key_id, at) if isinstance(key_id, str) else None
        if key is None:
            return None
        claims = jwt.decode(
            token, key.key, algorithms=["RS256"], audience=audience, issuer=issuer, options=CHECKED_HERE
        )
        in_time = float(claims.get("nbf", at)) - LEEWAY_SECONDS <= at <= float(claims["exp"]) + LEEWAY_SECONDS
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        return None
    service_url = claims.get("serviceurl")
    return Caller(service_url, key.endorsements) if in_time and isinstance(service_url, str) and service_url else None


# --- ours -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Credentials:
    """What a bot proves itself with, and where: ``url`` is its tenant's token address."""

    url: str
    app_id: str
    secret: str
    scope: str

    @property
    def key(self) -> str:
        return sha256("\n".join((self.url, self.app_id, self.secret, self.scope)).encode()).hexdigest()


_granted: dict[str, tuple[str, float]] = {}
"""This process's tokens by ``Credentials.key``, each with the monotonic time up to which it is used."""


def access_token(credentials: Credentials) -> str | SendResult:
    """A token to call Microsoft with, kept until shortly before its end; else what went wrong, which is never final."""
    granted, until = _granted.get(credentials.key, ("", 0.0))
    if time.monotonic() < until:
        return granted
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.app_id,
        "client_secret": credentials.secret,
        "scope": credentials.scope,
    }
    try:
        response = http.call("token", "POST", credentials.url, data=form)
    except http.UnreachableError as error:
        return http.unreachable(error)
    answer = http.json_of(response)
    token, seconds = answer.get("access_token"), answer.get("expires_in", 0)
    if not response.is_success or not isinstance(token, str) or not token:
        reason = re.search(r"AADSTS\d+", str(answer.get("error_description", "")))
        return replace(http.refused("token", response, reason[0] if reason else "no explanation"), permanent=False)
    lasts = float(seconds) if isinstance(seconds, int | float) or str(seconds).isdigit() else 0.0
    _granted[credentials.key] = (token, time.monotonic() + lasts - EARLY_SECONDS)
    return token


def forget(credentials: Credentials) -> None:
    """The token was refused: the next call asks for another."""
    _granted.pop(credentials.key, None)
