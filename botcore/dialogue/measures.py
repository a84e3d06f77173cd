"""Sizes and quantities in customers' words: "in S", "37码", "4 litres", as the shop's own values write them.

Pure: a text and the values with figures or sizes that a shop has, in; constraints' attribute and value, out. A limit
("under 2 kg", "不超过300页") stands for those of the values that lie within it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

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
    "min": ("min", "mins", "minute", "minutes", "分钟"),
    "h": ("h", "hour", "hours", "小时"),
    "db": ("db", "decibel", "decibels", "分贝"),
}
"""How customers write the units of catalogues."""
LETTER_SIZES = {"xxs": "xxs", "xs": "xs", "s": "s", "small": "s", "小": "s", "m": "m", "medium": "m", "中": "m", "l": "l",
                "large": "l", "大": "l", "xl": "xl", "加大": "xl", "xxl": "xxl", "2xl": "xxl", "特大": "xxl",
                "双加大": "xxl", "加小": "xs", "超小": "xs"}  # fmt: skip
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words}
_UNIT = "|".join(re.escape(word) for word in sorted(UNIT_OF, key=len, reverse=True))
QUANTITY = re.compile(rf"(?<![\d.,a-z])(?P<number>\d+(?:\.\d+)?|half(?: a)?|半)[\s-]?-?(?P<unit>{_UNIT})(?![a-z])")
_GREATER = r"long|bigg|larg|heavi|thick|high|wid|strong|loud|tall|great|deep"
_SMALLER = r"short|small|light|thinn|low|narrow|weak|quiet|few|slimm|less"
_AT_MOST = r"up to|at most|max(?:imum)?(?: of)?|within|最多|最高|至多|控制在"
_AT_LEAST = r"at least|min(?:imum)?(?: of)?|starting at|upwards of|至少|最少|起码|最低"
LIMITED = re.compile(
    rf"(?:(?<![a-z])(?:(?P<more>over|above|more than|exceed(?:s|ing)?|(?:{_GREATER})er than|超过|超|大于|高于|多于|长于|重于)"
    rf"|(?P<less>不到|不足|under|below|less than|(?:{_SMALLER})(?:er)? than|低于|少于|小于|短于|轻于)"
    rf"|(?P<most>{_AT_MOST})|(?P<least>{_AT_LEAST}))"
    rf"|\b(?P<between>between|from)|(?<![\d.,a-z]))"
    rf"\s*(?:(?P<first>\d+(?:\.\d+)?)\s?(?:{_UNIT})?\s?(?P<to>-|–|~|to|and|到|至)\s?)?{QUANTITY.pattern}"
    rf"(?:\s?(?P<after>or less|or under|or fewer|or shorter|or smaller|or lighter|max|at most|tops|以内|以下|之内|内|封顶"
    rf"|(?P<up>or more|or over|or longer|or larger|or bigger|and up|upwards?|plus|\+|以上|往上|起)))?",
)
"""An amount with what makes it a limit; without any of it an amount is that very one."""
REFUSED = re.compile(
    r"(?:\b(?:no|not|nothing|none|never|cannot|without|dont|doesnt|\w+n't)"
    r"(?: (?:want|have|go|be|run|weigh|take|that's|that is))* "
    r"|(?:不|别|没有?)(?:想|会|能|可以?|应该?)?(?:要|给我)?)$"
)
"""In front of a limit: what lies beyond it is not wanted."""
REACH = 40
"""Characters before a limit in which its refusal stands."""
LASTING = {"min", "h"}
"""A time without a limit is as often when as how long."""
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
class Limit:
    """The amounts of a unit that are wanted, as a customer has ``said``; None is open, ``strict`` leaves out the ends."""

    low: float | None
    high: float | None
    unit: str
    said: str
    strict: bool = False

    def holds(self, amount: tuple[float, str]) -> bool:
        """Whether an amount, in its smaller unit, lies within."""
        smaller, times = SMALLER.get(self.unit, (self.unit, 1))
        low = -inf if self.low is None else self.low * times
        high = inf if self.high is None else self.high * times
        number, unit = amount
        return unit == smaller and (low < number < high if self.strict else low <= number <= high)

    def within(self, attributes: Mapping[str, Mapping[str, int]]) -> tuple[str, tuple[str, ...]]:
        """The attribute that counts in the unit, and those of its values that lie within; "" where none does."""
        smaller = SMALLER.get(self.unit, (self.unit, 1))[0]
        counted: dict[str, dict[str, tuple[float, str]]] = {}
        for attribute, values in attributes.items():
            amounts = {value: amount for value in values if (amount := quantity(value, attribute))}
            counted[attribute] = {value: amount for value, amount in amounts.items() if amount[1] == smaller}
        attribute = max(counted, key=lambda a: sum(attributes[a][v] for v in counted[a]), default="")
        amounts = counted.get(attribute, {})
        return (attribute if amounts else ""), tuple(v for v, amount in amounts.items() if self.holds(amount))

    def __str__(self) -> str:
        """As a value of a constraint: "..300 pages", "1.5.. l", "200..300 pages"."""
        low, high = ("" if bound is None else f"{bound:g}" for bound in (self.low, self.high))
        return f"{low}..{high} {self.unit}"


LIMIT = re.compile(r"(?P<low>[\d.]*?)\.\.(?P<high>[\d.]*) (?P<unit>\S+)")
_CHINESE_UNIT = {"ml": "毫升", "l": "升", "g": "克", "kg": "公斤", "w": "瓦", "cm": "厘米", "m2": "平方米", "inch": "英寸",
                 "oz": "盎司", "cups": "杯", "slices": "片", "pages": "页", "min": "分钟", "h": "小时", "db": "分贝"}  # fmt: skip


def limit_name(value: str, language: str) -> str:
    """What a reply calls a limit that a constraint's value stands for; "" where it stands for none.

    The names hold for both kinds of limits, those that the ends belong to and those that they do not.
    """
    match = LIMIT.fullmatch(value)
    if match is None:
        return ""
    low, high, unit = match["low"], match["high"], match["unit"]
    if language == "zh":
        unit = _CHINESE_UNIT.get(unit, unit)
        return f"{low}到{high}{unit}" if low and high else f"{high}{unit}以内" if high else f"{low}{unit}以上"
    if low and high:
        return f"{low} to {high} {unit}"
    return f"up to {high} {unit}" if high else f"at least {low} {unit}"


@dataclass(frozen=True)
class Measures:
    """What a text says of sizes and quantities, and where it speaks of any."""

    values: tuple[Measure, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    missing: tuple[str, ...] = ()
    """Sizes that are asked for in so many words, and that the shop has in nothing."""
    limits: tuple[Limit, ...] = ()


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
    limited = [(span, limit) for span, limit in _limits(text) if not _inside(span[0], taken)]
    found = [*_quantities(text, attributes), *_sizes(text, attributes.get(SIZE, {}), taken)]
    taken = (*taken, *(span for span, _ in limited))
    free = sorted((m for m in found if not _inside(m.start, taken)), key=lambda m: m.start)
    gone = taken_back(text, [(m.start, m.end, m.attribute, m) for m in free], lambda _: True)
    asked = [m for m in SIZED.finditer(text) if attributes.get(SIZE) and not any(m.start() == f.start for f in found)]
    missing = [m for m in asked if (m["number"] or m["shoe"]) and not _inside(m.start(), taken)]
    spans = (*((m.start, m.end) for m in free), *(m.span() for m in missing), *(span for span, _ in limited))
    told = tuple(m for m in free if m not in gone)
    return Measures(told, spans, tuple(m.group() for m in missing), tuple(limit for _, limit in limited))


def _limits(text: str) -> Iterable[tuple[tuple[int, int], Limit]]:
    """Every limit of a text and where it stands, with what refuses it."""
    for match in LIMITED.finditer(text):
        refused = REFUSED.search(text, max(match.start() - REACH, 0), match.start())
        start = refused.start() if refused else match.start()
        if limit := _limit(match, text[start : match.end()].strip(), refused=refused is not None):
            yield (start, match.end()), limit


def _limit(match: re.Match[str], said: str, *, refused: bool) -> Limit | None:
    """The limit that an amount and the words around it set; None where they set none. "Within the hour" is when, not how long."""
    number, unit = _said(match)
    if match["first"] and (match["to"] != "and" or match["between"]):
        return Limit(float(match["first"]), number, unit, said)
    if match["most"]:
        soon = match["most"] == "within" and unit in LASTING
        return None if soon else Limit(None, number, unit, said)
    if match["least"]:
        return Limit(number, None, unit, said)
    above, below = match["more"] or match["up"], match["less"] or (match["after"] and not match["up"])
    if not (above or below):
        return None
    strict = bool(match["more"] or match["less"]) != refused  # not over 300 may be 300, not 300 or more may not
    return (
        Limit(number, None, unit, said, strict) if bool(above) != refused else Limit(None, number, unit, said, strict)
    )


def _inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


def _quantities(text: str, attributes: Mapping[str, Mapping[str, int]]) -> Iterable[Measure]:
    for match in QUANTITY.finditer(text):
        wanted = _amount(match)
        if UNIT_OF[match["unit"]] in LASTING:
            continue
        held = [(n, a, v) for a, values in attributes.items() for v, n in values.items() if quantity(v) == wanted]
        if held:
            _, attribute, value = max(held)
            yield Measure(attribute, value, *match.span())
            yield from _said_anew(text, match, attribute, attributes[attribute])


def _said_anew(text: str, known: re.Match[str], attribute: str, values: Mapping[str, int]) -> Iterable[Measure]:
    """A number without a unit that takes a quantity's place ("200ml, sorry 400")."""
    repair = REPAIR.search(text, known.end())
    for match in ALONE.finditer(text, repair.end()) if repair else ():
        smaller, times = SMALLER.get(UNIT_OF[known["unit"]], (UNIT_OF[known["unit"]], 1))
        wanted = (float(match[1]) * times, smaller)
        if value := next((v for v in values if quantity(v) == wanted), ""):
            yield Measure(attribute, value, *match.span())
            return


ALONE = re.compile(r"(?<![\d.,$€£¥a-z])(\d+(?:\.\d+)?)(?![\d%a-z])")


def quantity(value: str, attribute: str = "") -> tuple[float, str] | None:
    """A catalogue's value as number and smaller unit; None where it is none.

    A bare number counts in the unit that its attribute is named after ("pages", "weight_kg").
    """
    match = QUANTITY.fullmatch(value.lower())
    if match is None and (unit := UNIT_OF.get(attribute.rpartition("_")[2])):
        match = QUANTITY.fullmatch(f"{value} {unit}")
    return _amount(match) if match else None


def _amount(match: re.Match[str]) -> tuple[float, str]:
    """A quantity in its smaller unit, as catalogues mix litres and millilitres."""
    number, unit = _said(match)
    smaller, times = SMALLER.get(unit, (unit, 1))
    return number * times, smaller


def _said(match: re.Match[str]) -> tuple[float, str]:
    """A quantity in the unit it was said in."""
    return 0.5 if match["number"][0] in "h半" else float(match["number"]), UNIT_OF[match["unit"]]


SMALLER = {"l": ("ml", 1000), "kg": ("g", 1000), "h": ("min", 60)}


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
