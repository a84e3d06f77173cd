"""The pages of learning in a real browser: on a desk and on a phone, in both languages, and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from botcore.learning import corrections, runs
from botcore.models import Dataset, ModelVersion, TrainingRun
from tests.admin_console import learned
from tests.browser import IN_A_BROWSER, anything_but, windows_of
from tests.factories import ConversationFactory, ShopFactory, TurnFactory, UserFactory, measured

pytestmark = IN_A_BROWSER


@pytest.fixture
def version(database_calls_allowed: None, transactional_db: None) -> ModelVersion:
    shop = ShopFactory(slug="pine", name="Pine")
    merchant = UserFactory(username="ann", shops=[shop])
    snapshot = learned.snapshot(shop, approved_at=timezone.now(), approved_by=merchant)
    return measured(learned.version(snapshot, run=learned.run(snapshot, status="running"), name="pine-1"))


@pytest.fixture
def chromium(version: ModelVersion, web_process: str) -> Iterator[Any]:
    """Opens a window of a language and width in which ann is logged in; any breach of the policy fails the test."""
    with windows_of(web_process, anything_but()) as windows:
        yield partial(windows.logged_in, "ann")


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-CN", 1280), ("en", 390), ("zh-CN", 390)])
def test_no_page_is_wider_than_its_window(chromium, version, language, width):
    page = chromium(language, width)
    turn = TurnFactory(conversation=ConversationFactory(shop=version.shop))
    learned.shadow_reply(version, turn, error="the generator failed: " + 10 * "TimeoutError")
    talk = turn.conversation
    for address in (
        reverse("console:conversation", args=[talk.key]),
        reverse("console:learning"),
        reverse("console:snapshot", args=[version.dataset_id]),
        reverse("console:run", args=[version.run_id]),
        reverse("console:version", args=[version.pk]),
        reverse("console:shadow", args=[version.pk]),
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_the_enter_key_in_the_reason_moves_no_version_and_a_button_does(chromium, version):
    page = chromium()
    page.goto(reverse("console:version", args=[version.pk]))
    page.fill("#step-reason", "reads well")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    version.refresh_from_db()
    assert version.state == "candidate"
    page.get_by_role("button", name="Let answer a share").click()
    page.get_by_text("pine-1: canary (10 %).").wait_for()
    version.refresh_from_db()
    assert (version.state, version.changes.get().reason) == ("canary", "reads well")


def test_a_run_is_started_watched_and_stopped(chromium, version, settings, web_folder):
    page = chromium()
    page.goto(reverse("console:learning"))
    page.locator("details.recipe[open]").get_by_role("button", name="Train").click()
    page.get_by_text("waits for the trainer.").wait_for()
    page.get_by_text("Nothing has been measured yet.").wait_for()
    page.evaluate("window.sameWindow = true")
    run = runs.claim(TrainingRun.objects.get(status="queued").pk)
    assert run is not None
    for step in range(1, 5):
        runs.tell(run, "sft", {"step": step, "of": 40, "loss": 1 / step})
    curve = page.locator("figure.chart polyline").first
    before = curve.get_attribute("points")
    runs.tell(run, point={"step": 20, "of": 40, "loss": 0.05})
    expect(curve).not_to_have_attribute("points", before)
    expect(page.get_by_role("progressbar", name="Progress")).to_have_js_property("value", 20)
    page.get_by_text("20 of 40 steps").wait_for()
    page.get_by_text("What it printed last").click()
    settings.VAR_DIR = web_folder
    log = runs.log_of(str(run.pk))
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("2 of 40 pairs are left out\n")
    page.locator("#log").get_by_text("2 of 40 pairs are left out").wait_for()
    page.get_by_role("button", name="Stop the run").click()
    page.get_by_text("The run is stopped.").wait_for()
    assert TrainingRun.objects.get(pk=run.pk).status == "stopped"


def test_a_snapshot_of_some_of_the_feedback_is_asked_for_in_the_form(chromium, version):
    corrections.approve(TurnFactory(conversation=ConversationFactory(shop=version.shop)), None)
    page = chromium()
    page.goto(reverse("console:learning"))
    page.get_by_text("A snapshot of some of the feedback").click()
    page.get_by_label("Replies since").fill("2026-01-01")
    page.get_by_label("Recommends").check()
    page.get_by_role("button", name="Make this snapshot").click()
    page.get_by_text("is made. Look at it, then approve it.").wait_for()
    filters = Dataset.objects.exclude(pk=version.dataset_id).get().filters
    assert (filters["since"], filters["acts"], filters["votes"]) == ("2026-01-01T00:00:00+00:00", ["recommend"], True)


def test_a_canary_is_moved_and_rolled_back(chromium, version):
    page = chromium()
    page.goto(reverse("console:version", args=[version.pk]))
    page.get_by_role("button", name="Let answer a share").click()
    page.get_by_text("pine-1: canary (10 %).").wait_for()
    page.focus("#step-share")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator("#share-now").inner_text() == "15 %"
    page.get_by_role("button", name="Change the share").click()
    page.get_by_text("pine-1: canary (15 %).").wait_for()
    page.goto(reverse("console:learning"))
    page.get_by_label("Reason, if you like").fill("too curt")
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text("Rolled back. Customers are answered by the model that ships now.").wait_for()
    version.refresh_from_db()
    assert (version.state, version.changes.first().reason) == ("retired", "too curt")


def test_replies_are_chosen_between_blindly_by_keys(chromium, version):
    page = chromium()
    page.goto(reverse("console:blind_choice", args=[version.pk]))
    for key, told in (
        ("1", "You have seen all of them."),
        ("z", "0 of 1 pairs chosen"),
        ("0", "You have seen all of them."),
    ):
        page.keyboard.press(key)
        page.get_by_text(told).wait_for()
    assert version.blind_choices.get().choice == "neither"


def test_what_was_kept_is_told_where_the_reader_is_even_after_a_refusal(chromium, version):
    turn = TurnFactory(conversation=ConversationFactory(shop=version.shop))
    page = chromium()
    page.goto(reverse("console:conversation", args=[turn.conversation.key]))
    text = page.get_by_label("The reply should have been")
    text.fill("Take the Velvet Moon for $39.00.")
    page.get_by_role("button", name="Save the correction").click()
    assert "“$39.00” is no price" in page.get_by_role("alert").inner_text()
    assert text.input_value() == "Take the Velvet Moon for $39.00."
    page.get_by_role("button", name="Approve as it was sent").click()
    page.get_by_text("Approved.", exact=True).wait_for()
    assert page.evaluate("window.scrollY") < 100
