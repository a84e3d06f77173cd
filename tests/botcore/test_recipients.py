"""What a contact is answered by is stored so that nobody who reads the database can write to them."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from botcore.environment import ConfigurationError
from botcore.models import Contact
from botcore.recipients import recipient_of, stored_address
from tests.factories import AccountFactory, ContactFactory

pytestmark = pytest.mark.django_db


def contact(channel: str, address: dict[str, object]) -> Contact:
    return ContactFactory(account=AccountFactory(channel=channel), address=address)


def test_a_secret_of_an_address_is_sealed_and_the_rest_is_read_as_it_is():
    address = {"token": "aW50ZXJhY3Rpb24", "private": True}
    stored = stored_address("discord", address)
    assert (stored["private"], set(stored)) == (True, {"private", "sealed"})
    assert "aW50ZXJhY3Rpb24" not in str(stored)
    assert recipient_of(contact("discord", stored)).address == address


def test_an_address_without_secrets_is_stored_as_it_came():
    assert stored_address("slack", {"channel": "D1"}) == {"channel": "D1"}
    assert stored_address("discord", {}) == {}


def test_an_address_that_another_key_sealed_says_so(settings):
    stored = stored_address("discord", {"token": "t"})
    settings.SECRET_KEY = "another"
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        recipient_of(contact("discord", stored))


def test_the_migration_seals_what_is_there_and_opens_it_again():
    migration = import_module("botcore.migrations.0014_channels")
    plain = {
        "discord": {"token": "t", "private": False},
        "dingtalk": {"session": "/robot?session=s", "until": 5},
        "slack": {"channel": "D1"},
    }
    contacts = {channel: contact(channel, address) for channel, address in plain.items()}
    migration.seal_addresses(apps, None)
    for channel, row in contacts.items():
        row.refresh_from_db()
        assert ("sealed" in row.address) == (channel != "slack")
        assert recipient_of(row).address == plain[channel]
    migration.open_addresses(apps, None)
    for channel, row in contacts.items():
        row.refresh_from_db()
        assert row.address == plain[channel]
