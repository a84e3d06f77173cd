"""One dialogue with the explanation of one reply; and handing it back to the bot."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from admin_console.explanation import explain
from botcore.models import Conversation, Outbound
from tests.factories import ConversationFactory, FeedbackFactory, TurnFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(shop) -> Conversation:
    return ConversationFactory(shop=shop, contact__name="Anna")


def _page(client, conversation: Conversation, **query) -> str:
    response = client.get(reverse("console:conversation", args=[conversation.key]), query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_whole_dialogue_is_there_and_the_newest_reply_is_explained(merchant, conversation):
    TurnFactory(conversation=conversation, text="first words")
    TurnFactory(conversation=conversation, text="second words", act="compare")
    page = _page(merchant, conversation)
    assert page.index("first words") < page.index("second words")
    assert "<h2>Reply 2: Compares</h2>" in page
    assert "<h2>Reply 1: Recommends</h2>" in _page(merchant, conversation, turn=1)


def test_a_reply_shows_everything_that_was_stored_with_it(merchant, conversation):
    turn = TurnFactory(
        conversation=conversation,
        source={"kind": "article", "title": "Returns", "quote": "within 30 days"},
        understanding={"intent": "search", "why": "a category and a wish are enough"},
    )
    FeedbackFactory(turn=turn, kind="not_meant", source="words", text="the other one")
    Outbound.objects.create(conversation=conversation, turn=turn, content={}, status="failed", error="chat not found")
    page = _page(merchant, conversation)
    for shown in (
        "<ins>color: green</ins> <ins>material: ≠ leather</ins>",
        "a category and a wish are enough",
        "<dt>intent</dt><dd>search</dd>",
        "wishes: green; not leather",
        "<code>[A.price]</code></dt><dd>$49.00</dd>",
        "The Canvas jacket is waterproof.",
        "says waterproof, which no fact supports",
        "<b>0.8</b>",
        "<dt>kind</dt><dd>Article</dd>",
        "within 30 days",
        "<code>shipped</code>",
        "420 ms",
        "the other one",
        "chat not found",
        'class="price">$49.00</span>',
    ):
        assert shown in page


def test_the_page_passes_the_content_security_policy(merchant, conversation):
    TurnFactory(conversation=conversation)
    for page in (_page(merchant, conversation), merchant.get(reverse("console:home")).content.decode()):
        assert not re.search(
            r"<style|<script(?! type=\"module\" src=\"/static/)|\sstyle=|\son[a-z]+=|javascript:", page
        )
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)


def test_customers_words_are_text_and_nothing_else(merchant, conversation):
    evil = "<img src=x onerror=alert(1)>"
    turn = TurnFactory(conversation=conversation, text=evil, reply=evil, understanding={"why": evil, evil: evil})
    FeedbackFactory(turn=turn, text=evil)
    assert evil not in _page(merchant, conversation)
    assert evil not in merchant.get(reverse("console:home")).content.decode()


def test_a_turn_that_stored_nothing_is_still_shown(merchant, conversation):
    mappings = ("state_before", "state_after", "understanding", "brief", "timings_ms", "source")
    nothing = {name: {} for name in mappings}
    turn = TurnFactory(conversation=conversation, candidates=[], slate=[{}], samples=[{}], **nothing)
    assert turn.reply in _page(merchant, conversation)


def test_a_waiting_turn_has_no_explanation(merchant, conversation):
    TurnFactory(conversation=conversation, waiting=True, text="anybody there?")
    page = _page(merchant, conversation)
    assert "anybody there?" in page
    assert "Not answered yet" in page
    assert 'id="why"' not in page


@pytest.mark.parametrize("number", ["7", "x", "-1", "²", "9" * 30])
def test_a_reply_that_is_not_there_is_not_found(merchant, conversation, number):
    TurnFactory(conversation=conversation)
    address = reverse("console:conversation", args=[conversation.key])
    assert merchant.get(address, {"turn": number}).status_code == 404


def test_the_page_costs_the_same_queries_however_long_the_dialogue_is(merchant, conversation):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            _page(merchant, conversation, turn=1)
        return len(captured)

    FeedbackFactory(turn__conversation=conversation)
    few = queries()
    for _ in range(15):
        FeedbackFactory(turn__conversation=conversation)
    assert queries() == few
    assert few <= 13  # four of them are the menu's, what waits in it and the rights of its reader


def test_a_conversation_that_waits_for_a_person_is_handed_back_once_helped(merchant, conversation):
    Conversation.objects.filter(pk=conversation.pk).update(waiting_for_person=True, state={"goal": "coats"})
    assert "Hand back to the bot" in _page(merchant, conversation)
    hand_back = reverse("console:hand_back", args=[conversation.key])
    assert merchant.get(hand_back).status_code == 405
    page = merchant.post(hand_back, follow=True).content.decode()
    assert "The bot answers this conversation again" in page
    assert "Hand back to the bot" not in page
    conversation.refresh_from_db()
    assert not conversation.waiting_for_person
    assert (conversation.state["goal"], conversation.state["returned"]) == ("coats", True)


def test_a_conversation_is_taken_over_by_a_person(merchant, conversation):
    TurnFactory(conversation=conversation)
    assert "Take this conversation over" in _page(merchant, conversation)
    take_over = reverse("console:take_over", args=[conversation.key])
    assert merchant.get(take_over).status_code == 405
    page = merchant.post(take_over, follow=True).content.decode()
    assert "The conversation is yours" in page and "Take this conversation over" not in page
    conversation.refresh_from_db()
    assert conversation.waiting_for_person


def test_the_page_explains_what_the_dialogue_itself_stored(merchant, conversation):
    turn = TurnFactory(conversation=conversation)
    turn.refresh_from_db()
    explained = explain(turn)
    assert [sample.chosen for sample in explained.samples] == [True, False]
    assert [row.letter for row in explained.candidates.rows] == ["A", ""]
