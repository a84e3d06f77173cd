"""What the benchmark posts is what each channel believes and stores, and it counts what was taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from benchmarks.measures import MESSAGES, acknowledgement, customers_posts, sustained
from benchmarks.platforms import PLATFORMS, Post, pages
from benchmarks.stack import Stack
from botcore import queues
from botcore.channels.connecting import OFFERED
from botcore.models import InboundEvent
from tests.botcore.channels.conftest import database_calls_in_this_thread  # noqa: F401
from tests.botcore.channels.platform import Told, platform_server
from tests.factories import ShopFactory


@pytest.fixture
def api() -> Iterator[str]:
    """The address of what stands for the platforms."""
    with platform_server(Told(200, {})) as server:
        server.pages.update({path: Told(200, page) for path, page in pages(server.address).items()})
        yield server.address


def test_every_channel_of_a_platform_is_measured():
    assert set(PLATFORMS) == set(OFFERED)


@pytest.mark.django_db
@pytest.mark.parametrize("channel", PLATFORMS)
def test_every_request_is_genuine_and_from_another_person(channel, settings, monkeypatch, api):
    monkeypatch.setattr(queues, "wake_reply", lambda turn: None)
    stack: Any = Stack(ShopFactory(), settings.PUBLIC_URL, api, supervisor=None)
    at = stack.connect(channel)
    assert stack.connect(channel).account == at.account
    for post in customers_posts(channel, at, 7, 3):
        headers = {name: value for name, value in post.headers.items() if name not in ("Content-Type", "Cookie")}
        client = Client()
        if "Cookie" in post.headers:
            name, _, value = post.headers["Cookie"].partition("=")
            client.cookies[name] = value
        kind = post.headers["Content-Type"]
        parts = urlsplit(post.url)
        address = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = client.generic("POST", address, post.body, content_type=kind, headers=headers)
        assert answer.status_code in (200, 202), answer.content
    stored = InboundEvent.objects.filter(kind="text").order_by("pk")
    assert [event.text for event in stored] == list(MESSAGES[:3])
    assert len({event.contact_id for event in stored}) == 3


def test_what_is_refused_is_counted_as_failed_and_everything_is_sent_once():
    with platform_server(Told(200, {})) as server:
        server.answers = [Told(401, {}), Told(trouble="reset"), Told(202, {})]
        posts = [Post(f"{server.address}/{number}", {}, b"{}") for number in range(30)]
        full = sustained(posts, 4)
        assert (full.failed, full.at_once, full.per_second > 0) == (2, 4, True)
        assert sorted(int(call.path[1:]) for call in server.calls) == list(range(30))
        server.answers = [Told(503, {})]
        steady = acknowledgement(posts[:10], 200)
        assert (steady.failed, steady.count) == (1, 9)
