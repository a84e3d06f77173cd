"""Which shown items a message points at: by place, by number, by what tells them apart, or by a pronoun.

Pure: text and the last list in, SKUs out, with the places in the text where words only describe ("the tan skirt") and
wish for nothing. ``understand.py`` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from botcore.dialogue.meanings import Match
from botcore.dialogue.pointing.descriptions import WHICH, Telling, choices, stretches, takes_up, title_words
from botcore.dialogue.pointing.places import CLASSIFIER, COUNT, all_of, by_place, is_beyond
from botcore.dialogue.pointing.shown import ShownItem
from botcore.dialogue.state import CENT, DialogueState, PriceRange
from botcore.dialogue.understanding.intention import compared_with
from botcore.dialogue.words import Token

PRONOUN = re.compile(
    r"\b(?:it|its|it's|that one|this one|that(?! (?:range|budget)\b)|this)\b"
    r"|它|这个|那个|这款|那款|[这那嗰𠮶][件双条本台只瓶支]",
    re.ASCII,
)
DEMONSTRATIVE = re.compile(
    rf"\b(?:that|this) one\b|\b(?:those|these) (?P<many>two|three)\b|[这那嗰](?P<number>{COUNT})?{CLASSIFIER}"
)
OTHERS = re.compile(
    r"\bthe (?:other|others|rest)\b(?: (?:one|ones|two|three|pair))?|\bthe remaining\b|\beverything else\b"
    rf"|另外?(?:一|那|{COUNT})?{CLASSIFIER}|(?:剩下|其余|其他)的?(?:{COUNT}|几)?{CLASSIFIER}?",
    re.ASCII,
)
BETWEEN = re.compile(
    r"(?<!difference )(?<!choose )(?<!decide )(?<!torn )\bbetween\b|\bin the middle\b"
    r"|\bmore than\b.+\bless than\b|\bless than\b.+\bmore than\b"
    r"|夹在|之间|当中|中间价|比.+贵.+比.+便宜|比.+便宜.+比.+贵"
)


@dataclass(frozen=True)
class Mention:
    """One place of a message that speaks of shown items."""

    start: int
    end: int
    skus: tuple[str, ...]


@dataclass(frozen=True)
class Pointing:
    """The shown items a message speaks of, and the stretches of it that only describe them; ``beyond`` says that it names a place
    that the list does not have."""

    mentions: tuple[Mention, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    beyond: bool = False

    @property
    def skus(self) -> tuple[str, ...]:
        """All that is spoken of, in the message's order."""
        return tuple(dict.fromkeys(sku for mention in self.mentions for sku in mention.skus))

    def describes(self, place: int) -> bool:
        """Whether a place in the text lies in a description."""
        return any(start <= place < end for start, end in self.spans)


PREDICATE = re.compile(r"(?:到底|也|还)?(?:是不是|是)")
"""Begins what is said or asked of an item: "第一个是钢制的吗" points at one item by its place alone."""


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
    tells = Telling(text, words, matches, shown)
    placed = [(start, end, items) for start, end, items in by_place(text, shown) if items]
    wholes = list(all_of(text, shown))
    counted = [place for place in wholes if not text.startswith("both", place[0])]
    described = [
        (start, end, items)
        for start, end in _outer(stretches(text, words, matches))
        if not any(first < end and start < last for first, last in counted)
        and not any(start <= told.end() < end for _, last, _ in placed if (told := PREDICATE.match(text, last)))
        and (items := tells.apart(start, end))
    ]
    titles = [(item.title.lower(), item) for item in shown]
    called = [(place, place + len(title), [item]) for title, item in titles if (place := text.find(title)) >= 0]
    if (placed or called) and compared_with(text):  # "cheaper than the second" describes what is not shown yet
        described = []
    if not placed and not described:
        named = [*choices(text, words, matches), *title_words(text, _taken(words, matches), shown)]
        described = [(start, end, items) for start, end in named if (items := tells.apart(start, end))]
    spans = tuple((start, end) for start, end, _ in (*described, *placed, *called))
    mentions = [_mention(*found) for found in (*placed, *described)]
    if not described:
        mentions += [_mention(start, end, shown) for start, end in wholes]
    mentions += [_mention(*found) for found in called]
    if not any(m.start() < end and start < m.end() for start, end, _ in described for m in OTHERS.finditer(text)):
        mentions += _others(text, mentions, shown, state)
    beyond = not mentions and is_beyond(text, shown)
    if not mentions and not beyond:
        mentions = _demonstrated(text, tells, state)
    return Pointing(tuple(sorted(mentions, key=lambda mention: mention.start)), spans, beyond)


def price_between(text: str, pointing: Pointing, shown: Sequence[ShownItem]) -> PriceRange:
    """More than one of two shown items costs and less than the other, where the customer wants something between them."""
    prices = sorted(item.price for item in shown if item.sku in pointing.skus)
    if len(prices) != 2 or prices[0] == prices[1] or not BETWEEN.search(text) or WHICH.search(text):
        return PriceRange()
    return PriceRange(prices[0] + CENT, prices[1] - CENT, named=False)


def _mention(start: int, end: int, items: Sequence[ShownItem]) -> Mention:
    return Mention(start, end, tuple(item.sku for item in items))


def _outer(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches that lie within no longer one."""
    found = set(places)
    return sorted(p for p in found if not any(o != p and o[0] <= p[0] and p[1] <= o[1] for o in found))


@dataclass(frozen=True)
class Taken:
    """Whether a place in the text belongs to a phrase of the vocabulary."""

    places: frozenset[int]

    def __call__(self, place: int) -> bool:
        return place in self.places


def _taken(words: Sequence[Token], matches: Sequence[Match]) -> Taken:
    return Taken(frozenset(words[i].start for m in matches for i in range(m.first, m.last)))


def _others(text: str, mentions: Sequence[Mention], shown: Sequence[ShownItem], state: DialogueState) -> list[Mention]:
    """What "the other one" leaves when the items spoken of, or the one in focus, are taken away."""
    named = {sku for mention in mentions for sku in mention.skus} or {state.focus}
    match = OTHERS.search(text)
    left = [item for item in shown if item.sku not in named]
    if match is None or not left or len(left) == len(shown):
        return []
    return [_mention(*match.span(), left)]


def _demonstrated(text: str, tells: Telling, state: DialogueState) -> list[Mention]:
    """What "that one" and "it" mean: the items with a value that the message names, else the one in focus."""
    if match := DEMONSTRATIVE.search(text):
        many = match["many"] or match["number"]
        count = {"two": 2, "两": 2, "俩": 2, "2": 2, "three": 3, "三": 3, "3": 3}.get(many, 1) if many else 1
        for known in tells.matches:
            start, end = tells.words[known.first].start, tells.words[known.last - 1].end
            if len(items := tells.apart(start, end)) == count:
                return [_mention(*match.span(), items)]
    shown = tells.shown
    match = PRONOUN.search(text)
    if match and not takes_up(text, match.start(), match.end(), tells.words, tells.matches):
        if state.focus in state.slate and state.focus:
            return [Mention(*match.span(), (state.focus,))]
        if len(shown) == 1:
            return [_mention(*match.span(), shown)]
    return []
