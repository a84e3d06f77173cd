"""Personal data leaves a message before the message may enter a training set.

Found things become words in angle brackets. Better one word of shopping too many is lost than one telephone number kept:
where patterns cannot tell, they hide. What is looked for stands in ``contacts``, ``figures``, ``whereabouts`` and
``persons``; here are the view they look at and the order in which they look.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from botcore.dialogue.brief import TAG
from botcore.learning.contacts import EMAILS, HANDLES, IP_ADDRESSES, LINKS
from botcore.learning.figures import FIGURES
from botcore.learning.finding import HIDDEN, Finder, Found
from botcore.learning.persons import NAMES
from botcore.learning.whereabouts import ADDRESSES
from catalog.text import simplified

KINDS = (
    "email", "phone", "card", "id", "address", "name", "link", "handle", "order", "iban", "ip", "birthday", "secret", "all",
)  # fmt: skip
FINDERS: tuple[Finder, ...] = (*LINKS, *EMAILS, *IP_ADDRESSES, *HANDLES, *ADDRESSES, *FIGURES, *NAMES)
PLACEHOLDER = re.compile(rf"<(?:{'|'.join(KINDS)})>")
SPELT_AT = ("[at]", "[dot]")
"""Look like tags and are the signs of an e-mail address."""
MAX_PASSES = 4
"""Hiding one thing can lay another open; a text that goes on so for longer was made to, and nothing of it is kept."""
UNSEEN = re.compile("[\u034f\ufe00-\ufe0f\u20e3]")
LOOKALIKES = dict.fromkeys("‘’‛ʼ`´", "'") | dict.fromkeys("‐‑‒–—―−﹣", "-")


@dataclass(frozen=True)
class Scrubbed:
    """A message without personal data, and how many things of which kind were taken out."""

    text: str
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """A message as patterns read it; ``places[i]`` is where the view's character ``i`` comes from."""

    text: str
    places: tuple[int, ...] | range

    def span(self, found: Found) -> tuple[int, int]:
        """Where a found thing stands in the message, with the invisible characters after its last one."""
        last = self.places[found.end - 1] + 1
        following = self.places[found.end] if found.end < len(self.places) else last
        return self.places[found.start], max(last, following)


def scrub(text: str) -> Scrubbed:
    """``text`` with its personal data replaced by placeholders; the rest stays as it was written, and tags too."""
    counts: Counter[str] = Counter()
    for _ in range(MAX_PASSES):
        view = _view(text)
        found = _found(view)
        if not found:
            return Scrubbed(text, dict(counts))
        counts.update(one.kind for one in found)
        text = _replaced(text, view, found)
    return Scrubbed("<all>", dict(counts))


def _view(text: str) -> View:
    """Compatibility forms folded, Chinese simplified, every script's digits as ASCII ones, invisible characters gone."""
    if text.isascii():
        return View(text, range(len(text)))
    pieces = [_seen(c) for c in text]
    places = tuple(place for place, piece in enumerate(pieces) for _ in piece)
    return View("".join(pieces), places)


@lru_cache(maxsize=20_000)
def _seen(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Cf" or UNSEEN.match(character):
        return ""
    folded = (LOOKALIKES.get(c, c) for c in unicodedata.normalize("NFKC", character))
    return simplified("".join(str(unicodedata.decimal(c, c)) for c in folded))


def _found(view: View) -> list[Found]:
    """All that any finder finds, each finder looking at what the ones before it left."""
    text = _without(view.text, _protected(view.text))
    found: list[Found] = []
    for finder in FINDERS:
        if new := [one for one in finder(text) if one.end > one.start]:
            text = _without(text, ((one.start, one.end) for one in new))
            found += new
    return sorted(found, key=lambda one: one.start)


def _protected(text: str) -> Iterable[tuple[int, int]]:
    yield from (match.span() for match in PLACEHOLDER.finditer(text))
    yield from (match.span() for match in TAG.finditer(text) if match.group() not in SPELT_AT)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with the spans blank."""
    pieces, place = [], 0
    for start, end in sorted(spans):
        start = max(start, place)
        if end > start:
            pieces += [text[place:start], HIDDEN * (end - start)]
            place = end
    return "".join([*pieces, text[place:]])


def _replaced(text: str, view: View, found: list[Found]) -> str:
    pieces, place = [], 0
    for one in found:
        start, end = view.span(one)
        if end > place:
            pieces += [text[place : max(start, place)], f"<{one.kind}>"]
            place = end
    return "".join([*pieces, text[place:]])
