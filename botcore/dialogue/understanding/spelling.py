"""Misspelt names put right: English by edits, Chinese by characters that sound alike. Pure, against a shop's lexicon."""

from __future__ import annotations

import rjieba

from botcore.dialogue.lexicon import Lexicon
from botcore.dialogue.words import CHINESE, tokens

LONGEST = 6
"""Characters of a Chinese name that are looked at."""


def correct_spelling(text: str, lexicon: Lexicon) -> str:
    """A normalised text with misspelt names put right; everything else, spacing included, as written."""
    parts, position = [], 0
    for token in tokens(text):
        if token.is_word and (better := lexicon.correct(token.text)) != token.text:
            parts += [text[position : token.start], better]
            position = token.end
    english = "".join([*parts, text[position:]])
    return _correct_chinese(english, lexicon) if CHINESE.search(english) else english


def _correct_chinese(text: str, lexicon: Lexicon) -> str:
    """Names in which one character was mistaken for one that sounds alike ("粉低液"); known words are left alone."""
    single = _single_characters(text)
    for start in range(len(text)):
        for length in range(min(LONGEST, len(text) - start), 1, -1):
            said = text[start : start + length]
            if not all(CHINESE.match(c) for c in said):
                continue
            if better := _homophone(said, start, single, lexicon):
                return text[:start] + better + _correct_chinese(text[start + length :], lexicon)
    return text


def _homophone(said: str, start: int, single: set[int], lexicon: Lexicon) -> str:
    if said in lexicon.chinese:
        return ""
    for place, character in enumerate(said):
        if start + place not in single:
            continue
        for name in lexicon.slips.get(said[:place] + "?" + said[place + 1 :], ()):
            if sounds_alike(character, name[place]):
                return name
    return ""


def _single_characters(text: str) -> set[int]:
    """Where a character is no part of a longer word that Chinese has."""
    found, position = set(), 0
    for word in rjieba.cut(text, False):
        if len(word) == 1:
            found.add(position)
        position += len(word)
    return found


SYLLABLE = 9
"""About how many characters of the common ones share a syllable."""
COMMON = range(0xB0A1, 0xD7FA)
"""GB 2312's level 1, the 3,755 common characters in the order of their pinyin."""


def sounds_alike(one: str, other: str) -> bool:
    """Whether two common characters stand close together in the order of pinyin."""
    places = [_pinyin_place(one), _pinyin_place(other)]
    return min(places) >= 0 and abs(places[0] - places[1]) <= SYLLABLE


def _pinyin_place(character: str) -> int:
    try:
        high, low = character.encode("gb2312")
    except (UnicodeEncodeError, ValueError):
        return -1
    return (high - 0xB0) * 94 + (low - 0xA1) if (high << 8 | low) in COMMON else -1
