"""Whom a message goes to: what a contact's last message said to answer by, kept with its secrets sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botcore.channels.registry import channel_class
from botcore.channels.values import Recipient
from botcore.models import Contact
from botcore.security import seal, unseal

SEALED = "sealed"
"""Under this name an address has its secrets."""


def stored_address(channel: str, address: Mapping[str, Any]) -> dict[str, Any]:
    """An address as it is stored: what lets anybody write to the customer is sealed."""
    secret = {name: address[name] for name in channel_class(channel).secret_address if name in address}
    known = {name: value for name, value in address.items() if name not in secret}
    return {**known, SEALED: seal(secret)} if secret else known


def recipient_of(contact: Contact) -> Recipient:
    """How a contact is written to. Raises ``ConfigurationError`` where this SECRET_KEY does not open their address."""
    known = {name: value for name, value in contact.address.items() if name != SEALED}
    address = {**known, **unseal(contact.address.get(SEALED, ""))}
    return Recipient(contact.external_id, address, contact.heard_at, contact.sent_since)
