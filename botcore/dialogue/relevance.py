"""How well a product's title answers a whole talk: features of the customer's messages, weighed by a learned model.

Pure: no database, no encoder. ``rank.py`` brings candidates and vectors; ``workers/training/relevance.py`` learns the
weights from logged dialogues and writes ``data/relevance.json``.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from botcore.dialogue.understanding.polarity import NEGATION_ENDS, NEGATIONS, NOT_NEGATIONS
from botcore.dialogue.words import CLAUSE_END, DATA, FUNCTION_WORDS, normalise, stem
from catalog.text import segment

Floats = npt.NDArray[np.float64]

WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?|[\u3400-\u9fff]+")
CLAUSE_WORD = re.compile(r"[a-z]+'[a-z]+|[a-z0-9]+(?:\.[0-9]+)?|[\u3400-\u9fff]+")
HEAD_END = re.compile(r"[,|(:;\u2013]| - | with | for ")
HEAD_WORDS = 3
"""A title names the thing itself in the last words before the first comma, "with" or "for"."""

SATURATION, LENGTH_SHARE = 1.2, 0.75
"""BM25's k1 and b (Robertson and Zaragoza 2009)."""

FUNCTION_STEMS = frozenset(stem(word) for word in FUNCTION_WORDS)

LEXICAL = ("words", "coverage", "head", "ruled_out")
SEMANTIC = ("spoken", "meaning", "meaning_first")
FEATURES = (*LEXICAL, *SEMANTIC)
"""The columns of :func:`features`, in order. Tried and left out, for they brought nothing on held-out talks: the latest
message alone, words early in a title, pairs of words."""


@dataclass(frozen=True)
class Talk:
    """The customer's messages, oldest first."""

    messages: tuple[str, ...]

    @cached_property
    def wanted(self) -> tuple[tuple[str, ...], ...]:
        """Stems of content words by message, without what the message rules out."""
        return tuple(tuple(_content(word for word, negated in _read(m) if not negated)) for m in self.messages)

    @cached_property
    def ruled_out(self) -> frozenset[str]:
        """Stems that were only ever said behind a negation."""
        negated = {w for m in self.messages for w in _content(word for word, negated in _read(m) if negated)}
        return frozenset(negated - {word for message in self.wanted for word in message})

    @cached_property
    def all_wanted(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for message in self.wanted for word in message))

    def words(self) -> tuple[str, ...]:
        """What to search texts for: the content words as written, the latest last."""
        return tuple(dict.fromkeys(word for message in self.messages for word in _content_text(message).split()))

    def queries(self) -> tuple[str, str, str]:
        """The texts whose vectors make :data:`SEMANTIC`: all as written, the content words of all, those of the first."""
        content = [_content_text(message) for message in self.messages]
        return " ".join(self.messages).strip(), " ".join(filter(None, content)), content[0]


@dataclass(frozen=True)
class Collection:
    """How common words are in the texts that are searched: by stem, the number of products that hold it."""

    frequency: Mapping[str, int]
    size: int

    @classmethod
    def of(cls, titles: Iterable[str]) -> Collection:
        read = [set(_read_title(title).counts) for title in titles]
        return cls(Counter(word for words in read for word in words), len(read))

    def rarity(self, word: str) -> float:
        """BM25's inverse document frequency as a share of that of a word no product holds, 0 to 1."""
        return _idf(min(self.frequency.get(word, 0), self.size), self.size) / _idf(0, self.size)


@dataclass(frozen=True)
class Speech:
    """How ordinary a stem is in customers' talk: the number of logged talks that say it, of ``talks``.

    What everybody says ("price", "picture", "quality") tells little about which product is meant.
    """

    frequency: Mapping[str, int] = field(default_factory=dict)
    talks: int = 0

    @classmethod
    def of(cls, talks: Iterable[Talk]) -> Speech:
        said = [set(talk.all_wanted) | talk.ruled_out for talk in talks]
        return cls(Counter(word for words in said for word in words), len(said))

    def tells(self, word: str) -> float:
        """1 for a word that nobody says, towards 0 for one that everybody does."""
        return math.log((self.talks + 1) / (self.frequency.get(word, 0) + 0.5)) / math.log((self.talks + 1) / 0.5)


@dataclass(frozen=True)
class Relevance:
    """The learned model: a weight for each of :data:`FEATURES` and how ordinary customers' words are."""

    weights: Mapping[str, float]
    speech: Speech

    @classmethod
    def load(cls, path: Path) -> Relevance:
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(data["weights"], Speech(data["speech"]["frequency"], data["speech"]["talks"]))

    def scores(self, table: Floats) -> Floats:
        """The score of each row of :func:`features`."""
        return table @ np.array([self.weights.get(name, 0.0) for name in FEATURES])


@lru_cache(maxsize=1)
def shipped() -> Relevance:
    """The model in ``data/relevance.json``, read once."""
    return Relevance.load(DATA / "relevance.json")


def features(
    talk: Talk, titles: Sequence[str], similarity: npt.ArrayLike, collection: Collection, speech: Speech
) -> Floats:
    """One row for each title, one column for each of :data:`FEATURES`.

    ``similarity`` has shape ``(len(titles), 3)``: the cosine of a title with each of :meth:`Talk.queries`, 0 where there
    is none. Weights of words are shares (0 to 1), so that columns mean the same in a small shop and in a large one.
    """
    weight = {word: collection.rarity(word) * speech.tells(word) for word in {*talk.all_wanted, *talk.ruled_out}}
    read = [_read_title(title) for title in titles]
    length = sum(title.length for title in read) / max(len(read), 1) or 1.0
    table = np.zeros((len(read), len(LEXICAL)))
    for row, title in enumerate(read):
        if not weight.keys().isdisjoint(title.counts):
            table[row] = _lexical(talk, title, weight, length)
    return np.hstack([table, np.asarray(similarity, dtype=np.float64).reshape(len(read), len(SEMANTIC))])


def _lexical(talk: Talk, title: _Title, weight: Mapping[str, float], length: float) -> list[float]:
    def matched(words: Iterable[str]) -> float:
        return sum(weight[word] * _saturated(title.counts[word], title.length / length) for word in set(words))

    wanted = [word for word in talk.all_wanted if word in title.counts]
    told = sum(weight[word] for word in talk.all_wanted)
    return [
        matched(talk.all_wanted),
        sum(weight[word] for word in wanted) / told if told else 0.0,
        sum(weight[word] for word in wanted if word in title.head),
        matched(talk.ruled_out),
    ]


@dataclass(frozen=True)
class _Title:
    """A title as the features read it: how often each stem stands in it, and which name the thing itself."""

    length: int
    counts: Counter[str]
    head: frozenset[str]


@lru_cache(maxsize=20_000)
def _read_title(title: str) -> _Title:
    stems = _stems(segment(title))
    head = _stems(segment(HEAD_END.split(title, maxsplit=1)[0]))[-HEAD_WORDS:]
    return _Title(len(stems), Counter(stems), frozenset(head))


def title_names(title: str, kind: str) -> bool:
    """Whether a title's head holds the name of a kind, one word: a "rain jacket" is a jacket."""
    return stem(kind) in _read_title(title).head


def _stems(text: str) -> list[str]:
    return [stem(word) for word in WORD.findall(text)]


@lru_cache(maxsize=5_000)
def _read(message: str) -> tuple[tuple[str, bool], ...]:
    """The words of a message, and whether each stands behind a negation of its clause."""
    found = []
    for clause in CLAUSE_END.split(NOT_NEGATIONS.sub(" ", normalise(message))):
        negated = False
        for word in CLAUSE_WORD.findall(segment(clause)):
            if word in NEGATIONS:
                negated = True
            elif negated and word in NEGATION_ENDS:
                negated = word in ("like", "want", "need")
            found.append((word, negated))
    return tuple(found)


def _content(words: Iterable[str]) -> list[str]:
    """Stems of the words that say what is wanted, numbers and codes included."""
    plain = (word for word in words if word not in FUNCTION_WORDS and word not in NEGATIONS)
    return [found for word in plain if (found := stem(word.removesuffix("'s"))) not in FUNCTION_STEMS]


def _content_text(message: str) -> str:
    """A message's content words as written, for the encoder."""
    return " ".join(word for word, negated in _read(message) if not negated and _content([word]))


def _saturated(count: int, relative_length: float) -> float:
    """BM25's term frequency part, 0 to k1 + 1."""
    return count * (SATURATION + 1) / (count + SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * relative_length))


def _idf(holding: int, size: int) -> float:
    return math.log(1 + (size - holding + 0.5) / (holding + 0.5))
