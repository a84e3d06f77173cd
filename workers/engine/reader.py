"""What reads both languages: multilingual-e5-small with three adapters, each trained for one job.

*Messages* (``workers/training/messages.py``): what a message wants done, and what it says of each thing that it names.
*Answers* (``workers/training/answers.py``): which of a shop's sentences answers a question, if any does.
*Needs* (``workers/training/needs.py``): which kind of product a message needs that names none, if any of the shop's.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import structlog
import torch
from safetensors.torch import load
from tokenizers import Encoding

from botcore.dialogue.linear import Head
from botcore.dialogue.ports import IntentLayer, MessageRead
from botcore.dialogue.words import language_of, normalise
from workers.engine.e5 import E5
from workers.engine.remembered import Remembered

log = structlog.get_logger(__name__)

Floats = npt.NDArray[np.float32]

MESSAGES = Path(__file__).parent / "reader" / "messages"
ANSWERS = Path(__file__).parent / "reader" / "answers"
NEEDS = Path(__file__).parent / "reader" / "needs"
QUERY, PASSAGE = "query: ", "passage: "
"""What the model was trained to see before what is asked and before what may answer (Wang et al. 2024)."""
AT_ONCE = 32
"""Texts that go through the model together."""
TOLD = 32_768
"""Vectors kept of what shops say of their products, at most a thousand a shop: 50 MB."""
READ = 256
"""Messages whose reading is kept."""


class AnswerHead(torch.nn.Module):
    """The log odds that passages answer questions, or needs, against that none does: the cosine above a bound, sharpened."""

    def __init__(self) -> None:
        super().__init__()
        self.sharpness = torch.nn.Parameter(torch.tensor(3.0))
        self.bound = torch.nn.Parameter(torch.tensor(0.85))

    def forward(self, questions: torch.Tensor, passages: torch.Tensor) -> torch.Tensor:
        """Shape ``(questions, passages)``."""
        return (questions @ passages.T - self.bound) * self.sharpness.exp()


class MessageHead(torch.nn.Module):
    """The logits of a message's intents, from the mean state of its pieces, and of the stances towards each piece."""

    def __init__(self, width: int, intents: int, stances: int) -> None:
        super().__init__()
        self.intent = torch.nn.Linear(width, intents)
        self.stance = torch.nn.Linear(width, stances)

    def forward(
        self, states: torch.Tensor, mask: torch.Tensor, deep: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Shapes ``(texts, intents)`` and ``(texts, pieces, stances)``. Where ``deep``, one flag a text, is false the intents
        teach nothing to what made the states."""
        told = mean_state(states, mask)
        if deep is not None:
            told = torch.where(deep[:, None], told, told.detach())
        return self.intent(told), self.stance(states)


@dataclass(frozen=True)
class Told:
    """What is read of a message whatever tells its intents: its mean state, shape ``(width,)``, and the stances of its pieces."""

    state: Floats
    pieces: tuple[tuple[int, int], ...]
    stances: Floats


class MultilingualReader:
    """``botcore.dialogue.ports.Reader``. Safe to call from many threads."""

    def __init__(self) -> None:
        self._answers = Adapted(ANSWERS)
        self._nearness = AnswerHead()
        self._nearness.load_state_dict(self._answers.head)
        self._needs = Adapted(NEEDS, self._answers.e5)
        self._helpful = AnswerHead()
        self._helpful.load_state_dict(self._needs.head)
        self._messages = Adapted(MESSAGES, self._answers.e5)
        self._intents, self._stances = (tuple(self._messages.meta[name]) for name in ("intents", "stances"))
        self._reads = MessageHead(self._messages.width, len(self._intents), len(self._stances))
        self._reads.load_state_dict(self._messages.head)
        self.layer = IntentLayer(self._shipped_layer(), self._messages.sha256)
        self._vectors = Remembered(self._answers.vectors)
        self._needed = Remembered(self._needs.vectors, most=TOLD)
        self._told = lru_cache(maxsize=READ)(self._tell)

    def with_intents(self, layer: IntentLayer) -> MultilingualReader:
        """The same reader, its intents told by another layer; models and what was read are shared. One that learned above
        another adapter, or of other intents, is logged and not used."""
        shipped = self.layer.head
        fits = (layer.head.labels, layer.head.weights.shape) == (shipped.labels, shipped.weights.shape)
        if layer.above != self.layer.above or not fits:
            log.warning("a layer of intents was made for another reader; the one that ships reads", above=layer.above)
            return self
        found = copy.copy(self)
        found.layer = layer
        return found

    def message(self, text: str) -> MessageRead:
        """What a normalised message wants done, and what it says of the things it names."""
        told = self._told(text)
        chances = self.layer.head.probabilities(told.state, language_of(text))
        intents = dict(zip(self._intents, chances.tolist(), strict=True))
        return MessageRead(intents, told.pieces, told.stances, self._stances)

    def states(self, texts: Sequence[str]) -> Floats:
        """What the layer of intents reads of normalised messages, shape ``(len(texts), 384)``."""
        return self._messages.means([QUERY + text for text in texts])

    def feels(self, texts: Sequence[str]) -> Floats:
        """What tells how texts feel, shape ``(len(texts), 768)``: the mean state of either adapter, each of unit length."""
        if not len(texts):
            return np.zeros((0, 2 * self._messages.width), dtype=np.float32)
        states = unit(torch.from_numpy(self.states([normalise(text) for text in texts]))).numpy()
        return np.hstack([states, self.passages(texts)])

    def passages(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of sentences or articles that may answer, shape ``(len(texts), 384)``."""
        return self._vectors([PASSAGE + text for text in texts])

    def question(self, text: str) -> Floats:
        """The unit vector of a question, near to those of passages that answer it."""
        vector: Floats = self._vectors([QUERY + text])[0]
        return vector

    @torch.inference_mode()
    def answering(self, question: str, passages: Sequence[str]) -> Floats:
        """For each passage the log odds that it answers the question, against that none does."""
        if not passages:
            return np.zeros(0, dtype=np.float32)
        asked, told = torch.from_numpy(self.question(question)[None]), torch.from_numpy(self.passages(passages))
        odds: Floats = self._nearness(asked, told)[0].numpy()
        return odds

    @torch.inference_mode()
    def needing(self, text: str, kinds: Sequence[Sequence[str]]) -> Floats:
        """For each kind of product, of which ``kinds`` tell what is said, the chance that a normalised message needs it."""
        told = [PASSAGE + passage for passages in kinds for passage in passages]
        if not told:
            return np.zeros(len(kinds), dtype=np.float32)
        asked = torch.from_numpy(self._needed([QUERY + text]))
        odds = self._helpful(asked, torch.from_numpy(self._needed(told)))[0].split([len(each) for each in kinds])
        best = torch.stack([each.max() if len(each) else torch.tensor(-torch.inf) for each in odds])
        chances: Floats = torch.nn.functional.pad(best, (1, 0)).softmax(dim=0)[1:].numpy()
        return chances

    @torch.inference_mode()
    def _tell(self, text: str) -> Told:
        (encoding,), states, mask = self._messages.states([QUERY + text])
        stances = self._reads.stance(states)
        places = pieces(encoding)
        return Told(
            state=mean_state(states, mask)[0].numpy(),
            pieces=tuple((start, end) for _, start, end in places),
            stances=stances[0].softmax(dim=-1).numpy()[[row for row, _, _ in places]],
        )

    def _shipped_layer(self) -> Head:
        layer = self._reads.intent
        weights = torch.cat([layer.weight.T, layer.bias[None]]).detach().numpy()
        return Head(self._intents, weights, self._messages.meta["temperature"], {})


class Adapted:
    """The model with one adapter merged; ``head`` is what stands above it, ``meta`` what is told of both."""

    def __init__(self, folder: Path, like: E5 | None = None) -> None:
        self.meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        stored = (folder / "adapter.safetensors").read_bytes()
        self.sha256 = hashlib.sha256(stored).hexdigest()
        tensors = {name: tensor.float() for name, tensor in load(stored).items()}
        self.head = {name.removeprefix("head."): tensors.pop(name) for name in [*tensors] if name.startswith("head.")}
        self.e5 = E5(like.weights if like else None)
        self.width = self.e5.weights.width
        merge(self.e5.model, tensors, self.meta["scale"])

    def states(self, texts: Sequence[str]) -> tuple[list[Encoding], torch.Tensor, torch.Tensor]:
        """Pieces, states and mask of texts."""
        encodings = self.e5.encoded(texts)
        return encodings, *self.e5.states(encodings)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of texts."""
        means = torch.from_numpy(self.means(texts))
        return np.asarray(unit(means))

    @torch.inference_mode()
    def means(self, texts: Sequence[str]) -> Floats:
        """Mean states of texts, those of like length read together."""
        found = np.empty((len(texts), self.width), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(order), AT_ONCE):
            places = order[start : start + AT_ONCE]
            _, states, mask = self.states([texts[place] for place in places])
            found[places] = mean_state(states, mask).numpy()
        return found


def pieces(encoding: Encoding) -> list[tuple[int, int, int]]:
    """The pieces of a message behind ``QUERY``: row, start and end in the message's text."""
    return [
        (row, max(start - len(QUERY), 0), end - len(QUERY))
        for row, (start, end) in enumerate(encoding.offsets)
        if start < end and end > len(QUERY)
    ]


def mean_state(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean state of each text's pieces."""
    counted = mask.unsqueeze(-1)
    return (states * counted).sum(dim=1) / counted.sum(dim=1)


def unit(vectors: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors, dim=-1)


def merge(model: torch.nn.Module, adapter: Mapping[str, torch.Tensor], scale: float) -> None:
    """Adds a low-rank adapter (Hu et al. 2021) to a model's matrices: ``name.lora_A`` and ``name.lora_B`` each."""
    for name in {key.rpartition(".")[0] for key in adapter}:
        matrix = model.get_parameter(f"{name}.weight")
        matrix.data += scale * adapter[f"{name}.lora_B"] @ adapter[f"{name}.lora_A"]
