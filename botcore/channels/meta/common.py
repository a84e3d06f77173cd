"""What Meta's platforms share: how they sign and try an address, the shape of a delivery, and what their errors mean.

The Graph API is spoken directly (https://developers.facebook.com/docs/graph-api/overview). The token goes in a header:
addresses are seen by proxies.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
from django.utils.crypto import get_random_string

from botcore.channels import http
from botcore.channels.base import Channel, Check, Field
from botcore.channels.chunking import chunks, size
from botcore.channels.values import (
    Answer,
    MalformedBodyError,
    Media,
    MediaError,
    Payload,
    SendResult,
    WebhookRequest,
    object_at,
    objects_at,
    read_json,
    text_at,
)

GRAPH = "https://graph.facebook.com/v23.0"
WINDOW = 24 * 3600.0
"""Seconds after a customer's last message in which a shop may write what it likes, on all three."""
MEDIA_HOSTS = ("facebook.com", "fbsbx.com", "fbcdn.net", "cdninstagram.com", "whatsapp.net")
"""Where customers' files are; each with all below it."""

APP_SECRET = Field(
    "app_secret",
    "App secret",
    "under App settings, Basic: 32 digits and letters from a to f",
    pattern="[0-9a-fA-F]{32}",
    secret=True,
)
VERIFY_TOKEN = Field(
    "verify_token",
    "Verify token",
    "made for you; else 8 to 128 letters, digits, _ and -",
    pattern="[A-Za-z0-9_-]{8,128}",
    required=False,
    secret=True,
)
TOKEN_PATTERN = r"[A-Za-z0-9|._-]+"  # noqa: S105 (what one looks like)

THUMBS = {"up": "👍", "down": "👎"}

LIMITED = frozenset({4, 17, 32, 613, 80002, 80006, 80007, 130429, 131048, 131064})
"""Too many calls, of the app or the account."""
CROWDED = frozenset({131056})
"""Too many messages to one customer, which is nobody else's to wait for."""
PASSING = frozenset({0, 1, 2, 3, 10, 102, 190, 368, 131000, 131005, 131016, 131031, 131042, 131057, 133004, 133010})
"""What passes, or what the account's owner can mend: Meta's own failures, tokens, permissions, payment."""
PERMISSIONS = range(200, 300)
UNREACHED = frozenset({551, 131026, 131050})
"""This customer blocked the shop, wants nothing from it, or cannot be written to."""
BLOCKED = frozenset({1545041, 2018108})
"""Subcodes of the same under the number of a permission."""
CLOSED = frozenset({131047})
CLOSED_SUBCODES = frozenset({2018065, 2018278, 2534022})
OUTSIDE = "outside of allowed window"
LONG_WORD = re.compile(r"[A-Za-z0-9_|-]{32,}")
"""Tokens and ids: Meta repeats a malformed token in its message."""


class MetaChannel(Channel):
    """One account of a shop on one of Meta's platforms. ``api`` is where it is called; ``account_field`` names its id."""

    api = GRAPH
    account_field: str

    # --- in ---------------------------------------------------------------------------------------------------------

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """Meta tries an address with the token that was pasted beside it, and wants its challenge back."""
        if request.method != "GET" or "hub.mode" not in request.query:
            return None
        known = self.config.get("verify_token", "")
        same = _same(request.query.get("hub.verify_token", ""), known)
        if not known or not same or request.query["hub.mode"] != "subscribe":
            return Answer(403)
        return Answer(body=request.query.get("hub.challenge", "").encode("utf-8", "replace"))

    def verify(self, request: WebhookRequest) -> bool:
        """Meta signs no time: what it repeats has the same keys."""
        secret = str(self.config.get("app_secret", ""))
        signature = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        return bool(secret) and _same(request.headers.get("x-hub-signature-256", ""), f"sha256={signature}")

    # --- out --------------------------------------------------------------------------------------------------------

    @property
    def base(self) -> str:
        return str(self.config.get("api_base_url") or self.api)

    @property
    def account_id(self) -> str:
        return str(self.config.get(self.account_field, ""))

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call of the Graph API. Raises ``UnreachableError``."""
        return http.call(path.rpartition("/")[2], method, f"{self.base}/{path}", headers=self._headers, **options)

    def told(self, what: str, path: str, body: Payload) -> SendResult:
        """What became of one POST; its id is the caller's to read."""
        try:
            response = self.ask("POST", path, json=body)
        except http.UnreachableError as error:
            return http.unreachable(error)
        return result_of(what, response, str(self.config["token"]))

    def file_at(self, url: str, limit: int, authorised: bool) -> Media:
        """A file that Meta named; a token never leaves its hosts. Raises ``MediaError``."""
        if not self._is_metas(url):
            raise MediaError("file: not an address of Meta's")
        return http.download("file", url, limit, headers=self._headers if authorised else {})

    def _is_metas(self, url: str) -> bool:
        host = http.https_host(url)
        own = self.base != self.api and url.startswith(f"{self.base}/")
        return own or any(host == known or host.endswith(f".{known}") for known in MEDIA_HOSTS)

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.config['token']}"}

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """The platform's id of the account, which outlives a renewed token."""
        return str(config.get(cls.account_field, ""))

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        return {"verify_token": get_random_string(40)} | super().prepare_config(config)

    def described(self, path: str, fields: str, account: str, name: str) -> Check:
        """Whether the token is this account's: the field ``account`` of its answer is our id, ``name`` is shown."""
        try:
            response = self.ask("GET", path, params={"fields": fields})
        except http.UnreachableError as error:
            return Check(False, str(error))
        answer = http.json_of(response)
        if not response.is_success or account not in answer:
            return Check(False, result_of("credentials", response, str(self.config["token"])).error or "no answer")
        if str(answer[account]) != self.account_id:
            return Check(False, f"the token is not that of {self.account_field} {self.account_id}")
        return Check(True, str(answer.get(name) or self.account_id))


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode("utf-8", "replace"))


# --- reading deliveries ---------------------------------------------------------------------------------------------


def entries(body: bytes, kind: str) -> Iterator[Mapping[str, Any]]:
    """The entries of a delivery about objects of a kind; none of another kind's. Raises ``MalformedBodyError``."""
    delivery = read_json(body)
    if text_at(delivery, "object", None) != kind:
        return
    if not isinstance(delivery.get("entry"), list):
        raise MalformedBodyError("entry is missing")
    yield from objects_at(delivery, "entry")


def id_at(parent: Mapping[str, Any], name: str) -> str:
    """The ``id`` of the object under a name, never empty. Raises ``MalformedBodyError``."""
    return required_at(object_at(parent, name), "id")


def required_at(parent: Mapping[str, Any], name: str) -> str:
    """The text under a name, never empty. Raises ``MalformedBodyError``."""
    if not (value := text_at(parent, name, None)):
        raise MalformedBodyError(f"{name} is empty")
    return value


def event_key(*parts: str) -> str:
    """A key that the database holds whole: Instagram's ids alone can be longer, and begin alike."""
    key = ":".join(parts)
    return key if len(key) <= 150 else hashlib.sha256(key.encode()).hexdigest()


# --- writing calls --------------------------------------------------------------------------------------------------


def cut(text: str, limit: int, unit: str = "characters") -> str:
    """The beginning of a text for a place of ``limit`` units, with a sign that there was more."""
    if size(text, unit) <= limit:
        return text
    sign = "…"
    return f"{chunks(text, limit - size(sign, unit), unit)[0]}{sign}"


# --- reading answers ------------------------------------------------------------------------------------------------


def result_of(what: str, response: httpx.Response, token: str) -> SendResult:
    """What an answer of the Graph API means; its error's number says more than its status, which is mostly 400."""
    answer = http.json_of(response)
    error = answer.get("error")
    if response.is_success and answer and not error and answer.get("success") is not False:
        return SendResult(ok=True)
    error = error if isinstance(error, dict) else {}
    code, subcode = _number(error, "code"), _number(error, "error_subcode")
    result = http.refused(what, response, _detail(error, code, subcode, token))
    if code in CLOSED or subcode in CLOSED_SUBCODES or OUTSIDE in str(error.get("message", "")).lower():
        return replace(result, window_closed=True, permanent=False)
    if code in UNREACHED or subcode in BLOCKED:
        return replace(result, permanent=True)
    if code in CROWDED:
        return replace(result, permanent=False, retry_after=None, crowded=True)
    if code in LIMITED:
        return replace(result, permanent=False, retry_after=result.retry_after or _regained(response))
    if response.is_success or code in PASSING or code in PERMISSIONS or error.get("is_transient") is True:
        return replace(result, permanent=False)
    return result


def error_text(error: Mapping[str, Any]) -> str:
    """An error of a delivery, in a line."""
    told = str(error.get("title") or error.get("message") or "").strip()
    return LONG_WORD.sub("***", f"{_number(error, 'code') or ''} {told}".strip())


def _detail(error: Mapping[str, Any], code: int | None, subcode: int | None, token: str) -> str:
    numbers = "/".join(str(number) for number in (code, subcode) if number is not None)
    message = str(error.get("message", "")).replace(token, "***")
    return LONG_WORD.sub("***", f"{numbers} {message}".strip())[:300]


def _number(error: Mapping[str, Any], name: str) -> int | None:
    value = error.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _regained(response: httpx.Response) -> float | None:
    """The seconds after which Meta says calls are taken again
    (https://developers.facebook.com/docs/graph-api/overview/rate-limiting), where it says so; it counts in minutes.
    """
    try:
        usage = json.loads(response.headers.get("X-Business-Use-Case-Usage", ""))
        minutes = [use["estimated_time_to_regain_access"] for uses in usage.values() for use in uses]
        seconds = max(float(minute) for minute in minutes) * 60
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return min(seconds, http.LONGEST_WAIT) if seconds > 0 else None
