"""``manage.py connect``: an account, its secrets sealed, its address printed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from botcore.models import ChannelAccount
from botcore.security import unseal
from tests.botcore.channels.conftest import TOKEN
from tests.botcore.channels.platform import PlatformServer, Told, platform_server

pytestmark = pytest.mark.django_db


TAKEN = Told(200, {"ok": True, "result": {"message_id": 81, "username": "lantern_bot"}})


@pytest.fixture
def bot_api() -> Iterator[PlatformServer]:
    with platform_server(TAKEN) as server:
        yield server


@pytest.fixture
def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no person sits at the terminal."""
    monkeypatch.setattr("sys.stdin", StringIO())


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A person at the terminal: what was asked aloud and what without echo; they answer with the bot's token."""
    asked: dict[str, list[str]] = {"aloud": [], "without echo": []}

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    def answer(way: str, question: str) -> str:
        asked[way].append(question)
        return TOKEN

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", partial(answer, "aloud"))
    monkeypatch.setattr("botcore.management.commands.connect.getpass", partial(answer, "without echo"))
    return asked


def connect(*arguments: str) -> str:
    out = StringIO()
    call_command("connect", *arguments, stdout=out)
    return out.getvalue()


def at(server: PlatformServer, token: str = TOKEN) -> list[str]:
    """A Telegram account that lives on this server."""
    return ["telegram", "--shop", "lantern", "--config", f"token={token}", "--config", f"api_base_url={server.address}"]


def test_telegram_is_registered_and_its_address_printed(shop, settings, bot_api):
    printed = connect(*at(bot_api))
    assert "Telegram: @lantern_bot\n" in printed
    account = ChannelAccount.objects.get()
    assert f"webhook: {settings.PUBLIC_URL}/webhooks/telegram/{account.key}\n" in printed
    assert TOKEN not in printed
    assert TOKEN not in account.sealed_config
    assert unseal(account.sealed_config)["token"] == TOKEN


def test_connecting_a_bot_again_keeps_its_address(shop, bot_api):
    connect(*at(bot_api))
    key = ChannelAccount.objects.get().key
    connect(*at(bot_api, "123456789:renewed"))
    connect(*at(bot_api, "999:another-bot"))
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
def test_a_mistake_says_how_to_mend_it_and_registers_nothing(shop, nobody_answers, arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        connect(*arguments)
    assert not ChannelAccount.objects.exists()


def test_credentials_that_the_platform_refuses_are_not_stored_unless_nobody_is_to_check(shop, bot_api):
    bot_api.success = Told(401, {"ok": False, "description": "Unauthorized"})
    with pytest.raises(CommandError, match="does not accept this: getMe: 401 Unauthorized") as refusal:
        connect(*at(bot_api))
    assert TOKEN not in str(refusal.value)
    assert not ChannelAccount.objects.exists()
    connect(*at(bot_api), "--no-check")
    assert ChannelAccount.objects.exists()


def test_what_is_missing_is_asked_for_and_secrets_without_echo(shop, bot_api, answers):
    printed = connect("telegram", "--shop", "lantern", "--config", f"api_base_url={bot_api.address}")
    assert "1. Write to @BotFather in Telegram" in printed
    assert (len(answers["without echo"]), answers["aloud"]) == (1, [])
    assert answers["without echo"][0].startswith("The bot's token (@BotFather's")
    assert unseal(ChannelAccount.objects.get().sealed_config)["token"] == TOKEN
    assert TOKEN not in printed


SECRETS = f"# of the shop's bot\n\ntoken = {TOKEN}\napi_base_url={{}}\n"


def test_settings_are_read_from_a_file(shop, bot_api, tmp_path):
    file = tmp_path / "telegram.txt"
    file.write_text(SECRETS.format(bot_api.address), encoding="utf-8")
    printed, complaints = StringIO(), StringIO()
    call_command("connect", "telegram", "--shop=lantern", f"--config-file={file}", stdout=printed, stderr=complaints)
    assert unseal(ChannelAccount.objects.get().sealed_config)["token"] == TOKEN
    assert (TOKEN in printed.getvalue(), complaints.getvalue()) == (False, "")


def test_settings_are_read_from_a_pipe_and_those_on_the_command_line_come_first(shop, bot_api, monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO(SECRETS.format("https://elsewhere.example")))
    connect("telegram", "--shop=lantern", "--config-file=-", f"--config=api_base_url={bot_api.address}")
    config = unseal(ChannelAccount.objects.get().sealed_config)
    assert (config["token"], config["api_base_url"]) == (TOKEN, bot_api.address)


def test_a_secret_on_the_command_line_is_warned_of(shop, bot_api):
    complaints = StringIO()
    call_command("connect", *at(bot_api), stdout=StringIO(), stderr=complaints)
    assert complaints.getvalue().startswith("token: what is on a command line stays in the shell's history")
    assert TOKEN not in complaints.getvalue()


def test_a_file_that_is_not_there_or_not_settings_tells_no_secret(shop, tmp_path):
    with pytest.raises(CommandError, match=r"no-such\.txt"):
        connect("telegram", "--shop=lantern", f"--config-file={tmp_path / 'no-such.txt'}")
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(TOKEN, encoding="utf-8")
    with pytest.raises(CommandError, match="not NAME=VALUE") as refusal:
        connect("telegram", "--shop=lantern", f"--config-file={wrong}")
    assert TOKEN not in str(refusal.value)


def test_what_is_connected_reaches_no_log(shop, bot_api, caplog, capfd):
    with caplog.at_level("DEBUG"):
        connect(*at(bot_api))
    assert TOKEN not in caplog.text + "".join(capfd.readouterr())


def test_where_nobody_can_answer_the_steps_are_told(shop, nobody_answers):
    out = StringIO()
    with pytest.raises(CommandError, match="needs --config token"):
        call_command("connect", "telegram", "--shop", "lantern", stdout=out)
    assert "1. Write to @BotFather in Telegram" in out.getvalue()


def test_an_account_whose_secrets_do_not_open_any_more_keeps_no_other_from_being_connected(shop, bot_api):
    connect(*at(bot_api))
    ChannelAccount.objects.update(sealed_config="sealed with another key")
    connect(*at(bot_api))
    assert unseal(ChannelAccount.objects.latest("pk").sealed_config)["token"] == TOKEN
