"""Alerts of surges: opened with the texts and a summary in their own words, closed when complaints are as usual again.

An alert holds ids of texts and sentences and none of their words: what is erased is gone from it as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import structlog
from django.db import transaction
from django.db.models import Min

from botcore import handoff
from botcore.models import Alert, Annotation, Conversation, Sentence, Sentiment, TextItem, TextStream, Topic, Turn
from botcore.monitoring import alerts
from botcore.monitoring.surges import FEWEST_PEOPLE, PAST, WINDOWS, Remark, Surge, surge
from catalog.models import Shop

log = structlog.get_logger(__name__)

SURGE = "surge: "
PROPOSAL = "Hand the conversations to people, draft an article that answers them, or judge the replies concerned."
MOST_TEXTS = 50
"""Texts that an alert holds, the newest."""
QUOTES = 3
"""Sentences of the summary."""
SAME = 0.6
"""Cosine from which a second sentence would say nothing new."""
QUIET = timedelta(minutes=30)
"""After so long without a surge its alert closes: counts that go up and down about the bound open one alert, not ten."""


@dataclass(frozen=True)
class Gathered:
    """What an alert is about, as it is now: its topic, the texts that complain, the sentences quoted, the conversations."""

    stream: TextStream
    topic: Topic
    items: list[TextItem]
    quotes: list[Sentence]
    conversations: list[Conversation]


def watch_surges(stream: TextStream, now: datetime) -> list[Alert]:
    """Open or refresh an alert for every topic of a stream that more people than usual complain of; the open ones."""
    begun = stream.items.aggregate(first=Min("at"))["first"]
    candidates = _candidates(stream, now)
    topics = stream.topics.filter(merged_into=None).count()
    found = {
        topic: each
        for topic in candidates
        if begun and (each := surge(_remarks(topic, now), begun, topics, now)) is not None
    }
    with transaction.atomic():
        Shop.objects.select_for_update(no_key=True).get(pk=stream.shop_id)
        opened = [_opened(topic, each, now) for topic, each in found.items()]
        own = Alert.objects.filter(shop=stream.shop_id, closed_at=None, measured__stream=stream.pk)
        own.filter(subject__startswith=SURGE, seen_at__lt=now - QUIET).update(closed_at=now)
        return opened


def surges_of(shops: Sequence[Shop]) -> list[Alert]:
    """The open alerts of surges, newest first."""
    found = Alert.objects.filter(shop__in=shops, closed_at=None, subject__startswith=SURGE)
    return list(found.select_related("shop"))


def gathered(alert: Alert) -> Gathered:
    """The rows that an alert points to and that are still there. Raises ``Topic.DoesNotExist`` where its topic is gone."""
    told = alert.measured
    topic = Topic.objects.select_related("stream__shop").get(pk=told["topic"], stream__shop=alert.shop_id)
    items = TextItem.objects.filter(pk__in=told["items"], stream=topic.stream).select_related(
        "turn__conversation__contact__account", "turn__conversation__shop", "review__product"
    )
    quoted = Sentence.objects.filter(pk__in=told["quotes"], item__stream=topic.stream).select_related("item__turn")
    by_id = {sentence.pk: sentence for sentence in quoted}
    rows = list(items.order_by("-at", "-pk"))
    conversations = {row.turn.conversation_id: row.turn.conversation for row in rows if row.turn}
    return Gathered(
        topic.stream,
        topic,
        rows,
        [by_id[id] for id in told["quotes"] if id in by_id],
        list(conversations.values()),
    )


def question_of(found: Gathered) -> Sentence | None:
    """What an article would answer: the summary's first question, else its first sentence."""
    asked = (quote for quote in found.quotes if quote.text.rstrip().endswith(("?", "？")))
    return next(asked, found.quotes[0] if found.quotes else None)


def hand_over(found: Gathered) -> int:
    """Open the alert's conversations for people: the bot is silent in them until they are handed back. How many were new."""
    ids = [conversation.pk for conversation in found.conversations]
    waiting = list(Conversation.objects.filter(pk__in=ids, closed=False, waiting_for_person=False))
    for conversation in waiting:
        handoff.take_over(conversation)
    return len(waiting)


def unjudged(found: Gathered) -> list[Turn]:
    """The bot's replies to the alert's texts that nobody has approved, corrected or rejected, newest first."""
    turns = {item.turn_id for item in found.items if item.turn_id}
    judged = Annotation.objects.filter(turn__in=turns).values("turn")
    left = Turn.objects.filter(pk__in=turns, status=Turn.Status.ANSWERED).exclude(pk__in=judged)
    return list(left.select_related("conversation").order_by("-created_at", "-pk"))


# --- measuring --------------------------------------------------------------------------------------------------------


def _candidates(stream: TextStream, now: datetime) -> list[Topic]:
    """The topics with enough complaints to be tested at all."""
    recent = Sentence.objects.filter(
        item__stream=stream,
        item__at__gt=now - max(WINDOWS),
        item__at__lte=now,
        sentiment=Sentiment.NEGATIVE,
        topic__merged_into=None,
    )
    complaints: dict[int, set[int]] = {}
    for topic, item in recent.exclude(topic=None).values_list("topic_id", "item_id"):
        complaints.setdefault(topic, set()).add(item)
    enough = [topic for topic, items in complaints.items() if len(items) >= FEWEST_PEOPLE]
    return list(Topic.objects.filter(pk__in=enough).select_related("stream__shop"))


def _remarks(topic: Topic, now: datetime) -> list[Remark]:
    """Who spoke of a topic, text by text; a text complains of it if one of its sentences there does."""
    rows = topic.sentences.filter(item__at__gt=now - PAST - max(WINDOWS), item__at__lte=now)
    texts: dict[int, Remark] = {}
    for item, at, author, sentiment in rows.order_by("item__at").values_list(
        "item_id", "item__at", "item__author", "sentiment"
    ):
        negative = sentiment == Sentiment.NEGATIVE or (item in texts and texts[item].negative)
        texts[item] = Remark(at, author, negative)
    return list(texts.values())


def _opened(topic: Topic, found: Surge, now: datetime) -> Alert:
    complaints = topic.sentences.filter(
        item__at__gt=found.since, item__at__lte=now, sentiment=Sentiment.NEGATIVE
    ).select_related("item")
    newest = list(complaints.order_by("-item__at", "-pk")[: 4 * MOST_TEXTS])
    hours = round(found.window / timedelta(hours=1))
    name = topic.name_in(topic.stream.shop.language)
    measured = {
        "stream": topic.stream_id,
        "topic": topic.pk,
        "hours": hours,
        "since": found.since.isoformat(),
        "people": found.people,
        "usual": round(found.usual, 2),
        "share": round(found.share, 3),
        "chance": found.chance,
        "items": list(dict.fromkeys(sentence.item_id for sentence in newest))[:MOST_TEXTS],
        "quotes": [sentence.pk for sentence in central(newest)],
    }
    sentence = (
        f"{found.people} people complain of “{name}” in {topic.stream.name} within {hours} h; usual are "
        f"{found.usual:.1f}."
    )
    alert, new = alerts.opened(
        topic.stream.shop, f"{SURGE}{topic.pk}", sentence=sentence, measured=measured, proposal=PROPOSAL
    )
    if new:
        log.warning("surge", shop=topic.stream.shop.slug, topic=topic.pk, people=found.people, hours=hours)
    return alert


def central(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences that are nearest to all the others, one of each kind: a summary in their own words (Radev et al. 2004)."""
    if not sentences:
        return []
    vectors = np.stack([np.asarray(sentence.vector, dtype=np.float32) for sentence in sentences])
    nearness = vectors @ vectors.T
    chosen: list[int] = []
    for place in np.argsort(-nearness.mean(axis=1), kind="stable").tolist():
        if len(chosen) < QUOTES and all(nearness[place, other] < SAME for other in chosen):
            chosen.append(place)
    return [sentences[place] for place in chosen]
