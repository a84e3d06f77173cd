"""Shown items by what tells them apart: "the tan skirt", "双层那个", "the cheapest", "蜗牛跟狐狸". Pure.

First where a message describes something that is already there, then which items the description fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import partial

from botcore.dialogue.meanings import CATEGORY, Match
from botcore.dialogue.measures import QUANTITY, quantity
from botcore.dialogue.names import attribute_name
from botcore.dialogue.pointing.places import CLASSIFIER, COUNT, ORDINALS, THAT
from botcore.dialogue.pointing.shown import ShownItem, extreme
from botcore.dialogue.words import CHINESE, CLAUSE_END, FUNCTION_WORDS, Token, stem
from catalog.text import segment

DEFINITE = {"the", "that", "those", "this", "these", "both", "da", "teh"}
PLACING = {"for", "in", "at", "on", "into", "without"}
"""Before "the": "for the bedroom" is no item of a list."""
HEADS = {"one", "ones", "pair", "pairs", "fella", "guy", "thing"}
LONGEST = 7
"""Words of an English description, the pointer with it."""
INSIDE = HEADS | {"for", "with", "in", "of", "made", "from", "and", "two", "three", "other"}
"""Function words inside a description that do not end it."""
HEADED = re.compile(
    r"\b(?:the|that|those|these|this|both|an?other) (?P<said>(?:[\w'-]+ ){1,3}?)(?P<head>one|ones|pair)\b"
)
RELATIVE = re.compile(
    r"\b(?:the|that) (?:one|ones|pair) (?P<said>(?:that|which|who|with|without|by|from|for)\b[^.,!?;]*)"
)
SUM = re.compile(r"(?<![\d.,a-z])\d+(?:\.\d\d)?(?![\d.,]*\d|[a-z])")
PRICED = re.compile(
    r"\b(?:the|that|this) (?P<said>[$€£¥]?\d+(?:\.\d\d)?(?:[- ]?(?:dollars?|bucks?|euros?|pounds?|quid|[€£]))?)"
    r"(?= (?:ones?|and|or)\b|\s*(?:[,!?;]|[.](?!\d)|$))"
)
"""An item called by what it costs: "the 299 one", "between the $12 and the $30"."""
ROUGHLY = re.compile(r"(?P<count>[一二三四五六七八九])(?P<scale>十|百)(?:来|多|几)[块元刀]?")

BEFORE_CLASSIFIER = re.compile(
    rf"(?P<said>[^，。！？,.!?;；：:…]+?)(?:的?{THAT}(?:一|几|{COUNT})?{CLASSIFIER}|的(?:{COUNT}){CLASSIFIER}|的?{THAT}(?:{COUNT})?(?![么里边些样]))"
)
BEHIND_CLASSIFIER = re.compile(rf"{THAT}(?:一|几|{COUNT})?{CLASSIFIER}(?P<said>(?!是)[^，。！？,.!?;；]{{1,8}}?)的")
COUNTED = re.compile(rf"(?<!第)(?:{COUNT}{CLASSIFIER}|[俩仨])(?P<said>[^，。！？,.!?;；]{{1,8}}?)的")
TOPIC = re.compile(
    r"(?:^|[，。,;；！!？?…\s])(?:那|就|可|不过|其实|还是|但|但是|刚才)?(?P<said>(?:(?!是)[^，。！？,.!?;；…\s]){1,8}?)的(?P<next>[^，。！？,.!?;；\s]{1,6})"
)
BETWEEN_TWO = re.compile(
    r"(?:在|介于)(?P<said>[^，。！？,.!?;；]{1,16})(?:之间|中间|当中)|比(?P<other>[^，。！？,.!?;；]{1,10}?)的?(?:要|还|更)?(?:贵|便宜)"
)
FINE = re.compile(r"(?:是)?(?:可以|不错|挺好|还行|好看|蛮好|太|有点)")
"""What follows a value that stands for an item ("台扇可以")."""
WISHING = re.compile(r"要|想|有|换|来|买|找|求|给我|看看|没|推荐|选|改|不|别|除|再|更|点$|些$")
"""In front of a nominalised value ("有黑的吗") it is asked for, not pointed at."""
JOIN = re.compile(r"跟|和|与|同|还是|或者|、|比")
EITHER = re.compile(r"^[^,.!?]*\bor\b[^,.!]*\?$|^[^，。？?]+还是[^，。？?]+[?？]?$")
WHICH = re.compile(r"\bwhich\b|哪[一]?[个款件条双本台把支瓶盒只套张块样]|边[件条个双]")

CHEAP = re.compile(
    r"\b(?:cheap(?:er|est)?|least expensive|less expensive|lowest[- ]priced|most affordable|budget)\b"
    r"|便宜|平[嗰啲嘅]|最平|实惠|低价"
)
DEAR = re.compile(
    r"\b(?:most expensive|more expensive|expensive|pric(?:ey|ier|iest)|dear(?:er|est)|costliest)\b|最贵|贵"
)
SMALL = re.compile(r"\b(?:small(?:er|est)?|littler?|littlest|mini|tiny|tiniest)\b|小|迷你")
BIG = re.compile(r"\b(?:big(?:ger|gest)?|larg(?:e|er|est)|huge)\b|大(?!衣)")
OUTERMOST = re.compile(
    r"\b(?:cheapest|least expensive|lowest[- ]priced|most affordable|most expensive|priciest|dearest|costliest)\b"
    r"|\b(?:biggest|largest|smallest|littlest|tiniest)\b"
    r"|最(?:便宜|平|实惠|贵|大|小)"
)
"""Superlatives: they need no other sign that they speak of the list."""


def stretches(text: str, words: Sequence[Token], matches: Sequence[Match]) -> Iterable[tuple[int, int]]:
    """Where a message speaks of a thing by description; the same place may come twice."""
    for match in HEADED.finditer(text):
        yield match.span("said")
    for match in (*RELATIVE.finditer(text), *PRICED.finditer(text)):
        yield match.span("said")
    yield from _english(words)
    yield from (match.span() for match in OUTERMOST.finditer(text))
    for pattern in (BEFORE_CLASSIFIER, BEHIND_CLASSIFIER, COUNTED):
        for match in pattern.finditer(text):
            if not takes_up(text, match.end("said"), match.end(), words, matches):
                yield from _joined(match.start("said"), match["said"])
    for match in BETWEEN_TWO.finditer(text):
        name = "said" if match["said"] else "other"
        yield from _joined(match.start(name), match[name])
    for known in matches:
        start, end = words[known.first].start, words[known.last - 1].end
        if (not start or CLAUSE_END.match(text[start - 1])) and FINE.match(text, end) and CHINESE.match(text[start]):
            yield start, end
    for match in TOPIC.finditer(text):
        if not WISHING.search(match["said"]) and not _noun_follows(match.end("said") + 1, words, matches):
            yield match.span("said")


def takes_up(text: str, start: int, end: int, words: Sequence[Token], matches: Sequence[Match]) -> bool:
    """Whether a Chinese demonstrative ``[start, end)`` only takes up the name before it ("夏目漱石这个作家"): what it is called
    then shares a character with the attribute's name (作者)."""
    noun = set(text[end : end + 2])
    before = (known for known in matches if words[known.last - 1].end == start)
    names = (attribute_name(meaning.attribute, "zh") for known in before for meaning in known.meanings)
    return any(noun & set(name) for name in names if CHINESE.match(name))


def choices(text: str, words: Sequence[Token], matches: Sequence[Match]) -> Iterable[tuple[int, int]]:
    """The bare alternatives of a question which one ("which is dressier, suede or burgundy")."""
    if WHICH.search(text) or EITHER.search(text):
        for match in matches:
            around = {words[i].text for i in (match.first - 1, match.last) if 0 <= i < len(words)}
            if around & {"or", "跟", "和", "与", "还", "vs", "versus"}:
                yield words[match.first].start, words[match.last - 1].end


INDEFINITE = re.compile(r"\b(?:an?|any|some|another)(?: [a-z-]+)? $")
"""Before what is looked for, not pointed at: "a reel maybe", "a beard oil"."""
ONE = re.compile(r" ones?\b")


def title_words(text: str, taken: Callable[[int], bool], shown: Sequence[ShownItem]) -> Iterable[tuple[int, int]]:
    """Words of some items' titles that name nothing else in the shop ("Calloway", "狐狸")."""
    titles = [set(segment(item.title).split()) for item in shown]
    for word in dict.fromkeys(segment(text).split()):
        if word in FUNCTION_WORDS or len(word) < (2 if CHINESE.match(word) else 4):
            continue
        place = text.find(word)
        any_such = INDEFINITE.search(text[:place]) and not ONE.match(text[place + len(word) :])
        if place >= 0 and not (taken(place) or any_such) and 0 < sum(word in title for title in titles) < len(shown):
            yield place, place + len(word)


def _english(words: Sequence[Token]) -> Iterable[tuple[int, int]]:
    """Stretches that begin with "the", "that" ... and end where the description does."""
    for first, token in enumerate(words):
        if token.text not in DEFINITE:
            continue
        last = first + 1
        while (
            last < len(words) and last - first < LONGEST and _describing(words, last) and not _done(words, first, last)
        ):
            last += 1
        headed = any(word.text in HEADS for word in words[first:last])
        chosen = first > 1 and words[first - 2].text in ("go", "going", "opt", "settle")
        placed = first > 0 and words[first - 1].text in PLACING and token.text in ("the", "this") and not chosen
        if last > first + 1 and (headed or not placed or _between(words, first)):
            yield words[first + 1].start, words[last - 1].end


def _done(words: Sequence[Token], first: int, index: int) -> bool:
    """Whether a description is complete before a word: behind its head, or where "in black" says what is wished of it."""
    said = [word.text for word in words[first + 1 : index]]
    text = words[index].text
    if text in ("in", "with"):
        return any(word not in HEADS for word in said)
    return bool(said) and said[-1] in HEADS and text not in INSIDE | {"that", "that's"}


def _between(words: Sequence[Token], first: int) -> bool:
    return any(word.text in ("between", "than", "like", "similar") for word in words[max(0, first - 3) : first])


def _describing(words: Sequence[Token], index: int) -> bool:
    text = words[index].text
    if text == "-":
        return True
    relative = text in ("that's", "that") and words[index - 1].text in HEADS
    return relative or (words[index].is_word and (text in INSIDE or text not in FUNCTION_WORDS | DEFINITE))


def _joined(start: int, said: str) -> Iterable[tuple[int, int]]:
    """The last of what is joined by "和" and the like, and the others each for themselves."""
    begin = 0
    for join in JOIN.finditer(said):
        if join.start() > begin:
            yield start + begin, start + join.start()
        begin = join.end()
    yield start + begin, start + len(said)


def _noun_follows(place: int, words: Sequence[Token], matches: Sequence[Match]) -> bool:
    """Whether a thing is named right behind "的", so that what stands before only modifies it."""
    index = next((i for i, word in enumerate(words) if word.start == place), None)
    return index is None or any(m.first == index for m in matches)


@dataclass(frozen=True)
class Telling:
    """Finds the items that words tell apart from the others."""

    text: str
    words: Sequence[Token]
    matches: Sequence[Match]
    shown: Sequence[ShownItem]

    def apart(self, start: int, end: int) -> list[ShownItem]:
        """The items that hold all telling words of a stretch; none where none tells or none holds all.

        A word that every item holds, or none, tells nothing.
        """
        left = list(self.shown)
        for holding in self._told(start, end):
            if 0 < len(holding) < len(self.shown):
                left = [item for item in left if item in holding] or left
        return left if 0 < len(left) < len(self.shown) else []

    def _told(self, start: int, end: int) -> Iterable[list[ShownItem]]:
        inside = [i for i, token in enumerate(self.words) if start <= token.start < end]
        said = self.text[start:end]
        taken: set[int] = set()
        for match in self.matches:
            if match.first in inside:
                holding = self._holding(partial(_has_value, match)) or self._holding(partial(_says, match))
                if holding:
                    taken |= set(range(match.first, match.last))
                    yield holding
        for index in inside:
            token = self.words[index]
            if index not in taken and token.is_word and token.text not in FUNCTION_WORDS | INSIDE | set(ORDINALS):
                yield self._holding_word(token.text)
        if HEADED.search(self.text) and len(inside) <= 2:  # "the down one": a function word all the same
            yield from (self._holding_word(self.words[i].text) for i in inside if i not in taken)
        known = {self.words[i].start for i in taken}
        for word in segment(said).split():
            if CHINESE.match(word) and len(word) > 1 and start + said.find(word) not in known:
                yield self._holding(partial(_contains, word.removesuffix("子")))
        for amount in QUANTITY.finditer(said):
            measured = quantity(amount.group())
            yield [item for item in self.shown if measured and item.measures.get(measured[1]) == measured[0]]
        for amount in SUM.finditer(said):
            yield self._holding(partial(_costs, Decimal(amount.group())))
        for rough in ROUGHLY.finditer(said):
            scale = 10 if rough["scale"] == "十" else 100
            low = scale * ("一二三四五六七八九".index(rough["count"]) + 1)
            yield [item for item in self.shown if low <= item.price < low + scale]
        yield from self._extremes(said)

    def _extremes(self, said: str) -> Iterable[list[ShownItem]]:
        for pattern, by_price, most in (
            (CHEAP, True, False),
            (DEAR, True, True),
            (SMALL, False, False),
            (BIG, False, True),
        ):
            if pattern.search(said):
                yield extreme(self.shown, by_price=by_price, most=most)
                return

    def _holding_word(self, word: str) -> list[ShownItem]:
        """The items called by a word, where that tells them apart, else those whose texts have it."""
        called = self._holding(lambda item: stem(word) in item.titled)
        return called if 0 < len(called) < len(self.shown) else self._holding(lambda item: stem(word) in item.stems)

    def _holding(self, holds: Callable[[ShownItem], bool]) -> list[ShownItem]:
        return [item for item in self.shown if holds(item)]


def _has_value(match: Match, item: ShownItem) -> bool:
    return any(x.value in item.values for x in match.meanings if x.attribute != CATEGORY)


def _says(match: Match, item: ShownItem) -> bool:
    """Whether an item's texts hold what a phrase stands for."""
    if CHINESE.match(match.phrase):
        values = [x.value for x in match.meanings if x.attribute != CATEGORY]
        return match.phrase in item.text or any(set(map(stem, value.split())) <= item.stems for value in values)
    return {stem(part) for part in match.phrase.split()} <= item.stems


def _costs(amount: Decimal, item: ShownItem) -> bool:
    """Whether an item has a price, which people say without the cents."""
    return amount in (item.price, item.price.to_integral_value(ROUND_FLOOR))


def _contains(word: str, item: ShownItem) -> bool:
    return len(word) > 1 and word in item.text
