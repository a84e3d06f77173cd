"""The learned stance: it hears refusals that no rule knows, and leaves the rules' readings alone."""

from __future__ import annotations

import numpy as np
import pytest

from botcore.dialogue.heads import shipped
from botcore.dialogue.meanings import CATEGORY, Match, Meaning
from botcore.dialogue.understanding.contexts import Mention, features
from botcore.dialogue.understanding.polarity import Stances
from botcore.dialogue.understanding.stance import Stance, hashed, judged, revised
from botcore.dialogue.words import tokens


def mention(text: str, name: str, rules: str = "wanted") -> Mention:
    start = text.index(name)
    return Mention(start, start + len(name), rules)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("wool makes me itch, so keep it well away from me", "wool", Stance.REFUSED),
        ("a lamp in brass please", "brass", Stance.WANTED),
        ("羊毛扎人", "羊毛", Stance.REFUSED),
        ("想要一盏黄铜的灯", "黄铜", Stance.WANTED),
    ],
)
def test_what_is_said_of_a_thing(text, name, expected):
    assert judged(text, [mention(text, name)], shipped("stance")) == [expected]


def test_what_the_rules_read_stands():
    text = "a lamp in brass please"
    assert judged(text, [mention(text, "brass", "refused")], shipped("stance")) == [Stance.REFUSED]


def test_features_do_not_hold_the_thing_itself():
    leather, lavender = "no leather please", "no lavender please"
    assert features(leather, [mention(leather, "leather")]) == features(lavender, [mention(lavender, "lavender")])


def test_features_are_hashed_to_length_one_beside_the_rules():
    places = hashed(["<same no", ">same please"])
    assert np.isclose(sum(value * value for value in places.values()), 1.0)
    assert hashed([]) == {}


def test_a_category_keeps_what_the_rules_say():
    text = "i'm allergic to boots"
    words = tokens(text)
    boots = Match(len(words) - 1, len(words), "boots", (Meaning(CATEGORY, "shoes/boots"),))
    assert revised(text, words, [boots], Stances()) == Stances()
