"""Loaded by pytest before Django's settings: tests keep their data apart from an installation's."""

import os
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def folder_of(worker: str, shared: Path) -> Path:
    """Where one of several processes that share the tests keeps its data; the models are made once for all."""
    folder, models = shared.with_name(f"{shared.name}-{worker}"), shared / "models"
    for needed in (folder, models):
        needed.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        (folder / "models").symlink_to(models)
    return folder


OWN = PROJECT / "var" / "test"
"""The tests' folder, unless the environment names another, which may be an installation's."""


def is_own(folder: Path) -> bool:
    """Whether a folder is the tests' own, or that of one of the processes that share them."""
    return folder.parent == OWN.parent and (folder.name == OWN.name or folder.name.startswith(f"{OWN.name}-"))


os.environ["VAR_DIR"] = os.environ.get("VAR_DIR") or str(OWN)
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["VAR_DIR"] = str(folder_of(worker, Path(os.environ["VAR_DIR"])))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"
