"""What a shop has learned of its customers' words: a low-rank correction of query vectors, applied before searching.

``workers/training/encoder.py`` learns it. Products keep the encoder's own vectors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings

from catalog.models import EMBEDDING_DIMENSIONS, Shop

log = structlog.get_logger(__name__)

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Correction:
    """``down`` has shape ``(dimensions, rank)``, ``up`` ``(rank, dimensions)``."""

    down: Vector
    up: Vector

    def of(self, vector: Vector) -> Vector:
        """The corrected query vector, unit length."""
        moved = vector + vector @ self.down @ self.up
        return np.asarray(moved / np.linalg.norm(moved), dtype=np.float32)


def corrected(shop: Shop, vector: Vector) -> Vector:
    """A query's vector as the shop's customers mean it; as it is where the shop has learned nothing."""
    file = Path(settings.QUERIES_DIR) / shop.slug / "correction.npz"
    correction = _loaded(file, file.stat().st_mtime_ns) if file.is_file() else None
    return correction.of(vector) if correction else vector


@lru_cache(maxsize=32)
def _loaded(file: Path, changed: int) -> Correction | None:
    """The stored correction; one that does not fit is logged and left out."""
    try:
        with np.load(file) as stored:
            correction = Correction(stored["down"], stored["up"])
    except (OSError, ValueError, KeyError) as error:
        log.error(
            "the correction of query vectors cannot be read; queries go as they are", file=str(file), error=str(error)
        )
        return None
    if correction.down.shape[0] != EMBEDDING_DIMENSIONS or correction.up.shape != correction.down.shape[::-1]:
        log.error("the correction of query vectors is of another encoder; queries go as they are", file=str(file))
        return None
    return correction


def save(shop: Shop, correction: Correction, meta: Mapping[str, Any]) -> Path:
    """Store a correction with where it comes from; serving takes it up at once."""
    folder = Path(settings.QUERIES_DIR) / shop.slug
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "unfinished.npz"
    np.savez(unfinished, down=correction.down, up=correction.up)
    (folder / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
    unfinished.replace(folder / "correction.npz")
    return folder
