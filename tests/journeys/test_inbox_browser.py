"""A person answers from the inbox, and the customer reads it on a page that is open all the while. In a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from botcore import answering, handoff
from botcore.channels.webchat.channel import ensure_webchat
from botcore.dialogue.ports import Ports
from botcore.models import ChannelAccount, Conversation, Outbound, Turn
from tests.botcore.channels.web_server import reply_to, waiting_turn
from tests.browser import IN_A_BROWSER, log_in, windows_of
from tests.factories import UserFactory
from tests.fakes import FakeGenerator, HashEncoder
from tests.journeys.small_shop import open_shop
from workers.engine import load_reader

pytestmark = IN_A_BROWSER


@pytest.fixture
def account(database_calls_allowed: None, transactional_db: None) -> ChannelAccount:
    shop = open_shop("lantern")
    UserFactory(username="ann", first_name="Ann", last_name="Lee", shops=[shop])
    return ensure_webchat(shop)


@pytest.fixture
def windows(account: ChannelAccount, web_process: str) -> Iterator[Any]:
    """Opens the customer's page, and the merchant's, who is logged in; any breach of the policy fails the test."""
    with windows_of(web_process) as windows:
        yield windows.open


@pytest.fixture
def ports() -> Ports:
    return Ports(HashEncoder(), load_reader(), FakeGenerator())


def merchant(windows: Any, **options: Any) -> Any:
    page = windows(**options)
    log_in(page, "ann")
    return page


def customer(windows: Any) -> Any:
    page = windows()
    page.goto("/chat/lantern/")
    page.wait_for_selector("#welcome")
    return page


def writes(page: Any, account: ChannelAccount, text: str) -> Turn:
    """The turn of what the customer writes."""
    page.fill("#text", text)
    page.keyboard.press("Enter")
    return waiting_turn(account, text)


def test_a_person_answers_from_the_inbox_and_the_open_page_of_the_customer_shows_it(windows, account, ports):
    shopper = customer(windows)
    answering.answer_turn(writes(shopper, account, "I want to talk to a person").pk, ports)
    shopper.locator(".theirs").wait_for()

    desk = merchant(windows)
    desk.get_by_role("link", name="Inbox 1").click()
    desk.get_by_role("link", name="Visitor").focus()
    desk.keyboard.press("Enter")
    desk.get_by_label("Your answer").fill("Hello, this is Ann.")
    desk.keyboard.press("Control+Enter")
    desk.get_by_text("Your answer is on its way.").wait_for()
    shopper.get_by_text("Hello, this is Ann.").wait_for()

    # The customer writes on while the person is typing.
    field = desk.get_by_label("Your answer")
    field.press_sequentially("Let me se")
    answering.answer_turn(writes(shopper, account, "show me a green jacket").pk, ports)
    desk.locator(".bubble.customer", has_text="show me a green jacket").wait_for()
    desk.get_by_text("I would take the Moss jacket for $89.50.").wait_for()
    assert field.input_value() == "Let me se"
    assert desk.evaluate("document.activeElement.id") == "answer-text"
    assert desk.locator("#news").inner_text() == "The customer has written"
    field.press_sequentially("e. ")
    desk.get_by_role("link", name="Use this text").click()
    assert field.input_value() == "Let me see. I would take the Moss jacket for $89.50."
    field.press("Control+z")
    assert field.input_value() == "Let me see. "

    desk.get_by_role("button", name="Send as it is, with the products").click()
    desk.get_by_text("Your answer is on its way.").wait_for()
    shopper.locator(".card h3", has_text="Moss jacket").wait_for()
    assert field.input_value() == "Let me see. "  # what was typed beside it is still there

    desk.get_by_role("button", name="Hand back to the bot").click()
    desk.get_by_text("The bot answers this conversation again").wait_for()
    answering.answer_turn(writes(shopper, account, "something cheaper?").pk, ports)
    shopper.get_by_text("handed the chat over to me again").wait_for()
    shopper.reload()
    shopper.get_by_text("handed the chat over to me again").wait_for()
    said = [text.replace("\n", " ") for text in shopper.locator(".message .bubble").all_inner_texts()]
    order = [
        next(at for at, text in enumerate(said) if part in text)
        for part in ("talk to a person", "this is Ann", "a green jacket", "I would take", "something cheaper", "handed")
    ]
    assert order == sorted(order)


def watched(windows: Any, account: ChannelAccount) -> tuple[Any, Any]:
    """The windows of a customer whom the bot has answered, and of a merchant who has that conversation open."""
    shopper = customer(windows)
    reply_to(writes(shopper, account, "hello"), "Hi there.")
    watcher = merchant(windows)
    watcher.goto(reverse("console:conversation", args=[Conversation.objects.get().key]))
    watcher.evaluate("window.sameWindow = true")
    return shopper, watcher


def test_a_conversation_of_the_bot_is_watched_as_it_goes_on(windows, account):
    shopper, watcher = watched(windows, account)
    asked = writes(shopper, account, "a green jacket")
    watcher.locator(".bubble.customer", has_text="a green jacket").wait_for()
    watcher.get_by_text("Not answered yet").wait_for()
    reply_to(asked, "Here is one.")
    watcher.locator(".bubble.shop", has_text="Here is one.").wait_for()
    assert watcher.locator("#news").inner_text() == "The customer has written"
    assert watcher.evaluate("window.sameWindow")
    # What is explained beside the talk stays what the reader looks at.
    assert watcher.locator(".chosen").get_attribute("id") == "turn-1"
    watcher.get_by_role("link", name="Why this reply? (2)").click()
    watcher.locator("#turn-2.chosen").wait_for()


def test_that_the_bot_hands_over_is_seen_on_an_open_page(windows, account):
    _, watcher = watched(windows, account)
    Conversation.objects.update(waiting_for_person=True)
    watcher.locator("#standing strong").wait_for()
    assert watcher.locator("#news").inner_text() == "This customer waits for a person."
    assert watcher.evaluate("window.sameWindow")
    watcher.get_by_role("button", name="Take this conversation over").click()
    watcher.locator("#answer-text").wait_for()


def test_a_new_customer_appears_in_an_open_inbox(windows, account):
    desk = merchant(windows)
    desk.goto(reverse("console:inbox"))
    desk.get_by_role("heading", name="Nobody waits").wait_for()
    shopper = customer(windows)
    reply_to(writes(shopper, account, "hello"), "Hi.")
    Conversation.objects.update(waiting_for_person=True)
    Turn.objects.update(act="handoff")
    desk.get_by_role("link", name="Visitor").wait_for()


@pytest.mark.parametrize(
    ("language", "width"), [("en", 1280), ("zh-CN", 1280), ("en", 800), ("zh-CN", 390), ("en", 390)]
)
def test_no_page_of_the_desk_is_wider_than_its_window(windows, account, language, width):
    shopper = customer(windows)
    turn = writes(shopper, account, "hello " + "x" * 300)
    reply_to(turn, "Hi.")
    talk = turn.conversation
    Conversation.objects.update(waiting_for_person=True)
    handoff.say(talk, "See https://shop.example/" + "y" * 200, account.shop.members.get().user, handoff.last_said(talk))
    Outbound.objects.update(status="failed", error="z" * 300)
    page = merchant(windows, locale=language, viewport={"width": width, "height": 900})
    for address in (
        reverse("console:inbox"),
        reverse("console:conversation", args=[talk.key]),
        reverse("console:channels"),
        reverse("console:account", args=[account.pk]),
        reverse("console:choose_channel"),
        reverse("console:connect_channel", args=["telegram"]),
        reverse("console:failed"),
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
