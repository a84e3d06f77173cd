"""Misspelt names put right: English by edits, Chinese by characters that sound alike. Pure, against a shop's lexicon."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from itertools import zip_longest

import rjieba

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.words import CHINESE, DATA, PLAIN, tokens

LONGEST = 6
"""Characters of a Chinese name that are looked at."""


def correct_spelling(text: str, lexicon: Lexicon) -> str:
    """A normalised text with misspelt names put right; everything else, spacing included, as written."""
    parts, position = [], 0
    found = tokens(text)
    for token, following in zip_longest(found, found[1:]):
        if token.start < position:
            continue
        if following and text[token.end : following.start] == " " and lexicon.apart(token.text, following.text):
            parts += [text[position : token.start], token.text + following.text]
            position = following.end
        elif token.is_word and (better := lexicon.correct(token.text)) != token.text:
            parts += [text[position : token.start], better]
            position = token.end
    english = "".join([*parts, text[position:]])
    return _correct_chinese(english, lexicon) if CHINESE.search(english) else english


def _correct_chinese(text: str, lexicon: Lexicon) -> str:
    """Names in which one character was mistaken for one that sounds alike ("粉低液"); known words are left alone."""
    single = single_characters(text)
    for start in range(len(text)):
        for length in range(min(LONGEST, len(text) - start), 1, -1):
            said = text[start : start + length]
            if not all(CHINESE.match(c) for c in said):
                continue
            if said in lexicon.chinese:
                return text[: start + length] + _correct_chinese(text[start + length :], lexicon)
            if better := _homophone(said, start, single, lexicon):
                return text[:start] + better + _correct_chinese(text[start + length :], lexicon)
    return text


def _homophone(said: str, start: int, single: set[int], lexicon: Lexicon) -> str:
    if not PLAIN.isdisjoint(said):
        return ""
    for place, character in enumerate(said):
        if start + place not in single or character in PLAIN:
            continue
        for name in lexicon.slips.get(said[:place] + "?" + said[place + 1 :], ()):
            if sounds_alike(character, name[place]):
                return name
    return ""


def single_characters(text: str) -> set[int]:
    """Where a character is no part of a longer word that Chinese has."""
    found, position = set(), 0
    for word in rjieba.cut(text, False):
        if len(word) == 1:
            found.add(position)
        position += len(word)
    return found


ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ing", "in"), ("eng", "en"), ("ang", "an"))
"""Syllables that many speakers, and their keyboards, do not tell apart."""


def sounds_alike(one: str, other: str) -> bool:
    """Whether two common characters have the same syllable, tone left out."""
    return (syllable := _syllable(one)) != "" and syllable == _syllable(other)


def _syllable(character: str) -> str:
    """The pinyin of a common character, from where it stands in GB 2312; "" for any other."""
    place = _gb2312(character)
    starts, names = _syllables()
    if not starts[0] <= place <= LAST_COMMON:
        return ""
    name = names[bisect_right(starts, place) - 1]
    for exact, heard in ALIKE:
        name = name.replace(exact, heard)
    return name


LAST_COMMON = 0xD7F9


@cache
def _syllables() -> tuple[list[int], list[str]]:
    """Where each syllable begins among GB 2312's 3,755 common characters, which stand in the order of their pinyin."""
    listed = [entry.split(":") for entry in (DATA / "pinyin.txt").read_text(encoding="utf-8").split()]
    return [_gb2312(first) for _, first in listed], [name for name, _ in listed]


def _gb2312(character: str) -> int:
    try:
        return int.from_bytes(character.encode("gb2312"), "big")
    except UnicodeEncodeError:
        return 0
