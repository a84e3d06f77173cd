"""A shop's own layer of intents above the reader that ships: where it lies, and whom it learned from.

One file a shop below ``VAR_DIR/intents``, replaced by one rename. Where there is none, or one that cannot be used, the layer that
ships reads. ``workers/training/selftrain.py`` makes them.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from django.conf import settings

from botcore.dialogue.linear import Head
from botcore.dialogue.ports import IntentLayer
from catalog.models import Shop

log = structlog.get_logger(__name__)

UNUSABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)
"""What reading a file raises that is broken, half there, or another thing."""


def of(shop: Shop) -> IntentLayer | None:
    """The shop's own layer, read anew when its file has changed; None where the one that ships is to read."""
    path = file_of(shop)
    try:
        now = path.stat()
        return _loaded(path, (now.st_ino, now.st_mtime_ns))
    except FileNotFoundError:
        return None


def keep(shop: Shop, layer: IntentLayer, meta: Mapping[str, Any]) -> None:
    """Let a layer read the shop's messages from the next one on. ``meta`` says what it was made from and what was measured;
    its ``contacts`` are whom it learned from."""
    path = file_of(shop)
    told = {
        **meta,
        "above": layer.above,
        "labels": list(layer.head.labels),
        "temperature": dict(layer.head.temperature),
        "usual": dict(layer.head.usual),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{shop.slug}.", dir=path.parent) as beside:
        made = Path(beside) / path.name
        np.savez_compressed(made, weights=layer.head.weights, meta=np.array(json.dumps(told)))
        made.replace(path)


def take_back(shop: Shop) -> bool:
    """Let the layer that ships read the shop's messages again; whether another one did."""
    path = file_of(shop)
    was = path.exists()
    path.unlink(missing_ok=True)
    return was


def forget(shop: Shop, contact_id: int) -> bool:
    """Take the layer back if it learned from a person, and let the next round make one without them; whether it did.

    One that does not say whom it learned from goes, too.
    """
    path = file_of(shop)
    if not path.exists():
        return False
    try:
        knows = contact_id in meta_of(path)["contacts"]
    except UNUSABLE:
        knows = True
    if knows:
        take_back(shop)
        last_round(shop).unlink(missing_ok=True)
    return knows


def file_of(shop: Shop) -> Path:
    return Path(settings.VAR_DIR) / "intents" / f"{shop.slug}.npz"


def last_round(shop: Shop) -> Path:
    """What the shop's last round found, whether its layer was kept or not."""
    return file_of(shop).with_suffix(".json")


def meta_of(path: Path) -> dict[str, Any]:
    """What a layer's file says of it. Raises one of ``UNUSABLE``."""
    with np.load(path) as stored:
        return dict(json.loads(str(stored["meta"])))


@lru_cache(maxsize=64)
def _loaded(path: Path, changed: tuple[int, int]) -> IntentLayer | None:
    try:
        meta = meta_of(path)
        with np.load(path) as stored:
            weights = stored["weights"].astype(np.float32)
        if weights.ndim != 2 or weights.shape[1] != len(meta["labels"]) or not np.isfinite(weights).all():
            raise ValueError("its weights do not fit its intents")
        return IntentLayer(Head(tuple(meta["labels"]), weights, meta["temperature"], meta["usual"]), meta["above"])
    except UNUSABLE as error:
        log.error(
            "a shop's layer of intents cannot be used; the one that ships reads", file=str(path), error=str(error)
        )
        return None
