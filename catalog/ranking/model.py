"""The ranker of a shop: hand-set weights, and on top of them LightGBM's LambdaMART where the shop has a model.

The trees correct the weights and do not replace them: what no training data speaks of (a word of a title, a sequence
model that came later) keeps its say. A model is a folder with ``model.txt`` and ``meta.json``: the operator's own below
``settings.RANKER_DIR`` first, then the one shipped for the demo shop. ``workers/training/ranker.py`` makes them.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings

from catalog.models import Shop
from catalog.ranking.features import FEATURES
from catalog.search import Weights

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).parent / "shipped"

Rows = npt.NDArray[np.float64]

HAND_SET: Mapping[str, float] = {**vars(Weights()), "vector": 0.0, "interest": 1.0, "affinity": 0.0, "sequence": 0.1}
"""The weights of a shop without a model: search's own, with the whole conversation's match in place of the wishes' words
alone, and a voice for the sequence model where there is one. Measured on the demo's training groups (docs/ranking.md)."""


class RankerError(ValueError):
    """A model folder is not what this version can serve; the message says why."""


class Ranker(Protocol):
    @property
    def version(self) -> str: ...

    @property
    def sequential(self) -> bool:
        """Whether the sequence model's score has a say, so that it is worth asking for."""
        ...

    def scores(self, rows: Rows) -> Rows:
        """Scores for feature rows, shape ``(n,)``, higher is better; differences of one query's scores mean the same for
        all rankers."""
        ...

    def contributions(self, rows: Rows) -> Rows:
        """What each feature adds to each score: shape ``(n, len(FEATURES))``. Dear: for what is looked at."""
        ...


@dataclass(frozen=True)
class LinearRanker:
    """A weighted sum of features."""

    weights: Mapping[str, float] = field(default_factory=lambda: HAND_SET)
    version: str = "hand-set"

    @property
    def sequential(self) -> bool:
        return bool(self.weights.get("sequence"))

    def scores(self, rows: Rows) -> Rows:
        return self.contributions(rows).sum(axis=1)

    def contributions(self, rows: Rows) -> Rows:
        return rows * np.array([self.weights.get(name, 0.0) for name in FEATURES])


class BoostedRanker:
    """Hand-set weights plus ``scale`` times the trees that were boosted from them, in the weights' unit.

    ``sequential`` is the training's verdict: whether the sequence model's score made it better.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ``RankerError`` when the folder is damaged or was trained on other features, ``OSError`` when LightGBM
        cannot be loaded on this machine."""
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        text = (folder / "model.txt").read_text(encoding="utf-8")
        if tuple(meta["features"]) != FEATURES:
            raise RankerError(f"{folder} was trained on other features: {meta['features']}")
        if hashlib.sha256(text.encode()).hexdigest() != meta["model_sha256"]:
            raise RankerError(f"{folder}/model.txt is not the file that meta.json describes")
        self.meta: Mapping[str, Any] = meta
        self.version = str(meta["version"])
        self.sequential = bool(meta.get("sequential", False))
        self._base = LinearRanker(meta["weights"])
        self._scale = float(meta["scale"])
        self.booster = load_lightgbm().Booster(model_str=text)

    def scores(self, rows: Rows) -> Rows:
        if not len(rows):
            return np.zeros(0)
        trees: Rows = self.booster.predict(rows, raw_score=True, num_threads=1)
        return self._base.scores(rows) + self._scale * trees

    def contributions(self, rows: Rows) -> Rows:
        """Trees are split among features by TreeSHAP (Lundberg et al. 2018): contributions and the trees' mean over the
        training data, which is the same for all, add up to the score."""
        base = self._base.contributions(rows)
        if not len(rows):
            return base
        trees = self.booster.predict(rows, pred_contrib=True, num_threads=1)
        return base + self._scale * trees[:, :-1]


def ranker_of(shop: Shop) -> Ranker:
    """The shop's model, else the hand-set weights; a model that cannot be used is logged and replaced by them."""
    folder = model_folder(shop, Path(settings.RANKER_DIR) / shop.slug)
    return _loaded(folder, (folder / "meta.json").stat().st_mtime_ns) if folder else LinearRanker()


def model_folder(shop: Shop, own: Path) -> Path | None:
    """Where the model is that serves a shop whose own is kept in ``own``; None where it has none.

    The one before stands in while an update takes its place, which is two renames (``workers/training/online.py``).
    """
    places = (own, folder_before(own), SHIPPED / shop.slug)
    return next((place for place in places if (place / "meta.json").is_file()), None)


@dataclass(frozen=True)
class Learned:
    """Up to when a ranker has learned from what its shop's customers did, and from their opinions; None where it does not
    say, and may have learned from all."""

    version: str
    interactions: datetime | None
    opinions: datetime | None


def learned(shop: Shop) -> Learned | None:
    """What the shop's own model knows of its customers; None where it has none, for what ships knows none of them."""
    folder = model_folder(shop, Path(settings.RANKER_DIR) / shop.slug)
    if folder is None or folder.parent == SHIPPED:
        return None
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except ValueError:
        meta = {}  # it ranks nothing, and still was made of somebody
    until = (
        datetime.fromisoformat(meta[name]) if name in meta else None for name in ("updated_until", "opinions_until")
    )
    return Learned(str(meta.get("version", folder.name)), *until)


def folder_before(own: Path) -> Path:
    """Beside a shop's model: the one that it took the place of. No shop's own folder, for slugs have no dot."""
    return own.with_name(f"{own.name}.before")


@lru_cache(maxsize=32)
def _loaded(folder: Path, changed: int) -> Ranker:
    try:
        return BoostedRanker(folder)
    except (RankerError, KeyError, OSError, json.JSONDecodeError) as error:
        log.error("the ranker cannot be used; the hand-set weights rank", folder=str(folder), error=str(error))
        return LinearRanker()


def interest_share(contributions: Rows) -> Rows:
    """The share of the interest match in each score, 0 to 1, by absolute contributions. Shape ``(n,)``."""
    total = np.abs(contributions).sum(axis=1)
    return np.abs(contributions[:, FEATURES.index("interest")]) / np.where(total > 0, total, 1.0)


def load_lightgbm() -> Any:
    """LightGBM, imported on first use. Its wheel wants the system's ``libgomp.so.1``, which slim images lack.

    PyTorch's wheel brings that library; loaded by its path, without importing torch, it serves LightGBM too.
    """
    try:
        import lightgbm
    except OSError:
        torch = importlib.util.find_spec("torch")
        if torch is None or torch.origin is None:
            raise
        ctypes.CDLL(str(Path(torch.origin).parent / "lib" / "libgomp.so.1"), mode=ctypes.RTLD_GLOBAL)
        import lightgbm
    return lightgbm
