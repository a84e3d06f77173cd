"""The intent of the nearest examples, what served before the intent head did: the head is compared with it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from botcore.dialogue.intents import Intent, examples
from botcore.dialogue.ports import Encoder
from botcore.dialogue.words import CHINESE, stem, tokens

NEIGHBOURS = 3
SHARPNESS = 12.0
WORD_SHARE = 0.35
"""Weight of shared words beside shared meaning: cue words ("why", "compare") count more than a sentence's topic."""


@dataclass(frozen=True)
class Example:
    intent: str
    text: str
    language: str


def hand_written() -> list[Example]:
    return [
        Example(intent, str(text), language)
        for intent, by_language in examples().items()
        for language, texts in by_language.items()
        for text in texts
    ]


class NearestExamples:
    """By meaning in English and by characters in Chinese; the confidence is a softmax with a hand-set sharpness."""

    def __init__(self, encoder: Encoder, known: Sequence[Example]) -> None:
        self.encoder = encoder
        frequency = Counter(gram for example in known for gram in set(_grams(example.text)))
        self._weight = {gram: math.log(1 + len(known) / count) for gram, count in frequency.items()}
        self._unseen = math.log(1 + len(known))
        self.examples = [(example.intent, self._vector(example.text)) for example in known]
        self._english = [i for i, example in enumerate(known) if example.language == "en"]
        self._vectors = encoder.encode([known[i].text for i in self._english])

    def classify(self, text: str) -> Intent:
        similarity = self._by_words(text)
        if not CHINESE.search(text):
            meaning = np.zeros(len(self.examples), dtype=np.float32)
            meaning[self._english] = self._vectors @ self.encoder.encode([text])[0]
            similarity = WORD_SHARE * similarity + (1 - WORD_SHARE) * meaning
        best: dict[str, list[float]] = {}
        for (intent, _), value in zip(self.examples, similarity, strict=True):
            best.setdefault(intent, []).append(float(value))
        means = {intent: sum(sorted(values)[-NEIGHBOURS:]) / NEIGHBOURS for intent, values in best.items()}
        top = max(means.values())
        weights = {intent: math.exp(SHARPNESS * (mean - top)) for intent, mean in means.items()}
        total = sum(weights.values())
        scores = {intent: weight / total for intent, weight in sorted(weights.items(), key=lambda kv: -kv[1])}
        return Intent(next(iter(scores)), scores)

    def _by_words(self, text: str) -> npt.NDArray[np.float32]:
        vector = self._vector(text)
        return np.array(
            [sum(vector[g] * w for g, w in grams.items() if g in vector) for _, grams in self.examples],
            dtype=np.float32,
        )

    def _vector(self, text: str) -> Mapping[str, float]:
        counts = Counter(_grams(text))
        weighted = {gram: count * self._weight.get(gram, self._unseen) for gram, count in counts.items()}
        norm = math.sqrt(sum(w * w for w in weighted.values())) or 1.0
        return {gram: w / norm for gram, w in weighted.items()}


def _grams(text: str) -> Iterable[str]:
    """Word stems and pairs of them; Chinese characters and pairs of them."""
    units = [stem(t.text) if t.is_word else t.text for t in tokens(text.lower()) if t.text[0].isalnum()]
    return [*units, *(f"{a} {b}" for a, b in itertools.pairwise(units))]
