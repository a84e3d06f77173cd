"""The pages of the API in a real browser: a token is made, copied and tried, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.urls import reverse

from botcore.models import WebhookEndpoint
from botcore.webhooks import endpoints
from tests.browser import IN_A_BROWSER, anything_but, windows_of
from tests.factories import ProductFactory, ShopFactory, UserFactory, WebhookFactory

pytestmark = IN_A_BROWSER


@pytest.fixture
def webhook(database_calls_allowed: None, transactional_db: None) -> WebhookEndpoint:
    shop = ShopFactory(slug="pine", name="Pine")
    UserFactory(username="ann", shops=[shop])
    ProductFactory(shop=shop, sku="JK-1")
    row = WebhookFactory(shop=shop)
    endpoints.try_out(row)
    return row


@pytest.fixture
def chromium(webhook: WebhookEndpoint, web_process: str) -> Iterator[Any]:
    """Opens a window in which ann is logged in; any breach of the policy fails the test."""
    with windows_of(web_process, anything_but("401")) as windows:
        yield partial(windows.logged_in, "ann")


@pytest.mark.parametrize(("language", "width"), [("en", 820), ("zh-CN", 390)])
def test_no_page_is_wider_than_its_window(chromium, webhook, language, width):
    page = chromium(language, width)
    for address in (
        reverse("console:api"),
        reverse("console:webhook", args=[webhook.pk]),
        reverse("console:try_api"),
    ):
        page.goto(address)
        for summary in page.locator("details > summary").all()[:4]:
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_token_is_made_and_tried_by_keyboard(chromium):
    page = chromium()
    page.goto(reverse("console:api"))
    page.get_by_label("Which program will use it").fill("importer")
    page.keyboard.press("Enter")
    token = page.locator("#secret").inner_text()
    page.goto(reverse("console:try_api"))
    page.get_by_label("Token").fill(token)
    listing = page.locator("details", has=page.locator("form[data-method=GET][data-path='/api/v1/products']"))
    listing.locator("summary").focus()
    page.keyboard.press("Enter")
    listing.get_by_label("sku").fill("JK-1")
    page.keyboard.press("Enter")
    listing.get_by_text("200 OK").wait_for()
    assert '"sku": "JK-1"' in listing.locator("pre").inner_text()


def test_an_answer_that_is_an_error_is_shown_as_it_is(chromium):
    page = chromium()
    page.goto(reverse("console:try_api"))
    page.get_by_label("Token").fill("daogou_wrong")
    metrics = page.locator("details", has=page.locator("form[data-path='/api/v1/metrics']"))
    metrics.locator("summary").click()
    metrics.get_by_role("button").click()
    metrics.get_by_text("401 Unauthorized").wait_for()
    assert "urn:daogou:problem:unauthenticated" in metrics.locator("pre").inner_text()
