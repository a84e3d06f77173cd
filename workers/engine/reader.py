"""What a message says of each thing that it names: multilingual-e5-small with an adapter that learned stances.

The state of a thing's tokens, in the middle of everything around them, with what the rules of ``polarity.py`` say of it,
goes into one linear layer. ``workers/training/stance.py`` trains adapter and layer.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Encoding

from workers.engine.e5 import E5

SHIPPED = Path(__file__).parent / "reader"
PREFIX = "query: "
"""What the model was trained to see before a short text."""


class MessageReader:
    """``botcore.dialogue.ports.Reader``. Safe to call from many threads."""

    def __init__(self, folder: Path = SHIPPED) -> None:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        tensors = {name: tensor.float() for name, tensor in load_file(folder / "adapter.safetensors").items()}
        self.labels: tuple[str, ...] = tuple(meta["labels"])
        self._weight, self._bias = tensors.pop("head.weight"), tensors.pop("head.bias")
        self._e5 = E5()
        merge(self._e5.model, tensors, meta["scale"])
        self._lock = threading.Lock()

    @torch.inference_mode()
    def stances(self, text: str, things: Sequence[tuple[int, int]], rules: Sequence[str]) -> list[Mapping[str, float]]:
        """For each thing at ``[start, end)`` of a normalised text, the chance of every stance; ``rules`` is what the rules
        take each to be."""
        if not things:
            return []
        with self._lock:  # the tokenizer keeps state
            encoding = self._e5.tokenizer.encode(PREFIX + text)
            states, _ = self._e5.states([encoding])
        inputs = torch.stack(
            [pooled(states[0], encoding, thing, rule, self.labels) for thing, rule in zip(things, rules, strict=True)]
        )
        chances = (inputs @ self._weight.T + self._bias).softmax(dim=-1)
        return [dict(zip(self.labels, row, strict=True)) for row in chances.tolist()]


def pooled(
    states: torch.Tensor, encoding: Encoding, thing: tuple[int, int], rule: str, labels: Sequence[str]
) -> torch.Tensor:
    """What the linear layer reads of one thing: the mean state of its tokens, and the rules' verdict as ones and zeros."""
    start, end = (place + len(PREFIX) for place in thing)
    inside = [i for i, (first, last) in enumerate(encoding.offsets) if first < last and first < end and last > start]
    verdict = torch.tensor([float(label == rule) for label in labels])
    return torch.cat([states[inside or [0]].mean(dim=0), verdict])


def merge(model: torch.nn.Module, adapter: Mapping[str, torch.Tensor], scale: float) -> None:
    """Adds a low-rank adapter (Hu et al. 2021) to a model's matrices: ``name.lora_A`` and ``name.lora_B`` each."""
    for name in {key.rpartition(".")[0] for key in adapter}:
        matrix = model.get_submodule(name).weight
        matrix.data += scale * adapter[f"{name}.lora_B"] @ adapter[f"{name}.lora_A"]
