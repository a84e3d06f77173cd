"""The models of this process, handed to the dialogue as ports."""

from __future__ import annotations

import structlog
from django.conf import settings

from botcore.dialogue.ports import Encoder, Generator, Ports, Reader
from workers.engine import load_encoder, load_generator, load_reader
from workers.habits import ShopSequences

log = structlog.get_logger(__name__)


def ports() -> Ports:
    """Encoder, reader and generator, loaded once per process. A generator that cannot load leaves replies to the phrases."""
    return Ports(encoder(), reader(), _generator(), ShopSequences(settings.VAR_DIR / "models"))


def encoder() -> Encoder:
    """The sentence encoder, loaded once per process."""
    return load_encoder()


def reader() -> Reader:
    """The reader of messages and answers, loaded once per process."""
    return load_reader()


def _generator() -> Generator | None:
    try:
        return load_generator()
    except Exception as error:  # the shop goes on selling; the log says what is wrong with the model
        log.exception("the generator cannot be loaded", error=str(error))
        return None
