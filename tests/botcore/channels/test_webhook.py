"""What the webhook address answers, and that it stores nothing it does not answer with 200."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from botcore import intake
from botcore.models import Contact, InboundEvent, Turn
from tests.botcore.channels.conftest import SECRET, TOKEN, Webhook, update
from tests.botcore.channels.web_server import serving

pytestmark = pytest.mark.django_db


def nothing_stored() -> bool:
    return not (InboundEvent.objects.exists() or Contact.objects.exists() or Turn.objects.exists())


def test_a_message_is_stored_with_its_turn_and_wakes_a_worker(webhook, woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert webhook.post(update(text="a green jacket")).status_code == 200
    event = InboundEvent.objects.get()
    assert (event.text, event.contact.external_id, event.contact.name) == ("a green jacket", "4711", "Ada Byron")
    assert woken == [event.turn_id]


def test_an_unknown_account_is_404_whatever_else_is_wrong(webhook):
    webhook.url = "/webhooks/telegram/nobody"
    assert webhook.post(update()).status_code == 404
    assert webhook.post(b"{" * (settings.WEBHOOK_BODY_LIMIT + 1), secret=None).status_code == 404
    assert nothing_stored()


def test_an_inactive_account_is_404(webhook, telegram):
    telegram.active = False
    telegram.save()
    assert webhook.post(update()).status_code == 404
    assert nothing_stored()


def test_an_account_of_another_channel_is_404(webhook, telegram):
    webhook.url = f"/webhooks/webchat/{telegram.key}"
    assert webhook.post(update()).status_code == 404


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + " ", SECRET.upper(), "é"])
def test_a_wrong_or_missing_secret_is_401(webhook, secret):
    assert webhook.post(update(), secret=secret).status_code == 401
    assert nothing_stored()


def test_an_account_without_a_secret_admits_nobody(webhook, telegram):
    from botcore.security import seal

    telegram.sealed_config = seal({"token": TOKEN})
    telegram.save()
    assert webhook.post(update(), secret="").status_code == 401
    assert webhook.post(update(), secret=None).status_code == 401


def test_a_body_over_the_limit_is_413(webhook):
    assert webhook.post(update(text="x" * settings.WEBHOOK_BODY_LIMIT)).status_code == 413
    assert nothing_stored()


@pytest.mark.django_db(transaction=True)
def test_a_body_over_the_limit_is_413_when_its_length_was_not_announced(webhook, tmp_path):
    def body() -> Iterator[bytes]:
        yield b'{"update_id": 1, "message": {"text": "'
        for _ in range(settings.WEBHOOK_BODY_LIMIT // 10_000):
            yield b"x" * 10_000
        yield b'"}}'

    with serving(tmp_path) as address:
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        assert httpx.post(address + webhook.url, content=body(), headers=headers).status_code == 413
        assert httpx.post(address + webhook.url, json=update(), headers=headers).status_code == 200
    assert InboundEvent.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'{"update_id": "1"}',
        b'{"update_id": true}',
        b'{"update_id": 1, "message": 5}',
        b'{"update_id": 1, "message": {"chat": {"type": "private", "id": 1e5}}}',
        b'{"update_id": 1, "message": {"chat": {"type": "private", "id": 1}, "text": {}}}',
        b'{"update_id": 1, "callback_query": {"id": "1"}}',
        b'{"update_id": 99999999999999999999, "message": {}}',
    ],
)
def test_a_malformed_body_is_400(webhook, body):
    assert webhook.post(body).status_code == 400
    assert nothing_stored()


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head"])
def test_only_post_is_allowed(webhook, method):
    assert getattr(webhook.client, method)(webhook.url).status_code == 405


@pytest.mark.parametrize("text", ["nul \0 inside", "half \ud83d a pair", "🧥" * 3000])
def test_text_the_database_cannot_hold_as_it_is_is_stored_all_the_same(webhook, text):
    assert webhook.post(update(text=text, **{"from": {"id": 1, "first_name": text}})).status_code == 200
    assert InboundEvent.objects.get().turn is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "chat", "from", "text", "data", "message", "caption", "new_reaction"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
UPDATE = st.fixed_dictionaries(
    {"update_id": st.integers() | JSON},
    optional=dict.fromkeys(("message", "callback_query", "message_reaction", "edited_message"), JSON),
)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=UPDATE.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
def test_no_garbage_makes_the_server_fail(webhook, body):
    assert webhook.post(body).status_code in (200, 400)


def test_a_second_delivery_of_an_update_asks_for_no_second_answer(webhook):
    assert [webhook.post(update(7)).status_code for _ in range(3)] == [200, 200, 200]
    assert (InboundEvent.objects.count(), Turn.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_concurrent_deliveries_of_an_update_make_one_turn(telegram, woken):
    def deliver(_: int) -> int:
        try:
            return Webhook(telegram).post(update(8)).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(deliver, range(16))) == {200}
    assert (InboundEvent.objects.count(), Turn.objects.count()) == (1, 1)
    assert woken == [Turn.objects.get().pk]


def test_a_database_that_is_away_is_503_so_that_the_platform_repeats(webhook, monkeypatch):
    def away(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(intake, "accept", away)
    response = webhook.post(update())
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_no_answer_shows_a_secret(webhook):
    answers = [webhook.post(update()), webhook.post(b"{"), webhook.post(update(), secret="wrong")]
    for response in answers:
        assert TOKEN not in response.content.decode()
        assert SECRET not in response.content.decode()
