"""Slack: the Events API and interactions in, the Web API out (https://docs.slack.dev). ``slack_sdk`` checks signatures.

Private conversations, and channels where the bot is mentioned; there it answers in the thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx
from slack_sdk.signature import Clock, SignatureVerifier

from botcore.channels import http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import around_links, chunks_written
from botcore.channels.layout import full_text, is_public, numbered_text
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
    object_at,
    objects_at,
    read_json,
    text_at,
)
from botcore.models import InboundEvent

API = "https://slack.com/api"
FORM = "application/x-www-form-urlencoded"
SPOKEN = frozenset({"", "file_share", "me_message", "thread_broadcast"})
"""Subtypes of messages that a person wrote; the others are Slack's own notes, a bot's, or changes of a message."""
SLACKBOT = "USLACKBOT"
"""Slack's own user, whose notes in a conversation carry no bot's id."""
CARDS_IN_A_CAROUSEL = 10
TITLE_LIMIT, BODY_LIMIT = 150, 200
"""Characters of a card's title and subtitle, and of its body (https://docs.slack.dev/reference/block-kit/blocks/card-block)."""

UP = frozenset("+1 thumbsup heart tada clap raised_hands pray 100 ok_hand fire heart_eyes star-struck".split())
DOWN = frozenset("-1 thumbsdown hankey poop rage face_with_symbols_on_mouth angry".split())

PERMANENT = frozenset(
    """
    as_user_not_supported channel_not_found is_archived is_inactive msg_too_long no_text not_in_channel too_many_attachments
    invalid_blocks invalid_blocks_format msg_blocks_too_long invalid_arguments invalid_arg_name restricted_action
    restricted_action_thread_locked restricted_action_thread_only_channel restricted_action_read_only_channel
    message_not_found cant_update_message edit_window_closed cannot_reply_to_message messages_tab_disabled
    user_not_found user_disabled user_is_restricted user_not_visible cannot_dm_bot slack_connect_canvas_sharing_blocked
    """.split()
)
"""Errors that are the message's or its receiver's. All others, the account's among them, may pass."""
LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})


class Slack(Channel):
    name = "slack"
    title = "Slack"
    capabilities = Capabilities(
        text_limit=3000,
        buttons=2,
        label=75,
        payload_bytes=2000,
        pictures=True,
        carousel=CARDS_IN_A_CAROUSEL,
        feedback="native",
        edit=True,
        typing=True,
        ack_seconds=3,
        rate=5,
        burst=5,
    )
    fields = (
        Field(
            "token",
            "Bot User OAuth Token",
            "under OAuth & Permissions once the app is installed, like xoxb-...",
            pattern="xoxb-[A-Za-z0-9-]+",
            secret=True,
        ),
        Field(
            "signing_secret",
            "Signing Secret",
            "under Basic Information, App Credentials: 32 letters and digits",
            pattern="[A-Za-z0-9]{16,128}",
            secret=True,
        ),
        API_BASE,
    )
    steps = (
        "At https://api.slack.com/apps create an app in your workspace.",
        "Under OAuth & Permissions add the bot scopes app_mentions:read, chat:write, files:read, im:history, "
        "reactions:read and assistant:write, install the app, and copy the Bot User OAuth Token and, under Basic "
        "Information, the Signing Secret into the fields below.",
        "Under App Home allow messages to the app from its Messages tab.",
        "Under Event Subscriptions paste {webhook} as the request address and subscribe to the bot events "
        "app_mention, message.im, reaction_added and reaction_removed.",
        "Under Interactivity & Shortcuts paste {webhook} once more.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """Slack tries an address with a challenge, signed like everything else; unsigned it is not answered."""
        if b"url_verification" not in request.body or _is_form(request) or not self.verify(request):
            return None
        try:
            value = read_json(request.body)
            challenge = text_at(value, "challenge")
        except MalformedBodyError:
            return None
        return Answer(body=challenge.encode()) if value.get("type") == "url_verification" else None

    def verify(self, request: WebhookRequest) -> bool:
        try:
            verifier = SignatureVerifier(str(self.config.get("signing_secret", "")), _At(request.at))
            return verifier.is_valid_request(request.body, dict(request.headers))
        except (ValueError, TypeError, OverflowError):  # no secret, no number, no UTF-8, not ASCII
            return False

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        if _is_form(request):
            return _interaction_events(request.body)
        value = read_json(request.body)
        if text_at(value, "type", None) != "event_callback":
            return []
        return _callback_events(text_at(value, "team_id", None), object_at(value, "event"), _own_users(value))

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """A message for every piece of the text; the last one has the products and the thumbs.

        ``text`` is what notifications show, and all there is where Slack refuses the blocks.
        """
        limit = self.capabilities.text_limit
        *pieces, last = chunks_written(full_text(message), limit, _escaped) or [""]
        closing = replace(message, text=last, source="")
        plain = chunks_written(numbered_text(closing, thumbs=False), limit, _escaped)
        blocks = [_section(last)] * bool(last) + _carousels(message) + _thumbs(message)
        return [
            *({"text": _escaped(piece), "blocks": [_section(piece)]} for piece in pieces),
            {"text": _escaped(plain[0]) if plain else "", "blocks": blocks},
        ]

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        place: Payload = {"channel": _channel(recipient), "unfurl_links": False, "unfurl_media": False}
        if thread := recipient.address.get("thread"):
            place["thread_ts"] = thread
        result = self._call("chat.postMessage", place | payload)
        if result.error.endswith("invalid_blocks"):
            # A picture that Slack could not fetch, or a block it does not know: what it shows must still arrive.
            return self._call("chat.postMessage", place | {"text": payload["text"]})
        return result

    def edit(self, recipient: Recipient, platform_id: str, payload: Payload) -> SendResult:
        channel, _, stamp = platform_id.rpartition(":")
        return self._call("chat.update", {"channel": channel or _channel(recipient), "ts": stamp, **payload})

    def typing(self, recipient: Recipient) -> None:
        """Only threads show it (https://docs.slack.dev/reference/methods/assistant.threads.setStatus)."""
        if thread := recipient.address.get("thread"):
            status = {"channel_id": _channel(recipient), "thread_ts": thread, "status": "is typing…"}
            self._call("assistant.threads.setStatus", status)

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        url = str(media.reference.get("url", ""))
        if not self._is_slacks(url):
            raise MediaError("file: not an address of Slack's")
        return http.download("file", url, limit, headers=self._headers)

    def _is_slacks(self, url: str) -> bool:
        """Whether the bot's token may travel to an address."""
        host = http.https_host(url)
        own = self._base != API and url.startswith(f"{self._base}/")
        return own or host == "slack.com" or host.endswith(".slack.com")

    @property
    def _base(self) -> str:
        return str(self.config.get("api_base_url") or API)

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.config['token']}"}

    def _ask(self, method: str, params: Mapping[str, Any]) -> httpx.Response:
        """One call of the Web API. Raises ``UnreachableError``."""
        return http.call(method, "POST", f"{self._base}/{method}", json=dict(params), headers=self._headers)

    def _call(self, method: str, params: Mapping[str, Any]) -> SendResult:
        try:
            return _result(method, self._ask(method, params))
        except http.UnreachableError as error:
            return http.unreachable(error)

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """The workspace's and the bot's numbers, which outlive a renewed token."""
        return "-".join(str(config.get("token", "")).split("-")[1:3])

    def check(self) -> Check:
        try:
            response = self._ask("auth.test", {})
        except http.UnreachableError as error:
            return Check(False, str(error))
        answer = http.json_of(response)
        if response.is_success and answer.get("ok") is True:
            return Check(True, f"{answer.get('user', 'the bot')} in {answer.get('team', 'its workspace')}")
        return Check(False, _result("auth.test", response).error)

    def connect(self, webhook_url: str) -> Sequence[str]:
        return [
            f"webhook: {webhook_url}",
            "paste it in the app's settings under Event Subscriptions and under Interactivity & Shortcuts; "
            "Slack tries it at once, so this server must be running and reachable by https",
        ]


class _At(Clock):
    """The time at which a request came, for the verifier."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at


# --- reading events -------------------------------------------------------------------------------------------------


def _is_form(request: WebhookRequest) -> bool:
    return request.headers.get("content-type", "").lower().startswith(FORM)


def _own_users(value: Mapping[str, Any]) -> frozenset[str]:
    """The bot's own users in this workspace, as the delivery names them."""
    return frozenset(text_at(one, "user_id") for one in objects_at(value, "authorizations") if one.get("is_bot"))


def _callback_events(team: str, event: Mapping[str, Any], own: frozenset[str]) -> list[ReceivedEvent]:
    kind, subtype = text_at(event, "type", None), text_at(event, "subtype")
    private = kind == "message" and (event.get("channel_type") == "im")
    if private and subtype == "message_changed":
        return _edit_events(team, text_at(event, "channel", None), event, own)
    if (private or kind == "app_mention") and subtype in SPOKEN:
        return _message_events(team, text_at(event, "channel", None), event, own)
    if kind in ("reaction_added", "reaction_removed"):
        return _reaction_events(team, event, own)
    return []


def _message_events(
    team: str, channel: str, message: Mapping[str, Any], own: frozenset[str], edited: str = ""
) -> list[ReceivedEvent]:
    """What a person wrote. The key is the message's own: Slack may tell of one message under several event ids."""
    user, stamp = text_at(message, "user"), text_at(message, "ts", None)
    if message.get("bot_id") or user in own | {"", SLACKBOT} or text_at(message, "subtype") not in SPOKEN:
        return []
    text, media = _plain(text_at(message, "text"), own), tuple(_media(message))
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text else InboundEvent.Kind.OTHER
    return [
        ReceivedEvent(
            f"{team}:{channel}:{stamp}" + (f":{edited}" if edited else ""),
            InboundEvent.Kind.EDIT if edited else kind,
            _contact(channel, user),
            text,
            data={"message": stamp},
            address=_address(channel, text_at(message, "thread_ts"), stamp),
            media=media,
        )
    ]


def _edit_events(team: str, channel: str, event: Mapping[str, Any], own: frozenset[str]) -> list[ReceivedEvent]:
    """A message with other words than before. Previews of links change a message too, but not its words."""
    message, before = object_at(event, "message"), event.get("previous_message")
    edited = message.get("edited")
    same = isinstance(before, dict) and before.get("text") == message.get("text")
    if not isinstance(edited, dict) or same:
        return []
    return _message_events(team, channel, message, own, text_at(edited, "ts", None))


def _reaction_events(team: str, event: Mapping[str, Any], own: frozenset[str]) -> list[ReceivedEvent]:
    """A thumb, or its withdrawal. Other emoji say nothing; whose message it is on is found out by its id."""
    item, user = object_at(event, "item"), text_at(event, "user", None)
    emoji = text_at(event, "reaction", None).partition("::")[0]
    verdict = "up" if emoji in UP else "down" if emoji in DOWN else ""
    if item.get("type") != "message" or user in own or not verdict:
        return []
    channel, stamp, kind = text_at(item, "channel", None), text_at(item, "ts", None), text_at(event, "type")
    key = f"{team}:{channel}:{stamp}:{user}:{kind}:{text_at(event, 'event_ts', None)}"
    data = {"verdict": "none" if kind == "reaction_removed" else verdict, "platform_id": f"{channel}:{stamp}"}
    return [ReceivedEvent(key, InboundEvent.Kind.REACTION, _contact(channel, user), data=data)]


def _interaction_events(body: bytes) -> list[ReceivedEvent]:
    """The buttons that a person pressed under one of our messages. A link's button has no value: Slack opens it itself."""
    try:
        given = parse_qs(body.decode(), max_num_fields=50).get("payload")
    except ValueError as error:
        raise MalformedBodyError("the body is not a form") from error
    value = read_json(given[0].encode("utf-8", "replace")) if given else {}
    if value.get("type") != "block_actions" or not isinstance(value.get("channel"), dict):
        return []
    user, channel = text_at(object_at(value, "user"), "id", None), text_at(value["channel"], "id", None)
    container = object_at(value, "container")
    stamp = text_at(container, "message_ts")
    return [
        ReceivedEvent(
            f"{channel}:{stamp}:{user}:{text_at(action, 'action_ts', None)}:{token}",
            InboundEvent.Kind.BUTTON,
            _contact(channel, user),
            data={"token": token},
            address=_address(channel, text_at(container, "thread_ts"), stamp),
        )
        for action in objects_at(value, "actions")
        if (token := text_at(action, "value"))
    ]


def _contact(channel: str, user: str) -> str:
    """A person in private; the same person in a channel is another contact, so that nothing private is said there."""
    if not (channel and user):
        raise MalformedBodyError("channel or user is missing")
    return user if channel.startswith("D") else f"{channel}:{user}"


def _address(channel: str, thread: str, stamp: str) -> Payload:
    """Where to answer a message: in its thread, which in a channel it opens where there is none."""
    place = {"channel": channel, "thread": thread if channel.startswith("D") else thread or stamp}
    return {name: value for name, value in place.items() if value}


def _media(message: Mapping[str, Any]) -> Iterator[MediaReference]:
    for file in objects_at(message, "files"):
        url, what = text_at(file, "url_private"), text_at(file, "mimetype")
        if url and what.startswith("image/"):
            yield MediaReference("photo", {"url": url})
        elif url and (what.startswith("audio/") or file.get("subtype") == "slack_audio"):
            yield MediaReference("voice", {"url": url})


MARKED = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
"""What Slack marks in a text: people, channels, links (https://docs.slack.dev/messaging/formatting-message-text)."""


def _plain(text: str, own: frozenset[str]) -> str:
    """What a person wrote, as they see it, without the bot's own name."""

    def shown(found: re.Match[str]) -> str:
        target, label = found[1], found[2]
        if target[:1] in ("@", "#", "!"):
            sign = "#" if target[0] == "#" else "@"
            return "" if target[1:] in own else f"{sign}{(label or target[1:]).lstrip(sign)}"
        return str(label or target.removeprefix("mailto:"))

    plain = MARKED.sub(shown, text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


# --- writing calls --------------------------------------------------------------------------------------------------


def _escaped(text: str) -> str:
    """Text that Slack shows as it is, with its links to be followed."""
    return around_links(text, _entities, lambda link: f"<{_entities(link)}>")


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _marked(text: str, limit: int) -> Payload:
    """A text object; ``verbatim`` keeps Slack from making names of people and channels of it."""
    return {
        "type": "mrkdwn",
        "text": _escaped(next(iter(chunks_written(text, limit, _escaped)), " ")),
        "verbatim": True,
    }


def _section(text: str) -> Payload:
    return {"type": "section", "expand": True, "text": _marked(text, Slack.capabilities.text_limit)}


def _carousels(message: OutboundMessage) -> list[Payload]:
    cards = [_card(card, texts_in(message.language)) for card in message.cards]
    starts = range(0, len(cards), CARDS_IN_A_CAROUSEL)
    return [{"type": "carousel", "elements": cards[start : start + CARDS_IN_A_CAROUSEL]} for start in starts]


def _card(card: Card, texts: Mapping[str, str]) -> Payload:
    shown: Payload = {
        "type": "card",
        "title": _marked(card.title, TITLE_LIMIT),
        "subtitle": _marked(card.price, TITLE_LIMIT),
    }
    if card.detail:
        shown["body"] = _marked(card.detail, BODY_LIMIT)
    if is_public(card.image_url):
        shown["hero_image"] = {"type": "image", "image_url": card.image_url, "alt_text": card.title}
    if buttons := _card_buttons(card, texts):
        shown["actions"] = buttons
    return shown


def _card_buttons(card: Card, texts: Mapping[str, str]) -> list[Payload]:
    buttons: list[Payload] = []
    if card.choice.token:
        label = {"type": "plain_text", "text": texts["choose"]}
        buttons.append({"type": "button", "action_id": "choose", "text": label, "value": card.choice.token})
    if is_public(card.url):
        label = {"type": "plain_text", "text": texts["open"]}
        buttons.append({"type": "button", "action_id": "open", "text": label, "url": card.url})
    return buttons


def _thumbs(message: OutboundMessage) -> list[Payload]:
    """Slack's own feedback buttons, which show by themselves what was pressed."""
    if not (message.up and message.down):
        return []
    texts = texts_in(message.language)
    pressed = {
        f"{side}_button": {"text": {"type": "plain_text", "text": texts[word]}, "value": choice.token}
        for side, word, choice in (("positive", "up", message.up), ("negative", "down", message.down))
    }
    element = {"type": "feedback_buttons", "action_id": "feedback", **pressed}
    return [{"type": "context_actions", "elements": [element]}]


def _channel(recipient: Recipient) -> str:
    """Where to write: where the person wrote, else to the person."""
    return str(recipient.address.get("channel") or recipient.contact_id.partition(":")[0])


def _result(method: str, response: httpx.Response) -> SendResult:
    answer = http.json_of(response)
    if response.is_success and answer.get("ok") is True:
        return SendResult(ok=True, platform_id=f"{answer.get('channel', '')}:{answer.get('ts', '')}")
    error = str(answer.get("error", ""))
    shown = error if re.fullmatch(r"\w{1,60}", error) else "no explanation"
    result = http.refused(method, response, shown)
    if not response.is_success:
        return result
    return replace(
        result,
        permanent=error in PERMANENT,
        retry_after=http.retry_after(response) if error in LIMITED else None,
    )
