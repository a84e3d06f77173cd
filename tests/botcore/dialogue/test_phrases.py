"""Approved phrases cover every act and occasion in both languages, and the English ones hold before the verifier."""

from itertools import product

import pytest

from botcore.dialogue.brief import TAG, Brief, ItemFacts
from botcore.dialogue.perceived import ASKED_FOR_WORDS
from botcore.dialogue.phrases import phrase_for
from botcore.dialogue.verify import verify

LETTERS = "ABC"


def items(count, language):
    kind, values = (
        ("jug", {"material": "clay", "color": "blue"}) if language == "en" else ("水壶", {"material": "陶土"})
    )
    slots = {"name": "n", "price": "p", "rating": "r", "reviews": "v", "capacity": "c"}
    return tuple(ItemFacts(letter, kind, values, slots) for letter in LETTERS[:count])


def briefs(language):
    english = language == "en"
    wish, under = ("jug", "under [budget]") if english else ("水壶", "[budget]以内")
    lost = ("clay",) if english else ("陶土",)
    budget = {"budget": "$9"}
    notes = [{}, *({"note": note} for note in ("cheaper", "more", "changed", "similar"))]
    for count, note, gave_up in product((1, 2, 3), notes, ((), lost, (*lost, under))):
        yield Brief(
            "recommend", wishes=(wish,), gave_up=gave_up, items=items(count, language), notes=note, slots=budget
        )
    options = "cups, bowls" if english else "杯子、碗"
    for attribute in ("category", "kind", "material"):
        yield Brief("ask", notes={"ask": attribute}, slots={})
        yield Brief("ask", notes={"ask": attribute, "options": options})
    yield Brief("answer", notes={"title": "Returns"}, slots={"quote": "q"})
    for note in (
        {"about": "A", "attribute": "material"},
        {"about": "A", "attribute": "capacity"},
        {"about": "A", "attribute": "price"},
        {"about": "A", "stock": "yes"},
        {"about": "A", "stock": "no"},
        {"reason": "no_information"},
    ):
        yield Brief("answer", items=items(1, language), notes=note)
    for note in (
        {"differ": "price"},
        {"differ": "color", "cheaper": "A"},
        {"differ": "color", "cheaper": "B", "rated": "A"},
    ):
        yield Brief("compare", items=items(2, language), notes=note)
    yield Brief("explain", wishes=(wish,), items=items(1, language), notes={"because": wish})
    yield Brief("explain", items=items(1, language), notes={"because": f"{wish}; {under}"}, slots=budget)
    topics = ("greeting", "thanks", "goodbye", "wellbeing", "identity", "compliment", "smalltalk", "ok")
    yield from (Brief("chitchat", notes={"topic": topic}, slots={"shop": "s"}) for topic in topics)
    yield from (Brief("handoff", notes={"reason": reason}, slots={"shop": "s"}) for reason in ("asked", "upset"))
    yield from (Brief("clarify", notes={"unclear": what}) for what in ("meaning", "item", *sorted(ASKED_FOR_WORDS)))
    for reason in ("not_sold", "not_possible", "no_information", "nothing_fits"):
        yield Brief("decline", wishes=(wish,), notes={"reason": reason})
    yield Brief("decline", notes={"reason": "not_sold"}, slots={"asked": "a"})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_act_and_occasion_has_phrases_with_known_tags_only(language):
    for brief, seed in product(briefs(language), range(6)):
        text = phrase_for(brief, language, seed)
        assert set(TAG.findall(text)) <= set(brief.tags()), (brief, text)
        assert "{" not in text


def test_every_english_phrase_holds_before_the_verifier():
    refused = {
        (brief.act, text): verdict.problems
        for brief, seed in product(briefs("en"), range(12))
        if not (verdict := verify(text := phrase_for(brief, "en", seed), brief)).accepted
    }
    assert refused == {}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_was_given_up_is_said(language):
    for brief, seed in product(briefs(language), range(6)):
        text = phrase_for(brief, language, seed)
        assert all(wish in text for wish in brief.gave_up), (brief.gave_up, text)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("what", sorted(ASKED_FOR_WORDS))
def test_every_file_that_came_to_nothing_has_its_words(what, language):
    said = {phrase_for(Brief("missed", notes={"reason": what}), language, seed) for seed in range(4)}
    asked = {phrase_for(Brief("clarify", notes={"unclear": what}), language, seed) for seed in range(4)}
    assert len(asked) > 1
    assert said.isdisjoint(asked)


@pytest.mark.parametrize(("language", "one", "several"), [("en", "this", "these"), ("zh", "这款", "这几款")])
def test_what_looks_like_a_picture_is_counted_rightly(language, one, several):
    for count, number in product((1, 2, 3), range(6)):
        text = phrase_for(Brief("pictured", items=items(count, language)), language, number).lower()
        assert (one in text, several in text) == (count == 1, count > 1)


def test_another_seed_words_the_same_brief_differently():
    brief = Brief("chitchat", notes={"topic": "greeting"}, slots={"shop": "s"})
    assert len({phrase_for(brief, "zh", seed) for seed in range(8)}) > 1


def test_an_occasion_nobody_wrote_a_phrase_for_is_an_error():
    with pytest.raises(LookupError, match="juggle"):
        phrase_for(Brief("juggle"), "en", 0)
