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
import time
from collections.abc import Sequence
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
from workers.training.sft import WEIGHTS, Told, Watch, bf16_is_fast, load_policy, write_adapter
from workers.training.snapshot import Row, read

logger = logging.getLogger(__name__)

FENCE = 3.0
"""Quartile distances above the third quartile from which a surprise is an outlier (Tukey's far fence)."""
ALIKE = 0.1
"""Nats a token: replies that differ by less are alike, however close the others lie together."""
FEWEST_PAIRS = 8
"""With fewer pairs the direction between them is noise; SFT has taught them already."""


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


def inliers(surprises: Sequence[float]) -> list[bool]:
    """Which values lie within the upper far fence of their like; all of them where there are too few to tell."""
    if len(surprises) < FEWEST_PAIRS:
        return [True] * len(surprises)
    first, third = np.quantile(surprises, [0.25, 0.75])
    return [bool(value <= third + FENCE * max(third - first, ALIKE)) for value in surprises]


def train(recipe: Recipe, out: Path, watch: Watch = lambda point: None) -> dict[str, Any]:
    """Train, write the adapter folder ``out`` and return its ``meta.json``.

    With fewer than ``FEWEST_PAIRS`` of both the adapter comes out as it went in, and ``meta.json`` says so. Raises
    ``artefacts.ArtefactError`` when the base model is missing.
    """
    torch.manual_seed(recipe.seed)
    source, begun = artefacts.resolve_base(recipe.base), time.monotonic()
    model, tokenizer = load_policy(source, recipe.start, bf16=False)
    told: dict[str, Any] = {}
    pairs = _without_outliers(model, tokenizer, _read(recipe.pairs), "chosen", told, "pairs")
    if len(pairs) >= FEWEST_PAIRS:
        model = _dpo(recipe, model, tokenizer, pairs, out, watch)
    votes = _without_outliers(model, tokenizer, _read(recipe.votes), "reply", told, "votes")
    if len(votes) >= FEWEST_PAIRS:
        model = _kto(recipe, model, tokenizer, votes, out, watch)
    write_adapter(model, source.name, out)
    meta = {
        "version": out.name,
        "kind": "preference",
        "base": {"name": source.name, "sha256": {path.name: sha256(path) for path in source.files()}},
        "start": sha256(recipe.start / WEIGHTS),
        "data": told,
        "code": code_revision(),
        "hyperparameters": {n: v.name if isinstance(v, Path) else v for n, v in asdict(recipe).items()},
        "seconds": round(time.monotonic() - begun, 1),
    }
    (out / "meta.json").write_text(json.dumps(meta, indent=2) + "\n")
    return meta


def _read(path: Path | None) -> list[Row]:
    return read(path) if path else []


def _without_outliers(
    model: Any, tokenizer: Any, rows: list[Row], reply: str, told: dict[str, Any], name: str
) -> list[Row]:
    texts = [(Brief.from_json(row["brief"]), str(row[reply])) for row in rows]
    kept = inliers([-value for value in log_likelihoods(model, tokenizer, texts)])
    told[name] = {"given": len(rows), "outliers": len(rows) - sum(kept)}
    return [row for row, fits in zip(rows, kept, strict=True) if fits]


def _dpo(recipe: Recipe, model: Any, tokenizer: Any, pairs: list[Row], out: Path, watch: Watch) -> Any:
    rows = [
        {"prompt": _prompt(row), "chosen": _said(row["chosen"]), "rejected": _said(row["rejected"])} for row in pairs
    ]
    arguments = DPOConfig(
        **_arguments(recipe, out / "dpo"),
        loss_type=["robust", "sft"],
        loss_weights=[1.0, 1.0],
        label_smoothing=recipe.wrong_labels,
    )
    trainer = DPOTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[Told(watch)],
    )
    trainer.remove_callback(PrinterCallback)  # the watcher tells
    trainer.train()
    return _without_reference(trainer)


def _kto(recipe: Recipe, model: Any, tokenizer: Any, votes: list[Row], out: Path, watch: Watch) -> Any:
    rows = [{"prompt": _prompt(row), "completion": _said(row["reply"]), "label": row["liked"]} for row in votes]
    liked = max(1, sum(row["label"] for row in rows))
    disliked = max(1, len(rows) - liked)
    arguments = KTOConfig(
        **_arguments(recipe, out / "kto") | {"num_train_epochs": 1},
        desirable_weight=1.0 if liked >= disliked else disliked / liked,
        undesirable_weight=1.0 if disliked >= liked else liked / disliked,
    )
    trainer = KTOTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[Told(watch)],
    )
    trainer.remove_callback(PrinterCallback)  # the watcher tells
    trainer.train()
    return _without_reference(trainer)


def _arguments(recipe: Recipe, folder: Path) -> dict[str, Any]:
    return {
        "output_dir": str(folder),
        "num_train_epochs": recipe.epochs,
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
        "save_strategy": "no",
        "logging_steps": 2,
        "report_to": "none",
        "dataloader_pin_memory": False,
        "disable_tqdm": True,
    }


def _without_reference(trainer: Any) -> Any:
    """The policy alone: TRL keeps a frozen copy of where it came from beside it."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if "ref" in model.peft_config:
        model.delete_adapter("ref")
    return model


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
