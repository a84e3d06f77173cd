"""The stretches of a message that may mean a value in words of their own, and which of them surely do. Pure.

Serving (``paraphrase.py``) and training (``workers/training/values.py``) cut and choose through here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from botcore.dialogue.ports import Meant, titled
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, NUMERALS, PLAIN, Token

LONGEST = {"en": 8, "zh": 10}
"""Words, or Chinese characters, of the longest stretch that is tried."""
LIKELY, SURE = 0.9, 0.95
"""The least chance of a value that is preferred, and of one that must hold. By the held-out kinds of
``workers/training/own_words`` and the development phrasings."""
ALIKE, ALTERNATIVES = 0.25, 3
"""How likely, beside the likeliest value, another one of its attribute must be to do as well, and how many may."""


class Found(NamedTuple):
    """Tokens ``[first, last)``, the numbers of the values that they mean (one of them, the likeliest first), the chance that they
    do, and whether they refuse it."""

    first: int
    last: int
    values: tuple[int, ...]
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


def surest(places: Sequence[tuple[int, int]], meant: Meant, attributes: Sequence[str], least: float) -> list[Found]:
    """The windows that surely mean a value, or one of several near ones of an attribute ("stays put": long-lasting,
    transfer-proof), the surest first, none over another. ``attributes`` are those of the values."""
    chances = np.exp(meant.odds - np.logaddexp.reduce(np.pad(meant.odds, ((0, 0), (1, 0))), axis=1)[:, None])
    read = [_values_of(row, attributes) for row in chances]
    told = [float(row[list(values)].sum()) for row, values in zip(chances, read, strict=True)]
    found: list[Found] = []
    for row in np.argsort(-np.array(told)):
        first, last = places[row]
        if told[row] < least:
            break
        if all(last <= other.first or first >= other.last for other in found):
            found.append(Found(first, last, read[row], told[row], bool(meant.refused[row] > 1 / 2)))
    return found


def _values_of(chances: npt.NDArray[np.float32], attributes: Sequence[str]) -> tuple[int, ...]:
    """The likeliest value and those of its attribute that are about as likely."""
    best = int(chances.argmax())
    near = [
        i for i in np.argsort(-chances) if attributes[i] == attributes[best] and chances[i] >= ALIKE * chances[best]
    ]
    return tuple(int(i) for i in near[:ALTERNATIVES])
