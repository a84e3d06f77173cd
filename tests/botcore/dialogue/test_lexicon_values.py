"""Names of values that are everyday words, or are written apart."""

from __future__ import annotations

import pytest

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, Meaning
from botcore.dialogue.words import tokens

EVENING, EVERYDAY = Meaning("occasion", "evening"), Meaning("occasion", "everyday")


def built_of(*names: tuple[str, Meaning]) -> Lexicon:
    built = Lexicon(attributes={"occasion": {"evening": 3, "everyday": 4}})
    for name, meaning in names:
        built.learn(name, meaning)
    for key, (phrase, meanings) in built.phrases.items():
        built.recognise(key, phrase, meanings)
    built.automaton.make_automaton()
    return built


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return built_of((EVENING.value, EVENING), (EVERYDAY.value, EVERYDAY))


@pytest.mark.parametrize("order", [("clothing", "clothes"), ("clothes", "clothing")])
@pytest.mark.parametrize("word", ["clothing", "clothes"])
def test_a_category_is_known_by_all_of_its_names_of_one_stem(order, word):
    clothing = Meaning(CATEGORY, "clothing")
    built = built_of(*((name, clothing) for name in order))
    assert [match.meanings for match in built.match(tokens(f"a piece of {word}"))] == [(clothing,)]


def test_and_is_written_in_more_than_one_way():
    home = Meaning(CATEGORY, "home")
    built = built_of(("home & money", home))
    assert [match.meanings for match in built.match(tokens("books on home and money"))] == [(home,)]


def test_another_form_of_a_categorys_name_is_none():
    built = built_of(("dresses", Meaning(CATEGORY, "dresses")))
    assert built.match(tokens("something dressier")) == []


@pytest.mark.parametrize(("text", "found"), [("it definitely has to", False), ("it should run quietly", True)])
def test_an_adverb_is_its_own_adjective_alone(text, found):
    built = built_of(("definition", Meaning("effect", "definition")), ("quiet", Meaning("noise", "quiet")))
    assert bool(built.match(tokens(text))) is found


@pytest.mark.parametrize(("text", "found"), [("带盖的", True), ("有盖的", True), ("皮带", False)])
def test_a_character_behind_a_verb_of_having_is_a_name(text, found):
    built = built_of(("盖", Meaning("feature", "lid")), ("皮", Meaning("material", "leather")))
    assert bool(built.match(tokens(text))) is found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a coat for the evening", True),
        ("something for evening", True),
        ("good evening", False),
        ("i saw it this evening", False),
        ("one for evenings out", True),
    ],
)
def test_an_everyday_word_is_a_value_where_it_says_what_something_is_for(lexicon, text, said):
    found = [meaning for match in lexicon.match(tokens(text)) for meaning in match.meanings]
    assert (EVENING in found) is said


@pytest.mark.parametrize(("first", "second", "apart"), [("every", "day", True), ("every", "evening", False)])
def test_a_name_may_be_written_apart(lexicon, first, second, apart):
    assert lexicon.apart(first, second) is apart


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a leather weekender", True),
        ("for this weekend", False),
        ("decorative bowls", True),
        ("we want to decorate the porch", False),
        ("a suit for work", True),
        ("red suits me better", False),
    ],
)
def test_a_verb_or_a_time_is_no_name(text, found):
    bag, look, suit = Meaning("kind", "weekender"), Meaning("style", "decorative"), Meaning("kind", "suit")
    built = built_of(("weekender", bag), ("decorative", look), ("suit", suit))
    assert bool(built.match(tokens(text))) is found
