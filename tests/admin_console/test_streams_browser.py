"""The pages of streams in a real browser: on a desk, a tablet and a phone, in both languages, and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from botcore.models import Alert, TextStream
from tests.admin_console.test_streams import open_surge
from tests.browser import IN_A_BROWSER, anything_but, windows_of
from tests.factories import SentenceFactory, ShopFactory, TopicFactory, UserFactory

pytestmark = IN_A_BROWSER


@pytest.fixture
def alert(database_calls_allowed: None, transactional_db: None) -> Alert:
    shop = ShopFactory(slug="pine", name="Pine")
    UserFactory(username="ann", shops=[shop])
    return open_surge(shop, 6)


@pytest.fixture
def stream(alert: Alert) -> TextStream:
    """A feed of three weeks with words of every length."""
    feed = TextStream.objects.create(shop=alert.shop, name="Posts")
    topics = TopicFactory.create_batch(2, stream=feed)
    for number in range(40):
        SentenceFactory(
            item__stream=feed,
            item__at=timezone.now() - timedelta(hours=9 * number),
            item__text=f"The battery {'x' * 8 * number} died.",
            item__sentiment=("negative", "neutral", "positive")[number % 3],
            topic=topics[number // 20],
        )
    return feed


@pytest.fixture
def chromium(stream: TextStream, web_process: str) -> Iterator[Any]:
    """Opens a window of a language and width in which ann is logged in; any breach of the policy fails the test."""
    with windows_of(web_process, anything_but()) as windows:
        yield partial(windows.logged_in, "ann")


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-CN", 820), ("en", 390), ("zh-CN", 390)])
def test_no_page_is_wider_than_its_window(chromium, alert, stream, language, width):
    page = chromium(language, width)
    for address in (
        reverse("console:streams"),
        reverse("console:stream", args=[stream.pk]),
        reverse("console:surge", args=[alert.pk]),
        reverse("console:draft_article", args=[alert.pk]),
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.goto(reverse("console:streams"))
    page.fill("#feed-name", "News")
    page.click("form .main >> nth=-1")
    page.locator("code").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page of the token"


def test_a_topic_is_looked_into_by_keyboard_and_the_chart_and_its_table_tell_the_same(chromium, stream):
    page = chromium()
    page.goto(reverse("console:stream", args=[stream.pk]))
    page.locator("#chart canvas").wait_for()
    page.get_by_text("The numbers as a table").focus()
    page.keyboard.press("Enter")
    assert page.locator(".pairs-table tbody tr").count() >= 10
    drawn = page.evaluate("JSON.parse(document.getElementById('chart-data').textContent)")
    told = page.locator(".pairs-table tbody td:nth-child(2)").all_inner_texts()
    assert sum(drawn["negative"]) == sum(map(int, told))

    page.locator("tbody th a", has_text="battery recall").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Sentences on “battery recall”").wait_for()
    assert "topic=" in page.url
    assert page.locator("main [aria-current=true]").inner_text() == "battery recall"


def test_the_chart_follows_the_colours_of_the_reader(chromium, stream):
    page = chromium(color_scheme="dark")
    page.goto(reverse("console:stream", args=[stream.pk]))
    page.locator("#chart canvas").wait_for()
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(200)
    assert page.locator("#chart canvas").count() == 1


def test_a_surge_is_handed_over_by_its_button(chromium, alert):
    page = chromium()
    page.goto(reverse("console:streams"))
    page.get_by_role("link", name="What they say, and what to do").click()
    page.get_by_role("button", name="Hand the conversations to people").click()
    page.get_by_text("6 conversations wait for a person now.").wait_for()
