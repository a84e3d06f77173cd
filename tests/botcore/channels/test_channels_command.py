"""``manage.py channels``: accounts and how they are, for people and for programs, with a status that a monitor reads."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from botcore.channels.condition import conditions
from botcore.models import ChannelAccount, ChannelHealth, Outbound
from botcore.security import seal
from tests.botcore.channels.conftest import TOKEN
from tests.factories import AccountFactory, ContactFactory, ConversationFactory, ShopFactory

pytestmark = pytest.mark.django_db


def channels(*arguments: str) -> tuple[str, int]:
    """What is printed, and the exit status."""
    out = StringIO()
    try:
        call_command("channels", *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_an_account_that_is_well(telegram):
    contact = ContactFactory(account=telegram, heard_at=timezone.now() - timedelta(minutes=3))
    talk = ConversationFactory(shop=telegram.shop, contact=contact)
    Outbound.objects.create(conversation=talk, content={}, status="sent", sent_at=timezone.now() - timedelta(hours=2))
    Outbound.objects.create(conversation=talk, content={})
    Outbound.objects.create(conversation=talk, content={}, status="failed")
    printed, status = channels()
    line = next(line for line in printed.splitlines() if "telegram" in line)
    for told in ("lantern", "telegram 123456789", "ok", "3 minutes ago", "2 hours ago"):
        assert told in line
    assert line.split()[-2:] == ["1", "1"]
    assert status == 0
    assert TOKEN not in printed


@pytest.mark.parametrize(
    ("health", "state", "status"),
    [
        ({"failures": 2}, "troubled", 0),
        ({"paused_until": timedelta(minutes=1)}, "paused", 0),
        ({"failures": 6, "open_until": timedelta(minutes=1), "last_error": "sendMessage: 401"}, "failing", 1),
        ({"failures": 6, "open_until": -timedelta(minutes=1)}, "failing", 1),
    ],
)
def test_an_account_that_is_not(telegram, health, state, status):
    now = timezone.now()
    values = {name: now + value if isinstance(value, timedelta) else value for name, value in health.items()}
    ChannelHealth.objects.create(account=telegram, **values)
    printed, exit_status = channels("--json")
    (row,) = json.loads(printed)
    assert (row["state"], row["healthy"], exit_status) == (state, status == 0, status)
    assert row["last_error"] == health.get("last_error", "")
    assert state in channels()[0]


def test_an_account_that_has_neither_heard_nor_sent_is_not_said_to_work(telegram):
    printed, status = channels("--json")
    assert (json.loads(printed)[0]["state"], status) == ("new", 0)


def test_secrets_that_do_not_open_are_no_health(telegram):
    ChannelAccount.objects.update(sealed_config="sealed with another key")
    printed, status = channels("--json")
    assert (json.loads(printed)[0]["state"], status) == ("unreadable", 1)


def test_what_is_switched_off_cannot_be_ill(telegram):
    ChannelHealth.objects.create(account=telegram, failures=6, open_until=timezone.now())
    ChannelAccount.objects.update(active=False)
    printed, status = channels("--json")
    assert (json.loads(printed)[0]["state"], status) == ("off", 0)


def test_one_shop_alone(telegram):
    ill = AccountFactory(shop=ShopFactory(slug="oak"), channel="telegram", sealed_config=seal({"token": "1:x"}))
    ChannelHealth.objects.create(account=ill, failures=6, open_until=timezone.now())
    printed, status = channels("--shop", "lantern", "--json")
    assert ([row["shop"] for row in json.loads(printed)], status) == (["lantern"], 0)
    assert channels()[1] == 1
    with pytest.raises(CommandError, match='no shop "elm"'):
        channels("--shop", "elm")


def test_no_channel_says_how_to_connect_one(shop):
    AccountFactory(shop=shop, channel="terminal")
    printed, status = channels()
    assert "manage.py connect" in printed
    assert status == 0


def test_an_error_in_brackets_is_printed_as_it_is(telegram):
    ChannelHealth.objects.create(account=telegram, failures=1, last_error="[red]sendMessage[/]")
    assert "[red]" in channels()[0].replace("\n", "")


def test_the_list_costs_the_same_queries_however_many_accounts_there_are(shop, django_assert_num_queries):
    for number in range(3):
        AccountFactory(shop=shop, channel="telegram", sealed_config=seal({"token": f"{number}:x"}))
    with django_assert_num_queries(1):
        assert len(conditions(ChannelAccount.objects.all())) == 3
