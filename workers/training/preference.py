"""Preferences: DPO on what merchants corrected (edit over original), then KTO on customers' thumbs, both by TRL.

    python -m workers.training.preference --start ADAPTER --out ADAPTER [--pairs FILE] [--votes FILE]

Reads from top to bottom: an adapter that has learned the edits by SFT goes in, an adapter that prefers them comes out.
DPO (Rafailov et al. 2023) with the loss that allows for wrong labels (Chowdhury et al. 2024) and the SFT loss on the edit
beside it, so that the edit's own probability rises, not only the distance. KTO (Ethayarajh et al. 2024) needs no pairs; a
snapshot gives its thumbs away once it has ``votes.FEWEST_FOR_TRAINING`` of them. Outliers are dropped first: a reply that
surprises the model far more than its like teaches noise.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from botcore.dialogue.brief import Brief, messages
from workers.engine import artefacts
from workers.training.likelihood import log_likelihoods
from workers.training.provenance import code_revision, sha256
from workers.training.rows import Row, read
from workers.training.sft import (
    WEIGHTS,
    AtHome,
    Told,
    Watch,
    bf16_is_fast,
    claim,
    last_checkpoint,
    load_policy,
    write_adapter,
)

logger = logging.getLogger(__name__)

FENCE = 3.0
"""Quartile distances above the third quartile from which a surprise is an outlier (Tukey's far fence)."""
ALIKE = 0.1
"""Nats a token: replies that differ by less are alike, however close the others lie together."""
FEWEST_ROWS = 8
"""With fewer pairs or thumbs the direction between them is noise; SFT has taught the edits already."""
STAGES, CHECKPOINTS = "stages", "checkpoints"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns."""

    start: Path
    pairs: Path | None = None
    votes: Path | None = None
    base: str | None = None
    epochs: int = 2
    lr: float = 5e-5
    beta: float = 0.1
    batch: int = 4
    wrong_labels: float = 0.1
    """Share of pairs that may be the wrong way round."""
    seed: int = 7
    checkpoint_steps: int = 10


def inliers(surprises: Sequence[float]) -> list[bool]:
    """Which values lie within the upper far fence of their like; all of them where there are too few to tell."""
    if len(surprises) < FEWEST_ROWS:
        return [True] * len(surprises)
    first, third = np.quantile(surprises, [0.25, 0.75])
    return [bool(value <= third + FENCE * max(third - first, ALIKE)) for value in surprises]


class ReplyDPOTrainer(AtHome, DPOTrainer):
    """On pairs."""


class ReplyKTOTrainer(AtHome, KTOTrainer):
    """On thumbs."""


@dataclass(frozen=True)
class Stage:
    """One kind of preference: ``reply`` names what a row is told an outlier by, ``prepared`` makes a row TRL's."""

    name: str
    rows: Sequence[Row]
    reply: str
    trainer: Callable[..., Any]
    arguments: Callable[[Sequence[Row]], Any]
    prepared: Callable[[Row], dict[str, Any]]


def train(recipe: Recipe, out: Path, watch: Watch = lambda point: None) -> dict[str, Any]:
    """Train, write the adapter folder ``out`` and return its ``meta.json``.

    With fewer than ``FEWEST_ROWS`` of both the adapter comes out as it went in, and ``meta.json`` says so. A run that was
    killed goes on at its last checkpoint. Raises ``TrainingError`` where ``out`` holds a run of another recipe,
    ``artefacts.ArtefactError`` when the base model is missing.
    """
    source, begun = artefacts.resolve_base(recipe.base), time.monotonic()
    inputs = {
        "hyperparameters": {name: value for name, value in asdict(recipe).items() if not isinstance(value, Path)},
        "base": {path.name: sha256(path) for path in source.files()},
        "start": sha256(recipe.start / WEIGHTS),
        "files": {path.name: sha256(path) for path in (recipe.pairs, recipe.votes) if path},
    }
    claim(out / STAGES, inputs)
    adapter, told = recipe.start, {}
    for stage in _stages(recipe, out / STAGES):
        adapter, told[stage.name] = _carried_out(stage, recipe, source, adapter, out / STAGES / stage.name, watch)
    for name in (WEIGHTS, "adapter_config.json"):
        shutil.copy(adapter / name, out / name)
    meta = {
        "version": out.name,
        "kind": "preference",
        **inputs,
        "base": {"name": source.name, "sha256": inputs["base"]},
        "data": told,
        "code": code_revision(),
        "seconds": round(time.monotonic() - begun, 1),
    }
    (out / "meta.json").write_text(json.dumps(meta, indent=2) + "\n")
    shutil.rmtree(out / STAGES)
    return meta


def _stages(recipe: Recipe, folder: Path) -> tuple[Stage, Stage]:
    pairs, votes = (read(path) if path else [] for path in (recipe.pairs, recipe.votes))
    return (
        Stage(
            "pairs",
            pairs,
            "chosen",
            ReplyDPOTrainer,
            lambda rows: DPOConfig(
                **_arguments(recipe, folder / "pairs"),
                num_train_epochs=recipe.epochs,
                loss_type=["robust", "sft"],
                loss_weights=[1.0, 1.0],
                label_smoothing=recipe.wrong_labels,
            ),
            lambda row: {"prompt": _prompt(row), "chosen": _said(row["chosen"]), "rejected": _said(row["rejected"])},
        ),
        Stage(
            "votes",
            votes,
            "reply",
            ReplyKTOTrainer,
            lambda rows: KTOConfig(**_arguments(recipe, folder / "votes"), num_train_epochs=1, **_balance(rows)),
            lambda row: {"prompt": _prompt(row), "completion": _said(row["reply"]), "label": row["liked"]},
        ),
    )


def _carried_out(
    stage: Stage, recipe: Recipe, source: artefacts.Base, adapter: Path, folder: Path, watch: Watch
) -> tuple[Path, dict[str, int]]:
    """The adapter after a stage, which is ``adapter`` itself where there was too little, and what it learned from."""
    done = folder / "done.json"
    if not done.exists():
        torch.manual_seed(recipe.seed)
        model, tokenizer = load_policy(source, adapter, bf16_is_fast())
        rows = _without_outliers(model, tokenizer, stage)
        if len(rows) >= FEWEST_ROWS:
            trainer = stage.trainer(
                model=model,
                args=stage.arguments(rows),
                train_dataset=Dataset.from_list([stage.prepared(row) for row in rows]),
                processing_class=tokenizer,
                callbacks=[Told(watch)],
            )
            trainer.remove_callback(PrinterCallback)  # the watcher tells
            trainer.train(resume_from_checkpoint=last_checkpoint(folder / CHECKPOINTS))
            write_adapter(trainer.accelerator.unwrap_model(trainer.model), source.name, folder)
        folder.mkdir(parents=True, exist_ok=True)
        done.write_text(json.dumps({"given": len(stage.rows), "outliers": len(stage.rows) - len(rows)}))
    return (folder if (folder / WEIGHTS).exists() else adapter), json.loads(done.read_text())


def _without_outliers(model: Any, tokenizer: Any, stage: Stage) -> list[Row]:
    texts = [(Brief.from_json(row["brief"]), str(row[stage.reply])) for row in stage.rows]
    kept = inliers([-value for value in log_likelihoods(model, tokenizer, texts)])
    return [row for row, fits in zip(stage.rows, kept, strict=True) if fits]


def _balance(votes: Sequence[Row]) -> dict[str, Any]:
    """Weights with which thumbs up and down count alike."""
    liked = max(1, sum(bool(row["liked"]) for row in votes))
    disliked = max(1, len(votes) - liked)
    return {
        "desirable_weight": max(1.0, disliked / liked),
        "undesirable_weight": max(1.0, liked / disliked),
    }


def _arguments(recipe: Recipe, folder: Path) -> dict[str, Any]:
    return {
        "output_dir": str(folder / CHECKPOINTS),
        "per_device_train_batch_size": recipe.batch,
        "learning_rate": recipe.lr,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.1,  # below 1: a share of the steps
        "beta": recipe.beta,
        "seed": recipe.seed,
        "use_cpu": not torch.cuda.is_available(),
        "bf16": bf16_is_fast(),
        "gradient_checkpointing": False,
        "precompute_ref_log_probs": True,
        "save_steps": recipe.checkpoint_steps,
        "save_total_limit": 1,
        "logging_steps": 2,
        "report_to": "none",
        "dataloader_pin_memory": False,
        "disable_tqdm": True,
    }


def _prompt(row: Row) -> list[dict[str, str]]:
    return messages(Brief.from_json(row["brief"]))


def _said(reply: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": reply}]


def main(argv: list[str] | None = None) -> None:
    default = Recipe(Path())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, required=True, help="adapter folder to go on from")
    parser.add_argument("--out", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--pairs", type=Path, help="JSONL of brief, chosen, rejected")
    parser.add_argument("--votes", type=Path, help="JSONL of brief, reply, liked")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--lr", type=float, default=default.lr)
    parser.add_argument("--beta", type=float, default=default.beta)
    parser.add_argument("--seed", type=int, default=default.seed)
    options = vars(parser.parse_args(argv))
    out = options.pop("out")
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(message)s")
    meta = train(Recipe(**options), out, lambda point: logger.info("%s", point))
    logger.info("%s: %s, %s s", out, meta["data"], meta["seconds"])


if __name__ == "__main__":
    main()
