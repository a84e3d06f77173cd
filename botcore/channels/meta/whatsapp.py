"""WhatsApp through Meta's Cloud API (https://developers.facebook.com/docs/whatsapp/cloud-api)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from botcore.channels.base import Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.layout import caption, full_text, is_public
from botcore.channels.meta.graph import SHARED_FIELDS, GraphChannel, opened
from botcore.channels.reactions import verdict_of
from botcore.channels.texts import texts_in
from botcore.channels.values import (
    Capabilities,
    Card,
    Choice,
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

BODY_LIMIT = 1024
"""Characters of a message that has buttons; one without may have 4,096."""
SHOWN_STATUSES = frozenset({"delivered", "read", "failed"})


class WhatsApp(GraphChannel):
    name = "whatsapp"
    title = "WhatsApp"
    account_field = "phone_number_id"
    capabilities = Capabilities(
        text_limit=4096,
        buttons=3,
        label=20,
        payload_bytes=256,
        pictures=True,
        list_rows=10,
        row_title=24,
        feedback="buttons",
        typing=True,
        window=24 * 3600,
        ack_seconds=10,
        rate=40,
        burst=40,
    )
    fields = (
        Field("phone_number_id", "Phone number ID", "under WhatsApp, API Setup: digits", pattern="[0-9]{5,20}"),
        *SHARED_FIELDS,
        Field(
            "template_name",
            "Template after 24 hours",
            "an approved message without variables that asks the customer back, like write_to_us",
            pattern="[a-z0-9_]{1,512}",
            required=False,
        ),
        Field(
            "template_language",
            "Language of the template",
            "like en_US; en without it",
            pattern="[a-z]{2,3}(_[A-Z]{2,3})?",
            required=False,
        ),
    )
    steps = (
        "At https://developers.facebook.com/apps create a business app and add WhatsApp to it.",
        "Copy the Phone number ID (WhatsApp, API Setup), the App secret (App settings, Basic) and a system user's access token "
        "with whatsapp_business_messaging and whatsapp_business_management into the fields below.",
        "Under WhatsApp, Configuration paste {webhook} as the callback address with the verify token shown below, and subscribe "
        "to messages.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        """Messages and receipts of every entry and change; those of other numbers are not this account's."""
        events: list[ReceivedEvent] = []
        for entry in objects_at(opened(request, "whatsapp_business_account"), "entry"):
            for change in objects_at(entry, "changes"):
                if change.get("field") != "messages":
                    continue
                value = object_at(change, "value")
                if object_at(value, "metadata").get("phone_number_id") == self.config["phone_number_id"]:
                    events += [*_message_events(value), *_receipts(value)]
        return events

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """The text, its thumbs under its last piece, and a picture with a button for each product."""
        texts = texts_in(message.language)
        pieces = chunks(full_text(message), self.capabilities.text_limit)
        thumbs = [(choice, texts[word]) for word, choice in (("up", message.up), ("down", message.down)) if choice]
        if thumbs and pieces:
            *pieces, last = [*pieces[:-1], *chunks(pieces[-1], BODY_LIMIT)]
            closing = [_with_buttons(last, thumbs)]
        else:
            closing = []
        return [*(_text(piece) for piece in pieces), *closing, *(_card(card, texts) for card in message.cards)]

    def reopen(self, message: OutboundMessage) -> list[Payload]:
        """The shop's approved template, the one message that may be sent after the window."""
        if not (name := self.config.get("template_name")):
            return []
        language = {"code": self.config.get("template_language") or "en"}
        return [{"type": "template", "template": {"name": name, "language": language}}]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        result = self._message(recipient, payload)
        if result.permanent and "header" in payload.get("interactive", {}):
            # A picture that WhatsApp cannot read; what it shows must still arrive.
            plain = {name: value for name, value in payload["interactive"].items() if name != "header"}
            return self._message(recipient, payload | {"interactive": plain})
        return result

    def typing(self, recipient: Recipient) -> None:
        """Shown under the message that is answered, which it marks as read, for up to 25 seconds."""
        if message_id := recipient.address.get("message"):
            shown = {"status": "read", "message_id": message_id, "typing_indicator": {"type": "text"}}
            self._post("typing", self._path, {"messaging_product": "whatsapp", **shown})

    def _message(self, recipient: Recipient, payload: Payload) -> SendResult:
        """One message to a number or, where the customer shows none, to the id that the business knows them by."""
        whom = {"to" if recipient.contact_id.isdigit() else "recipient": recipient.contact_id}
        return self._post("messages", self._path, {"messaging_product": "whatsapp", **whom, **payload})

    @property
    def _path(self) -> str:
        return f"{self.config['phone_number_id']}/messages"

    # --- setting up -------------------------------------------------------------------------------------------------

    def check(self) -> Check:
        return self._checked(str(self.config["phone_number_id"]), "verified_name", "display_phone_number", "id")

    def connect(self, webhook_url: str) -> Sequence[str]:
        return [
            f"webhook: {webhook_url}",
            f"verify token: {self.config['verify_token']}",
            "paste both under WhatsApp, Configuration in the app's dashboard and subscribe to messages; Meta tries the "
            "address at once, so this server must be running and reachable by https",
        ]


# --- reading --------------------------------------------------------------------------------------------------------


def _message_events(value: Mapping[str, Any]) -> Iterator[ReceivedEvent]:
    names = {
        text_at(contact, "wa_id") or text_at(contact, "user_id"): text_at(object_at(contact, "profile"), "name")
        if "profile" in contact
        else ""
        for contact in objects_at(value, "contacts")
    }
    for message in objects_at(value, "messages"):
        sender = text_at(message, "from") or text_at(message, "from_user_id")
        message_id = text_at(message, "id", None)
        if not (sender and message_id):
            continue
        person = {"contact_id": sender, "contact_name": names.get(sender, ""), "address": {"message": message_id}}
        yield _event(message_id, message, person)


def _event(key: str, message: Mapping[str, Any], person: Mapping[str, Any]) -> ReceivedEvent:
    """One message by its type; what we have no use for is kept and asks nothing."""
    kinds = InboundEvent.Kind
    match text_at(message, "type", None):
        case "text":
            text = text_at(object_at(message, "text"), "body", None)
            kind = kinds.TEXT if text.strip() else kinds.OTHER
            return ReceivedEvent(key, kind, text=text, data={"message": key}, **person)
        case "interactive":
            pressed = object_at(message, "interactive")
            reply = pressed.get("button_reply") or pressed.get("list_reply") or {}
            token = text_at(reply, "id") if isinstance(reply, dict) else ""
            return ReceivedEvent(key, kinds.BUTTON, data={"token": token}, **person)
        case "button":  # a quick reply under a template
            return ReceivedEvent(key, kinds.TEXT, text=text_at(object_at(message, "button"), "text"), **person)
        case "reaction":
            reaction = object_at(message, "reaction")
            emoji = text_at(reaction, "emoji")
            verdict = verdict_of(emoji) if emoji else "none"
            if not verdict:
                return ReceivedEvent(key, kinds.OTHER, **person)
            data = {"verdict": verdict, "platform_id": text_at(reaction, "message_id", None)}
            return ReceivedEvent(key, kinds.REACTION, data=data, **person)
        case "image" | "audio" as what:
            file = object_at(message, what)
            media = MediaReference("photo" if what == "image" else "voice", {"id": text_at(file, "id", None)})
            return ReceivedEvent(key, kinds.MEDIA, text=_words(message), media=(media,), **person)
        case "edit":
            edit = object_at(message, "edit")
            text = _words(object_at(edit, "message"))
            data = {"message": text_at(edit, "original_message_id", None)}
            return ReceivedEvent(key, kinds.EDIT if text.strip() else kinds.OTHER, text=text, data=data, **person)
        case "order":
            text = _ordered(object_at(message, "order"))
            return ReceivedEvent(key, kinds.TEXT if text else kinds.OTHER, text=text, **person)
    return ReceivedEvent(key, kinds.OTHER, **person)


def _words(message: Mapping[str, Any]) -> str:
    """The text of a message, or the caption of its picture."""
    content = message.get(text_at(message, "type"))
    return text_at(content, "body") or text_at(content, "caption") if isinstance(content, dict) else ""


def _ordered(order: Mapping[str, Any]) -> str:
    """What the customer put into a cart of the catalogue, as they would have written it: "2 × J-1, 1 × J-2"."""
    items = [
        f"{item.get('quantity', 1)} × {text_at(item, 'product_retailer_id', None)}"
        for item in objects_at(order, "product_items")
        if isinstance(item.get("quantity", 1), int)
    ]
    return "\n".join(filter(None, (", ".join(items), text_at(order, "text"))))


def _receipts(value: Mapping[str, Any]) -> Iterator[ReceivedEvent]:
    for status in objects_at(value, "statuses"):
        what, platform_id = text_at(status, "status", None), text_at(status, "id", None)
        person = text_at(status, "recipient_id") or text_at(status, "recipient_user_id")
        if what not in SHOWN_STATUSES or not (platform_id and person):
            continue
        errors = objects_at(status, "errors")
        told = f"{errors[0].get('code', '')} {errors[0].get('title', '')}".strip() if errors else ""
        data = {"platform_id": platform_id, "status": what, "error": told}
        yield ReceivedEvent(f"{platform_id}:{what}", InboundEvent.Kind.STATUS, person, data=data)


# --- writing --------------------------------------------------------------------------------------------------------


def _text(piece: str) -> Payload:
    return {"type": "text", "text": {"body": piece, "preview_url": False}}


def _with_buttons(body: str, buttons: Sequence[tuple[Choice, str]], picture: str = "") -> Payload:
    replies = [{"type": "reply", "reply": {"id": choice.token, "title": title}} for choice, title in buttons]
    interactive: Payload = {"type": "button", "body": {"text": body}, "action": {"buttons": replies}}
    if picture:
        interactive["header"] = {"type": "image", "image": {"link": picture}}
    return {"type": "interactive", "interactive": interactive}


def _card(card: Card, texts: Mapping[str, str]) -> Payload:
    """A product with its picture, its link in the text, and a button to hear more."""
    body = chunks(caption(card), BODY_LIMIT - len(card.url) - 1)[0]
    text = "\n".join(filter(None, (body, card.url)))
    picture = card.image_url if is_public(card.image_url) else ""
    if card.choice.token:
        return _with_buttons(text, [(card.choice, texts["choose"])], picture)
    return {"type": "image", "image": {"link": picture, "caption": text}} if picture else _text(text)
