"""Prices in customers' words: "under eighty bucks", "between 50 and 100", "不超过五百块", "around $50".

A small grammar over one clause: cue words give the direction, numbers in digits or words the amount. Amounts are taken
in the shop's currency whatever sign they carry: converting silently would show a price that nobody set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from botcore.dialogue.state import PriceRange

ABOUT = Decimal("0.3")
"""How far "around 50" reaches to either side."""

_UNITS = {w: i for i, w in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split()
)}  # fmt: skip
_TENS = {w: 10 * i for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}
_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CHINESE_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000}

_WORD = "|".join([*_UNITS, *_TENS, "hundred", "thousand", "a hundred", "a thousand"])
_ENGLISH_NUMBER = rf"(?:{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}))*"
_DIGITS = r"\d{1,3}(?:[,，]\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?"
_CHINESE_NUMBER = r"[零〇一二两三四五六七八九十百千万]+"
_SIGN = r"(?:us\$|[$€£¥￥]|usd|eur|gbp|cny|rmb)"
_UNIT = (
    r"(?:dollars?|bucks?|buks|usd|eur(?:os?)?|gbp|pounds?|quid|cny|rmb|yuan|"
    r"美元|美金|欧元|英镑|人民币|元|块钱|块|刀|欧|[$€£¥])"
)
_NUMBER = rf"(?:{_DIGITS}|{_ENGLISH_NUMBER}|{_CHINESE_NUMBER})\s?k?"
AMOUNT = re.compile(
    rf"(?:(?P<sign>{_SIGN})\s?)?(?<![a-z0-9.])(?P<number>{_NUMBER})(?:\s?(?P<unit>{_UNIT})(?![a-z])|(?!(?!ish\b)[a-z0-9%]))",
    re.I,
)

_BELOW = (
    r"(?:under|undr|below|less than|cheaper than|up to|upto|at most|no more than|not more than|not over|maximum(?: of)?|"
    r"nothing (?:over|above|more than)|no(?:t)? (?:higher than|above)|(?:spend|pay|go) (?:more than|over|above)|"
    r"max\.?|within|beneath|<=?|budget(?: is| of|:)?(?: about| around| up to)?|spend(?: about| up to)?|"
    r"raise it to|lower it to|make it|不超过|不要超过|低于|少于|最多|最高|不到|小于|控制在|预算(?:是|在|大概|大约)?)"
)
_ABOVE = (
    r"(?:over|above|more than|at least|from|minimum(?: of)?|min\.?|starting at|>=?|高于|超过|至少|最少|不低于|大于)"
)
_AROUND = r"(?:around|about|roughly|approximately|approx\.?|circa|~|大概|大约|差不多)"
_BELOW_AFTER = (
    r"(?:or less|or under|max|tops|at most|or cheaper|(?:to|i can) (?:spend|blow|pay)|"
    r"以内|以下|之内|内|封顶|顶天|为限|为上限|打住)"
)
_ABOVE_AFTER = r"(?:or more|and up|upwards?|\+|以上|往上|起)"
_AROUND_AFTER = r"(?:or so|or thereabouts|give or take|左右|上下|出头|ish)"
MEASURE = re.compile(
    r"\s*-?(?:inch|cm|mm|kg|g\b|l\b|w\b|ml|square|sq\b|feet|foot|ft|met(?:er|re)|miles?|lit(?:er|re)|pages?|pieces?|years?|"
    r"days?|hours?|people|persons?|个|件|岁|寸|码|号|平|米|厘米|升|页|人(?!民)|天|周|小时)",
    re.I,
)
"""What follows a number that is no price."""
PRICED = re.compile(r"\b(?:price|priced|budget|cost|spend|range|region)\b|价|预算|花|之间")
"""What makes two bare numbers a range of prices."""
NEIGHBOURS = re.compile(
    r"(?<![零〇一二两三四五六七八九十百千万])([一二三四五六七八])([二三四五六七八九])([十百千])(?![零〇一二两三四五六七八九十百千万])"
)
"""Two digits in a row before a scale: 六七十 is sixty to seventy-odd, 三四百 three to five hundred."""
CHINESE_NUMERAL = re.compile(_CHINESE_NUMBER)
_JOIN = r"(?:and|to|-|–|—|~|到|至|和)"


@dataclass(frozen=True)
class Price:
    """What a message says about price, and where (character offsets, so that other readers skip it)."""

    range: PriceRange
    spans: tuple[tuple[int, int], ...] = ()


def read_price(text: str) -> Price:
    """The price wish in a normalised text; an empty range where there is none.

    A bare number counts as a price only with a cue or a currency: "size 42" and "two jackets" say nothing of money.
    """
    return _read_neighbours(text) or _read_range(text) or _read_bound(text) or Price(PriceRange())


def mask_numbers(text: str) -> str:
    """The text with every amount as ``[budget]`` and every other number as ``[n]``: what the model may see of it."""
    masked = text
    for start, end in sorted(read_price(text).spans, reverse=True):
        spoken = AMOUNT.sub(lambda m: "[budget]" if _value(m["number"]) is not None else m.group(), text[start:end])
        masked = masked[:start] + spoken + masked[end:]
    return re.sub(r"[$€£¥￥]", "", re.sub(r"\d+(?:[.,]\d+)*", "[n]", masked))


def _read_neighbours(text: str) -> Price | None:
    match = NEIGHBOURS.search(text)
    if match is None or MEASURE.match(text[match.end() :]):
        return None
    low, high = _CHINESE_DIGITS[match[1]], _CHINESE_DIGITS[match[2]]
    if high != low + 1:
        return None
    scale = _CHINESE_SCALES[match[3]]
    return Price(PriceRange(low=Decimal(low * scale), high=Decimal((high + 1) * scale)), (match.span(),))


def _read_range(text: str) -> Price | None:
    pattern = rf"(?:between\s+|from\s+)?{AMOUNT.pattern}\s*{_JOIN}\s*{_numbered(AMOUNT.pattern)}"
    for match in re.finditer(pattern, text, re.I):
        low, high = _value(match["number"]), _value(match["number2"])
        explicit = match["sign"] or match["unit"] or match["sign2"] or match["unit2"]
        worded = re.match(r"between|from", match.group(), re.I) or PRICED.search(text)
        alone = match.group().strip() == text.strip() or (CHINESE_NUMERAL.match(match["number"]) and (low or 0) >= 10)
        measured = MEASURE.match(text[match.end() :])
        if low is not None and high is not None and low < high and (explicit or ((worded or alone) and not measured)):
            return Price(PriceRange(low=low, high=high), ((match.start(), match.end()),))
    return None


def _read_bound(text: str) -> Price | None:
    amounts = sorted(AMOUNT.finditer(text), key=lambda match: not (match["sign"] or match["unit"]))
    for match in amounts:
        value = _value(match["number"])
        if value is not None and (found := _bound(text, match, value)):
            return found
    return None


def _bound(text: str, match: re.Match[str], value: Decimal) -> Price | None:
    before, after = text[: match.start()], text[match.end() :]
    money = bool(match["sign"] or match["unit"])
    if match["number"] == "一" and match["unit"] == "块" and not re.match(r"\s*(?:钱|以|之|左右|$)", after):
        return None  # a piece of something
    if MEASURE.match(after) and not money:
        return None

    def span(cue_before: str, cue_after: str) -> tuple[int, int] | None:
        """Where the amount stands together with its cue; None without one."""
        leading = re.search(rf"(?<![a-z]){cue_before}\s*(?:about|around|的|是|为|在)?\s*$", before, re.I)
        trailing = re.match(rf"\s*{cue_after}(?![a-z])", after, re.I)
        if not leading and not trailing:
            return None
        return leading.start() if leading else match.start(), match.end() + (trailing.end() if trailing else 0)

    if (place := span(_AROUND, _AROUND_AFTER)) and (money or value >= 10):
        return Price(PriceRange(low=value * (1 - ABOUT), high=value * (1 + ABOUT), about=value), (place,))
    if place := span(_BELOW, _BELOW_AFTER):
        return Price(PriceRange(high=value), (place,))
    if (place := span(_ABOVE, _ABOVE_AFTER)) and (money or value >= 10):
        return Price(PriceRange(low=value), (place,))
    return Price(PriceRange(high=value), (match.span(),)) if money else None


def _numbered(pattern: str) -> str:
    return re.sub(r"\?P<(\w+)>", r"?P<\g<1>2>", pattern)


def _value(text: str) -> Decimal | None:
    text = text.strip().lower()
    thousands = text.endswith("k")
    text = text.removesuffix("k").strip()
    if text[:1].isdigit():
        value = Decimal(text.replace(",", "").replace("，", ""))
    elif text and text[0] in _CHINESE_DIGITS | _CHINESE_SCALES.keys():
        value = Decimal(_chinese_number(text))
    else:
        spoken = _english_number(text)
        if spoken is None:
            return None
        value = Decimal(spoken)
    return value * 1000 if thousands else value


def _english_number(text: str) -> int | None:
    total = current = 0
    for word in re.split(r"[\s-]+", text):
        if word in _UNITS:
            current += _UNITS[word]
        elif word in _TENS:
            current += _TENS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word == "thousand":
            total, current = total + max(current, 1) * 1000, 0
        elif word not in ("and", "a"):
            return None
    return total + current


def _chinese_number(text: str) -> int:
    total = section = digit = 0
    if len(text) > 1 and text[-1] in _CHINESE_DIGITS and text[-2] in "百千万":  # 四百五 is 450
        text += {"百": "十", "千": "百", "万": "千"}[text[-2]]
    for character in text:
        if character in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[character]
        elif character == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            section += (digit or 1) * _CHINESE_SCALES[character]
            digit = 0
    return total + section + digit
