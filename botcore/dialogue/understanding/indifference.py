"""Attributes that a message says no longer matter: "any colour", "预算无所谓". Pure."""

from __future__ import annotations

import re

ASPECTS = {
    "price": ("price", "prices", "budget", "cost", "money", "价格", "价钱", "预算"),
    "color": ("colour", "color", "colours", "colors", "颜色"),
    "material": ("material", "materials", "fabric", "材质", "材料", "面料"),
    "size": ("size", "sizes", "尺码", "大小", "尺寸"),
    "brand": ("brand", "brands", "品牌", "牌子"),
    "style": ("style", "styles", "款式", "风格"),
}
_ASPECT = rf"(?P<aspect>{'|'.join(word for words in ASPECTS.values() for word in words)})"
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
