"""A tiny random model with a tokenizer of its own: learns in seconds what a test has it learn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from botcore.dialogue.brief import Brief, ItemFacts, messages

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
COLOURS = ("green", "black", "red", "navy")


def example(number: int) -> tuple[Brief, str]:
    colour = COLOURS[number % len(COLOURS)]
    jacket = ItemFacts("A", "jacket", {"color": colour}, {"name": "", "price": ""})
    words = " ".join(["please"] * (number % 7))
    return Brief(
        "recommend", f"a jacket {words}", ("hiking",), (), (jacket,)
    ), f"Try the {colour} [A.name] at [A.price]."


def make_base(folder: Path) -> Path:
    """A base model's folder."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    texts = [chat["content"] for number in range(8) for chat in messages(example(number)[0])]
    special = ["<|im_start|>", "<|im_end|>"]
    letters = pre_tokenizers.ByteLevel.alphabet()
    raw.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=letters)
    )

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|im_end|>")
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=4,
        initializer_range=0.3,
        num_attention_heads=4,
        num_key_value_heads=2,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@contextmanager
def killed_after(steps: int, trainer: type[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever trains in here is killed in the step after so many."""
    step, taken = trainer.training_step, 0

    def dies(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal taken
        taken += 1
        if taken > steps:
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trainer, "training_step", dies)
        yield
