"""The web chat in a real browser: on a desk, on a phone, in the dark, by keyboard, offline, and inside another site."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from botcore.channels.values import Card
from botcore.channels.webchat.channel import ensure_webchat
from botcore.models import ChannelAccount, Conversation, Feedback, InboundEvent, Turn
from tests.botcore.channels.web_server import reply_to, serving, waiting_turn, written_by_a_person
from tests.browser import IN_A_BROWSER, breaches, launched
from tests.factories import ShopFactory

pytestmark = IN_A_BROWSER

CARDS = (
    Card(
        "J-1", "Moss jacket <b>", "$89.00", "Waxed cotton", "https://pictures.invalid/1.jpg", "https://shop.example/j1"
    ),
    Card("J-2", "Rain shell", "$129.00"),
    Card("J-3", "Harbour coat", "$159.00"),
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launched(playwright)
        yield browser
        browser.close()


@pytest.fixture
def account(database_calls_allowed: None, transactional_db: None) -> ChannelAccount:
    return ensure_webchat(ShopFactory(slug="lantern", name="Lantern & Loom"))


@pytest.fixture
def address(account: ChannelAccount, tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path) as url:
        yield url


@pytest.fixture
def open_page(chromium: Any, address: str) -> Iterator[Any]:
    """Opens the chat in a browser of its own; a script error or a breach of the policy fails the test."""
    contexts, complaints = [], []

    def opener(**options: Any) -> Any:
        context = chromium.new_context(**options)
        context.set_default_timeout(10_000)
        context.route("https://**", lambda route: route.abort())
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if breaches(line.text) else None)
        page.goto(f"{address}/chat/lantern/")
        page.wait_for_selector("#welcome")
        return page

    opener.complaints, opener.address = complaints, address  # type: ignore[attr-defined]
    yield opener
    for context in contexts:
        context.close()
    assert complaints == []


def test_a_question_is_answered_with_products_and_judged_by_keyboard(open_page, account):
    page = open_page()
    page.keyboard.type("a green")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("jacket")
    page.keyboard.press("Enter")
    assert page.locator(".mine .bubble").inner_text() == "a green\njacket"
    page.wait_for_selector("#typing:not([hidden])")
    turn = waiting_turn(account, "a green\njacket")
    reply_to(turn, "These keep the rain out.", CARDS, source="Care guide")

    page.wait_for_selector(".theirs")
    assert page.locator("#typing").is_hidden()
    assert page.locator(".card h3").all_inner_texts() == ["Moss jacket <b>", "Rain shell", "Harbour coat"]
    assert page.locator(".source").inner_text() == "From: Care guide"
    assert page.get_by_role("log", name="Conversation").get_attribute("aria-live") == "polite"

    up, down = page.get_by_role("button", name="Good reply"), page.get_by_role("button", name="Bad reply")
    down.focus()
    with page.expect_response("**/feedback"):
        page.keyboard.press("Enter")
    assert (up.get_attribute("aria-pressed"), down.get_attribute("aria-pressed")) == ("false", "true")
    assert Feedback.objects.get(turn=turn).kind == "down"
    with page.expect_response("**/feedback"):
        page.get_by_role("button", name="That’s not what I meant").click()
    assert Feedback.objects.get(turn=turn).kind == "not_meant"
    with page.expect_response("**/feedback"):
        down.click()
    assert not Feedback.objects.exists()


def test_a_chosen_product_is_asked_about_by_its_sku(open_page, account):
    page = open_page()
    page.locator(".chips button").first.click()
    text = page.locator(".mine .bubble").inner_text()
    reply_to(waiting_turn(account, text), "Here.", CARDS)
    page.get_by_role("button", name="Tell me more about Rain shell").click()
    waiting_turn(account, "Rain shell")
    assert InboundEvent.objects.get(text="Rain shell").data == {"sku": "J-2"}


def test_a_reload_shows_the_same_talk_and_another_browser_shows_none(open_page, account):
    page = open_page()
    page.fill("#text", "hello")
    page.keyboard.press("Enter")
    reply_to(waiting_turn(account, "hello"), "Hi there.")
    page.wait_for_selector(".theirs")
    before = page.locator("#log").inner_text()
    page.reload()
    page.wait_for_selector(".theirs")
    assert page.locator("#log").inner_text() == before
    assert page.locator(".mine").count() == 1
    assert open_page().locator("#log").inner_text() == ""


def test_a_talk_longer_than_the_window_scrolls_inside_it_and_the_page_does_not(open_page, account):
    page = open_page(viewport={"width": 900, "height": 500})
    for place in range(4):
        writes(page, f"jacket {place}")
        reply_to(waiting_turn(account, f"jacket {place}"), "These keep the rain out.", CARDS)
        page.locator(".theirs").nth(place).wait_for()
    talk = page.locator("main")
    assert talk.evaluate("it => it.scrollHeight > it.clientHeight")
    assert page.evaluate("[document.documentElement.scrollHeight, innerHeight]") == [500, 500]


def test_a_new_conversation_empties_every_page_of_the_visitor(open_page, account):
    page = open_page()
    page.fill("#text", "hello")
    page.keyboard.press("Enter")
    reply_to(waiting_turn(account, "hello"), "Hi there.")
    page.wait_for_selector(".theirs")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(".theirs")
    page.get_by_role("button", name="New conversation").click()
    for each in (page, other):
        each.wait_for_selector("#welcome:not([hidden])")
        assert each.locator(".message").count() == 0
    assert Conversation.objects.get().closed


def test_what_was_written_offline_is_sent_once_when_the_network_is_back(open_page, account):
    page = open_page()
    page.context.set_offline(True)
    page.fill("#text", "are you there?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".mine.waiting .note")
    assert "offline" in page.locator("#status").inner_text()
    page.context.set_offline(False)
    waiting_turn(account, "are you there?")
    page.wait_for_selector(".mine:not(.waiting)")
    assert InboundEvent.objects.count() == 1
    reply_to(waiting_turn(account, "are you there?"), "I am.")
    page.wait_for_selector(".theirs")
    assert page.locator("#status").inner_text() == ""


def writes(page: Any, *texts: str) -> None:
    for text in texts:
        page.fill("#text", text)
        page.keyboard.press("Enter")


def waits(page: Any) -> list[str]:
    return page.locator(".mine.waiting .bubble").all_inner_texts()


def said(page: Any) -> list[str]:
    return page.locator(".message .bubble").all_inner_texts()


def test_what_was_written_offline_outlives_a_reload_and_is_sent_once_in_order(open_page, account):
    page = open_page()
    writes(page, "hello")
    reply_to(waiting_turn(account, "hello"), "Hi there.")
    page.wait_for_selector(".theirs")
    page.context.set_offline(True)
    writes(page, "a green jacket", "size M")
    page.locator(".mine.waiting .note").nth(1).wait_for()
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    page.context.set_offline(False)
    page.goto(f"{open_page.address}/chat/lantern/")
    page.wait_for_selector(".theirs")
    reply_to(waiting_turn(account, "size M"), "Here in M.")
    page.locator(".theirs").nth(1).wait_for()
    page.locator(".waiting").wait_for(state="detached")
    assert said(page) == ["hello", "Hi there.", "a green jacket", "size M", "Here in M."]
    stored = InboundEvent.objects.order_by("pk").values_list("text", flat=True)
    assert list(stored) == ["hello", "a green jacket", "size M"]
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_what_waits_is_shown_below_the_history_while_the_server_takes_nothing(open_page, account):
    page = open_page()
    writes(page, "hello")
    reply_to(waiting_turn(account, "hello"), "Hi there.")
    page.wait_for_selector(".theirs")
    page.context.route("**/messages", lambda route: route.abort())
    writes(page, "a green jacket", "size M")
    page.reload()
    page.wait_for_selector(".theirs")
    assert said(page) == ["hello", "Hi there.", "a green jacket", "size M"]
    assert waits(page) == ["a green jacket", "size M"]
    conversation = Conversation.objects.select_related("contact__account").get()
    written_by_a_person(conversation, "Shall I look?")
    page.locator(".theirs").nth(1).wait_for()
    assert said(page) == ["hello", "Hi there.", "Shall I look?", "a green jacket", "size M"]
    page.context.unroute("**/messages")
    waiting_turn(account, "size M", seconds=20)
    page.locator(".waiting").wait_for(state="detached")
    assert InboundEvent.objects.filter(text__in=("a green jacket", "size M")).count() == 2


def test_a_message_whose_acknowledgement_was_lost_is_shown_and_stored_once(open_page, account):
    page = open_page()

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.context.route("**/events*", lambda route: route.abort())
    page.context.route("**/messages", lose)
    page.reload()
    writes(page, "are you there?")
    page.wait_for_selector(".mine.waiting .note")
    waiting_turn(account, "are you there?")
    page.context.unroute("**/events*")
    page.reload()
    page.locator(".mine:not(.waiting)").wait_for()
    page.context.unroute("**/messages")
    reply_to(waiting_turn(account, "are you there?"), "I am.")
    page.wait_for_selector(".theirs")
    assert said(page) == ["are you there?", "I am."]
    assert InboundEvent.objects.count() == 1


def test_no_more_is_kept_than_twenty_messages_and_nothing_for_another_visitor(open_page):
    page = open_page()
    page.context.route("**/messages", lambda route: route.abort())
    writes(page, *(f"message {number}" for number in range(21)))
    assert len(waits(page)) == 20
    assert page.locator("#text").input_value() == "message 20"
    assert "Too many messages" in page.locator("#status").inner_text()
    page.context.clear_cookies()
    page.reload()
    page.wait_for_selector("#welcome:not([hidden])")
    assert said(page) == []


def test_a_new_conversation_forgets_what_waits(open_page, account):
    page = open_page()
    writes(page, "hello")
    reply_to(waiting_turn(account, "hello"), "Hi there.")
    page.wait_for_selector(".theirs")
    page.context.route("**/messages", lambda route: route.abort())
    writes(page, "a secret")
    page.get_by_role("button", name="New conversation").click()
    page.wait_for_selector("#welcome:not([hidden])")
    assert page.evaluate("sessionStorage.length") == 0


def test_what_a_person_writes_reaches_an_open_page_without_thumbs(open_page, account):
    page = open_page()
    writes(page, "hello")
    turn = waiting_turn(account, "hello")
    reply_to(turn, "Hi there.")
    conversation = Conversation.objects.select_related("contact__account").get()
    written_by_a_person(conversation, "I have put one aside <b>for you</b>.")
    page.locator(".theirs").nth(1).wait_for()
    theirs = page.locator(".theirs").nth(1)
    assert theirs.inner_text() == "A person at Lantern & Loom\n\nI have put one aside <b>for you</b>."
    assert (theirs.locator(".thumb").count(), page.locator(".theirs").first.locator(".thumb").count()) == (0, 2)
    page.reload()
    page.locator(".theirs").nth(1).wait_for()
    assert said(page) == ["hello", "Hi there.", "I have put one aside <b>for you</b>."]


def test_a_conversation_goes_on_where_it_was_when_the_server_comes_back(chromium, account, tmp_path):
    context = chromium.new_context()
    page = context.new_page()
    with serving(tmp_path) as url:
        page.goto(f"{url}/chat/lantern/")
        page.wait_for_selector("#welcome")
        writes(page, "hello")
        reply_to(waiting_turn(account, "hello"), "Hi there.")
        page.wait_for_selector(".theirs")
        writes(page, "a green jacket")
        turn = waiting_turn(account, "a green jacket")
    writes(page, "size M")
    page.wait_for_selector(".mine.waiting .note")
    reply_to(turn, "Here are two.")
    with serving(tmp_path, int(url.rpartition(":")[2])):
        page.locator(".theirs").nth(1).wait_for()
        reply_to(waiting_turn(account, "size M", seconds=20), "Here in M.")
        page.locator(".theirs").nth(2).wait_for()
        page.locator(".waiting").wait_for(state="detached")
        assert said(page) == ["hello", "Hi there.", "a green jacket", "Here are two.", "size M", "Here in M."]
    assert list(InboundEvent.objects.order_by("pk").values_list("text", flat=True)) == [
        "hello",
        "a green jacket",
        "size M",
    ]
    context.close()


def test_nobody_seems_to_write_for_ever_after_a_turn_fell_silent_while_the_server_was_away(chromium, account, tmp_path):
    context = chromium.new_context()
    page = context.new_page()
    with serving(tmp_path) as url:
        page.goto(f"{url}/chat/lantern/")
        writes(page, "I want a person")
        page.wait_for_selector("#typing:not([hidden])")
        turn = waiting_turn(account, "I want a person")
    Turn.objects.filter(pk=turn.pk).update(status=Turn.Status.SILENT)
    with serving(tmp_path, int(url.rpartition(":")[2])):
        page.locator("#typing").wait_for(state="hidden")
    context.close()


def test_an_enter_that_ends_a_composition_sends_nothing(open_page):
    page = open_page(locale="zh-CN")
    page.fill("#text", "防水外套")
    page.evaluate(
        """() => document.querySelector("#text").dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
    )
    assert page.locator(".mine").count() == 0
    page.keyboard.press("Enter")
    assert page.locator(".mine .bubble").inner_text() == "防水外套"
    assert page.get_by_role("button", name="发送").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_within_its_width(open_page, account, scheme):
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, color_scheme=scheme)
    page.fill("#text", "w" * 300)
    page.keyboard.press("Enter")
    reply_to(waiting_turn(account, "w" * 300), "These keep the rain out.", CARDS)
    page.wait_for_selector(".theirs")
    width, cards = page.evaluate(
        """() => [Math.max(document.documentElement.scrollWidth, document.querySelector("main").scrollWidth),
                  document.querySelector(".cards").scrollWidth]"""
    )
    assert width <= 360 < cards
    for control in page.locator("button:visible").all():
        box = control.bounding_box()
        if control.evaluate("node => !node.classList.contains('link')"):
            assert min(box["width"], box["height"]) >= 36


def test_text_and_controls_stand_out_from_their_ground(open_page, account):
    """WCAG AA: 4.5 to 1, in both colour schemes."""
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        page.fill("#text", scheme)
        page.keyboard.press("Enter")
        reply_to(waiting_turn(account, scheme), "Here.", CARDS, source="Care guide")
        page.wait_for_selector(".card")
        faint = page.evaluate(CONTRAST)
        assert faint == [], scheme


CONTRAST = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("h1, p, .bubble, h3, .actions > *, .quiet, .link, .thumb")]
    .filter((node) => node.offsetParent && node.textContent + node.innerHTML)
    .map((node) => {
      const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
      return [node.className || node.tagName, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    })
    .filter(([, ratio]) => ratio < 4.5);
}"""


# --- inside another site


@pytest.fixture
def shop_site(address: str, tmp_path: Path) -> Iterator[str]:
    """Another site, on another origin, whose own styles are loud."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text(
        "<!doctype html><html lang=en><title>Shop</title>"
        "<style>* { color: red !important } button { width: 300px !important; background: lime !important }</style>"
        f'<h1>Our shop</h1><a href="#">A link</a><script src="{address}/chat/lantern/widget.js" async></script>'
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(SimpleHTTPRequestHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_the_widget_opens_answers_and_closes_by_keyboard_on_another_site(open_page, account, shop_site):
    page = open_page()
    page.goto(shop_site)
    button = page.get_by_role("button", name="Open chat")
    assert button.bounding_box()["width"] == 56
    button.focus()
    page.keyboard.press("Enter")
    chat = page.frame_locator("iframe")
    chat.locator("#welcome").wait_for()
    page.keyboard.type("hello from the shop")
    page.keyboard.press("Enter")
    reply_to(waiting_turn(account, "hello from the shop"), "Hi there.")
    chat.locator(".theirs").wait_for()
    page.keyboard.press("Escape")
    page.locator("iframe").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.tagName") == "DAOGOU-CHAT"
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.getAttribute('aria-expanded')") == "false"
    page.keyboard.press("Enter")
    assert chat.locator(".theirs .bubble").inner_text() == "Hi there."


def test_the_page_itself_refuses_to_be_framed(open_page, address, shop_site):
    page = open_page()
    page.goto(shop_site)
    page.evaluate(
        """(url) => new Promise((done) => {
            const frame = document.createElement("iframe");
            frame.name = "framed";
            frame.onload = done;
            frame.src = url;
            document.body.append(frame);
        })""",
        f"{address}/chat/lantern/",
    )
    assert page.frame("framed").locator("#composer").count() == 0
    assert "frame-ancestors 'none'" in open_page.complaints.pop()
