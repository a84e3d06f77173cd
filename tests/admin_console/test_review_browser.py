"""The review journey by keys, in a real browser: two reviewers on one item, a connection that breaks, an IME."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse

from admin_console import review as reviewing
from botcore.learning.review import queue
from botcore.models import Annotation, ReviewDecision, ReviewItem, Turn
from catalog.models import Shop
from tests.browser import AXE, IN_A_BROWSER, windows_of
from tests.factories import PASSWORD, ConversationFactory, FeedbackFactory, ShopFactory, TurnFactory, UserFactory

WANTS = ("a warm coat", "boots for mud", "some red gloves", "that big tent", "wool socks", "the cheap umbrella")

pytestmark = IN_A_BROWSER


@pytest.fixture
def shop(database_calls_allowed: None, transactional_db: None) -> Shop:
    shop = ShopFactory(slug="pine", name="Pine")
    for name in ("ann", "ben"):
        UserFactory(username=name, shops=[shop])
    return shop


@pytest.fixture
def replies(shop: Shop) -> list[Turn]:
    """Six replies in the order of the queue."""
    turns = [reply(shop, f"I am looking for {want}") for want in reversed(WANTS)]
    return list(reversed(turns))


def reply(shop: Shop, text: str, **fields: Any) -> Turn:
    turn = TurnFactory(conversation=ConversationFactory(shop=shop), text=text, understanding={"intent": text}, **fields)
    queue.enqueue(turn.pk)
    return turn


@pytest.fixture
def chromium(shop: Shop, web_process: str) -> Iterator[Callable[..., Any]]:
    """Opens a window in which somebody is logged in, with the queue; any breach of the policy fails the test."""
    with windows_of(web_process) as windows:

        def opener(who: str = "ann", language: str = "en", width: int = 1280) -> Any:
            page = windows.logged_in(who, language, width)
            page.goto(reverse("console:review"))
            return page

        yield opener


def before(page: Any) -> str:
    """The customer's words of the reply that is read."""
    return page.locator("#talk .chosen .customer").inner_text()


def reads(page: Any, text: str) -> None:
    page.locator("#talk .chosen .customer", has_text=text).wait_for()


def stored(page: Any) -> None:
    """Wait until all decisions have been stored."""
    page.locator("#review[data-unsent='0']").wait_for()


def verdicts() -> dict[str, tuple[str, str]]:
    return {row.turn.text[17:]: (row.verdict, row.reason) for row in Annotation.objects.select_related("turn")}


def test_a_reviewer_decides_by_keys_alone_and_undoes_what_was_sent(chromium, replies):
    page = chromium()
    reads(page, "a warm coat")
    page.get_by_role("link", name="All that wait 6").wait_for()
    page.keyboard.press("a")
    reads(page, "boots for mud")
    page.keyboard.press("3")
    reads(page, "some red gloves")
    page.keyboard.press("r")
    reads(page, "that big tent")
    stored(page)
    assert verdicts() == {
        "a warm coat": ("approved", ""),
        "boots for mud": ("rejected", "wrong_product"),
        "some red gloves": ("rejected", ""),
    }
    page.keyboard.press("z")
    page.keyboard.press("z")
    reads(page, "boots for mud")
    stored(page)
    assert verdicts() == {"a warm coat": ("approved", "")}
    page.keyboard.press("t")
    page.keyboard.press("a")
    reads(page, "some red gloves")
    stored(page)
    assert not Annotation.objects.get(turn=replies[1]).for_training
    page.keyboard.press("j")
    reads(page, "that big tent")
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.keyboard.press("k")
    reads(page, "a warm coat")


def test_a_correction_shows_what_changes_and_is_refused_with_the_reason_until_it_is_true(chromium, replies):
    page = chromium()
    reads(page, "a warm coat")
    page.keyboard.press("e")
    field = page.get_by_label("The reply should have been")
    assert field.evaluate("field => field === document.activeElement")
    field.fill("Take the Velvet Moon for $39.00.")
    assert page.locator(".diff ins").all_inner_texts()[:1] == ["Take"]
    page.get_by_text("“$39.00” is no price or figure").wait_for()  # while it is being written
    page.keyboard.press("Control+Enter")
    page.get_by_text("“velvet” is none of this reply's products.").wait_for()
    assert field.input_value() == "Take the Velvet Moon for $39.00."
    assert not Annotation.objects.exists()
    field.fill("The Canvas jacket is green, at $49.00.")
    page.keyboard.press("Control+Enter")
    reads(page, "boots for mud")
    stored(page)
    row = Annotation.objects.get()
    assert (row.verdict, row.wording) == ("corrected", "The [A.name] is green, at [A.price].")
    page.keyboard.press("a")  # the field has let go of the keys
    reads(page, "some red gloves")


def test_letters_typed_or_composed_in_a_field_decide_nothing(chromium, replies):
    page = chromium()
    reads(page, "a warm coat")
    page.keyboard.press("e")
    page.keyboard.type(" arz123jk")
    page.evaluate(
        """() => { for (const init of [{key: "a", isComposing: true}, {key: "Process", keyCode: 229}, {key: "a", keyCode: 229}])
        document.body.dispatchEvent(new KeyboardEvent("keydown", {bubbles: true, ...init})) }"""
    )
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("boots")
    assert before(page) == "I am looking for a warm coat"
    page.keyboard.press("Enter")
    reads(page, "boots for mud")
    assert "q=boots" in page.url
    assert page.locator("#rows li").count() == 1
    assert not ReviewDecision.objects.exists()


def test_two_reviewers_on_one_reply_see_both_texts_and_the_second_chooses(chromium, replies):
    ann, ben = chromium("ann"), chromium("ben")
    reads(ann, "a warm coat")
    ben.locator("#rows li", has_text="a warm coat").get_by_role("link").click()
    reads(ben, "a warm coat")
    ann.keyboard.press("e")
    ann.keyboard.press("Control+a")
    ann.keyboard.type("The Canvas jacket is green, at $49.00.")
    ann.keyboard.press("Control+Enter")
    stored(ann)
    ben.keyboard.press("r")
    alert = ben.get_by_role("alert").filter(has_text="Somebody else decided")
    alert.wait_for()
    assert "ann: corrected — The Canvas jacket is green, at $49.00." in alert.inner_text()
    assert "You: rejected" in alert.inner_text()
    assert verdicts() == {"a warm coat": ("corrected", "")}
    alert.get_by_role("button", name="Use mine").click()
    stored(ben)
    assert {row.author.username: row.verdict for row in Annotation.objects.all()} == {
        "ann": "corrected",
        "ben": "rejected",
    }


def test_decisions_outlive_a_broken_connection_and_a_reload(chromium, replies):
    page = chromium()
    reads(page, "a warm coat")
    page.wait_for_timeout(500)  # the replies after it are loaded ahead
    page.context.set_offline(True)
    page.keyboard.press("a")
    page.keyboard.press("r")
    page.get_by_text("Not stored yet: 2.").wait_for()
    reads(page, "some red gloves")
    assert not Annotation.objects.exists()
    page.route("**/review/decisions/", lambda route: route.abort())
    page.context.set_offline(False)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    reads(page, "some red gloves")
    assert not Annotation.objects.exists()
    page.unroute("**/review/decisions/")
    stored(page)
    assert verdicts() == {"a warm coat": ("approved", ""), "boots for mud": ("rejected", "")}
    page.keyboard.press("z")
    stored(page)
    assert verdicts() == {"a warm coat": ("approved", "")}


def test_who_was_logged_out_logs_in_again_in_another_window_and_nothing_is_lost(chromium, replies):
    page = chromium()
    reads(page, "a warm coat")
    page.context.clear_cookies()
    page.keyboard.press("a")
    page.get_by_text("You are logged out.").wait_for()
    assert not Annotation.objects.exists()
    other = page.context.new_page()
    other.goto(reverse("console:login"))
    other.fill("#id_username", "ann")
    other.fill("#id_password", PASSWORD)
    other.click("button.main")
    stored(page)
    assert verdicts() == {"a warm coat": ("approved", "")}


def test_a_queue_longer_than_its_rows_goes_on_by_itself(chromium, shop):
    for number in range(reviewing.ROWS + 4):
        reply(shop, f"{number * 7919} is what I want, and nothing else {number * 104729}")
    page = chromium()
    page.locator("#talk .chosen").wait_for()
    for _ in range(reviewing.ROWS + 4):
        page.keyboard.press("a")
    page.get_by_role("heading", name="Nothing waits for you").wait_for()
    stored(page)
    assert Annotation.objects.count() == reviewing.ROWS + 4
    page.keyboard.press("z")
    page.locator("#talk .chosen").wait_for()
    stored(page)
    assert Annotation.objects.count() == reviewing.ROWS + 3


def test_several_are_selected_and_near_duplicates_are_decided_with_one_key(chromium, shop, replies):
    for mark in ("", "?", "!"):
        turn = reply(shop, f"when will my parcel come to my own front door{mark}")
        FeedbackFactory(turn=turn, kind="down")
        queue.weigh_again(turn.pk)
    page = chromium()
    reads(page, "when will my parcel")
    approve = page.locator("[data-do=approve]")
    assert approve.inner_text().startswith("Approve 3")
    assert page.locator("[data-alike]").count() == 2
    page.keyboard.press("g")
    assert approve.inner_text().split()[0] == "Approve" and "3" not in approve.inner_text()
    page.keyboard.press("g")
    page.keyboard.press("a")
    reads(page, "a warm coat")
    for _ in range(2):
        page.keyboard.press("x")
    assert approve.inner_text().startswith("Approve 2")
    page.keyboard.press("a")
    stored(page)
    assert {text for text, (verdict, _) in verdicts().items() if verdict == "approved"} >= {
        "a warm coat",
        "boots for mud",
    }
    assert Annotation.objects.count() == 5


def test_twenty_keys_pressed_at_once_are_twenty_decisions(chromium, shop):
    for number in range(25):
        reply(shop, f"{number * 7919} is what I want, and nothing else {number * 104729}")
    page = chromium()
    page.locator("#talk .chosen").wait_for()
    for number in range(20):
        page.keyboard.press("ar2"[number % 3])
    page.locator("#rows [data-verdict]").nth(19).wait_for()
    stored(page)
    assert Annotation.objects.count() == ReviewDecision.objects.count() == 20
    assert Annotation.objects.filter(verdict="approved").count() == 7
    assert ReviewItem.objects.filter(status="waiting").count() == 5


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-CN", 820), ("en", 390), ("zh-CN", 390)])
def test_the_queue_is_no_wider_than_its_window_and_without_faults_of_access(chromium, replies, language, width):
    page = chromium(language=language, width=width)
    reads(page, "a warm coat")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE.read_text())
    faults = page.evaluate("axe.run().then(found => found.violations.map(each => [each.id, each.nodes[0].html]))")
    assert faults == []
    page.goto(reverse("console:review_figures"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
