"""What WhatsApp, Messenger and Instagram share: Meta signs and tries webhooks alike, and answers on one Graph API.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
from django.utils.crypto import constant_time_compare, get_random_string

from botcore.channels import http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.values import Answer, Media, MediaError, SendResult, WebhookRequest, read_json

VERSION = "v23.0"
API = f"https://graph.facebook.com/{VERSION}"
MEDIA_HOSTS = ("fbsbx.com", "fbcdn.net", "facebook.com", "whatsapp.net", "cdninstagram.com")
"""Where Meta keeps what customers send. The token travels to none but these and the account's own ``api_base_url``."""

LIMITED = frozenset({4, 17, 32, 613, 80002, 80006, 80007, 130429, 131048, 131056, 133016})
"""Too many calls: the app's, the page's, the number's, or to one person."""
CLOSED = frozenset({131047, 2018278, 2534022})
"""The customer wrote too long ago. Messenger says it with code 10 and one of the subcodes."""
PASSING = frozenset({1, 2, 190, 131000, 131005, 131016, 131031, 131042, 131045, 133000, 133004, 133005, 133010, 135000})
"""What may pass, or is the account's to mend: its token, its payment, its number. The message is kept."""

TOKEN = Field(
    "token",
    "Access token",
    "of a system user, which does not expire: letters and digits, like EAAG...",
    pattern="[A-Za-z0-9_-]{20,}",
    secret=True,
)
APP_SECRET = Field(
    "app_secret",
    "App secret",
    "in the app's dashboard under App settings, Basic: 32 letters and digits",
    pattern="[A-Za-z0-9]{16,64}",
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
SHARED_FIELDS = (TOKEN, APP_SECRET, VERIFY_TOKEN, API_BASE)


class GraphChannel(Channel):
    """A platform of Meta's. ``account_field`` names the setting with the account's own id on it."""

    account_field: str

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The challenge given back to whoever knows the account's verify token."""
        if request.method != "GET":
            return None
        expected, given = str(self.config.get("verify_token", "")), request.query.get("hub.verify_token", "")
        known = bool(expected) and constant_time_compare(given, expected)
        if request.query.get("hub.mode") != "subscribe" or not known:
            return Answer(403, b"the verify token is not this account's")
        return Answer(body=request.query.get("hub.challenge", "").encode("utf-8", "replace"))

    def verify(self, request: WebhookRequest) -> bool:
        secret, given = str(self.config.get("app_secret", "")), request.headers.get("x-hub-signature-256", "")
        if not secret:
            return False
        expected = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        return constant_time_compare(given, expected)

    def fetch_media(self, media: Any, limit: int) -> Media:
        url = str(media.reference.get("url", "")) or self._media_address(str(media.reference.get("id", "")))
        if not self._is_metas(url):
            raise MediaError("file: not an address of Meta's")
        return http.download("file", url, limit, headers=self._headers)

    def _media_address(self, media_id: str) -> str:
        """Where a file named by its id is for the next five minutes. Raises ``MediaError``."""
        if not media_id.isdigit():
            raise MediaError("file: there is no such id")
        try:
            answer = http.json_of(http.call("media", "GET", f"{self._base}/{media_id}", headers=self._headers))
        except http.UnreachableError as error:
            raise MediaError(str(error)) from None
        return str(answer.get("url", ""))

    def _is_metas(self, url: str) -> bool:
        host = http.https_host(url)
        own = self._base != API and url.startswith(f"{self._base}/")
        return own or any(host == name or host.endswith(f".{name}") for name in MEDIA_HOSTS)

    @property
    def _base(self) -> str:
        return str(self.config.get("api_base_url") or API)

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.config['token']}"}

    def _post(self, what: str, path: str, value: Mapping[str, Any]) -> SendResult:
        try:
            response = http.call(what, "POST", f"{self._base}/{path}", json=dict(value), headers=self._headers)
        except http.UnreachableError as error:
            return http.unreachable(error)
        return result_of(what, response)

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        return str(config.get(cls.account_field, ""))

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        return {"verify_token": get_random_string(32)} | super().prepare_config(config)

    def _checked(self, path: str, *names: str) -> Check:
        """Ask for the account itself; ``names`` are the fields that may hold its name."""
        fields = {"fields": ",".join(names)}
        try:
            response = http.call("account", "GET", f"{self._base}/{path}", params=fields, headers=self._headers)
        except http.UnreachableError as error:
            return Check(False, str(error))
        answer = http.json_of(response)
        if response.is_success and answer.get("id"):
            return Check(True, next((str(answer[name]) for name in names if answer.get(name)), path))
        return Check(False, result_of("account", response).error or "account: the answer makes no sense")


def result_of(what: str, response: httpx.Response) -> SendResult:
    """What an answer of the Graph API means (https://developers.facebook.com/docs/graph-api/guides/error-handling)."""
    answer = http.json_of(response)
    if response.is_success and "error" not in answer:
        platform_id = _message_id(answer)
        return SendResult(bool(platform_id), platform_id, error="" if platform_id else f"{what}: no id of a message")
    error = answer.get("error")
    code, subcode = (
        (_number(error.get(name)) for name in ("code", "error_subcode")) if isinstance(error, dict) else (0, 0)
    )
    refused = http.refused(what, response, f"error {code}" + (f"/{subcode}" if subcode else ""))
    if code in LIMITED:
        return replace(refused, permanent=False, retry_after=http.retry_after(response))
    if code in CLOSED or subcode in CLOSED:
        return replace(refused, permanent=True, window_closed=True)
    if code in PASSING or (not code and response.is_success):
        return replace(refused, permanent=False)
    return refused


def _message_id(answer: Mapping[str, Any]) -> str:
    """WhatsApp's ``messages[0].id``, Messenger's and Instagram's ``message_id``."""
    messages = answer.get("messages")
    first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], dict) else {}
    return str(first.get("id") or answer.get("message_id") or "")


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def opened(request: WebhookRequest, kind: str) -> Mapping[str, Any]:
    """The body of a delivery of one kind; empty for another kind. Raises ``MalformedBodyError``."""
    value = read_json(request.body)
    return value if value.get("object") == kind else {}
