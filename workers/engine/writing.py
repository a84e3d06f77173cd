"""What both engines share: how a prompt becomes tokens, how samples are drawn, and how tokens become a ``Sample``."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botcore.dialogue.ports import EngineInfo, Messages, Prompt, Sample
from workers.engine import constraint

_SENTENCE = re.compile(r".*(?:(?<!\[[A-D])[.!?…]['\"”’)]*(?=\s|$)|[。！？])", re.DOTALL)
"""Whole sentences; the dot of a tag that the limit cut ("[A.") ends none."""


@dataclass(frozen=True)
class Sampling:
    """Nucleus sampling (Holtzman et al., 2020). ``temperature`` 0 is greedy; at .8 samples are hardly told from people's
    replies and as well grounded as colder ones (docs/training.md)."""

    temperature: float = 0.8
    top_p: float = 0.9
    max_new_tokens: int = 64


@dataclass(frozen=True)
class Completion:
    """Tokens of one sample without the stop token; ``ended`` is false where the length limit cut it.

    ``log_probability`` (nats) is the model's own of all that was drawn, the stop token with it, before temperature,
    nucleus and language.
    """

    ids: list[int]
    ended: bool
    log_probability: float = 0.0


class TokenGenerator(ABC):
    """A ``botcore.dialogue.ports.Generator`` over an engine that knows tokens only."""

    tokenizer: Any
    constrained: bool
    """Whether ``write`` keeps to the prompt's words and tags."""

    @property
    @abstractmethod
    def info(self) -> EngineInfo: ...

    @abstractmethod
    def complete(self, ids: list[int], language: str, seeds: list[int], deadline: float) -> list[Completion]:
        """One completion of ``ids`` a seed, in their order, without those that are not finished at ``deadline``.

        ``language`` is a ``constraint.pattern`` that they match, "" for none.
        """

    @abstractmethod
    def close(self) -> None:
        """Free what the engine holds."""

    def write(self, prompt: Prompt, *, samples: int, seed: int, deadline: float) -> list[Sample]:
        """As ``Generator.write``."""
        seeds = [sample_seed(seed, index) for index in range(samples)]
        language = constraint.pattern(prompt) if self.constrained else ""
        completions = self.complete(prompt_ids(self.tokenizer, prompt.messages), language, seeds, deadline)
        written = (to_sample(self.tokenizer, completion) for completion in completions)
        return [sample for sample in written if sample]


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a built artefact's Hugging Face folder."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def prompt_ids(tokenizer: Any, prompt: Messages) -> list[int]:
    """Tokens of the chat up to where the salesperson's reply begins; training renders through here as well."""
    # Qwen3's template opens a hidden deliberation unless told not to; others ignore the flag.
    text = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True, enable_thinking=False)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def stop_ids(tokenizer: Any, model_stops: int | Sequence[int] | None) -> list[int]:
    """Every token that ends a reply: the tokenizer's and those of the model's generation settings."""
    stops = [model_stops] if isinstance(model_stops, int) else list(model_stops or ())
    return sorted({tokenizer.eos_token_id, *stops})


def sample_seed(seed: int, index: int) -> int:
    """The seed of one sample: 32 bits, independent between samples and between turns."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{index}".encode(), digest_size=4).digest(), "big")


def to_sample(tokenizer: Any, completion: Completion) -> Sample | None:
    """The text of one reply, white space normalised.

    A reply that ran into the length limit keeps its whole sentences; None when nothing is left to say.
    """
    text = " ".join(tokenizer.decode(completion.ids, skip_special_tokens=True).split())
    if not completion.ended:
        whole = _SENTENCE.match(text)
        text = whole.group() if whole else ""
    drawn = len(completion.ids) + completion.ended
    return Sample(text, len(completion.ids), completion.log_probability / drawn) if text else None
