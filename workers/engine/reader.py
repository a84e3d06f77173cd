"""What reads closely: multilingual-e5-small with two adapters, each trained for one question.

*What does a message say of each thing that it names?* The state of a thing's tokens, in the middle of everything around
them, with what the rules of ``polarity.py`` say of it, goes into a linear layer (``workers/training/stance.py``).
*Does a passage answer a question?* Both are read together, one after the other, and the mean of their states goes into
another (``workers/training/answers.py``).
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

STANCES = Path(__file__).parent / "reader" / "stances"
ANSWERS = Path(__file__).parent / "reader" / "answers"
PREFIX = "query: "
"""What the model was trained to see before a short text."""
AT_ONCE = 8
"""Pairs of question and passage that are read together."""


class MessageReader:
    """``botcore.dialogue.ports.Reader``. Safe to call from many threads."""

    def __init__(self) -> None:
        self._stances, self._answers = Adapted(STANCES), Adapted(ANSWERS)

    @torch.inference_mode()
    def stances(self, text: str, things: Sequence[tuple[int, int]], rules: Sequence[str]) -> list[Mapping[str, float]]:
        """For each thing at ``[start, end)`` of a normalised text, the chance of every stance; ``rules`` is what the rules
        take each to be."""
        if not things:
            return []
        labels = self._stances.labels
        (encoding,), states, _ = self._stances.states([PREFIX + text])
        inputs = [pooled(states[0], encoding, thing, rule, labels) for thing, rule in zip(things, rules, strict=True)]
        chances = self._stances.layer(torch.stack(inputs)).softmax(dim=-1)
        return [dict(zip(labels, row, strict=True)) for row in chances.tolist()]

    @torch.inference_mode()
    def answers(self, question: str, passages: Sequence[str]) -> list[float]:
        """For each passage the chance that it answers the question."""
        found: list[float] = []
        for start in range(0, len(passages), AT_ONCE):
            pairs = [pair(question, passage) for passage in passages[start : start + AT_ONCE]]
            _, states, mask = self._answers.states(pairs)
            found += self._answers.layer(mean_state(states, mask)).squeeze(-1).sigmoid().tolist()
        return found


class Adapted:
    """The model with one adapter merged, and the layer above it."""

    def __init__(self, folder: Path) -> None:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        tensors = {name: tensor.float() for name, tensor in load_file(folder / "adapter.safetensors").items()}
        self.labels: tuple[str, ...] = tuple(meta["labels"])
        outputs, width = tensors["head.weight"].shape
        self.layer = torch.nn.Linear(width, outputs)
        self.layer.load_state_dict({name: tensors.pop(f"head.{name}") for name in ("weight", "bias")})
        self._e5 = E5()
        merge(self._e5.model, tensors, meta["scale"])
        self._lock = threading.Lock()

    def states(
        self, texts: Sequence[str] | Sequence[tuple[str, str]]
    ) -> tuple[list[Encoding], torch.Tensor, torch.Tensor]:
        """Tokens, states and mask of texts or pairs."""
        with self._lock:  # the tokenizer keeps state
            encodings = self._e5.tokenizer.encode_batch(list(texts))
        return encodings, *self._e5.states(encodings)


def pair(question: str, passage: str) -> tuple[str, str]:
    """Question and passage as they are read together."""
    return PREFIX + question, passage


def mean_state(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean state of each text's tokens."""
    counted = mask.unsqueeze(-1)
    return (states * counted).sum(dim=1) / counted.sum(dim=1)


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
        matrix = model.get_parameter(f"{name}.weight")
        matrix.data += scale * adapter[f"{name}.lora_B"] @ adapter[f"{name}.lora_A"]
