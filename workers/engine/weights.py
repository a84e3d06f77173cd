"""What a folder of weights is called: by its name and what is in it, so that other weights are another model."""

from __future__ import annotations

import hashlib
from pathlib import Path

DIGITS = 8


def named(folder: Path) -> str:
    """The folder's name and the beginning of its weights' SHA-256. Raises ``ValueError`` where it holds no safetensors."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ValueError(f"{folder.name} holds no *.safetensors; weights in other formats are not opened")
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"{folder.name[:100]}-{digest.hexdigest()[:DIGITS]}"
