"""The bundled example: two weeks of opinions on invented companies, as a finance desk would watch them, with one surge."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from botcore.models import TextStream
from botcore.streams import feeding
from botcore.streams.feeding import Record, Stored
from catalog.ingest.readers import read_rows
from catalog.models import Shop

OPINIONS = Path(__file__).parent / "data" / "opinions.csv"
"""Columns id, at, author, text, and ``subject``: the topic as its writer meant it, which nothing but tests reads."""
NAME = "Finance desk"


def load(shop: Shop, now: datetime) -> tuple[TextStream, Stored]:
    """The example in a stream of its own, its last text said just now. Loaded again it changes nothing."""
    stream = TextStream.objects.filter(shop=shop, name=NAME, kind=TextStream.Kind.FEED).first()
    return (found := stream or feeding.open_feed(shop, NAME)[0]), feeding.store(found, records(now))


def records(now: datetime) -> list[Record]:
    """The example's texts in order of time, moved so that the last one is said at ``now``."""
    rows = [said for _, said in sorted(row for row in read_rows(OPINIONS) if isinstance(row, tuple))]
    told = [feeding.record_of(said, now) for said in rows]
    shift = now - max(record.at for record in told)
    return [Record(record.id, record.at + shift, record.text, record.author) for record in told]
