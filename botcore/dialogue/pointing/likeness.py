"""What others are to have of a shown item ("the same author", "同一个牌子的"): its value of the attribute that is named. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.names import attribute_name
from botcore.dialogue.pointing.shown import ShownItem
from botcore.dialogue.state import DialogueState

SAME = re.compile(
    r"\bsame (?P<en>[a-z]+(?: [a-z]+)?)|(?:同一?(?:个|位|款|种)?|一样的?|相同的?|同样的?)(?P<zh>[\u4e00-\u9fff]{2,4})"
)


def shared(
    text: str, pointed: Sequence[str], shown: Sequence[ShownItem], state: DialogueState, lexicon: Lexicon
) -> tuple[Meaning, ...]:
    """The values that others are to share with the item spoken of, in the spotlight, or with all that are shown."""
    named = [attribute for match in SAME.finditer(text) for attribute in _attributes(match, lexicon)]
    about = [item for item in shown if item.sku in (pointed or (state.focus,))] or list(shown)
    if not named or not about:
        return ()
    common = frozenset.intersection(*(item.values for item in about))
    return tuple(
        Meaning(attribute, value)
        for attribute in dict.fromkeys(named)
        for value in lexicon.attributes[attribute]
        if value in common
    )


def _attributes(match: re.Match[str], lexicon: Lexicon) -> list[str]:
    """The attributes that go by the words behind "same": Chinese names of one thing share a character more often than not."""
    if chinese := match["zh"]:
        return [a for a in lexicon.attributes if set(chinese[:2]) & set(attribute_name(a, "zh")) - set("类型")]
    return [a for a in lexicon.attributes if attribute_name(a, "en") in (match["en"], match["en"].split()[0])]
