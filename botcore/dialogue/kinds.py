"""Kinds of products that a category holds beside others, read from its titles: rain jackets and puffer jackets. Pure.

A name ends where its details begin: "Halo Cordless Vacuum, 70 min", "Toaster with High Lift". Kinds are what the names of
a category end in where a few endings share nearly all of them.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping

from botcore.dialogue.words import CHINESE, singular, tokens
from catalog.text import segment, simplified

AT_LEAST, SHARE = 3, 0.05
"""So many titles of a category, and this share of them, bear a kind's name."""
MOST = 0.8
"""Kinds have this share of a category's titles between them."""
LONGEST = 3
SAME = 0.9
"""F1 from which a Chinese ending and an English one name the same products."""
PREPOSITIONS = frozenset({"with", "by", "for", "from", "in", "of", "on"})
DETAILS = re.compile(r"[,(:|]| [-–] ")


def kinds_in(titles: Mapping[int, str], valued: Container[str]) -> dict[str, set[int]]:
    """The kinds of one category by their English names in the singular, with the products called so.

    ``valued`` are the words of the values that the category's products have: a "midi skirt" is a skirt of a value.
    """
    names = {pk: _name(title) for pk, title in titles.items()}
    return dict(_kinds(names, set(names), 1, valued)) if names else {}


def _name(title: str) -> tuple[str, ...]:
    """The words of a title up to its details, the last one in the singular."""
    words = [token.text for token in tokens(DETAILS.split(title.lower())[0])]
    *modifiers, head = [*itertools.takewhile(lambda word: word not in PREPOSITIONS, words)] or [""]
    return (*modifiers, singular(head))


def _kinds(
    names: Mapping[int, tuple[str, ...]], among: set[int], length: int, valued: Container[str]
) -> Iterator[tuple[str, set[int]]]:
    """The endings of ``length`` words that tell ``among`` apart, each with the whole of its name; else longer ones."""
    called = {end: pks for end, pks in _called(names, among, length).items() if end[0] not in valued or length == 1}
    if sum(map(len, called.values())) < MOST * len(among):
        return
    if len(called) > 1:
        for ending, pks in called.items():
            yield " ".join(ending), pks
            yield from _longer(names, pks, length + 1)
    elif length < LONGEST:
        yield from _kinds(names, among, length + 1, valued)


def _longer(names: Mapping[int, tuple[str, ...]], pks: set[int], length: int) -> Iterator[tuple[str, set[int]]]:
    """The longer name that nearly all products of a kind bear: shoes of the kind are running shoes."""
    for ending, bearing in _called(names, pks, length).items() if length <= LONGEST else ():
        if len(bearing) >= MOST * len(pks):
            yield " ".join(ending), bearing
            yield from _longer(names, pks, length + 1)


def _called(names: Mapping[int, tuple[str, ...]], among: set[int], length: int) -> dict[tuple[str, ...], set[int]]:
    """What enough of some products are called by the last words of their names."""
    called: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for pk in among:
        if len(names[pk]) >= length and all(map(_is_word, names[pk][-length:])):
            called[names[pk][-length:]].add(pk)
    return {ending: pks for ending, pks in called.items() if len(pks) >= max(AT_LEAST, SHARE * len(among))}


def _is_word(word: str) -> bool:
    return len(word) > 1 and word.isascii() and word[0].isalpha()


def chinese_names(titles: Mapping[int, str], kinds: Mapping[str, set[int]]) -> dict[str, str]:
    """The kinds by the Chinese endings that their products' titles share with no other's.

    All names stand at one place of the titles: what else its products have in common ("导航") is no name of a kind.
    """
    places = [_at_place(titles, kinds, place) for place in range(4)]
    return max(places, key=lambda named: len(set(named.values())))


def _at_place(titles: Mapping[int, str], kinds: Mapping[str, set[int]], place: int) -> dict[str, str]:
    called: defaultdict[str, set[int]] = defaultdict(set)
    for pk, title in titles.items():
        for ending in _endings(title.split()[place : place + 1]):
            called[ending].add(pk)
    found: dict[str, str] = {}
    for kind, products in kinds.items():
        known = products & titles.keys()
        for ending, pks in called.items():
            if known and 2 * len(pks & known) >= SAME * (len(pks) + len(known)):
                found.setdefault(ending, kind)
    return found


def _endings(part: list[str]) -> Iterator[str]:
    """The last word of a Chinese name, the last two together, and so on."""
    words = [word for each in part for word in segment(simplified(each)).split()]
    ending = ""
    for word in reversed(words):
        if not all(map(CHINESE.match, word)):
            return
        ending = word + ending
        if len(ending) > 1:
            yield ending
