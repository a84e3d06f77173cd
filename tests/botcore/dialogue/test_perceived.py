"""What comes beside the words changes the act: pure decisions, no model and no database."""

from __future__ import annotations

import pytest

from botcore.dialogue.decide import Decision, with_media
from botcore.dialogue.followups import missed_briefs
from botcore.dialogue.intents import Intent
from botcore.dialogue.lexicon.lexicon import common_category
from botcore.dialogue.perceived import MUMBLED, NOTHING, PARTLY, UNHEARD, UNLIKE, UNSEEN, Perceived
from botcore.dialogue.state import Act
from botcore.dialogue.understand import Understanding
from catalog.pictures import Alike

SEEN = Perceived(Alike("m", {"a.png": 0.9}, 0.8, 0.9))


def said(text: str = "", intent: str = "find") -> Understanding:
    return Understanding(text, "en", Intent(intent, {intent: 1.0}))


@pytest.mark.parametrize(
    "decision",
    [
        Decision(Act.ASK, "category"),
        Decision(Act.RECOMMEND, "chosen", about=("A",)),
        Decision(Act.RECOMMEND, "more", fresh=True),
        Decision(Act.ANSWER, "product", about=("A",)),
        Decision(Act.DECLINE, "not_sold"),
        Decision(Act.CLARIFY, "meaning"),
        Decision(Act.CHITCHAT, "greeting"),
        Decision(Act.DECLINE, "no_information"),
    ],
)
def test_what_looks_like_the_picture_is_shown_whatever_the_words_are_about(decision):
    assert with_media(decision, said("this"), SEEN) == Decision(Act.RECOMMEND, "pictured")


@pytest.mark.parametrize(
    ("decision", "intent"),
    [
        (Decision(Act.HANDOFF, "asked"), "person"),
        (Decision(Act.HANDOFF, "upset"), "upset"),
        (Decision(Act.ANSWER, "policy"), "policy"),
        (Decision(Act.DECLINE, "no_information"), "policy"),
        (Decision(Act.DECLINE, "no_information"), "order_status"),
    ],
)
def test_persons_and_the_shop_s_service_come_first(decision, intent):
    assert with_media(decision, said("this", intent), SEEN) == decision


@pytest.mark.parametrize("missed", [UNSEEN, UNLIKE, UNHEARD, MUMBLED, PARTLY])
def test_who_sent_no_words_is_asked_for_some_and_who_did_is_answered(missed):
    perceived, decision = Perceived(missed=(missed,)), Decision(Act.RECOMMEND)
    assert with_media(decision, said(" \n"), perceived) == Decision(Act.CLARIFY, missed)
    assert with_media(decision, said("a mug"), perceived) == decision


def test_without_files_nothing_changes():
    for decision in (Decision(Act.RECOMMEND), Decision(Act.CLARIFY, "meaning")):
        assert with_media(decision, said(), NOTHING) == decision


def reasons(act: Act, why: str, perceived: Perceived) -> list[str]:
    return [brief.notes["reason"] for brief in missed_briefs(act, why, perceived)]


def test_what_came_to_nothing_is_owned_up_to_once():
    both = Perceived(missed=(UNSEEN, UNHEARD))
    assert reasons(Act.CLARIFY, UNSEEN, both) == [UNHEARD]
    assert reasons(Act.RECOMMEND, "", both) == [UNSEEN, UNHEARD]
    assert reasons(Act.RECOMMEND, "pictured", SEEN) == []
    assert reasons(Act.ANSWER, "policy", SEEN) == ["picture set aside"]
    assert reasons(Act.HANDOFF, "asked", SEEN) == []
    assert reasons(Act.RECOMMEND, "changed", SEEN) == [UNLIKE]
    assert reasons(Act.CLARIFY, UNLIKE, SEEN) == []


@pytest.mark.parametrize(
    ("paths", "common"),
    [
        (["a/b", "a/b"], "a/b"),
        (["a/b", "a/c", "a/b/d"], "a"),
        (["ab/c", "a/c"], ""),
        (["a", "b"], ""),
        (["a/b/c"], "a/b/c"),
        ([], ""),
    ],
)
def test_the_category_that_products_share_is_the_nearest_above_all(paths, common):
    assert common_category(paths) == common
