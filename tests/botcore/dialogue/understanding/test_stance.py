"""The learned stance, by the real reader: it hears refusals that no rule knows, and puts them where the rules put theirs."""

from __future__ import annotations

import pytest

from botcore.dialogue.meanings import CATEGORY, Match, Meaning
from botcore.dialogue.understanding.polarity import Stances, stances
from botcore.dialogue.understanding.stance import Stance, by_rules, revised
from botcore.dialogue.words import tokens
from workers.engine import load_reader


def said_of(text: str, name: str) -> str:
    """The stance towards one value of a message, after rules and reader."""
    words = tokens(text)
    start = text.index(name)
    inside = [i for i, token in enumerate(words) if start <= token.start < start + len(name)]
    match = Match(inside[0], inside[-1] + 1, name, (Meaning("material", name),))
    read = revised(text, words, [match], stances(text, words, [match]), load_reader())
    return by_rules(range(match.first, match.last), read)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("wool makes me itch, so keep it well away from me", "wool", Stance.REFUSED),
        ("i swore off velvet after the last sofa", "velvet", Stance.REFUSED),
        ("a lamp in brass please", "brass", Stance.WANTED),
        ("no rush at all, looking for a lamp in brass", "brass", Stance.WANTED),
        ("couldn't you show me the linen one?", "linen", Stance.WANTED),
        ("羊毛扎人", "羊毛", Stance.REFUSED),
        ("塑料的我可受够了，有别的吗", "塑料", Stance.REFUSED),
        ("想要一盏黄铜的灯", "黄铜", Stance.WANTED),
        ("没用过陶瓷的，想试试", "陶瓷", Stance.WANTED),
    ],
)
def test_what_is_said_of_a_thing(text, name, expected):
    assert said_of(text, name) == expected


def test_a_category_keeps_what_the_rules_say():
    text = "i'm allergic to boots"
    words = tokens(text)
    boots = Match(len(words) - 1, len(words), "boots", (Meaning(CATEGORY, "shoes/boots"),))
    assert revised(text, words, [boots], Stances(), load_reader()) == Stances()
