"""What others are to have of a shown item is its value of the attribute that goes by the words behind "same"."""

from __future__ import annotations

from decimal import Decimal

import pytest

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.pointing.likeness import shared
from botcore.dialogue.pointing.shown import ShownItem
from botcore.dialogue.state import DialogueState

ATTRIBUTES = {
    "author": ("mei lanfeng", "tom aldred"),
    "color": ("green", "red"),
    "brand": ("lumo",),
    "skin_type": ("dry",),
}
LEXICON = Lexicon(attributes={name: dict.fromkeys(values, 2) for name, values in ATTRIBUTES.items()})
SHOWN = [
    ShownItem("A", "A", "", Decimal(9), frozenset({"mei lanfeng", "green", "lumo", "dry"})),
    ShownItem("B", "B", "", Decimal(9), frozenset({"tom aldred", "red", "lumo"})),
]


def asked(text: str, *, pointed: tuple[str, ...] = (), focus: str = "") -> tuple[Meaning, ...]:
    return shared(text, pointed, SHOWN, DialogueState(focus=focus), LEXICON)


@pytest.mark.parametrize("text", ["anything else by the same author?", "同一个作者的还有吗", "一样作家的书"])
def test_the_item_in_the_spotlight_lends_its_value(text):
    assert asked(text, focus="B") == (Meaning("author", "tom aldred"),)


def test_the_item_pointed_at_comes_before_the_one_in_the_spotlight():
    assert asked("the first, and what has the same color?", pointed=("A",), focus="B") == (Meaning("color", "green"),)
    assert asked("for the same skin type as the first", pointed=("A",)) == (Meaning("skin_type", "dry"),)


def test_of_several_only_what_they_share_can_be_meant():
    assert asked("others of the same brand?") == (Meaning("brand", "lumo"),)
    assert asked("others of the same color?") == ()


@pytest.mark.parametrize("text", ["all the same to me", "the same again please", "同一款还有吗", "in red"])
def test_without_an_attribute_nothing_is_shared(text):
    assert asked(text, focus="A") == ()
