"""The values that cross the line between a messaging platform and the conversation. Frozen, and free of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

Payload = dict[str, Any]
"""One call to the platform, as plain JSON; what it means is the channel's own business."""


class MalformedBodyError(ValueError):
    """The request was signed but is not what the platform documents; the message says what is missing."""


class MediaError(Exception):
    """A customer's picture or voice could not be had; the message says why, for the log."""


@dataclass(frozen=True)
class Capabilities:
    """What a platform can show and bear, as data. Zero is "none"; ``docs/channels.md`` names the sources.

    ``text_unit`` is how it counts a text: ``characters``, ``utf16`` or ``bytes``. ``buttons``, ``carousel``, ``list_rows``
    and ``quick_replies`` are how many a message may have, ``label`` and ``row_title`` their lengths in characters,
    ``payload_bytes`` what a button may carry. ``apart`` is how many products of one reply may be messages of their own
    (None: any number), where a platform minds how many a customer gets. ``feedback`` is how a customer judges a reply
    there: ``native``, ``buttons``, ``reactions``, ``quick_replies``, ``numbers``, ``page`` (our own) or ``none``.
    ``window`` is how many seconds after the customer's last message we may write, and ``quota`` how often.
    ``ack_seconds`` is how long the platform waits for our answer; ``rate`` how many messages a second an account may
    send (None: as many as it likes), ``burst`` how many at once. ``idempotent``: it sends one message for the same key,
    however often it is asked to.
    """

    text_limit: int
    text_unit: str = "characters"
    buttons: int = 0
    label: int = 20
    payload_bytes: int = 0
    pictures: bool = False
    apart: int | None = None
    carousel: int = 0
    list_rows: int = 0
    row_title: int = 0
    quick_replies: int = 0
    feedback: str = "none"
    edit: bool = False
    typing: bool = False
    streaming: bool = False
    window: float | None = None
    quota: int | None = None
    ack_seconds: float = 5.0
    rate: float | None = 20.0
    burst: int = 20
    idempotent: bool = False


# --- in ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WebhookRequest:
    """A platform's request as plain values. ``url`` is the public address it called, query included; header names are
    in lower case; ``at`` is when it came, in seconds since 1970.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True)
class Answer:
    """What we answer a platform's request with."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Self:
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), "application/json")


@dataclass(frozen=True)
class MediaReference:
    """A picture or a voice message that a customer sent. ``reference`` is what the channel fetches it by."""

    kind: str
    """``photo`` or ``voice``."""
    reference: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "reference": dict(self.reference)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["kind"], data["reference"])


@dataclass(frozen=True)
class ReceivedEvent:
    """What a platform told us. ``kind`` is one of ``InboundEvent.Kind``; ``event_key`` is unique per account.

    ``address`` is what this contact is to be answered by from now on, where the platform wants more than the contact's
    id (a reply token, a thread, a service's address).

    ``data`` by kind: a button carries ``{"token": ...}``; a reaction or a platform's own feedback ``{"verdict": ...,
    "platform_id": id}``, the verdict being ``up``, ``down``, ``not_meant``, or ``none`` to take an opinion back; a
    delivery status ``{"platform_id": id, "status": "delivered" | "read" | "failed", "error": ..., "stopped": True where
    the customer wants no more}``; a message that may be edited later, and its edit, ``{"message": the platform's id}``;
    a text that asks for the rest of what is kept, ``{"more": True}``.
    A start that comes as a word which may mean something else is a text to those who never stopped.
    """

    event_key: str
    kind: str
    contact_id: str
    text: str = ""
    contact_name: str = ""
    language: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    address: Mapping[str, Any] = field(default_factory=dict)
    media: tuple[MediaReference, ...] = ()


@dataclass(frozen=True)
class Media:
    """A file as it came. ``content_type`` is what its bytes are, whatever its sender called it."""

    content: bytes
    content_type: str


# --- out --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """Something a customer can choose: by a button that gives ``token`` back, or by writing ``number``."""

    token: str = ""
    number: int = 0


@dataclass(frozen=True)
class Card:
    """One product as it is shown; ``price`` is formatted, addresses are absolute or empty."""

    sku: str
    title: str
    price: str
    detail: str = ""
    image_url: str = ""
    url: str = ""
    choice: Choice = Choice()


@dataclass(frozen=True)
class OutboundMessage:
    """A reply before any platform touches it. ``turn`` is the turn that feedback on it refers to, 0 where a person wrote.

    ``source`` names what an answer rests on: an article, a product's data, description or reviews. ``up`` and ``down``
    are the customer's thumbs; ``verdict`` is the one pressed, once it was.
    """

    text: str
    turn: int = 0
    language: str = "en"
    cards: tuple[Card, ...] = ()
    source: str = ""
    up: Choice | None = None
    down: Choice | None = None
    verdict: str = ""

    def with_choices(self, choices: tuple[Choice, ...]) -> Self:
        """The message whose cards, then thumbs, may be chosen by ``choices``; too few leave the thumbs out."""
        cards = tuple(
            replace(card, choice=choice) for card, choice in zip(self.cards, choices[: len(self.cards)], strict=True)
        )
        up, down = choices[len(cards) :] or (None, None)
        return replace(self, cards=cards, up=up, down=down)

    def to_json(self) -> dict[str, Any]:
        return {
            **vars(self),
            "cards": [{**vars(card), "choice": vars(card.choice)} for card in self.cards],
            "up": vars(self.up) if self.up else None,
            "down": vars(self.down) if self.down else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        cards = tuple(Card(**{**card, "choice": Choice(**card.get("choice", {}))}) for card in data.get("cards", ()))
        thumbs = {name: Choice(**data[name]) for name in ("up", "down") if data.get(name)}
        return cls(**{**data, "cards": cards, "up": None, "down": None, **thumbs})


@dataclass(frozen=True)
class Recipient:
    """Whom a message goes to: the contact's id, what its last message said to answer by, when that was, and how many
    of our messages have followed it.
    """

    contact_id: str
    address: Mapping[str, Any] = field(default_factory=dict)
    heard_at: datetime | None = None
    sent_since: int = 0


@dataclass(frozen=True)
class SendResult:
    """What became of one payload. ``retry_after`` is in seconds; ``permanent`` means that no retry can help.

    ``window_closed``: the platform lets us write only so long after the customer did. ``held``: the platform lets us
    write only when it asks; the message stays until it does. ``crowded``: this customer has had many messages lately
    and is to be left a while, the account's others are not. ``stopped``: the customer asked the platform for no more
    messages of ours, or blocked us.
    """

    ok: bool
    platform_id: str = ""
    retry_after: float | None = None
    permanent: bool = False
    window_closed: bool = False
    held: bool = False
    crowded: bool = False
    stopped: bool = False
    error: str = ""


# --- reading ----------------------------------------------------------------------------------------------------------


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object in a request, with text that the database can hold. Raises ``MalformedBodyError``.

    PostgreSQL stores neither NUL nor half of a surrogate pair; JSON can spell both.
    """
    try:
        value = storable(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError("the body is not JSON") from error
    if not isinstance(value, dict):
        raise MalformedBodyError("the body is not a JSON object")
    return value


def storable(value: Any) -> Any:
    """A JSON value without what PostgreSQL cannot store."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    return value


def object_at(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under a name. Raises ``MalformedBodyError``."""
    value = parent.get(name)
    if not isinstance(value, dict):
        raise MalformedBodyError(f"{name} is missing")
    return value


def objects_at(parent: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The list of objects under a name, empty where there is none. Raises ``MalformedBodyError`` for anything else."""
    value = parent.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedBodyError(f"{name} is not a list of objects")
    return value


def integer_at(parent: Mapping[str, Any], name: str) -> int:
    """The integer under a name, of 64 bits at most. Raises ``MalformedBodyError``."""
    value = parent.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise MalformedBodyError(f"{name} is missing")
    return value


def text_at(parent: Mapping[str, Any], name: str, default: str | None = "") -> str:
    """The text under a name; ``default`` None makes it a must. Raises ``MalformedBodyError``."""
    value = parent.get(name, default)
    if not isinstance(value, str):
        raise MalformedBodyError(f"{name} is {'missing' if value is None else 'not a text'}")
    return value


def id_at(parent: Mapping[str, Any], name: str) -> str:
    """The text under a name that must be there and say something. Raises ``MalformedBodyError``."""
    if value := text_at(parent, name):
        return value
    raise MalformedBodyError(f"{name} is missing")
