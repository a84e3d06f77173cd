"""What a message says of each thing it names: read by the model of the ``Reader`` port, for which the rules of
``polarity.py`` are one of its inputs. Without a model the rules stand.

Trained by ``workers/training/stance.py`` on messages of writers who knew neither the rules nor any shop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from botcore.dialogue.meanings import Match
from botcore.dialogue.ports import Reader
from botcore.dialogue.understanding.polarity import Stances, names_value
from botcore.dialogue.words import Token

SETS = tuple(field.name for field in fields(Stances))
"""The stances that the rules tell; what is in none is wanted."""


class Stance(StrEnum):
    """``allowed`` is acceptable, ``idle`` neither wanted nor refused, ``unneeded`` no longer required, ``aside`` only told."""

    WANTED = "wanted"
    SOFT = "soft"
    REFUSED = "refused"
    ALLOWED = "allowed"
    IDLE = "idle"
    UNNEEDED = "unneeded"
    ASIDE = "aside"


@dataclass(frozen=True)
class Mention:
    """A thing named at ``[start, end)`` of a normalised text, and what the rules take it to be."""

    start: int
    end: int
    rules: str


def revised(text: str, words: Sequence[Token], matches: Sequence[Match], read: Stances, reader: Reader) -> Stances:
    """What the rules read, with the learned stance towards every value that the message names."""
    named = [match for match in matches if names_value(match)]
    mentions = [
        Mention(words[m.first].start, words[m.last - 1].end, by_rules(range(m.first, m.last), read)) for m in named
    ]
    sets = {name: set(getattr(read, name)) for name in SETS}
    chances = reader.stances(text, [(m.start, m.end) for m in mentions], [m.rules for m in mentions])
    for match, likely in zip(named, chances, strict=True):
        stance = Stance(max(likely, key=likely.__getitem__))
        said = Stance.IDLE if stance is Stance.ASIDE else stance
        for name, indices in sets.items():
            (indices.update if name == said else indices.difference_update)(range(match.first, match.last))
    return Stances(**{name: frozenset(indices) for name, indices in sets.items()})


def by_rules(places: range, read: Stances) -> str:
    """What the rules say of the tokens of one phrase."""
    return next((name for name in SETS if getattr(read, name).intersection(places)), Stance.WANTED)
