"""Vectors of pictures from a model of the CLIP family (Radford et al. 2021) in a folder as ``transformers`` saves it.

``load_image_encoder`` in the package makes the one instance of a process.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image
from transformers import AutoImageProcessor, AutoModel

from workers.engine.weights import named


class ClipEncoder:
    """``botcore.dialogue.ports.ImageEncoder``. Safe to call from many threads, one of which computes."""

    def __init__(self, folder: Path) -> None:
        """Raises ``ValueError`` where the model has no image features; weights are read from safetensors alone."""
        self.name = named(folder)
        self._processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        self._model = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        ).eval()
        if not hasattr(self._model, "get_image_features"):
            raise ValueError(f"{folder.name} holds a {type(self._model).__name__}, which makes no vectors of pictures")
        self._lock = threading.Lock()

    def encode(self, pictures: Sequence[Image]) -> npt.NDArray[np.float32]:
        """Unit vectors, shape ``(len(pictures), the model's projection)``."""
        prepared = self._processor(images=list(pictures), return_tensors="pt")
        with self._lock, torch.inference_mode():
            found = self._model.get_image_features(pixel_values=prepared["pixel_values"])
        states = found if isinstance(found, torch.Tensor) else found.pooler_output
        vectors: npt.NDArray[np.float32] = torch.nn.functional.normalize(states.float(), dim=-1).numpy()
        return vectors
