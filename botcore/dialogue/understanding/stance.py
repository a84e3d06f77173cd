"""The learned stance: what a message says of each thing it names, by all that stands around it.

The rules of ``polarity.py`` are one of its inputs, and it speaks where they are silent. Trained by
``workers/training/stance.py`` on messages of writers who knew neither the rules nor any shop. Pure, apart from reading the
weights once.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields
from enum import StrEnum

import numpy as np

from botcore.dialogue.heads import Floats, Head, shipped
from botcore.dialogue.meanings import Match
from botcore.dialogue.understanding.contexts import Mention, features
from botcore.dialogue.understanding.polarity import Stances, names_value
from botcore.dialogue.words import Token, language_of

SETS = tuple(field.name for field in fields(Stances))
"""The stances that the rules tell; what is in none is wanted."""
HASHED = 65_536
"""Places for features; the same feature always has the same place and sign."""
RULES = 0.5
"""The weight of what the rules say beside everything else that stands around."""


class Stance(StrEnum):
    """``allowed`` is acceptable, ``idle`` neither wanted nor refused, ``unneeded`` no longer required, ``aside`` only told."""

    WANTED = "wanted"
    SOFT = "soft"
    REFUSED = "refused"
    ALLOWED = "allowed"
    IDLE = "idle"
    UNNEEDED = "unneeded"
    ASIDE = "aside"


def hashed(found: Iterable[str]) -> dict[int, float]:
    """The features of one mention by their places. What the rules say counts :data:`RULES` times; the rest has length one."""
    places: Counter[int] = Counter()
    ruled: Counter[int] = Counter()
    for name in found:
        code = zlib.crc32(name.encode())
        (ruled if "rules=" in name else places)[code % HASHED] += 1 if code & 0x80000000 else -1
    length = sum(value * value for value in places.values()) ** 0.5 or 1.0
    around = {place: value / length for place, value in places.items() if value}
    return around | {place: around.get(place, 0.0) + RULES * value for place, value in ruled.items()}


SURE = 0.92
"""The chance from which the head is believed where the rules say nothing. Six of ten training messages refuse something,
which is far more than customers do."""


def judged(text: str, mentions: Sequence[Mention], head: Head) -> list[Stance]:
    """The stance towards each mention of a normalised text: the rules', or where these say nothing the head's if sure."""
    language = language_of(text)
    found = []
    for mention, around in zip(mentions, features(text, mentions), strict=True):
        chances = _chances(around, head, language)
        believed = mention.rules == Stance.WANTED and chances.max() >= SURE
        found.append(Stance(head.labels[int(chances.argmax())] if believed else mention.rules))
    return found


def _chances(found: Iterable[str], head: Head, language: str) -> Floats:
    row = np.zeros(HASHED, dtype=np.float32)
    for place, value in hashed(found).items():
        row[place] = value
    return head.probabilities(row, language)


def revised(text: str, words: Sequence[Token], matches: Sequence[Match], read: Stances) -> Stances:
    """What the rules read, with the learned stance towards every value that the message names."""
    named = sorted(matches, key=lambda m: m.first)
    mentions = [
        Mention(
            words[m.first].start,
            words[m.last - 1].end,
            by_rules(range(m.first, m.last), read),
            is_kind=not names_value(m),
        )
        for m in named
    ]
    sets = {name: set(getattr(read, name)) for name in SETS}
    for match, stance in zip(named, judged(text, mentions, shipped("stance")), strict=True):
        if not names_value(match):
            continue
        said = Stance.IDLE if stance is Stance.ASIDE else stance
        for name, indices in sets.items():
            (indices.update if name == said else indices.difference_update)(range(match.first, match.last))
    return Stances(**{name: frozenset(indices) for name, indices in sets.items()})


def by_rules(places: range, read: Stances) -> str:
    """What the rules say of the tokens of one phrase."""
    return next((name for name in SETS if getattr(read, name).intersection(places)), Stance.WANTED)
