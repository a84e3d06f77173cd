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


os.environ.setdefault("VAR_DIR", str(PROJECT / "var" / "test"))
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["VAR_DIR"] = str(folder_of(worker, Path(os.environ["VAR_DIR"])))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"
