"""The discriminator: how likely a person wrote a reply, rather than a model; a cross-encoder over what was asked and the reply.

MiniLM with a low-rank adapter, trained against the generator (``workers/training/discriminator.py``). It ranks the drafts of a
reply, and its score is the reward of the adversarial recipe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from botcore.dialogue.brief import TAG, Brief, render
from workers.engine.encoder import bundled_folder
from workers.engine.reader import mean_state, merge

SHIPPED = Path(__file__).parent / "discriminator"
WEIGHTS = "adapter.safetensors"
LONGEST = 160
"""Pieces of context and reply together; of longer ones the longer loses its end."""
WORD = re.compile(r"\[[^\]]*\]|[^\W\d_]+(?:['’-][^\W\d_]+)*")


def canonical(text: str) -> list[str]:
    """Words and tags in small letters; nothing that tells writers apart for form's sake: capitals, marks, spaces."""
    return [word if TAG.fullmatch(word) else word.lower().replace("’", "'") for word in WORD.findall(text)]


def context(brief: Brief) -> str:
    """What a reply answers: act, customer, wishes and notes. Whether it fits the items is the verifier's to say."""
    return render(replace(brief, items=(), slots={}))


class CrossEncoder(torch.nn.Module):
    """Log odds that a person wrote a reply, up to a constant of its context: only differences within one mean something."""

    def __init__(self) -> None:
        super().__init__()
        folder = bundled_folder()
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.bert: Any = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        self.head = torch.nn.Linear(self.bert.config.hidden_size, 1)

    def forward(self, contexts: Sequence[str], replies: Sequence[Sequence[str]]) -> torch.Tensor:
        """Shape ``(len(replies),)``; the replies in canonical words."""
        read = self._tokenizer(
            list(contexts),
            [" ".join(words) for words in replies],
            truncation="longest_first",
            max_length=LONGEST,
            padding=True,
            return_tensors="pt",
        )
        states = self.bert(**read).last_hidden_state
        of_the_reply = read["token_type_ids"] * read["attention_mask"]
        return self.head(mean_state(states, of_the_reply)).squeeze(-1)


class MiniLmDiscriminator:
    """``botcore.dialogue.ports.Discriminator``. Safe to call from many threads."""

    def __init__(self, folder: Path = SHIPPED) -> None:
        self._model = CrossEncoder().eval()
        self._mean = float(json.loads((folder / "meta.json").read_text(encoding="utf-8"))["mean"])
        restore(self._model, folder)

    @torch.inference_mode()
    def naturalness(self, brief: Brief, texts: Sequence[str]) -> list[float]:
        """For each text the log odds that a person wrote it for the brief; 0 for the mean of what the model writes."""
        if not texts:
            return []
        scores: list[float] = self._model([context(brief)] * len(texts), [canonical(text) for text in texts]).tolist()
        return [score - self._mean for score in scores]


def restore(model: CrossEncoder, folder: Path) -> None:
    """Put a trained adapter and head, as ``training.discriminator`` stores them, into a model that has none."""
    told = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    tensors = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}
    model.head.load_state_dict({name: tensors.pop(f"head.{name}") for name in ("weight", "bias")})
    merge(model.bert, tensors, told["scale"])
