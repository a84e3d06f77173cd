"""The sequence model: which products fit a customer who took these products, in this order (SASRec).

The network, its files and its scores live here; ``workers.training.sequence`` trains it, ranking reads its scores.
Products that training never saw are placed by their content, if the model was trained with content.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

if TYPE_CHECKING:
    from catalog.models import Product

PADDING = 0
"""Item number of no item; items count from 1."""


class SequenceModelError(RuntimeError):
    """A folder holds no usable sequence model; the message says what to do."""


@dataclass(frozen=True)
class Catalogue:
    """The items a model knows. Item number ``n`` is ``skus[n - 1]``; the first ``trained`` of them occur in training.

    ``content[n - 1]`` are the attribute numbers of item ``n``, positions in ``attributes``.
    """

    skus: tuple[str, ...]
    trained: int
    attributes: tuple[str, ...] = ()
    content: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Shape:
    """The network's form: what has to be known to load its weights. ``inner`` is the feed-forward width."""

    width: int = 64
    layers: int = 2
    heads: int = 2
    inner: int = 256
    max_length: int = 50
    dropout: float = 0.3
    temperature: float | None = None
    """Divides the cosine of state and item; None: the plain dot product."""
    content: bool = False


class Block(nn.Module):
    """Causal self-attention and feed-forward, each with normalisation before and a residual around it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.dropout = shape.heads, shape.dropout
        self.before_attention, self.before_feed = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.attended, self.mixed = nn.Linear(shape.width, 3 * shape.width), nn.Linear(shape.width, shape.width)
        self.feed = nn.Sequential(
            nn.Linear(shape.width, shape.inner),
            nn.GELU(),
            nn.Dropout(shape.dropout),
            nn.Linear(shape.inner, shape.width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``x`` and the result: customers x steps x width. Step ``t`` depends on steps up to ``t`` alone."""
        heads = self.attended(self.before_attention(x)).unflatten(-1, (3, self.heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        x = x + self._dropped(self.mixed(attended.transpose(1, 2).flatten(2)))
        return x + self._dropped(self.feed(self.before_feed(x)))

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class SequenceModel(nn.Module):
    """SASRec (Kang & McAuley 2018): items read and predicted share one table of vectors.

    An item's vector is its own, if training saw the item, plus the mean of its attributes' vectors, if the model has
    ``content``.
    """

    def __init__(self, shape: Shape, catalogue: Catalogue) -> None:
        super().__init__()
        self.shape, self.catalogue = shape, catalogue
        self.own = nn.Embedding(catalogue.trained + 1, shape.width, padding_idx=PADDING)
        self.positions = nn.Embedding(shape.max_length, shape.width)
        self.attributes = nn.EmbeddingBag(len(catalogue.attributes), shape.width) if shape.content else None
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.apply(_initialise)
        with torch.no_grad():
            self.own.weight[PADDING] = 0
        content = ((), *catalogue.content) if shape.content else ()
        self._bags = torch.tensor([attribute for listed in content for attribute in listed], dtype=torch.long)
        self._offsets = torch.tensor([0, *map(len, content)][:-1], dtype=torch.long).cumsum(0)

    def vectors(self, keep: Tensor | None = None) -> Tensor:
        """The vectors of no item and of every item: ``(items + 1) x width``.

        ``keep``, ones and zeros of shape ``trained + 1``, takes the own vector away from the items at its zeros.
        """
        own = self.own.weight if keep is None else self.own.weight * keep[:, None]
        if self.attributes is None:
            return own
        missing = len(self.catalogue.skus) - self.catalogue.trained
        return F.pad(own, (0, 0, 0, missing)) + self.attributes(self._bags, self._offsets)

    def places(self, item: int) -> bool:
        """Whether the model knows anything of the item with this number."""
        if PADDING < item <= self.catalogue.trained:
            return True
        return self.shape.content and item <= len(self.catalogue.skus) and bool(self.catalogue.content[item - 1])

    def forward(self, items: Tensor, vectors: Tensor) -> Tensor:
        """States after each step, customers x steps x width, of item numbers, customers x steps, padded at the end.

        Padding needs no mask: no step sees what follows it.
        """
        x = F.embedding(items, vectors) + self.positions.weight[: items.shape[1]]
        x = F.dropout(x, self.shape.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        states: Tensor = self.norm(x)
        return states

    def logits(self, states: Tensor, vectors: Tensor) -> Tensor:
        """How well each of the ``n`` vectors (n x width) follows each state (... x width): ... x n."""
        if self.shape.temperature is None:
            return states @ vectors.T
        return F.normalize(states, dim=-1) @ (F.normalize(vectors, dim=-1) / self.shape.temperature).T

    def score(self, states: Tensor, vectors: Tensor) -> Tensor:
        """The logit of each state with the one vector in its own row: ``(n,)`` from two of ``n x width``."""
        if self.shape.temperature is None:
            return (states * vectors).sum(-1)
        return F.cosine_similarity(states, vectors, dim=-1) / self.shape.temperature


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding | nn.EmbeddingBag):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)


# --- files ----------------------------------------------------------------------------------------------------------


def save(model: SequenceModel, folder: Path) -> None:
    """Write weights, shape and catalogue into ``folder``, which exists."""
    save_file(model.state_dict(), folder / "model.safetensors")
    text = json.dumps({"shape": asdict(model.shape), "catalogue": asdict(model.catalogue)}, ensure_ascii=False)
    (folder / "catalogue.json").write_text(text, encoding="utf-8")


def load(folder: Path) -> SequenceModel:
    """The model that ``save`` wrote. Raises ``SequenceModelError`` when the folder is not one or is damaged."""
    try:
        stored = json.loads((folder / "catalogue.json").read_text(encoding="utf-8"))
        catalogue = Catalogue(
            tuple(stored["catalogue"]["skus"]),
            stored["catalogue"]["trained"],
            tuple(stored["catalogue"]["attributes"]),
            tuple(map(tuple, stored["catalogue"]["content"])),
        )
        model = SequenceModel(Shape(**stored["shape"]), catalogue)
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except FileNotFoundError:
        raise SequenceModelError(f"{folder} holds no sequence model; train one: workers.training.sequence") from None
    except (KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise SequenceModelError(f"{folder} holds a damaged sequence model ({error}); train it again") from error
    return model.eval()


# --- scores ---------------------------------------------------------------------------------------------------------


def content_of(product: Product) -> list[str]:
    """What stands for a product's content: category and its parents, brand, and each attribute value."""
    path = product.category.path.split("/")
    named = [f"category={'/'.join(path[: depth + 1])}" for depth in range(len(path))]
    named += [f"brand={product.brand.lower()}"] if product.brand else []
    listed = (f"{name}={value}" for name, values in sorted(product.attributes.items()) for value in values)
    return list(dict.fromkeys([*named, *listed]))


class SequenceScorer:
    """A trained model as ranking uses it. Safe to call from many threads."""

    def __init__(self, model: SequenceModel) -> None:
        self._model = model.eval()
        with torch.no_grad():
            self._vectors = model.vectors()
        self._numbers = {sku: n for n, sku in enumerate(model.catalogue.skus, 1) if model.places(n)}
        self._attributes = {name: n for n, name in enumerate(model.catalogue.attributes)}

    @classmethod
    def open(cls, folder: Path) -> SequenceScorer:
        """Raises ``SequenceModelError``, as ``load``."""
        return cls(load(folder))

    @torch.no_grad()
    def scores(
        self, history: Sequence[str], candidates: Sequence[str], content: Mapping[str, Sequence[str]] | None = None
    ) -> npt.NDArray[np.float32]:
        """How well each candidate follows ``history`` (SKUs, oldest first): shape ``(len(candidates),)``.

        In standard deviations above the mean of all products the model was trained on, for this history; 0 for every
        candidate when nothing of the history is known, and for a candidate of which nothing is known. ``content``
        (SKU -> ``content_of``) places products that are newer than the model.
        """
        read = [vector for sku in history if (vector := self._vector(sku, content)) is not None]
        scored = [(n, vector) for n, sku in enumerate(candidates) if (vector := self._vector(sku, content)) is not None]
        result = np.zeros(len(candidates), dtype=np.float32)
        if read and scored:
            state = self._state(torch.stack(read[-self._model.shape.max_length :]))
            trained = self._model.logits(state, self._vectors[1 : self._model.catalogue.trained + 1])
            logits = self._model.logits(state, torch.stack([vector for _, vector in scored]))
            spread = trained.std(correction=0).clamp_min(1e-6)
            result[[n for n, _ in scored]] = ((logits - trained.mean()) / spread).numpy()
        return result

    def _state(self, vectors: Tensor) -> Tensor:
        return self._model(torch.arange(len(vectors))[None], vectors)[0, -1]

    def _vector(self, sku: str, content: Mapping[str, Sequence[str]] | None) -> Tensor | None:
        """None for a product of which the model knows neither number nor content."""
        if sku in self._numbers:
            return self._vectors[self._numbers[sku]]
        known = [self._attributes[name] for name in (content or {}).get(sku, ()) if name in self._attributes]
        if not known or self._model.attributes is None:
            return None
        return self._model.attributes.weight[known].mean(0)


_scorers: dict[Path, tuple[int, SequenceScorer]] = {}
_lock = threading.Lock()


def scorer_of(shop: str, models: Path) -> SequenceScorer | None:
    """The model of the shop with this slug below ``models``, loaded once per process and again after training.

    None when the shop has none. Raises ``SequenceModelError`` when its files are damaged.
    """
    folder = models / f"sequence-{shop}"
    if not (folder / "meta.json").is_file():
        return None
    changed = (folder / "meta.json").stat().st_mtime_ns
    with _lock:
        if folder not in _scorers or _scorers[folder][0] != changed:
            _scorers[folder] = (changed, SequenceScorer.open(folder))
        return _scorers[folder][1]
