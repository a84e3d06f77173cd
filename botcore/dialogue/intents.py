"""What a message wants done: nearest hand-written examples, by meaning in English and by characters in Chinese.

The examples (``data/intents.yaml``) are the model; adding one is how to teach it. Embeddings of the examples are made
once per process.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import yaml
from django.conf import settings

from botcore.dialogue.ports import Encoder
from botcore.dialogue.words import CHINESE, DATA, stem, tokens

NEIGHBOURS = 3
SHARPNESS = 12.0
WORD_SHARE = 0.35
"""Weight of shared words beside shared meaning: cue words ("why", "compare") count more than a sentence's topic."""


@dataclass(frozen=True)
class Intent:
    """The likeliest intent; ``scores`` are shares that add up to one."""

    name: str
    scores: Mapping[str, float]

    @property
    def confidence(self) -> float:
        return self.scores.get(self.name, 0.0)


@dataclass(frozen=True)
class Example:
    intent: str
    text: str
    grams: Mapping[str, float]


class IntentClassifier:
    """Thread-safe after construction."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        raw = [
            (intent, str(text), language)
            for intent, byl in examples().items()
            for language, ts in byl.items()
            for text in ts
        ]
        frequency = Counter(gram for _, text, _ in raw for gram in set(_grams(text)))
        self._weight = {gram: math.log(1 + len(raw) / count) for gram, count in frequency.items()}
        self._unseen = math.log(1 + len(raw))
        self.examples = [Example(intent, text, self._vector(text)) for intent, text, _ in raw]
        self._english = [i for i, (_, _, language) in enumerate(raw) if language == "en"]
        self._vectors = _kept_vectors([self.examples[i].text for i in self._english], encoder)

    def classify(self, text: str) -> Intent:
        """The intent of a normalised message."""
        similarity = self._by_words(text)
        if not CHINESE.search(text):
            meaning = np.zeros(len(self.examples), dtype=np.float32)
            meaning[self._english] = self._vectors @ self.encoder.encode([text])[0]
            similarity = WORD_SHARE * similarity + (1 - WORD_SHARE) * meaning
        best: dict[str, list[float]] = {}
        for example, value in zip(self.examples, similarity, strict=True):
            best.setdefault(example.intent, []).append(float(value))
        means = {intent: sum(sorted(values)[-NEIGHBOURS:]) / NEIGHBOURS for intent, values in best.items()}
        top = max(means.values())
        weights = {intent: math.exp(SHARPNESS * (mean - top)) for intent, mean in means.items()}
        total = sum(weights.values())
        scores = {intent: weight / total for intent, weight in sorted(weights.items(), key=lambda kv: -kv[1])}
        return Intent(next(iter(scores)), scores)

    def _by_words(self, text: str) -> npt.NDArray[np.float32]:
        vector = self._vector(text)
        return np.array(
            [sum(vector[g] * w for g, w in example.grams.items() if g in vector) for example in self.examples],
            dtype=np.float32,
        )

    def _vector(self, text: str) -> dict[str, float]:
        counts = Counter(_grams(text))
        weighted = {gram: count * self._weight.get(gram, self._unseen) for gram, count in counts.items()}
        norm = math.sqrt(sum(w * w for w in weighted.values())) or 1.0
        return {gram: w / norm for gram, w in weighted.items()}


def _kept_vectors(texts: list[str], encoder: Encoder) -> npt.NDArray[np.float32]:
    """The examples' vectors, kept in a file between starts: making them takes seconds on a slow machine.

    The file is named after the examples; one that is damaged or of another shape is made anew.
    """
    digest = hashlib.sha256("\n".join([type(encoder).__qualname__, *texts]).encode()).hexdigest()[:16]
    path = settings.VAR_DIR / "cache" / f"intents-{digest}.npy"
    with contextlib.suppress(OSError, ValueError):
        kept: npt.NDArray[np.float32] = np.load(path)
        if len(kept) == len(texts):
            return kept
    vectors = encoder.encode(texts)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.npy")
    np.save(unfinished, vectors)
    unfinished.replace(path)
    return vectors


@lru_cache(maxsize=1)
def examples() -> dict[str, dict[str, list[str]]]:
    """The hand-written messages: intent -> language -> texts."""
    return yaml.safe_load((DATA / "intents.yaml").read_text(encoding="utf-8"))


def _grams(text: str) -> Iterable[str]:
    """Word stems and pairs of them; Chinese characters and pairs of them."""
    units = [stem(t.text) if t.is_word else t.text for t in tokens(text.lower()) if t.text[0].isalnum()]
    return [*units, *(f"{a} {b}" for a, b in itertools.pairwise(units))]
