"""A topic's name: the words that its sentences have and others have not (c-TF-IDF, Grootendorst 2022), as they are written."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import rjieba

from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, PLAIN, stem

WORDS = 2
"""Words or pairs of words in a name."""
FEWEST = 2
"""Sentences of a topic that have a word of its name."""
FEWEST_WORDS, FEWEST_CHARACTERS = 2, 3
"""Different ones that say something, in a sentence that speaks of a topic."""
COURTESY = frozenset("好谢您请哈嗯哦啦呀")
PAIR = 1.5
"""What two words that follow each other weigh against one: they are read more easily."""
_ENGLISH = re.compile(r"[A-Za-z][A-Za-z'-]*[A-Za-z]|[A-Za-z]")


def name_of(sentences: Sequence[str], others: Sequence[str], language: str) -> str:
    """A name for the topic of ``sentences`` beside what else is said; "" where they share no word."""
    own, elsewhere = _holding(sentences, language), _holding(others, language)
    written = _written(sentences, language)
    total = len(sentences) + len(others)
    scores = {
        term: (PAIR if len(term) > 1 else 1.0) * own[term] * math.log(1 + total / (own[term] + elsewhere[term]))
        for term in own
        if own[term] >= min(FEWEST, len(sentences))
    }
    chosen: list[tuple[str, ...]] = []
    for term in sorted(scores, key=lambda term: (-scores[term], term)):
        if len(chosen) < WORDS and not any(set(term) & set(other) for other in chosen):
            chosen.append(term)
    return ("、" if language == "zh" else ", ").join(written[term] for term in chosen)


def tells_something(sentence: str) -> bool:
    """Whether a sentence has words that could name a topic ("Thanks!" and "10/10" have none)."""
    if CHINESE.search(sentence):
        return len(set(CHINESE.findall(sentence)) - PLAIN - COURTESY) >= FEWEST_CHARACTERS
    return len({key for key, _ in _terms(sentence, "en")}) >= FEWEST_WORDS


def _holding(sentences: Iterable[str], language: str) -> Counter[tuple[str, ...]]:
    """How many of the sentences hold each word and each pair of neighbours."""
    return Counter(term for sentence in sentences for term in _spans(sentence, language))


def _spans(sentence: str, language: str) -> dict[tuple[str, ...], str]:
    """Words and pairs of a sentence by their stems, with how they are written there."""
    joint = "" if language == "zh" else " "
    found: dict[tuple[str, ...], str] = {}
    terms = _terms(sentence, language)
    for stemmed, word in terms:
        found.setdefault((stemmed,), word)
    for (one, first), (other, second) in pairwise(_with_gaps(sentence, terms)):
        if one and other and one != other:
            found.setdefault((one, other), first + joint + second)
    return found


def _with_gaps(sentence: str, terms: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The words with an empty one wherever something else stands between two of them."""
    found, place = [], 0
    for stemmed, word in terms:
        start = sentence.index(word, place)
        if sentence[place:start].strip():
            found.append(("", ""))
        found.append((stemmed, word))
        place = start + len(word)
    return found


def _written(sentences: Iterable[str], language: str) -> dict[tuple[str, ...], str]:
    """The commonest writing of each term."""
    ways: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for term, written in _spans(sentence, language).items():
            ways[term][written] += 1
    return {term: min(seen, key=lambda way: (-seen[way], way)) for term, seen in ways.items()}


def _terms(sentence: str, language: str) -> list[tuple[str, str]]:
    """The words that say something, stemmed, and as they are written, in order."""
    if language != "zh":
        words = (word.removesuffix("'s") for word in _ENGLISH.findall(sentence))
        return [(stem(word.lower()), word) for word in words if len(word) > 1 and word.lower() not in FUNCTION_WORDS]
    cut = (word for word in rjieba.cut(sentence, True) if word.isalnum() and not word.isdigit())
    return [(word.lower(), word) for word in cut if len(word) > 1 and not set(word) <= PLAIN]
