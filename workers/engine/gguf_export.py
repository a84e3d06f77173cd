"""Writes a Hugging Face causal language model as one Q8_0 GGUF file, tokenizer included.

``artefacts.py`` calls this with a merged model. Matrices are quantised in blocks of 32 weights with one half-precision
scale each; norms and biases stay in single precision. Imported only where a model is built.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
from gguf.quants import quantize

ARCHITECTURES = {"llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2, "qwen3": gguf.MODEL_ARCH.QWEN3}
"""``config.model_type`` of the models both engines serve."""


class UnsupportedModelError(ValueError):
    """The model cannot be written as GGUF; the message says what about it is unsupported."""


def write_q8_0(model: Any, tokenizer: Any, path: Path) -> None:
    """Write ``model`` (a transformers model, any float dtype) and ``tokenizer`` (a fast byte-level BPE) to ``path``."""
    config = model.config
    if config.model_type not in ARCHITECTURES:
        raise UnsupportedModelError(
            f"{config.model_type!r} models are not supported; use one of {sorted(ARCHITECTURES)}."
        )
    rope = config.rope_parameters
    if rope.get("rope_type", "default") != "default":
        raise UnsupportedModelError(f"Rotary scaling {rope['rope_type']!r} is not supported; use a model without it.")
    writer = gguf.GGUFWriter(path, config.model_type)
    _add_hyperparameters(writer, config, rope["rope_theta"])
    _add_tokenizer(writer, tokenizer, config)
    for name, weight in _tensors(model):
        if weight.ndim == 1:
            writer.add_tensor(name, weight)
        elif weight.shape[-1] % 32:
            raise UnsupportedModelError(f"{name} has rows of {weight.shape[-1]}; Q8_0 needs a multiple of 32.")
        else:
            q8_0 = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, quantize(weight, q8_0), raw_dtype=q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_hyperparameters(writer: gguf.GGUFWriter, config: Any, rope_theta: float) -> None:
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(rope_theta)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Any, config: Any) -> None:
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    if state["model"]["type"] != "BPE":
        raise UnsupportedModelError(f"Tokenizer type {state['model']['type']} is not supported; byte-level BPE is.")
    added = {token["id"]: token for token in state["added_tokens"]}
    names = {index: name for name, index in state["model"]["vocab"].items()}
    names |= {index: token["content"] for index, token in added.items()}
    size = config.vocab_size
    kinds = [
        gguf.TokenType.UNUSED
        if index not in names
        else gguf.TokenType.NORMAL
        if index not in added
        else gguf.TokenType.CONTROL
        if added[index]["special"]
        else gguf.TokenType.USER_DEFINED
        for index in range(size)
    ]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in state["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm" if config.model_type == "llama" else "qwen2")
    writer.add_token_list([names.get(index, f"[unused{index}]") for index in range(size)])
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    for add, token_id in (
        (writer.add_bos_token_id, tokenizer.bos_token_id),
        (writer.add_eos_token_id, tokenizer.eos_token_id),
        (writer.add_pad_token_id, tokenizer.pad_token_id),
    ):
        if token_id is not None:
            add(token_id)
    writer.add_add_bos_token(False)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def _tensors(model: Any) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    config = model.config
    names = gguf.get_tensor_name_map(ARCHITECTURES[config.model_type], config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if target is None:
            raise UnsupportedModelError(f"The tensor {name} has no place in a {config.model_type} GGUF file.")
        weight = tensor.detach().float().cpu().numpy()
        if config.model_type == "llama" and ".self_attn.q_proj." in name:
            weight = _interleave(weight, config.num_attention_heads)
        elif config.model_type == "llama" and ".self_attn.k_proj." in name:
            weight = _interleave(weight, config.num_key_value_heads)
        yield target, np.ascontiguousarray(weight)


def _interleave(weight: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """Rows of every head from half-split to interleaved rotary order, which GGUF's llama expects."""
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)
