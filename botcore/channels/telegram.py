"""Telegram through its Bot API (https://core.telegram.org/bots/api), spoken directly: no SDK.

The bot's token is part of every address, so no address and no exception of ``httpx`` is ever shown or logged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from django.utils.crypto import constant_time_compare, get_random_string

from botcore.channels import http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import chunks, size
from botcore.channels.layout import caption, full_text, is_public, own_picture
from botcore.channels.reactions import verdict_of
from botcore.channels.texts import texts_in
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
    integer_at,
    object_at,
    objects_at,
    read_json,
    text_at,
)
from botcore.models import InboundEvent

API = "https://api.telegram.org"
CAPTION_LIMIT = 1024
UPDATES = ("message", "edited_message", "callback_query", "message_reaction")

THUMBS = {"up": "👍", "down": "👎"}


class Telegram(Channel):
    name = "telegram"
    title = "Telegram"
    capabilities = Capabilities(
        text_limit=4096,
        text_unit="utf16",
        buttons=8,
        label=64,
        payload_bytes=64,
        pictures=True,
        feedback="buttons",
        edit=True,
        typing=True,
        streaming=True,
        ack_seconds=60,
        rate=25,
        burst=25,
    )
    fields = (
        Field(
            "token",
            "The bot's token",
            "@BotFather's, like 123456789:AAF... (digits, colon, key)",
            pattern="[0-9]+:[A-Za-z0-9_-]+",
            secret=True,
        ),
        Field(
            "secret",
            "Secret of the webhook",
            "made for you; else 1 to 256 letters, digits, _ and -",
            pattern="[A-Za-z0-9_-]{1,256}",
            required=False,
            secret=True,
        ),
        Field(
            "streaming",
            "Show replies as they are written",
            "yes or no; no without it",
            pattern="yes|no",
            required=False,
        ),
        API_BASE,
    )
    steps = (
        "Write to @BotFather in Telegram, send /newbot and follow it.",
        "Copy the token that it gives you into the field below. The webhook is set for you.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def verify(self, request: WebhookRequest) -> bool:
        secret = self.config.get("secret", "")
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        return bool(secret) and constant_time_compare(given, secret)

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        update = read_json(request.body)
        key = str(integer_at(update, "update_id"))
        if "message" in update:
            return _message_events(key, object_at(update, "message"))
        if "edited_message" in update:
            return _edit_events(key, object_at(update, "edited_message"))
        if "callback_query" in update:
            return [_button_event(key, object_at(update, "callback_query"))]
        if "message_reaction" in update:
            return _reaction_events(key, object_at(update, "message_reaction"))
        return []

    def ack(self, received: Sequence[ReceivedEvent]) -> Answer:
        """Telegram takes one call in the answer to a webhook: the pressed button stops spinning without another."""
        for event in received:
            if callback_id := event.data.get("callback_id"):
                return Answer.json({"method": "answerCallbackQuery", "callback_query_id": callback_id})
        return Answer()

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        pieces = chunks(full_text(message), self.capabilities.text_limit, self.capabilities.text_unit)
        calls: list[Payload] = [
            {"method": "sendMessage", "params": {"text": piece, "link_preview_options": {"is_disabled": True}}}
            for piece in pieces
        ]
        if calls and (thumbs := _thumbs(message)):
            calls[-1]["params"]["reply_markup"] = {"inline_keyboard": [thumbs]}
        return calls + [_card_call(card, texts_in(message.language)) for card in message.cards]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        chat = {"chat_id": recipient.contact_id}
        result = self._call(payload["method"], chat | payload["params"], payload.get("upload", ""))
        if result.permanent and payload["method"] == "sendPhoto":
            # Telegram could not fetch or read the picture; what it shows must still arrive.
            return self._call("sendMessage", chat | _without_picture(payload["params"]))
        return result

    def edit(self, recipient: Recipient, platform_id: str, payload: Payload) -> SendResult:
        """The buttons of a message; Telegram keeps its text and its picture."""
        markup = payload["params"].get("reply_markup", {"inline_keyboard": []})
        place = {"chat_id": recipient.contact_id, "message_id": int(platform_id)}
        return self._call("editMessageReplyMarkup", place | {"reply_markup": markup})

    def typing(self, recipient: Recipient) -> None:
        self._call("sendChatAction", {"chat_id": recipient.contact_id, "action": "typing"})

    def stream(self, recipient: Recipient, turn: int, text: str) -> None:
        if self.config.get("streaming") == "yes" and turn:
            draft = {"chat_id": int(recipient.contact_id), "draft_id": turn % 2**31 or 1, "text": text[:4000]}
            self._call("sendMessageDraft", draft)

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        file_id = str(media.reference.get("file_id", ""))
        try:
            answer = http.json_of(http.call("getFile", "POST", self._address("getFile"), json={"file_id": file_id}))
        except http.UnreachableError as error:
            raise MediaError(str(error)) from None
        file = answer.get("result")
        path = str(file.get("file_path", "")) if isinstance(file, dict) else ""
        if not re.fullmatch(r"[\w./-]+", path) or ".." in path:
            raise MediaError("getFile: there is no such file")
        return http.download("file", f"{self._base}/file/bot{self.config['token']}/{path}", limit)

    @property
    def _base(self) -> str:
        return str(self.config.get("api_base_url") or API)

    def _address(self, method: str) -> str:
        return f"{self._base}/bot{self.config['token']}/{method}"

    def _call(self, method: str, params: Mapping[str, Any], upload: str = "") -> SendResult:
        """One call of the Bot API. ``upload`` is a picture's path under the media root, sent along as ``photo``."""
        try:
            if upload:
                fields = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}
                picture = (settings.MEDIA_ROOT / upload).read_bytes()
                files = {"photo": (Path(upload).name, picture)}
                response = http.call(method, "POST", self._address(method), data=fields, files=files)
            else:
                response = http.call(method, "POST", self._address(method), json=dict(params))
        except http.UnreachableError as error:
            return http.unreachable(error)
        except OSError as error:
            return SendResult(ok=False, permanent=True, error=f"{method}: the picture is gone ({error.strerror})")
        return _result(method, response, self.config["token"])

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """The bot's number, which outlives a renewed token."""
        return str(config.get("token", "")).partition(":")[0]

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        return {"secret": get_random_string(48), "api_base_url": API} | super().prepare_config(config)

    def check(self) -> Check:
        try:
            response = http.call("getMe", "POST", self._address("getMe"))
        except http.UnreachableError as error:
            return Check(False, str(error))
        bot = http.json_of(response).get("result")
        if response.is_success and isinstance(bot, dict):
            return Check(True, f"@{bot.get('username', '')}")
        return Check(False, _result("getMe", response, self.config["token"]).error)

    def connect(self, webhook_url: str) -> Sequence[str]:
        lines = [f"webhook: {webhook_url}"]
        own_server = self.config.get("api_base_url") not in (None, API)
        if not webhook_url.startswith("https://") and not own_server:
            return [
                *lines,
                f"secret token: {self.config['secret']}",
                "Telegram calls https addresses only: put this server behind one, set PUBLIC_URL=https://... "
                "and connect again; the webhook is then registered by itself",
            ]
        result = self._call(
            "setWebhook",
            {"url": webhook_url, "secret_token": self.config["secret"], "allowed_updates": list(UPDATES)},
        )
        if result.ok:
            return [*lines, "Telegram knows this address and its secret: write to the bot to try it"]
        return [
            *lines,
            f"secret token: {self.config['secret']}",
            f"Telegram did not take the address ({result.error}); mend that and connect again",
        ]


# --- reading updates ------------------------------------------------------------------------------------------------


def _message_events(key: str, message: Mapping[str, Any]) -> list[ReceivedEvent]:
    """A customer's message in a private chat; groups are none of the shop's business."""
    chat = object_at(message, "chat")
    if chat.get("type") != "private":
        return []
    person = _person(integer_at(chat, "id"), object_at(message, "from") if "from" in message else {})
    text = _words(message)
    command = text.split(maxsplit=1)[0].partition("@")[0] if text.startswith("/") else ""
    if command in ("/start", "/new"):
        greeting = texts_in(person["language"])["hello"]
        return [
            ReceivedEvent(key, InboundEvent.Kind.RESET, **person),
            ReceivedEvent(f"{key}:hello", InboundEvent.Kind.TEXT, text=greeting, **person),
        ]
    media = _media(message)
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text.strip() else InboundEvent.Kind.OTHER
    return [ReceivedEvent(key, kind, text=text, data=_numbered(message), media=media, **person)]


def _edit_events(key: str, message: Mapping[str, Any]) -> list[ReceivedEvent]:
    chat = object_at(message, "chat")
    text = _words(message)
    if chat.get("type") != "private" or not text.strip():
        return []
    person = _person(integer_at(chat, "id"), object_at(message, "from") if "from" in message else {})
    return [ReceivedEvent(key, InboundEvent.Kind.EDIT, text=text, data=_numbered(message), **person)]


def _words(message: Mapping[str, Any]) -> str:
    return text_at(message, "text") or text_at(message, "caption")


def _numbered(message: Mapping[str, Any]) -> Payload:
    return {"message": str(integer_at(message, "message_id"))}


def _media(message: Mapping[str, Any]) -> tuple[MediaReference, ...]:
    """The largest size of a photo, or a voice message."""
    photos = objects_at(message, "photo")
    voice = message.get("voice")
    if photos:
        return (MediaReference("photo", {"file_id": text_at(photos[-1], "file_id", None)}),)
    if isinstance(voice, dict):
        return (MediaReference("voice", {"file_id": text_at(voice, "file_id", None)}),)
    return ()


def _button_event(key: str, query: Mapping[str, Any]) -> ReceivedEvent:
    sender = object_at(query, "from")
    data = {"token": text_at(query, "data"), "callback_id": text_at(query, "id")}
    return ReceivedEvent(key, InboundEvent.Kind.BUTTON, data=data, **_person(integer_at(sender, "id"), sender))


def _reaction_events(key: str, reaction: Mapping[str, Any]) -> list[ReceivedEvent]:
    """A reaction to one of our messages: a thumb, or its withdrawal when none is left. Other emoji say nothing."""
    chat = object_at(reaction, "chat")
    if chat.get("type") != "private":
        return []
    left = reaction.get("new_reaction")
    if not isinstance(left, list):
        raise MalformedBodyError("message_reaction.new_reaction is missing")
    said = {verdict_of(str(item.get("emoji", ""))) for item in left if isinstance(item, dict)}
    verdict = next((word for word in ("up", "down") if word in said), "" if said else "none")
    if not verdict:
        return []
    data = {"verdict": verdict, "platform_id": str(integer_at(reaction, "message_id"))}
    return [ReceivedEvent(key, InboundEvent.Kind.REACTION, contact_id=str(integer_at(chat, "id")), data=data)]


def _person(contact_id: int, sender: Mapping[str, Any]) -> Payload:
    name = f"{text_at(sender, 'first_name')} {text_at(sender, 'last_name')}".strip()
    language = text_at(sender, "language_code").partition("-")[0].lower()[:8]
    return {"contact_id": str(contact_id), "contact_name": name, "language": language}


# --- writing calls --------------------------------------------------------------------------------------------------


def _thumbs(message: OutboundMessage) -> list[Payload]:
    """Both thumbs; once one was pressed, that one, which may still be taken back by the other."""
    offered = {"up": message.up, "down": message.down}
    return [
        {
            "text": f"{THUMBS[verdict]} ✓" if message.verdict == verdict else THUMBS[verdict],
            "callback_data": choice.token,
        }
        for verdict, choice in offered.items()
        if choice
    ]


def _card_call(card: Card, texts: Mapping[str, str]) -> Payload:
    """One product as a picture with its caption and buttons, or as a text where it has no picture."""
    text = chunks(caption(card), CAPTION_LIMIT, "utf16")[0]
    bold = [{"type": "bold", "offset": 0, "length": min(size(card.title, "utf16"), size(text, "utf16"))}]
    params: Payload = {}
    if buttons := _card_buttons(card, texts):
        params["reply_markup"] = {"inline_keyboard": [buttons]}
    picture = _picture(card.image_url)
    if not picture:
        return {"method": "sendMessage", "params": {"text": text, "entities": bold, **params}}
    call: Payload = {"method": "sendPhoto", "params": {"caption": text, "caption_entities": bold, **params}}
    return call | picture if "upload" in picture else call | {"params": call["params"] | picture}


def _card_buttons(card: Card, texts: Mapping[str, str]) -> list[Payload]:
    token = card.choice.token
    buttons: list[Payload] = [{"text": texts["choose"], "callback_data": token}] if token else []
    return [*buttons, {"text": texts["open"], "url": card.url}] if is_public(card.url) else buttons


def _picture(url: str) -> Payload:
    """How Telegram gets a picture: by its public address, else as an upload from our media, else not at all."""
    if is_public(url):
        return {"photo": url}
    path = own_picture(url)
    return {"upload": path} if path else {}


def _without_picture(params: Mapping[str, Any]) -> Payload:
    kept = {name: value for name, value in params.items() if name not in ("photo", "caption", "caption_entities")}
    return {"text": params["caption"], "entities": params["caption_entities"], **kept}


def _result(method: str, response: httpx.Response, token: str) -> SendResult:
    answer = http.json_of(response)
    if response.is_success and answer.get("ok"):
        sent = answer.get("result")
        return SendResult(ok=True, platform_id=str(sent.get("message_id", "")) if isinstance(sent, dict) else "")
    description = str(answer.get("description", "no explanation")).replace(token, "***")
    parameters = answer.get("parameters")
    told = parameters.get("retry_after") if isinstance(parameters, dict) else None
    result = http.refused(method, response, description)
    return replace(result, retry_after=min(float(told), http.LONGEST_WAIT)) if isinstance(told, int | float) else result
