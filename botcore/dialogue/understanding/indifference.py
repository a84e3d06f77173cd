"""Attributes that a message says no longer matter: "any colour", "预算无所谓". Pure."""

from __future__ import annotations

import re

from botcore.dialogue.names import attribute_words

ASPECTS = {
    name: frozenset(word for word in attribute_words(name) if len(word) > 1)  # 黑色可以 is no 色可以
    for name in ("price", "color", "material", "size", "brand", "style")
}
_ASPECT = (
    rf"(?P<aspect>{'|'.join(sorted((word for words in ASPECTS.values() for word in words), key=len, reverse=True))})"
)
INDIFFERENT = (
    re.compile(rf"\b(?:any|whatever|whichever) {_ASPECT}\b"),
    re.compile(rf"{_ASPECT} (?:doesn'?t|does not|don'?t|isn'?t|is not) (?:really )?(?:matter|important)"),
    re.compile(
        rf"\b(?:don'?t (?:really )?care about|no preference (?:on|for|about)|not fussy about)(?: the)? {_ASPECT}\b"
    ),
    re.compile(rf"{_ASPECT}(?:都|倒)?(?:无所谓|随便|可以|行|不限|不重要|不在乎|没要求)"),
)


def indifferent(text: str) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """Attributes that the customer no longer minds, and where that is said."""
    matches = [m for pattern in INDIFFERENT for m in pattern.finditer(text)]
    found = {m["aspect"] for m in matches}
    attributes = tuple(attribute for attribute, words in ASPECTS.items() if not found.isdisjoint(words))
    return attributes, tuple(m.span() for m in matches)
