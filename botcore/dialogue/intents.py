"""What a message wants done, as the reader understands it, and what it names speaks for or against.

The examples in ``data/intents.yaml`` and the messages in ``workers/training/messages`` are how to teach it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import yaml

from botcore.dialogue.ports import MessageReader
from botcore.dialogue.words import DATA

GREETING = "greeting"
SMALL_TALK = frozenset({GREETING, "thanks", "goodbye", "wellbeing", "identity", "compliment", "smalltalk", "ok"})
CLEAR, CLEARER = 0.75, 0.9
"""Chances from which what stands behind a greeting is meant, and from which that is more small talk."""
FIRST_CLAUSE = re.compile(r"^[^,.!?，。！？~]{1,24}[,.!?，。！？~]+\s*(?=\w)")


@dataclass(frozen=True)
class Intent:
    """The likeliest intent; ``scores`` are calibrated chances that add up to one, likeliest first.

    ``by_words`` are they before what the message names was weighed in.
    """

    name: str
    scores: Mapping[str, float]
    by_words: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)

    def called(self, name: str) -> Intent:
        """The same reading under another name, decided by other means than the head."""
        return replace(self, name=name)

    def chance(self, *names: str) -> float:
        """The chance that one of the intents is meant."""
        return sum(self.scores.get(name, 0.0) for name in names)

    @property
    def confidence(self) -> float:
        return self.scores.get(self.name, 0.0)


class IntentClassifier:
    """Thread-safe."""

    def __init__(self, reader: MessageReader) -> None:
        self.reader = reader

    def classify(self, text: str, named: bool = False) -> Intent:
        """The intent of a normalised message; ``named`` says that it names a category, value or price of the shop.

        That speaks for some intents and against others (Bayes' rule, as if independent of the words). Naming nothing
        says little: customers have words that no shop knows.
        """
        by_words = scores = self._by_words(text)
        if named:
            weighed = {label: p * naming()[label] for label, p in scores.items()}
            total = sum(weighed.values())
            scores = {label: p / total for label, p in weighed.items()}
        ranked = dict(sorted(scores.items(), key=lambda pair: -pair[1]))
        return Intent(next(iter(ranked)), ranked, by_words)

    def _by_words(self, text: str) -> Mapping[str, float]:
        """The reader's chances; of a greeting with more behind it those of the rest, where they are clear ("hello, I want to buy
        something")."""
        whole = self.reader.message(text).intents
        rest = FIRST_CLAUSE.sub("", text, count=1)
        if _likeliest(whole) != GREETING or len(rest) <= len(text) / 2 or rest == text:
            return whole
        behind = self.reader.message(rest).intents
        likeliest = _likeliest(behind)
        return behind if behind[likeliest] > (CLEARER if likeliest in SMALL_TALK else CLEAR) else whole


def _likeliest(chances: Mapping[str, float]) -> str:
    return max(chances, key=lambda name: chances[name])


@lru_cache(maxsize=1)
def naming() -> dict[str, float]:
    """How often the messages of an intent name something of the catalogue (``workers/training/naming.py``)."""
    found: dict[str, float] = json.loads((DATA / "naming.json").read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def examples() -> dict[str, dict[str, list[str]]]:
    """The hand-written messages: intent -> language -> texts."""
    found: dict[str, Any] = yaml.safe_load((DATA / "intents.yaml").read_text(encoding="utf-8"))
    return found
