"""The reader's stances: it is believed where it is sure, hears refusals that no rule knows, and leaves categories alone."""

from __future__ import annotations

import numpy as np
import pytest

from botcore.dialogue.meanings import CATEGORY, TEXT, Match, Meaning
from botcore.dialogue.ports import MessageRead
from botcore.dialogue.understanding.polarity import Stances
from botcore.dialogue.understanding.stance import NOTHING, Stance, revised, stance_chances, things
from botcore.dialogue.words import tokens

LABELS = (NOTHING, *map(str, Stance))
TEXT_READ = "a lamp in brass please"


def read(stance: Stance, chance: float) -> MessageRead:
    """One piece over the whole text, of which the reader is so sure."""
    rest = (1 - chance) / (len(LABELS) - 2)
    row = [0.0] + [chance if label == stance else rest for label in LABELS[1:]]
    return MessageRead({}, ((0, len(TEXT_READ)),), np.array([row], dtype=np.float32), LABELS)


def brass(attribute: str = TEXT) -> Match:
    return Match(3, 4, "brass", (Meaning(attribute, "brass"),))


def after(stance: Stance, chance: float, rules: Stances, match: Match | None = None) -> Stances:
    return revised(tokens(TEXT_READ), [match or brass()], rules, read(stance, chance))


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("wool makes me itch, so keep it well away from me", "wool", Stance.REFUSED),
        ("a lamp in brass please", "brass", Stance.WANTED),
        ("羊毛扎人", "羊毛", Stance.REFUSED),
        ("想要一盏黄铜的灯", "黄铜", Stance.WANTED),
        ("not leather but brown is fine", "leather", Stance.REFUSED),
    ],
)
def test_what_is_said_of_a_thing(reader, text, name, expected):
    start = text.index(name)
    chances = stance_chances(reader.message(text), start, start + len(name))
    assert max(chances, key=lambda stance: chances[stance]) is expected


def test_a_sure_reader_is_believed_against_the_rules():
    assert after(Stance.WANTED, 0.95, Stances(refused=frozenset({3}))) == Stances()
    assert after(Stance.REFUSED, 0.95, Stances()) == Stances(refused=frozenset({3}))
    assert after(Stance.SOFT, 0.95, Stances()) == Stances(soft=frozenset({3}))


@pytest.mark.parametrize("text", ["not one in brass", "anything but a brass", "not made from brass"])
def test_a_refusal_right_before_its_object_stands_whatever_the_reader_says(text):
    words, rules = tokens(text), Stances(refused=frozenset({1, 2, 3}))
    read = MessageRead({}, ((0, len(text)),), np.array([[0.0, 0.95, *[0.01] * 6]], dtype=np.float32), LABELS)
    assert revised(words, [brass()], rules, read) == rules


def test_what_people_say_in_place_of_a_value_is_refused_by_rules_alone():
    saying = Match(3, 4, "wind cuts right through", (Meaning("feature", "windproof"),), saying=True)
    assert after(Stance.REFUSED, 0.99, Stances(), saying) == Stances()


def test_a_reader_in_doubt_leaves_the_rules_reading():
    assert after(Stance.WANTED, 0.4, Stances(refused=frozenset({3}))) == Stances(refused=frozenset({3}))


def test_what_is_only_told_is_no_wish():
    assert after(Stance.ASIDE, 0.95, Stances()) == Stances(idle=frozenset({3}))


def test_of_a_kind_of_product_the_reader_only_says_that_it_is_refused():
    assert after(Stance.REFUSED, 0.99, Stances(), brass(CATEGORY)) == Stances(refused=frozenset({3}))
    for stance in (Stance.WANTED, Stance.ASIDE, Stance.IDLE):
        assert after(stance, 0.99, Stances(), brass(CATEGORY)) == Stances()


def piecewise(text: str, named: dict[str, Stance]) -> MessageRead:
    """Every word a piece of its own, those named things of a sure stance."""
    words = tokens(text)
    rows = np.full((len(words), len(LABELS)), 0.01, dtype=np.float32)
    for row, word in zip(rows, words, strict=True):
        row[LABELS.index(named.get(word.text, NOTHING))] = 0.93
    return MessageRead({}, tuple((word.start, word.end) for word in words), rows, LABELS)


def test_things_that_no_phrase_covers_are_found_with_their_stance():
    text = "a swan neck kettle, no enamel"
    named = {"swan": Stance.WANTED, "neck": Stance.WANTED, "kettle": Stance.WANTED, "enamel": Stance.REFUSED}
    words = tokens(text)
    kettle = next(i for i, word in enumerate(words) if word.text == "kettle")
    known = Match(kettle, kettle + 1, "kettle", (Meaning(CATEGORY, "kettles"),))
    swan_neck, enamel = things(words, [known], piecewise(text, named))
    assert text[words[swan_neck.first].start : words[swan_neck.last - 1].end] == "swan neck"
    assert swan_neck.wanted > 0.9 > 0.1 > enamel.wanted
