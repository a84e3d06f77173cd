"""LINE through its Messaging API (https://developers.line.biz/en/reference/messaging-api/).

A message is answered by its reply token while that holds, which costs the shop nothing; else the answer is pushed.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from django.utils import timezone

from botcore.channels import http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.layout import full_text, is_public
from botcore.channels.texts import texts_in
from botcore.channels.values import (
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

API = "https://api.line.me"
DATA_API = "https://api-data.line.me"
"""Where files are; an account's own ``api_base_url`` stands for both."""

REPLY = "/v2/bot/message/reply"
USED_UP = "Invalid reply token"
"""What LINE says of a token that was used, or is too old or nobody's: a fresh one of its own was used."""
MESSAGES_A_CALL = 5
ALT_TEXT_LIMIT = 400
ADDRESS_LIMIT = 1000
REPLY_TOKEN_HOLDS = timedelta(seconds=50)
"""LINE promises a minute at most."""
LOADING_SECONDS = 20
THUMBS = {"up": "👍", "down": "👎"}
MEDIA = {"image": "photo", "audio": "voice"}


class Line(Channel):
    name = "line"
    title = "LINE"
    capabilities = Capabilities(
        text_limit=5000,
        text_unit="utf16",
        buttons=2,
        label=20,
        payload_bytes=300,
        pictures=True,
        carousel=12,
        quick_replies=13,
        feedback="quick_replies",
        typing=True,
        ack_seconds=2,
        rate=50,
        burst=50,
    )
    fields = (
        Field("channel_id", "Channel ID", "digits, on the tab Basic settings", pattern="[0-9]{5,20}"),
        Field(
            "channel_secret",
            "Channel secret",
            "32 letters and digits, on the tab Basic settings",
            pattern="[0-9a-f]{32}",
            secret=True,
        ),
        Field(
            "channel_access_token",
            "Channel access token",
            "issued on the tab Messaging API, about 170 characters",
            pattern="[A-Za-z0-9+/=._-]{20,}",
            secret=True,
        ),
        API_BASE,
    )
    steps = (
        "On https://developers.line.biz/console/ open your provider, and in it a channel of the kind Messaging API.",
        "Copy the channel ID and the channel secret from Basic settings.",
        "On the tab Messaging API issue a long-lived channel access token. The webhook is set for you.",
        "On the same tab switch Use webhook on, and Auto-reply messages off.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def verify(self, request: WebhookRequest) -> bool:
        """HMAC-SHA256 of the raw body by the channel secret. LINE signs no time: a repeat is known by its event id."""
        secret = str(self.config.get("channel_secret", ""))
        try:
            given = base64.b64decode(request.headers.get("x-line-signature", ""), validate=True)
        except (binascii.Error, ValueError):
            return False
        return bool(secret) and hmac.compare_digest(given, hmac.digest(secret.encode(), request.body, "sha256"))

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        """LINE tries an address with no events at all."""
        found = (_event(event) for event in objects_at(read_json(request.body), "events"))
        return [event for event in found if event]

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """Calls of up to five messages: the text, carousels of the products, and the thumbs as quick replies."""
        can, texts = self.capabilities, texts_in(message.language)
        messages: list[Payload] = [
            {"type": "text", "text": piece} for piece in chunks(full_text(message), can.text_limit, can.text_unit)
        ]
        for start in range(0, len(message.cards), can.carousel):
            messages.append(_carousel(message.cards[start : start + can.carousel], texts))
        if messages and (thumbs := _thumbs(message, texts)):
            messages[-1]["quickReply"] = {"items": thumbs}
        starts = range(0, len(messages), MESSAGES_A_CALL)
        return [{"messages": messages[start : start + MESSAGES_A_CALL]} for start in starts]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        if token := _reply_token(recipient):
            result = self._reply({"replyToken": token, **payload})
            if not result.permanent:
                return result
        to = recipient.address.get("to") or recipient.contact_id
        key = {"X-Line-Retry-Key": str(idempotency_key)}
        return self._call("push", "/v2/bot/message/push", {"to": to, **payload}, key)

    def typing(self, recipient: Recipient) -> None:
        if "to" not in recipient.address:  # LINE shows it to single persons only
            body = {"chatId": recipient.contact_id, "loadingSeconds": LOADING_SECONDS}
            self._call("loading", "/v2/bot/chat/loading/start", body)

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        message = str(media.reference.get("message", ""))
        if not re.fullmatch(r"[0-9]+", message):
            raise MediaError("content: there is no such message")
        url = f"{self._base(DATA_API)}/v2/bot/message/{message}/content"
        return http.download("content", url, limit, headers=self._credentials)

    def _base(self, own: str) -> str:
        return str(self.config.get("api_base_url") or own)

    @property
    def _credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.config['channel_access_token']}"}

    def _reply(self, body: Payload) -> SendResult:
        """A reply takes no retry key, but a token once: where no answer came, trying again tells whether it arrived."""
        try:
            return _result("reply", self._asked("reply", REPLY, body))
        except http.UnreachableError:
            result = self._call("reply", REPLY, body)
            return SendResult(ok=True) if USED_UP in result.error else result

    def _call(self, what: str, path: str, body: Payload, headers: Mapping[str, str] | None = None) -> SendResult:
        try:
            return _result(what, self._asked(what, path, body, headers))
        except http.UnreachableError as error:
            return http.unreachable(error)

    def _asked(self, what: str, path: str, body: Payload, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """LINE's answer. Raises ``UnreachableError``."""
        headers = {**self._credentials, **(headers or {})}
        return http.call(what, "POST", f"{self._base(API)}{path}", json=body, headers=headers)

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        return str(config.get("channel_id", ""))

    def check(self) -> Check:
        try:
            response = http.call("info", "GET", f"{self._base(API)}/v2/bot/info", headers=self._credentials)
        except http.UnreachableError as error:
            return Check(False, str(error))
        bot = http.json_of(response)
        if response.is_success and bot.get("basicId"):
            return Check(True, f"{bot.get('displayName', '')} ({bot['basicId']})".strip())
        return Check(False, http.refused("info", response, _reason(response)).error)

    def connect(self, webhook_url: str) -> Sequence[str]:
        lines = [f"webhook: {webhook_url}"]
        if not webhook_url.startswith("https://"):
            return [
                *lines,
                "LINE calls https addresses only: put this server behind one, set PUBLIC_URL=https://... and connect "
                "again; the webhook is then set by itself",
            ]
        problem = self._set_webhook(webhook_url)
        done = (
            f"LINE did not take the address ({problem}); mend that and connect again" if problem else "LINE reached it"
        )
        return [*lines, done, "on the tab Messaging API: Use webhook on, Auto-reply messages off"]

    def _set_webhook(self, webhook_url: str) -> str:
        """Register the address and have LINE try it; what went wrong, or nothing."""
        place = f"{self._base(API)}/v2/bot/channel/webhook"
        body = {"endpoint": webhook_url}
        try:
            response = http.call("webhook", "PUT", f"{place}/endpoint", json=body, headers=self._credentials)
            if not response.is_success:
                return http.refused("webhook", response, _reason(response)).error
            response = http.call("webhook test", "POST", f"{place}/test", json=body, headers=self._credentials)
        except http.UnreachableError as error:
            return str(error)
        tried = http.json_of(response)
        if response.is_success and tried.get("success") is True:
            return ""
        return f"it tried it and got {tried.get('statusCode') or tried.get('reason') or response.status_code}"


# --- reading events -------------------------------------------------------------------------------------------------


def _event(event: Mapping[str, Any]) -> ReceivedEvent | None:
    """A message or a pressed button; nothing for what only tells of followers, members, or messages taken back.

    In ``standby`` another module of the shop's answers.
    """
    if event.get("mode", "active") != "active" or event.get("type") not in ("message", "postback"):
        return None
    key, person = id_at(event, "webhookEventId"), _person(event)
    if not person:
        return None
    if event["type"] == "postback":
        data = {"token": text_at(object_at(event, "postback"), "data")}
        return ReceivedEvent(key, InboundEvent.Kind.BUTTON, data=data, **person)
    message = object_at(event, "message")
    mentions = _mentions(message)
    if "to" in person["address"] and not mentions:
        return None
    text = _without(text_at(message, "text"), mentions) if message.get("type") == "text" else ""
    media = _media(message)
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text.strip() else InboundEvent.Kind.OTHER
    return ReceivedEvent(key, kind, text=text, media=media, **person)


def _person(event: Mapping[str, Any]) -> Payload:
    """Whom an event is from, and how to answer; in a group the same person is another contact. Empty for nobody."""
    source = object_at(event, "source") if "source" in event else {}
    user, token = text_at(source, "userId"), text_at(event, "replyToken")
    place = text_at(source, "groupId") or text_at(source, "roomId")
    if not user:
        return {}
    address = {**({"reply_token": token} if token else {}), **({"to": place} if place else {})}
    return {"contact_id": f"{place}/{user}" if place else user, "address": address}


def _mentions(message: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Where a text names our bot: from and to, in UTF-16 units."""
    mention = message.get("mention")
    named = objects_at(mention, "mentionees") if isinstance(mention, dict) else []
    places = [(integer_at(one, "index"), integer_at(one, "length")) for one in named if one.get("isSelf") is True]
    return [(start, start + length) for start, length in places if start >= 0 and length > 0]


def _without(text: str, places: Sequence[tuple[int, int]]) -> str:
    units = text.encode("utf-16-le")
    for start, end in sorted(places, reverse=True):
        units = units[: 2 * start] + units[2 * end :]
    return units.decode("utf-16-le", "ignore").strip() if places else text


def _media(message: Mapping[str, Any]) -> tuple[MediaReference, ...]:
    """A picture or a voice message that LINE keeps. What it only links to is not fetched."""
    kind = MEDIA.get(str(message.get("type")))
    provider = message.get("contentProvider")
    if kind is None or not isinstance(provider, dict) or provider.get("type") != "line":
        return ()
    return (MediaReference(kind, {"message": id_at(message, "id")}),)


# --- writing calls --------------------------------------------------------------------------------------------------


def _reply_token(recipient: Recipient) -> str:
    """The token of the message that is being answered, while it holds and was not used."""
    heard = recipient.heard_at
    fresh = heard is not None and timezone.now() - heard < REPLY_TOKEN_HOLDS
    return str(recipient.address.get("reply_token", "")) if fresh and not recipient.sent_since else ""


def _thumbs(message: OutboundMessage, texts: Mapping[str, str]) -> list[Payload]:
    offered = {"up": message.up, "down": message.down}
    return [
        {"type": "action", "action": _postback(f"{THUMBS[verdict]} {texts[verdict]}", choice.token)}
        for verdict, choice in offered.items()
        if choice and not message.verdict
    ]


def _postback(label: str, token: str, said: str = "") -> Payload:
    return {"type": "postback", "label": label, "data": token, "displayText": said or label}


def _carousel(cards: Sequence[Card], texts: Mapping[str, str]) -> Payload:
    """Up to twelve products side by side; ``altText`` is what notifications and old devices show."""
    told = "\n".join(f"{card.title} · {card.price}" for card in cards)
    return {
        "type": "flex",
        "altText": chunks(told, ALT_TEXT_LIMIT, "utf16")[0],
        "contents": {"type": "carousel", "contents": [_bubble(card, texts) for card in cards]},
    }


def _bubble(card: Card, texts: Mapping[str, str]) -> Payload:
    lines: list[Payload] = [
        {"type": "text", "text": card.title, "weight": "bold", "wrap": True, "maxLines": 3},
        {"type": "text", "text": card.price, "size": "lg"},
    ]
    if card.detail:
        lines.append({"type": "text", "text": card.detail, "size": "sm", "color": "#777777", "wrap": True})
    bubble: Payload = {"type": "bubble", "body": _box([line for line in lines if line["text"]])}
    if is_public(card.image_url) and len(card.image_url) <= ADDRESS_LIMIT:
        bubble["hero"] = {
            "type": "image",
            "url": card.image_url,
            "size": "full",
            "aspectRatio": "1:1",
            "aspectMode": "cover",
        }
    if buttons := _buttons(card, texts):
        bubble["footer"] = _box(buttons)
    return bubble


def _box(contents: list[Payload]) -> Payload:
    return {"type": "box", "layout": "vertical", "spacing": "sm", "contents": contents}


def _buttons(card: Card, texts: Mapping[str, str]) -> list[Payload]:
    actions: list[Payload] = []
    if card.choice.token:
        actions.append(_postback(texts["choose"], card.choice.token, chunks(card.title, 300, "utf16")[0]))
    if is_public(card.url) and len(card.url) <= ADDRESS_LIMIT:
        actions.append({"type": "uri", "label": texts["open"], "uri": card.url})
    return [{"type": "button", "height": "sm", "action": action} for action in actions]


def _result(what: str, response: httpx.Response) -> SendResult:
    """What LINE's answer means. 409: it took a message with this retry key before, and names it again."""
    repeated = response.status_code == 409 and "x-line-accepted-request-id" in response.headers
    answer = http.json_of(response)
    sent = answer.get("sentMessages")
    if repeated or (response.is_success and (isinstance(sent, list) or what == "loading")):
        first = sent[0] if isinstance(sent, list) and sent and isinstance(sent[0], dict) else {}
        return SendResult(ok=True, platform_id=str(first.get("id", "")))
    result = http.refused(what, response, _reason(response))
    if response.status_code == 429 and "monthly limit" in _reason(response):
        # The month's pushed messages are used up: waiting helps nobody, and replies go on.
        return replace(result, retry_after=None, permanent=True)
    return result


def _reason(response: httpx.Response) -> str:
    return str(http.json_of(response).get("message") or "no explanation")[:200]
