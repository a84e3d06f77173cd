"""When somebody is told of a metric: never by chance, not twice, and within a minute of a surge."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.core import mail
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from botcore.channels import http
from botcore.models import Alert, AlertNotice, AlertRule, MetricBucket, Outbound, Turn
from botcore.monitoring import alerts, notices, rollup, rules, watch
from botcore.monitoring.metrics import METRICS
from botcore.monitoring.rules import CALM, Judgement, Reading, following, judged
from catalog.models import Shop
from tests.factories import AccountFactory, ContactFactory, ConversationFactory, ShopFactory, TurnFactory, UserFactory

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
MESSAGES, ERRORS, P95 = METRICS["messages"], METRICS["errors"], METRICS["answer_p95"]


def rule(**given) -> AlertRule:
    return AlertRule(**{"metric": "messages", "threshold": 100.0, "state_since": NOW, **given})


# --- judging, without a database


@pytest.mark.parametrize(("value", "met"), [(100, False), (101, True), (None, None)])
def test_a_threshold_is_passed_and_not_reached(value, met):
    assert judged(rule(), MESSAGES, Reading(value, value or 0)).met is met


def test_what_should_not_fall_is_watched_from_below():
    below = rule(direction="below", threshold=1)
    assert judged(below, MESSAGES, Reading(0, 0)).met is True
    assert judged(below, MESSAGES, Reading(1, 1)).met is False


def test_one_error_in_one_reply_is_not_a_hundred_percent():
    assert judged(rule(metric="errors", threshold=0.1), ERRORS, Reading(1.0, 1)).met is None
    assert judged(rule(metric="errors", threshold=0.1), ERRORS, Reading(1.0, 10)).met is True


def anomaly(metric: str = "messages", **given) -> AlertRule:
    return rule(metric=metric, kind="anomaly", threshold=4.0, **given)


USUAL = [Reading(float(value), value) for value in (20, 22, 19, 24, 21, 18, 23, 20)]


def test_a_surge_is_unusual_and_a_busy_hour_is_not():
    assert judged(anomaly(), MESSAGES, Reading(60, 60), USUAL).met is True
    assert judged(anomaly(), MESSAGES, Reading(33, 33), USUAL).met is False
    assert judged(anomaly(), MESSAGES, Reading(0, 0), USUAL).met is False
    assert judged(anomaly(direction="below"), MESSAGES, Reading(0, 0), USUAL).met is True


def test_one_mad_day_in_the_past_hides_nothing():
    mad = [*USUAL, Reading(900, 900)]
    assert judged(anomaly(), MESSAGES, Reading(60, 60), mad).met is True


def test_days_that_were_all_alike_do_not_make_every_change_unusual():
    still = [Reading(4, 4)] * 14
    assert judged(anomaly(), MESSAGES, Reading(6, 6), still).met is False
    slow = [Reading(800.0, 50)] * 14
    assert judged(anomaly("answer_p95"), P95, Reading(880.0, 50), slow).met is False
    assert judged(anomaly("answer_p95"), P95, Reading(1_500.0, 50), slow).met is True
    fine = [Reading(0.0, 30)] * 14
    assert judged(anomaly("errors"), ERRORS, Reading(1 / 30, 30), fine).met is False
    assert judged(anomaly("errors"), ERRORS, Reading(0.5, 30), fine).met is True


def test_without_a_week_of_days_nothing_is_unusual():
    assert judged(anomaly(), MESSAGES, Reading(10_000, 10_000), USUAL[:6]).met is None
    unread = [*USUAL[:6], *[Reading(None, 0)] * 9]
    assert judged(anomaly("errors"), ERRORS, Reading(1.0, 100), unread).met is None


# --- what follows


def test_a_rule_waits_as_long_as_it_was_told_to_before_it_fires():
    patient = rule(hold_minutes=5)
    assert following(patient, True, None, NOW) == "pending"
    patient.state, patient.state_since = "pending", NOW
    assert following(patient, True, None, NOW + timedelta(minutes=4, seconds=59)) == "pending"
    assert following(patient, True, None, NOW + timedelta(minutes=5)) == "firing"
    assert following(patient, False, None, NOW + timedelta(minutes=4)) == "ok"
    assert following(rule(), True, None, NOW) == "firing"


def test_a_value_on_the_border_is_one_alert():
    firing = rule(state="firing")
    assert following(firing, False, NOW, NOW + CALM - timedelta(seconds=1)) == "firing"
    assert following(firing, False, NOW, NOW + CALM) == "ok"


@given(st.sampled_from(AlertRule.State.values), st.integers(0, 60))
def test_where_nothing_can_be_said_the_state_stays(state, hold):
    assert following(rule(state=state, hold_minutes=hold), None, NOW, NOW + timedelta(days=1)) == state


# --- with rows


@pytest.fixture
def shop(db: None) -> Shop:
    return ShopFactory(name="Pine")


def surge(shop: Shop, size: int, at: datetime, **kept) -> None:
    """So many customers write at once, and are answered."""
    for _ in range(size):
        row = TurnFactory(conversation=ConversationFactory(shop=shop), answered_at=at, **kept)
        Turn.objects.filter(pk=row.pk).update(created_at=at)


def kept_rule(shop: Shop, **given) -> AlertRule:
    values = {
        "name": "Surge",
        "metric": "messages",
        "threshold": 10,
        "window_minutes": 5,
        "mail_to": "ann@pine.example",
    }
    return AlertRule.objects.create(shop=shop, **{**values, **given})


def states(*kept: AlertRule) -> list[str]:
    return [AlertRule.objects.get(pk=row.pk).state for row in kept]


def test_a_surge_is_told_within_two_looks_and_once(shop, settings):
    settings.MAIL_FROM = "alerts@pine.example"
    begun = timezone.now()
    kept_rule(shop)
    kept_rule(ShopFactory())
    watch.look(begun)
    surge(shop, 11, begun + timedelta(seconds=1))
    for look in range(1, 4):
        watch.look(begun + timedelta(seconds=20 * look))
    assert settings.METRICS_SECONDS * 2 < 60
    (alert,) = Alert.objects.all()
    assert (alert.shop, alert.sentence) == (
        shop, "Surge: Messages from customers: 11 in the last 5 minutes; the limit is above 10",
    )  # fmt: skip
    (letter,) = mail.outbox
    assert (letter.to, letter.from_email) == (["ann@pine.example"], "alerts@pine.example")
    assert letter.subject == f"[Pine] {alert.sentence}"


def test_when_it_is_over_those_who_were_told_hear_of_it(shop, settings):
    settings.MAIL_FROM = "alerts@pine.example"
    kept, now = kept_rule(shop), timezone.now()
    surge(shop, 11, now)
    watch.look(now)
    watch.look(now + timedelta(minutes=30))
    assert states(kept) == ["ok"]
    assert Alert.objects.get().closed_at == now + timedelta(minutes=30)
    assert [letter.subject.startswith("[Pine] Over: Surge") for letter in mail.outbox] == [False, True]


def test_a_silenced_subject_opens_its_alert_and_tells_nobody_until_the_silence_ends(shop, settings):
    settings.MAIL_FROM = "alerts@pine.example"
    kept, now = kept_rule(shop), timezone.now()
    alerts.silence(shop, kept.subject, now + timedelta(minutes=2), UserFactory())
    surge(shop, 11, now)
    watch.look(now)
    assert (states(kept), Alert.objects.count(), mail.outbox) == (["firing"], 1, [])
    watch.look(now + timedelta(minutes=2, seconds=1))
    assert len(mail.outbox) == 1


def test_a_rule_of_one_channel_does_not_hear_the_others(shop):
    surge(shop, 11, timezone.now())
    elsewhere, here = kept_rule(shop, channel="telegram"), kept_rule(shop, channel="webchat")
    watch.look(timezone.now())
    assert states(elsewhere, here) == ["ok", "firing"]


def test_an_unusual_hour_is_found_in_the_shop_s_own_past(shop):
    now = timezone.now()
    for day in range(1, 10):
        MetricBucket.objects.create(
            shop=shop, width=60, start=(now - timedelta(days=day)).replace(second=0, microsecond=0), channel="webchat",
            version="shipped", counts={"messages": 2},
        )  # fmt: skip
    usual = kept_rule(shop, kind="anomaly", threshold=4)
    assert rules.look_now(usual, now) == Judgement(False, 0, pytest.approx(-2 / 2**0.5), 2)
    surge(shop, 15, now)
    rollup.roll(shop, now + timedelta(seconds=1))
    rules.watch(shop, now + timedelta(seconds=1))
    assert states(usual) == ["firing"]
    assert Alert.objects.get().sentence.endswith("15 in the last 5 minutes; at this hour it usually is 2")


def test_customers_who_wait_now_raise_an_alert_whatever_was_counted(shop):
    kept = kept_rule(shop, metric="waiting", threshold=2)
    for _ in range(3):
        TurnFactory(conversation=ConversationFactory(shop=shop), waiting=True)
    rules.watch(shop, timezone.now())
    assert states(kept) == ["firing"]
    assert Alert.objects.get().sentence == "Surge: Messages waiting now: 3; the limit is above 2"


def test_a_rule_that_is_switched_off_says_nothing_and_closes_what_it_opened(shop):
    kept, now = kept_rule(shop), timezone.now()
    surge(shop, 11, now)
    watch.look(now)
    rules.stop(kept, now)
    AlertRule.objects.update(active=False)
    watch.look(now + timedelta(seconds=20))
    assert Alert.objects.get().closed_at == now
    assert not AlertNotice.objects.filter(event="resolved").exists()


def test_a_shop_in_which_something_breaks_keeps_no_other_from_being_watched(shop, monkeypatch):
    broken, kept = ShopFactory(slug="aaa"), kept_rule(shop)
    Shop.objects.filter(pk=shop.pk).update(name="Last")
    genuine = rollup.roll
    monkeypatch.setattr(rollup, "roll", lambda shop, now: 1 / 0 if shop.pk == broken.pk else genuine(shop, now))
    surge(shop, 11, timezone.now())
    watch.look(timezone.now())
    assert states(kept) == ["firing"]


# --- by which way


PUBLIC = "93.184.216.34"


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What reaches hooks.example, which lies at a public address."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204)

    monkeypatch.setattr(http, "client", lambda: httpx.Client(transport=httpx.MockTransport(answer)))
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 443))]
    )
    return requests


def fired(shop: Shop, **given) -> AlertRule:
    kept = kept_rule(shop, mail_to="", **given)
    surge(shop, 11, timezone.now())
    rollup.roll(shop, timezone.now())
    rules.watch(shop, timezone.now())
    return kept


def test_a_webhook_is_signed_and_says_what_was_found(shop, called):
    kept = fired(shop, webhook_url="https://hooks.example/daogou", sealed_secret=notices.new_secret())
    notices.send_due(timezone.now())
    notices.send_due(timezone.now())
    (request,) = called
    assert (request.url.host, request.headers["Host"]) == (PUBLIC, "hooks.example")
    told = Webhook(notices.secret_of(kept)).verify(request.content.decode(), dict(request.headers))
    assert told["type"] == "alert.opened"
    assert told["data"]["measured"]["value"] == 11
    assert json.loads(request.content)["data"]["shop"] == shop.slug


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "http://localhost/x", "https://10.1.2.3/x", "http://hooks.example/x"]
)
def test_no_webhook_is_called_in_our_own_network_or_without_tls(shop, called, url):
    fired(shop, webhook_url=url, sealed_secret=notices.new_secret())
    notices.send_due(timezone.now())
    notice = AlertNotice.objects.get()
    assert (called, notice.sent_at, notice.attempts) == ([], None, 1)
    assert notice.error.startswith("webhook: the address")


def test_a_message_reaches_a_contact_through_the_shop_s_own_channel(shop, wakes):
    contact = ContactFactory(account=AccountFactory(shop=shop, channel="telegram"))
    fired(shop, contact=contact)
    notices.send_due(timezone.now())
    (message,) = Outbound.objects.all()
    assert message.conversation.contact == contact
    assert message.content["text"].startswith("Surge: Messages from customers: 11")


def test_another_shop_s_contact_is_never_written_to(shop, wakes):
    fired(shop, contact=ContactFactory())
    notices.send_due(timezone.now())
    assert Outbound.objects.count() == 0
    assert "of this shop" in AlertNotice.objects.get().error


def test_what_does_not_arrive_is_tried_again_and_then_given_up(shop, settings):
    settings.MAIL_FROM = ""
    kept_rule(shop)
    surge(shop, 11, timezone.now())
    now = timezone.now()
    watch.look(now)
    for _ in range(9):
        now += timedelta(minutes=20)
        notices.send_due(now)
    notice = AlertNotice.objects.get()
    assert (notice.attempts, notice.due_at, notice.sent_at) == (5, None, None)
    assert "MAIL_URL" in notice.error


def test_a_test_tells_by_every_way_what_went_wrong(shop, called, settings):
    settings.MAIL_FROM = ""
    kept = kept_rule(shop, webhook_url="https://hooks.example/x", sealed_secret=notices.new_secret())
    assert notices.test(kept) == {
        "mail": "no mail server is set up: set MAIL_URL and MAIL_FROM", "webhook": "",
    }  # fmt: skip
    assert json.loads(called[0].content)["text"].startswith("Test of the alert rule “Surge”")
    assert not Alert.objects.exists()
