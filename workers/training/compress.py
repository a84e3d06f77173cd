"""Compression: fewer layers, healed by distillation, and fewer tokens. A version goes in, a smaller whole model comes out.

    python -m workers.training.compress --data var/dialogues/train.jsonl --validation var/dialogues/validation.jsonl \\
        --out var/compressed/small

Reads top to bottom. Which layers go is measured (Men et al. 2024, ShortGPT): those that turn the hidden states least. What is
left learns from the model it was cut from (Hinton et al. 2015; Muralidharan et al. 2024), by an adapter on all its matrices,
which is merged. Then the rows of tokens that no shop needs are cut off (``vocabulary_pruning``), which changes nothing of what
is computed for the others. A run that was killed goes on at its last checkpoint. ``artefacts`` builds what comes out like any
version.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import logging
import os
import random
import shutil
import statistics
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from botcore.dialogue.brief import Brief
from workers.engine import artefacts
from workers.engine.registry import SHIPPED_ADAPTER
from workers.training import rows, sft
from workers.training.dialogues.build import build_examples
from workers.training.provenance import code_revision, sha256
from workers.training.vocabulary_pruning import closed_vocabulary, kept_tokens, without_rows, without_tokens

logger = logging.getLogger(__name__)

STAGES, INFLUENCE = "stages", "influence.json"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out."""

    data: Path
    """What the rest of the layers is healed on."""
    validation: Path
    version: Path | None = None
    """The version's folder, an adapter or a whole model; None: the base alone."""
    base: str | None = None
    layers: int = 0
    """How many layers go; with 0 there is nothing to heal. Four of thirty cost more than they gave (docs/training.md)."""
    frequent: int = 8_000
    """How many of the most frequent tokens stay besides those that the shop's language needs; with 0 all of them stay."""
    calibration: int = 64
    """Examples on which the layers' influence is measured."""
    imitation: float = 0.5
    """Share of the loss that is the divergence from the whole model; the rest is the surprise at people's replies."""
    limit: int | None = None
    """Heal on so many examples of the data."""
    epochs: int = 1
    lr: float = 1e-3
    rank: int = 64
    """Of the adapter that heals: the matrices beneath it need no gradient of their own, which makes steps cheaper."""
    batch_tokens: int = 1024
    patience: int = 3
    look_steps: int = 60
    checkpoint_steps: int = 20
    seed: int = 7
    bf16: bool | None = None
    compile: bool | None = None


# --- layers ---------------------------------------------------------------------------------------------------------


@torch.no_grad()
def block_influence(model: Any, sequences: Sequence[Sequence[int]]) -> list[float]:
    """Of every layer the mean of 1 - cos(hidden state before it, after it) over all positions of the token sequences."""
    layers = model.base_model.layers
    turned: list[list[torch.Tensor]] = [[] for _ in layers]

    def looks(place: int) -> Any:
        def hook(layer: torch.nn.Module, given: tuple[torch.Tensor, ...], after: torch.Tensor) -> None:
            turned[place].append(1 - F.cosine_similarity(given[0], after, dim=-1).flatten())

        return hook

    hooks = [layer.register_forward_hook(looks(place)) for place, layer in enumerate(layers)]
    for ids in sequences:
        model.base_model(input_ids=torch.tensor([ids], device=model.device), use_cache=False)
    for hook in hooks:
        hook.remove()
    return [float(torch.cat(parts).mean()) for parts in turned]


def least_influential(influence: Sequence[float], count: int) -> list[int]:
    """The layers to drop, ascending. Raises ``TrainingError`` where none would be left."""
    if count >= len(influence):
        raise sft.TrainingError(f"The model has {len(influence)} layers; leave out fewer than that, not {count}.")
    return sorted(sorted(range(len(influence)), key=influence.__getitem__)[:count])


def without_layers(model: Any, dropped: Collection[int]) -> Any:
    """The model with the other layers alone, in their order."""
    kept = [place for place in range(model.config.num_hidden_layers) if place not in dropped]
    settings: dict[str, Any] = {"num_hidden_layers": len(kept)}
    if kinds := getattr(model.config, "layer_types", None):
        settings["layer_types"] = [kinds[place] for place in kept]
    return artefacts.remade(model, dict(_renumbered(model.state_dict(), kept)), **settings)


def _renumbered(state: dict[str, torch.Tensor], kept: Sequence[int]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, weight in state.items():
        lead, is_of_layer, rest = name.partition(".layers.")
        number, _, part = rest.partition(".")
        if not is_of_layer:
            yield name, weight
        elif int(number) in kept:
            yield f"{lead}.layers.{kept.index(int(number))}.{part}", weight


# --- healing --------------------------------------------------------------------------------------------------------


class DistillingTrainer(sft.ReplyTrainer):
    """Learns a teacher's whole distribution of every token of a reply beside the token that people wrote."""

    def __init__(self, *args: Any, teacher: Any, imitation: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._teacher, self._imitation = teacher.to(self.args.device), imitation
        self._divergences: list[float] = []

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        logits, targets = sft.at_replies(self.accelerator.unwrap_model(model).get_base_model(), inputs)
        with torch.no_grad():
            taught, _ = sft.at_replies(self._teacher, inputs)
        told, taught = logits.log_softmax(-1), taught.log_softmax(-1)
        divergence = F.kl_div(told, taught, reduction="batchmean", log_target=True)
        if model.training:
            self._divergences.append(float(divergence.detach()))
        return self._imitation * divergence + (1 - self._imitation) * F.nll_loss(told, targets)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds ``kl``: the mean divergence (nats a token) since the last point."""
        if "loss" in logs and self._divergences:
            logs["kl"] = round(statistics.fmean(self._divergences), 4)
            self._divergences.clear()
        super().log(logs, start_time)


# --- the run --------------------------------------------------------------------------------------------------------


def train(recipe: Recipe, out: Path, watch: sft.Watch | None = None) -> dict[str, Any]:
    """Compress, write the whole model's folder ``out`` and return its ``meta.json``.

    Raises ``TrainingError`` where ``out`` holds a run of another recipe or no layer would be left,
    ``artefacts.ArtefactError`` when the version or its base is missing.
    """
    source, begun = artefacts.resolve(recipe.version, recipe.base), time.monotonic()
    files = [*source.whole.files(), *source.weights]
    inputs: dict[str, Any] = {
        "recipe": {name: told.name if isinstance(told, Path) else told for name, told in asdict(recipe).items()},
        "data": {path.name: sha256(path) for path in (recipe.data, recipe.validation)},
        "of": {path.name: sha256(path) for path in files},
    }
    stages = out / STAGES
    sft.claim(stages, inputs)
    model, tokenizer = artefacts.load(source)
    parameters = {"before": model.num_parameters()}
    told: dict[str, Any] = {}
    if recipe.layers:
        told["layers"] = _shallow(recipe, model, tokenizer, stages / "shallow")
        model, told["healing"] = _healed(recipe, model, stages, watch)
    if recipe.frequent:
        model, tokenizer, told["vocabulary"] = _in_fewer_tokens(recipe, model, tokenizer)
    model.half().save_pretrained(out)  # rounds far below the 8-bit step that follows
    tokenizer.save_pretrained(out)
    meta = {
        "version": out.name,
        "kind": "compress",
        "of": {"version": source.version, "base": source.whole.name, "sha256": inputs["of"]},
        "data": inputs["data"],
        "hyperparameters": inputs["recipe"],
        **told,
        "parameters": parameters | {"after": model.num_parameters()},
        "code": code_revision(),
        "packages": {name: importlib.metadata.version(name) for name in sft.PACKAGES},
        "seconds": round(time.monotonic() - begun, 1),
        "evaluation": None,  # filled by workers.training.evaluate
    }
    (out / artefacts.META).write_text(json.dumps(meta, indent=2) + "\n")
    shutil.rmtree(stages)
    return meta


def _shallow(recipe: Recipe, model: Any, tokenizer: Any, folder: Path) -> dict[str, Any]:
    """Write the model without its least influential layers, once in the life of a run, and tell which these were."""
    told = folder / INFLUENCE
    if not told.exists():
        examples = rows.read(recipe.data)
        sample = random.Random(recipe.seed).sample(examples, min(len(examples), recipe.calibration))
        influence = block_influence(model, [example.ids for example in _encoded(tokenizer, sample)])
        dropped = least_influential(influence, recipe.layers)
        without_layers(model, dropped).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        told.write_text(json.dumps({"dropped": dropped, "influence": [round(value, 4) for value in influence]}))
    return dict(json.loads(told.read_text()))


def _healed(recipe: Recipe, teacher: Any, stages: Path, watch: sft.Watch | None) -> tuple[Any, dict[str, Any]]:
    """The shallow model after learning from the whole one, and how that went."""
    shallow, adapter = str(stages / "shallow"), stages / "healing"
    if not (adapter / artefacts.META).exists():
        healing = sft.Recipe(
            recipe.data,
            base=shallow,
            validation=recipe.validation,
            first_layer=0.0,
            **{name: told for name, told in asdict(recipe).items() if name in SHARED},
        )
        bf16 = sft.bf16_is_fast() if recipe.bf16 is None else recipe.bf16
        trainer_of = partial(DistillingTrainer, teacher=sft.quickened(teacher, bf16), imitation=recipe.imitation)
        sft.train(healing, adapter, watch, trainer_of)
    told = json.loads((adapter / artefacts.META).read_text())
    model, _ = artefacts.load_base(artefacts.resolve_base(shallow))
    return artefacts.merge(model, adapter), {name: told[name] for name in ("losses", "seconds", "tokens_per_second")}


SHARED = frozenset("limit epochs lr rank batch_tokens patience look_steps checkpoint_steps seed bf16 compile".split())
"""What healing is told as supervised fine-tuning is."""


def _in_fewer_tokens(recipe: Recipe, model: Any, tokenizer: Any) -> tuple[Any, Any, dict[str, int]]:
    """The model with the tokens of the base set, the data and the closed vocabulary, and the most frequent ones."""
    base_set = [example.to_json() for example in build_examples().train]
    used = {index for example in _encoded(tokenizer, [*base_set, *rows.read(recipe.data)]) for index in example.ids}
    for ids in tokenizer([*closed_vocabulary()], add_special_tokens=False)["input_ids"]:
        used.update(ids)
    kept = kept_tokens(tokenizer, used, recipe.frequent)
    return (
        without_rows(model, kept),
        without_tokens(tokenizer, kept),
        {"before": model.config.vocab_size, "after": len(kept)},
    )


def _encoded(tokenizer: Any, examples: Sequence[rows.Row]) -> list[sft.Example]:
    return [sft.encode(tokenizer, Brief.from_json(row["brief"]), str(row["reply"])) for row in examples]


def main(argv: list[str] | None = None) -> None:
    default = Recipe(Path(), Path())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="JSONL of workers.training.dialogues.build")
    parser.add_argument("--validation", type=Path, required=True, help="JSONL that decides when to stop, what to keep")
    parser.add_argument("--out", type=Path, required=True, help="folder of the smaller model; its name is the version")
    parser.add_argument("--version", type=Path, help="adapter or whole model to compress; without it the shipped one")
    parser.add_argument("--base", help="Hugging Face model or folder; without it the bundled model")
    parser.add_argument("--layers", type=int, default=default.layers, help="how many layers go")
    parser.add_argument("--frequent", type=int, default=default.frequent, help="frequent tokens that stay; 0: all")
    parser.add_argument("--imitation", type=float, default=default.imitation, help="share of the teacher in the loss")
    parser.add_argument("--limit", type=int, help="heal on so many examples")
    parser.add_argument("--epochs", type=int, default=default.epochs)
    parser.add_argument("--lr", type=float, default=default.lr)
    parser.add_argument("--rank", type=int, default=default.rank)
    parser.add_argument("--batch-tokens", type=int, default=default.batch_tokens)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, help="without it: as the processor allows")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="without it: if a compiler is there")
    options = vars(parser.parse_args(argv))
    out = options.pop("out")
    options["version"] = options["version"] or SHIPPED_ADAPTER
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(message)s")
    meta = train(Recipe(**options), out, lambda point: logger.info("%s", point))
    logger.info("%s: %s parameters, %s s", out, meta["parameters"], meta["seconds"])


if __name__ == "__main__":
    main()
