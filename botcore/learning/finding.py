"""How personal data is looked for: patterns over a *view* of a message, in which what is already hidden is blank.

Every pattern keeps its repetitions bounded, or starts where no other attempt can, so that a hostile message costs time in
proportion to its length. No pattern may match ``HIDDEN``: what stands on either side of a hidden piece is never joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

HIDDEN = "\x00"
"""What stands in the view for every character that is hidden or protected."""


@dataclass(frozen=True)
class Found:
    """A piece of personal data in the view."""

    kind: str
    start: int
    end: int


Finder = Callable[[str], Iterable[Found]]


def _always(_: re.Match[str]) -> bool:
    return True


@dataclass(frozen=True)
class Pattern:
    """Finds what ``regex`` matches, or its group ``hide`` where there is one, if ``accepts`` agrees."""

    kind: str
    regex: re.Pattern[str]
    accepts: Callable[[re.Match[str]], bool] = _always
    needs: re.Pattern[str] | None = None
    """What a view must hold anywhere to be worth the search; saves time alone."""

    def __call__(self, view: str) -> Iterator[Found]:
        if self.needs and not self.needs.search(view):
            return
        group = "hide" if "hide" in self.regex.groupindex else 0
        for match in self.regex.finditer(view):
            if self.accepts(match):
                yield Found(self.kind, *match.span(group))


HAN = re.compile("[\u4e00-\u9fff]")
LATIN = re.compile("[A-Za-zÀ-ÿ]")
DIGIT = re.compile(r"\d")


def where(needs: re.Pattern[str], *patterns: Pattern) -> tuple[Finder, ...]:
    """The patterns, searched where a view holds what they all need."""
    return tuple(replace(one, needs=needs) for one in patterns)


def pattern(kind: str, source: str, accepts: Callable[[re.Match[str]], bool] = _always) -> Pattern:
    """A pattern that does not look at case."""
    return Pattern(kind, re.compile(source, re.IGNORECASE), accepts)


def cased(kind: str, source: str, accepts: Callable[[re.Match[str]], bool] = _always) -> Pattern:
    """A pattern for which capitals matter; cues in it open with ``(?i:``."""
    return Pattern(kind, re.compile(source), accepts)
