"""Feishu and Lark, one platform in two places (https://open.feishu.cn/document, https://open.larksuite.com/document).

Events come sealed and signed; replies are cards, whose buttons come back as callbacks at the same address.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from django.conf import settings
from django.utils.crypto import constant_time_compare

from botcore.channels import access, http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.layout import caption, full_text, is_public, own_picture
from botcore.channels.texts import TEXTS, texts_in
from botcore.channels.values import (
    Answer,
    Capabilities,
    Card,
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
    id_at,
    object_at,
    objects_at,
    read_json,
    text_at,
)
from botcore.models import InboundEvent

API = "https://open.feishu.cn"
FRESH_SECONDS = 300
CARDS_A_MESSAGE = 10
"""A card may have 30 KB; with a text of eight this many products stay below."""
PICTURE_LIMIT = 10_000_000
PICTURES_KEPT = 5000

STALE_TOKEN = frozenset({99991661, 99991663, 99991664, 99991668, 99991671})
LIMITED = frozenset({99991400, 11232, 11233, 230020})
FINAL = frozenset({230001, 230002, 230013, 230025, 230028, 230029, 230034, 230053, 230110, 230111})
"""What the message or its reader makes impossible: no such chat, not in it, blocked, too long, gone."""

UP = frozenset(
    {"THUMBSUP", "HEART", "LOVE", "OK", "DONE", "APPLAUSE", "FINGERHEART", "JIAYI", "YEAH", "PRAISE", "THANKS"}
)
DOWN = frozenset({"THUMBSDOWN", "ANGRY", "HEARTBROKEN", "MINUSONE"})
THUMBS = {"up": "👍", "down": "👎"}

_pictures: dict[tuple[str, str, int], str] = {}
"""Feishu's keys of pictures that this process uploaded, by app, path and time of change."""


class Feishu(Channel):
    name = "feishu"
    title = "Feishu / Lark"
    capabilities = Capabilities(
        text_limit=8000,
        text_unit="bytes",
        buttons=2,
        label=20,
        payload_bytes=200,
        pictures=True,
        feedback="buttons",
        edit=True,
        ack_seconds=3,
        rate=15,
        burst=15,
        idempotent=True,
    )
    fields = (
        Field("app_id", "App ID", "like cli_a1b2c3d4e5f6g7h8", pattern="cli_[A-Za-z0-9]+"),
        Field("app_secret", "App Secret", "32 letters and digits", pattern="[A-Za-z0-9]{20,64}", secret=True),
        Field(
            "encrypt_key",
            "Encrypt Key",
            "a word of your own under 事件与回调 → 加密策略, the same here and there",
            pattern=r"\S+",
            secret=True,
        ),
        Field(
            "verification_token",
            "Verification Token",
            "on the same page, 32 letters and digits",
            pattern=r"[A-Za-z0-9_-]+",
            secret=True,
        ),
        Field(
            "bot_open_id",
            "The bot's open_id",
            "like ou_..., named by the check of the credentials; without it groups are left alone",
            pattern="ou_[A-Za-z0-9]+",
            required=False,
        ),
        replace(API_BASE, hint="https://open.larksuite.com for Lark; leave it out for Feishu"),
    )
    steps = (
        "On https://open.feishu.cn/app (Lark: https://open.larksuite.com/app) create an app of your own with a bot.",
        "Copy App ID and App Secret from 凭证与基础信息.",
        "Under 事件与回调 → 加密策略 set an Encrypt Key; copy it and the Verification Token, and connect here first.",
        "Under 事件配置 and again under 回调配置 paste {webhook}; Feishu tries it at once.",
        "Add the events im.message.receive_v1, im.message.reaction.created_v1, im.message.reaction.deleted_v1, "
        "im.message.message_read_v1 and the callback card.action.trigger.",
        "Allow im:message.p2p_msg:readonly, im:message:send_as_bot, im:resource, im:message.reactions:read, "
        "im:message.group_at_msg:readonly; then publish a version.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """A new address is tried with a challenge, sealed or not and never signed: our token proves it."""
        if request.method != "POST" or len(request.body) > 10_000:
            return None
        try:
            asked = self._opened(request.body)
        except MalformedBodyError:
            return None
        if asked.get("type") != "url_verification" or not self._knows_token(asked.get("token")):
            return None
        return Answer.json({"challenge": str(asked.get("challenge", ""))})

    def verify(self, request: WebhookRequest) -> bool:
        """SHA-256 over time, nonce, Encrypt Key and raw body, and inside the body our token."""
        key, at = str(self.config.get("encrypt_key", "")), request.headers.get("x-lark-request-timestamp", "")
        if not key or not re.fullmatch("[0-9]{1,12}", at) or abs(request.at - int(at)) > FRESH_SECONDS:
            return False
        signed = f"{at}{request.headers.get('x-lark-request-nonce', '')}{key}".encode(errors="replace") + request.body
        if not constant_time_compare(request.headers.get("x-lark-signature", ""), sha256(signed).hexdigest()):
            return False
        try:
            event = self._opened(request.body)
        except MalformedBodyError:
            return False
        header = event.get("header")
        return self._knows_token(header.get("token") if isinstance(header, dict) else event.get("token"))

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        """Events of version 2.0; older ones and those that nobody ordered are left out."""
        event = self._opened(request.body)
        if "header" not in event:
            return []
        header, body = object_at(event, "header"), object_at(event, "event")
        kind, key = id_at(header, "event_type"), id_at(header, "event_id")
        if kind == "im.message.receive_v1":
            return self._message_events(body)
        if kind == "im.message.message_read_v1":
            return _receipts(key, body)
        if kind in ("im.message.reaction.created_v1", "im.message.reaction.deleted_v1"):
            return _reaction_events(key, body, taken_back="deleted" in kind)
        return [_button_event(key, body)] if kind == "card.action.trigger" else []

    def ack(self, received: Sequence[ReceivedEvent]) -> Answer:
        """A pressed button is thanked for on the spot."""
        if not any(event.kind == InboundEvent.Kind.BUTTON for event in received):
            return Answer.json({})
        words = {"en_us": TEXTS["en"]["thanks"], "zh_cn": TEXTS["zh"]["thanks"]}
        return Answer.json({"toast": {"type": "success", "content": words["en_us"], "i18n": words}})

    def _opened(self, body: bytes) -> Mapping[str, Any]:
        """The event in a request, unsealed where it is sealed. Raises ``MalformedBodyError``."""
        value = read_json(body)
        return (
            read_json(_unsealed(text_at(value, "encrypt"), self.config["encrypt_key"])) if "encrypt" in value else value
        )

    def _knows_token(self, given: Any) -> bool:
        ours = str(self.config.get("verification_token", ""))
        return bool(ours) and isinstance(given, str) and constant_time_compare(given, ours)

    def _message_events(self, body: Mapping[str, Any]) -> list[ReceivedEvent]:
        """A person's message, known by its own id: Feishu may tell of one message in two events.

        In a group only what names our bot; there the same person is another contact.
        """
        sender, message = object_at(body, "sender"), object_at(body, "message")
        if sender.get("sender_type") != "user":
            return []
        key, chat = id_at(message, "message_id"), id_at(message, "chat_id")
        private = id_at(message, "chat_type") == "p2p"
        mentions = objects_at(message, "mentions") if message.get("mentions") else []
        if not private and not self._is_named(mentions):
            return []
        text, media = _content(message)
        for mention in sorted(
            mentions, key=lambda one: len(text_at(one, "key")), reverse=True
        ):  # @_user_10 before @_user_1
            named = "" if self._is_named([mention]) else f"@{text_at(mention, 'name')}"
            text = text.replace(text_at(mention, "key") or "\0", named)
        text = text.strip()
        kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text else InboundEvent.Kind.OTHER
        person = _person(object_at(sender, "sender_id"), "" if private else chat)
        return [ReceivedEvent(key, kind, text=text, media=media, **person)]

    def _is_named(self, mentions: Iterable[Mapping[str, Any]]) -> bool:
        ours = self.config.get("bot_open_id")
        ids = [mention["id"] for mention in mentions if isinstance(mention.get("id"), dict)]
        return bool(ours) and any(one.get("open_id") == ours for one in ids)

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """Texts, of which the last is a card where there is something to press; pictures are named by their paths."""
        texts = texts_in(message.language)
        pieces = chunks(full_text(message), self.capabilities.text_limit, self.capabilities.text_unit)
        thumbs = _thumbs(message, texts)
        if not (message.cards or thumbs):
            return [_post(piece, message.language) for piece in pieces]
        elements = [_plain(piece) for piece in pieces[-1:]]
        groups = [message.cards[at : at + CARDS_A_MESSAGE] for at in range(0, len(message.cards), CARDS_A_MESSAGE)]
        cards = [[element for card in group for element in _product(card, texts)] for group in groups] or [[]]
        cards[0] = [*elements, *cards[0]]
        cards[-1] += [{"tag": "action", "actions": thumbs}] if thumbs else []
        return [*(_post(piece, message.language) for piece in pieces[:-1]), *(_card(elements) for elements in cards)]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        chat = str(recipient.address.get("chat", ""))
        body = {
            "receive_id": chat or recipient.contact_id,
            "msg_type": payload["msg_type"],
            "content": self._written(payload, chat),
            "uuid": str(idempotency_key),
        }
        kind = "chat_id" if chat else "open_id"
        return self._call("send", "POST", f"/open-apis/im/v1/messages?receive_id_type={kind}", json=body)

    def edit(self, recipient: Recipient, platform_id: str, payload: Payload) -> SendResult:
        """Another card in the place of one."""
        if payload["msg_type"] != "interactive" or not re.fullmatch(r"[\w-]+", platform_id):
            return SendResult(ok=False, permanent=True, error="edit: not a card")
        content = self._written(payload, str(recipient.address.get("chat", "")))
        return self._call("edit", "PATCH", f"/open-apis/im/v1/messages/{platform_id}", json={"content": content})

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        message, key = str(media.reference.get("message", "")), str(media.reference.get("key", ""))
        if not (re.fullmatch(r"[\w-]+", message) and re.fullmatch(r"[\w.-]+", key)) or ".." in key:
            raise MediaError("resource: there is no such file")
        try:
            token = access.token_of(self._grant)
        except access.NotGrantedError as error:
            raise MediaError(str(error)) from None
        kind = "image" if media.kind == "photo" else "file"
        url = f"{self._base}/open-apis/im/v1/messages/{message}/resources/{key}?type={kind}"
        return http.download("resource", url, limit, headers={"Authorization": f"Bearer {token}"})

    @property
    def _base(self) -> str:
        return str(self.config.get("api_base_url") or API)

    @property
    def _grant(self) -> access.Grant:
        body = {name: self.config[name] for name in ("app_id", "app_secret")}
        url = f"{self._base}/open-apis/auth/v3/tenant_access_token/internal"
        return access.Grant(url, body, "tenant_access_token", "expire")

    def _answer(self, what: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Raises ``UnreachableError`` and ``NotGrantedError``."""

        def make(token: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return http.call(what, method, f"{self._base}{path}", headers=headers, **options)

        return access.call(self._grant, make, lambda answer: http.json_of(answer).get("code") in STALE_TOKEN)

    def _call(self, what: str, method: str, path: str, **options: Any) -> SendResult:
        try:
            return _result(what, self._answer(what, method, path, **options))
        except http.UnreachableError as error:
            return http.unreachable(error)
        except access.NotGrantedError as error:
            return error.result

    def _written(self, payload: Payload, chat: str) -> str:
        """The content of a message as Feishu takes it: JSON in a string, with its own keys of our pictures."""
        content = payload["content"]
        if payload["msg_type"] == "interactive":
            placed = (self._placed(element, chat) for element in content["elements"])
            content = {**content, "elements": [element for element in placed if element]}
        return json.dumps(content, ensure_ascii=False)

    def _placed(self, element: Payload, chat: str) -> Payload | None:
        """An element for one chat: a picture uploaded, or left out; in a group buttons say where they are pressed."""
        if element["tag"] == "img":
            key = self._picture_key(element["picture"])
            return {"tag": "img", "img_key": key, "alt": element["alt"]} if key else None
        if chat and element["tag"] == "action":
            actions = [
                {**one, "value": {**one["value"], "chat": chat}} if "value" in one else one
                for one in element["actions"]
            ]
            return {**element, "actions": actions}
        return element

    def _picture_key(self, path: str) -> str:
        """What Feishu calls a picture of ours, which is uploaded once; empty where that fails."""
        file = settings.MEDIA_ROOT / path
        try:
            place = (self._grant.key, path, file.stat().st_mtime_ns)
            if place not in _pictures and file.stat().st_size <= PICTURE_LIMIT:
                files = {"image": (file.name, file.read_bytes())}
                answer = self._answer(
                    "picture", "POST", "/open-apis/im/v1/images", data={"image_type": "message"}, files=files
                )
                data = http.json_of(answer).get("data")
                if isinstance(data, dict) and isinstance(data.get("image_key"), str):
                    if len(_pictures) >= PICTURES_KEPT:
                        _pictures.clear()
                    _pictures[place] = data["image_key"]
        except (OSError, http.UnreachableError, access.NotGrantedError):
            return ""
        return _pictures.get(place, "")

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        return str(config.get("app_id", ""))

    def check(self) -> Check:
        try:
            response = self._answer("bot", "GET", "/open-apis/bot/v3/info")
        except (http.UnreachableError, access.NotGrantedError) as error:
            return Check(False, str(error))
        bot = http.json_of(response).get("bot")
        if isinstance(bot, dict) and bot.get("open_id"):
            return Check(True, f"{bot.get('app_name', '')} (bot_open_id={bot['open_id']})".strip())
        return Check(False, _result("bot", response).error or "bot: the app has none")

    def connect(self, webhook_url: str) -> Sequence[str]:
        lines = [f"webhook: {webhook_url}"]
        if webhook_url.startswith("https://"):
            return lines
        return [
            *lines,
            "without https others can read what customers write: set PUBLIC_URL=https://... and connect again",
        ]


def _unsealed(sealed: str, key: str) -> bytes:
    """AES-256-CBC under the key's SHA-256, the first block being the vector. Raises ``MalformedBodyError``."""
    try:
        content = base64.b64decode(sealed, validate=True)
        decryptor = Cipher(AES(sha256(key.encode()).digest()), CBC(content[:16])).decryptor()
        padding = PKCS7(128).unpadder()
        padded = decryptor.update(content[16:]) + decryptor.finalize()
        return padding.update(padded) + padding.finalize()
    except (binascii.Error, ValueError) as error:
        raise MalformedBodyError("the event cannot be opened") from error


# --- reading events -------------------------------------------------------------------------------------------------


def _person(ids: Mapping[str, Any], chat: str) -> Payload:
    open_id = id_at(ids, "open_id")
    return {"contact_id": f"{chat}/{open_id}" if chat else open_id, "address": {"chat": chat} if chat else {}}


def _content(message: Mapping[str, Any]) -> tuple[str, tuple[MediaReference, ...]]:
    """Words and files of a message, whose content is JSON in a string. Raises ``MalformedBodyError``."""
    kind, message_id = id_at(message, "message_type"), text_at(message, "message_id")
    content = read_json(id_at(message, "content").encode())
    if kind == "text":
        return text_at(content, "text"), ()
    if kind == "post":
        return _post_words(content), _files("photo", message_id, _post_parts(content, "img"), "image_key")
    if kind == "image":
        return "", _files("photo", message_id, [content], "image_key")
    return ("", _files("voice", message_id, [content], "file_key")) if kind == "audio" else ("", ())


def _post_words(content: Mapping[str, Any]) -> str:
    """A rich text as plain lines; a mention stays the key that ``mentions`` explains."""
    words = {"at": "user_id"}
    lines = (
        "".join(text_at(part, words.get(str(part.get("tag")), "text")) for part in line) for line in _lines(content)
    )
    return "\n".join(filter(None, [text_at(content, "title"), *lines]))


def _post_parts(content: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    return [part for line in _lines(content) for part in line if part.get("tag") == tag]


def _lines(content: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    lines = content.get("content", [])
    if not isinstance(lines, list):
        raise MalformedBodyError("content is not a list")
    return [objects_at({"line": line}, "line") for line in lines]


def _files(kind: str, message_id: str, parts: Iterable[Mapping[str, Any]], name: str) -> tuple[MediaReference, ...]:
    keys = [id_at(part, name) for part in parts]
    return tuple(MediaReference(kind, {"message": message_id, "key": key}) for key in keys)


def _reaction_events(key: str, body: Mapping[str, Any], taken_back: bool) -> list[ReceivedEvent]:
    """A person's reaction that says something of a message, or that they took it back."""
    if body.get("operator_type") != "user":
        return []
    emoji = id_at(object_at(body, "reaction_type"), "emoji_type").upper()
    verdict = "up" if emoji in UP else "down" if emoji in DOWN else ""
    if not verdict:
        return []
    data = {"verdict": "none" if taken_back else verdict, "platform_id": id_at(body, "message_id")}
    return [ReceivedEvent(key, InboundEvent.Kind.REACTION, data=data, **_person(object_at(body, "user_id"), ""))]


def _receipts(key: str, body: Mapping[str, Any]) -> list[ReceivedEvent]:
    person = _person(object_at(object_at(body, "reader"), "reader_id"), "")
    read = body.get("message_id_list")
    if not isinstance(read, list) or not all(isinstance(one, str) for one in read):
        raise MalformedBodyError("message_id_list is missing")
    return [
        ReceivedEvent(f"{key}:{one}", InboundEvent.Kind.STATUS, data={"platform_id": one, "status": "read"}, **person)
        for one in read
    ]


def _button_event(key: str, body: Mapping[str, Any]) -> ReceivedEvent:
    value = object_at(object_at(body, "action"), "value")
    person = _person(object_at(body, "operator"), text_at(value, "chat"))
    return ReceivedEvent(key, InboundEvent.Kind.BUTTON, data={"token": text_at(value, "token")}, **person)


# --- writing messages -----------------------------------------------------------------------------------------------


def _post(text: str, language: str) -> Payload:
    """A text whose words mean nothing to Feishu: in a message of the kind ``text`` it would call people by tags."""
    place = "zh_cn" if language.startswith("zh") else "en_us"
    return {"msg_type": "post", "content": {place: {"content": [[{"tag": "text", "text": text}]]}}}


def _card(elements: list[Payload]) -> Payload:
    content = {"config": {"wide_screen_mode": True, "update_multi": True}, "elements": elements}
    return {"msg_type": "interactive", "content": content}


def _plain(text: str) -> Payload:
    return {"tag": "div", "text": {"tag": "plain_text", "content": text}}


def _product(card: Card, texts: Mapping[str, str]) -> list[Payload]:
    """A rule, our own picture, title with price and detail, and what can be done."""
    picture = own_picture(card.image_url)
    shown: list[Payload] = [{"tag": "hr"}]
    if picture:
        shown.append({"tag": "img", "picture": picture, "alt": {"tag": "plain_text", "content": card.title}})
    shown.append(_plain(caption(card)))
    actions = [_button(texts["choose"], card.choice.token)] if card.choice.token else []
    if is_public(card.url):
        actions.append({"tag": "button", "text": {"tag": "plain_text", "content": texts["open"]}, "url": card.url})
    return [*shown, {"tag": "action", "actions": actions}] if actions else shown


def _thumbs(message: OutboundMessage, texts: Mapping[str, str]) -> list[Payload]:
    """Both thumbs; once one was pressed it is marked, and the other still takes it back."""
    offered = {"up": message.up, "down": message.down}
    return [
        _button(f"{THUMBS[verdict]} {'✓' if message.verdict == verdict else texts[verdict]}", choice.token)
        for verdict, choice in offered.items()
        if choice
    ]


def _button(label: str, token: str) -> Payload:
    return {
        "tag": "button",
        "type": "default",
        "text": {"tag": "plain_text", "content": label},
        "value": {"token": token},
    }


def _result(what: str, response: httpx.Response) -> SendResult:
    """What Feishu's answer means: by its ``code``, which statuses of 200 and 400 carry alike."""
    answer = http.json_of(response)
    code, data = answer.get("code"), answer.get("data")
    if response.is_success and code == 0:
        return SendResult(ok=True, platform_id=str(data.get("message_id", "")) if isinstance(data, dict) else "")
    result = http.refused(what, response, f"{code} {str(answer.get('msg', 'no explanation'))[:200]}")
    if code in LIMITED or response.status_code == 429:
        seconds = response.headers.get("x-ogw-ratelimit-reset", "")
        told = min(float(seconds), http.LONGEST_WAIT) if re.fullmatch("[0-9]{1,6}", seconds) else result.retry_after
        return replace(result, permanent=False, retry_after=told)
    ours = isinstance(code, int) and code // 1000 == 99991  # the app's token, scopes or state, not this message's
    return replace(result, permanent=code in FINAL or (result.permanent and not ours))
