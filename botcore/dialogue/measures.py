"""Sizes and quantities in customers' words: "in S", "37码", "4 litres", as the shop's own values write them.

Pure: a text and the values with figures or sizes that a shop has, in; constraints' attribute and value, out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from botcore.dialogue.money import CHINESE_NUMBER, chinese_number
from botcore.dialogue.understanding.repairs import REPAIR, taken_back

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
                "large": "l", "大": "l", "xl": "xl", "加大": "xl", "xxl": "xxl", "2xl": "xxl", "特大": "xxl",
                "双加大": "xxl", "加小": "xs", "超小": "xs"}  # fmt: skip
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words}
_UNIT = "|".join(re.escape(word) for word in sorted(UNIT_OF, key=len, reverse=True))
QUANTITY = re.compile(rf"(?<![\d.,a-z])(\d+(?:\.\d+)?|half(?: a)?|半)[\s-]?-?({_UNIT})(?![a-z])")
_LETTER = r"xxs|xs|xxl|2xl|xl|s|m|l"
SIZED = re.compile(
    rf"\b(?:size|sz|in an?|in|left in|any|a)\s+(?P<english>{_LETTER}|small|medium|large)(?![\w'-])(?! (?:one|room|size))"
    rf"|(?<![a-z])(?:size|eu|sz)\s?(?P<number>\d{{2}}(?:\.5)?)|(?<![a-z])(?P<plain>xxs|xs|xxl|2xl|xl)(?![a-z])"
    rf"|(?<![a-z])(?P<chinese>{_LETTER}|特大|双加大|加大|加小|超小|大|中|小)(?:号码?|码)|(?P<shoe>\d{{2}}(?:\.5)?)码|(?P<marked>{_LETTER})号"
)
BARE = re.compile(
    r"(?<![\d.,$€£¥a-z])(\d{2}(?:\.5)?)(?![\d%a-z]|[.,]\d)"
    r"(?!\s?(?:[元块刀岁个件人分平天]|小时|years?|yo\b|days?|hours?|minutes?|people|dollars|bucks|usd|eur))"
    r"|(?<![^\s,，。;；、….是要])(xxs|xs|xl|xxl|s|m|l)(?=$|[\s,，。;；、….!！?？吧的])"
)
"""A number alone is a size where the shop has that size and nothing else is counted in it."""


@dataclass(frozen=True)
class Measure:
    """A value that a stretch of text stands for."""

    attribute: str
    value: str
    start: int
    end: int


@dataclass(frozen=True)
class Measures:
    """What a text says of sizes and quantities, and where it speaks of any."""

    values: tuple[Measure, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    missing: tuple[str, ...] = ()
    """Sizes that are asked for in so many words, and that the shop has in nothing."""


_IN_CHARACTERS = re.compile(rf"({CHINESE_NUMBER})(?=(?:{'|'.join(u for u in UNIT_OF if not u.isascii())}))")


def in_digits(text: str) -> str:
    """A normalised text with Chinese numerals in front of a unit in digits ("四十平米": "40平米")."""
    return _IN_CHARACTERS.sub(lambda match: str(chinese_number(match[1])), text)


def read_measures(
    text: str, attributes: Mapping[str, Mapping[str, int]], taken: Sequence[tuple[int, int]] = ()
) -> Measures:
    """Sizes and quantities in a normalised text that the shop's ``attributes`` (value -> products) have.

    ``taken`` are places that say something else, such as a price. What the text takes back is left out.
    """
    found = [*_quantities(text, attributes), *_sizes(text, attributes.get(SIZE, {}), taken)]
    free = sorted((m for m in found if not _inside(m.start, taken)), key=lambda m: m.start)
    gone = taken_back(text, [(m.start, m.end, m.attribute, m) for m in free], lambda _: True)
    asked = [m for m in SIZED.finditer(text) if attributes.get(SIZE) and not any(m.start() == f.start for f in found)]
    missing = [m for m in asked if (m["number"] or m["shoe"]) and not _inside(m.start(), taken)]
    spans = (*((m.start, m.end) for m in free), *(m.span() for m in missing))
    return Measures(tuple(m for m in free if m not in gone), spans, tuple(m.group() for m in missing))


def _inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


def _quantities(text: str, attributes: Mapping[str, Mapping[str, int]]) -> Iterable[Measure]:
    for match in QUANTITY.finditer(text):
        wanted = _amount(match)
        held = [(n, a, v) for a, values in attributes.items() for v, n in values.items() if quantity(v) == wanted]
        if held:
            _, attribute, value = max(held)
            yield Measure(attribute, value, *match.span())
            yield from _said_anew(text, match, attribute, attributes[attribute])


def _said_anew(text: str, known: re.Match[str], attribute: str, values: Mapping[str, int]) -> Iterable[Measure]:
    """A number without a unit that takes a quantity's place ("200ml, sorry 400")."""
    repair = REPAIR.search(text, known.end())
    for match in ALONE.finditer(text, repair.end()) if repair else ():
        smaller, times = SMALLER.get(UNIT_OF[known[2]], (UNIT_OF[known[2]], 1))
        wanted = (float(match[1]) * times, smaller)
        if value := next((v for v in values if quantity(v) == wanted), ""):
            yield Measure(attribute, value, *match.span())
            return


ALONE = re.compile(r"(?<![\d.,$€£¥a-z])(\d+(?:\.\d+)?)(?![\d%a-z])")


def quantity(value: str) -> tuple[float, str] | None:
    """A catalogue's value as number and unit; None where it is none."""
    match = QUANTITY.fullmatch(value.lower())
    return _amount(match) if match else None


def _amount(match: re.Match[str]) -> tuple[float, str]:
    """A quantity in its smaller unit, as catalogues mix litres and millilitres."""
    number = 0.5 if match[1][0] in "h半" else float(match[1])
    unit = UNIT_OF[match[2]]
    smaller, times = SMALLER.get(unit, (unit, 1))
    return number * times, smaller


SMALLER = {"l": ("ml", 1000), "kg": ("g", 1000)}


def _sizes(text: str, sizes: Mapping[str, int], taken: Sequence[tuple[int, int]]) -> Iterable[Measure]:
    if not sizes:
        return
    sized = False
    for match in SIZED.finditer(text):
        said = next(group for group in match.groups() if group)
        if value := _size(said, sizes):
            sized = True
            yield Measure(SIZE, value, *match.span())
    for match in BARE.finditer(text):
        repaired = sized and REPAIR.search(text[: match.start()])
        if (
            not _inside(match.start(), taken)
            and (not sized or repaired)
            and (value := _size(match[1] or match[2], sizes))
        ):
            sized = True
            yield Measure(SIZE, value, *match.span())


def _size(said: str, sizes: Mapping[str, int]) -> str:
    """The shop's size for what was said: the same, or the same behind a system's name ("eu 37"); the commonest one."""
    wanted = LETTER_SIZES.get(said, said)
    fitting = [value for value in sizes if value == wanted or value.rpartition(" ")[2] == wanted]
    return max(fitting, key=lambda value: sizes[value], default="")
