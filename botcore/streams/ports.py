"""What reading a stream needs of models. ``workers/engine/reader.py`` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt


class StreamReader(Protocol):
    """Reads texts, English and Chinese."""

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, near where texts speak of the same, shape ``(len(texts), EMBEDDING_DIMENSIONS)``."""
        ...

    def feels(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """What :func:`botcore.streams.sentiment.feelings` reads, a row a text."""
        ...
