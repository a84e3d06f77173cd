"""What a shop's systems are told: stored with what it tells of, signed, tried again, given up in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from botcore import feedback, handoff, queues
from botcore.channels.values import OutboundMessage
from botcore.delivery import deliver as deliver_message
from botcore.delivery import post
from botcore.learning import runs, versions
from botcore.models import TrainingRun, WebhookDelivery, WebhookEndpoint
from botcore.monitoring import alerts
from botcore.monitoring.drift import Drift
from botcore.webhooks import endpoints, outbox, sending
from botcore.webhooks.events import DESCRIBED, OFFERED, Event
from tests.botcore.channels.platform import PlatformServer, Told, platform_server
from tests.factories import (
    WEBHOOK_SECRET,
    ConversationFactory,
    DatasetFactory,
    ModelVersionFactory,
    ShopFactory,
    TurnFactory,
    WebhookFactory,
    measured,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The deliveries that a worker was woken for."""
    rows: list[int] = []
    monkeypatch.setattr(queues, "wake_webhook", rows.append)
    return rows


@pytest.fixture
def receiver() -> Iterator[PlatformServer]:
    """The shop's own system, on this machine."""
    with platform_server(Told(204, b"")) as server:
        yield server


@pytest.fixture
def endpoint(receiver: PlatformServer) -> WebhookEndpoint:
    return WebhookFactory(url=f"{receiver.address}/hook", allow_private=True)


def told(endpoint: WebhookEndpoint) -> list[tuple[str, dict[str, Any]]]:
    return [(row.event, row.data) for row in endpoint.deliveries.order_by("pk")]


def tell(endpoint: WebhookEndpoint, event: Event = Event.ALERT_OPENED) -> WebhookDelivery:
    return outbox.queue(endpoint, event, dict(DESCRIBED[event].example))


# --- what is told -----------------------------------------------------------------------------------------------------


def test_a_reply_that_was_sent():
    turn = TurnFactory()
    talk = turn.conversation
    hook = WebhookFactory(shop=talk.shop)
    outbound = post(talk, OutboundMessage(text=turn.reply, turn=turn.pk, language="en"), turn=turn)
    deliver_message(outbound.pk)
    said = {"conversation": str(talk.key), "turn": turn.pk, "act": "recommend", "written_by": "model"}
    assert told(hook) == [("reply.sent", {**said, "channel": "webchat"})]


def test_a_conversation_that_a_person_took_over_once():
    talk = ConversationFactory()
    hook = WebhookFactory(shop=talk.shop)
    handoff.take_over(talk)
    handoff.take_over(talk)
    assert told(hook) == [("handoff.opened", {"conversation": str(talk.key), "by": "person"})]


def test_an_opinion():
    turn = TurnFactory()
    hook = WebhookFactory(shop=turn.conversation.shop)
    row = feedback.opinion(turn, turn.conversation.contact, "down", "button")
    ((event, data),) = told(hook)
    assert event == "feedback.given"
    assert data == {
        "feedback": row.pk, "conversation": str(turn.conversation.key), "turn": turn.pk, "kind": "down", "source": "button",
    }  # fmt: skip


def test_an_alert_once_while_it_lasts(monkeypatch):
    hook = WebhookFactory()
    drift = Drift("intents", "PSI", 0.4, 0.25, timezone.now(), "What customers ask for has changed.")
    monkeypatch.setattr(alerts, "drifts", lambda shop, now: [drift])
    (alert,) = alerts.watch_drift(hook.shop, timezone.now())
    alerts.watch_drift(hook.shop, timezone.now())
    assert told(hook) == [("alert.opened", {"alert": alert.pk, "subject": "drift: intents"})]


def test_the_end_of_a_run():
    hook = WebhookFactory()
    snapshot = DatasetFactory(shop=hook.shop)
    done, stopped = (
        TrainingRun.objects.create(shop=hook.shop, dataset=snapshot, recipe="sft", status="running") for _ in range(2)
    )
    version = ModelVersionFactory(shop=hook.shop, run=done)
    runs.finish(done)
    runs.stop(stopped)
    runs.finish(stopped)
    assert told(hook) == [
        ("run.finished", {"run": done.pk, "recipe": "sft", "status": "done", "version": version.pk}),
        ("run.finished", {"run": stopped.pk, "recipe": "sft", "status": "stopped", "version": None}),
    ]


def test_another_model():
    hook = WebhookFactory()
    first, second = (ModelVersionFactory(shop=hook.shop, name=name) for name in ("pine-1", "pine-2"))
    versions.move(first, "live")
    versions.move(measured(second), "live")
    versions.rollback(hook.shop)
    assert [(data["name"], data["before"]) for _, data in told(hook)] == [
        ("pine-1", "candidate"), ("pine-2", "candidate"), ("pine-1", "retired"),
    ]  # fmt: skip


def test_another_model_of_one_department():
    hook = WebhookFactory()
    versions.move(ModelVersionFactory(shop=hook.shop, name="pine-3", department="books"), "live")
    ((_, data),) = told(hook)
    assert (data["name"], data["department"]) == ("pine-3", "books")


def test_only_who_asked_for_it_is_told_and_no_other_shop():
    hook = WebhookFactory(events=["alert.opened"])
    other = WebhookFactory(events=["reply.sent"], shop=hook.shop)
    off = WebhookFactory(shop=hook.shop, active=False)
    theirs = WebhookFactory()
    outbox.announce(hook.shop_id, Event.ALERT_OPENED, {"alert": 1})
    assert [len(told(row)) for row in (hook, other, off, theirs)] == [1, 0, 0, 0]


def test_what_did_not_happen_is_not_told(django_capture_on_commit_callbacks, woken):
    hook = WebhookFactory()
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        outbox.announce(hook.shop_id, Event.ALERT_OPENED, {"alert": 1})
        raise RuntimeError
    assert told(hook) == [] and woken == []


def test_every_event_is_described():
    assert set(DESCRIBED) == set(Event)
    assert Event.TEST not in OFFERED


# --- how it is told ---------------------------------------------------------------------------------------------------


def test_an_event_arrives_signed_as_the_standard_says(endpoint, receiver):
    delivery = tell(endpoint)
    sending.deliver(delivery.pk)
    (call,) = receiver.calls
    read = Webhook(WEBHOOK_SECRET).verify(call.body, dict(call.headers))
    assert read["type"] == "alert.opened"
    assert read["data"] == {"alert": 7, "subject": "drift: intents"}
    assert call.headers["webhook-id"] == str(delivery.message_id)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.answered, delivery.attempts) == ("sent", 204, 1)


def test_a_second_worker_sends_nothing(endpoint, receiver):
    delivery = tell(endpoint)
    sending.deliver(delivery.pk)
    sending.deliver(delivery.pk)
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    "answer", [Told(500), Told(302, headers={"Location": "https://elsewhere.example/"}), Told(404)]
)
def test_what_did_not_arrive_is_tried_again_later_with_the_same_id_and_body(endpoint, receiver, answer):
    receiver.answers = [answer]
    delivery = tell(endpoint)
    sending.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.error) == ("pending", f"answered {answer.status}")
    assert delivery.next_attempt_at > timezone.now()
    sending.deliver(delivery.pk)
    assert len(receiver.calls) == 1
    WebhookDelivery.objects.update(next_attempt_at=timezone.now())
    sending.deliver(delivery.pk)
    first, second = receiver.calls
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since) == (0, None)


def test_the_waits_grow_and_then_it_is_given_up(endpoint, receiver):
    receiver.success = Told(500)
    delivery = tell(endpoint)
    waits = []
    for _ in sending.WAITS_SECONDS:
        sending.deliver(delivery.pk)
        delivery.refresh_from_db()
        waits.append((delivery.next_attempt_at - timezone.now()).total_seconds())
        WebhookDelivery.objects.update(next_attempt_at=timezone.now())
    assert waits == sorted(waits) and waits[-1] > 3600
    sending.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("failed", len(sending.WAITS_SECONDS) + 1)


def test_an_endpoint_that_is_gone_is_switched_off_at_once(endpoint, receiver):
    receiver.answers = [Told(410)]
    delivery = tell(endpoint)
    sending.deliver(delivery.pk)
    endpoint.refresh_from_db()
    delivery.refresh_from_db()
    assert (endpoint.active, endpoint.switched_off_for, delivery.status) == (False, "it answered 410", "failed")


def test_an_endpoint_that_failed_for_a_day_is_switched_off_and_what_waits_for_it_is_given_up(endpoint, receiver):
    receiver.success = Told(500)
    WebhookEndpoint.objects.update(failures=20, failing_since=timezone.now() - timedelta(hours=23))
    first, second = tell(endpoint), tell(endpoint)
    sending.deliver(first.pk)
    endpoint.refresh_from_db()
    assert endpoint.active
    WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(hours=25))
    sending.deliver(second.pk)
    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.switched_off_for) == (False, "nothing has arrived for a day")
    WebhookDelivery.objects.update(next_attempt_at=timezone.now())
    sending.deliver(first.pk)
    first.refresh_from_db()
    assert (first.status, first.error) == ("failed", "the endpoint is switched off")
    assert len(receiver.calls) == 2


def test_what_was_given_up_can_be_sent_again(endpoint, receiver, django_capture_on_commit_callbacks, woken):
    delivery = tell(endpoint)
    WebhookDelivery.objects.update(status="failed", attempts=10, next_attempt_at=timezone.now() + timedelta(days=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert sending.resend(delivery)
    assert woken == [delivery.pk]
    assert not sending.resend(delivery)
    sending.deliver(delivery.pk)
    assert len(receiver.calls) == 1


def test_a_lost_wake_up_is_found_by_the_sweeper(endpoint, woken, monkeypatch):
    monkeypatch.setattr(queues, "backlog", lambda queue: 0)
    delivery = tell(endpoint)
    assert sending.sweep() == 0
    WebhookDelivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=1))
    assert sending.sweep() == 1 and woken == [delivery.pk]
    WebhookDelivery.objects.update(leased_until=timezone.now() + timedelta(minutes=1))
    assert sending.sweep() == 0


def test_what_was_told_long_ago_is_forgotten_and_what_waits_is_not(endpoint):
    old, waiting = tell(endpoint), tell(endpoint)
    WebhookDelivery.objects.filter(pk=old.pk).update(status="sent")
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert sending.forget(timezone.now()) == 1
    assert list(endpoint.deliveries.all()) == [waiting]


# --- addresses and secrets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://169.254.169.254/latest",
        "https://10.0.0.8/hook",
        "https://ann:secret@shop.example/hook",
        "http://localhost/hook",
        "ftp://shop.example/hook",
        "nothing",
        f"https://shop.example/{'x' * 500}",
    ],
)
def test_an_address_that_we_must_not_call_is_refused(url):
    with pytest.raises(endpoints.RefusedError) as refused:
        endpoints.make(ShopFactory(), url, ["reply.sent"])
    assert refused.value.field == "url"


def test_a_name_that_leads_into_our_own_network_is_not_called(receiver, monkeypatch):
    monkeypatch.setattr("botcore.web_files.addresses_of", lambda host, port: ["127.0.0.1"])
    hook = WebhookFactory(url=f"https://shop.example:{receiver.address.rpartition(':')[2]}/hook")
    delivery = tell(hook)
    sending.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.status, delivery.answered) == ("pending", None)
    assert "not public" in delivery.error
    assert receiver.calls == []


def test_events_that_there_are_not_are_refused():
    for events in ([], ["order.placed"], ["test"]):
        with pytest.raises(endpoints.RefusedError, match="one or more of"):
            endpoints.make(ShopFactory(), "https://shop.example/hook", events)


def test_a_shop_has_so_many_webhooks_and_no_more():
    shop = ShopFactory()
    WebhookFactory.create_batch(endpoints.AT_MOST, shop=shop)
    with pytest.raises(endpoints.TooManyError):
        endpoints.make(shop, "https://shop.example/hook", ["reply.sent"])


def test_for_a_day_both_secrets_open_what_is_signed(endpoint, receiver):
    fresh = endpoints.rotate(endpoint)
    sending.deliver(tell(endpoint).pk)
    (call,) = receiver.calls
    for secret in (WEBHOOK_SECRET, fresh):
        assert Webhook(secret).verify(call.body, dict(call.headers))["type"] == "alert.opened"
    endpoint.refresh_from_db()
    assert endpoints.secrets_of(endpoint, timezone.now() + timedelta(hours=25)) == [fresh]
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(call.body, dict(call.headers))


def test_a_secret_is_stored_sealed():
    endpoint, secret = endpoints.make(ShopFactory(), "https://shop.example/hook", ["reply.sent"])
    assert secret not in json.dumps(WebhookEndpoint.objects.values_list("url", "sealed_secrets").get(pk=endpoint.pk))
    assert endpoints.secrets_of(endpoint, timezone.now()) == [secret]


def test_with_another_key_of_the_installation_nothing_is_sent_and_it_is_said(endpoint, receiver, settings):
    delivery = tell(endpoint)
    settings.SECRET_KEY = "another"
    sending.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.status == "pending" and "SECRET_KEY" in delivery.error
    assert receiver.calls == []
