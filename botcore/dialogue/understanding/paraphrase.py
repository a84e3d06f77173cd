"""Values that a message says in words of its own ("evenings out": evening), found by the sentence encoder.

Only words that nothing else has read are tried, only against values that the talk's products have, and only what is
much nearer to one of them than to any other counts. English: the encoder reads nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from botcore.dialogue.lexicon.lexicon import HAND_MADE, UNREADABLE, Lexicon
from botcore.dialogue.meanings import CATEGORY, Match, Meaning
from botcore.dialogue.names import attribute_words
from botcore.dialogue.ports import Encoder
from botcore.dialogue.words import FUNCTION_WORDS, NUMERALS, Token, language_of, stem

LONGEST = 4
AT_ONCE = 24
"""Windows of a message that are encoded, its first ones: a reply has its budget of time."""
NEAR, MARGIN = 0.58, 0.15
"""The least cosine of a paraphrase with a value, and how much further off the next value is. By the pairs of
``tests/botcore/dialogue/understanding/test_paraphrase.py`` and the development phrasings."""
NAMES = UNREADABLE | {"gender", "audience", "size", "language"}
"""Attributes whose values are names, or are read by the grammar of people and sizes."""


def paraphrased(
    text: str, words: Sequence[Token], matches: Sequence[Match], goal: str, lexicon: Lexicon, encoder: Encoder
) -> list[Match]:
    """The matches with those of paraphrases, in the order of the message. ``goal`` is what the talk was about before."""
    named = [m.value for match in matches for m in match.meanings if m.attribute == CATEGORY]
    goal = named[0] if named else goal
    windows = [*islice(_windows(words, matches, lexicon), AT_ONCE)] if goal and language_of(text) == "en" else []
    values = _values(goal, lexicon) if windows else []
    if not values:
        return list(matches)
    said = [" ".join(token.text for token in words[first:last]) for first, last in windows]
    near = encoder.encode(said) @ encoder.encode([meaning.value for meaning in values]).T
    found = list(matches)
    for row in np.argsort(-near.max(axis=1)):
        first, last = windows[row]
        best, next_best = np.sort(near[row])[::-1][:2] if len(values) > 1 else (near[row, 0], 0.0)
        free = all(match.last <= first or match.first >= last for match in found)
        if free and best >= NEAR and best - next_best >= MARGIN:
            meaning = values[int(near[row].argmax())]
            spoken = {stem(token.text) for token in words[first:last]}
            guessed = spoken.isdisjoint(map(stem, meaning.value.split()))
            found.append(Match(first, last, meaning.value, (meaning,), guessed=guessed))
    return sorted(found, key=lambda match: match.first)


def _windows(words: Sequence[Token], matches: Sequence[Match], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Up to four words in a row that nothing has read, one of them at least of content; "size" alone names no value."""
    aspects = frozenset().union(*map(attribute_words, lexicon.attributes))
    taken = {i for match in matches for i in range(match.first, match.last)}
    free = [token.is_word and i not in taken and token.text not in NUMERALS for i, token in enumerate(words)]
    telling = [
        free[i] and token.text not in FUNCTION_WORDS | aspects and len(token.text) > 2 for i, token in enumerate(words)
    ]
    for first in range(len(words)):
        for last in range(first + 1, min(first + LONGEST, len(words)) + 1):
            if not free[last - 1]:
                break
            if any(telling[first:last]) and (telling[first] or telling[last - 1]):
                yield first, last


def _values(goal: str, lexicon: Lexicon) -> list[Meaning]:
    """What the products of a category may have, without names and numbers, and without how they were made ("hand-cut" is near to
    whatever is said of hands)."""
    return [
        meaning
        for meaning in lexicon.placed
        if meaning.attribute not in NAMES
        and not any(map(str.isdigit, meaning.value))
        and not HAND_MADE.search(meaning.value)
        and lexicon.holds(goal, meaning)
    ]
