"""What a message says of each thing it names, as the reader understands it. Pure.

Trained by ``workers/training/messages.py`` on messages of writers who knew neither this code nor any shop. The rules of
``polarity.py`` say what the reader is in doubt of.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from botcore.dialogue.meanings import LACKS, Match
from botcore.dialogue.ports import MessageRead
from botcore.dialogue.understanding.polarity import Stances, names_value, refuses_itself
from botcore.dialogue.words import Token

SETS = tuple(field.name for field in fields(Stances))
"""The stances that the rules tell; what is in none is wanted."""
NOTHING = "nothing"
"""The reader's label of what names no thing."""
SURE = 0.9
"""The chance from which the reader is believed, whatever the rules say; by four development sets of phrasings."""
SURELY_NONE = 0.85
"""The chance from which a word names nothing, whatever it is near to ("I've been meaning to": definition)."""
PLAINLY = re.compile(
    r"\b(?:not|no|without|except|(?:any ?thing|any|all|every ?thing) but)"
    r"(?: (?:an?|the|any|one|ones|those|made|with|in|of|from|by))*$"
)
"""A refusal right before what is refused ("not one with a basket"), which the reader does not overrule."""


class Stance(StrEnum):
    """``allowed`` is acceptable, ``idle`` neither wanted nor refused, ``unneeded`` no longer required, ``aside`` only told."""

    WANTED = "wanted"
    SOFT = "soft"
    REFUSED = "refused"
    ALLOWED = "allowed"
    IDLE = "idle"
    UNNEEDED = "unneeded"
    ASIDE = "aside"


def stance_chances(read: MessageRead, start: int, end: int) -> dict[Stance, float]:
    """The chance of every stance towards what stands at ``[start, end)``, given that it is a thing."""
    inside = [row for row, (first, last) in enumerate(read.pieces) if first < end and last > start]
    logs = np.log(np.maximum(read.stances[inside], 1e-9)).mean(axis=0) if inside else np.zeros(len(read.labels))
    shares: npt.NDArray[np.float64] = np.exp(logs[1:] - logs[1:].max())
    return dict(zip(map(Stance, read.labels[1:]), (shares / shares.sum()).tolist(), strict=True))


@dataclass(frozen=True)
class Thing:
    """Tokens ``[first, last)`` that the reader takes for a thing, and how sure it is that it is wanted."""

    first: int
    last: int
    wanted: float


def things(words: Sequence[Token], matches: Sequence[Match], read: MessageRead) -> list[Thing]:
    """What the reader takes for things and the shop's vocabulary does not know: "a hardbound copy", "要冲锋衣面料的"."""
    taken = {i for match in matches for i in range(match.first, match.last)}
    naming = named_places(words, read)
    free = [i in naming and i not in taken for i in range(len(words))]
    found = []
    for named, run in itertools.groupby(range(len(words)), key=free.__getitem__):
        places = list(run)
        if named:
            start, end = words[places[0]].start, words[places[-1]].end
            chances = stance_chances(read, start, end)
            found.append(Thing(places[0], places[-1] + 1, chances[Stance.WANTED]))
    return found


def named_places(words: Sequence[Token], read: MessageRead) -> frozenset[int]:
    """The tokens that are likelier part of a thing than not."""
    return frozenset(i for i, token in enumerate(words) if _names(read, token))


def glimpsed(match: Match, words: Sequence[Token], read: MessageRead) -> bool:
    """Whether some word of a phrase may be part of a thing: the reader does not surely rule it out."""
    return any(_chance_of_none(read, token) < SURELY_NONE for token in words[match.first : match.last])


def meant_places(words: Sequence[Token], matches: Sequence[Match], read: MessageRead) -> frozenset[int]:
    """The tokens of known phrases that are asked for, or a preference, as likely as not, if they name a thing at all."""
    found: set[int] = set()
    for match in matches:
        chances = stance_chances(read, words[match.first].start, words[match.last - 1].end)
        if chances[Stance.WANTED] + chances[Stance.SOFT] >= 1 / 2:
            found.update(range(match.first, match.last))
    return frozenset(found)


def _names(read: MessageRead, token: Token) -> bool:
    return _chance_of_none(read, token) < 1 / 2


def _chance_of_none(read: MessageRead, token: Token) -> float:
    """The chance that a word is part of no thing; 1 for one that the reader does not see."""
    inside = [row for row, (first, last) in enumerate(read.pieces) if first < token.end and last > token.start]
    return float(read.stances[inside, 0].mean()) if inside else 1.0


def revised(words: Sequence[Token], matches: Sequence[Match], rules: Stances, read: MessageRead) -> Stances:
    """What the rules read, with the reader's stance towards every value that the message names and it is sure of."""
    sets = {name: set(getattr(rules, name)) for name in SETS}
    for match in matches:
        chances = stance_chances(read, words[match.first].start, words[match.last - 1].end)
        likeliest = max(chances, key=lambda stance: chances[stance])
        valued = names_value(match) and not all(x.attribute == LACKS for x in match.meanings)
        if not valued and likeliest is not Stance.REFUSED:  # of a kind of product only a refusal is heard
            continue
        before = " ".join(token.text for token in words[max(match.first - 6, 0) : match.first])
        plainly = match.first in rules.refused and PLAINLY.search(before)
        complains = likeliest is Stance.REFUSED and (match.saying or refuses_itself(match.phrase))
        if chances[likeliest] < SURE or plainly or complains:
            continue
        said = Stance.IDLE if likeliest is Stance.ASIDE else likeliest
        for name, places in sets.items():
            (places.update if name == said else places.difference_update)(range(match.first, match.last))
    return Stances(**{name: frozenset(places) for name, places in sets.items()})
