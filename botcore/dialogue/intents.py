"""What a message wants done: the intent head over the sentence encoder's vector and the message's n-grams.

The examples in ``data/intents.yaml`` are how to teach it; ``workers/training/heads.py`` makes the head from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from botcore.dialogue.heads import Floats, Head, in_english, message_inputs, shipped
from botcore.dialogue.ports import Encoder
from botcore.dialogue.words import DATA, language_of


@dataclass(frozen=True)
class Intent:
    """The likeliest intent; ``scores`` are calibrated chances that add up to one, likeliest first.

    ``vector`` is the message's embedding, None for a Chinese one without words that the dictionary knows.
    """

    name: str
    scores: Mapping[str, float]
    vector: Floats | None = field(default=None, compare=False, repr=False)

    @property
    def confidence(self) -> float:
        return self.scores.get(self.name, 0.0)


class IntentClassifier:
    """Thread-safe."""

    def __init__(self, encoder: Encoder, head: Head | None = None) -> None:
        self.encoder = encoder
        self.head = head or shipped("intent")

    def classify(self, text: str) -> Intent:
        """The intent of a normalised message."""
        language = language_of(text)
        english = in_english(text)
        vector = self.encoder.encode([english])[0] if english else None
        chances = self.head.probabilities(message_inputs(text, vector), language)
        ranked = sorted(zip(self.head.labels, map(float, chances), strict=True), key=lambda pair: -pair[1])
        return Intent(ranked[0][0], dict(ranked), vector)


@lru_cache(maxsize=1)
def examples() -> dict[str, dict[str, list[str]]]:
    """The hand-written messages: intent -> language -> texts."""
    found: dict[str, Any] = yaml.safe_load((DATA / "intents.yaml").read_text(encoding="utf-8"))
    return found
