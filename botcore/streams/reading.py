"""Unread texts become sentences with sentiment and topic. Workers call :func:`read`, with their models behind a port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.utils import timezone

from botcore.dialogue.words import language_of, sentences
from botcore.models import Sentence, TextItem, TextStream, Topic
from botcore.streams import naming
from botcore.streams.ports import StreamReader
from botcore.streams.sentiment import Feeling, feelings
from botcore.streams.topics import Cluster, due_for_halving, gather, halves, shipped_space

Floats = npt.NDArray[np.float32]

BATCH = 16
"""Texts read in one transaction, a quarter of a second on one core: so long a customer may wait for the reader."""
MOST_SENTENCES = 20
"""Of one text; what follows counts for its sentiment alone."""
LOOSE = 1_000
"""Sentences without a topic that are tried again, the newest."""
BESIDE = 2_000
"""Of the stream's other sentences, so many newest ones tell a topic's words from anybody's."""


@dataclass(frozen=True)
class _Piece:
    """A sentence on its way into the database."""

    item: TextItem
    place: int
    text: str


def read(stream_id: int, reader: StreamReader) -> int:
    """Read a batch of a stream's unread texts, oldest first; how many. 0 also where another worker is at it."""
    with transaction.atomic():
        free = TextStream.objects.select_for_update(skip_locked=True, no_key=True)
        stream = free.filter(pk=stream_id).first()
        if stream is None:
            return 0
        items = list(stream.items.filter(read_at=None).order_by("at", "pk")[:BATCH])
        if items:
            _feel(items, reader)
            _cut(items, reader)
            gather_topics(stream)
        return len(items)


def _feel(items: Sequence[TextItem], reader: StreamReader) -> None:
    """The sentiment of whole texts."""
    now = timezone.now()
    found = feelings(reader.feels([item.text for item in items]), [item.language for item in items])
    for item, feeling in zip(items, found, strict=True):
        item.sentiment, item.confidence, item.read_at = feeling.sentiment, feeling.confidence, now
    TextItem.objects.bulk_update(items, ["sentiment", "confidence", "read_at"])


def _cut(items: Sequence[TextItem], reader: StreamReader) -> None:
    """Store the texts' sentences with their sentiments and, where they name something, their vectors."""
    pieces = [
        _Piece(item, place, text) for item in items for place, text in enumerate(sentences(item.text)[:MOST_SENTENCES])
    ]
    found = _feelings(pieces, reader)
    telling = [piece for piece in pieces if naming.tells_something(piece.text)]
    texts = [piece.text for piece in telling]
    placed = shipped_space().place(reader.passages(texts), [language_of(text) for text in texts])
    vectors = {(piece.item.pk, piece.place): vector for piece, vector in zip(telling, placed, strict=True)}
    Sentence.objects.bulk_create(
        Sentence(
            item=piece.item,
            place=piece.place,
            text=piece.text,
            sentiment=feeling.sentiment,
            confidence=feeling.confidence,
            vector=vectors.get((piece.item.pk, piece.place)),
        )
        for piece, feeling in zip(pieces, found, strict=True)
    )


def _feelings(pieces: Sequence[_Piece], reader: StreamReader) -> list[Feeling]:
    """A text of one sentence was read already."""
    told: list[Feeling] = []
    found = feelings(reader.feels([piece.text for piece in pieces]), [language_of(piece.text) for piece in pieces])
    for piece, feeling in zip(pieces, found, strict=True):
        whole = piece.text == piece.item.text.strip()
        told.append(Feeling(piece.item.sentiment, piece.item.confidence or 0.0) if whole else feeling)
    return told


# --- topics -----------------------------------------------------------------------------------------------------------


def gather_topics(stream: TextStream) -> None:
    """Give the stream's sentences without a topic one, where there is one; topics are opened, merged and split.

    Called with the stream locked.
    """
    waiting = Sentence.objects.filter(item__stream=stream, topic=None).exclude(vector=None)
    newest = list(waiting.select_related("item").order_by("-item__at", "-pk")[:LOOSE])[::-1]
    if not newest:
        return
    live = {topic.pk: topic for topic in stream.topics.filter(merged_into=None)}
    known = [Cluster(topic.pk, np.asarray(topic.centroid, dtype=np.float32), topic.count) for topic in live.values()]
    gathered = gather(known, np.stack([np.asarray(row.vector, dtype=np.float32) for row in newest]))
    before = {pk: topic.count for pk, topic in live.items()}
    topics = _stored(stream, gathered.clusters, live, _spans(newest, gathered.topics))
    for row, place in zip(newest, gathered.topics, strict=True):
        row.topic = topics[place] if place is not None else None
    Sentence.objects.bulk_update([row for row in newest if row.topic], ["topic"])
    for gone, kept in gathered.merged.items():
        if gone in live:
            _merge(live[gone], topics[kept])
    for topic in topics.values():
        if due_for_halving(before.get(topic.pk, 0), topic.count):
            _halve(topic)
    _name(topics[topic] for topic in topics if topic in set(gathered.topics))


def _spans(rows: Iterable[Sentence], topics: Iterable[int | None]) -> dict[int, tuple[datetime, datetime]]:
    """When each topic was first and last spoken of among the sentences."""
    spans: dict[int, tuple[datetime, datetime]] = {}
    for row, topic in zip(rows, topics, strict=True):
        if topic is not None:
            first, last = spans.get(topic, (row.item.at, row.item.at))
            spans[topic] = min(first, row.item.at), max(last, row.item.at)
    return spans


def _stored(
    stream: TextStream,
    clusters: Mapping[int, Cluster],
    live: Mapping[int, Topic],
    spans: Mapping[int, tuple[datetime, datetime]],
) -> dict[int, Topic]:
    """The topics that are left, by their cluster's id, as rows that say what the clusters say."""
    found: dict[int, Topic] = {}
    for id, cluster in clusters.items():
        topic = live.get(id) or Topic(stream=stream)
        if id in spans:
            first, last = spans[id]
            topic.first_seen, topic.last_seen = (
                min(topic.first_seen or first, first),
                max(topic.last_seen or last, last),
            )
        if topic.count != cluster.count:
            topic.centroid, topic.count = cluster.mean, cluster.count
            topic.save()
        found[id] = topic
    return found


def _merge(gone: Topic, kept: Topic) -> None:
    """The sentences move; the name of the topic that is gone stays known as another name of the one that is kept."""
    gone.sentences.update(topic=kept)
    gone.merged.update(merged_into=kept)
    Topic.objects.filter(pk=gone.pk).update(merged_into=kept)
    kept.first_seen, kept.last_seen = min(kept.first_seen, gone.first_seen), max(kept.last_seen, gone.last_seen)
    kept.save(update_fields=["first_seen", "last_seen"])


def _halve(topic: Topic) -> None:
    """Where a topic has become two, the smaller half is a new one that knows where it came from."""
    rows = list(topic.sentences.select_related("item").order_by("-item__at", "-pk")[:LOOSE])
    vectors = np.stack([np.asarray(row.vector, dtype=np.float32) for row in rows])
    apart = halves(vectors)
    if apart is None:
        return
    leaving = [row for row, leaves in zip(rows, apart, strict=True) if leaves]
    times = [row.item.at for row in leaving]
    other = Topic.objects.create(
        stream=topic.stream,
        centroid=vectors[apart].mean(axis=0),
        count=len(leaving),
        first_seen=min(times),
        last_seen=max(times),
        split_from=topic,
    )
    Sentence.objects.filter(pk__in=[row.pk for row in leaving]).update(topic=other)
    topic.centroid, topic.count = vectors[~apart].mean(axis=0), topic.count - len(leaving)
    topic.save(update_fields=["centroid", "count"])


def _name(topics: Iterable[Topic]) -> None:
    """Name new topics, and old ones in a language in which they are spoken of only now. No name is changed."""
    for topic in topics:
        for language in {"en", "zh"} - set(topic.names):
            own = _in_language(topic.sentences.order_by("-item__at").values_list("text", flat=True)[:200], language)
            if len(own) < naming.FEWEST:
                continue
            others = Sentence.objects.filter(item__stream=topic.stream_id).exclude(topic=topic).order_by("-pk")
            beside = _in_language(others.values_list("text", flat=True)[:BESIDE], language)
            if name := naming.name_of(own, beside, language):
                topic.names[language] = name[:80]
                topic.save(update_fields=["names"])


def _in_language(texts: Iterable[str], language: str) -> list[str]:
    return [text for text in texts if language_of(text) == language]
