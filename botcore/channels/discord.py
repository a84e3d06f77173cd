"""Discord's interactions: a slash command and buttons (https://discord.com/developers/docs/interactions/overview).

Discord tells us nothing that is not addressed to the bot. Every interaction brings a token by which it may be answered for
fifteen minutes; we defer the answer at once and write it when it is made. Where others listen, only
the customer sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from botcore.channels import http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import around_links, chunks, chunks_written
from botcore.channels.layout import full_text, is_public
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

API = "https://discord.com/api/v10"
PING, COMMAND, COMPONENT = 1, 2, 3
"""Types of interactions; the others, completions and forms, are none of ours."""
BOT_DM = 1
"""The context of an interaction in a conversation with the bot alone; the others have listeners."""
PONG, DEFERRED, DEFERRED_UPDATE = 1, 5, 6
"""Types of our answers: to a ping, to be written later, and one that leaves the message as it is."""
PRIVATE, THINKING = 64, 128
"""Flags of a message: seen by one person alone; deferred and still to be written."""
FRESH_SECONDS = 300
WINDOW_SECONDS = 15 * 60
CLOSED = frozenset({10015, 10062, 50027})
"""Codes of a token that is over: unknown webhook, unknown interaction, invalid webhook token."""
TITLE_LIMIT, DETAIL_LIMIT = 256, 300
"""Characters of an embed's title, and as many of its description that ten embeds keep within 6,000 together."""
EMBEDS, BUTTONS_IN_A_ROW, LABEL = 10, 5, 80
THUMBS = {"up": "👍", "down": "👎"}
STRING_OPTION, ATTACHMENT_OPTION = 3, 11
COMMAND_NAME = "ask"
COMMAND_SHAPE = {
    "name": COMMAND_NAME,
    "type": 1,
    "description": "Ask the shop",
    "description_localizations": {"zh-CN": "问问店铺"},
    "options": [
        {"type": STRING_OPTION, "name": "text", "description": "What are you looking for?", "max_length": 4000},
        {"type": ATTACHMENT_OPTION, "name": "photo", "description": "Something like this"},
    ],
}
FILE_HOSTS = ("cdn.discordapp.com", "media.discordapp.net")


class Discord(Channel):
    name = "discord"
    title = "Discord"
    capabilities = Capabilities(
        text_limit=2000,
        buttons=25,
        label=LABEL,
        payload_bytes=100,
        pictures=True,
        carousel=EMBEDS,
        feedback="buttons",
        edit=True,
        window=WINDOW_SECONDS,
        ack_seconds=3,
        rate=25,
        burst=5,
    )
    secret_address = frozenset({"token"})
    fields = (
        Field("application_id", "Application ID", "under General Information: 17 to 20 digits", pattern="[0-9]{17,20}"),
        Field(
            "public_key",
            "Public Key",
            "under General Information: 64 letters a-f and digits",
            pattern="[0-9a-fA-F]{64}",
        ),
        Field(
            "bot_token",
            "The bot's token",
            "under Bot, Reset Token: three parts joined by dots",
            pattern=r"[\w-]+\.[\w-]+\.[\w-]+",
            secret=True,
        ),
        API_BASE,
    )
    steps = (
        "At https://discord.com/developers/applications create an application.",
        "Copy its Application ID, its Public Key and, under Bot, its token into the fields below; the command /ask and "
        "the address {webhook} are then registered for you.",
        "Under Installation allow the contexts you want, and use the link there to add the application to your server.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The answer to a ping. Discord also tries us with wrong signatures, which must be refused."""
        if request.method != "POST" or not self.verify(request):
            return None
        try:
            return Answer.json({"type": PONG}) if read_json(request.body).get("type") == PING else None
        except MalformedBodyError:
            return None

    def verify(self, request: WebhookRequest) -> bool:
        stamp = request.headers.get("x-signature-timestamp", "")
        try:
            signature = bytes.fromhex(request.headers.get("x-signature-ed25519", ""))
            fresh = abs(request.at - int(stamp)) <= FRESH_SECONDS
            key = VerifyKey(bytes.fromhex(str(self.config.get("public_key", ""))))
            key.verify(stamp.encode() + request.body, signature)
        except (ValueError, TypeError, OverflowError, CryptoError):  # not hexadecimal, no key, no number, not signed
            return False
        return fresh

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        interaction = read_json(request.body)
        kind = integer_at(interaction, "type")
        if kind == COMMAND:
            return _command_events(interaction)
        return _component_events(interaction) if kind == COMPONENT else []

    def ack(self, received: Sequence[ReceivedEvent]) -> Answer:
        """The answer will follow; a thumb gets none, and what we do not know says so itself on Discord's side."""
        address = received[0].address if received else {}
        if not address:
            return Answer.json({"type": DEFERRED_UPDATE})
        flags = {"data": {"flags": PRIVATE}} if address.get("private") else {}
        return Answer.json({"type": DEFERRED, **flags})

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """A message for every piece of the text; the products and the thumbs are with the last, ten products a message."""
        pieces = chunks_written(full_text(message), self.capabilities.text_limit, _escaped)
        said: list[Payload] = [{"content": _escaped(piece)} for piece in pieces]
        groups = [message.cards[start : start + EMBEDS] for start in range(0, len(message.cards), EMBEDS)]
        shown = [_cards(group, texts_in(message.language)) for group in groups]
        if said and shown:
            said[-1:] = [said[-1] | shown.pop(0)]
        calls = [*said, *shown]
        if calls and (thumbs := _thumbs(message)):
            calls[-1] = {**calls[-1], "components": [*calls[-1].get("components", []), thumbs]}
        return [{**call, "allowed_mentions": {"parse": []}} for call in calls]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        """In the place of the deferred answer while that is still to be written, else as a message after it."""
        token = str(recipient.address.get("token", ""))
        if not token:
            return SendResult(ok=False, window_closed=True, error="send: there is no interaction to answer")
        flags = {"flags": PRIVATE} if recipient.address.get("private") else {}
        try:
            deferred = self._ask("original", "GET", f"{self._answers(token)}/messages/@original")
            if not deferred.is_success and deferred.status_code != 404:
                return _result("original", deferred)
            if _is_thinking(deferred):
                return _result(
                    "edit", self._ask("edit", "PATCH", f"{self._answers(token)}/messages/@original", payload)
                )
            return _result("follow up", self._ask("follow up", "POST", self._answers(token), payload | flags))
        except http.UnreachableError as error:
            return http.unreachable(error)

    def edit(self, recipient: Recipient, platform_id: str, payload: Payload) -> SendResult:
        """Messages may be changed for as long as the interaction that they answer is open."""
        token = str(recipient.address.get("token", ""))
        try:
            return _result(
                "edit", self._ask("edit", "PATCH", f"{self._answers(token)}/messages/{platform_id}", payload)
            )
        except http.UnreachableError as error:
            return http.unreachable(error)

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        url = str(media.reference.get("url", ""))
        if not self._is_discords(url):
            raise MediaError("file: not an address of Discord's")
        return http.download("file", url, limit)

    def _is_discords(self, url: str) -> bool:
        """Whether an address is where Discord keeps files; we fetch nothing from elsewhere."""
        own = self._base != API and url.startswith(f"{self._base}/")
        return own or http.https_host(url) in FILE_HOSTS

    @property
    def _base(self) -> str:
        return str(self.config.get("api_base_url") or API)

    def _answers(self, token: str) -> str:
        return f"/webhooks/{self.config['application_id']}/{token}"

    def _ask(self, what: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """One call of the API. Raises ``UnreachableError``. Interactions' own calls need no token of the bot's."""
        own = {} if path.startswith("/webhooks/") else {"Authorization": f"Bot {self.config['bot_token']}"}
        return http.call(what, method, f"{self._base}{path}", json=body, headers=own)

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        return str(config.get("application_id", ""))

    def check(self) -> Check:
        try:
            response = self._ask("application", "GET", "/applications/@me")
        except http.UnreachableError as error:
            return Check(False, str(error))
        application = http.json_of(response)
        if not response.is_success:
            return Check(False, _result("application", response).error)
        if application.get("id") != self.config["application_id"]:
            return Check(False, "the token is another application's")
        if str(application.get("verify_key", "")).lower() != self.config["public_key"].lower():
            return Check(False, "the public key is not this application's")
        return Check(True, str(application.get("name", "")) or "the application")

    def connect(self, webhook_url: str) -> Sequence[str]:
        """Register the command and the address. Discord tries the address before it takes it."""
        command = self._done(
            "command", "POST", f"/applications/{self.config['application_id']}/commands", COMMAND_SHAPE
        )
        address = self._done("address", "PATCH", "/applications/@me", {"interactions_endpoint_url": webhook_url})
        return [
            f"webhook: {webhook_url}",
            f"Discord did not take the command /{COMMAND_NAME} ({command}); mend that and connect again"
            if command
            else f"Discord knows the command /{COMMAND_NAME}: it shows after the application was added to a server",
            f"Discord did not take the address ({address}): this server must be running and reachable by https; then "
            "connect again, or paste it as Interactions Endpoint URL under General Information"
            if address
            else "Discord knows this address and tried it",
        ]

    def _done(self, what: str, method: str, path: str, body: Any) -> str:
        """What went wrong with a call, or nothing."""
        try:
            return _result(what, self._ask(what, method, path, body)).error
        except http.UnreachableError as error:
            return str(error)


# --- reading interactions -------------------------------------------------------------------------------------------


def _command_events(interaction: Mapping[str, Any]) -> list[ReceivedEvent]:
    """What a person asked with the command, in words or with a picture."""
    data = object_at(interaction, "data")
    if data.get("name") != COMMAND_NAME:
        return []
    given = {text_at(option, "name"): option for option in objects_at(data, "options")}
    media = _photo(data, given.get("photo", {}))
    person = _person(interaction)
    text = text_at(given.get("text", {}), "value").strip()
    if not (text or media):  # the bare command must be answered too
        text = texts_in(person["language"])["hello"]
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT
    return [ReceivedEvent(_key(interaction), kind, text=text, media=media, **person)]


def _photo(data: Mapping[str, Any], option: Mapping[str, Any]) -> tuple[MediaReference, ...]:
    if not option:
        return ()
    file = object_at(object_at(object_at(data, "resolved"), "attachments"), text_at(option, "value", None))
    kind = text_at(file, "content_type").partition("/")[0]
    name = {"image": "photo", "audio": "voice"}.get(kind)
    return (MediaReference(name, {"url": text_at(file, "url", None)}),) if name else ()


def _component_events(interaction: Mapping[str, Any]) -> list[ReceivedEvent]:
    """A pressed button. A thumb needs no answer, so it brings no address to write one to."""
    token = text_at(object_at(interaction, "data"), "custom_id", None)
    person = _person(interaction)
    if _is_thumb(object_at(interaction, "message"), token):
        person.pop("address")
    return [ReceivedEvent(_key(interaction), InboundEvent.Kind.BUTTON, data={"token": token}, **person)]


def _is_thumb(message: Mapping[str, Any], token: str) -> bool:
    """Whether the button that was pressed is one of our thumbs, by its face in the message it stands under."""
    for row in objects_at(message, "components"):
        for button in objects_at(row, "components"):
            emoji = button.get("emoji")
            if button.get("custom_id") == token:
                return isinstance(emoji, dict) and emoji.get("name") in THUMBS.values()
    return False


def _person(interaction: Mapping[str, Any]) -> Payload:
    """Who it is and how they are answered, seen by them alone where others listen. In a server a person is a member."""
    member = "member" in interaction
    user = object_at(object_at(interaction, "member") if member else interaction, "user")
    contact_id, name = text_at(user, "id", None), user.get("global_name") or user.get("username")
    if not contact_id:
        raise MalformedBodyError("user.id is missing")
    private = interaction.get("context", 0 if member else BOT_DM) != BOT_DM
    return {
        "contact_id": contact_id,
        "contact_name": name if isinstance(name, str) else "",
        "language": text_at(interaction, "locale").partition("-")[0].lower()[:8],
        "address": {"token": _token(interaction), "private": private},
    }


def _token(interaction: Mapping[str, Any]) -> str:
    token = text_at(interaction, "token", None)
    if not re.fullmatch(r"[\w.=-]+", token, re.ASCII):  # it becomes part of an address
        raise MalformedBodyError("token is not one")
    return token


def _key(interaction: Mapping[str, Any]) -> str:
    key = text_at(interaction, "id", None)
    if not key:
        raise MalformedBodyError("id is missing")
    return key


# --- writing calls --------------------------------------------------------------------------------------------------

MARKS = re.compile(r"([\\*_~`|<>\[\]#:-])")


def _escaped(text: str) -> str:
    """Text that Discord shows as it is; its links are left to be followed."""
    return around_links(text, lambda words: MARKS.sub(r"\\\1", words))


def _cut(text: str, limit: int) -> str:
    """The beginning of a text, as long as it may be once it is escaped."""
    return _escaped(next(iter(chunks_written(text, limit, _escaped)), ""))


def _cards(cards: Sequence[Card], texts: Mapping[str, str]) -> Payload:
    """The products of one message: an embed for each, and a button for each below."""
    buttons = [_button(card, texts) for card in cards if card.choice.token]
    rows = [buttons[start : start + BUTTONS_IN_A_ROW] for start in range(0, len(buttons), BUTTONS_IN_A_ROW)]
    components = {"components": [{"type": 1, "components": row} for row in rows]} if rows else {}
    return {"embeds": [_embed(card) for card in cards], **components}


def _embed(card: Card) -> Payload:
    title = f"{card.choice.number}. {card.title}" if card.choice.number else card.title
    detail = f"\n{_cut(card.detail, DETAIL_LIMIT - 60)}" if card.detail else ""
    embed: Payload = {"title": _cut(title, TITLE_LIMIT), "description": f"{_cut(card.price, 50)}{detail}"}
    if is_public(card.url):
        embed["url"] = card.url
    if is_public(card.image_url):
        embed["thumbnail"] = {"url": card.image_url}
    return embed


def _button(card: Card, texts: Mapping[str, str]) -> Payload:
    number = f"{card.choice.number}. " if card.choice.number else ""
    label = next(iter(chunks(f"{number}{card.title}", LABEL)), texts["choose"])
    return {"type": 2, "style": 2, "label": label, "custom_id": card.choice.token}


def _thumbs(message: OutboundMessage) -> Payload:
    """Both thumbs; the one that was pressed is filled."""
    offered = {"up": message.up, "down": message.down}
    buttons = [
        {
            "type": 2,
            "style": 3 if message.verdict == verdict else 2,
            "emoji": {"name": THUMBS[verdict]},
            "custom_id": choice.token,
        }
        for verdict, choice in offered.items()
        if choice
    ]
    return {"type": 1, "components": buttons} if buttons else {}


def _is_thinking(response: httpx.Response) -> bool:
    flags = http.json_of(response).get("flags")
    return isinstance(flags, int) and bool(flags & THINKING)


def _result(what: str, response: httpx.Response) -> SendResult:
    answer = http.json_of(response)
    if response.is_success and answer.get("id"):
        return SendResult(ok=True, platform_id=str(answer["id"]))
    code, told = answer.get("code"), answer.get("retry_after")
    result = http.refused(what, response, f"code {code}" if isinstance(code, int) else "no explanation")
    if code in CLOSED:
        return replace(result, window_closed=True, permanent=False)
    if response.status_code == 429 and isinstance(told, int | float):
        return replace(result, retry_after=min(float(told), http.LONGEST_WAIT))
    return result
