"""Small random models of the architectures the engines serve, and the engines over the bundled base model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from gguf.quants import dequantize, quantize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

from workers.engine.artefacts import Artefact, build
from workers.engine.openvino_engine import OpenVinoGenerator

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PROSE = "the green jacket is light and warm. [A.name] costs [A.price] and [B.name] has a hood! would you like it? "
SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
CONFIGS: dict[str, Callable[..., Any]] = {
    "llama": lambda **shape: LlamaConfig(tie_word_embeddings=True, **shape),
    "qwen2": lambda **shape: Qwen2Config(tie_word_embeddings=True, **shape),
    "qwen3": lambda **shape: Qwen3Config(tie_word_embeddings=False, head_dim=32, **shape),
}


def small_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE of a few hundred tokens with chat control tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([PROSE] * 50, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = TEMPLATE
    return fast


def save_small_model(architecture: str, folder: Path) -> Path:
    """A random model whose matrices are exact in Q8_0, so that quantising them changes nothing."""
    tokenizer = small_tokenizer()
    torch.manual_seed(11)
    config = CONFIGS[architecture](**SHAPE, vocab_size=len(tokenizer), eos_token_id=tokenizer.eos_token_id)
    model = AutoModelForCausalLM.from_config(config)
    q8_0 = gguf.GGMLQuantizationType.Q8_0
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                weights = torch.randn_like(parameter) * 0.2
                parameter.copy_(torch.from_numpy(dequantize(quantize(weights.numpy(), q8_0), q8_0)))
            else:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_small_adapter(base: Path, folder: Path, version: str) -> Path:
    """A LoRA adapter for ``base`` whose merge changes the weights."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(5)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False),
    )
    model.save_pretrained(str(folder))
    (folder / "meta.json").write_text(json.dumps({"version": version}))
    return folder


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folders: dict[str, Path] = {}

    def folder(architecture: str) -> Path:
        if architecture not in folders:
            folders[architecture] = save_small_model(architecture, tmp_path_factory.mktemp(architecture))
        return folders[architecture]

    return folder


@pytest.fixture(scope="session")
def small_artefact(
    small_model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Artefact]:
    models_folder = tmp_path_factory.mktemp("models")
    return lambda architecture: build(None, str(small_model(architecture)), models_folder)


@pytest.fixture(scope="session")
def base_artefact(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    """The bundled base model, built where the settings keep models, so that later runs find it."""
    from django.conf import settings

    return build(None, None, settings.VAR_DIR / "models")


@pytest.fixture(scope="session")
def openvino(base_artefact: Artefact) -> Iterator[OpenVinoGenerator]:
    generator = OpenVinoGenerator(base_artefact)
    yield generator
    generator.close()
