"""What the dialogue needs from models. ``workers/engine`` implements these; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

    from botcore.dialogue.brief import Brief
    from botcore.dialogue.linear import Head
    from catalog.models import Product

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Sample:
    """One text the model wrote, tags not yet filled. ``tokens`` counts what was generated.

    ``likelihood`` is the mean log probability (nats) that the model gave a token: low where it had wanted others.
    """

    text: str
    tokens: int
    likelihood: float = 0.0


@dataclass(frozen=True)
class EngineInfo:
    """What ``manage.py engine`` prints: ``engine`` is ``openvino`` or ``transformers``; memory in MiB."""

    engine: str
    model_version: str
    architecture: str
    device: str
    bits: int
    memory_mib: float


@dataclass(frozen=True)
class Prompt:
    """What the model is told, and all that it may say: ``words`` in lower case, ``tags`` without brackets.

    ``phrases`` are words and tags that may only be said together ("under [budget]").
    """

    messages: Messages
    words: frozenset[str]
    tags: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()


class Generator(Protocol):
    """Writes replies. Safe to call from many threads at once; concurrent calls share batches."""

    @property
    def info(self) -> EngineInfo: ...

    def write(self, prompt: Prompt, *, samples: int, seed: int, deadline: float) -> list[Sample]:
        """Up to ``samples`` replies for ``prompt``, whole sentences in its words and tags.

        ``deadline`` is a ``time.monotonic()`` instant; samples that are not finished by then are left out, so the
        list may be empty. The same prompt, seed and engine give the same texts.
        """
        ...


class Encoder(Protocol):
    """Sentence embeddings."""

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit-length vectors, shape ``(len(texts), EMBEDDING_DIMENSIONS)``."""
        ...


class Discriminator(Protocol):
    """Tells what people write from what models write."""

    def naturalness(self, brief: Brief, texts: Sequence[str]) -> Sequence[float]:
        """For each text the log odds that a person wrote it for the brief; 0 for the mean of what the model writes."""
        ...


@dataclass(frozen=True)
class MessageRead:
    """What the reader makes of a message.

    ``intents`` are calibrated chances that add up to one. ``pieces`` are stretches ``[start, end)`` of the text, ``stances`` for
    each the chances of ``labels``, shape ``(len(pieces), len(labels))``; the first label is that nothing is named there.
    """

    intents: Mapping[str, float]
    pieces: tuple[tuple[int, int], ...]
    stances: npt.NDArray[np.float32]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class IntentLayer:
    """What tells intents from a message's state; ``above`` is the SHA-256 of the adapter that makes the states."""

    head: Head
    above: str


class MessageReader(Protocol):
    """Reads messages, English and Chinese."""

    def message(self, text: str) -> MessageRead:
        """What a normalised message wants done, and what it says of the things it names."""
        ...

    def needing(self, text: str, kinds: Sequence[Sequence[str]]) -> npt.NDArray[np.float32]:
        """For each kind of product, of which ``kinds`` tell what is said, the chance that a normalised message needs it;
        what is left of one is the chance that it needs none of them."""
        ...


class Reader(MessageReader, Protocol):
    """Reads questions as well, and what answers them."""

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors of what may answer, shape ``(len(texts), EMBEDDING_DIMENSIONS)``."""
        ...

    def question(self, text: str) -> npt.NDArray[np.float32]:
        """The unit vector of a question, near to those of the passages that answer it."""
        ...

    def answering(self, question: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        """For each passage the log odds that it answers the question, against that none does."""
        ...

    def with_intents(self, layer: IntentLayer) -> Reader:
        """The same reader, its intents told by a shop's own layer if that fits."""
        ...


def titled(title: str, text: str) -> str:
    """A sentence as the reader sees it: after what it stands under."""
    return f"{title}: {text}"


def about(subject: str, question: str) -> str:
    """A question as the reader sees it, after what it is about, if it is known."""
    return titled(subject, question) if subject else question


class SequenceScores(Protocol):
    """What usually follows what a customer took."""

    def scores(self, customer_id: int, products: Sequence[Product]) -> Mapping[int, float]:
        """How well each of one shop's products follows the customer's history, by product id.

        In standard deviations above the shop's mean for that history. Empty where nothing can be said: no history, no
        model for the shop, or a broken one.
        """
        ...


class ImageEncoder(Protocol):
    """Pictures as vectors of one space, in which those that look alike are near."""

    @property
    def name(self) -> str:
        """The model with its weights' digest: vectors under different names are never compared."""
        ...

    def encode(self, pictures: Sequence[Image]) -> npt.NDArray[np.float32]:
        """Unit-length vectors of RGB pictures, shape ``(len(pictures), the model's width)``."""
        ...


@dataclass(frozen=True)
class Heard:
    """What was said in a recording. ``language`` is ISO 639-1, "" where the model knows one alone; ``confidence`` is the
    mean probability (geometric) of a token. ``sure``: clear enough to be taken at its word."""

    text: str
    language: str
    confidence: float
    sure: bool


class RecordingError(ValueError):
    """This is no recording that is listened to; the message says why and holds nothing of it."""


class SpeechRecogniser(Protocol):
    """Writes down what is said."""

    @property
    def name(self) -> str:
        """The model with its weights' digest."""
        ...

    def hear(self, recording: bytes, *, deadline: float) -> Heard:
        """What an audio file says, as far as it is written down at ``deadline`` (``time.monotonic()``).

        What is late or not speech is not ``sure``. Raises ``RecordingError`` for what is no audio file, or too long.
        """
        ...


@dataclass(frozen=True)
class Ports:
    """The models handed down to the dialogue. ``generator`` is None where replies are to be made from templates,
    ``sequence`` where no model knows what follows what, ``discriminator`` where its score is left out, ``images`` and ``speech``
    where customers are asked for words instead. ``version_id`` names the version that the reply belongs to, None the one that
    ships; ``load_error`` says why its own generator is not the one here, where it could not be loaded. ``specialists`` lends
    the ports of the version that writes about a department, where one has a version of its own."""

    encoder: Encoder
    reader: Reader
    generator: Generator | None
    sequence: SequenceScores | None = None
    discriminator: Discriminator | None = None
    images: ImageEncoder | None = None
    speech: SpeechRecogniser | None = None
    version_id: int | None = None
    load_error: str = ""
    specialists: Callable[[str], AbstractContextManager[Ports]] | None = None

    def writing_about(self, department: str) -> AbstractContextManager[Ports]:
        """The ports of whoever writes about a department."""
        return self.specialists(department) if self.specialists and department else nullcontext(self)

    def in_phrases(self) -> Ports:
        """The ports of a reply that no model writes."""
        return replace(self, generator=None, load_error="", specialists=None)
