"""Which shown items a message points at: by place, by name, by what tells them apart, or by a pronoun.

Pure: text and the last list in, SKUs out, with the places in the text where words only describe ("the tan skirt") and
wish for nothing. ``understand.py`` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from botcore.dialogue.lexicon import CATEGORY, Match
from botcore.dialogue.state import DialogueState
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, Token, stem

ORDINALS = {"first": 1, "1st": 1, "former": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4,
            "last": -1, "latter": -1}  # fmt: skip
CLASSIFIER = "[个個款件种种条條双雙本台臺把支瓶盒只隻套张張块塊]"
ORDINAL = re.compile(
    r"\b(?P<word>first|second|third|fourth|last|former|latter)\b(?! (?:time|year|week|month|name))"
    r"|\b(?P<digit>[1-4])(?:st|nd|rd|th)\b|(?:number|option|no\.|#)\s?(?P<number>[1-4]|one|two|three|four|a\b|b\b|c\b)"
    rf"|(?<!倒数)第(?P<chinese>[一二三四1-4])(?:{CLASSIFIER})?|(?<![\d零一二三四五六七八九十百])(?P<mark>[一二三四1-4])号(?!码)"
    rf"|(?P<head>头一?{CLASSIFIER})|倒数第(?P<back>[一二三四1-4])|(?P<final>最后一?{CLASSIFIER})"
)
NUMBER_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "a": 1, "b": 2, "c": 3, "一": 1, "二": 2, "三": 3, "四": 4}
PRONOUN = re.compile(r"\b(?:it|its|it's|that one|this one|that|this)\b|它|这个|那个|这款|那款|这件|那件")
POINTERS = {"the", "that", "those", "this", "these"}
LONGEST = 7
"""Words of an English description, the pointer with it."""
BEHIND = {"one", "ones", "pair", "thing", "for", "with", "in", "of", "made", "from", "and"}
"""Words inside a description that do not end it."""
CHINESE_POINTED = re.compile(
    rf"(?P<said>[^，。！？,.!?;；]+?)的?(?:[那这哪][一两几]?{CLASSIFIER}|[那这]个)|(?:^|[，。,;；])(?P<bare>[^，。！？,.!?;；]{{1,8}}?)的(?=看|会|能|太|缩|透|显|还有|多少|[^，。]{{1,8}}[吗么不？?])"
)
CHINESE_JOIN = re.compile(r"跟|和|与|还是|或者|、|比")
BETWEEN = re.compile(
    r"(?<!difference )(?<!choose )(?<!decide )\bbetween\b|\bin the middle\b"
    r"|夹在|之间|当中|中间|比.+贵.+比.+便宜|比.+便宜.+比.+贵"
)


@dataclass(frozen=True)
class ShownItem:
    """What the customer can refer to: one product of the last list. ``text`` is all its words, lower case.

    ``values`` are its attributes' values, as the catalogue stores them.
    """

    sku: str
    title: str
    text: str
    price: Decimal
    values: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pointing:
    """The shown items a message speaks of, in its order, and the stretches of it that only describe them."""

    skus: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()

    def describes(self, token: Token) -> bool:
        """Whether a word stands in a description."""
        return any(start <= token.start < end for start, end in self.spans)


def references(
    text: str,
    words: Sequence[Token],
    matches: Sequence[Match],
    shown: Sequence[ShownItem],
    state: DialogueState,
) -> Pointing:
    """The shown items that a normalised message points at; none where nothing is shown."""
    if not shown:
        return Pointing()
    found = [_at(match, shown) for match in ORDINAL.finditer(text)]
    skus = [item.sku for item in found if item]
    spans: list[tuple[int, int]] = []
    tells = _Telling(words, matches, shown)
    for start, end in (*_english_mentions(words), *_chinese_mentions(text)):
        if described := tells.apart(start, end):
            skus += described
            spans.append((start, end))
    skus += [item.sku for item in shown if item.title.lower() in text]
    if not skus and PRONOUN.search(text):
        skus = [state.focus] if state.focus in state.slate else [shown[0].sku] if len(shown) == 1 else []
    return Pointing(tuple(dict.fromkeys(skus)), tuple(spans))


def price_between(text: str, pointing: Pointing, shown: Sequence[ShownItem]) -> tuple[Decimal, Decimal] | None:
    """The prices of two shown items where the customer wants something between them."""
    prices = sorted(item.price for item in shown if item.sku in pointing.skus)
    if len(prices) != 2 or not BETWEEN.search(text):
        return None
    return prices[0], prices[1]


def _at(match: re.Match[str], shown: Sequence[ShownItem]) -> ShownItem | None:
    """The item at the place a match names, if the list is that long."""
    given = match["word"] or match["digit"] or match["number"] or match["chinese"] or match["mark"]
    if match["head"]:
        place = 1
    elif match["back"]:
        place = len(shown) + 1 - (NUMBER_WORDS.get(match["back"]) or int(match["back"]))
    elif given:
        place = ORDINALS.get(given) or NUMBER_WORDS.get(given) or int(given)
    else:
        place = -1
    if place == -1:
        return shown[-1]
    return shown[place - 1] if 1 <= place <= len(shown) else None


def _english_mentions(words: Sequence[Token]) -> Iterable[tuple[int, int]]:
    """Stretches that begin with "the", "that" ... and end where the description does."""
    for first, token in enumerate(words):
        if token.text not in POINTERS:
            continue
        last = first + 1
        while last < len(words) and last - first < LONGEST and _describing(words[last]):
            last += 1
        if last > first + 1:
            yield words[first + 1].start, words[last - 1].end


def _describing(token: Token) -> bool:
    return token.is_word and (token.text in BEHIND or token.text not in FUNCTION_WORDS | POINTERS)


def _chinese_mentions(text: str) -> Iterable[tuple[int, int]]:
    """Stretches before "那条", "这款" and the like, or before "的" where the sentence goes on about the thing itself."""
    for match in CHINESE_POINTED.finditer(text):
        name = "said" if match["said"] else "bare"
        start, said = match.start(name), match[name]
        joins = [m.end() for m in CHINESE_JOIN.finditer(said)]
        yield start + (joins[-1] if joins else 0), match.end(name)
        if joins:  # "A跟B那台": what stands before is mentioned as well
            yield start, start + joins[-1]


@dataclass(frozen=True)
class _Telling:
    """Finds the items that words tell apart from the others."""

    words: Sequence[Token]
    matches: Sequence[Match]
    shown: Sequence[ShownItem]

    def apart(self, start: int, end: int) -> list[str]:
        """The items that hold all telling words of a stretch; none where none tells or none holds all.

        A word that every item holds, or none, tells nothing.
        """
        left = list(self.shown)
        for holds in self._conditions(start, end):
            holding = [item for item in self.shown if holds(item)]
            if holding and len(holding) < len(self.shown):
                left = [item for item in left if item in holding]
        return [item.sku for item in left] if 0 < len(left) < len(self.shown) else []

    def _conditions(self, start: int, end: int) -> Iterable[Callable[[ShownItem], bool]]:
        inside = [i for i, token in enumerate(self.words) if start <= token.start < end]
        taken: set[int] = set()
        for match in self.matches:
            if set(range(match.first, match.last)) <= set(inside):
                taken |= set(range(match.first, match.last))
                yield partial(_holds_match, match)
        for index in inside:
            token = self.words[index]
            if index not in taken and token.is_word and token.text not in FUNCTION_WORDS | BEHIND | set(ORDINALS):
                yield partial(_holds_word, token.text)
        if "cheapest" in {self.words[i].text for i in inside} | {self.words[i].text.removesuffix("er") for i in inside}:
            least = min(item.price for item in self.shown)
            yield lambda item: item.price == least


def _holds_match(match: Match, item: ShownItem) -> bool:
    if any(x.attribute != CATEGORY and x.value in item.values for x in match.meanings):
        return True
    if CHINESE.match(match.phrase):
        return any(set(map(stem, x.value.split())) <= _stems(item) for x in match.meanings if x.attribute != CATEGORY)
    return {stem(part) for part in match.phrase.split()} <= _stems(item)


def _holds_word(word: str, item: ShownItem) -> bool:
    return stem(word) in _stems(item)


def _stems(item: ShownItem) -> set[str]:
    return {stem(word) for word in re.findall(r"[a-z]+", item.text)}
