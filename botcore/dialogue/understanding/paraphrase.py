"""Values and kinds of products that a message says in words of its own ("evenings out": evening), found by the sentence
encoder.

Only words that nothing else has read are tried, and only what is much nearer to one of the shop's words than to any other
counts: values against those that the talk's products have, kinds where the message names none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import rjieba

from botcore.dialogue.lexicon import UNREADABLE, Lexicon
from botcore.dialogue.meanings import CATEGORY, Match, Meaning
from botcore.dialogue.ports import Encoder
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, Token, language_of

LONGEST = 4
AT_ONCE = 24
"""Windows of a message that are encoded, its first ones: a reply has its budget of time."""
NAMES = UNREADABLE | {"gender", "audience", "size", "language"}
"""Attributes whose values are names, or are read by the grammar of people and sizes."""
KINDS_AT_MOST = 3000
"""So many names of kinds are compared with a message; a shop with more has to be asked in its own words."""


@dataclass(frozen=True)
class Bound:
    """The least cosine of a paraphrase, and how much further off the next thing is."""

    near: float
    margin: float


VALUES = {"en": Bound(0.58, 0.15), "zh": Bound(0.8, 0.15)}
"""By the pairs of ``tests/botcore/dialogue/understanding/test_paraphrase.py`` and the development phrasings. Any two Chinese
texts are nearer to each other than English ones."""
KINDS = Bound(0.75, 0.09)
"""By looking at fifty words for kinds in two shops: "denims" is .85 from jeans, "a birthday present" .68 from accessories."""


@dataclass(frozen=True)
class _Window:
    """Tokens ``[first, last)`` that nothing has read, and their text."""

    first: int
    last: int
    text: str

    def free_of(self, matches: Sequence[Match]) -> bool:
        return all(match.last <= self.first or match.first >= self.last for match in matches)


def paraphrased(
    text: str, words: Sequence[Token], matches: Sequence[Match], goal: str, lexicon: Lexicon, encoder: Encoder
) -> list[Match]:
    """The matches with those of paraphrases, in the order of the message. ``goal`` is what the talk was about before."""
    language = language_of(text)
    windows = [*islice(_windows(words, matches, language), AT_ONCE)]
    found = list(matches)
    if windows and not any(m.attribute == CATEGORY for match in matches for m in match.meanings):
        found += _nearest_kind(windows, lexicon, encoder)
    named = [m.value for match in found for m in match.meanings if m.attribute == CATEGORY]
    goal = named[0] if named else goal
    if windows and goal:
        found += _nearest_values(windows, found, _values(goal, lexicon), language, lexicon, encoder)
    return sorted(found, key=lambda match: match.first)


def _nearest_kind(windows: Sequence[_Window], lexicon: Lexicon, encoder: Encoder) -> list[Match]:
    """The kind of product that a window of the message means, if one is clearly meant."""
    kinds = lexicon.kind_phrases()
    if not 0 < len(kinds) <= KINDS_AT_MOST:
        return []
    near = encoder.encode([window.text for window in windows]) @ encoder.encode([phrase for phrase, _ in kinds]).T
    row, column = map(int, np.unravel_index(int(near.argmax()), near.shape))
    phrase, meanings = kinds[column]
    others = [i for i, (_, other) in enumerate(kinds) if not other & meanings]
    next_best = float(near[row, others].max()) if others else 0.0
    if near[row, column] < KINDS.near or near[row, column] - next_best < KINDS.margin:
        return []
    return [Match(windows[row].first, windows[row].last, phrase, tuple(sorted(meanings)))]


def _nearest_values(
    windows: Sequence[_Window],
    matches: Sequence[Match],
    values: Sequence[Meaning],
    language: str,
    lexicon: Lexicon,
    encoder: Encoder,
) -> list[Match]:
    """The values that windows of the message mean, nearest first, not overlapping."""
    if not values:
        return []
    bound, names = VALUES[language], [value.value for value in values]
    said = encoder.encode([window.text for window in windows])
    near = said @ encoder.encode(names).T
    if language == "zh":
        near = np.maximum(near, said @ encoder.encode([lexicon.name(value, language) for value in values]).T)
    found: list[Match] = []
    for row in np.argsort(-near.max(axis=1)):
        window = windows[row]
        best, next_best = np.sort(near[row])[::-1][:2] if len(values) > 1 else (near[row, 0], 0.0)
        if window.free_of([*matches, *found]) and best >= bound.near and best - next_best >= bound.margin:
            meaning = values[int(near[row].argmax())]
            found.append(Match(window.first, window.last, meaning.value, (meaning,)))
    return found


def _windows(words: Sequence[Token], matches: Sequence[Match], language: str) -> Iterator[_Window]:
    """Up to four words in a row that nothing has read, one of them at least of content."""
    taken = {i for match in matches for i in range(match.first, match.last)}
    parts = [*_chinese_words(words, taken)] if language == "zh" else [*_english_words(words, taken)]
    glue = "" if language == "zh" else " "
    for first, start in enumerate(parts):
        for last in range(first + 1, min(first + LONGEST, len(parts)) + 1):
            run = parts[first:last]
            if any(before.last != after.first for before, after in pairwise(run)):
                break
            telling = [_tells(part.text) for part in (run[0], run[-1])]
            if any(telling) and len(text := glue.join(part.text for part in run)) > 1:
                yield _Window(start.first, run[-1].last, text)


def _tells(word: str) -> bool:
    return word not in FUNCTION_WORDS and (len(word) > 2 or CHINESE.match(word) is not None)


def _english_words(words: Sequence[Token], taken: set[int]) -> Iterator[_Window]:
    for i, token in enumerate(words):
        if token.is_word and i not in taken:
            yield _Window(i, i + 1, token.text)


def _chinese_words(words: Sequence[Token], taken: set[int]) -> Iterator[_Window]:
    """The words that runs of free characters are cut into."""
    run: list[int] = []
    for i in range(len(words) + 1):
        if i < len(words) and i not in taken and CHINESE.match(words[i].text):
            run.append(i)
            continue
        place = run[0] if run else 0
        for word in rjieba.cut("".join(words[j].text for j in run), False):
            yield _Window(place, place + len(word), word)
            place += len(word)
        run = []


def _values(goal: str, lexicon: Lexicon) -> list[Meaning]:
    """What the products of a category may have, without names and numbers."""
    return [
        meaning
        for meaning in lexicon.placed
        if meaning.attribute not in NAMES and not any(map(str.isdigit, meaning.value)) and lexicon.holds(goal, meaning)
    ]
