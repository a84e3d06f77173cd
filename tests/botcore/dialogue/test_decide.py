"""Which act answers which reading: a table of decisions. Pure."""

from decimal import Decimal

import pytest

from botcore.dialogue.decide import decide
from botcore.dialogue.intents import Intent
from botcore.dialogue.state import Act, Constraint, DialogueState, PriceRange, Question
from botcore.dialogue.track import track
from botcore.dialogue.understand import Understanding

START = DialogueState()
LISTED = DialogueState(turn=1, goal="home/rugs", shown=(("R1", "R2", "R3"),))
QUOTED = LISTED.with_(last_article="returns", last_quote="...")


def decision(intent, before=START, confidence=0.9, article=0.0, **what):
    said = Understanding(what.pop("text", "hm"), "en", Intent(intent, {intent: confidence}), **what)
    return decide(before, track(before, said, ()), said, article)


@pytest.mark.parametrize(
    ("made", "act", "reason"),
    [
        (decision("person"), Act.HANDOFF, "asked"),
        (decision("upset", LISTED), Act.HANDOFF, "upset"),
        (decision("thanks", LISTED), Act.CHITCHAT, "thanks"),
        (decision("thanks", confidence=0.05), Act.CLARIFY, "meaning"),
        (decision("ok", text="?!"), Act.CLARIFY, "meaning"),
        (decision("unclear", LISTED), Act.CLARIFY, "meaning"),
        (decision("find", LISTED, confidence=0.2), Act.CLARIFY, "meaning"),
        (decision("find", LISTED, confidence=0.2, price=PriceRange(high=Decimal(9))), Act.RECOMMEND, ""),
        (decision("identity", constraints=(Constraint("text", "robot"),)), Act.CHITCHAT, "identity"),
        (decision("discount", confidence=0.2), Act.DECLINE, "not_possible"),
        (decision("order_status", article=0.9), Act.DECLINE, "no_information"),
        (decision("policy", article=0.4), Act.ANSWER, "policy"),
        (decision("policy", article=0.1), Act.DECLINE, "no_information"),
        (decision("find", QUOTED, article=0.2, is_question=True), Act.ANSWER, "policy"),
        (decision("product_question", LISTED), Act.CLARIFY, "item"),
        (decision("product_question", LISTED, references=("R2",)), Act.ANSWER, "product"),
        (decision("product_question", LISTED, article=0.7, is_question=True), Act.ANSWER, "policy"),
        (decision("vague"), Act.ASK, "category"),
        (decision("vague", START.with_(open_question=Question("category"))), Act.RECOMMEND, "popular"),
        (decision("find", goals=("home/rugs",)), Act.RECOMMEND, ""),
        (decision("find", LISTED, goals=("kitchen",)), Act.RECOMMEND, "changed"),
        (decision("find", unknown=("trombone",), words=("trombone",)), Act.DECLINE, "not_sold"),
        (decision("more", LISTED), Act.RECOMMEND, "more"),
        (decision("cheaper", LISTED), Act.RECOMMEND, "cheaper"),
        (decision("cheaper", LISTED, price=PriceRange(high=Decimal(9))), Act.RECOMMEND, ""),
        (decision("choose", LISTED, references=("R3",)), Act.RECOMMEND, "chosen"),
        (decision("compare", LISTED), Act.COMPARE, ""),
        (decision("explain", LISTED), Act.EXPLAIN, ""),
    ],
)
def test_an_act_for_a_message(made, act, reason):
    assert (made.act, made.reason) == (act, reason)


def test_a_comparison_is_of_what_was_named_else_of_the_first_two():
    assert decision("compare", LISTED, references=("R3", "R1")).about == ("R3", "R1")
    assert decision("compare", LISTED).about == ("R1", "R2")


def test_nothing_is_compared_or_explained_before_anything_was_shown():
    assert decision("compare").act not in (Act.COMPARE, Act.EXPLAIN)
    assert decision("explain").act not in (Act.COMPARE, Act.EXPLAIN)


def test_more_asks_for_fresh_products():
    assert decision("more", LISTED).fresh and not decision("find", LISTED, goals=("kitchen",)).fresh
