"""Values that a message says in words of its own ("it must not wear off by lunch": long-lasting), found by the reader.

Only words that nothing else has read are tried, only against values that the talk's products have, and only what the
reader is sure of counts. English and Chinese, whatever language the values are in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from botcore.dialogue.lexicon.lexicon import UNREADABLE, Lexicon
from botcore.dialogue.meanings import CATEGORY, Match, Meaning
from botcore.dialogue.ports import MessageReader, about
from botcore.dialogue.understanding.stretches import LIKELY, SURE, stretches_of, surest, value_told, windows
from botcore.dialogue.words import Token, language_of

NAMES = UNREADABLE | {"gender", "audience", "size", "language"}
"""Attributes whose values are names, or are read by the grammar of people and sizes."""


def paraphrased(
    text: str,
    words: Sequence[Token],
    matches: Sequence[Match],
    described: Collection[int],
    goal: str,
    lexicon: Lexicon,
    reader: MessageReader,
) -> list[Match]:
    """The matches with those of paraphrases, in the order of the message. ``described`` are the tokens that only point at shown
    items, ``goal`` is what the talk was about before."""
    named = [m.value for match in matches for m in match.meanings if m.attribute == CATEGORY]
    goal = named[0] if named else goal
    taken = {*described, *(i for match in matches for i in range(match.first, match.last))}
    places = list(windows(words, taken)) if goal else []
    values = _values(goal, lexicon) if places else []
    if not values:
        return list(matches)
    read = about(lexicon.noun(goal, "", language_of(text)), text)
    stretches = stretches_of(words, places, len(read) - len(text))
    meant = reader.meaning(read, stretches, [value_told(*meaning) for meaning in values])
    own = [
        Match(
            one.first,
            one.last,
            values[one.values[0]].value,
            tuple(values[number] for number in one.values[: 1 if one.refused else None]),
            refused=one.refused,
            hinted=one.chance < SURE,
        )
        for one in surest(places, meant, [value.attribute for value in values], LIKELY)
        if one.chance >= SURE or not one.refused
    ]
    return sorted([*matches, *own], key=lambda match: match.first)


def is_readable(value: Meaning) -> bool:
    """Whether a value may be said in words of one's own: no name, and no number."""
    return value.attribute not in NAMES and not any(map(str.isdigit, value.value))


def _values(goal: str, lexicon: Lexicon) -> list[Meaning]:
    """What the products of a category may have."""
    return [meaning for meaning in lexicon.placed if is_readable(meaning) and lexicon.holds(goal, meaning)]
