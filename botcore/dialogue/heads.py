"""Learned heads on the sentence encoder: linear layers with calibrated probabilities, in numpy.

Two are shipped in ``data/heads``: what a message wants done (``intent``) and what a salesperson would do next (``act``).
``workers/training/heads.py`` trains them; the JSON beside the weights tells from what, under which licences, and how
well they did. What a head reads is made here, for serving and training alike.
"""

from __future__ import annotations

import itertools
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from botcore.dialogue.gloss import readings
from botcore.dialogue.state import DialogueState
from botcore.dialogue.words import CHINESE, DATA, language_of, stem, tokens

Floats = npt.NDArray[np.float32]

HEADS = DATA / "heads"
EMBEDDED = 384
"""The encoder's width (``catalog.models.EMBEDDING_DIMENSIONS``, which needs a configured Django)."""
HASHED = 4096
"""Places for n-grams; the same n-gram always has the same place and sign (feature hashing, Weinberger et al. 2009)."""
NGRAM_SHARE = 1.0
"""Length of the n-gram block beside the embedding's one."""
TURNS_TOLD = 4
"""Later turns than this are alike to the act head."""


@dataclass(frozen=True)
class Head:
    """``weights`` has shape ``(width + 1, len(labels))``, its last row the intercept.

    ``temperature`` by language divides the logits: fitted on messages that the weights were not (Guo et al. 2017).
    ``usual`` is how often each label occurred; ``named`` how often its messages name something of the catalogue.
    """

    labels: tuple[str, ...]
    weights: Floats
    temperature: Mapping[str, float]
    usual: Mapping[str, float]
    named: Mapping[str, float] = field(default_factory=dict)

    def probabilities(self, inputs: Floats, language: str) -> Floats:
        """For one row of inputs, shape ``(width,)``, the chance of each label; they add up to one."""
        logits = (inputs @ self.weights[:-1] + self.weights[-1]) / self.temperature[language]
        shares: Floats = np.exp(logits - logits.max())
        return shares / shares.sum()


@lru_cache(maxsize=4)
def shipped(name: str) -> Head:
    """The head that comes with the project. Raises ``OSError`` where its files are missing."""
    return load(HEADS / f"{name}.npz")


def load(path: Path) -> Head:
    meta = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    with np.load(path) as stored:
        weights = stored["weights"].astype(np.float32)
    return Head(tuple(meta["labels"]), weights, meta["temperature"], meta["usual"], meta["named"])


def in_english(text: str) -> str:
    """What the encoder reads of a message: the text itself, or the English words for a Chinese one ("" for none)."""
    return " ".join(readings(text)) if CHINESE.search(text) else text


def message_inputs(text: str, vector: Floats | None) -> Floats:
    """What the intent head reads of a normalised message: its embedding (of :func:`in_english`; None without one),
    hashed n-grams, language, form. Shape ``(EMBEDDED + HASHED + 4,)``."""
    grams = np.zeros(HASHED, dtype=np.float32)
    for gram in ngrams(text):
        code = zlib.crc32(gram.encode())
        grams[code % HASHED] += 1.0 if code & 0x80000000 else -1.0
    grams *= NGRAM_SHARE / max(float(np.linalg.norm(grams)), 1e-9)
    words = len(tokens(text))
    form = np.array(
        [language_of(text) == "zh", bool(re.search("[?？]", text)), words <= 3, min(words, 20) / 20], dtype=np.float32
    )
    meaning = np.zeros(EMBEDDED, dtype=np.float32) if vector is None else vector
    return np.concatenate([meaning, grams, form])


def ngrams(text: str) -> Iterable[str]:
    """Stems and pairs of them with the message's ends, parts of words against misspelling, and one to three Chinese
    characters."""
    words = [t for t in tokens(text.lower()) if t.text[0].isalnum()]
    units = ["^", *(stem(t.text) if t.is_word else t.text for t in words), "$"]
    yield from units[1:-1]
    yield from (f"{a} {b}" for a, b in itertools.pairwise(units))
    for run in re.findall(rf"(?:{CHINESE.pattern})+", text):
        yield from (run[i : i + 3] for i in range(len(run) - 2))
    for word in (t.text for t in words if t.is_word and len(t.text) > 3):
        yield from (f"#{word[i : i + 4]}" for i in range(len(word) - 3))


def situation_inputs(text: str, vector: Floats | None, shown: int, asked: int, question_open: bool) -> Floats:
    """What the act head reads: the latest message and the talk so far (slates shown, questions asked, whether one is
    open). Shape ``(EMBEDDED + 2 * TURNS_TOLD + 4,)``."""
    counts = np.zeros((2, TURNS_TOLD), dtype=np.float32)
    counts[0, min(shown, TURNS_TOLD - 1)] = counts[1, min(asked, TURNS_TOLD - 1)] = 1.0
    form = [vector is None, question_open, bool(re.search("[?？]", text)), min(len(tokens(text)), 30) / 30]
    meaning = np.zeros(EMBEDDED, dtype=np.float32) if vector is None else vector
    return np.concatenate([meaning, counts.ravel(), np.array(form, dtype=np.float32)])


def asking_odds(text: str, vector: Floats | None, before: DialogueState) -> float:
    """The odds that a salesperson asks next, over what they are on average (1 is no opinion)."""
    head = shipped("act")
    inputs = situation_inputs(text, vector, len(before.shown), len(before.asked), bool(before.open_question))
    chances = head.probabilities(inputs, "en" if vector is not None else "zh")  # "zh": fitted without words
    return _odds(float(chances[head.labels.index("ask")])) / _odds(head.usual["ask"])


def _odds(chance: float) -> float:
    return chance / max(1 - chance, 1e-6)
