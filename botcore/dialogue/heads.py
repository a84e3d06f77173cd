"""What a salesperson would do next: a linear layer on the sentence encoder with calibrated probabilities, in numpy.

``workers/training/heads.py`` trains it; the JSON beside the weights in ``data/heads`` tells from what, under which licences,
and how well it did. What the head reads is made here, for serving and training alike.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from botcore.dialogue.gloss import readings
from botcore.dialogue.linear import Head, load
from botcore.dialogue.ports import Encoder
from botcore.dialogue.state import DialogueState
from botcore.dialogue.words import CHINESE, DATA, tokens

Floats = npt.NDArray[np.float32]

HEADS = DATA / "heads"
EMBEDDED = 384
"""The encoder's width (``catalog.models.EMBEDDING_DIMENSIONS``, which needs a configured Django)."""
TURNS_TOLD = 4
"""Later turns than this are alike to the act head."""


@lru_cache(maxsize=4)
def shipped(name: str) -> Head:
    """The head that comes with the project. Raises ``OSError`` where its files are missing."""
    return load(HEADS / f"{name}.npz")


def in_english(text: str) -> str:
    """What the encoder reads of a message: the text itself, or the English words for a Chinese one ("" for none)."""
    return " ".join(readings(text)) if CHINESE.search(text) else text


def situation_inputs(text: str, vector: Floats | None, shown: int, asked: int, question_open: bool) -> Floats:
    """What the act head reads: the latest message and the talk so far (slates shown, questions asked, whether one is
    open). Shape ``(EMBEDDED + 2 * TURNS_TOLD + 4,)``."""
    counts = np.zeros((2, TURNS_TOLD), dtype=np.float32)
    counts[0, min(shown, TURNS_TOLD - 1)] = counts[1, min(asked, TURNS_TOLD - 1)] = 1.0
    form = [vector is None, question_open, bool(re.search("[?？]", text)), min(len(tokens(text)), 30) / 30]
    meaning = np.zeros(EMBEDDED, dtype=np.float32) if vector is None else vector
    return np.concatenate([meaning, counts.ravel(), np.array(form, dtype=np.float32)])


def asking_odds(text: str, encoder: Encoder, before: DialogueState) -> float:
    """The odds that a salesperson asks next, over what they are on average (1 is no opinion)."""
    head, english = shipped("act"), in_english(text)
    vector = encoder.encode([english])[0] if english else None
    inputs = situation_inputs(text, vector, len(before.shown), len(before.asked), bool(before.open_question))
    chances = head.probabilities(inputs, "en" if vector is not None else "zh")  # "zh": fitted without words
    return _odds(float(chances[head.labels.index("ask")])) / _odds(head.usual["ask"])


def _odds(chance: float) -> float:
    return chance / max(1 - chance, 1e-6)
