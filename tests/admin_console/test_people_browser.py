"""Pages of people, the door and first steps in a real browser: on a desk, a tablet and a phone, in both languages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

import pyotp
import pytest
from django.urls import reverse

from botcore.audit import Actor, recorded
from catalog.models import MerchandisingRule, Shop
from tests.browser import IN_A_BROWSER, anything_but, windows_of
from tests.factories import (
    PASSWORD,
    ContactFactory,
    ConversationFactory,
    InvitationFactory,
    MemberFactory,
    ShopFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = IN_A_BROWSER


@pytest.fixture
def shop(database_calls_allowed: None, transactional_db: None) -> Shop:
    """Pine with an owner, a reviewer, an invitation, a customer and something in the log."""
    shop = ShopFactory(slug="pine", name="Pine")
    UserFactory(username="olga", shops=[shop])
    MemberFactory(shop=shop, role="reviewer", user__username="ravi", user__email="ravi.with.a.long.name@example.com")
    InvitationFactory(shop=shop, email="somebody.new@example.com")
    talk = ConversationFactory(shop=shop, contact=ContactFactory(account__shop=shop, name="Ann"))
    TurnFactory(conversation=talk)
    with recorded(lambda: Actor("olga", None, "192.0.2.1", "Firefox")):
        rule = MerchandisingRule.objects.create(shop=shop, name="Rain first", kind="boost")
        rule.active = False
        rule.save()
    return shop


@pytest.fixture
def chromium(shop: Shop, web_process: str) -> Iterator[Any]:
    """Opens a window in which olga is logged in; any breach of the policy fails the test."""
    with windows_of(web_process, anything_but("404")) as windows:
        yield partial(windows.logged_in, "olga")


def _pages(shop: Shop) -> dict[str, str]:
    contact = shop.conversations.get().contact_id
    member = shop.members.get(user__username="ravi").pk
    named = {name: reverse(f"console:{name}") for name in ("home", "people", "invite", "audit", "me", "start")}
    named |= {
        name: reverse(f"console:{name}") for name in ("details", "password", "set_up_code", "confirm", "forgotten")
    }
    named |= {
        "customer": reverse("console:customer", args=[contact]),
        "member": reverse("console:member", args=[member]),
    }
    return named | {"erase": reverse("console:erase_customer", args=[contact])}


@pytest.mark.parametrize(("language", "width"), [("en", 390), ("zh-CN", 820), ("zh-CN", 390), ("en", 1280)])
def test_no_page_is_wider_than_its_window(chromium, shop, language, width):
    page = chromium(language, width, color_scheme="dark" if width == 820 else "light")
    for name, address in _pages(shop).items():
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=f"{folder}/{name}-{language}-{width}.png", full_page=True)


def test_a_second_factor_is_set_up_and_asked_for_by_keyboard(chromium):
    page = chromium()
    page.goto(reverse("console:set_up_code"))
    app = pyotp.TOTP(page.locator("ol.steps code").inner_text().replace(" ", ""))
    page.get_by_label("Code").fill(app.now())
    page.keyboard.press("Enter")
    recovery = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Log out", exact=True).click()
    page.fill("#id_username", "olga")
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Code").fill(recovery)
    page.keyboard.press("Enter")
    page.get_by_text("9 are left").wait_for()


def test_an_invitation_is_made_and_accepted_in_another_browser(chromium, shop):
    page = chromium()
    page.goto(reverse("console:people"))
    page.get_by_role("link", name="Invite somebody").click()
    page.get_by_label("Role").select_option("merchant")
    page.get_by_role("button", name="Make the invitation").click()
    link = page.locator("#link").inner_text()
    page.get_by_role("button", name="Log out", exact=True).click()
    page.goto(link)
    page.get_by_label("User name").fill("mei")
    page.get_by_label("Password").fill("a stable of horses")
    page.get_by_role("button", name="Make a login and join").click()
    page.get_by_text("You are a member of Pine now").wait_for()
    assert shop.members.get(user__username="mei").role == "merchant"
