"""The discriminator: a cross-encoder learns which of two replies to one brief a person wrote.

    python -m workers.training.discriminator [--adapter FOLDER] [--out FOLDER] [--briefs 1000]

Reads from top to bottom: the generator writes for the base set's briefs through the serving engine; what people wrote for them
and what it wrote become pairs; the shipped MiniLM with a low-rank adapter learns them by Bradley and Terry (1952). It sees
canonical text alone, both replies cut to one random length no longer than the shorter: neither capitals nor marks nor length nor
a missing end give a writer away. ``workers.training.adversarial`` goes on from it.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from peft import LoraConfig, get_peft_model
from rich.progress import track
from safetensors.torch import load_file, save_file

from botcore.dialogue.brief import Brief
from workers.engine.discriminator import SHIPPED, WEIGHTS, CrossEncoder, canonical, context
from workers.training.judge import equalised
from workers.training.provenance import code_revision

logger = logging.getLogger(__name__)

RANK, ALPHA = 16, 32
RATES = {"adapter": 1e-3, "head": 2e-3}
WARMING = 0.1
"""The share of the steps of a fit in which the rates rise."""
LONGEST_STEP = 1.0
"""Bound of a gradient's length."""
SMOOTHING = 0.1
"""Share of pairs taken to be the wrong way round: a reply of the model's may be as good as a person's."""
SHORTEST_CUT = 0.5
"""Share of the shorter reply that a pair shows at least."""
AT_ONCE = 32
HELD_OUT = 0.2


@dataclass(frozen=True)
class Pair:
    """What a person and what the model wrote for one brief."""

    brief: Brief
    human: str
    written: str


@dataclass(frozen=True)
class Shown:
    """A pair as the discriminator sees it: two cuts of one length."""

    context: str
    human: Sequence[str]
    written: Sequence[str]


def shown(pair: Pair, share: float = 1.0) -> Shown:
    """Both replies equalised, at ``share`` of the shorter one's length."""
    return Shown(context(pair.brief), *equalised(pair.human, pair.written, share))


class Learner:
    """A cross-encoder while it learns: the shipped MiniLM, an adapter, a head and their optimiser."""

    def __init__(self, start: Path | None = None, seed: int = 1) -> None:
        torch.manual_seed(seed)
        self._rng = random.Random(seed)
        self.model = CrossEncoder()
        config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["query", "key", "value", "dense"])
        self.model.bert = get_peft_model(self.model.bert, config)
        if start:
            self._load(load_file(start / WEIGHTS))
        self._optimizer = torch.optim.AdamW(
            [
                {"params": self._adapter(), "lr": RATES["adapter"]},
                {"params": list(self.model.head.parameters()), "lr": RATES["head"]},
            ],
            weight_decay=0.01,
        )

    def margins(self, pairs: Sequence[Shown]) -> torch.Tensor:
        """By how much the person's reply is taken for a person's rather than the model's, in log odds: ``(len(pairs),)``."""
        scores = self.model(
            [pair.context for pair in pairs] * 2, [*(pair.human for pair in pairs), *(pair.written for pair in pairs)]
        )
        return scores[: len(pairs)] - scores[len(pairs) :]

    @torch.inference_mode()
    def judged(self, pairs: Sequence[Pair]) -> list[float]:
        """The margins of pairs at their full common length."""
        self.model.eval()
        seen = [shown(pair) for pair in pairs]
        return [
            margin
            for start in range(0, len(seen), AT_ONCE)
            for margin in self.margins(seen[start : start + AT_ONCE]).tolist()
        ]

    def step(self, pairs: Sequence[Pair], pace: float = 1.0) -> float:
        """Learn from pairs once, at ``pace`` times the rates; the loss before."""
        self.model.train()
        for group, rate in zip(self._optimizer.param_groups, RATES.values(), strict=True):
            group["lr"] = rate * pace
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(torch.cpu.get_capabilities().get("avx512_bf16"))):
            margins = self.margins([shown(pair, self._rng.uniform(SHORTEST_CUT, 1)) for pair in pairs])
        loss = bradley_terry(margins.float())
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._adapter(), LONGEST_STEP)
        self._optimizer.step()
        return loss.item()

    def fit(self, pairs: Sequence[Pair], epochs: int, batch: int = 16) -> list[float]:
        """Learn from pairs over and over, the rates rising and then falling to nothing; the mean loss of each epoch."""
        total, done, losses = epochs * -(-len(pairs) // batch), 0, []
        for epoch in range(epochs):
            order = self._rng.sample(pairs, len(pairs))
            told = []
            for start in track(range(0, len(order), batch), f"epoch {epoch + 1} of {epochs}"):
                pace = min((done + 1) / (WARMING * total), (total - done) / ((1 - WARMING) * total))
                told.append(self.step(order[start : start + batch], min(pace, 1.0)))
                done += 1
            losses.append(round(sum(told) / len(told), 4))
        return losses

    @torch.inference_mode()
    def mean_score(self, pairs: Sequence[Pair]) -> float:
        """The mean score of what the model wrote."""
        self.model.eval()
        scores = [
            self.model([context(pair.brief) for pair in part], [canonical(pair.written) for pair in part])
            for part in (pairs[start : start + AT_ONCE] for start in range(0, len(pairs), AT_ONCE))
        ]
        return round(float(torch.cat(scores).mean()), 4)

    def save(self, folder: Path, meta: dict[str, Any]) -> None:
        """Write what ``engine.discriminator.MiniLmDiscriminator`` reads, in half precision."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.half() for name, tensor in self._tensors().items()}, folder / WEIGHTS)
        told = {"scale": ALPHA / RANK, **meta, "code": code_revision()}
        (folder / "meta.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def state(self) -> dict[str, Any]:
        """All that a run needs to go on."""
        return {"tensors": self._tensors(), "optimizer": self._optimizer.state_dict(), "rng": self._rng.getstate()}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self._load(state["tensors"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._rng.setstate(state["rng"])

    def _adapter(self) -> list[torch.nn.Parameter]:
        return [parameter for parameter in self.model.bert.parameters() if parameter.requires_grad]

    def _named(self) -> dict[str, torch.Tensor]:
        """Adapter and head by the names they are stored under."""
        low_rank = {
            name.removeprefix("base_model.model.").replace(".default.weight", ""): tensor
            for name, tensor in self.model.bert.state_dict().items()
            if ".lora_" in name
        }
        return low_rank | {f"head.{name}": tensor for name, tensor in self.model.head.state_dict().items()}

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {name: tensor.detach().clone().contiguous() for name, tensor in self._named().items()}

    def _load(self, tensors: dict[str, torch.Tensor]) -> None:
        for name, tensor in self._named().items():
            tensor.copy_(tensors[name].float())


def bradley_terry(margins: torch.Tensor, smoothing: float = SMOOTHING) -> torch.Tensor:
    """The mean surprise at the person's reply winning, ``smoothing`` of the pairs taken the other way round, in nats."""
    return -((1 - smoothing) * F.logsigmoid(margins) + smoothing * F.logsigmoid(-margins)).mean()


def accuracy(margins: Sequence[float]) -> float:
    """The share of pairs in which the person's reply is found; a tie is half right."""
    right = [1.0 if margin > 0 else 0.5 if margin == 0 else 0.0 for margin in margins]
    return round(sum(right) / len(right), 4) if right else 0.5


# --- the shipped one ------------------------------------------------------------------------------------------------


def written_pairs(adapter: Path | None, briefs: int, seed: int) -> list[Pair]:
    """Briefs of the base set's training part with what people and what the served model wrote, two samples each."""
    from workers.engine import load_encoder, registry
    from workers.training.dialogues.build import build_examples
    from workers.training.evaluate import write_all

    examples = random.Random(seed).sample(build_examples().train, briefs)
    generator = registry.open_generator(adapter)
    try:
        written = write_all(generator, load_encoder(), [example.brief for example in examples], samples=2)
    finally:
        generator.close()
    return [
        Pair(example.brief, example.reply, sample.text)
        for example, one in zip(examples, written, strict=True)
        for sample in one.samples
    ]


def learned(pairs: Sequence[Pair], epochs: int, seed: int) -> tuple[Learner, dict[str, Any]]:
    """A learner of all pairs but those of some briefs, and what it reaches on these."""
    briefs = list(dict.fromkeys(context(pair.brief) for pair in pairs))
    apart = set(random.Random(seed).sample(briefs, round(HELD_OUT * len(briefs))))
    taught = [pair for pair in pairs if context(pair.brief) not in apart]
    held_out = [pair for pair in pairs if context(pair.brief) in apart]
    learner = Learner(seed=seed)
    losses = learner.fit(taught, epochs)
    return learner, {
        "pairs": len(taught),
        "losses": losses,
        "held_out": {"pairs": len(held_out), "accuracy": accuracy(learner.judged(held_out))},
        "mean": learner.mean_score(held_out),
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, help="the generator's adapter folder; without it the shipped one")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder to write; without it what ships")
    parser.add_argument("--briefs", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    django.setup()
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(message)s")
    begun = time.monotonic()
    pairs = written_pairs(options.adapter, options.briefs, options.seed)
    logger.info("%d pairs after %.0f s", len(pairs), time.monotonic() - begun)
    learner, told = learned(pairs, options.epochs, options.seed)
    learner.save(
        options.out, told | {"seed": options.seed, "epochs": options.epochs, "briefs": options.briefs,
                             "seconds": round(time.monotonic() - begun, 1)}
    )  # fmt: skip
    logger.info("%s: %s", options.out, told)


if __name__ == "__main__":
    main()
