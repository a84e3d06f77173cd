"""Where a trained model comes from, for its ``meta.json``: hashes of what it read, the commit that trained it."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code_revision() -> dict[str, Any] | None:
    """Commit of the running code and whether it had local changes; None outside a git work tree."""
    here = Path(__file__).parent
    try:
        commit, status = (
            subprocess.run(["git", *command], cwd=here, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit, "modified": bool(status)}
