"""Who is a child by what is told of their age."""

import pytest

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, Match, Meaning
from botcore.dialogue.understanding.ages import childrens_ages, with_ages
from botcore.dialogue.words import tokens

CHILDREN, RUGS = Meaning("audience", "children"), Meaning(CATEGORY, "home/rugs")


def told(text):
    return [text[start:end] for start, end in childrens_ages(text)]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("a rug for my six-year-old", "six-year-old"),
        ("my son is 5 years old", "5 years old"),
        ("she has just turned four", "turned four"),
        ("for a girl, he's seven, rather", "he's seven"),
        ("a game, age 9", "age 9"),
        ("something for a boy of seven", "boy of seven"),
        ("孩子三岁半了", "三岁"),
        ("给十二岁的侄子", "十二岁"),
        ("8个月大", "8个月大"),
    ],
)
def test_a_childs_age_is_told(text, age):
    assert told(text) == [age]


@pytest.mark.parametrize(
    "text",
    [
        "my father is 70 years old",
        "the old kettle is six years old",
        "she is turning forty",
        "给六十岁的妈妈",
        "he's one of a kind",
        "a pack of five",
        "my daughter of seventeen",
        "a set of six",
        "delivered in 4 days",
    ],
)
def test_grown_people_things_and_numbers_are_no_children(text):
    assert told(text) == []


def lexicon(*meanings):
    built = Lexicon()
    for meaning in meanings:
        built.learn("children", meaning)
    return built


def test_a_childs_age_is_a_word_for_children():
    words = tokens("a rug for my six year old")
    assert with_ages("a rug for my six year old", words, [], lexicon(CHILDREN)) == [
        Match(4, 7, "children", (CHILDREN,))
    ]
    assert with_ages("a rug for my six year old", words, [], lexicon()) == []


def test_a_things_age_is_not():
    words = tokens("a ten year old rug")
    rug = Match(4, 5, "rug", (RUGS,))
    assert with_ages("a ten year old rug", words, [rug], lexicon(CHILDREN)) == [rug]
