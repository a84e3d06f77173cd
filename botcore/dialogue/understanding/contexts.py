"""What stands around each thing that a message names, as features of the learned stance. Pure, for serving and training.

The things themselves are blotted out: "no □ please" says the same of leather as of lavender.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from botcore.dialogue.words import CHINESE, CLAUSE_END, Token, tokens

VALUE, KIND_OF_THING = "□", "△"
STRONG = re.compile(r"[.;:!?。；：！？\n]")
NEAR = (1, 2, 3, 5, 8, 13)
"""Bounds of the distances, in tokens, that count as alike."""


@dataclass(frozen=True)
class Mention:
    """A thing named at ``[start, end)`` of a normalised text, and what the rules of ``polarity.py`` take it to be.

    ``is_kind``: a kind of product ("boots") rather than something said of one.
    """

    start: int
    end: int
    rules: str
    is_kind: bool = False


@dataclass(frozen=True)
class _Unit:
    """A token of the text around, or a mention by its number; ``clause`` and ``sentence`` count from 0."""

    text: str
    mention: int | None
    clause: int
    sentence: int


def features(text: str, mentions: Sequence[Mention]) -> list[list[str]]:
    """For each mention, in the order of the text and not overlapping, what stands around it."""
    units = _units(text, mentions)
    places = {unit.mention: place for place, unit in enumerate(units) if unit.mention is not None}
    return [sorted(set(_around(units, places[i], i, mentions))) for i in range(len(mentions))]


def _units(text: str, mentions: Sequence[Mention]) -> list[_Unit]:
    starts = {mention.start: number for number, mention in enumerate(mentions)}
    units: list[_Unit] = []
    clause = sentence = 0
    for token in tokens(text):
        if token.start in starts:
            number = starts[token.start]
            units.append(_Unit(_sign(mentions[number]), number, clause, sentence))
        elif not any(mention.start < token.start < mention.end for mention in mentions):
            units.append(_Unit(_shape(token), None, clause, sentence))
        if CLAUSE_END.match(token.text):
            clause += 1
            sentence += bool(STRONG.match(token.text))
    return units


def _sign(mention: Mention) -> str:
    return KIND_OF_THING if mention.is_kind else VALUE


def _shape(token: Token) -> str:
    return "#" if token.text[0].isdigit() else token.text


def _around(units: Sequence[_Unit], place: int, number: int, mentions: Sequence[Mention]) -> Iterator[str]:
    here = units[place]
    rules = mentions[number].rules
    yield from (f"{here.text} rules={rules}", f"rules={rules}")
    for other, side in ((number - 1, "before"), (number + 1, "after")):
        if 0 <= other < len(mentions):
            yield f"rules={rules}/{side}={mentions[other].rules}{_sign(mentions[other])}"
    ends = next((unit.text for unit in units[place:] if CLAUSE_END.match(unit.text)), "$")
    yield f"ends={ends}"
    for side, walk in (("<", units[:place][::-1]), (">", units[place + 1 :])):
        yield from _on_side(side, walk, here)


def _on_side(side: str, walk: Sequence[_Unit], here: _Unit) -> Iterator[str]:
    """One to three tokens on one side of the mention, with how far off they are and what lies between."""
    texts = [unit.text for unit in walk]
    crossed = [_crossed(unit, here) for unit in walk]
    seen = list(itertools.accumulate(unit.mention is not None for unit in walk))
    for length in (1, 2, 3):
        for at in range(len(texts) - length + 1):
            gram = texts[at : at + length]
            if length > 1 and all(map(CLAUSE_END.match, gram)):
                continue
            words = ("" if all(map(CHINESE.match, gram)) else " ").join(gram if side == ">" else gram[::-1])
            yield f"{side}{crossed[at]} {words}"
            if at < NEAR[-1] and crossed[at] != "far":
                distance = next(bound for bound in NEAR if at < bound)
                yield f"{side}{distance} {words}"
                yield f"{side}{crossed[at]}{min(seen[at], 2)} {words}"


def _crossed(unit: _Unit, here: _Unit) -> str:
    """What lies between a token and the mention: nothing, clauses of the sentence, one sentence's end, or more."""
    if unit.clause == here.clause:
        return "same"
    if unit.sentence == here.sentence:
        return "next" if abs(unit.clause - here.clause) == 1 else "sentence"
    return "beyond" if abs(unit.sentence - here.sentence) == 1 else "far"
