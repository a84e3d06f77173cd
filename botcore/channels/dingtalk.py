"""DingTalk's robots of a company's own apps (https://open.dingtalk.com/document/orgapp/robot-overview).

A message brings an address to answer at for a while; after that the robot's own API sends to those it knows.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
from django.utils import timezone

from botcore.channels import access, http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.envelope import Envelope, is_signature, signature
from botcore.channels.layout import full_text, is_public, numbered_text
from botcore.channels.texts import texts_in
from botcore.channels.values import (
    Answer,
    Capabilities,
    Card,
    Media,
    MediaError,
    MediaReference,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
    id_at,
    integer_at,
    object_at,
    objects_at,
    read_json,
    text_at,
)
from botcore.models import InboundEvent

API = "https://api.dingtalk.com"
SESSIONS = "oapi.dingtalk.com"
"""The host of the addresses that messages bring; an account's own ``api_base_url`` stands for both."""

MESSAGE_FRESH_SECONDS = 3600
"""DingTalk's own limit for the signature of a message."""
EVENT_FRESH_SECONDS = 300
SAYS = "dtmd://dingtalkclient/sendMessage?content="
"""A button's link that writes something into the chat in the customer's name."""
THUMBS = {"up": "👍", "down": "👎"}
TITLE_LIMIT, BUTTON_LIMIT = 60, 20
MARKDOWN = re.compile(r"([\\`*_\[\]<>#~|])")

CLOSED = frozenset({300001, 300005})
"""The address that the message brought holds no longer."""
LIMITED = {130101: 600.0, 410100: 600.0}
"""More than twenty messages a minute, and the ten minutes for which DingTalk then takes none."""
FINAL = frozenset({40035, 400013, 400105, 430101, 430102, 430103, 430104, 460101})
STALE_TOKEN = frozenset({"InvalidAuthentication", "Forbidden.AccessDenied.AccessTokenExpired"})


class DingTalk(Channel):
    name = "dingtalk"
    title = "DingTalk"
    capabilities = Capabilities(text_limit=4000, feedback="numbers", ack_seconds=3, rate=0.25, burst=5)
    secret_address = frozenset({"session"})
    fields = (
        Field("app_key", "AppKey (Client ID)", "like dingabc123, under 凭证与基础信息", pattern="[A-Za-z0-9]{8,64}"),
        Field(
            "app_secret",
            "AppSecret (Client Secret)",
            "beside the AppKey",
            pattern=r"[A-Za-z0-9_-]{20,128}",
            secret=True,
        ),
        Field(
            "event_token",
            "Token of the event subscription",
            "under 事件与回调, where events are sent to the same address; letters and digits",
            pattern="[A-Za-z0-9]+",
            required=False,
            secret=True,
        ),
        Field(
            "event_aes_key",
            "aes_key of the event subscription",
            "43 letters and digits, on the same page",
            pattern="[A-Za-z0-9]{43}",
            required=False,
            secret=True,
        ),
        API_BASE,
    )
    steps = (
        "On https://open-dev.dingtalk.com create an app of your own (企业内部应用) and add a robot (机器人) to it.",
        "Copy AppKey and AppSecret from 凭证与基础信息.",
        "On the robot's page choose HTTP 模式 as 消息接收模式 and paste {webhook}.",
        "Allow 企业内机器人发送消息权限, so that late answers arrive, and publish a version.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """An event of the subscription, such as the trial of our address, asks for a sealed ``success`` alone."""
        token, key = self.config.get("event_token"), self.config.get("event_aes_key")
        query = request.query
        given, at, nonce = (
            query.get("msg_signature") or query.get("signature"),
            query.get("timestamp"),
            query.get("nonce"),
        )
        if not (token and key and given and at and nonce and _is_fresh(at, request.at, EVENT_FRESH_SECONDS)):
            return None
        envelope = Envelope(key, self.config["app_key"])
        try:
            sealed = text_at(read_json(request.body), "encrypt")
            if not is_signature(given, token, at, nonce, sealed):
                return None
            envelope.open(sealed)
        except ValueError:  # also what is malformed
            return None
        stamp, reply = str(int(request.at * 1000)), envelope.seal(b"success")
        signed = signature(token, stamp, nonce, reply)
        return Answer.json({"msg_signature": signed, "timeStamp": stamp, "nonce": nonce, "encrypt": reply})

    def verify(self, request: WebhookRequest) -> bool:
        """HMAC-SHA256 of the time by the app's secret. The body is not signed."""
        secret, at = str(self.config.get("app_secret", "")), request.headers.get("timestamp", "")
        try:
            given = base64.b64decode(request.headers.get("sign", ""), validate=True)
        except (binascii.Error, ValueError):
            return False
        if not secret or not _is_fresh(at, request.at, MESSAGE_FRESH_SECONDS):
            return False
        return hmac.compare_digest(given, hmac.digest(secret.encode(), f"{at}\n{secret}".encode(), "sha256"))

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        """A message to the robot; in a group only where it is called, and there the same person is another contact."""
        message = read_json(request.body)
        if "msgtype" not in message:
            return []
        key, private = id_at(message, "msgId"), id_at(message, "conversationType") == "1"
        if not private and message.get("isInAtList") is not True:
            return []
        text, media = _content(message)
        kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text else InboundEvent.Kind.OTHER
        staff = text_at(message, "senderStaffId")
        person, place = staff or id_at(message, "senderId"), id_at(message, "conversationId")
        reachable = {"staff": staff} if private and staff else {} if private else {"conversation": place}
        return [
            ReceivedEvent(
                key,
                kind,
                person if private else f"{place}/{person}",
                text=text,
                contact_name=text_at(message, "senderNick"),
                media=media,
                address={**self._session(message), **reachable},
            )
        ]

    def _session(self, message: Mapping[str, Any]) -> Payload:
        """Where a message is to be answered, without its host, and until when, in milliseconds since 1970.

        An address that is neither DingTalk's nor on this account's own server is not kept.
        """
        url, own = text_at(message, "sessionWebhook"), self.config.get("api_base_url")
        if http.https_host(url) == SESSIONS:
            path = httpx.URL(url).raw_path.decode()
        elif own and url.startswith(f"{own}/"):
            path = url.removeprefix(own)
        else:
            return {}
        return {"session": path, "until": integer_at(message, "sessionWebhookExpiredTime")}

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """A text, or a card of Markdown whose buttons write a product's number into the chat."""
        if not message.cards:
            pieces = chunks(numbered_text(message), self.capabilities.text_limit)
            return [{"msgtype": "text", "text": {"content": piece}} for piece in pieces]
        title = (chunks(message.text, TITLE_LIMIT) or [texts_in(message.language)["products"]])[0]
        *pieces, last = chunks(_markdown(message), self.capabilities.text_limit)
        card = {"title": title, "text": last, "btnOrientation": "0", "btns": _buttons(message)}
        return [
            *(_markdown_call(title, piece) for piece in pieces),
            {"msgtype": "actionCard", "actionCard": card} if card["btns"] else _markdown_call(title, last),
        ]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        result = self._answer(recipient, payload)
        pushed = self._push(recipient, payload) if result.window_closed else None
        return pushed or result

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        body = {"downloadCode": str(media.reference.get("code", "")), "robotCode": self.config["app_key"]}
        try:
            response = self._asked("file", "/v1.0/robot/messageFiles/download", body)
        except (http.UnreachableError, access.NotGrantedError) as error:
            raise MediaError(str(error)) from None
        url, own = str(http.json_of(response).get("downloadUrl", "")), self.config.get("api_base_url")
        if not (http.https_host(url) or (own and url.startswith(f"{own}/"))):
            raise MediaError(f"file: {response.status_code}, there is no such file")
        return http.download("file", url, limit)

    def _answer(self, recipient: Recipient, payload: Payload) -> SendResult:
        """By the address that the message brought, while it holds."""
        path, until = str(recipient.address.get("session", "")), recipient.address.get("until", 0)
        if not path.startswith("/") or timezone.now().timestamp() * 1000 >= until:
            return SendResult(ok=False, window_closed=True, error="send: the customer wrote too long ago")
        base = str(self.config.get("api_base_url") or f"https://{SESSIONS}")
        try:
            return _session_result(http.call("send", "POST", f"{base}{path}", json=payload))
        except http.UnreachableError as error:
            return http.unreachable(error)

    def _push(self, recipient: Recipient, payload: Payload) -> SendResult | None:
        """By the robot's own API, to colleagues and groups; None for those whom it does not reach."""
        staff, place = recipient.address.get("staff"), recipient.address.get("conversation")
        kind, content = _as_template(payload)
        body = {
            "robotCode": self.config["app_key"],
            "msgKey": kind,
            "msgParam": json.dumps(content, ensure_ascii=False),
        }
        try:
            if staff:
                response = self._asked("push", "/v1.0/robot/oToMessages/batchSend", {**body, "userIds": [staff]})
            elif place:
                response = self._asked("push", "/v1.0/robot/groupMessages/send", {**body, "openConversationId": place})
            else:
                return None
        except http.UnreachableError as error:
            return http.unreachable(error)
        except access.NotGrantedError as error:
            return error.result
        return _push_result(response)

    @property
    def _base(self) -> str:
        return str(self.config.get("api_base_url") or API)

    @property
    def _grant(self) -> access.Grant:
        body = {"appKey": self.config["app_key"], "appSecret": self.config["app_secret"]}
        return access.Grant(f"{self._base}/v1.0/oauth2/accessToken", body, "accessToken", "expireIn")

    def _asked(self, what: str, path: str, body: Payload) -> httpx.Response:
        """Raises ``UnreachableError`` and ``NotGrantedError``."""

        def make(token: str) -> httpx.Response:
            headers = {"x-acs-dingtalk-access-token": token}
            return http.call(what, "POST", f"{self._base}{path}", json=body, headers=headers)

        return access.call(self._grant, make, lambda answer: http.json_of(answer).get("code") in STALE_TOKEN)

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        return str(config.get("app_key", ""))

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        given = super().prepare_config(config)
        if ("event_token" in given) != ("event_aes_key" in given):
            raise ValueError("event_token and event_aes_key: events need both")
        return given

    def check(self) -> Check:
        try:
            access.token_of(self._grant)
        except access.NotGrantedError as error:
            return Check(False, str(error))
        return Check(True, f"DingTalk knows {self.config['app_key']}")

    def connect(self, webhook_url: str) -> Sequence[str]:
        lines = [f"webhook: {webhook_url}"]
        if webhook_url.startswith("https://"):
            return lines
        return [
            *lines,
            "without https others can read what customers write: set PUBLIC_URL=https://... and connect again",
        ]


def _is_fresh(at: str, now: float, seconds: float) -> bool:
    """Whether a time in milliseconds since 1970 is near."""
    return bool(re.fullmatch("[0-9]{1,16}", at)) and abs(now - int(at) / 1000) <= seconds


# --- reading messages -----------------------------------------------------------------------------------------------


def _content(message: Mapping[str, Any]) -> tuple[str, tuple[MediaReference, ...]]:
    """Words and files of a message. A voice message is its words, which DingTalk recognises."""
    kind = text_at(message, "msgtype")
    if kind == "text":
        return text_at(object_at(message, "text"), "content").strip(), ()
    if kind not in ("richText", "picture", "audio"):
        return "", ()
    content = object_at(message, "content")
    if kind == "richText":
        parts = objects_at(content, "richText")
        pictures = [part for part in parts if part.get("type") == "picture"]
        return "".join(text_at(part, "text") for part in parts).strip(), tuple(_file("photo", one) for one in pictures)
    words = text_at(content, "recognition").strip()
    return words, () if words else (_file("photo" if kind == "picture" else "voice", content),)


def _file(kind: str, part: Mapping[str, Any]) -> MediaReference:
    return MediaReference(kind, {"code": id_at(part, "downloadCode")})


# --- writing messages -----------------------------------------------------------------------------------------------


def _markdown(message: OutboundMessage) -> str:
    """The reply with its products: picture, number, title with link, price, detail; then what the numbers do.

    DingTalk starts a new line after an empty one only.
    """
    texts = texts_in(message.language)
    blocks = [*map(_plain, full_text(message).splitlines())]
    for card in message.cards:
        blocks += _product(card)
    offers = [texts["by_number"]] if message.cards[0].choice.number else []
    if message.up and message.down and not message.verdict:
        offers.append(texts["judge_by_number"].format(up=message.up.number, down=message.down.number))
    return "\n\n".join(filter(None, [*blocks, texts["between"].join(offers)]))


def _product(card: Card) -> list[str]:
    title = _plain(card.title)
    named = f"[{title}]({_link(card.url)})" if is_public(card.url) else title
    number = f"{card.choice.number}. " if card.choice.number else ""
    picture = f"![{title}]({_link(card.image_url)})" if is_public(card.image_url) else ""
    return [picture, f"**{number}{named}** · {_plain(card.price)}", _plain(card.detail)]


def _plain(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", text)


def _link(url: str) -> str:
    return url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")


def _buttons(message: OutboundMessage) -> list[Payload]:
    """What writes a number for the customer: the products', then the thumbs'."""
    texts = texts_in(message.language)
    offered = {"up": message.up, "down": message.down}
    choices = [(card.title, card.choice) for card in message.cards]
    choices += [(f"{THUMBS[name]} {texts[name]}", choice) for name, choice in offered.items() if choice]
    return [
        {"title": f"{choice.number}. {chunks(label, BUTTON_LIMIT)[0]}", "actionURL": f"{SAYS}{choice.number}"}
        for label, choice in choices
        if choice.number
    ]


def _markdown_call(title: str, text: str) -> Payload:
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}


def _as_template(payload: Payload) -> tuple[str, Payload]:
    """A payload as the robot's API has it; its cards have other buttons, so theirs are left to the numbers."""
    if payload["msgtype"] == "text":
        return "sampleText", payload["text"]
    shown = payload.get("markdown") or payload["actionCard"]
    return "sampleMarkdown", {"title": shown["title"], "text": shown["text"]}


def _session_result(response: httpx.Response) -> SendResult:
    """DingTalk says what went wrong in an answer whose status is 200; a message that it took gets no id."""
    answer = http.json_of(response)
    code = answer.get("errcode")
    if response.is_success and code == 0:
        return SendResult(ok=True)
    result = http.refused("send", response, f"{code} {str(answer.get('errmsg', 'no explanation'))[:200]}")
    if code in LIMITED:
        return replace(result, permanent=False, retry_after=result.retry_after or LIMITED[code])
    return replace(result, permanent=result.permanent or code in FINAL, window_closed=code in CLOSED)


def _push_result(response: httpx.Response) -> SendResult:
    answer = http.json_of(response)
    if response.is_success and answer.get("processQueryKey"):
        if answer.get("flowControlledStaffIdList"):
            return SendResult(ok=False, retry_after=60.0, error="push: too many messages to this person")
        if answer.get("invalidStaffIdList"):
            return SendResult(ok=False, permanent=True, error="push: no such person")
        return SendResult(ok=True, platform_id=str(answer["processQueryKey"]))
    code = str(answer.get("code", ""))
    result = http.refused("push", response, f"{code} {str(answer.get('message', 'no explanation'))[:200]}")
    ours = code.startswith("Forbidden") or code in STALE_TOKEN  # the app's permissions or token, not this message's
    return replace(result, permanent=result.permanent and not ours)
