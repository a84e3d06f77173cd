"""What a message wants done: the intent head over the sentence encoder's vector and the message's n-grams.

The examples in ``data/intents.yaml`` are how to teach it; ``workers/training/heads.py`` makes the head from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import yaml

from botcore.dialogue.heads import Floats, Head, in_english, message_inputs, shipped
from botcore.dialogue.ports import Encoder
from botcore.dialogue.words import DATA, language_of


@dataclass(frozen=True)
class Intent:
    """The likeliest intent; ``scores`` are calibrated chances that add up to one, likeliest first.

    ``by_words`` are they before what the message names was weighed in. ``vector`` is the message's embedding, None for
    a Chinese one without words that the dictionary knows.
    """

    name: str
    scores: Mapping[str, float]
    vector: Floats | None = field(default=None, compare=False, repr=False)
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

    def __init__(self, encoder: Encoder, head: Head | None = None) -> None:
        self.encoder = encoder
        self.head = head or shipped("intent")

    def classify(self, text: str, named: bool = False) -> Intent:
        """The intent of a normalised message; ``named`` says that it names a category, value or price of the shop.

        That speaks for some intents and against others (Bayes' rule, as if independent of the words). Naming nothing
        says little: customers have words that no shop knows.
        """
        language = language_of(text)
        english = in_english(text)
        vector = self.encoder.encode([english])[0] if english else None
        chances = self.head.probabilities(message_inputs(text, vector), language)
        by_words = scores = dict(zip(self.head.labels, map(float, chances), strict=True))
        if named:
            weighed = {label: p * self.head.named[label] for label, p in scores.items()}
            total = sum(weighed.values())
            scores = {label: p / total for label, p in weighed.items()}
        ranked = dict(sorted(scores.items(), key=lambda pair: -pair[1]))
        return Intent(next(iter(ranked)), ranked, vector, by_words)


@lru_cache(maxsize=1)
def examples() -> dict[str, dict[str, list[str]]]:
    """The hand-written messages: intent -> language -> texts."""
    found: dict[str, Any] = yaml.safe_load((DATA / "intents.yaml").read_text(encoding="utf-8"))
    return found
