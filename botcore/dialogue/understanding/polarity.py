"""What a message wants, refuses, allows and no longer minds: negation and its scope, by clause. English and Chinese. Pure.

A refusal may stand before its object ("no leather or suede"), behind it ("purple doesn't suit her", "黑的不要"), or speak
of what the clause before named ("…, so skip that", "…，不考虑"). Two refusals, one inside the other, ask for a thing
("不带盖的就不用发了").
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

import yaml

from botcore.dialogue.meanings import CATEGORY, LACKS, Match
from botcore.dialogue.words import CHINESE, CLAUSE_END, DATA, Token

NEGATIONS = {"no", "not", "without", "don't", "dont", "never", "except", "hate", "avoid", "nothing", "neither", "nor",
             "isn't", "aren't", "doesn't", "mustn't", "can't", "cannot", "won't", "shouldn't", "non", "forget", "skip",
             "dislike"}  # fmt: skip
NEGATION_ENDS = {"but", "however", "though", "just", "rather", "instead", "prefer", "only", "like", "want", "need",
                 "mean", "meant", "wait", "sorry", "actually"}  # fmt: skip
NOT_NEGATIONS = re.compile(
    r"\b(?:don'?t (?:mind|care|know)|not (?:only|sure|too)|no (?:problem|idea|worries)|why not|needn'?t|"
    r"(?:doesn'?t|don'?t) (?:have|need) to)\b"
)

_ENDS = NEGATION_ENDS - {"rather", "instead"} | {"else"}
_RELATIVE = {"that", "which", "who", "whose", "with"}
_EXCEPT = re.compile(r"(?:without|except|other than|apart from|any ?thing but)")
_NEEDED = re.compile(r"[^，。,;；]{0,3}[买要考行看可收用选穿]")
"""Behind a second refusal in Chinese: what lacks a thing is not bought."""
AGAIN = frozenset("也 又 且 and or nor".split())
"""Right before a second refusal: it stands beside the first, not inside it."""
_OUTSIDE = re.compile(r"以外|之外|除外")
_ANY_BUT = re.compile(r"\b(?:any ?(?:thing|one|body)?|all|every ?(?:thing|one)?|nothing|none)(?: [a-z]+)? $")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """The cues of ``data/polarity.yaml`` by what they do."""
    listed = yaml.safe_load((DATA / "polarity.yaml").read_text(encoding="utf-8"))
    return {name: re.compile("|".join(entries), re.ASCII) for name, entries in listed.items()}


def _cue(name: str) -> re.Pattern[str]:
    return _patterns()[name]


@dataclass(frozen=True)
class Stances:
    """Token indices by what a message says of them; what is in none is wanted.

    ``idle`` is neither wanted nor refused ("I don't mind X"), ``unneeded`` no longer required ("it needn't be X"),
    ``allowed`` is acceptable, ``soft`` a preference.
    """

    refused: frozenset[int] = field(default_factory=frozenset)
    idle: frozenset[int] = field(default_factory=frozenset)
    unneeded: frozenset[int] = field(default_factory=frozenset)
    allowed: frozenset[int] = field(default_factory=frozenset)
    soft: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class _Clause:
    start: int
    end: int
    tokens: range
    text: str


def stances(
    text: str, words: Sequence[Token], matches: Sequence[Match], naming: frozenset[int] = frozenset()
) -> Stances:
    """What a normalised text says of each of its tokens; ``matches`` are the phrases that the shop knows, ``naming`` the
    tokens that name something whether or not it does."""
    return _Reader(text, words, matches, naming).read()


def disowned(text: str, place: int) -> bool:
    """Whether the clause says before a place that nobody said what stands there ("I never said under $100")."""
    return _cue("disowns").search(CLAUSE_END.split(text[:place])[-1]) is not None


def clauses(text: str, words: Sequence[Token]) -> list[_Clause]:
    """The clauses of a text, cut at punctuation and at "but", "so", "因为" and the like."""
    signs = (m.end() for m in CLAUSE_END.finditer(text) if not _decimal(text, m.start()))
    joins = (m.start() for m in _cue("breaks").finditer(text) if not _ANY_BUT.search(text[: m.start()]))
    cuts = sorted({0, len(text), *signs, *joins})
    found = []
    for start, end in itertools.pairwise(cuts):
        inside = [i for i, token in enumerate(words) if start <= token.start < end]
        if inside:
            found.append(
                _Clause(start, end, range(inside[0], inside[-1] + 1), text[start:end].strip(" ,.;:!?，。；：！？、\n"))
            )
    return found


def _decimal(text: str, place: int) -> bool:
    return text[place] in ".," and text[place - 1 : place].isdigit() and text[place + 1 : place + 2].isdigit()


class _Reader:
    """Goes through the clauses of one message."""

    def __init__(
        self, text: str, words: Sequence[Token], matches: Sequence[Match], naming: frozenset[int] = frozenset()
    ) -> None:
        self.text, self.words, self.matches = text, words, matches
        self.values = frozenset(i for m in matches if names_value(m) and not m.saying for i in range(m.first, m.last))
        known = frozenset(i for m in matches for i in range(m.first, m.last))
        self.named = known | naming
        self.refused: set[int] = set()
        self.idle: set[int] = set()
        self.unneeded: set[int] = set()
        self.allowed: set[int] = set()
        self.soft: set[int] = set()

    def read(self) -> Stances:
        before: _Clause | None = None
        listing = False
        for clause in clauses(self.text, self.words):
            plain = self._calm(clause)
            if not plain:
                wanted = self._doubled(clause)
                forward = self._forward(clause) if not wanted else set()
                if listing and self._continues(clause):
                    forward |= set(clause.tokens)
                if self._refuses_before(clause) and before:
                    self.refused |= self._objects(before.tokens)
                elif not wanted and not forward & self.named:
                    forward |= self._backward(clause)
                self.refused |= forward
                listing = bool(forward & self.values)
            else:
                listing = False
            if _cue("prefers").search(clause.text):
                self.soft |= set(clause.tokens)
            if self.values & set(clause.tokens):
                before = clause
        return Stances(*map(frozenset, (self.refused, self.idle, self.unneeded, self.allowed, self.soft)))

    def _calm(self, clause: _Clause) -> bool:
        """Whether the clause refuses nothing: it allows, does not mind, or needs no longer; noted as it is."""
        for pattern, behind, noted in (
            (_cue("disowns"), True, self.unneeded),
            (_cue("waives"), True, self.unneeded),
            (_cue("waives_behind"), False, self.unneeded),
            (_cue("idle"), True, self.idle),
            (_cue("idle_behind"), False, self.idle),
        ):
            if match := pattern.search(clause.text):
                place = self.text.find(match.group(), clause.start)
                told = [i for i in clause.tokens if (self.words[i].start > place) == behind]
                noted.update(itertools.takewhile(lambda i: not self._ends_scope(i), told) if behind else told)
                return True
        if _cue("asks_twice").search(clause.text):
            return True
        allowed = _cue("allows").search(clause.text) and not _cue("refuses").search(
            _cue("spared").sub(" ", clause.text)
        )
        if (allowed and not _OUTSIDE.search(clause.text)) or _cue("allows_twice").search(clause.text):
            self.allowed |= set(clause.tokens)
            return True
        return False

    def _cues(self, clause: _Clause) -> list[tuple[int, int]]:
        """Where a refusal opens its scope: the places in the text right behind each cue; what is part of a value's name refuses
        nothing ("不锈钢", "non-stick")."""
        spared = [m.span() for m in _cue("spared").finditer(self.text)]
        return [
            m.span()
            for m in _cue("refuses").finditer(self.text, clause.start, clause.end)
            if not any(start <= m.start() < end for start, end in spared) and not self._is_in_a_name(m.start())
        ]

    def _is_in_a_name(self, place: int) -> bool:
        """Whether what stands at a place of the text is only part of what says that a product has something ("不锈钢", "doesn't
        smell")."""
        around = [m for m in self.matches if self.words[m.first].start <= place < self.words[m.last - 1].end]
        named = [m for m in around if m.last - m.first > 1 and names_value(m)]
        return any(all(x.attribute != LACKS for x in m.meanings) for m in named)

    def _forward(self, clause: _Clause) -> set[int]:
        """The tokens behind a refusal, to the end of the clause or a turn of mind; in Chinese to the 的 before a head."""
        found: set[int] = set()
        for m in _cue("refuses_around").finditer(self.text, clause.start, clause.end):
            name = "said" if m["said"] else "to"
            found |= {i for i in clause.tokens if m.start(name) <= self.words[i].start < m.end(name)}
        cues = self._cues(clause)
        inside = False
        for index in clause.tokens:
            token = self.words[index]
            if any(start <= token.start < end for start, end in cues):
                inside = True
                continue
            behind = any(start <= self.words[index - 1].start < end for start, end in cues)  # "nothing like wool"
            ended = token.text in _ENDS and index > clause.tokens[0] and (token.text == "but" or not behind)
            if inside and (ended or self._ends_scope(index)):
                inside = False
            elif inside:
                found.add(index)
        return found

    def _ends_scope(self, index: int) -> bool:
        token = self.words[index]
        if _cue("turns").match(self.text, token.start):
            return True
        head = next((m for m in self.matches if m.first == index and not names_value(m)), None)
        return bool(head and CHINESE.match(token.text) and self.text[token.start - 1 : token.start] == "的")

    def _doubled(self, clause: _Clause) -> bool:
        """Whether one refusal stands inside another: "no shirt that isn't linen", "不是精装的书我不收藏"."""
        cues = self._cues(clause)
        for (_, end), (start, _) in itertools.pairwise(cues):
            between = [t.text for t in self.words if end <= t.start < start]
            if AGAIN & set(between[-1:]):  # "不要皮的也不要绒面的" refuses twice
                continue
            if _RELATIVE & set(between) or _EXCEPT.match(self.text, start):
                return True
            held = [i for i in clause.tokens if i in self.values]
            inside = any(end <= self.words[i].start < start for i in held)
            left_out = "的" in between or _NEEDED.match(self.text, start + 1)
            if left_out and inside and not any(self.words[i].start > start for i in held):
                return True
        return False

    def _backward(self, clause: _Clause) -> set[int]:
        """What stands before a refusal that has no object of its own."""
        if outside := _OUTSIDE.search(clause.text):
            place = self.text.find(outside.group(), clause.start)
            return self._objects([i for i in clause.tokens if self.words[i].start < place])
        match = _cue("refuses_behind").search(clause.text)
        if match is None or _cue("calm").search(match.group()):
            return set()
        place = self.text.find(match.group(), clause.start)
        if self._is_in_a_name(place) or any(m.start() <= place < m.end() for m in _cue("spared").finditer(self.text)):
            return set()
        said = {i for i in clause.tokens if self.words[i].start < place}
        return said & self.values if _cue("slight").search(match.group()) else self._objects(said)

    def _refuses_before(self, clause: _Clause) -> bool:
        """Whether the clause refuses what the one before it named ("so skip that", "不考虑")."""
        if self.values & set(clause.tokens):
            return False
        answered = self.text[clause.start - 1 : clause.start + 1].strip().startswith(("?", "？")) and _cue(
            "answers_no"
        ).search(clause.text)
        return bool(answered) or _cue("refuses_before").search(clause.text) is not None

    def _objects(self, indices: Iterable[int]) -> set[int]:
        """The values among some tokens, or all of them where there are none."""
        inside = set(indices)
        return inside & self.values or inside

    def _continues(self, clause: _Clause) -> bool:
        """Whether a clause only lists more of what the one before refused ("no leather, suede or canvas")."""
        texts = [self.words[i].text for i in clause.tokens]
        bare = all(
            i in self.values or self.words[i].text in ("or", "nor", "和", "或", ",", "、", "，") for i in clause.tokens
        )
        return bare and bool({"or", "nor"} & set(texts))


def names_value(match: Match) -> bool:
    """Whether a phrase says something of a product rather than which category it is of."""
    return all(x.attribute != CATEGORY for x in match.meanings)


def refuses_itself(phrase: str) -> bool:
    """Whether a phrase has a refusal in it ("doesn't smell"), which may not be read as one of what it means."""
    return " " in phrase and _cue("refuses").search(phrase) is not None
