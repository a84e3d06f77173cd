"""Prices in customers' words: "under eighty bucks", "between 50 and 100", "不超过五百块", "around $50".

A small grammar over one clause: cue words give the direction, numbers in digits or words the amount. Amounts are taken
in the shop's currency whatever sign they carry: converting would show a price that nobody set. Which currency was named is
told, so that the reply can say in which it was taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from botcore.dialogue.state import PriceRange

ABOUT = Decimal("0.3")
"""How far "around 50" reaches to either side."""
STRETCHED = Decimal("1.1")
"""What "a budget of about 50" may be stretched by: a limit, though a rough one."""

_UNITS = {w: i for i, w in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split()
)}  # fmt: skip
_TENS = {w: 10 * i for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}
_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CHINESE_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000}

_WORD = "|".join(
    [*_UNITS, *_TENS, "hundred", "thousand", "a hundred", "a thousand", "half a grand", "a grand", "grand"]
)
_ENGLISH_NUMBER = rf"(?:{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}))*"
_DIGITS = r"\d{1,3}(?:[,，]\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?"
CHINESE_NUMBER = r"[零〇一二两三四五六七八九十百千万]+(?!样)"
_SIGN = r"(?:us\$|[$€£¥￥]|usd|eur|gbp|cny|rmb|人民币|美元|美金|欧元|英镑)"
_UNIT = (
    r"(?:dollars?|bucks?|buks|usd|eur(?:os?)?|gbp|pounds?|quid|cny|rmb|yuan|"
    r"(?:元|块钱?)?人民币|美元|美金|欧元|英镑|元|块钱|块|刀|欧|蚊|[$€£¥])"
)
CURRENCIES = {
    "USD": re.compile(r"us\$|(?<![a-z])usd(?![a-z])|美元|美金", re.I),
    "EUR": re.compile(r"€|(?<![a-z])eur(?:os?)?(?![a-z])|欧", re.I),
    "GBP": re.compile(r"£|(?<![a-z])(?:gbp|quid|pounds?)(?![a-z])|英镑", re.I),
    "CNY": re.compile(r"(?<![a-z])(?:cny|rmb|yuan)(?![a-z])|人民币", re.I),
}
"""What names one currency and no other."""
_NUMBER = rf"(?:{_DIGITS}|{_ENGLISH_NUMBER}|{CHINESE_NUMBER})\s?k?(?:[来多](?=[块元刀蚊美欧]))?"
AMOUNT = re.compile(
    rf"(?:(?P<sign>{_SIGN})\s?)?(?<![a-z0-9.])(?P<number>{_NUMBER})(?:\s?(?P<unit>{_UNIT})(?![a-z])|(?!(?!ish\b)[a-z0-9%]))",
    re.I,
)

_NOT_ABOVE = (
    r"(?:(?:no|not|nothing|(?:none|not one)(?: of [a-z']+)?) (?:over|above|more than|higher than|past|beyond)|not exceeding|"
    r"不超过|不要超过|别超过|不高于|不多于)"
)
_NOT_BELOW = r"(?:no(?:t|thing)? (?:below|under|less than|lower than|cheaper than)|不低于|不少于|起码|最低|最少|至少)"
_BELOW = (
    r"(?:under|undr|below|less than|cheaper than|up to|upto|at most|maximum(?: of)?|"
    r"(?:spend|pay|go|stretch) (?:up )?(?:to|more than|over|above|past|beyond)|limit(?: is| of)?|ceiling(?: is| of)?|"
    r"max\.?|within|beneath|<=?|budget(?: is| of|:)?(?: about| around| up to)?|spend(?: about| up to)?|"
    r"raise it to|lower it to|make it|(?:purse|wallet|account) (?:says|allows)|"
    r"低于|少于|便宜过|低过|最多|最高|不到|小于|控制在|(?:放宽|提|加|升|降|改|涨)到|预算(?:是|在|大概|大约)?)"
)
_ABOVE = (
    r"(?:over|above|more than|at least|from|upwards of|north of|past|minimum(?: of)?|min\.?|starting at|>=?|"
    r"高于|超过|多于|大于)"
)
_AROUND = r"(?:around|about|roughly|approximately|approx\.?|circa|~|大概|大约|差不多)"
_BELOW_AFTER = (
    r"(?:or (?:less|under|below|lower)|max|tops|at (?:the )?(?:very |absolute )?most|or cheaper|(?:to|i can) (?:spend|blow|pay)|"
    r"(?:is|'s|as) (?:about |really )?(?:my|the|our) (?:very |absolute )?(?:ceiling|limit|cap|max(?:imum)?|budget|top|most)|"
    r"(?:的)?预算|以内|以下|之内|内|封顶|顶天|为限|为上限|打住)"
)
_ABOVE_AFTER = r"(?:or (?:more|above|higher)|and up|upwards?|\+|以上|往上|起)"
_AROUND_AFTER = r"(?:,? ?(?:or so|or thereabouts|give or take)|-?odd|左右|上下|出头|ish)"
TOO_MUCH = re.compile(r"[^,，.。;；!?！？]{0,8}?(?:不(?![?？，。,]|$)|免|别|算了|怕|pass|起不|买不起|穿不起)", re.I)
"""Behind an amount: what costs so much, or so little, is turned down."""
TURNED_DOWN = re.compile(
    r"(?:n't|\bnot|\bnever|\bno|\bnothing|\bkill me if|\bif|别|不想|不要|不会|不能)\b(?:(?!\band\b)[^,，;；!?！？])*$",
    re.I | re.A,
)
"""In front of a limit: "won't go past 65", "don't show me anything under 40"; not in "no Ondine and I've got $15 to spend"."""
GIVEN_UP = re.compile(r"(?:\b(?:ignore|forget|scrap|drop|not|never mind) (?:the|about the)?\s*|不是)$", re.I)
TOO_TIGHT = re.compile(
    r"\s*[块元刀]?(?:is|'s|was|太|有点|有些|不太|实在)?\s*(?:too (?:tight|low|little)|not enough|紧|少了|低了|不够)",
    re.I,
)
SAID_ANEW = re.compile(
    r"(?:no,? |sorry,? |wait,? |honest,? |rather,? |mean,? |actually,? |say,? |make (?:it|that) |"
    r"不对?[，,]?|不[，,]|还是|改成?)$",
    re.I,
)
"""Before a number that takes the place of an amount already said."""
MEASURE = re.compile(
    r"\s*-?(?:inch|cm|mm|kg|kilos?|g\b|grams?|l\b|w\b|watts?|ml|millilit|m2|m²|cups?|ounces?|oz\b|slices?|decibel|square|sq\b|feet|foot|ft|met(?:er|re)|miles?|lit(?:er|re)|pages?|pieces?|years?|"
    r"days?|hours?|min(?:ute)?s?\b|db\b|people|persons?|个|件|岁|寸|码|号|平|米|厘米|升|页|分钟|分贝|克|公斤|千克|毫升|瓦|人(?!民)|天|周|小时)",
    re.I,
)
"""What follows a number that is no price."""
PRICED = re.compile(r"\b(?:price|priced|budget|cost|spend|range|region)\b|价|预算|花|之间")
"""What makes two bare numbers a range of prices."""
COUNTED = re.compile(r"(?:\b(?:sizes?|eu|uk|ages?|aged|page|number)|[第码岁])\s*$", re.I)
"""Before two numbers that are no prices."""
ENDED = re.compile(
    r"\s*(?:$|[,，.。;；!！?？吧的]|would|is|are|seems?|sounds?|please|pls|max|tops|or so|for|这个|之间)", re.I
)
"""Behind two numbers that count nothing."""
NEIGHBOURS = re.compile(
    r"(?<![零〇一二两三四五六七八九十百千万])([一二三四五六七八])([二三四五六七八九])([十百千])(?![零〇一二两三四五六七八九十百千万])"
)
"""Two digits in a row before a scale: 六七十 is sixty to seventy-odd, 三四百 three to five hundred."""
CHINESE_NUMERAL = re.compile(CHINESE_NUMBER)
_JOIN = r"(?:and|to|-|–|—|~|到|至|和)"


@dataclass(frozen=True)
class Price:
    """What a message says about price, and where (character offsets, so that other readers skip it). ``currency`` is the ISO
    code of the one that it names, "" for none or a word for money of any ("块", "bucks", "$")."""

    range: PriceRange
    spans: tuple[tuple[int, int], ...] = ()
    currency: str = ""


def read_price(text: str) -> Price:
    """The price wish in a normalised text; an empty range where there is none.

    A bare number counts as a price only with a cue or a currency: "size 42" and "two jackets" say nothing of money.
    """
    price = _read_neighbours(text) or _read_range(text) or _read_bound(text) or Price(PriceRange())
    said = " ".join(text[start:end] for start, end in price.spans)
    return replace(price, currency=next((code for code, names in CURRENCIES.items() if names.search(said)), ""))


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
        if low is None or high is None or low >= high:
            continue
        after = text[match.end() :]
        worded = PRICED.search(text) or (low >= 5 and re.match(r"between|from", match.group(), re.I))
        big = low >= 10 and (CHINESE_NUMERAL.match(match["number"]) or ENDED.match(after))
        measured = MEASURE.match(after) or COUNTED.search(text[: match.start()])
        if explicit or ((worded or big or match.group().strip() == text.strip()) and not measured):
            return Price(PriceRange(low=low, high=high), ((match.start(), match.end()),))
    return None


@dataclass(frozen=True)
class _Bound:
    """One amount with what it bounds, and whether that is said of money beyond doubt."""

    start: int
    end: int
    range: PriceRange


def _read_bound(text: str) -> Price | None:
    """All the amounts of a message together: a lower and an upper one make a range, of two alike the later counts."""
    bounds: list[_Bound] = []
    for match in AMOUNT.finditer(text):
        value = _value(match["number"])
        if value is not None and (bound := _bound(text, match, value, bounds)):
            bounds.append(bound)
    if not bounds:
        return None
    sure = [b for b in bounds if b.range.about is None and (b.range.low is None) != (b.range.high is None)]
    low = next((b.range.low for b in reversed(sure) if b.range.low is not None), None)
    high = next((b.range.high for b in reversed(sure) if b.range.high is not None), None)
    last = bounds[-1].range
    both = low is not None and high is not None and low < high and last.about is None
    return Price(PriceRange(low, high) if both else last, tuple((b.start, b.end) for b in bounds))


def _bound(text: str, match: re.Match[str], value: Decimal, before_it: Sequence[_Bound]) -> _Bound | None:
    before, after = text[: match.start()], text[match.end() :]
    money = bool(match["sign"] or match["unit"])
    if match["unit"] == "块" and value < 10 and not re.match(r"\s*(?:钱|以|之|左右|的(?!是)|$|max|[，。,])", after):
        return None  # pieces of something
    if (MEASURE.match(after) and not money) or TOO_TIGHT.match(after) or GIVEN_UP.search(before):
        return None
    if match["number"].strip() == "one" and not money:
        return None  # "make it one with a hood"

    def place(cue_before: str, cue_after: str = "(?!)") -> tuple[int, int] | None:
        """Where the amount stands together with its cue; None without one."""
        leading = re.search(rf"(?<![a-z]){cue_before}\s*(?:about|around|的|是|为|在)?\s*$", before, re.I)
        trailing = re.match(rf"\s*{cue_after}(?![a-z])", after, re.I)
        if not leading and not trailing:
            return None
        return leading.start() if leading else match.start(), match.end() + (trailing.end() if trailing else 0)

    big = money or value >= 10
    roughly = match.span() if match["number"][-1:] in "来多" else place(_AROUND, _AROUND_AFTER)
    if big and roughly:
        if limited := place(_BELOW, rf"(?:{_AROUND_AFTER}\s*)?{_BELOW_AFTER}"):
            return _Bound(*limited, PriceRange(high=value * STRETCHED, about=value))
        return _Bound(*roughly, PriceRange(low=value * (1 - ABOUT), high=value * (1 + ABOUT), about=value))
    if found := place(_NOT_ABOVE):
        return _Bound(*found, PriceRange(high=value))
    if (found := place(_NOT_BELOW)) and big:
        return _Bound(*found, PriceRange(low=value))
    if found := place(_BELOW, _BELOW_AFTER):
        spending = re.search(r"(?:spend|pay|go|limit|ceiling|budget)\b", text[found[0] : match.start()], re.I)
        flipped = not spending and big and _turned_down(text, found)
        return _Bound(*found, PriceRange(low=value) if flipped else PriceRange(high=value))
    if (found := place(_ABOVE, _ABOVE_AFTER)) and big:
        return _Bound(*found, PriceRange(high=value) if _turned_down(text, found) else PriceRange(low=value))
    if money:
        return _Bound(*match.span(), PriceRange(high=value))
    if before_it and value >= 10 and SAID_ANEW.search(before):
        return _Bound(*match.span(), _like(before_it[-1].range, value))
    if value >= 10 and re.match(r"吧|就好|就行|够了", after):
        return _Bound(*match.span(), PriceRange(high=value))
    return None


def _turned_down(text: str, place: tuple[int, int]) -> bool:
    return TURNED_DOWN.search(text[: place[0]]) is not None or TOO_MUCH.match(text, place[1]) is not None


def _like(known: PriceRange, value: Decimal) -> PriceRange:
    """The same limit as one before, at another amount."""
    return PriceRange(low=value) if known.high is None else PriceRange(high=value)


def _numbered(pattern: str) -> str:
    return re.sub(r"\?P<(\w+)>", r"?P<\g<1>2>", pattern)


def _value(text: str) -> Decimal | None:
    text = text.strip().lower().rstrip("来多").strip()
    thousands = text.endswith("k")
    text = text.removesuffix("k").strip()
    if text[:1].isdigit():
        value = Decimal(text.replace(",", "").replace("，", ""))
    elif text and text[0] in _CHINESE_DIGITS | _CHINESE_SCALES.keys():
        value = Decimal(chinese_number(text))
    else:
        spoken = _english_number(text)
        if spoken is None:
            return None
        value = Decimal(spoken)
    return value * 1000 if thousands else value


def _english_number(text: str) -> int | None:
    if text == "half a grand":
        return 500
    total = current = 0
    for word in re.split(r"[\s-]+", text):
        if word in _UNITS:
            current += _UNITS[word]
        elif word in _TENS:
            current += _TENS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in ("thousand", "grand"):
            total, current = total + max(current, 1) * 1000, 0
        elif word not in ("and", "a"):
            return None
    return total + current


def chinese_number(text: str) -> int:
    """The value of Chinese numerals ("四百五": 450)."""
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
