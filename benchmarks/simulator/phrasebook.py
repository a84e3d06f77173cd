"""Puts a shopper's intentions into words of one language, with the variety and the slips of people. Pure but for the file.

The words are data in ``words/``; nothing of the product's vocabulary is used but the names of values.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks.simulator.goal import Wish
from benchmarks.simulator.goods import Names

WORDS = Path(__file__).parent / "words"
LANGUAGES = ("en", "zh")
TYPOS = 0.08
"""The share of English messages with a slip of the finger."""
UNSAYABLE = {("gender", "unisex"), ("skin_type", "all skin types"), ("concentration", "eau de parfum")}
"""Values that nobody would ask for by a name of their own."""


@cache
def words(language: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((WORDS / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


class Speakable:
    """The (attribute, value) pairs that there are words for in every language."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and pair not in UNSAYABLE and self._has_words(*pair)

    def _has_words(self, attribute: str, value: str) -> bool:
        named = attribute in ("brand", "size") or (attribute, value) in self.names
        said = (words(language)["sayings"].get(attribute, {}) for language in LANGUAGES)
        return named and all("*" in sayings or value in sayings for sayings in said)


class Phrasebook:
    """Speaks for one shopper: the same random numbers give the same words."""

    def __init__(self, language: str, names: Names, rng: random.Random) -> None:
        self.language, self.names, self.rng = language, names, rng
        self.words = words(language)

    def say(self, intention: str, kind: str, wishes: Sequence[Wish] = (), **slots: str) -> str:
        """A sentence of an intention (a list in the file). ``wishes`` qualify the noun."""
        frame = self.rng.choice(self.words[intention])
        sayings = [self.saying(wish) for wish in wishes]
        noun, plural = self.noun(kind)
        filled = {
            "a": self.phrase(noun, sayings, "a"),
            "s": self.phrase(plural, sayings, ""),
            "one": self.phrase("one", sayings, "a"),
            "ones": self.phrase("ones", sayings, ""),
            "it": self.phrase(noun, [], ""),
            **slots,
        }
        return str(frame).format(**filled)

    def noun(self, kind: str) -> tuple[str, str]:
        entry = self.rng.choice(self.words["kinds"][kind])
        return (entry, entry) if isinstance(entry, str) else (entry[0], entry[1])

    def department(self, department: str) -> str:
        return str(self.rng.choice(self.words["departments"][department]))

    def saying(self, wish: Wish) -> str:
        """How the value of a wish qualifies a noun; ``~`` is the noun's place."""
        sayings = self.words["sayings"][wish.attribute]
        said = str(self.rng.choice(sayings.get(wish.value) or sayings["*"]))
        name = wish.value
        if self.language == "zh":
            name = self.names.get((wish.attribute, wish.value), wish.value)
        titled = string.capwords(name) if self.rng.random() < 0.7 else name
        return said.replace("{v}", name).replace("{V}", wish.value.upper()).replace("{T}", titled)

    def phrase(self, noun: str, sayings: Sequence[str], article: str) -> str:
        if self.language == "zh":
            return self._chinese(noun, sayings, article)
        before = [s.removesuffix("~").strip() for s in sayings if s.endswith("~")]
        behind = [s.removeprefix("~").strip() for s in sayings if not s.endswith("~")]
        if article and noun.startswith(("pair of ", "bar of ", "piece of ")):
            head, _, rest = noun.partition(" of ")
            said = [head, "of", *before, rest, *behind]
        else:
            said = [*before, noun, *behind]
        text = " ".join(said)
        if not article:
            return text.replace(" that's ", " that are ")
        vowel = text[0].lower() in "aeiou" and not text.lower().startswith(("eu ", "one", "uni"))
        return text if text.split()[0] == "one" else f"{'an' if vowel else 'a'} {text}"

    def _chinese(self, noun: str, sayings: Sequence[str], article: str) -> str:
        if noun in ("one", "ones"):
            return "".join(sayings) or "这样的"
        qualified = "".join(s if s.endswith("的") or len(sayings) == 1 else f"{s}的" for s in sayings)
        counter = self.words["counters"].get(noun[-1], "个")
        number = self.rng.choice([f"一{counter}", counter, ""]) if article else ""
        return f"{number}{qualified}{noun}"

    def money(self, amount: str) -> str:
        return str(self.rng.choice(self.words["money"])).format(b=amount)

    def ordinal(self, place: int, of: int) -> str:
        """The item at a place from 0; the last entry of three says "the last one", which only the last is."""
        ways = self.words["ordinals"][place]
        said = str(self.rng.choice(ways if place == of - 1 else ways[:2]))
        return said if self.language == "zh" else f"the {said}"

    def join(self, parts: Sequence[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            ended = text[-1] in ".!?。！？"
            text += (
                (" " if text[-1].isascii() else "") + part if ended else self.rng.choice(self.words["joints"]) + part
            )
        return text

    def slip(self, text: str) -> str:
        """People's spelling: now and then a letter doubled, lost or swapped, no capitals, no full stop."""
        if self.language == "zh":
            return text
        if self.rng.random() < 0.25:
            text = text.lower().rstrip(".")
        places = [m.span() for m in re.finditer(r"[a-z]{5,}", text)]
        if not places or self.rng.random() >= TYPOS:
            return text
        start, end = self.rng.choice(places)
        at = self.rng.randrange(start + 1, end - 1)
        way = self.rng.choice(["swap", "lose", "double"])
        if way == "swap":
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        return text[:at] + text[at + 1 :] if way == "lose" else text[:at] + text[at] + text[at:]


def asked_attributes(language: str, question: str, options: Mapping[str, Sequence[str]]) -> list[str]:
    """The attributes that a question names, or whose values it offers, the likeliest first. ``options`` are the names of
    each attribute's values."""
    text = question.lower()
    named = {
        attribute: max((text.find(word) >= 0) * len(word) for word in called)
        for attribute, called in words(language)["attributes"].items()
    }
    for attribute, values in options.items():
        offered = sum(_stands_in(value, text) for value in values)
        if offered > 1:
            named[attribute] = named.get(attribute, 0) + 10 * offered
    return sorted((a for a, strength in named.items() if strength), key=lambda a: -named[a])


def _stands_in(value: str, text: str) -> bool:
    return value in text if not value.isascii() else re.search(rf"\b{re.escape(value)}\b", text) is not None
