"""Vectors of texts that come again: the sentences that answers are looked for in return with every question."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

REMEMBERED = 8192
"""Vectors kept, 12 MB."""
REMEMBERED_AT_ONCE = 1024
"""More texts than this at once are an index being made, not a question."""


class Remembered:
    """Vectors by their texts, of which the latest are kept. Safe to call from many threads, one of which computes.

    ``compute`` gives the vectors of texts, shape ``(len(texts), width)``.
    """

    def __init__(self, compute: Callable[[Sequence[str]], Floats], most: int = REMEMBERED) -> None:
        self._compute, self._most = compute, most
        self._lock = threading.Lock()  # tokenizers keep state and are not safe to share
        self._kept: OrderedDict[str, Floats] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> Floats:
        with self._lock:
            if len(texts) > REMEMBERED_AT_ONCE or not texts:
                return self._compute(texts)
            new = [text for text in dict.fromkeys(texts) if text not in self._kept]
            if new:
                self._kept.update(zip(new, self._compute(new), strict=True))
            for text in texts:
                self._kept.move_to_end(text)
            vectors = np.stack([self._kept[text] for text in texts])
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return vectors
