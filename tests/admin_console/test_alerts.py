"""Alerts and their rules in the console: who sees them, who writes them, and what a form will not take."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from botcore.models import Alert, AlertNotice, AlertRule, AlertSilence
from botcore.monitoring import alerts, notices
from botcore.roles import Role
from catalog.models import Shop
from tests.factories import AccountFactory, ContactFactory, ShopFactory, UserFactory

pytestmark = pytest.mark.django_db
FILLED = {
    "name": "Errors", "metric": "errors", "kind": "threshold", "direction": "above", "threshold": "5",
    "window_minutes": "5", "hold_minutes": "0",
}  # fmt: skip


def by(shop: Shop, role: Role) -> Client:
    browser = Client()
    user = UserFactory(shops=[shop], shops__role=role)
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def written(merchant: Client, shop: Shop, **more: object) -> AlertRule:
    merchant.post(reverse("console:new_alert_rule"), {**FILLED, "shop": shop.slug, **more})
    return AlertRule.objects.get(shop=shop)


def problems(merchant: Client, shop: Shop, **more: object) -> set[str]:
    page = merchant.post(reverse("console:new_alert_rule"), {**FILLED, "shop": shop.slug, **more})
    assert not AlertRule.objects.filter(shop=shop).exists()
    return set(page.context["form"].errors)


# --- rules


def test_a_rule_is_written_and_its_share_is_said_in_percent(merchant, shop):
    rule = written(merchant, shop)
    assert (rule.threshold, rule.active, rule.state) == (0.05, True, "ok")
    page = merchant.get(reverse("console:alert_rule", args=[rule.pk])).content.decode()
    assert 'value="5"' in page
    assert "Errors above 5.0 % in the last 5 minutes" in page


def test_a_rule_is_changed_and_forgets_what_it_had_found(merchant, shop):
    rule = written(merchant, shop)
    AlertRule.objects.update(state="firing")
    alert = alerts.raise_by(rule, {
        "metric": "errors", "value": 0.1, "usual": None, "threshold": 0.05, "kind": "threshold", "direction": "above",
        "window_minutes": 5, "channel": "", "version": "",
    })  # fmt: skip
    merchant.post(reverse("console:alert_rule", args=[rule.pk]), {**FILLED, "threshold": "7"})
    rule.refresh_from_db()
    alert.refresh_from_db()
    assert (rule.threshold, rule.state, alert.closed_at is None) == (pytest.approx(0.07), "ok", False)


def test_a_rule_that_calls_a_webhook_gets_a_secret_that_only_those_who_watch_see(merchant, shop):
    rule = written(merchant, shop, webhook_url="https://hooks.example/x")
    secret = notices.secret_of(rule)
    assert secret.startswith("whsec_")
    address = reverse("console:alert_rule", args=[rule.pk])
    assert secret in merchant.get(address).content.decode()
    assert by(shop, Role.REVIEWER).get(address).status_code == 403
    assert secret not in by(shop, Role.REVIEWER).get(reverse("console:alert_rules")).content.decode()
    assert secret not in rule.sealed_secret
    merchant.post(address, {**FILLED, "webhook_url": "https://hooks.example/y"})
    rule.refresh_from_db()
    assert notices.secret_of(rule) == secret


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example", "https://10.0.0.1/", "https://localhost/", "https://a:b@c.example", "javascript:x", "x"],
)
def test_no_webhook_leads_into_our_own_network(merchant, shop, url):
    assert problems(merchant, shop, webhook_url=url) == {"webhook_url"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("metric", "nonsense"), ("threshold", ""), ("threshold", "many"), ("window_minutes", "0"),
        ("window_minutes", "1441"), ("hold_minutes", "-1"), ("channel", "pigeon"), ("name", ""), ("kind", "x"),
    ],
)  # fmt: skip
def test_what_a_rule_cannot_be_is_said_beside_its_field(merchant, shop, field, value):
    assert problems(merchant, shop, **{field: value}) == {field}


def test_what_is_read_at_this_moment_is_never_unusual(merchant, shop):
    assert problems(merchant, shop, metric="waiting", kind="anomaly") == {"metric"}
    assert written(merchant, shop, metric="waiting").metric == "waiting"


def test_mail_is_refused_where_none_can_be_sent_and_addresses_are_checked(merchant, shop, settings):
    settings.MAIL_FROM = ""
    assert problems(merchant, shop, mail_to="ann@pine.example") == {"mail_to"}
    settings.MAIL_FROM = "alerts@pine.example"
    assert problems(merchant, shop, mail_to="ann@pine.example, nobody") == {"mail_to"}
    assert written(merchant, shop, mail_to="ann@pine.example  bob@pine.example").mail_to == (
        "ann@pine.example, bob@pine.example"
    )


def test_only_somebody_who_wrote_to_this_shop_is_written_to(merchant, shop):
    AccountFactory(shop=shop, channel="telegram")
    ContactFactory(account__channel="telegram", external_id="4711")
    assert problems(merchant, shop, chat="telegram 4711") == {"chat"}
    ours = ContactFactory(account=AccountFactory(shop=shop, channel="telegram"), external_id="4711")
    assert written(merchant, shop, chat="telegram 4711").contact == ours


def test_a_test_says_what_arrived(merchant, shop, settings):
    settings.MAIL_FROM = "alerts@pine.example"
    rule = written(merchant, shop, mail_to="ann@pine.example")
    page = merchant.post(reverse("console:test_alert_rule", args=[rule.pk]), follow=True).content.decode()
    assert "Mail: the test is sent." in page
    assert "Test of the alert rule" in mail.outbox[0].subject


def test_rules_are_switched_and_deleted_and_their_alerts_stay(merchant, shop):
    rule = written(merchant, shop)
    Alert.objects.create(shop=shop, rule=rule, subject=rule.subject, sentence="Errors: 9 %")
    merchant.post(reverse("console:switch_alert_rule", args=[rule.pk]), {"active": "off"})
    rule.refresh_from_db()
    assert not rule.active
    merchant.post(reverse("console:delete_alert_rule", args=[rule.pk]))
    assert not AlertRule.objects.exists()
    alert = Alert.objects.get()
    assert (alert.rule, alert.closed_at is None) == (None, False)


def test_a_reviewer_reads_rules_and_writes_none(shop):
    reviewer, rule = (
        by(shop, Role.REVIEWER),
        AlertRule.objects.create(shop=shop, name="R", metric="errors", threshold=1),
    )
    assert reviewer.get(reverse("console:alert_rules")).status_code == 200
    for address in ("alert_rule", "switch_alert_rule", "test_alert_rule", "delete_alert_rule"):
        assert reviewer.post(reverse(f"console:{address}", args=[rule.pk])).status_code == 403
    assert reviewer.post(reverse("console:new_alert_rule"), FILLED).status_code == 403
    assert reviewer.post(reverse("console:silence_alert"), {"shop": shop.slug}).status_code == 403


def test_another_shop_s_rules_do_not_exist(merchant):
    rule = AlertRule.objects.create(shop=ShopFactory(), name="R", metric="errors", threshold=1)
    for address in ("alert_rule", "switch_alert_rule", "test_alert_rule", "delete_alert_rule"):
        assert merchant.post(reverse(f"console:{address}", args=[rule.pk]), FILLED).status_code == 404
    rule.refresh_from_db()
    assert (rule.active, rule.metric) == (True, "errors")


# --- alerts


def counted(page) -> str:
    return page.content.decode().split('id="to-alerts"')[1].split("</a>")[0]


def test_open_alerts_are_counted_in_the_menu_until_they_are_silenced(merchant, shop):
    Alert.objects.create(shop=shop, subject="drift: intents", sentence="Intents changed.")
    Alert.objects.create(shop=shop, subject="drift: prices", sentence="Prices changed.", closed_at=timezone.now())
    Alert.objects.create(shop=ShopFactory(), subject="drift: intents", sentence="Elsewhere.")
    page = merchant.get(reverse("console:alerts"))
    assert ">1<" in counted(page)
    assert "Elsewhere." not in page.content.decode()
    assert [row.sentence for row in page.context["closed"]] == ["Prices changed."]
    merchant.post(reverse("console:silence_alert"), {"shop": shop.slug, "subject": "drift: intents", "hours": 8})
    assert ">1<" not in counted(merchant.get(reverse("console:alerts")))
    assert AlertSilence.objects.get().until > timezone.now() + timedelta(hours=7)
    merchant.post(reverse("console:silence_alert"), {"shop": shop.slug, "subject": "drift: intents", "hours": 0})
    assert ">1<" in counted(merchant.get(reverse("console:alerts")))


@pytest.mark.parametrize("hours", ["", "5", "9999", "-1", "x"])
def test_a_silence_is_as_long_as_one_of_those_offered(merchant, shop, hours):
    merchant.post(reverse("console:silence_alert"), {"shop": shop.slug, "subject": "drift: intents", "hours": hours})
    assert not AlertSilence.objects.exists()


def test_who_was_told_is_shown_with_what_went_wrong(merchant, shop):
    rule = AlertRule.objects.create(shop=shop, name="R", metric="errors", threshold=1, mail_to="a@b.example")
    alert = Alert.objects.create(shop=shop, rule=rule, subject=rule.subject, sentence="Errors: 9 %")
    AlertNotice.objects.create(alert=alert, event="opened", route="mail", due_at=None, error="mail: TimeoutError")
    page = merchant.get(reverse("console:alerts")).content.decode()
    assert "given up" in page
    assert "mail: TimeoutError" in page


def test_a_long_history_costs_no_more_queries(merchant, shop, django_assert_max_num_queries):
    for place in range(60):
        Alert.objects.create(shop=shop, subject=f"drift: {place}", sentence="Changed.", closed_at=timezone.now())
        Alert.objects.create(shop=shop, subject=f"stream: {place}", sentence="Changed.")
    with django_assert_max_num_queries(22):
        page = merchant.get(reverse("console:alerts"))
    assert page.context["page"].paginator.num_pages == 3
