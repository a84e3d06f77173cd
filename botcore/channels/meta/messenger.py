"""Messenger and Instagram through Meta's Send API (https://developers.facebook.com/docs/messenger-platform), no SDK.

One account is one Facebook page or one professional account of Instagram; the second is the first with other limits.
The tag HUMAN_AGENT is for people: a bot that used it to write after the window would lose the shop its account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from botcore.channels import http
from botcore.channels.base import API_BASE, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.layout import Layout, full_text, is_public, layout_of
from botcore.channels.meta.common import (
    APP_SECRET,
    THUMBS,
    TOKEN_PATTERN,
    VERIFY_TOKEN,
    WINDOW,
    MetaChannel,
    cut,
    entries,
    event_key,
    id_at,
    required_at,
    result_of,
)
from botcore.channels.reactions import verdict_of
from botcore.channels.texts import texts_in
from botcore.channels.values import (
    Capabilities,
    Card,
    Media,
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
    text_at,
)
from botcore.models import InboundEvent

INSTAGRAM_GRAPH = "https://graph.instagram.com/v23.0"
ELEMENTS = 10
TITLE, LABEL = 80, 20
LISTENED = {"image": "photo", "audio": "voice"}
"""Kinds of files that a salesperson can use."""
NAMED = {"like": "👍", "love": "❤", "dislike": "👎", "angry": "😡"}
"""Reactions that may come with a name alone."""


class Messenger(MetaChannel):
    name = "messenger"
    title = "Messenger"
    kind = "page"
    """What Meta calls the accounts in its deliveries."""
    subscribed = "messages,messaging_postbacks,message_reactions,message_deliveries,message_edits"
    templates_bear_replies = True
    """Whether quick replies may stand under a template."""
    account_field = "page_id"
    profile = ("id,name", "id", "name")
    capabilities = Capabilities(
        text_limit=2000,
        text_unit="bytes",
        buttons=3,
        label=LABEL,
        payload_bytes=1000,
        pictures=True,
        carousel=ELEMENTS,
        quick_replies=13,
        feedback="quick_replies",
        typing=True,
        window=WINDOW,
        ack_seconds=5,
        rate=20,
        burst=20,
    )
    fields = (
        Field("page_id", "Page ID", "on the page under About, Page transparency: digits", pattern="[0-9]{5,30}"),
        Field(
            "token",
            "Page access token",
            "under Messenger, Messenger API Settings, Generate access tokens, like EAA...",
            pattern=TOKEN_PATTERN,
            secret=True,
        ),
        APP_SECRET,
        VERIFY_TOKEN,
        API_BASE,
    )
    steps = (
        "At https://developers.facebook.com/apps create an app and add Messenger to it.",
        "Under Messenger API Settings add the shop's page and generate its token; copy it, the page's ID and the App "
        "secret (App settings, Basic) into the fields below.",
        "Under Messenger API Settings, Configure webhooks, paste {webhook} as the Callback URL with the Verify token.",
        "The page is subscribed for you; where it is not, add the fields messages, messaging_postbacks, "
        "message_reactions, message_deliveries and message_edits there.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        """What customers of this account did. ``standby`` is what another application of the page answers."""
        return [
            event
            for entry in entries(request.body, self.kind)
            if text_at(entry, "id", None) == self.account_id
            for messaging in objects_at(entry, "messaging")
            for event in self._events(messaging)
        ]

    def _events(self, messaging: Mapping[str, Any]) -> list[ReceivedEvent]:
        """The events of one customer; the shop's own words come back as echoes, and are left alone."""
        told = next((kind for kind in READERS if kind in messaging), "")
        if not told:
            return []
        sender, receiver = id_at(messaging, "sender"), id_at(messaging, "recipient")
        if receiver != self.account_id or sender == self.account_id:
            return []
        return READERS[told](object_at(messaging, told), sender, messaging)

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """The text, then the products; more than a carousel holds are the next one.

        Quick replies vanish with the next message, so they stand under the last one.
        """
        can, texts = self.capabilities, texts_in(message.language)
        calls: list[Payload] = [{"text": piece} for piece in chunks(full_text(message), can.text_limit, can.text_unit)]
        if layout_of(message, can) is not Layout.TEXT:
            calls += [
                _carousel(message.cards[start : start + ELEMENTS], texts)
                for start in range(0, len(message.cards), ELEMENTS)
            ]
        thumbs = _thumbs(message)
        if not thumbs:
            return calls
        if not calls or not ("text" in calls[-1] or self.templates_bear_replies):
            calls.append({"text": texts["helpful"]})
        return [*calls[:-1], calls[-1] | {"quick_replies": thumbs}]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        body = {"recipient": {"id": recipient.contact_id}, "messaging_type": "RESPONSE", "message": payload}
        try:
            response = self.ask("POST", "me/messages", json=body)
        except http.UnreachableError as error:
            return http.unreachable(error)
        result = result_of("message", response, str(self.config["token"]))
        platform_id = http.json_of(response).get("message_id")
        if result.ok and not platform_id:
            return SendResult(ok=False, error="message: an answer without the message's id")
        return replace(result, platform_id=str(platform_id)) if result.ok else result

    def typing(self, recipient: Recipient) -> None:
        body = {"recipient": {"id": recipient.contact_id}, "sender_action": "typing_on"}
        self.told("typing", "me/messages", body)

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        """The address came signed with the message; it wants no token, and gets none."""
        return self.file_at(str(media.reference.get("url", "")), limit, authorised=False)

    # --- setting up -------------------------------------------------------------------------------------------------

    def check(self) -> Check:
        return self.described("me", *self.profile)

    def connect(self, webhook_url: str) -> Sequence[str]:
        result = self.told("subscribed_apps", "me/subscribed_apps", {"subscribed_fields": self.subscribed})
        left = (
            "the account's messages go to the app"
            if result.ok
            else f"the account's messages do not go to the app yet ({result.error}): subscribe it there"
        )
        return [
            f"webhook: {webhook_url}",
            f"verify token: {self.config['verify_token']}",
            f"paste both in the app's settings under {self.title}, Webhooks; Meta tries the address at once, so this "
            f"server must be running and reachable by https; {left}",
        ]


class Instagram(Messenger):
    """With Instagram's own login, which needs no Facebook page."""

    name = "instagram"
    title = "Instagram"
    kind = "instagram"
    api = INSTAGRAM_GRAPH
    subscribed = "messages,messaging_postbacks,message_reactions,messaging_seen"
    templates_bear_replies = False
    account_field = "account_id"
    profile = ("user_id,username", "user_id", "username")
    capabilities = replace(Messenger.capabilities, text_limit=1000, rate=10, burst=10)
    fields = (
        Field(
            "account_id",
            "Instagram account ID",
            "beside the account under Instagram, API setup with Instagram login: digits",
            pattern="[0-9]{5,30}",
        ),
        Field(
            "token",
            "Access token",
            "under Instagram, API setup with Instagram login, Generate token, like IGA...; it lasts 60 days",
            pattern=TOKEN_PATTERN,
            secret=True,
        ),
        APP_SECRET,
        VERIFY_TOKEN,
        API_BASE,
    )
    steps = (
        "Make the shop's account a professional one, and in its settings allow access to messages.",
        "At https://developers.facebook.com/apps create an app, add Instagram and choose API setup with Instagram login.",
        "Add the account, generate its token, and copy the token, the account's ID and the App secret (App settings, "
        "Basic) into the fields below.",
        "Under Configure webhooks paste {webhook} as the Callback URL with the Verify token, and subscribe to messages, "
        "messaging_postbacks, message_reactions and messaging_seen.",
    )


# --- reading deliveries ---------------------------------------------------------------------------------------------


def _message_events(message: Mapping[str, Any], sender: str, _: Mapping[str, Any]) -> list[ReceivedEvent]:
    """What a customer wrote, or the quick reply that they chose; echoes and what was taken back are left alone."""
    if any(message.get(name) for name in ("is_echo", "is_deleted", "is_self")):
        return []
    mid = required_at(message, "mid")
    if isinstance(message.get("quick_reply"), dict):
        return [_button_event(event_key(mid), sender, object_at(message, "quick_reply"))]
    text, media = text_at(message, "text"), _media(message)
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text.strip() else InboundEvent.Kind.OTHER
    return [ReceivedEvent(event_key(mid), kind, sender, text, data={"message": mid}, media=media)]


def _media(message: Mapping[str, Any]) -> tuple[MediaReference, ...]:
    """Photos and voice; a sticker comes as a picture, but is none of the customer's."""
    return tuple(
        MediaReference(LISTENED[kind], {"url": required_at(payload, "url")})
        for attachment in objects_at(message, "attachments")
        if (kind := text_at(attachment, "type")) in LISTENED
        and not (payload := object_at(attachment, "payload")).get("sticker_id")
    )


def _postback_events(postback: Mapping[str, Any], sender: str, messaging: Mapping[str, Any]) -> list[ReceivedEvent]:
    """A button of a carousel."""
    mid = text_at(postback, "mid") or f"{sender}:{integer_at(messaging, 'timestamp')}"
    return [_button_event(event_key(mid, "postback"), sender, postback)]


def _button_event(key: str, sender: str, pressed: Mapping[str, Any]) -> ReceivedEvent:
    return ReceivedEvent(key, InboundEvent.Kind.BUTTON, sender, data={"token": text_at(pressed, "payload")})


def _reaction_events(reaction: Mapping[str, Any], sender: str, messaging: Mapping[str, Any]) -> list[ReceivedEvent]:
    mid, action = required_at(reaction, "mid"), text_at(reaction, "action", None)
    emoji = text_at(reaction, "emoji") or NAMED.get(text_at(reaction, "reaction"), "?")
    verdict = "none" if action == "unreact" else verdict_of(emoji)
    key = event_key(mid, sender, action, str(integer_at(messaging, "timestamp")))
    data = {"verdict": verdict, "platform_id": mid}
    return [ReceivedEvent(key, InboundEvent.Kind.REACTION, sender, data=data)] if verdict else []


def _edit_events(edit: Mapping[str, Any], sender: str, messaging: Mapping[str, Any]) -> list[ReceivedEvent]:
    mid, text = required_at(edit, "mid"), text_at(edit, "text")
    key = event_key(mid, "edit", str(edit.get("num_edit") or messaging.get("timestamp")))
    return [ReceivedEvent(key, InboundEvent.Kind.EDIT, sender, text, data={"message": mid})] if text.strip() else []


def _delivery_events(delivery: Mapping[str, Any], sender: str, _: Mapping[str, Any]) -> list[ReceivedEvent]:
    """Messages that arrived, as far as they are named: a watermark is a time and names none."""
    named = delivery.get("mids")
    mids = [mid for mid in named if isinstance(mid, str) and mid] if isinstance(named, list) else []
    return [_receipt(mid, "delivered", sender) for mid in mids]


def _read_events(read: Mapping[str, Any], sender: str, _: Mapping[str, Any]) -> list[ReceivedEvent]:
    """Instagram names the message that was read; Messenger gives a watermark alone."""
    mid = text_at(read, "mid")
    return [_receipt(mid, "read", sender)] if mid else []


def _receipt(mid: str, status: str, sender: str) -> ReceivedEvent:
    data = {"platform_id": mid, "status": status}
    return ReceivedEvent(event_key(mid, status), InboundEvent.Kind.STATUS, sender, data=data)


READERS = {
    "message": _message_events,
    "postback": _postback_events,
    "reaction": _reaction_events,
    "message_edit": _edit_events,
    "delivery": _delivery_events,
    "read": _read_events,
}
"""What reads an event of a customer, by the name under which it comes."""


# --- writing calls --------------------------------------------------------------------------------------------------


def _carousel(cards: Sequence[Card], texts: Mapping[str, str]) -> Payload:
    """Products side by side (https://developers.facebook.com/docs/messenger-platform/send-messages/template/generic)."""
    template = {"template_type": "generic", "elements": [_element(card, texts) for card in cards]}
    return {"attachment": {"type": "template", "payload": template}}


def _element(card: Card, texts: Mapping[str, str]) -> Payload:
    """One product; Meta takes no element that is a title alone, and every product has a price."""
    element = {"title": cut(card.title, TITLE), "subtitle": cut(_subtitle(card), TITLE)}
    if is_public(card.image_url):
        element["image_url"] = card.image_url
    buttons: list[Payload] = []
    if card.choice.token:
        buttons.append({"type": "postback", "title": cut(texts["choose"], LABEL), "payload": card.choice.token})
    if is_public(card.url):
        buttons.append({"type": "web_url", "title": cut(texts["open"], LABEL), "url": card.url})
    return element | ({"buttons": buttons} if buttons else {})


def _subtitle(card: Card) -> str:
    return " · ".join(filter(None, (card.price, card.detail)))


def _thumbs(message: OutboundMessage) -> list[Payload]:
    texts = texts_in(message.language)
    offered = {"up": message.up, "down": message.down}
    return [
        {
            "content_type": "text",
            "title": cut(f"{THUMBS[verdict]} {texts[verdict]}", LABEL),
            "payload": choice.token,
        }
        for verdict, choice in offered.items()
        if choice
    ]
