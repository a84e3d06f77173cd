"""Supervised fine-tuning: the base model learns the salesperson's voice from (brief, reply) pairs.

    python -m workers.training.sft --data var/dialogues/train.jsonl --out var/adapters/base

Reads from top to bottom: data in, LoRA adapter with ``meta.json`` out; merging and 8-bit artefacts are
``workers.engine.artefacts``. A run that was killed continues at its last checkpoint when the command is given again.
Speed on two cores comes from bf16 weights under fp32 adapters, logits at reply positions alone, batches of like lengths
and a backward pass that ends at the first adapted layer; ``docs/training.md`` has the measurements.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import logging
import math
import os
import platform
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerBase, ProgressCallback, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from botcore.dialogue.brief import Brief, messages
from workers.engine import artefacts
from workers.training import rows
from workers.training.provenance import code_revision, sha256

logger = logging.getLogger(__name__)

IGNORED = -100
"""Label of a position that the loss leaves out (torch's default ``ignore_index``)."""
LINEAR_LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
SORTED_TOGETHER = 512
"""Examples sorted by length at a time: enough to make padding rare, few enough to keep batches mixed."""
Watch = Callable[[dict[str, float]], None]
"""Is told every logged point: step, of how many, and what was measured."""
WEIGHTS = artefacts.WEIGHTS
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


class TrainingError(RuntimeError):
    """The run cannot start; the message says what to change."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns. Two runs of one recipe and one data set give the same adapter."""

    data: Path
    base: str | None = None
    start: Path | None = None
    """Adapter to go on from; None: a new one, shaped by ``rank`` and ``first_layer``."""
    validation: Path | None = None
    """JSONL that is looked at while training: it stops after ``patience`` looks without gain, and the best is kept."""
    patience: int = 3
    look_steps: int = 10
    epochs: int = 2
    lr: float = 1e-3
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises; then it falls along a cosine."""
    rank: int = 16
    first_layer: float = 0.5
    """Depth, as a share of the layers, below which nothing is adapted: the backward pass stops there."""
    batch_tokens: int = 2048
    limit: int | None = None
    held_out: int = 100
    seed: int = 7
    bf16: bool | None = None
    """None: as the processor allows. bf16 without hardware for it is slower than fp32."""
    compile: bool | None = None
    """Compile the decoder layer (one graph for all of them); None: where torch finds a C++ compiler."""
    checkpoint_steps: int = 50


# --- tokens and mask ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """Token ids of prompt, reply and end token; the loss counts those from ``reply_start`` on."""

    ids: list[int]
    reply_start: int

    @property
    def labels(self) -> list[int]:
        return [IGNORED] * self.reply_start + self.ids[self.reply_start :]


def encode(tokenizer: PreTrainedTokenizerBase, brief: Brief, reply: str) -> Example:
    """Exactly what serving feeds the model, then the reply and the token its chat template ends a reply with.

    Prompt and reply are split into tokens apart, as they are when the model writes. Raises ``TrainingError`` for a
    template that does not continue its own generation prompt.
    """
    chat = messages(brief)
    prompt = str(tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False))
    whole = str(tokenizer.apply_chat_template([*chat, {"role": "assistant", "content": reply}], tokenize=False))
    if not whole.startswith(prompt + reply):
        raise TrainingError("The chat template rewrites the reply; choose a base model whose template keeps it.")
    prompt_ids, reply_ids, end_ids = (
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, reply, whole[len(prompt + reply) :])
    )
    return Example([*prompt_ids, *reply_ids, end_ids[0]], len(prompt_ids))


def read(recipe: Recipe, tokenizer: PreTrainedTokenizerBase) -> tuple[list[Example], list[Example]]:
    """Training and held-out examples of the data set, in an order that only the seed decides."""
    examples = _examples(recipe.data, tokenizer)
    if not examples:
        raise TrainingError(
            f"{recipe.data} teaches no reply: approve or correct some, of the chosen department where one is chosen."
            " Thumbs alone are learned from by the recipe `preference`."
        )
    random.Random(recipe.seed).shuffle(examples)
    examples = examples[: recipe.limit]
    if recipe.validation:
        return examples, _examples(recipe.validation, tokenizer)
    if len(examples) <= recipe.held_out:
        raise TrainingError(f"{recipe.data} gives {len(examples)} examples; --held-out {recipe.held_out} leaves none.")
    return examples[recipe.held_out :], examples[: recipe.held_out]


def _examples(path: Path, tokenizer: PreTrainedTokenizerBase) -> list[Example]:
    return [encode(tokenizer, Brief.from_json(row["brief"]), row["reply"]) for row in rows.read(path)]


# --- batches --------------------------------------------------------------------------------------------------------


def plan(lengths: list[int], batch_tokens: int, epochs: int, seed: int) -> list[list[int]]:
    """The whole run as one list of batches (indices of examples), so that a resumed run only has to count steps.

    A batch holds examples of like length and, padded, at most ``batch_tokens`` tokens (always at least one example).
    """
    rng = random.Random(seed)
    batches: list[list[int]] = []
    for _ in range(epochs):
        order = rng.sample(range(len(lengths)), len(lengths))
        epoch: list[list[int]] = []
        for start in range(0, len(order), SORTED_TOGETHER):
            batch: list[int] = []
            for index in sorted(order[start : start + SORTED_TOGETHER], key=lengths.__getitem__):
                if batch and lengths[index] * (len(batch) + 1) > batch_tokens:
                    epoch.append(batch)
                    batch = []
                batch.append(index)
            epoch.append(batch)
        rng.shuffle(epoch)
        batches += epoch
    return batches


def as_rows(examples: list[Example], batches: list[list[int]]) -> Dataset:
    """One row a batch. The trainer reads rows in order, one a step."""
    return Dataset.from_dict(
        {
            "input_ids": [[examples[index].ids for index in batch] for batch in batches],
            "labels": [[examples[index].labels for index in batch] for batch in batches],
        }
    )


def collate(rows: list[dict[str, list[list[int]]]]) -> dict[str, torch.Tensor]:
    """Pad one batch on the right. Needs no attention mask: under causal attention no token sees what follows it."""
    (row,) = rows
    width = max(map(len, row["input_ids"]))
    return {
        name: torch.tensor([ids + [filler] * (width - len(ids)) for ids in row[name]])
        for name, filler in (("input_ids", 0), ("labels", IGNORED))
    }


# --- the trainer ----------------------------------------------------------------------------------------------------


def at_replies(causal: Any, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits for every token of the replies in a batch, ``(tokens, vocabulary)`` in single precision, and the tokens."""
    half = causal.dtype == torch.bfloat16
    with torch.autocast(inputs["input_ids"].device.type, torch.bfloat16, enabled=half):
        hidden = causal.base_model(input_ids=inputs["input_ids"], use_cache=False).last_hidden_state
        targets = inputs["labels"][:, 1:]
        counted = targets != IGNORED
        logits = causal.get_output_embeddings()(hidden[:, :-1][counted])
    return logits.float(), targets[counted]


class AtHome:
    """Before a trainer of TRL's: it tells nobody of a run."""

    def _send_telemetry(self) -> None:
        """A shop's training run is nobody else's business."""


class ReplyTrainer(AtHome, SFTTrainer):
    """TRL's trainer with logits at reply positions alone: off CUDA its own loss projects the prompt's as well."""

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        return F.cross_entropy(*at_replies(self.accelerator.unwrap_model(model).get_base_model(), inputs))

    def train(self, *args: Any, **kwargs: Any) -> Any:
        self._logged_at = time.monotonic()
        return super().train(*args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds ``seconds``: time spent so far, over every process that worked on this run."""
        now = time.monotonic()
        earlier = next((entry["seconds"] for entry in reversed(self.state.log_history) if "seconds" in entry), 0.0)
        logs["seconds"] = round(earlier + now - self._logged_at, 1)
        self._logged_at = now
        super().log(logs, start_time)


class BestKept(TrainerCallback):
    """Looks at the validation examples now and then, keeps the best weights, and ends the run when it gains no more."""

    def __init__(self, recipe: Recipe, examples: list[Example], checkpoints: Path) -> None:
        self._recipe, self._examples = recipe, examples
        self._weights, self._record = checkpoints / "best.safetensors", checkpoints / "best.json"
        told = json.loads(self._record.read_text()) if self._record.exists() else {}
        self.trainer: ReplyTrainer | None = None
        self.losses: list[list[float]] = told.get("losses", [])

    @property
    def best(self) -> float:
        return min((loss for _, loss in self.losses), default=math.inf)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Forget the looks of a killed run behind its checkpoint: they are taken anew."""
        self.losses = [look for look in self.losses if look[0] <= state.global_step]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step % self._recipe.look_steps and state.global_step < state.max_steps:
            return
        trainer = cast(ReplyTrainer, self.trainer)
        loss = cast(float, held_out_loss(trainer, self._examples, self._recipe.batch_tokens))
        if loss < self.best:
            save_file(_adapter_weights(trainer.model), self._weights)
        self.losses.append([state.global_step, loss])
        self._record.write_text(json.dumps({"losses": self.losses}))
        due = control.should_log
        trainer.log({"validation": loss})
        control.should_log = due  # or the look would count as the step's own point, and its loss go untold
        since_best = len(self.losses) - 1 - [told for _, told in self.losses].index(self.best)
        control.should_training_stop |= since_best >= self._recipe.patience

    def restore(self) -> None:
        """Put the best weights back."""
        if self._weights.exists():
            set_peft_model_state_dict(cast(ReplyTrainer, self.trainer).model, load_file(self._weights))


class Told(TrainerCallback):
    """Hands every logged point of a run to whoever watches it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        numbers = {name: round(value, 5) for name, value in (logs or {}).items() if isinstance(value, int | float)}
        self._watch({"step": state.global_step, "of": state.max_steps, **numbers})


def bf16_is_fast() -> bool:
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


@torch.no_grad()
def held_out_loss(trainer: ReplyTrainer, examples: list[Example], batch_tokens: int) -> float | None:
    """Mean loss a reply token, in nats; None without examples."""
    total, tokens = 0.0, 0
    model = cast(torch.nn.Module, trainer.model).eval()
    for batch in as_rows(examples, plan([len(e.ids) for e in examples], batch_tokens, 1, 0) if examples else []):
        inputs = {name: tensor.to(trainer.args.device) for name, tensor in collate([batch]).items()}
        counted = int((inputs["labels"] != IGNORED).sum())
        total += float(trainer.compute_loss(model, inputs)) * counted
        tokens += counted
    model.train()
    return round(total / tokens, 4) if tokens else None


# --- the run --------------------------------------------------------------------------------------------------------


def train(
    recipe: Recipe, out: Path, watch: Watch | None = None, trainer_of: Callable[..., ReplyTrainer] = ReplyTrainer
) -> dict[str, Any]:
    """Train, write the adapter folder ``out`` and return its ``meta.json``.

    ``trainer_of`` makes the trainer, whose loss decides what is learned (``workers.training.compress`` has another).
    Raises ``TrainingError`` when the data are too few or ``out`` holds a run of another recipe,
    ``artefacts.ArtefactError`` when the base model is missing.
    """
    torch.manual_seed(recipe.seed)
    source = artefacts.resolve_base(recipe.base)
    bf16 = bf16_is_fast() if recipe.bf16 is None else recipe.bf16
    model, tokenizer = load_policy(source, recipe.start, bf16)

    examples, held_out = read(recipe, tokenizer)
    lengths = [len(example.ids) for example in examples]
    batches = plan(lengths, recipe.batch_tokens, recipe.epochs, recipe.seed)
    inputs: dict[str, Any] = {
        "recipe": {name: told.name if isinstance(told, Path) else told for name, told in asdict(recipe).items()},
        "data": sha256(recipe.data),
        "base": {path.name: sha256(path) for path in source.files()},
        "start": sha256(recipe.start / WEIGHTS) if recipe.start else None,
    }
    checkpoints = out / "checkpoints"
    claim(checkpoints, inputs)

    trainer = _trainer(recipe, model, tokenizer, as_rows(examples, batches), checkpoints, watch, trainer_of)
    if best := BestKept(recipe, held_out, checkpoints) if recipe.validation else None:
        best.trainer = trainer
        trainer.add_callback(best)
    compiled = _compiled(recipe, trainer)
    before = held_out_loss(trainer, held_out, recipe.batch_tokens)
    logger.info("%d examples, %d steps, held-out loss %s", len(examples), len(batches), before)
    trainer.train(resume_from_checkpoint=last_checkpoint(checkpoints))
    if best:
        best.restore()
    after = held_out_loss(trainer, held_out, recipe.batch_tokens)

    write_adapter(trainer.model, source.name, out)
    meta = {
        "version": out.name,
        "kind": "sft",
        "base": {"name": source.name, "sha256": inputs["base"]},
        "data": {
            "file": recipe.data.name,
            "sha256": inputs["data"],
            "examples": len(examples),
            "held_out": len(held_out),
            "tokens": sum(lengths),
            "reply_tokens": sum(len(example.ids) - example.reply_start for example in examples),
        },
        "code": code_revision(),
        "hyperparameters": inputs["recipe"] | {"bf16": bf16, "compile": compiled, "steps": len(batches)},
        **_course(trainer.state.log_history, recipe.epochs * sum(lengths), before, after),
        "machine": {"processor": platform.machine(), "threads": torch.get_num_threads(), "cuda": torch.version.cuda},
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "evaluation": None,  # filled by workers.training.evaluate
    }
    (out / "meta.json").write_text(json.dumps(meta, indent=2) + "\n")
    shutil.rmtree(checkpoints)
    return meta


def _compiled(recipe: Recipe, trainer: ReplyTrainer) -> bool:
    """Compiles the layers if the recipe says so or, where it is silent, there is a compiler; whether it did."""
    compiles = shutil.which("g++") is not None if recipe.compile is None else recipe.compile
    if compiles:
        for layer in trainer.accelerator.unwrap_model(trainer.model).get_base_model().base_model.layers:
            layer.compile(dynamic=True)
    return compiles


def _trainer(
    recipe: Recipe,
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    batches: Dataset,
    checkpoints: Path,
    watch: Watch | None,
    trainer_of: Callable[..., ReplyTrainer],
) -> ReplyTrainer:
    trainer = trainer_of(
        model=model,
        args=_arguments(recipe, checkpoints, len(batches)),
        train_dataset=batches,
        data_collator=collate,
        processing_class=tokenizer,
        peft_config=None if recipe.start else _lora(recipe, model.config.num_hidden_layers),
    )
    if watch:
        trainer.add_callback(Told(watch))
        trainer.remove_callback(ProgressCallback)  # the watcher tells
    return trainer


def load_policy(source: artefacts.Base, start: Path | None, bf16: bool) -> tuple[Any, PreTrainedTokenizerBase]:
    """The base ready for training, with the adapter ``start`` on it, in single precision, where there is one."""
    model, tokenizer = artefacts.load_base(source)
    model = quickened(model, bf16)
    if start:
        model = PeftModel.from_pretrained(model, str(start), is_trainable=True, autocast_adapter_dtype=True)
    return model, tokenizer


def quickened(model: Any, bf16: bool) -> Any:
    """The model in the precision and with the attention that are fastest in training."""
    # Sequences are short: plain attention costs little memory and beats the CPU's fused kernel (docs/training.md).
    if not torch.cuda.is_available():
        model.set_attn_implementation("eager")
    return model.to(torch.bfloat16 if bf16 else torch.float32)


def _lora(recipe: Recipe, depth: int) -> LoraConfig:
    return LoraConfig(
        r=recipe.rank,
        lora_alpha=2 * recipe.rank,
        target_modules=LINEAR_LAYERS,
        layers_to_transform=list(range(int(depth * recipe.first_layer), depth)),
        task_type="CAUSAL_LM",
    )


def _arguments(recipe: Recipe, checkpoints: Path, steps: int) -> SFTConfig:
    return SFTConfig(
        output_dir=str(checkpoints),
        num_train_epochs=1,  # the plan already holds every epoch
        per_device_train_batch_size=1,
        train_sampling_strategy="sequential",
        learning_rate=recipe.lr,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(recipe.warmup * steps),
        max_grad_norm=1.0,
        seed=recipe.seed,
        use_cpu=not torch.cuda.is_available(),
        bf16=False,  # compute_loss casts by itself; TRL would otherwise switch mixed precision on
        gradient_checkpointing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        save_steps=recipe.checkpoint_steps,
        save_total_limit=2,
        logging_steps=min(10, recipe.checkpoint_steps),
        logging_first_step=True,
        report_to="none",
        dataloader_pin_memory=False,
    )


def _course(history: list[dict[str, float]], tokens: int, before: float | None, after: float | None) -> dict[str, Any]:
    """Losses and speed for ``meta.json``."""
    seconds = max(entry["seconds"] for entry in history)
    return {
        "losses": {
            "train": [[entry["step"], round(entry["loss"], 4)] for entry in history if "loss" in entry],
            "held_out": {"before": before, "after": after},
        },
        "seconds": seconds,
        "tokens_per_second": round(tokens / seconds, 1) if seconds else None,
    }


def claim(folder: Path, inputs: dict[str, Any]) -> None:
    """Bind the folder of a run to what it learns from. Raises ``TrainingError`` where it belongs to another."""
    folder.mkdir(parents=True, exist_ok=True)
    mark, text = folder / "inputs.json", json.dumps(inputs, indent=2, sort_keys=True)
    if mark.exists() and mark.read_text() != text:
        raise TrainingError(f"{folder} belongs to another recipe or data set; remove it or choose another --out.")
    mark.write_text(text)


def last_checkpoint(checkpoints: Path) -> str | None:
    """Where a run in this folder goes on; None at its start. What a process died over while saving is thrown away."""
    if not checkpoints.is_dir():
        return None
    for unfinished in checkpoints.glob("checkpoint-*"):
        if not (unfinished / "trainer_state.json").exists():  # written last
            shutil.rmtree(unfinished)
    return get_last_checkpoint(str(checkpoints))


def write_adapter(model: Any, base_name: str, out: Path) -> None:
    """The adapter folder that ``artefacts.build`` merges; fp16 rounds far below the 8-bit step that follows the merge."""
    config = model.peft_config["default"]
    config.base_model_name_or_path = base_name
    config.inference_mode = True
    config.save_pretrained(str(out))
    state = {name: tensor.half() for name, tensor in _adapter_weights(model).items()}
    save_file(state, out / WEIGHTS, metadata={"format": "pt"})


def _adapter_weights(model: Any) -> dict[str, torch.Tensor]:
    weights = get_peft_model_state_dict(model, save_embedding_layers=False)  # "auto" would ask the Hub about the base
    return {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}


def main(argv: list[str] | None = None) -> None:
    default = Recipe(data=Path())
    parser = argparse.ArgumentParser(prog="python -m workers.training.sft", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="JSONL of workers.training.dialogues.build")
    parser.add_argument("--out", type=Path, required=True, help="adapter folder; its name is the version")
    parser.add_argument("--base", help="Hugging Face model or folder; without it the bundled model")
    parser.add_argument("--start", type=Path, help="adapter folder to go on from")
    parser.add_argument("--validation", type=Path, help="JSONL that decides when to stop and what to keep")
    parser.add_argument("--patience", type=int, default=default.patience, help="looks at it without gain")
    parser.add_argument("--look-steps", type=int, default=default.look_steps, help="steps between two looks")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--lr", type=float, default=default.lr)
    parser.add_argument("--rank", type=int, default=default.rank)
    parser.add_argument("--first-layer", type=float, default=default.first_layer, help="share of the depth left frozen")
    parser.add_argument("--batch-tokens", type=int, default=default.batch_tokens)
    parser.add_argument("--limit", type=int, help="use only so many examples")
    parser.add_argument("--held-out", type=int, default=default.held_out)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, help="without it: as the processor allows")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="without it: if a compiler is there")
    parser.add_argument("--checkpoint-steps", type=int, default=default.checkpoint_steps)
    parser.add_argument(
        "--build", type=Path, metavar="MODELS", help="then merge and write 8-bit artefacts below MODELS"
    )
    options = vars(parser.parse_args(argv))
    out, models = options.pop("out"), options.pop("build")
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(message)s")

    recipe = Recipe(**options)
    meta = train(recipe, out)
    logger.info("%s: held-out loss %s, %s s", out, meta["losses"]["held_out"], meta["seconds"])
    if models:
        artefacts.build(out, recipe.base, models, logger.info)


if __name__ == "__main__":
    main()
