"""Words that only say of what attribute the value before them is ("lemongrass scent"). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, Match
from botcore.dialogue.names import attribute_words
from botcore.dialogue.words import singular


def without_aspects(matches: Sequence[Match], lexicon: Lexicon) -> list[Match]:
    """The matches without those that only say of what the value right before them is: "scent" of "lemongrass scent", "room" of
    "a small room"."""

    def is_aspect(match: Match, before: Match) -> bool:
        categories = [lexicon.categories[x.value] for x in match.meanings if x.attribute == CATEGORY]
        own = {name for c in categories for name in (c.noun, c.name.lower(), c.chinese)}
        if match.first != before.last or match.phrase in own:
            return False
        return any({match.phrase, singular(match.phrase)} & attribute_words(x.attribute) for x in before.meanings)

    return [match for i, match in enumerate(matches) if not (i and is_aspect(match, matches[i - 1]))]
