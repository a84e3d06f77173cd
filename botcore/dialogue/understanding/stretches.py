"""The stretches of a message that may mean a value in words of their own, and which of them surely do. Pure.

Serving (``paraphrase.py``) and training (``workers/training/values.py``) cut and choose through here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from botcore.dialogue.ports import Meant, titled
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, NUMERALS, PLAIN, Token

LONGEST = {"en": 8, "zh": 10}
"""Words, or Chinese characters, of the longest stretch that is tried."""
LIKELY, SURE = 0.8, 0.9
"""The least chance of a value that is preferred, and of one that must hold. By the held-out kinds of
``workers/training/own_words`` and the development phrasings."""


class Found(NamedTuple):
    """Tokens ``[first, last)`` that mean the value with this number, the chance that they do, and whether they refuse it."""

    first: int
    last: int
    value: int
    chance: float
    refused: bool


def value_told(attribute: str, value: str) -> str:
    """A value as the reader sees it."""
    return titled(attribute.replace("_", " "), value)


def windows(words: Sequence[Token], taken: Collection[int] = ()) -> Iterator[tuple[int, int]]:
    """Stretches of tokens ``[first, last)`` in one language that nothing has read and no sign cuts, one word at an end of
    content."""
    for first in range(len(words)):
        chinese = CHINESE.match(words[first].text) is not None
        longest = LONGEST["zh" if chinese else "en"]
        for last in range(first + 1, min(first + longest, len(words)) + 1):
            if last - 1 in taken or not _may_belong(words[last - 1], chinese):
                break
            if _tells(words[first]) or _tells(words[last - 1]):
                yield first, last


def _may_belong(token: Token, chinese: bool) -> bool:
    if chinese:
        return CHINESE.match(token.text) is not None
    return token.is_word and token.text not in NUMERALS


def _tells(token: Token) -> bool:
    if CHINESE.match(token.text):
        return token.text not in PLAIN
    return token.text not in FUNCTION_WORDS and len(token.text) > 2


def stretches_of(words: Sequence[Token], places: Sequence[tuple[int, int]], before: int = 0) -> list[tuple[int, int]]:
    """Where windows stand in a text that begins ``before`` characters earlier."""
    return [(before + words[first].start, before + words[last - 1].end) for first, last in places]


def surest(places: Sequence[tuple[int, int]], meant: Meant, least: float) -> list[Found]:
    """The windows that surely mean a value, the surest first, none over another."""
    chances = np.exp(meant.odds - np.logaddexp.reduce(np.pad(meant.odds, ((0, 0), (1, 0))), axis=1)[:, None])
    best = chances.argmax(axis=1)
    found: list[Found] = []
    for row in np.argsort(-chances.max(axis=1)):
        first, last = places[row]
        chance = float(chances[row, best[row]])
        if chance < least:
            break
        if all(last <= other.first or first >= other.last for other in found):
            found.append(Found(first, last, int(best[row]), chance, bool(meant.refused[row] > 1 / 2)))
    return found
