"""A talk through somebody else's imitation of Telegram's server (npm's telegram-test-api), with both its ends."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.test import Client

from botcore import delivery, queues
from botcore.channels.telegram import Telegram
from botcore.channels.values import OutboundMessage
from botcore.models import ChannelAccount, Feedback, InboundEvent, Turn
from botcore.security import seal
from tests.botcore.channels.conformance import CARDS
from tests.botcore.channels.conftest import SECRET, TOKEN
from tests.botcore.channels.npm_oracles import npm_folder
from tests.botcore.channels.platform import as_json, post
from tests.botcore.channels.platform import delivery as delivered
from tests.factories import AccountFactory
from tests.fakes import Wakes

__all__ = ["npm_folder"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def server(npm_folder: Path) -> Iterator[str]:
    """The imitation's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(["node", "telegram.cjs", str(port)], cwd=npm_folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline().strip() == "ready"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


class Talk:
    """Both ends of one talk: what the customer does in their app, and what their app shows."""

    def __init__(self, server: str, account: ChannelAccount) -> None:
        self.server, self.account = server, account
        person = {"id": 1, "first_name": "Ada", "username": "ada", "is_bot": False}
        chat = {"id": 1, "first_name": "Ada", "type": "private"}
        self.meta = {"botToken": TOKEN, "from": person, "chat": chat, "date": 1}

    def says(self, text: str) -> None:
        self._does("sendMessage", {**self.meta, "text": text})

    def presses(self, token: str) -> None:
        self._does("sendCallback", {**self.meta, "data": token, "message": {"chat": self.meta["chat"]}})

    def sees(self) -> list[Any]:
        shown = httpx.post(f"{self.server}/getUpdates", json={"token": TOKEN, "chatId": 1}).json()
        return [update["message"] for update in shown["result"]]

    def _does(self, what: str, value: dict[str, Any]) -> None:
        """The customer acts; what the server tells the bot is posted to us, as Telegram would with our secret."""
        assert httpx.post(f"{self.server}/{what}", json=value).is_success
        for update in httpx.get(f"{self.server}/bot{TOKEN}/getUpdates").json()["result"]:
            url = f"{settings.PUBLIC_URL}/webhooks/telegram/{self.account.key}"
            headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "content-type": "application/json"}
            assert post(Client(), delivered(url, as_json(update), headers)).status_code == 200


@pytest.fixture
def talk(server: str, monkeypatch: pytest.MonkeyPatch) -> Talk:
    monkeypatch.setattr(queues, "app", Wakes())
    config = Telegram.prepare_config({"token": TOKEN, "secret": SECRET, "api_base_url": server})
    return Talk(server, AccountFactory(channel="telegram", sealed_config=seal(config)))


def test_a_reply_arrives_with_its_buttons_and_the_thumb_comes_back(talk):
    assert Telegram({"token": TOKEN, "api_base_url": talk.server}, "key").check().ok
    talk.says("a rain jacket")
    turn = Turn.objects.get()
    assert turn.events.get().text == "a rain jacket"
    message = OutboundMessage("These keep the rain out.", turn.pk, cards=CARDS[:1])
    Turn.objects.update(status=Turn.Status.ANSWERED)
    outbound = delivery.post(turn.conversation, message, turn)
    delivery.deliver(outbound.pk)
    shown = talk.sees()[0]
    assert shown["text"] == "These keep the rain out."
    up, down = shown["reply_markup"]["inline_keyboard"][0]
    assert (up["text"], down["text"]) == ("👍", "👎")
    talk.presses(down["callback_data"])
    assert [(row.turn, row.kind) for row in Feedback.objects.all()] == [(turn, "down")]
    assert InboundEvent.objects.count() == 2
