"""Which act answers which reading: a table of decisions. Pure."""

from decimal import Decimal

import pytest

from botcore.dialogue.answer import Answer
from botcore.dialogue.decide import Decision, decide
from botcore.dialogue.evidence import Kind
from botcore.dialogue.intents import Intent
from botcore.dialogue.state import Act, Constraint, DialogueState, PriceRange, Question
from botcore.dialogue.track import track
from botcore.dialogue.understand import Understanding

START = DialogueState()
LISTED = DialogueState(turn=1, goal="home/rugs", shown=(("R1", "R2", "R3"),))
QUOTED = LISTED.with_(last_article="returns", last_quote="...")


def source(kind, near, id_="returns", some=0.0):
    return Answer(kind, id_, "Returns", "Within 30 days.", "Within 30 days.", near, some=some)


def decision(intent, before=START, confidence=0.9, answer=None, **what):
    said = Understanding(what.pop("text", "hm"), "en", Intent(intent, {intent: confidence}), **what)
    return decide(before, track(before, said, ()), said, answer)


SURE_ARTICLE, UNSURE_ARTICLE = source(Kind.ARTICLE, 0.65), source(Kind.ARTICLE, 0.3)
DESCRIBED = source(Kind.DESCRIPTION, 0.7, "R2")
FOCUSED = LISTED.with_(focus="R2")
BROKEN, EASED, UNEASED = source(Kind.ARTICLE, 0.45), (Act.ANSWER, "policy"), (Act.DECLINE, "no_information")


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
        (decision("order_status", answer=source(Kind.ARTICLE, 0.9)), Act.ANSWER, "policy"),
        (decision("order_status", answer=source(Kind.ARTICLE, 0.5)), Act.DECLINE, "no_information"),
        (decision("policy", answer=SURE_ARTICLE), Act.ANSWER, "policy"),
        (
            decision("policy", answer=UNSURE_ARTICLE, is_question=True, goals=("home/lamps",)),
            Act.DECLINE,
            "no_information",
        ),
        (decision("compare", is_question=True, goals=("home/rugs",)), Act.DECLINE, "no_information"),
        (decision("choose", LISTED), Act.CLARIFY, "item"),
        (decision("choose", FOCUSED), Act.RECOMMEND, "chosen"),
        (decision("choose", FOCUSED, beyond=True), Act.CLARIFY, "item"),
        (decision("product_question", FOCUSED, answer=DESCRIBED, beyond=True), Act.CLARIFY, "item"),
        (decision("choose", START, beyond=True), Act.ASK, "category"),
        (decision("not_meant", dropped_goals=("home/rugs",)), Act.ASK, "category"),
        (decision("policy", answer=UNSURE_ARTICLE), Act.DECLINE, "no_information"),
        (decision("policy", answer=source(Kind.ARTICLE, 0.3, some=0.9)), Act.ANSWER, "policy"),
        (decision("policy", answer=source(Kind.ARTICLE, 0.3, some=0.7)), Act.DECLINE, "no_information"),
        (decision("product_question", answer=source(Kind.ARTICLE, 0.3, some=0.9)), Act.ANSWER, "policy"),
        (decision("product_question", answer=SURE_ARTICLE, goals=("home/lamps",)), Act.ANSWER, "policy"),
        (decision("policy", answer=SURE_ARTICLE, price=PriceRange(high=Decimal(9))), Act.ANSWER, "policy"),
        (decision("find", answer=SURE_ARTICLE, price=PriceRange(high=Decimal(9))), Act.RECOMMEND, ""),
        (decision("policy", confidence=0.5, is_question=True, goals=("home/lamps",)), Act.DECLINE, "no_information"),
        (decision("find", answer=source(Kind.ARTICLE, 0.3, some=0.9), goals=("home/rugs",)), Act.RECOMMEND, ""),
        (decision("product_question", is_question=True, unknown=("wind",)), Act.DECLINE, "no_information"),
        (
            decision("cheaper", LISTED, answer=source(Kind.ATTRIBUTE, 0.9, "R2"), is_question=True),
            Act.RECOMMEND,
            "cheaper",
        ),
        (
            decision("discount", confidence=0.4, answer=source(Kind.ARTICLE, 0.7), is_question=True),
            Act.ANSWER,
            "policy",
        ),
        (decision("product_question", LISTED), Act.CLARIFY, "item"),
        (decision("product_question", LISTED, references=("R2",)), Act.DECLINE, "no_information"),
        (decision("product_question", FOCUSED, answer=DESCRIBED), Act.ANSWER, "product"),
        (decision("product_question", LISTED, answer=SURE_ARTICLE, is_question=True), Act.ANSWER, "policy"),
        (decision("find", FOCUSED, answer=DESCRIBED, is_question=True), Act.ANSWER, "product"),
        (decision("find", answer=SURE_ARTICLE, is_question=True, goals=("home/rugs",)), Act.RECOMMEND, ""),
        (decision("find", FOCUSED, text="which mill is it from?", is_question=True), Act.DECLINE, "no_information"),
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
        (decision("policy", answer=source(Kind.ARTICLE, 0.2, some=0.9)), Act.DECLINE, "no_information"),
        (decision("product_question", FOCUSED, answer=BROKEN, is_question=True, text="and if it breaks?"), *EASED),
        (decision("product_question", FOCUSED, answer=BROKEN, is_question=True, text="is it heavy?"), *UNEASED),
        (decision("smalltalk", FOCUSED, is_question=True, text="what if it sheds?"), *UNEASED),
        (decision("goes_with", FOCUSED, answer=SURE_ARTICLE, text="and if it doesn't fit me?"), Act.ANSWER, "policy"),
    ],
)
def test_an_act_for_a_message(made, act, reason):
    assert (made.act, made.reason) == (act, reason)


def test_a_comparison_is_of_what_was_named_else_of_the_whole_list():
    assert decision("compare", LISTED, references=("R3", "R1")).about == ("R3", "R1")
    assert decision("compare", LISTED).about == ("R1", "R2", "R3")


def test_nothing_is_compared_or_explained_before_anything_was_shown():
    assert decision("compare").act not in (Act.COMPARE, Act.EXPLAIN)
    assert decision("explain").act not in (Act.COMPARE, Act.EXPLAIN)


def test_more_asks_for_fresh_products():
    assert decision("more", LISTED).fresh and not decision("find", LISTED, goals=("kitchen",)).fresh


def test_those_of_a_list_that_are_so_are_shown_not_compared():
    asked = decision("compare", LISTED, text="which of those zip up?", references=("R1", "R3"))
    assert asked == Decision(Act.RECOMMEND, about=("R1", "R3"))
    assert decision("compare", LISTED, text="which of them is better?", references=("R1", "R3")).act is Act.COMPARE


def test_something_quieter_is_shown_not_answered():
    wish = (Constraint("noise", "quiet"),)
    asked = decision("find", FOCUSED, answer=source(Kind.DESCRIPTION, 0.65, "R2"), constraints=wish, is_question=True)
    assert asked.act is Act.RECOMMEND
