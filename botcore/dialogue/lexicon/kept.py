"""The vocabularies that a process keeps, read anew when a catalogue has changed."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.lexicon.reading import read_lexicon
from catalog.models import AttributeValue, Category, Product, Shop

RECHECK_SECONDS = 5.0
READ_AT_ONCE = 5_000
"""Products that are read in less than half a second: a customer may wait for their words."""
READING_SHARE = 0.02


@dataclass
class _Kept:
    """A shop's lexicon in this process: of which catalogue it is, when that was looked up, when it may be read again."""

    lexicon: Lexicon
    version: object
    checked: float
    due: float = 0.0
    reading: bool = False


_cache: dict[int, _Kept] = {}
_lock = threading.Lock()


def lexicon_of(shop: Shop) -> Lexicon:
    """The shop's lexicon, built again when its catalogue has changed (looked up at most every few seconds).

    A large catalogue is read beside the conversation, which goes on with the words it has, and seldom: reading takes at most
    a ``READING_SHARE`` of the time.
    """
    with _lock:
        kept, now = _cache.get(shop.pk), time.monotonic()
        if kept and (now - kept.checked < RECHECK_SECONDS or kept.reading or now < kept.due):
            return kept.lexicon
        version = _version(shop)
        if kept is None or (version != kept.version and kept.lexicon.size <= READ_AT_ONCE):
            kept = _cache[shop.pk] = _Kept(read_lexicon(shop), version, time.monotonic())
        elif version != kept.version:
            kept.reading = True
            threading.Thread(target=_read_beside, args=(shop, version), daemon=True, name="lexicon").start()
        kept.checked = time.monotonic()
        return kept.lexicon


def _read_beside(shop: Shop, version: object) -> None:
    """Build the lexicon of a changed catalogue on a connection of its own."""
    begun = time.monotonic()
    try:
        lexicon = read_lexicon(shop)
    finally:
        connection.close()
        with _lock:
            kept, now = _cache[shop.pk], time.monotonic()
            kept.reading, kept.checked, kept.due = False, now, now + (now - begun) / READING_SHARE
    kept.lexicon, kept.version = lexicon, version


def _version(shop: Shop) -> object:
    return (
        Product.objects.filter(shop=shop).aggregate(last=Max("updated_at"))["last"],
        AttributeValue.objects.filter(shop=shop).count(),
        Category.objects.filter(shop=shop).count(),
    )
