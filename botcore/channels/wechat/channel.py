"""WeChat Official Accounts (https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Overview.html).

Accounts with the customer-service API answer through it; the others (``passive=yes``) see ``passive``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from django.utils.crypto import get_random_string

from botcore.channels import access, http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.envelope import Envelope, is_signature, signature
from botcore.channels.layout import numbered_text
from botcore.channels.values import (
    Answer,
    Capabilities,
    MalformedBodyError,
    Media,
    MediaError,
    MediaReference,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
)
from botcore.channels.wechat import passive
from botcore.channels.wechat.messages import events_in, read_xml, write_xml

API = "https://api.weixin.qq.com"
FRESH_SECONDS = 300
NOTE_BYTES = 64
"""Room for the note that there is more."""

STALE_TOKEN = frozenset({40001, 40014, 41001, 42001})
CLOSED = frozenset({45015, 45047})
"""The customer wrote more than 48 hours ago, or has had five messages since."""
LIMITED = {45009: 3600.0, 45011: 60.0}
"""Too many calls today or this minute, and the seconds after which to try again."""
FINAL = frozenset({40003, 40008, 43004, 44004, 45002, 47001})
"""No such person, not a follower any more, or nothing that WeChat takes as a text."""


class WeChat(Channel):
    name = "wechat"
    title = "WeChat Official Account"
    capabilities = Capabilities(
        text_limit=2048,
        text_unit="bytes",
        feedback="numbers",
        typing=True,
        window=48 * 3600,
        quota=5,
        ack_seconds=5,
        rate=20,
        burst=20,
    )
    fields = (
        Field("app_id", "AppID", "18 letters and digits, like wx0123456789abcdef", pattern="wx[0-9a-f]{16}"),
        Field(
            "app_secret",
            "AppSecret",
            "32 letters and digits, beside the AppID; only a passive account does without",
            pattern="[0-9a-f]{32}",
            required=False,
            secret=True,
        ),
        Field(
            "token",
            "Token",
            "a word of your own, 3 to 32 letters and digits, the same here and on the platform",
            pattern="[A-Za-z0-9]{3,32}",
            secret=True,
        ),
        Field(
            "encoding_aes_key",
            "EncodingAESKey",
            "43 letters and digits, where messages are sent encrypted (安全模式)",
            pattern="[A-Za-z0-9]{43}",
            required=False,
            secret=True,
        ),
        Field(
            "passive",
            "No customer-service API",
            "yes for an account that WeChat has not verified; no without it",
            pattern="yes|no",
            required=False,
        ),
        API_BASE,
    )
    steps = (
        "On https://mp.weixin.qq.com open 设置与开发 → 开发接口管理 → 基本配置 and copy AppID and AppSecret.",
        "Put this server's own address on the IP whitelist (IP白名单) there.",
        "Under 服务器配置 paste {webhook} as URL and the token from below; the mode is 安全模式 where you give an "
        "EncodingAESKey here, else 明文模式.",
        "Save; WeChat tries the address at once. Then press 启用.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """WeChat asks for a word of its own back: plainly, or, with ``msg_signature``, sealed."""
        if request.method != "GET" or "echostr" not in request.query:
            return None
        word = request.query["echostr"]
        if "msg_signature" not in request.query:
            return Answer(body=word.encode()) if self._signed(request, "signature") else Answer(401)
        try:
            return Answer(body=self._opened(request, word))
        except MalformedBodyError:
            return Answer(401)

    def verify(self, request: WebhookRequest) -> bool:
        """Plain messages are signed by token and time alone; sealed ones wholly, and once sealed only those count."""
        if not self._sealed:
            return self._signed(request, "signature")
        try:
            return bool(self._content(request))
        except MalformedBodyError:
            return False

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        return events_in(read_xml(self._content(request)), self._passive)

    def ack(self, received: Sequence[ReceivedEvent]) -> Answer:
        return Answer(body=b"success")

    async def ack_in_time(self, received: Sequence[ReceivedEvent]) -> Answer:
        if not (self._passive and received):
            return self.ack(received)
        words = await passive.words_for(self.account_key, [event.event_key for event in received])
        return self._spoken(received[0], words) if words else self.ack(received)

    def _spoken(self, received: ReceivedEvent, words: str) -> Answer:
        """A text as the answer to a request, sealed where the account's messages are."""
        now = int(time.time())
        spoken = write_xml(
            {
                "ToUserName": received.contact_id,
                "FromUserName": str(received.address["account"]),
                "CreateTime": now,
                "MsgType": "text",
                "Content": words,
            }
        )
        if self._sealed:
            sealed, nonce = self._envelope.seal(spoken), get_random_string(10)
            signed = signature(self.config["token"], str(now), nonce, sealed)
            spoken = write_xml({"Encrypt": sealed, "MsgSignature": signed, "TimeStamp": now, "Nonce": nonce})
        return Answer(body=spoken, content_type="application/xml; charset=utf-8")

    @property
    def _passive(self) -> bool:
        return self.config.get("passive") == "yes"

    @property
    def _sealed(self) -> bool:
        return bool(self.config.get("encoding_aes_key"))

    @property
    def _envelope(self) -> Envelope:
        return Envelope(self.config["encoding_aes_key"], self.config["app_id"])

    def _signed(self, request: WebhookRequest, name: str, *more: str) -> bool:
        token, at, nonce = (
            str(self.config.get("token", "")),
            request.query.get("timestamp", ""),
            request.query.get("nonce"),
        )
        if not (token and nonce and re.fullmatch("[0-9]{1,12}", at)):
            return False
        fresh = abs(request.at - int(at)) <= FRESH_SECONDS
        return fresh and is_signature(request.query.get(name, ""), token, at, nonce, *more)

    def _content(self, request: WebhookRequest) -> bytes:
        """The message, opened where the account's are sealed. Raises ``MalformedBodyError``."""
        return self._opened(request, read_xml(request.body).get("Encrypt", "")) if self._sealed else request.body

    def _opened(self, request: WebhookRequest, sealed: str) -> bytes:
        if not (self._sealed and self._signed(request, "msg_signature", sealed)):
            raise MalformedBodyError("the sealed message is not signed")
        try:
            return self._envelope.open(sealed)
        except ValueError as error:
            raise MalformedBodyError("the message cannot be opened") from error

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """Numbered texts: WeChat shows one article a message, and no buttons."""
        limit = self.capabilities.text_limit - (NOTE_BYTES if self._passive else 0)
        pieces = chunks(numbered_text(message), limit, self.capabilities.text_unit)
        return [{"msgtype": "text", "text": {"content": piece}} for piece in pieces]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        if self._passive:
            return SendResult(ok=False, held=True)
        return self._call("send", "/cgi-bin/message/custom/send", {"touser": recipient.contact_id, **payload})

    def typing(self, recipient: Recipient) -> None:
        if not self._passive:
            body = {"touser": recipient.contact_id, "command": "Typing"}
            self._call("typing", "/cgi-bin/message/custom/typing", body)

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        if self._passive:
            return http.download("picture", _picture_address(media), limit)
        try:
            params = {
                "access_token": access.token_of(self._grant),
                "media_id": str(media.reference.get("media_id", "")),
            }
        except access.NotGrantedError as error:
            raise MediaError(str(error)) from None
        found = http.download("media", f"{self._base}/cgi-bin/media/get", limit, params=params)
        if found.content.startswith(b"{"):  # an error, with status 200
            raise MediaError(f"media: {_code_in(found.content)}")
        return found

    @property
    def _base(self) -> str:
        return str(self.config.get("api_base_url") or API)

    @property
    def _grant(self) -> access.Grant:
        """``stable_token`` gives every process the same token; asking the older address would end the others'."""
        body = {
            "grant_type": "client_credential",
            "appid": self.config["app_id"],
            "secret": self.config["app_secret"],
            "force_refresh": False,
        }
        return access.Grant(f"{self._base}/cgi-bin/stable_token", body, "access_token", "expires_in")

    def _call(self, what: str, path: str, body: Payload) -> SendResult:
        written = json.dumps(body, ensure_ascii=False).encode()  # WeChat shows \u escapes as they are

        def make(token: str) -> httpx.Response:
            headers = {"Content-Type": "application/json; charset=utf-8"}
            query = {"access_token": token}
            return http.call(what, "POST", f"{self._base}{path}", params=query, content=written, headers=headers)

        try:
            response = access.call(self._grant, make, lambda answer: http.json_of(answer).get("errcode") in STALE_TOKEN)
        except http.UnreachableError as error:
            return http.unreachable(error)
        except access.NotGrantedError as error:
            return error.result
        return _result(what, response)

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        return str(config.get("app_id", ""))

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        given = super().prepare_config(config)
        if given.get("passive") != "yes" and "app_secret" not in given:
            raise ValueError("app_secret: needed for the customer-service API; an account without that is passive=yes")
        return given

    def check(self) -> Check:
        if "app_secret" not in self.config:
            return Check(True, f"{self.config['app_id']} answers when WeChat asks: nothing to check")
        try:
            access.token_of(self._grant)
        except access.NotGrantedError as error:
            return Check(False, str(error))
        return Check(True, f"WeChat knows {self.config['app_id']}")

    def connect(self, webhook_url: str) -> Sequence[str]:
        lines = [f"webhook: {webhook_url}"]
        if urlsplit(webhook_url).port in (None, 80, 443):
            return lines
        return [
            *lines,
            "WeChat calls ports 80 and 443 only: put this server behind one, set PUBLIC_URL and connect again",
        ]


def _picture_address(media: MediaReference) -> str:
    """Where WeChat shows a picture to anybody who knows its address. Raises ``MediaError``."""
    parts = urlsplit(str(media.reference.get("address", "")))
    if not re.fullmatch(r"[a-z0-9.-]+\.qpic\.cn", parts.netloc) or media.kind != "photo":
        raise MediaError(f"{media.kind}: only the customer-service API gives it")
    return parts._replace(scheme="https").geturl()


def _code_in(content: bytes) -> str:
    try:
        return str(json.loads(content).get("errcode", "no file"))
    except (ValueError, AttributeError):
        return "no file"


def _result(what: str, response: httpx.Response) -> SendResult:
    """WeChat says what went wrong in an answer whose status is 200; a message that it took gets no id."""
    answer = http.json_of(response)
    code = answer.get("errcode")
    if response.is_success and code == 0:
        return SendResult(ok=True)
    result = http.refused(what, response, f"{code} {str(answer.get('errmsg', 'no explanation'))[:200]}")
    if code in LIMITED:
        return replace(result, retry_after=result.retry_after or LIMITED[code])
    return replace(result, permanent=result.permanent or code in FINAL, window_closed=code in CLOSED)
