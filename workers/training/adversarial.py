"""The generator against the discriminator: GRPO (Shao et al. 2024, by TRL) towards replies that are taken for a person's.

    python -m workers.training.adversarial --start ADAPTER --data FILE --out ADAPTER [--steps 28]

Reads from top to bottom. The generator is an adapter that SFT has taught; for a brief it writes several replies. What it gains by
one is the discriminator's margin between it and what a person wrote for that brief, clipped, less a fine where the verifier
refuses it. After every step the discriminator learns from the newest replies and some older ones, unless it wins too easily:
an opponent that is always right teaches nothing. Beside the reward the generator goes on imitating people (SFT),
and a divergence from where it started is dear (``beta``).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from botcore.dialogue.brief import Brief, messages
from botcore.dialogue.verify import verify
from workers.engine import artefacts
from workers.engine import discriminator as shipped
from workers.engine.writing import Sampling
from workers.training.discriminator import Learner, Pair, accuracy
from workers.training.provenance import code_revision, sha256
from workers.training.rows import Row, read
from workers.training.sft import (
    WEIGHTS,
    AtHome,
    Example,
    Told,
    TrainingError,
    Watch,
    as_rows,
    at_replies,
    bf16_is_fast,
    claim,
    collate,
    encode,
    last_checkpoint,
    load_policy,
    plan,
    write_adapter,
)

logger = logging.getLogger(__name__)

CLIP = 3.0
"""Log odds beyond which a margin counts no more: what is surely a person's or surely not teaches nothing further."""
FINE = 3.0
"""What a refusal by the verifier costs, in log odds."""
TOO_EASY = 0.9
"""The discriminator's accuracy on new replies from which it does not learn from them."""
REMEMBERED = 512
"""Pairs in the replay buffer."""
OLDER = 16
"""Pairs of the buffer that the discriminator learns from beside the newest."""
PACE = 0.3
"""Of the rates with which the discriminator was first trained."""
CHECKPOINTS, OPPONENT = "checkpoints", "discriminator.pt"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns. A step writes ``briefs`` times ``replies`` texts."""

    start: Path
    data: Path
    discriminator: Path = shipped.SHIPPED
    base: str | None = None
    steps: int = 28
    briefs: int = 4
    replies: int = 4
    lr: float = 1e-4
    beta: float = 0.05
    temperature: float = Sampling.temperature
    longest: int = Sampling.max_new_tokens
    demonstrations: float = 0.2
    """Weight of the loss on what people wrote."""
    demonstrated_tokens: int = 512
    seed: int = 7
    checkpoint_steps: int = 10


class Opponent(TrainerCallback):
    """The discriminator during a run: it rewards what the generator writes, and learns from it between steps."""

    def __init__(self, start: Path, seed: int) -> None:
        self.learner = Learner(start, seed)
        self._rng = random.Random(seed)
        self._buffer: list[Pair] = []
        self._newest: list[Pair] = []
        self._accuracy = 0.5

    def naturalness(
        self, completions: Sequence[Any], brief: Sequence[str], reply: Sequence[str], log_metric: Any, **_: Any
    ) -> list[float | None]:
        """A reward of GRPO: how far each text is taken for a person's rather than what a person wrote."""
        self._newest = [Pair(*told) for told in zip(map(_brief, brief), reply, map(_text, completions), strict=True)]
        margins = self.learner.judged(self._newest)
        self._accuracy = accuracy(margins)
        log_metric("discriminator", self._accuracy)
        return [max(-CLIP, min(CLIP, -margin)) for margin in margins]

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._accuracy < TOO_EASY:
            older = self._rng.sample(self._buffer, min(len(self._buffer), OLDER))
            self.learner.step([*self._newest, *older], PACE)
        self._buffer = [*self._buffer, *self._newest][-REMEMBERED:]

    def state(self) -> dict[str, Any]:
        pairs = [(pair.brief.to_json(), pair.human, pair.written) for pair in self._buffer]
        return {"learner": self.learner.state(), "rng": self._rng.getstate(), "pairs": pairs}

    def resume(self, state: dict[str, Any]) -> None:
        self.learner.resume(state["learner"])
        self._rng.setstate(state["rng"])
        self._buffer = [Pair(Brief.from_json(brief), human, written) for brief, human, written in state["pairs"]]


def refused(completions: Sequence[Any], brief: Sequence[str], **_: Any) -> list[float | None]:
    """A reward of GRPO: the fine for each text that could not be sent."""
    return [
        0.0 if verify(_text(completion), _brief(told)).accepted else -FINE
        for completion, told in zip(completions, brief, strict=True)
    ]


class ReplyGRPOTrainer(AtHome, GRPOTrainer):
    """TRL's trainer with the loss on demonstrations beside its own, and the opponent in its checkpoints."""

    opponent: Opponent
    demonstrations: Dataset
    weight: float

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        rewarded = super().compute_loss(model, inputs, *args, **kwargs)
        batch = collate([self.demonstrations[self.state.global_step % len(self.demonstrations)]])
        on_device = {name: tensor.to(self.args.device) for name, tensor in batch.items()}
        causal = self.accelerator.unwrap_model(model).get_base_model()
        imitated = F.cross_entropy(*at_replies(causal, on_device))
        self._metrics["train"]["imitation"].append(imitated.item())
        return rewarded + self.weight * imitated

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(
            self.opponent.state(), folder / OPPONENT
        )  # first: a checkpoint counts once the trainer's state is in
        super()._save_checkpoint(model, trial)


def train(recipe: Recipe, out: Path, watch: Watch = lambda point: None) -> dict[str, Any]:
    """Train, write the adapter folder ``out`` and return its ``meta.json``.

    A run that was killed goes on at its last checkpoint. Raises ``TrainingError`` for too few rows or where ``out`` holds a run
    of another recipe, ``artefacts.ArtefactError`` when the base model is missing.
    """
    source, begun = artefacts.resolve_base(recipe.base), time.monotonic()
    rows = read(recipe.data)
    if len(rows) < recipe.briefs:
        raise TrainingError(f"{recipe.data} holds {len(rows)} replies; a step needs {recipe.briefs}.")
    inputs = {
        "hyperparameters": {name: value for name, value in asdict(recipe).items() if not isinstance(value, Path)},
        "base": {path.name: sha256(path) for path in source.files()},
        "start": sha256(recipe.start / WEIGHTS),
        "discriminator": sha256(recipe.discriminator / shipped.WEIGHTS),
        "data": sha256(recipe.data),
    }
    checkpoints = out / CHECKPOINTS
    claim(checkpoints, inputs)
    trainer = _trainer(recipe, source, rows, checkpoints, watch)
    resumed = last_checkpoint(checkpoints)
    if resumed:
        trainer.opponent.resume(torch.load(Path(resumed) / OPPONENT, weights_only=False))  # our own file
    trainer.train(resume_from_checkpoint=resumed)
    write_adapter(trainer.accelerator.unwrap_model(trainer.model), source.name, out)
    meta = {
        "version": out.name,
        "kind": "adversarial",
        **inputs,
        "base": {"name": source.name, "sha256": inputs["base"]},
        "course": _course(trainer.state.log_history),
        "code": code_revision(),
        "seconds": round(time.monotonic() - begun, 1),
    }
    (out / "meta.json").write_text(json.dumps(meta, indent=2) + "\n")
    shutil.rmtree(checkpoints)
    return meta


def _trainer(
    recipe: Recipe, source: artefacts.Base, rows: Sequence[Row], checkpoints: Path, watch: Watch
) -> ReplyGRPOTrainer:
    model, tokenizer = load_policy(source, recipe.start, bf16_is_fast())
    opponent = Opponent(recipe.discriminator, recipe.seed)
    trainer = ReplyGRPOTrainer(
        model=model,
        reward_funcs=[opponent.naturalness, refused],
        args=_arguments(recipe, checkpoints),
        train_dataset=Dataset.from_list([_asked(row) for row in _drawn(rows, recipe)]),
        processing_class=tokenizer,
        callbacks=[Told(watch), opponent],
    )
    trainer.remove_callback(PrinterCallback)  # the watcher tells
    trainer.opponent, trainer.weight = opponent, recipe.demonstrations
    trainer.demonstrations = _demonstrations(tokenizer, rows, recipe)
    return trainer


def _drawn(rows: Sequence[Row], recipe: Recipe) -> list[Row]:
    """The rows of the whole run in the order in which they are asked, again from the first where they are too few."""
    order = random.Random(recipe.seed).sample(rows, len(rows))
    return [order[place % len(order)] for place in range(recipe.steps * recipe.briefs)]


def _asked(row: Row) -> dict[str, Any]:
    brief = Brief.from_json(row["brief"])
    return {"prompt": messages(brief), "brief": json.dumps(row["brief"]), "reply": row["reply"]}


def _demonstrations(tokenizer: Any, rows: Sequence[Row], recipe: Recipe) -> Dataset:
    examples: list[Example] = [encode(tokenizer, Brief.from_json(row["brief"]), row["reply"]) for row in rows]
    batches = plan([len(example.ids) for example in examples], recipe.demonstrated_tokens, 1, recipe.seed)
    return as_rows(examples, batches[: recipe.steps])


def _arguments(recipe: Recipe, checkpoints: Path) -> GRPOConfig:
    return GRPOConfig(
        output_dir=str(checkpoints),
        max_steps=recipe.steps,
        per_device_train_batch_size=recipe.briefs * recipe.replies,
        num_generations=recipe.replies,
        steps_per_generation=1,
        max_completion_length=recipe.longest,
        temperature=recipe.temperature,
        beta=recipe.beta,
        shuffle_dataset=False,
        learning_rate=recipe.lr,
        lr_scheduler_type="cosine",
        warmup_steps=0.1,  # below 1: a share of the steps
        max_grad_norm=1.0,
        seed=recipe.seed,
        use_cpu=not torch.cuda.is_available(),
        bf16=bf16_is_fast(),
        gradient_checkpointing=False,
        remove_unused_columns=False,
        save_steps=recipe.checkpoint_steps,
        save_total_limit=1,
        logging_steps=1,
        report_to="none",
        dataloader_pin_memory=False,
        disable_tqdm=True,
    )


MEASURES = {
    "discriminator": "discriminator",
    "naturalness": "rewards/naturalness/mean",
    "refused": "rewards/refused/mean",
    "kl": "kl",
    "imitation": "imitation",
}


def _course(history: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """What was measured at every step."""
    return [
        {"step": told["step"], **{name: round(told[key], 4) for name, key in MEASURES.items() if key in told}}
        for told in history
        if "kl" in told
    ]


def _text(completion: Any) -> str:
    """The text of a completion in TRL's conversational form, white space as it is served."""
    return " ".join(str(completion[0]["content"]).split())


def _brief(told: str) -> Brief:
    return Brief.from_json(json.loads(told))


def main(argv: list[str] | None = None) -> None:
    default = Recipe(Path(), Path())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, required=True, help="adapter folder that SFT has taught")
    parser.add_argument("--data", type=Path, required=True, help="JSONL of brief and reply by people")
    parser.add_argument("--out", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--discriminator", type=Path, default=default.discriminator, help="folder to start from")
    for name in ("steps", "briefs", "replies", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(default, name))
    for name in ("lr", "beta", "temperature", "demonstrations"):
        parser.add_argument(f"--{name}", type=float, default=getattr(default, name))
    options = vars(parser.parse_args(argv))
    out = options.pop("out")
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(message)s")
    meta = train(Recipe(**options), out, lambda point: logger.info("%s", point))
    logger.info("%s: %s s", out, meta["seconds"])


if __name__ == "__main__":
    main()
