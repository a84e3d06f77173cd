"""What the phrases of a message may stand for in a shop's vocabulary (``lexicon.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

CATEGORY = "category"
TEXT = "text"
KIND = "title"
"""The attribute of a kind of product that a category holds beside others: "humidifier" in "Air & Climate". Titles tell it."""
LACKS = "lacks"
"""The attribute of a word that a value says the absence of: "perfume" in "perfume-free"; its value is attribute=value."""


class Meaning(NamedTuple):
    """What a phrase stands for: a category path, an attribute's value, or a word looked up in all texts."""

    attribute: str
    value: str


@dataclass(frozen=True)
class Match:
    """A phrase of a message that the shop knows, by token positions ``[first, last)``; several meanings are ambiguous."""

    first: int
    last: int
    phrase: str
    meanings: tuple[Meaning, ...]
    inner: tuple[Match, ...] = ()
    """Values named inside a category's name, in front of its head ("espresso" in "espresso machine")."""
    guessed: bool = False
    """Whether the phrase is only near to the value by meaning: so are opposites, and such a one is never refused."""
    saying: bool = False
    """Whether it is one of the ways in which people say the value (``data/sayings``), which refuses nothing by itself."""
