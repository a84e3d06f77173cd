"""Connected accounts, and a queue that only remembers whom it woke."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from botcore import queues
from botcore.channels import database_threads
from botcore.channels.webchat.channel import ensure_webchat
from botcore.models import ChannelAccount
from botcore.security import seal
from catalog.models import Shop
from tests.factories import AccountFactory, ShopFactory

TOKEN = "123456789:AAF-this-is-the-bots-token"
SECRET = "the-webhook-secret"


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Turns a worker was woken for; no broker is involved."""
    turns: list[int] = []
    monkeypatch.setattr(queues, "wake_reply", turns.append)
    return turns


@pytest.fixture(autouse=True)
def database_calls_in_this_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the test's transaction can be seen; the tests with a real server have the real threads."""

    async def here(call: Callable[..., Any], *args: Any) -> Any:
        return await sync_to_async(call)(*args)

    monkeypatch.setattr(database_threads, "in_database_thread", here)


@pytest.fixture
def shop(db: None) -> Shop:
    return ShopFactory(slug="lantern", name="Lantern & Loom")


@pytest.fixture
def telegram(shop: Shop) -> ChannelAccount:
    return AccountFactory(shop=shop, channel="telegram", sealed_config=seal({"token": TOKEN, "secret": SECRET}))


@pytest.fixture
def webchat(shop: Shop) -> ChannelAccount:
    return ensure_webchat(shop)


def update(number: int = 1, text: str = "a green jacket", **message: Any) -> dict[str, Any]:
    """A private message as Telegram sends it."""
    person = {"id": 4711, "is_bot": False, "first_name": "Ada", "last_name": "Byron", "language_code": "en"}
    chat = {"id": 4711, "type": "private", "first_name": "Ada"}
    return {
        "update_id": number,
        "message": {"message_id": 10, "date": 1, "from": person, "chat": chat, "text": text, **message},
    }


class Webhook:
    """Posts to one account's address the way Telegram does."""

    def __init__(self, account: ChannelAccount) -> None:
        self.url = f"/webhooks/{account.channel}/{account.key}"
        self.client = Client(raise_request_exception=False)

    def post(self, body: Any, secret: str | None = SECRET) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
        return self.client.post(self.url, raw, content_type="application/json", headers=headers)


@pytest.fixture
def webhook(telegram: ChannelAccount) -> Webhook:
    return Webhook(telegram)
