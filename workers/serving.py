"""The models of this process, handed to the dialogue as ports."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import structlog
from django.conf import settings

from botcore.dialogue.ports import Discriminator, Encoder, Generator, ImageEncoder, Ports, Reader, SpeechRecogniser
from botcore.learning import layers, versions
from botcore.models import ModelVersion
from botcore.streams.ports import StreamReader
from catalog.models import Shop
from workers.engine import (
    load_discriminator,
    load_encoder,
    load_generator,
    load_image_encoder,
    load_reader,
    load_speech_recogniser,
)
from workers.engine.lending import Lending
from workers.engine.registry import open_generator
from workers.engine.writing import TokenGenerator
from workers.habits import ShopSequences

log = structlog.get_logger(__name__)

SHIPPED = 0
"""Stands for the adapter that ships, where a version's id is wanted."""


def ports() -> Ports:
    """Encoder, reader and the generator that ships, loaded once per process. One that cannot load leaves replies to the
    phrases."""
    return replace(_common(), generator=_shipped())


@contextmanager
def writing_by(version: ModelVersion | None) -> Iterator[Ports]:
    """The ports with a version's generator, or until that is loaded its stand-in's, to which the reply then belongs.

    Where the version cannot be loaded the reply is still its own, and ``Ports.load_error`` says why others write it.
    """
    wanted = version.pk if version else SHIPPED
    with generators.lend(wanted, partial(_stand_ins, version)) as lent:
        error = f"the version failed to load: {lent.failure}" if lent.failure else ""
        answers = wanted if error else lent.key
        yield replace(_common(), generator=lent.engine, version_id=answers or None, load_error=error)


@contextmanager
def answering(shop: Shop, writer_of: Callable[[str], ModelVersion | None]) -> Iterator[Ports]:
    """The ports that answer in a shop, with its own layer of intents. ``writer_of`` tells the version that writes about a
    department, "" for what is about none; None is the one that ships."""
    with writing_by(writer_of("")) as shared:
        own = as_read_in(shop, shared)

        @contextmanager
        def specialist(department: str) -> Iterator[Ports]:
            version = writer_of(department)
            with writing_by(version) if version and version.department else nullcontext(own) as ports:
                yield ports

        yield replace(own, specialists=specialist)


def as_read_in(shop: Shop, ports: Ports) -> Ports:
    """The ports with the shop's own layer of intents, if it has one."""
    own = layers.of(shop)
    return replace(ports, reader=ports.reader.with_intents(own)) if own else ports


def encoder() -> Encoder:
    """The sentence encoder, loaded once per process."""
    return load_encoder()


def reader() -> Reader:
    """The reader of messages and answers, loaded once per process."""
    return load_reader()


def stream_reader() -> StreamReader:
    """The same reader, as streams of texts use it."""
    return load_reader()


def discriminator() -> Discriminator | None:
    """The discriminator, loaded once per process; None where it cannot be: drafts are ranked without it."""
    try:
        return load_discriminator()
    except Exception as error:  # the shop goes on selling
        log.exception("the discriminator cannot be loaded", error=str(error))
        return None


@functools.cache
def images() -> ImageEncoder | None:
    """The image encoder, loaded once per process; None where there is none, or it does not load: words are asked for."""
    try:
        return load_image_encoder()
    except Exception as error:
        log.exception("the image encoder cannot be loaded", error=str(error))
        return None


@functools.cache
def speech() -> SpeechRecogniser | None:
    """The speech recogniser, as ``images``."""
    try:
        return load_speech_recogniser()
    except Exception as error:
        log.exception("the speech recogniser cannot be loaded", error=str(error))
        return None


def _common() -> Ports:
    """All ports but the generator."""
    return Ports(
        encoder(),
        reader(),
        None,
        ShopSequences(settings.VAR_DIR / "models"),
        discriminator(),
        images(),
        speech(),
    )


def _shipped() -> Generator | None:
    try:
        return load_generator()
    except Exception as error:  # the shop goes on selling; the log says what is wrong with the model
        log.exception("the generator cannot be loaded", error=str(error))
        return None


def _stand_ins(version: ModelVersion | None) -> list[int]:
    """What may write until a version is loaded: what is live in its department or its shop, or else what ships. Never another
    department's or shop's version, nor one that was taken back."""
    if version is None:
        return []
    live = versions.about(version.shop_id, version.department).filter(state=ModelVersion.State.LIVE)
    return [*live.values_list("pk", flat=True), SHIPPED]


def _load(version_id: int) -> TokenGenerator:
    if version_id == SHIPPED:
        return open_generator()
    return open_generator(ModelVersion.objects.get(pk=version_id).place)


generators: Lending[int, TokenGenerator] = Lending(_load, kept=SHIPPED)
"""By the version's id. What ships is kept: it may stand in for every shop's versions, no other may."""
