"""``manage.py connect``: an account, its secrets sealed, its address printed."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from botcore.models import ChannelAccount
from botcore.security import unseal
from tests.botcore.channels.conftest import TOKEN

pytestmark = pytest.mark.django_db


def connect(*arguments: str) -> str:
    out = StringIO()
    call_command("connect", *arguments, stdout=out)
    return out.getvalue()


def test_telegram_is_registered_and_its_address_printed(shop, settings):
    printed = connect("telegram", "--shop", "lantern", "--config", f"token={TOKEN}")
    account = ChannelAccount.objects.get()
    assert f"webhook: {settings.PUBLIC_URL}/webhooks/telegram/{account.key}\n" in printed
    assert TOKEN not in printed
    assert TOKEN not in account.sealed_config
    assert unseal(account.sealed_config)["token"] == TOKEN


def test_connecting_a_bot_again_keeps_its_address(shop):
    connect("telegram", "--shop", "lantern", "--config", f"token={TOKEN}")
    key = ChannelAccount.objects.get().key
    connect("telegram", "--shop", "lantern", "--config", "token=123456789:renewed")
    connect("telegram", "--shop", "lantern", "--config", "token=999:another-bot")
    assert [account.key == key for account in ChannelAccount.objects.order_by("pk")] == [True, False]
    assert unseal(ChannelAccount.objects.get(key=key).sealed_config)["token"] == "123456789:renewed"


def test_the_web_chat_prints_its_page_and_its_script(shop, settings):
    printed = connect("webchat", "--shop", "lantern", "--config", "origin=https://shop.example")
    assert f"page: {settings.PUBLIC_URL}/chat/lantern/\n" in printed
    assert f'<script src="{settings.PUBLIC_URL}/chat/lantern/widget.js" async></script>' in printed


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["pigeon", "--shop", "lantern"], 'no channel is called "pigeon"'),
        (["telegram", "--shop", "nowhere", "--config", f"token={TOKEN}"], "there are: lantern"),
        (["telegram", "--shop", "lantern"], "needs --config token"),
        (["telegram", "--shop", "lantern", "--config", "token"], "is not NAME=VALUE"),
        (["webchat", "--shop", "lantern", "--config", "origin=shop.example"], "origin"),
    ],
)
def test_a_mistake_says_how_to_mend_it_and_registers_nothing(shop, arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        connect(*arguments)
    assert not ChannelAccount.objects.exists()
