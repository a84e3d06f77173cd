"""Cutting a long text for a platform's limit, where a reader would pause, and never inside a word, a link or a price."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import regex

HAN = r"[\u3040-\u30ff\u4e00-\u9fff]"

PAUSES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\n\s*\n",
        r"\n",
        r"(?<=[.!?…])\s+|(?<=[。！？；])",
        r"\s+",
        r"(?<=[，、：])",
        rf"(?<={HAN})(?=\w)|(?<=\w)(?={HAN})",
    )
)
"""Where a text may be cut, best first: paragraphs, lines, sentences, words, and around Chinese characters."""

GAP = r"[^\S\n]*"
"""Nothing goes on in the next line."""
NUMBER = r"\d+(?:[.,'’]\d+|[^\S\n]\d{3}(?!\d))*"
BEFORE = rf"(?:(?<![A-Za-z])[A-Z]{{1,3}}{GAP})?\p{{Sc}}|(?<![A-Za-z])(?:[A-Z]{{3}}|Rs\.?)"
AFTER = (
    r"\p{Sc}|[A-Z]{3}(?![A-Za-z])|[千万亿]?(?:元|块|円)|[千万亿]"
    r"|(?i:kr|zł|kč|ft|lei|руб|euros?|dollars?|pounds?|yuan|yen)(?![A-Za-z])"
)
AMOUNT = rf"(?:{BEFORE}){GAP}{NUMBER}(?:{GAP}(?:{AFTER})(?!{GAP}\d))?|{NUMBER}(?:{GAP}(?:{AFTER}))?"
"""A number with its currency on either side: any sign, any code, the words most written. What stands before the next
number is that one's.
"""
LINK = re.compile(r"https?://[^\s<>\"“”「」『』（）《》，。；：！？、]+")
CLICKED_LINK = re.compile(LINK.pattern + r"(?<![.,:;!?)\]'])")
"""A link without the signs that end the sentence around it."""
WHOLE = regex.compile(f"{LINK.pattern}|{AMOUNT}")
LONGEST_LINK, LONGEST_GRAPHEME = 2000, 40
"""How far beyond a cut we look, in characters."""
GRAPHEME = regex.compile(r"\X")


def size(text: str, unit: str) -> int:
    """The length of a text as a platform counts it: in ``characters``, ``utf16`` units or ``bytes`` of UTF-8."""
    if unit == "utf16":
        return len(text.encode("utf-16-le")) // 2
    return len(text.encode()) if unit == "bytes" else len(text)


def chunks(text: str, limit: int, unit: str = "characters") -> list[str]:
    """``text`` in pieces of at most ``limit`` units each, without the white space around the cuts.

    Raises ``ValueError`` for a limit below one.
    """
    if limit < 1:
        raise ValueError(f"no text can be cut into pieces of {limit}")
    pieces = []
    rest = text.strip()
    while size(rest, unit) > limit:
        cut = _cut(rest, _longest_prefix(rest, limit, unit))
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*pieces, rest] if rest else pieces


def chunks_written(text: str, limit: int, write: Callable[[str], str], unit: str = "characters") -> list[str]:
    """``chunks`` for a platform that counts a text as it is written there: no ``write(piece)`` is above ``limit``.

    The pieces are still to be written. ``limit`` must hold what any two characters become.
    """
    return _narrowed(text, limit, limit, write, unit)


def around_links(text: str, write: Callable[[str], str], write_link: Callable[[str], str] = str) -> str:
    """A text as a platform wants it written, whose links are written otherwise: an escaped link leads nowhere."""
    places = [0, *(place for link in CLICKED_LINK.finditer(text) for place in link.span()), len(text)]
    parts = [text[start:end] for start, end in pairwise(places)]
    return "".join(write_link(part) if number % 2 else write(part) for number, part in enumerate(parts))


def _narrowed(text: str, width: int, limit: int, write: Callable[[str], str], unit: str) -> list[str]:
    pieces: list[str] = []
    for piece in chunks(text, width, unit):
        fits = size(write(piece), unit) <= limit
        pieces += [piece] if fits else _narrowed(piece, size(piece, unit) // 2 + 1, limit, write, unit)
    return pieces


def _longest_prefix(text: str, limit: int, unit: str) -> int:
    low, high = 1, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[:middle], unit) <= limit else (low, middle - 1)
    return low


def _cut(text: str, end: int) -> int:
    """The best place at or before ``end``; one in the first half leaves a tiny piece, so it comes last."""
    whole = [found.span() for found in WHOLE.finditer(text[: end + LONGEST_LINK])]
    for earliest in (end // 2, 0):
        for pause in PAUSES:
            places = [match.end() for match in pause.finditer(text, 0, end + 1) if earliest < match.start() <= end]
            for place in reversed(places):
                if not any(start < place < stop for start, stop in whole):
                    return place
    return _grapheme_start(text, next((start for start, stop in whole if 0 < start < end < stop), end))


def _grapheme_start(text: str, end: int) -> int:
    """The last place up to ``end`` between two characters as a reader sees them; ``end`` where one is longer than that."""
    starts = (match.start() for match in GRAPHEME.finditer(text[: end + LONGEST_GRAPHEME]))
    return max((start for start in starts if 0 < start <= end), default=end)
