"""Messenger and Instagram's messages (https://developers.facebook.com/docs/messenger-platform): one way of speaking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from botcore.channels import http
from botcore.channels.base import Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.layout import full_text, is_public
from botcore.channels.meta.graph import SHARED_FIELDS, GraphChannel, opened, result_of
from botcore.channels.reactions import verdict_of
from botcore.channels.texts import texts_in
from botcore.channels.values import (
    Capabilities,
    Card,
    MediaReference,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
    object_at,
    objects_at,
    text_at,
)
from botcore.models import InboundEvent

ELEMENT_LIMIT = 80
"""Characters of a carousel element's title, and of its subtitle."""
SUBSCRIBED = ("messages", "messaging_postbacks", "message_reactions", "message_deliveries", "message_reads")
NAMED = {"like": "up", "love": "up", "smile": "up", "wow": "up", "dislike": "down", "angry": "down"}
"""Reactions that Messenger names beside their emoji."""
MEDIA = {"image": "photo", "audio": "voice"}


class Messenger(GraphChannel):
    name = "messenger"
    title = "Messenger"
    account_field = "page_id"
    kind = "page"
    """The ``object`` of this platform's deliveries."""
    capabilities = Capabilities(
        text_limit=2000,
        text_unit="bytes",
        buttons=3,
        label=20,
        payload_bytes=1000,
        pictures=True,
        carousel=10,
        quick_replies=13,
        feedback="quick_replies",
        typing=True,
        window=24 * 3600,
        ack_seconds=5,
        rate=20,
        burst=20,
    )
    fields = (
        Field("page_id", "Page ID", "under the page's About, Page transparency: digits", pattern="[0-9]{5,20}"),
        *SHARED_FIELDS,
    )
    steps = (
        "At https://developers.facebook.com/apps create a business app and add Messenger to it.",
        "Connect the shop's page under Messenger, Settings, generate its access token, and copy it with the Page ID and the App "
        "secret (App settings, Basic) into the fields below.",
        "Under Webhooks paste {webhook} as the callback address with the verify token shown below, and subscribe to messages, "
        "messaging_postbacks, message_reactions, message_deliveries and message_reads.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        """Every entry of this page's; echoes of our own messages are dropped."""
        return [
            event
            for entry in objects_at(opened(request, self.kind), "entry")
            if text_at(entry, "id", None) == self.config[self.account_field]
            for messaging in objects_at(entry, "messaging")
            for event in _events(messaging, self.config[self.account_field])
        ]

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """The text and a carousel. Quick replies vanish with the next message, so that the last one has them."""
        texts = texts_in(message.language)
        pieces = chunks(full_text(message), self.capabilities.text_limit, self.capabilities.text_unit)
        messages: list[Payload] = [{"text": piece} for piece in pieces]
        elements = [_element(card, texts) for card in message.cards]
        for start in range(0, len(elements), self.capabilities.carousel):
            template = {"template_type": "generic", "elements": elements[start : start + self.capabilities.carousel]}
            messages.append({"attachment": {"type": "template", "payload": template}})
        thumbs = [
            {"content_type": "text", "title": texts[word], "payload": choice.token}
            for word, choice in (("up", message.up), ("down", message.down))
            if choice
        ]
        if thumbs and messages:
            messages[-1]["quick_replies"] = thumbs
        return messages

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        return self._to(recipient, "messages", {"messaging_type": "RESPONSE", "message": payload})

    def typing(self, recipient: Recipient) -> None:
        self._to(recipient, "typing", {"sender_action": "typing_on"})

    def _to(self, recipient: Recipient, what: str, value: Mapping[str, Any]) -> SendResult:
        path = f"{self.config[self.account_field]}/messages"
        return self._post(what, path, {"recipient": {"id": recipient.contact_id}, **value})

    # --- setting up -------------------------------------------------------------------------------------------------

    def check(self) -> Check:
        return self._checked(str(self.config[self.account_field]), "name", "username", "id")

    def connect(self, webhook_url: str) -> Sequence[str]:
        lines = [
            f"webhook: {webhook_url}",
            f"verify token: {self.config['verify_token']}",
            "paste both under Webhooks in the app's dashboard; Meta tries the address at once, so this server must be running "
            "and reachable by https",
        ]
        path = f"{self._base}/{self.config[self.account_field]}/subscribed_apps"
        wanted = {"subscribed_fields": ",".join(SUBSCRIBED)}
        try:
            response = http.call("subscribed_apps", "POST", path, json=wanted, headers=self._headers)
        except http.UnreachableError as error:
            return [*lines, f"the account is not subscribed to the app yet ({error}); connect again"]
        if response.is_success and http.json_of(response).get("success") is True:
            return [*lines, "the account is subscribed to the app"]
        return [
            *lines,
            f"the account is not subscribed to the app yet ({result_of('subscribed_apps', response).error})",
        ]


class Instagram(Messenger):
    """Messages to a professional account, through the page or the login that it is connected with."""

    name = "instagram"
    title = "Instagram"
    account_field = "account_id"
    kind = "instagram"
    capabilities = Capabilities(
        text_limit=1000,
        text_unit="bytes",
        buttons=3,
        label=20,
        payload_bytes=1000,
        pictures=True,
        carousel=10,
        quick_replies=13,
        feedback="quick_replies",
        typing=True,
        window=24 * 3600,
        ack_seconds=5,
        rate=10,
        burst=10,
    )
    fields = (
        Field("account_id", "Instagram account ID", "the professional account's: digits", pattern="[0-9]{5,20}"),
        *SHARED_FIELDS,
    )
    steps = (
        "Make the shop's Instagram account a professional one and allow access to messages in its settings.",
        "At https://developers.facebook.com/apps create a business app, add Instagram to it, connect the account, and copy "
        "its ID, its access token and the App secret into the fields below.",
        "Under Webhooks paste {webhook} as the callback address with the verify token shown below, and subscribe to "
        "messages, messaging_postbacks, message_reactions, message_edit and messaging_seen.",
    )


# --- reading --------------------------------------------------------------------------------------------------------


def _events(messaging: Mapping[str, Any], own_id: str) -> Iterator[ReceivedEvent]:
    """What one person did. Receipts name our messages; a read up to some time names none and is left out."""
    sender = text_at(object_at(messaging, "sender"), "id", None) if "sender" in messaging else ""
    if not sender or sender == own_id:
        return
    if "message" in messaging:
        yield from _message_events(sender, object_at(messaging, "message"))
    elif "postback" in messaging:
        postback = object_at(messaging, "postback")
        key = text_at(postback, "mid") or f"{sender}:{messaging.get('timestamp')}:postback"
        yield ReceivedEvent(key, InboundEvent.Kind.BUTTON, sender, data={"token": text_at(postback, "payload")})
    elif "reaction" in messaging:
        yield from _reaction_events(sender, messaging.get("timestamp"), object_at(messaging, "reaction"))
    elif "message_edit" in messaging:
        edit = object_at(messaging, "message_edit")
        mid, text = text_at(edit, "mid", None), text_at(edit, "text")
        if mid and text.strip():
            key = f"{mid}:edit:{edit.get('num_edit', 1)}"
            yield ReceivedEvent(key, InboundEvent.Kind.EDIT, sender, text, data={"message": mid})
    elif "delivery" in messaging:
        mids = object_at(messaging, "delivery").get("mids")
        yield from _receipts(sender, mids if isinstance(mids, list) else [], "delivered")
    elif "read" in messaging:
        yield from _receipts(sender, [object_at(messaging, "read").get("mid")], "read")


def _message_events(sender: str, message: Mapping[str, Any]) -> Iterator[ReceivedEvent]:
    mid = text_at(message, "mid", None)
    if not mid or message.get("is_echo") or message.get("is_deleted"):
        return
    quick_reply = message.get("quick_reply")
    if isinstance(quick_reply, dict):
        yield ReceivedEvent(mid, InboundEvent.Kind.BUTTON, sender, data={"token": text_at(quick_reply, "payload")})
        return
    text, media = text_at(message, "text"), tuple(_media(message))
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text.strip() else InboundEvent.Kind.OTHER
    yield ReceivedEvent(mid, kind, sender, text, data={"message": mid}, media=media)


def _media(message: Mapping[str, Any]) -> Iterator[MediaReference]:
    for attachment in objects_at(message, "attachments"):
        what, payload = MEDIA.get(text_at(attachment, "type"), ""), attachment.get("payload")
        if what and isinstance(payload, dict) and "sticker_id" not in payload:
            yield MediaReference(what, {"url": text_at(payload, "url")})


def _reaction_events(sender: str, at: Any, reaction: Mapping[str, Any]) -> Iterator[ReceivedEvent]:
    mid, action = text_at(reaction, "mid", None), text_at(reaction, "action", None)
    said = verdict_of(text_at(reaction, "emoji")) or NAMED.get(text_at(reaction, "reaction"), "")
    verdict = "none" if action == "unreact" else said
    if mid and verdict:
        data = {"verdict": verdict, "platform_id": mid}
        yield ReceivedEvent(f"{mid}:{sender}:{at}:{action}", InboundEvent.Kind.REACTION, sender, data=data)


def _receipts(sender: str, mids: Sequence[Any], status: str) -> Iterator[ReceivedEvent]:
    for mid in mids:
        if isinstance(mid, str) and mid:
            data = {"platform_id": mid, "status": status}
            yield ReceivedEvent(f"{mid}:{status}", InboundEvent.Kind.STATUS, sender, data=data)


# --- writing --------------------------------------------------------------------------------------------------------


def _element(card: Card, texts: Mapping[str, str]) -> Payload:
    about = " · ".join(filter(None, (card.price, card.detail)))
    element: Payload = {
        "title": chunks(card.title, ELEMENT_LIMIT)[0],
        "subtitle": chunks(about, ELEMENT_LIMIT)[0],
    }
    if is_public(card.image_url):
        element["image_url"] = card.image_url
    buttons: list[Payload] = []
    if card.choice.token:
        buttons.append({"type": "postback", "title": texts["choose"], "payload": card.choice.token})
    if is_public(card.url):
        element["default_action"] = {"type": "web_url", "url": card.url}
        buttons.append({"type": "web_url", "title": texts["open"], "url": card.url})
    if buttons:
        element["buttons"] = buttons
    return element
