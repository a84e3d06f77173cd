"""The overview and the alert rules in a real browser: drawn, wide and narrow, in both languages, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from botcore.models import Alert, AlertRule
from botcore.monitoring import rollup
from catalog.models import Shop
from tests.browser import IN_A_BROWSER, anything_but, windows_of
from tests.factories import AccountFactory, ConversationFactory, ShopFactory, TurnFactory, UserFactory

pytestmark = IN_A_BROWSER


@pytest.fixture
def shop(database_calls_allowed: None, transactional_db: None) -> Shop:
    shop = ShopFactory(slug="pine", name="Pine")
    UserFactory(username="ann", shops=[shop])
    now = timezone.now()
    for place, channel in enumerate(("webchat", "telegram", "whatsapp")):
        talk = ConversationFactory(shop=shop, contact__account=AccountFactory(shop=shop, channel=channel))
        TurnFactory(conversation=talk, answered_at=now - timedelta(minutes=place))
    rule = AlertRule.objects.create(shop=shop, name="Errors of every channel", metric="errors", threshold=0.05)
    Alert.objects.create(shop=shop, rule=rule, subject=rule.subject, sentence="Errors: 9 %")
    rollup.roll(shop, now + timedelta(seconds=1))
    return shop


@pytest.fixture
def chromium(shop: Shop, web_process: str) -> Iterator[Any]:
    """Opens a window of a language and width in which ann is logged in; any breach of the policy fails the test."""
    with windows_of(web_process, anything_but()) as windows:
        yield partial(windows.logged_in, "ann")


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-CN", 820), ("en", 390), ("zh-CN", 390)])
def test_no_page_is_wider_than_its_window(chromium, shop, language, width):
    page = chromium(language, width)
    rule = AlertRule.objects.get()
    for address in (
        reverse("console:overview") + "?split=channel&period=1h",
        reverse("console:behind") + "?metric=replies",
        reverse("console:alerts"),
        reverse("console:alert_rules"),
        reverse("console:new_alert_rule"),
        reverse("console:alert_rule", args=[rule.pk]),
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_chart_is_drawn_from_its_table_and_follows_the_window(chromium):
    page = chromium()
    page.goto(reverse("console:overview") + "?split=channel&period=1h")
    canvas = page.locator(".plot canvas")
    canvas.wait_for()
    labels = page.locator(".u-legend .u-label").all_inner_texts()
    assert labels[1:] == page.locator("[data-chart] thead th").all_text_contents()[1:]
    assert len(labels) == 4
    page.set_viewport_size({"width": 820, "height": 900})
    plot = page.locator(".plot")
    expect(plot).to_have_js_property("scrollWidth", plot.evaluate("plot => plot.clientWidth"))


def test_without_scripts_the_table_is_all_there_is(chromium):
    page = chromium(java_script_enabled=False)
    page.goto(reverse("console:overview"))
    page.get_by_text("As a table").click()
    assert page.locator("[data-chart] tbody tr").first.is_visible()


def test_a_number_leads_by_keyboard_to_its_chart_and_to_the_replies_behind_it(chromium):
    page = chromium()
    page.goto(reverse("console:overview"))
    page.get_by_role("link", name="Handed to a person").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Handed to a person").wait_for()
    page.get_by_role("link", name="The replies behind it").focus()
    page.keyboard.press("Enter")
    page.get_by_text("No reply is behind this number").wait_for()


def test_a_rule_is_written_and_found_in_the_list(chromium, shop):
    page = chromium()
    page.goto(reverse("console:new_alert_rule"))
    page.get_by_label("Name").fill("Slow replies")
    page.get_by_label("Metric").select_option("answer_p95")
    page.get_by_label("Limit").fill("4000")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The rule is watched from now on.").wait_for()
    page.get_by_role("link", name="Alert rules").click()
    page.get_by_text("Answer time, 95th percentile above 4.00 s in the last 5 minutes").wait_for()


def test_an_alert_is_silenced(chromium, shop):
    page = chromium()
    page.goto(reverse("console:alerts"))
    page.get_by_label("For how long").select_option("8")
    page.get_by_role("button", name="Silence").click()
    page.get_by_text("Nobody is told of it for that long.").wait_for()
    assert page.get_by_text("silenced").count() == 1
