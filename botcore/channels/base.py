"""The one interface behind which every messaging platform stands.

A channel translates: the platform's requests into ``ReceivedEvent``, our ``OutboundMessage`` into the platform's calls.
It knows nothing of conversations, and nothing of it is known to the dialogue.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from botcore.channels.values import (
    Answer,
    Capabilities,
    Media,
    MediaError,
    MediaReference,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
)


@dataclass(frozen=True)
class Field:
    """One thing an operator gives to connect an account: ``hint`` says where to find it and what it looks like.

    ``pattern`` must match the whole value. ``ours``: only for whoever runs this installation, not for a shop's merchants,
    because it decides whom this server calls or trusts.
    """

    name: str
    label: str
    hint: str = ""
    pattern: str = ".+"
    required: bool = True
    secret: bool = False
    ours: bool = False


API_BASE = Field(
    "api_base_url",
    "Address of the API",
    "an address like https://api.example; leave it out for the platform's own",
    required=False,
    pattern="https?://.+",
    ours=True,
)
"""Every account can be sent to another server: a proxy, a server of one's own, a test."""


@dataclass(frozen=True)
class Check:
    """Whether the platform accepts an account's credentials; ``detail`` is its name there, or what is wrong."""

    ok: bool
    detail: str


class Channel(ABC):
    """A platform, set up with one account's ``config``. Instances are cheap and hold no connection."""

    name: str
    title: str
    """The platform's own name."""
    capabilities: Capabilities
    secret_address: frozenset[str] = frozenset()
    """The parts of a contact's address by which anybody could write to them; they are stored sealed."""
    fields: tuple[Field, ...] = ()
    steps: tuple[str, ...] = ()
    """What an operator does on the platform, in order; ``{webhook}`` stands for the address it is to call."""

    def __init__(self, config: Mapping[str, Any], account_key: str) -> None:
        self.config = config
        self.account_key = account_key

    # --- in -----------------------------------------------------------------------------------------------------------

    def handshake(self, request: WebhookRequest) -> Answer | None:
        """The answer to a platform that tries our address before it uses it; None for everything else. Pure."""
        return None

    @abstractmethod
    def verify(self, request: WebhookRequest) -> bool:
        """Whether the platform itself sent this, lately and to this account. Never raises: any doubt is False."""

    @abstractmethod
    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        """The events in a verified request; what we do not know is left out. Raises ``MalformedBodyError``. Pure."""

    def ack(self, received: Sequence[ReceivedEvent]) -> Answer:
        """What a stored delivery is answered with, where the platform reads it. Costs no call of its own. Pure."""
        return Answer()

    async def ack_in_time(self, received: Sequence[ReceivedEvent]) -> Answer:
        """``ack``, which a platform that lets us speak only in its answers keeps open until there is something to say."""
        return self.ack(received)

    # --- out ----------------------------------------------------------------------------------------------------------

    @abstractmethod
    def render(self, message: OutboundMessage) -> list[Payload]:
        """The platform's calls for a reply, in order. Pure."""

    def reopen(self, message: OutboundMessage) -> list[Payload]:
        """The calls that are allowed after the platform's window has closed; none where there are none. Pure."""
        return []

    @abstractmethod
    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        """Make one call. Never raises for what the network or the platform does."""

    def edit(self, recipient: Recipient, platform_id: str, payload: Payload) -> SendResult:
        """Put ``payload`` in the place of a message that was sent."""
        return SendResult(ok=False, permanent=True, error=f"{self.name} edits nothing")

    def typing(self, recipient: Recipient) -> None:  # noqa: B027 (platforms without it do nothing)
        """Show that a reply is being written, where the platform can. Failures are of no consequence."""

    def stream(self, recipient: Recipient, turn: int, text: str) -> None:  # noqa: B027 (as typing)
        """Show the beginning of a reply that is about to be sent whole. Failures are of no consequence."""

    def announce(self, contact_id: str) -> None:  # noqa: B027 (platforms are told by ``send``)
        """Called in the transaction that stores a reply, for a channel whose readers fetch it from the database."""

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        """A customer's file of at most ``limit`` bytes. Raises ``MediaError``."""
        raise MediaError(f"{self.name} has no {media.kind}")

    # --- setting up ---------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """What tells a shop's accounts on this platform apart; connecting one again keeps its webhook address."""
        return ""

    @classmethod
    def prepare_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Complete what an operator gave. Raises ``ValueError`` naming what is missing, unknown or wrong."""
        given = {name: str(value).strip() for name, value in config.items() if str(value).strip()}
        known = {field.name: field for field in cls.fields}
        if unknown := sorted(set(given) - set(known)):
            names = ", ".join(known) or "none"
            raise ValueError(f"{cls.name} knows no --config {unknown[0]}=...; there are: {names}")
        for field in cls.fields:
            if field.required and field.name not in given:
                raise ValueError(f"{cls.name} needs --config {field.name}=... ({field.hint or field.label})")
            if field.name in given and not re.fullmatch(field.pattern, given[field.name]):
                shown = "" if field.secret else f'"{given[field.name]}" '
                raise ValueError(f"{field.name}: {shown}is not one ({field.hint or field.label})")
        if base := given.get("api_base_url"):
            if not urlsplit(base).hostname:
                raise ValueError(f'api_base_url: "{base}" is not an address ({API_BASE.hint})')
            given["api_base_url"] = base.rstrip("/")
        return given

    def check(self) -> Check:
        """Ask the platform whether the credentials hold. Never raises."""
        return Check(True, "nothing to check")

    def connect(self, webhook_url: str) -> Sequence[str]:
        """Make the platform call ``webhook_url`` where that can be done from here; lines that say what is left to do."""
        return [f"webhook: {webhook_url}"]
