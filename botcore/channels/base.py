"""The one interface behind which every messaging platform stands, and the values that cross it.

A channel translates: the platform's requests into ``ReceivedEvent``, our ``OutboundMessage`` into the platform's calls.
It knows nothing of conversations, and nothing of it is known to the dialogue.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from django.http import HttpRequest

Payload = dict[str, Any]
"""One call to the platform, as plain JSON; what it means is the channel's own business."""


class MalformedBodyError(ValueError):
    """The request was signed but is not what the platform documents; the message says what is missing."""


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object in a request, with text that the database can hold. Raises ``MalformedBodyError``.

    PostgreSQL stores neither NUL nor half of a surrogate pair; JSON can spell both.
    """
    try:
        value = _storable(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError("the body is not JSON") from error
    if not isinstance(value, dict):
        raise MalformedBodyError("the body is not a JSON object")
    return value


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


@dataclass(frozen=True)
class Capabilities:
    """What a platform can show, as data. ``text_unit`` is how it counts: ``characters``, ``utf16`` or ``bytes``."""

    text_limit: int
    text_unit: str
    buttons: int
    button_payload_bytes: int
    pictures: bool
    typing: bool
    streaming: bool = False


@dataclass(frozen=True)
class ReceivedEvent:
    """What a platform told us. ``kind`` is one of ``InboundEvent.Kind``; ``event_key`` is unique per account.

    ``data`` by kind: a reaction or feedback button carries ``{"verdict": ..., "turn": id}`` or ``{"verdict": ...,
    "platform_id": id}``, the verdict being ``up``, ``down``, ``not_meant``, or ``none`` to take an opinion back;
    a product button carries ``{"sku": ...}`` beside its text.
    """

    event_key: str
    kind: str
    contact_id: str
    text: str = ""
    contact_name: str = ""
    language: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """One product as it is shown; ``price`` is formatted, addresses are absolute or empty."""

    sku: str
    title: str
    price: str
    detail: str = ""
    image_url: str = ""
    url: str = ""


@dataclass(frozen=True)
class OutboundMessage:
    """A reply before any platform touches it. ``turn`` is the turn that feedback on it refers to.

    ``source`` names what an answer rests on: an article, a product's data, description or reviews.
    """

    text: str
    turn: int
    language: str = "en"
    cards: tuple[Card, ...] = ()
    source: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "cards": [vars(card) for card in self.cards]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "cards": tuple(Card(**card) for card in data.get("cards", ()))})


@dataclass(frozen=True)
class SendResult:
    """What became of one payload. ``retry_after`` is in seconds; ``permanent`` means that no retry can help."""

    ok: bool
    platform_id: str = ""
    retry_after: float | None = None
    permanent: bool = False
    error: str = ""


class Channel(ABC):
    """A platform, set up with one account's ``config``. Instances are cheap and hold no connection."""

    name: str
    capabilities: Capabilities
    required_config: tuple[str, ...] = ()

    def __init__(self, config: Mapping[str, Any], account_key: str) -> None:
        self.config = config
        self.account_key = account_key

    @abstractmethod
    def verify(self, request: HttpRequest) -> bool:
        """Whether the platform itself sent this. Never raises: any doubt is False."""

    @abstractmethod
    def parse(self, body: bytes) -> list[ReceivedEvent]:
        """The events in a verified body; what we do not know is left out. Raises ``MalformedBodyError``."""

    @abstractmethod
    def render(self, message: OutboundMessage) -> list[Payload]:
        """The platform's calls for a reply, in order. Pure."""

    @abstractmethod
    def send(self, contact_id: str, payload: Payload) -> SendResult:
        """Make one call. Never raises for what the network or the platform does."""

    def typing(self, contact_id: str) -> None:  # noqa: B027 (platforms without it do nothing)
        """Show that a reply is being written, where the platform can. Failures are of no consequence."""

    def announce(self, contact_id: str) -> None:  # noqa: B027 (platforms are told by ``send``)
        """Called in the transaction that stores a reply, for a channel whose readers fetch it from the database."""

    def acknowledge(self, received: Sequence[ReceivedEvent]) -> Payload | None:
        """The body of our 200, where the platform reads one. Costs no call of its own."""
        return None

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """What tells a shop's accounts on this platform apart; connecting one again keeps its webhook address."""
        return ""

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Complete what an operator gave (make secrets). Raises ``ValueError`` naming what is missing or wrong."""
        missing = [name for name in cls.required_config if not config.get(name)]
        if missing:
            raise ValueError(f"{cls.name} needs --config {missing[0]}=...")
        return dict(config)

    def connect(self, webhook_url: str) -> Sequence[str]:
        """Lines that tell the operator what is left to do so that the platform calls ``webhook_url``."""
        return [f"webhook: {webhook_url}"]
