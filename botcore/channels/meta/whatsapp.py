"""WhatsApp through Meta's Cloud API (https://developers.facebook.com/docs/whatsapp/cloud-api), spoken directly: no SDK.

One account is one phone number. WhatsApp takes one message in six seconds to the same customer for long and 45 at once
(https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput): a reply's few products are pictures with
buttons, a message each; more are one list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from botcore.channels import http
from botcore.channels.base import API_BASE, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.layout import Layout, caption, full_text, is_public, layout_of, numbered_text
from botcore.channels.meta.common import (
    APP_SECRET,
    THUMBS,
    TOKEN_PATTERN,
    VERIFY_TOKEN,
    WINDOW,
    MetaChannel,
    cut,
    entries,
    error_text,
    event_key,
    required_at,
    result_of,
)
from botcore.channels.reactions import verdict_of
from botcore.channels.texts import texts_in
from botcore.channels.values import (
    Capabilities,
    Card,
    Choice,
    Media,
    MediaError,
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

BODY_WITH_BUTTONS = 1024
PRODUCTS_APART = 4
"""As many as a reply has products; with its text that is half a minute of what WhatsApp lets us write to one customer."""
UNSHOWN = (".webp", ".gif", ".svg", ".avif")
"""Pictures that WhatsApp fetches only to find, after it took the message, that it shows JPEG and PNG alone."""
LIST_ROWS = 10
LABEL, ROW_TITLE, ROW_DETAIL = 20, 24, 72
RECEIPTS = frozenset({"delivered", "read", "failed"})
LISTENED = {"image": "photo", "audio": "voice"}
"""Kinds of files that a salesperson can use."""


class WhatsApp(MetaChannel):
    name = "whatsapp"
    title = "WhatsApp"
    account_field = "phone_number_id"
    capabilities = Capabilities(
        text_limit=4096,
        buttons=3,
        label=LABEL,
        payload_bytes=200,
        pictures=True,
        apart=PRODUCTS_APART,
        list_rows=LIST_ROWS,
        row_title=ROW_TITLE,
        feedback="buttons",
        typing=True,
        window=WINDOW,
        ack_seconds=5,
        rate=20,
        burst=20,
    )
    fields = (
        Field(
            "phone_number_id",
            "Phone number ID",
            "under WhatsApp, API Setup: digits, and not the phone number itself",
            pattern="[0-9]{5,30}",
        ),
        Field(
            "token",
            "Access token",
            "a system user's permanent token with whatsapp_business_messaging, like EAA...; API Setup's own lasts a day",
            pattern=TOKEN_PATTERN,
            secret=True,
        ),
        APP_SECRET,
        VERIFY_TOKEN,
        Field(
            "business_account_id",
            "WhatsApp Business Account ID",
            "under WhatsApp, API Setup: digits; with it the app is subscribed for you",
            pattern="[0-9]{5,30}",
            required=False,
        ),
        Field(
            "template_name",
            "Template that asks a customer back",
            "an approved one without variables, like come_back; nothing is sent after 24 hours without it",
            pattern="[a-z0-9_]{1,512}",
            required=False,
        ),
        Field(
            "template_language",
            "The template's language",
            "its code in WhatsApp Manager, like en_US or zh_CN",
            pattern="[a-z]{2,3}(_[A-Z]{2,3})?",
            required=False,
        ),
        API_BASE,
    )
    steps = (
        "At https://developers.facebook.com/apps create an app with the use case WhatsApp and add the shop's number.",
        "Copy the Phone number ID and the WhatsApp Business Account ID (WhatsApp, API Setup), the App secret (App "
        "settings, Basic) and a system user's permanent token (business.facebook.com, System users) into the fields "
        "below.",
        "Under WhatsApp, Configuration paste {webhook} as the Callback URL with the Verify token, and subscribe to the "
        "field messages.",
        "For customers who wrote more than 24 hours ago: have a template without variables approved in WhatsApp Manager "
        "and give its name and language.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        """Messages to this account's number, and what became of its own; a delivery may hold many of both."""
        return [
            event
            for entry in entries(request.body, "whatsapp_business_account")
            for change in objects_at(entry, "changes")
            if text_at(change, "field") == "messages"
            for event in self._events(object_at(change, "value"))
        ]

    def _events(self, value: Mapping[str, Any]) -> list[ReceivedEvent]:
        if required_at(object_at(value, "metadata"), "phone_number_id") != self.account_id:
            return []
        names = _names(objects_at(value, "contacts"))
        spoken = [event for message in objects_at(value, "messages") for event in _message_events(message, names)]
        return [*spoken, *(event for status in objects_at(value, "statuses") for event in _status_events(status))]

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        message = replace(message, cards=tuple(map(_shown, message.cards)))
        layout = layout_of(message, self.capabilities)
        if layout is Layout.CARDS:
            return _picture_calls(message)
        if layout is Layout.LIST:
            return _list_calls(message)
        if layout is Layout.TEXT:
            return _text_calls(full_text(message), message)
        return _text_calls(numbered_text(message, thumbs=False), message)

    def reopen(self, message: OutboundMessage) -> list[Payload]:
        name, language = self.config.get("template_name"), self.config.get("template_language")
        if not name or not language:
            return []
        return [{"type": "template", "template": {"name": name, "language": {"code": language}}}]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        result = self._message(recipient, payload)
        if result.permanent and "header" in payload.get("interactive", {}):
            # WhatsApp could not fetch or read the picture; what it shows must still arrive.
            interactive = {name: value for name, value in payload["interactive"].items() if name != "header"}
            return self._message(recipient, payload | {"interactive": interactive})
        return result

    def typing(self, recipient: Recipient) -> None:
        """Shown for 25 seconds at most, and only as an answer to a message, which is then marked as read."""
        if message_id := recipient.address.get("message"):
            read = {"messaging_product": "whatsapp", "status": "read", "message_id": message_id}
            self.told("typing", f"{self.account_id}/messages", read | {"typing_indicator": {"type": "text"}})

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        """WhatsApp names the file's address first, which lives for minutes and wants the token as well."""
        media_id = str(media.reference.get("id", ""))
        if not re.fullmatch(r"[\w-]+", media_id):
            raise MediaError("media: there is no such file")
        try:
            response = self.ask("GET", media_id, params={"phone_number_id": self.account_id})
        except http.UnreachableError:
            raise MediaError("media: no answer") from None
        file = http.json_of(response)
        announced = file.get("file_size")
        if not response.is_success or not isinstance(file.get("url"), str):
            raise MediaError(f"media: {response.status_code}")
        if isinstance(announced, int) and announced > limit:
            raise MediaError(f"media: more than {limit} bytes")
        return self.file_at(file["url"], limit, authorised=True)

    def _message(self, recipient: Recipient, payload: Payload) -> SendResult:
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", **_to(recipient), **payload}
        try:
            response = self.ask("POST", f"{self.account_id}/messages", json=body)
        except http.UnreachableError as error:
            return http.unreachable(error)
        result = result_of(payload["type"], response, str(self.config["token"]))
        messages = http.json_of(response).get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        platform_id = first.get("id") if isinstance(first, dict) else None
        if result.ok and not platform_id:
            return SendResult(ok=False, error=f"{payload['type']}: an answer without the message's id")
        return replace(result, platform_id=str(platform_id)) if result.ok else result

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        given = super().prepare_config(config)
        if ("template_name" in given) != ("template_language" in given):
            raise ValueError("template_name and template_language: WhatsApp needs both, or neither")
        return given

    def check(self) -> Check:
        return self.described(self.account_id, "id,display_phone_number,verified_name", "id", "display_phone_number")

    def connect(self, webhook_url: str) -> Sequence[str]:
        lines = [f"webhook: {webhook_url}"]
        pasted = f"verify token: {self.config['verify_token']}"
        where = "in the app's settings, under WhatsApp, Configuration"
        if not webhook_url.startswith("https://"):
            return [
                *lines,
                pasted,
                "WhatsApp calls https addresses only: put this server behind one, set PUBLIC_URL=https://... "
                f"and connect again; or paste the address and the verify token {where}, and subscribe to messages",
            ]
        if trouble := self._register(webhook_url):
            return [
                *lines,
                pasted,
                f"WhatsApp did not take the address ({trouble}); paste it with the verify token {where}, "
                "and subscribe to messages",
            ]
        return [
            *lines,
            f"WhatsApp knows this address: subscribe to messages {where}, and write to the number to try it",
        ]

    def _register(self, webhook_url: str) -> str:
        """Have this number's messages sent to an address, which WhatsApp tries at once; what is wrong, or nothing."""
        if business := self.config.get("business_account_id"):
            subscribed = self.told("subscribed_apps", f"{business}/subscribed_apps", {})
            if not subscribed.ok:
                return subscribed.error
        override = {"override_callback_uri": webhook_url, "verify_token": self.config["verify_token"]}
        return self.told("webhook", self.account_id, {"webhook_configuration": override}).error


# --- reading deliveries ---------------------------------------------------------------------------------------------


def _names(contacts: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What the customers of a delivery call themselves, by each of their ids."""
    return {
        text_at(contact, name): text_at(contact["profile"], "name")
        for contact in contacts
        if isinstance(contact.get("profile"), dict)
        for name in ("wa_id", "user_id")
    }


def _message_events(message: Mapping[str, Any], names: Mapping[str, str]) -> list[ReceivedEvent]:
    """What one customer sent; groups are none of the shop's business, nor are deletions and changed numbers.

    Who hides the number behind a user name is known by a user id.
    """
    kind = text_at(message, "type", None)
    if "group_id" in message or kind in ("system", "revoke"):
        return []
    message_id = required_at(message, "id")
    contact = text_at(message, "from") or required_at(message, "from_user_id")
    person: Payload = {"contact_id": contact, "contact_name": names.get(contact, "")}
    if kind == "reaction":
        return _reaction_events(event_key(message_id), object_at(message, "reaction"), contact)
    if kind == "edit":
        return _edit_events(event_key(message_id), object_at(message, "edit"), person)
    told = _told(kind, message)
    data = {"message": message_id, **told.pop("data", {})}
    return [ReceivedEvent(event_key(message_id), data=data, address={"message": message_id}, **told, **person)]


def _told(kind: str, message: Mapping[str, Any]) -> Payload:
    """The kind, words, data and files of a message, by WhatsApp's own kinds of it."""
    if kind == "text":
        return _said(text_at(object_at(message, "text"), "body", None))
    if kind == "button":  # under a template, whose buttons say what the shop wrote on them
        return _said(text_at(object_at(message, "button"), "text"))
    if kind == "interactive":
        return _chosen(object_at(message, "interactive"))
    if kind == "order":
        return _ordered(object_at(message, "order"))
    if kind in LISTENED:
        file = object_at(message, kind)
        media = MediaReference(LISTENED[kind], {"id": required_at(file, "id")})
        return {"kind": InboundEvent.Kind.MEDIA, "text": text_at(file, "caption"), "media": (media,)}
    content = message.get(kind)
    return _said(text_at(content, "caption") if isinstance(content, dict) else "")


def _said(text: str) -> Payload:
    return {"kind": InboundEvent.Kind.TEXT if text.strip() else InboundEvent.Kind.OTHER, "text": text}


def _chosen(interactive: Mapping[str, Any]) -> Payload:
    """A button or a row of ours; other interactive answers, to forms say, are not."""
    kind = text_at(interactive, "type", None)
    if kind not in ("button_reply", "list_reply"):
        return {"kind": InboundEvent.Kind.OTHER}
    return {"kind": InboundEvent.Kind.BUTTON, "data": {"token": required_at(object_at(interactive, kind), "id")}}


def _ordered(order: Mapping[str, Any]) -> Payload:
    """A cart from the shop's catalogue in WhatsApp, which names products by the shop's own ids and not by their titles.

    In words of no language, below what the customer wrote. A single product without a word is asked about as if by its
    button.
    """
    items = [(required_at(item, "product_retailer_id"), _quantity(item)) for item in objects_at(order, "product_items")]
    words, cart = text_at(order, "text").strip(), ", ".join(f"{quantity} × {sku}" for sku, quantity in items)
    data: Payload = {"order": [{"sku": sku, "quantity": quantity} for sku, quantity in items]}
    if len(items) == 1 and not words:
        data["sku"] = items[0][0]
    return {**_said("\n".join(filter(None, (words, f"🛒 {cart}" if cart else "")))), "data": data}


def _quantity(item: Mapping[str, Any]) -> int:
    """Documented as a number, and seen as a text of one; a product in a cart is there at least once."""
    given = str(item.get("quantity", 1))
    return max(int(given), 1) if re.fullmatch("[0-9]{1,6}", given, re.ASCII) else 1


def _reaction_events(key: str, reaction: Mapping[str, Any], contact: str) -> list[ReceivedEvent]:
    """A thumb on one of our messages, or its withdrawal: then there is no emoji."""
    emoji = text_at(reaction, "emoji")
    verdict = verdict_of(emoji) if emoji else "none"
    data = {"verdict": verdict, "platform_id": required_at(reaction, "message_id")}
    return [ReceivedEvent(key, InboundEvent.Kind.REACTION, contact, data=data)] if verdict else []


def _edit_events(key: str, edit: Mapping[str, Any], person: Payload) -> list[ReceivedEvent]:
    original, message = required_at(edit, "original_message_id"), object_at(edit, "message")
    told = _told(text_at(message, "type", None), message)
    if not told.get("text", "").strip():
        return []
    place = {"message": original}
    return [ReceivedEvent(key, InboundEvent.Kind.EDIT, text=told["text"], data=place, address=place, **person)]


def _status_events(status: Mapping[str, Any]) -> list[ReceivedEvent]:
    """What has become of a message of ours. That it was sent we know already."""
    platform_id, told = required_at(status, "id"), text_at(status, "status", None)
    if told not in RECEIPTS or "group_id" in status:
        return []
    data = {"platform_id": platform_id, "status": told}
    if told == "failed":
        data["error"] = "; ".join(error_text(error) for error in objects_at(status, "errors"))
    contact = text_at(status, "recipient_id") or required_at(status, "recipient_user_id")
    return [ReceivedEvent(event_key(platform_id, told), InboundEvent.Kind.STATUS, contact, data=data)]


# --- writing calls --------------------------------------------------------------------------------------------------


def _shown(card: Card) -> Card:
    """A product without the picture that WhatsApp could not show."""
    shown = is_public(card.image_url) and not urlsplit(card.image_url).path.lower().endswith(UNSHOWN)
    return card if shown else replace(card, image_url="")


def _to(recipient: Recipient) -> Payload:
    """A phone number, or the id of a customer who hides it: that has a country before a dot."""
    return {"to" if recipient.contact_id.isdecimal() else "recipient": recipient.contact_id}


def _texts(text: str) -> list[Payload]:
    limit = WhatsApp.capabilities.text_limit
    return [{"type": "text", "text": {"body": piece, "preview_url": False}} for piece in chunks(text, limit)]


def _text_calls(text: str, message: OutboundMessage) -> list[Payload]:
    """A text with the thumbs under it; a long one has them under a question of their own."""
    thumbs = _thumbs(message)
    if thumbs and text.strip() and len(text) <= BODY_WITH_BUTTONS:
        return [_buttons(text, thumbs)]
    return _texts(text) + ([_buttons(texts_in(message.language)["helpful"], thumbs)] if thumbs else [])


def _picture_calls(message: OutboundMessage) -> list[Payload]:
    """Every product with its picture and its button; the last has the thumbs too, as many buttons as there may be.

    Several have numbers, for WhatsApp may show them in another order; a short text goes with a single one.
    """
    text, single = full_text(message), len(message.cards) == 1
    bodies = [_described(card, numbered=not single) for card in message.cards]
    together = f"{text}\n\n{bodies[0]}".strip()
    before, bodies = ([], [together]) if single and len(together) <= BODY_WITH_BUTTONS else (_texts(text), bodies)
    label = texts_in(message.language)["choose"]
    for card, body in zip(message.cards, bodies, strict=True):
        buttons = [_button(card.choice, label)] if card.choice.token else []
        buttons += _thumbs(message) if card is message.cards[-1] else []
        before += [_buttons(body, buttons, card.image_url)] if buttons else _texts(body)
    return before


def _described(card: Card, numbered: bool) -> str:
    """A product in the words below its picture; a link longer than half of them is left out whole."""
    number = f"{card.choice.number}. " if numbered and card.choice.number else ""
    link = card.url if len(card.url) <= BODY_WITH_BUTTONS // 2 else ""
    words = cut(f"{number}{caption(card)}", BODY_WITH_BUTTONS - len(link) - 1)
    return "\n".join(filter(None, (words, link)))


def _list_calls(message: OutboundMessage) -> list[Payload]:
    """The products as numbered text, and a list below it that has them and, where there is room, the thumbs."""
    texts = texts_in(message.language)
    pieces = _texts(numbered_text(message, thumbs=False))
    rows = [_row(card) for card in message.cards if card.choice.token]
    if not rows:
        return pieces
    sections = [{"title": cut(texts["products"], ROW_TITLE), "rows": rows}]
    thumbs = _thumbs(message)
    room = len(rows) + len(thumbs) <= LIST_ROWS
    if thumbs and room:
        judged = [{"id": thumb["reply"]["id"], "title": thumb["reply"]["title"]} for thumb in thumbs]
        sections.append({"title": cut(texts["helpful"], ROW_TITLE), "rows": judged})
    listed = {
        "type": "list",
        "body": {"text": pieces[-1]["text"]["body"]},
        "action": {"button": cut(texts["products"], LABEL), "sections": sections},
    }
    question = [] if room or not thumbs else [_buttons(texts["helpful"], thumbs)]
    return [*pieces[:-1], {"type": "interactive", "interactive": listed}, *question]


def _row(card: Card) -> Payload:
    number = f"{card.choice.number}. " if card.choice.number else ""
    detail = " · ".join(filter(None, (card.price, card.detail)))
    return {
        "id": card.choice.token,
        "title": cut(f"{number}{card.title}", ROW_TITLE),
        **({"description": cut(detail, ROW_DETAIL)} if detail else {}),
    }


def _buttons(body: str, buttons: Sequence[Payload], picture: str = "") -> Payload:
    header = {"header": {"type": "image", "image": {"link": picture}}} if picture else {}
    action = {"buttons": list(buttons)}
    return {
        "type": "interactive",
        "interactive": {"type": "button", **header, "body": {"text": body}, "action": action},
    }


def _thumbs(message: OutboundMessage) -> list[Payload]:
    texts = texts_in(message.language)
    offered = {"up": message.up, "down": message.down}
    return [_button(choice, f"{THUMBS[verdict]} {texts[verdict]}") for verdict, choice in offered.items() if choice]


def _button(choice: Choice, label: str) -> Payload:
    return {"type": "reply", "reply": {"id": choice.token, "title": cut(label, LABEL)}}
