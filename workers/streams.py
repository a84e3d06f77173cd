"""Streams of texts read with this process's models, a bounded share at a time; by the ``reply`` queue.

Its workers have the reader loaded, which would take a gigabyte more in another process. Not by ``index``, where training and
long embeddings may stand before: an alert is to be there within a minute.
"""

from __future__ import annotations

import time
from datetime import datetime

import structlog

from botcore.models import TextStream
from botcore.monitoring.surge_alerts import watch_surges
from botcore.streams import feeding, reading
from catalog.models import Shop
from workers import serving

log = structlog.get_logger(__name__)

SECONDS = 3.0
"""After so long of one look the other texts wait for the next one, so that replies get the processor as well."""


def watch_all(now: datetime, seconds: float = SECONDS) -> None:
    """Fetch the shops' own texts, read what is unread, and look for surges in every stream."""
    for shop in Shop.objects.order_by("pk"):
        feeding.fetch_own(shop, now)
    end = time.monotonic() + seconds
    for stream in _in_turn():
        read_waiting(stream, end)
        watch_surges(stream, now)


def read_waiting(stream: TextStream, end: float = float("inf")) -> int:
    """Read a stream's texts, in batches, up to ``end`` (``time.monotonic()``); how many."""
    done = 0
    while time.monotonic() < end and stream.items.filter(read_at=None).exists():
        batch = reading.read(stream.pk, serving.stream_reader())
        if not batch:
            break
        done += batch
    if done:
        log.info("read a stream", stream=stream.pk, texts=done)
    return done


def _in_turn() -> list[TextStream]:
    """Streams with the fewest unread texts first: a long import holds up nobody else."""
    streams = TextStream.objects.select_related("shop").order_by("pk")
    return sorted(streams, key=lambda stream: stream.items.filter(read_at=None).count())
