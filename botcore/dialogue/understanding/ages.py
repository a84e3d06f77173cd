"""How old somebody is whom a message speaks of: what is for "my five-year-old" is for a child. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, TEXT, Match
from botcore.dialogue.money import chinese_number
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import NUMERALS, Token

CHILDREN = "children"
"""What the thesaurus calls them."""
GROWN = 13
"""Years from which nobody wants children's things."""
_NUMBER = "|".join(["[0-9]{1,2}", *(word for word in NUMERALS if word.isascii())])
AGE = re.compile(
    rf"\b(?P<old>{_NUMBER})[- ]?(?:years?|yrs?|months?)[- ]?olds?\b|\b(?P<short>\d{{1,2}}) ?(?:yo|y/o)\b"
    rf"|\b(?P<who>[a-z]+) of (?P<of>{_NUMBER})\b"
    rf"|\b(?:aged|age|turn(?:s|ing|ed)?) (?P<turned>{_NUMBER})\b"
    rf"|\b(?:he|she)(?:'s| is)(?: just| only| now)? (?P<so>{_NUMBER})(?=\W*(?:$|[,.;!?]|and\b|now\b))"
    r"|(?P<years>[0-9]{1,2}|[零一二两三四五六七八九十]{1,3})个?(?:多|半)?(?:周?岁|月大)",
    re.ASCII,
)
COPULA = re.compile(r"(?P<who>[a-z']+) (?:is|are|was)(?: just| only| now| about)? $")
"""Before an age: of whom or what it is told ("my kettle is six years old")."""


def with_ages(text: str, words: Sequence[Token], matches: Sequence[Match], lexicon: Lexicon) -> list[Match]:
    """The matches of a message, with its children's ages as words for children where the shop has things for them."""
    meanings = tuple(sorted(m for m in lexicon.meanings(CHILDREN) if m.attribute not in (CATEGORY, TEXT)))
    found = list(matches)
    for start, end in childrens_ages(text) if meanings else ():
        places = [i for i, token in enumerate(words) if start <= token.start < end]
        if places and not _is_of_a_thing(places[-1] + 1, matches):
            found = [m for m in found if m.last <= places[0] or m.first > places[-1]]
            found.append(Match(places[0], places[-1] + 1, CHILDREN, meanings))
    return sorted(found, key=lambda match: match.first)


def childrens_ages(text: str) -> Iterable[tuple[int, int]]:
    """Where a normalised text tells the age of a child."""
    people = thesaurus().kin | {"he", "she", "who", "boy", "girl"}
    for match in AGE.finditer(text):
        told = next(number for name, number in match.groupdict().items() if number and name != "who")
        years = NUMERALS.get(told) or (int(told) if told.isdecimal() and told.isascii() else chinese_number(told))
        subject = match if match["who"] else COPULA.search(text[: match.start()])
        if years < GROWN and (subject is None or subject["who"] in people):
            yield match.span()


def _is_of_a_thing(place: int, matches: Sequence[Match]) -> bool:
    """Whether a kind of product stands right behind an age ("a ten year old kettle")."""
    return any(m.first == place and any(x.attribute == CATEGORY for x in m.meanings) for m in matches)
