"""The pages of the review queue without a browser: what they show, what they take, and how many queries they need."""

import json
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from admin_console import labels
from botcore.learning.review import queue
from botcore.learning.review.value import Reason
from botcore.models import Annotation, Feedback, ReviewDecision, ReviewItem, SavedView, Turn
from botcore.roles import Role
from tests.factories import ConversationFactory, FeedbackFactory, ShopFactory, TurnFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE = reverse("console:review")


def reply(shop, text="I need a jacket", second=False, **fields) -> Turn:
    turn = TurnFactory(conversation=ConversationFactory(shop=shop), text=text, **fields)
    queue.enqueue(turn.pk)
    ReviewItem.objects.filter(turn=turn).update(for_second=second)
    return turn


def logged_in(user) -> Client:
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def entry(turn, kind="approved", version=0, **fields):
    return {"token": str(uuid4()), "kind": kind, "turns": [[turn.pk, version]], **fields}


def send(browser, *entries):
    body = json.dumps({"decisions": entries})
    return browser.post(reverse("console:review_decisions"), body, content_type="application/json")


def taken(browser, *turns) -> str:
    numbers = ",".join(str(turn.pk) for turn in turns)
    return browser.post(reverse("console:take_replies"), {"turns": numbers}).content.decode()


def test_the_queue_is_there_for_reviewers_with_the_number_that_waits(shop):
    reply(shop), reply(shop, "boots for hiking")
    page = logged_in(UserFactory(shops=[shop], shops__role=Role.REVIEWER)).get(PAGE).content.decode()
    assert 'title="replies wait for a word">2</span>' in page
    assert page.count("<li data-turn=") == 2
    for key in ("A", "E", "R", "Z", "1", "9"):
        assert f"<kbd>{key}</kbd>" in page


def test_an_empty_queue_says_what_comes_here(merchant):
    page = merchant.get(PAGE).content.decode()
    assert "Nothing waits for you" in page
    assert "没有等您审核的回复" in merchant.get(PAGE, headers={"Accept-Language": "zh-CN"}).content.decode()


def test_a_member_of_no_shop_is_told_whom_to_ask(client, db):
    client.force_login(UserFactory(is_staff=True), backend="django.contrib.auth.backends.ModelBackend")
    assert "No shop is yours yet" in client.get(PAGE).content.decode()
    client.force_login(UserFactory(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(PAGE).status_code == 403


def test_a_reply_comes_with_everything_to_decide_by(merchant, shop):
    turn = reply(shop)
    FeedbackFactory(turn=turn, kind="down", text="not green at all")
    TurnFactory(conversation=turn.conversation, text="and what about boots?")
    page = taken(merchant, turn)
    for part in (
        "The Canvas jacket is green and costs $49.00.</textarea>",
        "Products as sent",
        "not green at all",
        "says waterproof, which no fact supports",
        "What the conversation has established",
        "Where the time went",
        "shipped",
        "and what about boots?",
    ):
        assert part in page


def test_the_number_of_queries_grows_neither_with_the_queue_nor_with_the_replies_taken(merchant, shop):
    turns = [reply(shop, f"message {number}, quite another {number * 7919}") for number in range(8)]
    for turn in turns:
        FeedbackFactory(turn=turn)
    taken(merchant, turns[0])
    with CaptureQueriesContext(connection) as one:
        taken(merchant, turns[0])
    with CaptureQueriesContext(connection) as many:
        taken(merchant, *turns)
    assert len(many) == len(one)
    with CaptureQueriesContext(connection) as long:
        merchant.get(PAGE)
    ReviewItem.objects.exclude(turn=turns[0]).delete()
    with CaptureQueriesContext(connection) as short:
        merchant.get(PAGE)
    assert len(long) == len(short)


def test_decisions_are_kept_one_by_one_and_a_false_correction_is_refused_with_the_reason(merchant, shop):
    good, bad, other = (reply(shop, text) for text in ("a jacket", "some boots", "that tent"))
    answer = send(
        merchant,
        entry(good),
        entry(bad, "corrected", text="Take the Velvet Moon for $39.00."),
        entry(other, "rejected", reason=Reason.TONE),
    )
    first, second, third = answer.json()["results"]
    assert (answer.status_code, first["status"], third["status"]) == (200, "kept", "kept")
    assert first["versions"] == {str(good.pk): 1}
    assert second["status"] == "refused"
    assert second["problems"] == [
        "“$39.00” is no price or figure of this reply's products.",
        "“velvet” is none of this reply's products.",
        "“moon” is none of this reply's products.",
    ]
    assert {row.turn_id: (row.verdict, row.reason) for row in Annotation.objects.all()} == {
        good.pk: ("approved", ""),
        other.pk: ("rejected", "tone"),
    }


def test_a_text_is_checked_while_it_is_written(merchant, shop):
    turn, theirs = reply(shop), reply(ShopFactory())
    address = reverse("console:check_correction")
    said = merchant.post(address, {"turn": turn.pk, "text": "The Canvas jacket costs $12.00."})
    assert said.json()["problems"] == ["“$12.00” is no price or figure of this reply's products."]
    assert merchant.post(address, {"turn": turn.pk, "text": "The Canvas jacket costs $49.00."}).json() == {
        "problems": []
    }
    assert merchant.post(address, {"turn": theirs.pk, "text": "x"}).status_code == 404


def test_a_reply_in_a_language_the_model_does_not_write_is_rejected_but_not_corrected(merchant, shop):
    turn = reply(shop, "我要一件夹克", language="zh", brief={}, samples=[], reply="这件夹克很合适。")
    assert "<textarea" not in taken(merchant, turn)
    assert send(merchant, entry(turn, "corrected", text="好")).json()["results"][0]["status"] == "refused"
    assert send(merchant, entry(turn, "rejected")).json()["results"][0]["status"] == "kept"


def test_the_second_of_two_reviewers_is_shown_what_the_first_has_said(merchant, shop):
    turn = reply(shop)
    other = UserFactory(username="ben", shops=[shop])
    send(logged_in(other), entry(turn, "corrected", text="The Canvas jacket is green, at $49.00."))
    answer = send(merchant, entry(turn))
    assert answer.status_code == 409
    assert answer.json()["results"][0]["theirs"] == {
        "turn": turn.pk,
        "version": 1,
        "who": "ben",
        "verdict": "corrected",
        "text": "The Canvas jacket is green, at $49.00.",
    }
    assert send(merchant, entry(turn, version=1)).status_code == 200


def test_a_second_reading_shows_nothing_of_the_first_and_a_decided_reply_shows_it(merchant, shop):
    blind, plain = reply(shop, "one thing", second=True), reply(shop, "another matter")
    other = logged_in(UserFactory(username="ben", shops=[shop]))
    send(other, entry(blind, "rejected", reason="tone"), entry(plain, "rejected", reason="tone"))
    assert "ben" not in taken(merchant, blind) and "Wrong tone" not in taken(merchant, blind)
    assert "<b>rejected</b> · Wrong tone" in taken(merchant, plain)
    assert f'data-turn="{blind.pk}"' in merchant.get(PAGE).content.decode()
    assert f'data-turn="{blind.pk}"' not in other.get(PAGE).content.decode()


def test_the_second_reader_does_not_find_the_first_word_on_the_page_of_the_conversation(merchant, shop):
    blind = reply(shop, "one thing", second=True)
    page = reverse("console:conversation", args=[blind.conversation.key])
    other = logged_in(UserFactory(username="ben", shops=[shop]))
    send(other, entry(blind, "corrected", text="The Canvas jacket is green, at $49.00."))
    for browser, knows in ((merchant, False), (other, True)):
        shown = browser.get(page).content.decode()
        assert ("is green, at $49.00." in shown, "ben" in shown) == (knows, knows)
    merchant.post(reverse("console:approve_reply", args=[blind.conversation.key, blind.number]), {"for_training": "on"})
    assert "is green, at $49.00." in merchant.get(page).content.decode()
    assert ReviewItem.objects.get().agreed is False


def test_a_reply_that_somebody_reads_says_so_to_the_others(merchant, shop):
    turn = reply(shop)
    taken(logged_in(UserFactory(username="ben", shops=[shop])), turn)
    assert "ben is at it" in merchant.get(PAGE).content.decode()
    assert "ben has this reply open as well." in taken(merchant, turn)


def test_near_duplicates_are_shown_before_they_are_decided_together(merchant, shop):
    turns = [reply(shop, f"when will my parcel come to my own front door{mark}") for mark in ("", "?", "!", "...")]
    page = merchant.get(PAGE).content.decode()
    assert page.count("<li data-turn=") == 1 and "×4" in page
    shown = taken(merchant, turns[0])
    assert "Decide on all 4 that are nearly the same" in shown
    assert all(f'data-alike="{turn.pk}"' in shown for turn in turns[1:])
    together = {**entry(turns[0]), "turns": [[turn.pk, 0] for turn in turns]}
    send(merchant, together)
    assert Annotation.objects.filter(verdict="approved").count() == 4
    send(merchant, {**together, "kind": "undo"})
    assert not Annotation.objects.exists()


def test_filters_are_in_the_address_and_go_on_in_the_rows_below(merchant, shop):
    for number in range(60):
        reply(shop, f"{number * 7919} jackets of number {number}", act="answer" if number % 2 else "recommend")
    page = merchant.get(PAGE, {"act": "answer"})
    first = [row.item for row in page.context["rows"]]
    assert len(first) == 30
    rest = merchant.get(reverse("console:review_rows"), {"act": "answer", "after": first[9].pk})
    assert [row.item.pk for row in rest.context["rows"]] == [item.pk for item in first[10:]]
    assert merchant.get(PAGE, {"q": "number 7"}).context["rows"][0].message == "55433 jackets of number 7"
    one = merchant.get(PAGE, {"turn": first[5].pk}).context["rows"]
    assert one[0].item.pk == first[5].pk and len([row for row in one if row.item.pk == first[5].pk]) == 1
    assert "no_such_act" in merchant.get(PAGE, {"act": "no_such_act"}).content.decode()
    assert merchant.get(PAGE, {"turn": "x"}).status_code == 404


def test_a_view_is_saved_with_its_count_for_everybody_of_the_shop_and_forgotten(merchant, shop):
    reply(shop, "boots", act="answer"), reply(shop, "a jacket")
    kept = merchant.post(
        reverse("console:save_view"), {"shop": shop.slug, "name": "Answers", "query": "act=answer"}, follow=True
    )
    view = SavedView.objects.get()
    assert [shown.name for shown in kept.context["views"] if shown.here] == ["Answers"]
    counts = merchant.get(reverse("console:view_counts"), {"shop": shop.slug}).json()["counts"]
    assert dict(zip([shown.name for shown in kept.context["views"]], counts, strict=True)) == {
        "All that wait": 2,
        "Thumbs down": 0,
        "Not what I meant": 0,
        "Model not sure": 0,
        "New topic": 2,
        "Two readers disagree": 0,
        "Decided": 0,
        "Answers": 1,
    }
    other = logged_in(UserFactory(shops=[shop], shops__role=Role.REVIEWER))
    assert "Answers" in other.get(PAGE).content.decode()
    again = merchant.post(
        reverse("console:save_view"), {"shop": shop.slug, "name": "Answers", "query": "q=x"}, follow=True
    )
    assert "has a view of this name already" in again.content.decode()
    merchant.post(reverse("console:delete_view", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_another_shop_s_replies_and_views_do_not_exist(merchant, shop):
    theirs = reply(ShopFactory(slug="elsewhere"), "theirs")
    view = SavedView.objects.create(shop=theirs.conversation.shop, name="Theirs", query="q=x")
    assert "article" not in taken(merchant, theirs)
    assert send(merchant, entry(theirs)).json()["results"][0]["status"] == "gone"
    assert merchant.post(reverse("console:delete_view", args=[view.pk])).status_code == 404
    assert merchant.get(PAGE, {"shop": "elsewhere"}).status_code == 404
    assert merchant.get(PAGE, {"turn": theirs.pk}).context["rows"] == []
    rows = reverse("console:review_rows")
    assert merchant.get(rows, {"after": theirs.pk}).status_code == 404
    sent = merchant.post(reverse("console:save_view"), {"shop": "elsewhere", "name": "x", "query": "q=x"})
    assert sent.status_code == 404
    assert not Annotation.objects.exists()


@pytest.mark.parametrize("body", ["", "[]", '{"decisions": [1]}', '{"decisions": 1}'])
def test_what_is_no_list_of_decisions_is_refused(merchant, body):
    address = reverse("console:review_decisions")
    assert merchant.post(address, body, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "x"},
        {"kind": "promoted"},
        {"turns": []},
        {"turns": 5},
        {"turns": [["a", 0]]},
        {"reason": "no such"},
        {"text": "x" * 2_001},
        {"text": "\0"},
    ],
    ids=str,
)
def test_one_wrong_decision_has_all_refused(merchant, shop, wrong):
    turn = reply(shop)
    assert send(merchant, entry(turn), {**entry(turn, "rejected"), **wrong}).status_code == 400
    assert not Annotation.objects.exists()


def test_a_form_of_another_site_decides_nothing(shop):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(UserFactory(shops=[shop]), backend="django.contrib.auth.backends.ModelBackend")
    assert send(browser, entry(reply(shop))).status_code == 403


def test_figures_tell_agreement_and_reasons(merchant, shop):
    turn = reply(shop, second=True)
    send(merchant, entry(turn, "rejected", reason="tone"))
    send(logged_in(UserFactory(shops=[shop])), entry(turn, "rejected"))
    page = merchant.get(reverse("console:review_figures")).content.decode()
    assert "<dt>Two readers agree</dt><dd>100.0 %</dd>" in page
    assert "Wrong tone" in page and "1 reply has been read twice." in page


def test_a_word_on_the_page_of_the_conversation_is_a_decision_as_well(merchant, shop):
    turn = reply(shop)
    merchant.post(reverse("console:approve_reply", args=[turn.conversation.key, turn.number]), {"for_training": "on"})
    assert ReviewDecision.objects.get().kind == "approved"
    assert ReviewItem.objects.get().status == "done"


def test_every_word_of_the_queue_has_a_name():
    assert set(labels.review.REASONS) == set(Reason) and len(Reason) == 9
    assert set(labels.review.DECISIONS) == set(ReviewDecision.Kind.values)
    assert set(labels.review.SIGNALS) == set(queue.SIGNALS)
    assert set(labels.review.STANDINGS) == {"done", "disagreed"}
    assert set(queue.worth.OPINION) == set(Feedback.Kind.values)
