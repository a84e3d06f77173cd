"""Sizes and quantities in customers' words: "in S", "37码", "4 litres", as the shop's own values write them.

Pure: a text and the values with figures or sizes that a shop has, in; constraints' attribute and value, out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SIZE = "size"
UNITS = {
    "ml": ("ml", "millilitre", "milliliter", "millilitres", "milliliters", "毫升"),
    "l": ("l", "litre", "liter", "litres", "liters", "升"),
    "g": ("g", "gram", "grams", "克"),
    "kg": ("kg", "kilo", "kilos", "kilogram", "kilograms", "公斤", "千克"),
    "w": ("w", "watt", "watts", "瓦"),
    "cm": ("cm", "centimetre", "centimeter", "centimetres", "centimeters", "厘米", "公分"),
    "m2": ("m2", "m²", "sqm", "square metres", "square meters", "平", "平米", "平方米", "坪"),
    "inch": ("inch", "inches", "in", '"', "英寸", "寸"),
    "oz": ("oz", "ounce", "ounces", "盎司"),
    "cups": ("cups", "cup", "杯"),
    "slices": ("slices", "slice", "片"),
    "pages": ("pages", "page", "页"),
}
"""How customers write the units of catalogues."""
LETTER_SIZES = {"xxs": "xxs", "xs": "xs", "s": "s", "small": "s", "小": "s", "m": "m", "medium": "m", "中": "m", "l": "l",
                "large": "l", "大": "l", "xl": "xl", "加大": "xl", "xxl": "xxl", "2xl": "xxl", "特大": "xxl"}  # fmt: skip
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words}
_UNIT = "|".join(re.escape(word) for word in sorted(UNIT_OF, key=len, reverse=True))
QUANTITY = re.compile(rf"(?<![\d.,a-z])(\d+(?:\.\d+)?)\s?-?({_UNIT})(?![a-z])")
_LETTER = r"xxs|xs|xxl|2xl|xl|s|m|l"
SIZED = re.compile(
    rf"\b(?:size|sz|in an?|in|left in|any|a)\s+(?P<english>{_LETTER}|small|medium|large)(?![\w'-])(?! (?:one|room|size))"
    rf"|\bsize\s?(?P<number>\d{{2}}(?:\.5)?)|(?<![a-z])(?P<plain>xxs|xs|xxl|2xl|xl)(?![a-z])"
    rf"|(?<![a-z])(?P<chinese>{_LETTER}|特大|加大|大|中|小)号?码|(?P<shoe>\d{{2}}(?:\.5)?)码|(?P<marked>{_LETTER})号"
)
BARE = re.compile(
    r"(?<![\d.,$€£¥a-z])(\d{2}(?:\.5)?)(?![\d.,%a-z])"
    r"(?!\s?(?:[元块刀岁个件人分平天]|小时|years?|yo\b|days?|hours?|minutes?|people|dollars|bucks|usd|eur))"
)
"""A number alone is a size where the shop has that size and nothing else is counted in it."""


@dataclass(frozen=True)
class Measure:
    """A value that a stretch of text stands for."""

    attribute: str
    value: str
    start: int
    end: int


def read_measures(text: str, attributes: Mapping[str, Mapping[str, int]]) -> tuple[Measure, ...]:
    """Sizes and quantities in a normalised text that the shop's ``attributes`` (value -> products) have."""
    found = [*_quantities(text, attributes), *_sizes(text, attributes.get(SIZE, {}))]
    return tuple(found)


def _quantities(text: str, attributes: Mapping[str, Mapping[str, int]]) -> Iterable[Measure]:
    for match in QUANTITY.finditer(text):
        wanted = (float(match[1]), UNIT_OF[match[2]])
        held = [(n, a, v) for a, values in attributes.items() for v, n in values.items() if quantity(v) == wanted]
        if held:
            _, attribute, value = max(held)
            yield Measure(attribute, value, *match.span())


def quantity(value: str) -> tuple[float, str] | None:
    """A catalogue's value as number and unit; None where it is none."""
    match = QUANTITY.fullmatch(value.lower())
    return (float(match[1]), UNIT_OF[match[2]]) if match else None


def _sizes(text: str, sizes: Mapping[str, int]) -> Iterable[Measure]:
    if not sizes:
        return
    taken: list[tuple[int, int]] = []
    for match in SIZED.finditer(text):
        said = next(group for group in match.groups() if group)
        if value := _size(said, sizes):
            taken.append(match.span())
            yield Measure(SIZE, value, *match.span())
    if not taken:
        for match in BARE.finditer(text):
            if value := _size(match[1], sizes):
                yield Measure(SIZE, value, *match.span())
                return


def _size(said: str, sizes: Mapping[str, int]) -> str:
    """The shop's size for what was said: the same, or the same behind a system's name ("eu 37"); the commonest one."""
    wanted = LETTER_SIZES.get(said, said)
    fitting = [value for value in sizes if value == wanted or value.rpartition(" ")[2] == wanted]
    return max(fitting, key=lambda value: sizes[value], default="")
