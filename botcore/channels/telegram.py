"""Telegram through its Bot API (https://core.telegram.org/bots/api), spoken directly: no SDK.

The bot's token is part of every address, so no address and no exception of ``httpx`` is ever shown or logged.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, get_random_string

from botcore.channels.base import (
    Capabilities,
    Card,
    Channel,
    MalformedBodyError,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    SendResult,
    read_json,
)
from botcore.channels.chunking import chunks, size
from botcore.models import InboundEvent

API = "https://api.telegram.org"
CAPTION_LIMIT = 1024
UPDATES = ("message", "callback_query", "message_reaction")

FEEDBACK_DATA = re.compile(r"fb:([0-9]{1,18}):(up|down)")
UP = frozenset("👍❤🔥👏🎉🙏👌💯😍🤩🥰")
DOWN = frozenset("👎💩🤮🤬😡")

TEXTS = {
    "en": {
        "choose": "Tell me more",
        "open": "Open in shop",
        "source": "From: {}",
        "hello": "hi",
        "thanks": "Thank you",
    },
    "zh": {"choose": "看看这个", "open": "打开商品", "source": "来自：{}", "hello": "你好", "thanks": "谢谢"},
}


@functools.cache
def http() -> httpx.Client:
    """This process's connections to Telegram, kept open between messages."""
    return httpx.Client(timeout=httpx.Timeout(10, connect=5, write=30))


class Telegram(Channel):
    name = "telegram"
    capabilities = Capabilities(
        text_limit=4096, text_unit="utf16", buttons=8, button_payload_bytes=64, pictures=True, typing=True
    )
    required_config = ("token",)

    # --- in ---------------------------------------------------------------------------------------------------------

    def verify(self, request: HttpRequest) -> bool:
        secret = self.config.get("secret", "")
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        return bool(secret) and constant_time_compare(given, secret)

    def parse(self, body: bytes) -> list[ReceivedEvent]:
        update = read_json(body)
        key = str(_integer(update, "update_id"))
        if "message" in update:
            return _message_events(key, _object(update, "message"))
        if "callback_query" in update:
            return [_button_event(key, _object(update, "callback_query"))]
        if "message_reaction" in update:
            return _reaction_events(key, _object(update, "message_reaction"))
        return []

    def acknowledge(self, received: Sequence[ReceivedEvent]) -> Payload | None:
        """Telegram takes one call in the answer to a webhook: the pressed button stops spinning without another."""
        for event in received:
            if callback_id := event.data.get("callback_id"):
                answer = {"method": "answerCallbackQuery", "callback_query_id": callback_id}
                return answer | ({"text": _texts(event.language)["thanks"]} if "verdict" in event.data else {})
        return None

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        texts = _texts(message.language)
        source = f"\n\n{texts['source'].format(message.source)}" if message.source else ""
        pieces = chunks(message.text + source, self.capabilities.text_limit, self.capabilities.text_unit)
        calls: list[Payload] = [
            {"method": "sendMessage", "params": {"text": piece, "link_preview_options": {"is_disabled": True}}}
            for piece in pieces
        ]
        if calls:
            calls[-1]["params"]["reply_markup"] = {"inline_keyboard": [_feedback_buttons(message.turn)]}
        return calls + [_card_call(card, texts) for card in message.cards]

    def send(self, contact_id: str, payload: Payload) -> SendResult:
        result = self._call(payload["method"], {"chat_id": contact_id, **payload["params"]}, payload.get("upload", ""))
        if result.permanent and payload["method"] == "sendPhoto":
            # Telegram could not fetch or read the picture; what it shows must still arrive.
            return self._call("sendMessage", {"chat_id": contact_id, **_without_picture(payload["params"])})
        return result

    def typing(self, contact_id: str) -> None:
        self._call("sendChatAction", {"chat_id": contact_id, "action": "typing"})

    def _call(self, method: str, params: Mapping[str, Any], upload: str = "") -> SendResult:
        """One call of the Bot API. ``upload`` is a picture's path under the media root, sent along as ``photo``."""
        url = f"{self.config.get('api_base_url') or API}/bot{self.config['token']}/{method}"
        try:
            if upload:
                fields = {k: v if isinstance(v, str) else json.dumps(v) for k, v in params.items()}
                picture = (settings.MEDIA_ROOT / upload).read_bytes()
                response = http().post(url, data=fields, files={"photo": (Path(upload).name, picture)})
            else:
                response = http().post(url, json=dict(params))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return SendResult(ok=False, error=f"{method}: {type(error).__name__}")
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
        prepared = super().prepare_config(config)
        if unknown := sorted(set(prepared) - {"token", "secret", "api_base_url"}):
            raise ValueError(f"telegram knows no --config {unknown[0]}=...; there are token, secret and api_base_url")
        if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", prepared["token"]):
            raise ValueError(
                "the token is not one of @BotFather's; it looks like 123456789:AAF... (digits, colon, key)"
            )
        prepared.setdefault("secret", get_random_string(48))
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", prepared["secret"]):
            raise ValueError("the secret may hold letters, digits, _ and -, at most 256 of them")
        base = prepared.get("api_base_url", API).rstrip("/")
        if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).hostname:
            raise ValueError(f'api_base_url="{base}" is not an address; leave it out for {API}')
        return prepared | {"api_base_url": base}

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
    chat = _object(message, "chat")
    if chat.get("type") != "private":
        return []
    sender = _object(message, "from") if "from" in message else {}
    person = _person(_integer(chat, "id"), sender)
    text = _text(message, "text") or _text(message, "caption")
    command = text.split(maxsplit=1)[0].partition("@")[0] if text.startswith("/") else ""
    if command in ("/start", "/new"):
        greeting = _texts(person["language"])["hello"]
        return [
            ReceivedEvent(key, InboundEvent.Kind.RESET, **person),
            ReceivedEvent(f"{key}:hello", InboundEvent.Kind.TEXT, text=greeting, **person),
        ]
    kind = InboundEvent.Kind.TEXT if text.strip() else InboundEvent.Kind.OTHER
    return [ReceivedEvent(key, kind, text=text, **person)]


def _button_event(key: str, query: Mapping[str, Any]) -> ReceivedEvent:
    sender = _object(query, "from")
    person = _person(_integer(sender, "id"), sender)
    data, callback_id = _text(query, "data"), _text(query, "id")
    if thumb := FEEDBACK_DATA.fullmatch(data):
        verdict = {"verdict": thumb[2], "turn": int(thumb[1]), "callback_id": callback_id}
        return ReceivedEvent(key, InboundEvent.Kind.BUTTON, data=verdict, **person)
    if data.startswith("sku:"):
        sku = data.removeprefix("sku:")
        title = _title_shown(query) or sku
        chosen = {"sku": sku, "callback_id": callback_id}
        return ReceivedEvent(key, InboundEvent.Kind.BUTTON, text=title, data=chosen, **person)
    return ReceivedEvent(key, InboundEvent.Kind.OTHER, data={"callback_id": callback_id}, **person)


def _title_shown(query: Mapping[str, Any]) -> str:
    """The first line under the picture whose button was pressed; empty when the message is too old to be sent along."""
    message = _object(query, "message") if "message" in query else {}
    return (_text(message, "caption") or _text(message, "text")).partition("\n")[0]


def _reaction_events(key: str, reaction: Mapping[str, Any]) -> list[ReceivedEvent]:
    """A reaction to one of our messages: a thumb, or its withdrawal when none is left. Other emoji say nothing."""
    chat = _object(reaction, "chat")
    if chat.get("type") != "private":
        return []
    left = reaction.get("new_reaction")
    if not isinstance(left, list):
        raise MalformedBodyError("message_reaction.new_reaction is missing")
    emoji = {str(item.get("emoji", "")).rstrip("\ufe0f") for item in left if isinstance(item, dict)}
    verdict = "up" if emoji & UP else "down" if emoji & DOWN else "" if emoji else "none"
    if not verdict:
        return []
    data = {"verdict": verdict, "platform_id": str(_integer(reaction, "message_id"))}
    return [ReceivedEvent(key, InboundEvent.Kind.REACTION, contact_id=str(_integer(chat, "id")), data=data)]


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise MalformedBodyError(f"{name} is missing")
    return value


def _integer(parent: Mapping[str, Any], name: str) -> int:
    """Telegram's identifiers have at most 52 significant bits."""
    value = parent.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise MalformedBodyError(f"{name} is missing")
    return value


def _text(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name, "")
    if not isinstance(value, str):
        raise MalformedBodyError(f"{name} is not a text")
    return value


def _person(contact_id: int, sender: Mapping[str, Any]) -> Payload:
    name = f"{_text(sender, 'first_name')} {_text(sender, 'last_name')}".strip()
    language = _text(sender, "language_code").partition("-")[0].lower()[:8]
    return {"contact_id": str(contact_id), "contact_name": name, "language": language}


def _texts(language: str) -> dict[str, str]:
    return TEXTS["zh" if language.startswith("zh") else "en"]


# --- writing calls --------------------------------------------------------------------------------------------------


def _feedback_buttons(turn: int) -> list[Payload]:
    return [
        {"text": thumb, "callback_data": f"fb:{turn}:{verdict}"} for thumb, verdict in (("👍", "up"), ("👎", "down"))
    ]


def _card_call(card: Card, texts: Mapping[str, str]) -> Payload:
    """One product as a picture with its caption and buttons, or as a text where it has no picture."""
    caption = "\n".join(filter(None, (card.title, card.price, card.detail)))
    caption = chunks(caption, CAPTION_LIMIT, "utf16")[0]
    bold = [{"type": "bold", "offset": 0, "length": min(size(card.title, "utf16"), size(caption, "utf16"))}]
    params: Payload = {}
    if buttons := _card_buttons(card, texts):
        params["reply_markup"] = {"inline_keyboard": [buttons]}
    picture = _picture(card.image_url)
    if not picture:
        return {"method": "sendMessage", "params": {"text": caption, "entities": bold, **params}}
    call: Payload = {"method": "sendPhoto", "params": {"caption": caption, "caption_entities": bold, **params}}
    return call | picture if "upload" in picture else call | {"params": call["params"] | picture}


def _card_buttons(card: Card, texts: Mapping[str, str]) -> list[Payload]:
    data = f"sku:{card.sku}"
    fits = len(data.encode()) <= Telegram.capabilities.button_payload_bytes
    buttons: list[Payload] = [{"text": texts["choose"], "callback_data": data}] if fits else []
    return [*buttons, {"text": texts["open"], "url": card.url}] if _is_public(card.url) else buttons


def _picture(url: str) -> Payload:
    """How Telegram gets a picture: by its public address, else as an upload from our media, else not at all."""
    if _is_public(url):
        return {"photo": url}
    own = f"{settings.PUBLIC_URL}{settings.MEDIA_URL}"
    path = (settings.MEDIA_ROOT / url.removeprefix(own)).resolve()
    inside = url.startswith(own) and path.is_relative_to(settings.MEDIA_ROOT.resolve())
    return {"upload": str(path.relative_to(settings.MEDIA_ROOT.resolve()))} if inside else {}


def _is_public(url: str) -> bool:
    """Telegram fetches and links to addresses that the world can reach; others make it refuse the whole message."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "https" and "." in host and not re.fullmatch(r"[0-9.]+", host)


def _without_picture(params: Mapping[str, Any]) -> Payload:
    kept = {name: value for name, value in params.items() if name not in ("photo", "caption", "caption_entities")}
    return {"text": params["caption"], "entities": params["caption_entities"], **kept}


def _result(method: str, response: httpx.Response, token: str) -> SendResult:
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    answer = answer if isinstance(answer, dict) else {}
    if response.is_success and answer.get("ok"):
        sent = answer.get("result")
        return SendResult(ok=True, platform_id=str(sent.get("message_id", "")) if isinstance(sent, dict) else "")
    description = str(answer.get("description", "no explanation")).replace(token, "***")
    parameters = answer.get("parameters")
    retry_after = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return SendResult(
        ok=False,
        retry_after=float(retry_after) if isinstance(retry_after, int | float) else None,
        permanent=response.status_code in (400, 403, 413),
        error=f"{method}: {response.status_code} {description}",
    )
