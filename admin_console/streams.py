"""Streams of texts as the console reads them: figures over time, topics with their trend, sentences to look into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import TruncDay, TruncHour

from botcore.models import Alert, Sentence, Sentiment, TextItem, TextStream, Topic

RECENT = timedelta(days=7)
MOST_TOPICS = 50
ORDER = (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE)


@dataclass(frozen=True)
class Filters:
    """What the page of a stream is narrowed to; ``days`` is the period that ends now."""

    days: int = 14
    sentiment: str = ""
    language: str = ""
    topic: Topic | None = None
    words: str = ""

    def since(self, now: datetime) -> datetime:
        return now - timedelta(days=self.days)


@dataclass(frozen=True)
class StreamRow:
    """A stream in the list. Figures are of the last week; ``negative`` is a share, None without texts."""

    stream: TextStream
    texts: int
    negative: float | None
    topics: int
    newest: datetime | None
    unread: int


@dataclass(frozen=True)
class TopicRow:
    """A topic within a period. ``before`` is its count in the period of the same length before."""

    topic: Topic
    count: int
    before: int
    negative: float
    newest: datetime
    aliases: Sequence[str]


@dataclass(frozen=True)
class SurgeRow:
    alert: Alert
    topic: Topic


@dataclass(frozen=True)
class Step:
    """One hour or day of the chart: how many texts of each sentiment."""

    at: datetime
    negative: int
    neutral: int
    positive: int

    @property
    def total(self) -> int:
        return self.negative + self.neutral + self.positive


def stream_rows(visible: QuerySet[TextStream], now: datetime) -> list[StreamRow]:
    """The streams in which something was said or which somebody made."""
    recent = Q(items__at__gt=now - RECENT)
    found = visible.select_related("shop").annotate(
        texts=Count("items", filter=recent & ~Q(items__read_at=None)),
        complaints=Count("items", filter=recent & Q(items__sentiment=Sentiment.NEGATIVE)),
        unread=Count("items", filter=Q(items__read_at=None)),
        newest=Max("items__at"),
    )
    topics = dict(
        Topic.objects.filter(stream__in=visible.order_by(), merged_into=None, last_seen__gt=now - RECENT)
        .order_by()
        .values_list("stream")
        .annotate(Count("pk"))
    )
    return [
        StreamRow(row, row.texts, _share(row.complaints, row.texts), topics.get(row.pk, 0), row.newest, row.unread)
        for row in found.order_by("shop__name", "pk")
        if row.newest or row.kind == TextStream.Kind.FEED
    ]


def surge_rows(alerts: Sequence[Alert]) -> list[SurgeRow]:
    """Open surges with their topics; one whose topic was erased is left out."""
    topics = Topic.objects.select_related("stream").defer("centroid").in_bulk([row.measured["topic"] for row in alerts])
    return [SurgeRow(row, topics[pk]) for row in alerts if (pk := row.measured["topic"]) in topics]


def sentences(stream: TextStream, filters: Filters, now: datetime) -> QuerySet[Sentence]:
    """The sentences that match, the newest first."""
    found = Sentence.objects.filter(item__stream=stream, item__at__gt=filters.since(now), item__at__lte=now)
    if filters.sentiment:
        found = found.filter(sentiment=filters.sentiment)
    if filters.language:
        found = found.filter(item__language=filters.language)
    if filters.topic:
        found = found.filter(topic=filters.topic)
    if filters.words:
        found = found.filter(text__icontains=filters.words)
    linked = found.select_related("item__turn__conversation", "item__review__product", "topic")
    return linked.order_by("-item__at", "-item_id", "place")


def steps(stream: TextStream, filters: Filters, now: datetime) -> list[Step]:
    """Texts by hour (of one day) or day, with the empty ones; of a topic or words: the sentences that match."""
    hourly = filters.days <= 1
    step = timedelta(hours=1) if hourly else timedelta(days=1)
    truncated = (TruncHour if hourly else TruncDay)("item__at" if _of_sentences(filters) else "at", tzinfo=UTC)
    rows: QuerySet[Any] = sentences(stream, filters, now) if _of_sentences(filters) else _texts(stream, filters, now)
    counted: dict[datetime, dict[str, int]] = {}
    for at, sentiment, count in rows.order_by().values_list(truncated, "sentiment").annotate(Count("pk")):
        counted.setdefault(at, {})[sentiment] = count
    first = filters.since(now).replace(minute=0, second=0, microsecond=0)
    at = first if hourly else first.replace(hour=0)
    found = []
    while at <= now:
        found.append(Step(at, *(counted.get(at, {}).get(sentiment, 0) for sentiment in ORDER)))
        at += step
    return found


def topic_rows(stream: TextStream, filters: Filters, now: datetime) -> list[TopicRow]:
    """The topics that were spoken of in the period, those most spoken of first."""
    since, days = filters.since(now), timedelta(days=filters.days)
    inside = Q(sentences__item__at__gt=since, sentences__item__at__lte=now)
    before = Q(sentences__item__at__gt=since - days, sentences__item__at__lte=since)
    if filters.language:
        inside &= Q(sentences__item__language=filters.language)
        before &= Q(sentences__item__language=filters.language)
    found = (
        stream.topics.filter(merged_into=None, last_seen__gt=since)
        .annotate(
            inside=Count("sentences", filter=inside),
            before=Count("sentences", filter=before),
            complaints=Count("sentences", filter=inside & Q(sentences__sentiment=Sentiment.NEGATIVE)),
        )
        .filter(inside__gt=0)
        .order_by("-inside", "pk")
        .defer("centroid")
        .prefetch_related("merged")[:MOST_TOPICS]
    )
    return [
        TopicRow(row, row.inside, row.before, row.complaints / row.inside, row.last_seen, _aliases(row))
        for row in found
    ]


def chart(found: Iterable[Step]) -> dict[str, list[int]]:
    """Columns for uPlot: instants in seconds, then counts of each sentiment."""
    rows = list(found)
    counts = {str(sentiment): [getattr(row, sentiment) for row in rows] for sentiment in ORDER}
    return {"at": [int(row.at.timestamp()) for row in rows], **counts}


def rename(topic: Topic, language: str, name: str) -> None:
    """A person's name for a topic; what it was called before stays known."""
    if before := topic.names.get(language):
        topic.former_names = [*topic.former_names, before]
    topic.names = {**topic.names, language: name}
    topic.save(update_fields=["names", "former_names"])


def _aliases(topic: Topic) -> list[str]:
    names = [name for gone in topic.merged.all() for name in gone.names.values()]
    return list(dict.fromkeys([*topic.former_names, *names]))


def _of_sentences(filters: Filters) -> bool:
    return bool(filters.topic or filters.words)


def _texts(stream: TextStream, filters: Filters, now: datetime) -> QuerySet[TextItem]:
    found = stream.items.filter(at__gt=filters.since(now), at__lte=now).exclude(read_at=None)
    if filters.sentiment:
        found = found.filter(sentiment=filters.sentiment)
    return found.filter(language=filters.language) if filters.language else found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
