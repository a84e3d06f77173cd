"""Snapshots of a shop's feedback: collected, cleaned, split so that nothing leaks, and never changed again.

A row is an example with its lineage. The same feedback under the same filters gives the same content hash and therefore
the same snapshot.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from botcore.dialogue.brief import Brief
from botcore.dialogue.compose import MODEL_LANGUAGES
from botcore.dialogue.evidence import terms
from botcore.dialogue.verify import verify
from botcore.learning import house_words, votes
from botcore.learning.cleaning import NearDuplicates, reason_to_drop
from botcore.learning.corrections import original
from botcore.learning.progress import UNHEARD, Progress, followed
from botcore.learning.scrub import scrub
from botcore.models import Annotation, Dataset, DatasetRow, Feedback, Sentiment, TextItem, Turn
from catalog.models import Shop

SHARES = ((DatasetRow.Part.TRAIN, 0.7), (DatasetRow.Part.VALIDATION, 0.15), (DatasetRow.Part.TEST, 0.15))
"""Of the conversations in order of time, oldest first: what is tested on is later than what was learned from."""
KEYWORDS = 6
BAD_MOODS, GOOD_MOODS = ("upset", "not_meant", "reject"), ("thanks", "compliment")
"""Intents of messages that say how the customer feels, where no worker has read yet what they felt."""


class NothingToLearnError(ValueError):
    """The shop has no feedback that passes; the message says what was left out and why."""


@dataclass(frozen=True)
class Filters:
    """What is let into a snapshot. None means no bound."""

    since: datetime | None = None
    until: datetime | None = None
    acts: tuple[str, ...] = ()
    """Replies of these acts alone; empty: of all."""
    votes: bool = True

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "acts": list(self.acts),
            "languages": list(MODEL_LANGUAGES),
        }


@dataclass(frozen=True)
class Example:
    """A row on its way into a snapshot."""

    turn: Turn
    use: str
    source: str
    content: Mapping[str, Any]
    text: str
    """What must not come twice: the customer's words and the reply."""


@dataclass
class Sieve:
    """Keeps what is fit to learn from and counts the rest by reason."""

    left_out: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, NearDuplicates] = field(default_factory=dict)

    def __call__(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            seen = self._seen.setdefault(example.use, NearDuplicates())
            brief = example.content["brief"]
            reply = str(example.content.get("chosen") or example.content["reply"])
            reason = reason_to_drop(brief["customer"], f"{_facts(brief)} {reply}", example.turn.language, seen)
            if reason:
                self.left_out[reason] += 1
            else:
                yield example


def build(shop: Shop, filters: Filters, by: User | None = None, progress: Progress = UNHEARD) -> Dataset:
    """A snapshot of the shop's feedback, or the one that already holds the same.

    Words that merchants have made the shop's own since the last snapshot become house words first. Raises
    ``NothingToLearnError``.
    """
    with transaction.atomic():
        progress.stage("gathering")
        annotated = list(_annotated(shop, filters))
        house_words.admit(shop, house_words.learned(_corrections(annotated)))
        own = house_words.of(shop)
        sieve = Sieve()
        progress.stage("merchants' words")
        examples = [*sieve(_from_annotations(followed(annotated, progress), own, sieve.left_out))]
        if filters.votes:
            progress.stage("customers' thumbs")
            counted = _counted(shop, filters, annotated, sieve.left_out)
            examples += sieve(_from_votes(followed(counted, progress), own))
        progress.stage("splitting")
        rows = _split(examples)
        if not any(row.part == DatasetRow.Part.TRAIN for row in rows):
            raise NothingToLearnError(_empty(sieve.left_out))
        progress.stage("storing")
        return _store(shop, filters, by, rows, sieve.left_out)


def approve(dataset: Dataset, by: User | None) -> Dataset:
    """Somebody has looked at it: it may be trained on."""
    if dataset.approved_at is None:
        dataset.approved_at, dataset.approved_by = timezone.now(), by
        dataset.save(update_fields=["approved_at", "approved_by"])
    return dataset


def content_hash(rows: Iterable[DatasetRow]) -> str:
    """SHA-256 of what the rows say and where they come from."""
    total = hashlib.sha256()
    for row in rows:
        told = [row.place, row.use, row.part, row.content, row.turn_id, row.source]
        total.update(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    return total.hexdigest()


# --- collecting -----------------------------------------------------------------------------------------------------


def _turns(shop: Shop, filters: Filters) -> QuerySet[Turn]:
    turns = Turn.objects.filter(
        conversation__shop=shop, status=Turn.Status.ANSWERED, language__in=MODEL_LANGUAGES
    ).exclude(brief={})
    if filters.since:
        turns = turns.filter(created_at__gte=filters.since)
    if filters.until:
        turns = turns.filter(created_at__lt=filters.until)
    return turns.filter(act__in=filters.acts) if filters.acts else turns


def _annotated(shop: Shop, filters: Filters) -> Iterator[Annotation]:
    """The newest word of a merchant on each reply, in order of the replies; none where that is not for training."""
    rows = Annotation.objects.filter(turn__in=_turns(shop, filters))
    newest = rows.order_by("turn_id", "-updated_at", "-pk").distinct("turn_id")
    for row in newest.select_related("turn__conversation__contact"):
        if row.for_training:
            yield row


def _corrections(annotated: Iterable[Annotation]) -> Iterator[house_words.Correction]:
    for row in annotated:
        if row.verdict == Annotation.Verdict.CORRECTED and (before := original(row.turn)):
            brief = Brief.from_json(row.turn.brief)
            yield house_words.Correction(before, row.wording, brief, row.turn.conversation_id)


def _from_annotations(
    annotated: Iterable[Annotation], own: Mapping[str, str], left_out: Counter[str]
) -> Iterator[Example]:
    """What was approved or corrected is to be written; a correction is also better than what it corrects."""
    for row in annotated:
        before = original(row.turn)
        wanted = row.wording if row.verdict == Annotation.Verdict.CORRECTED else before
        if row.verdict == Annotation.Verdict.REJECTED or not wanted:
            left_out["rejected" if row.verdict == Annotation.Verdict.REJECTED else "not the model's words"] += 1
            continue
        brief = _brief(row.turn, own)
        if not verify(wanted, Brief.from_json(brief)).accepted:
            left_out["says what may not be sent"] += 1
            continue
        source = f"annotation:{row.pk}"
        text = f"{brief['customer']} {wanted}"
        yield Example(row.turn, DatasetRow.Use.SFT, source, {"brief": brief, "reply": wanted}, text)
        if row.verdict == Annotation.Verdict.CORRECTED and before and before != wanted:
            pair = {"brief": brief, "chosen": wanted, "rejected": before}
            yield Example(row.turn, DatasetRow.Use.PREFERENCE, source, pair, text)


def _counted(
    shop: Shop, filters: Filters, annotated: Sequence[Annotation], left_out: Counter[str]
) -> list[tuple[votes.Vote, Turn]]:
    """The customers' thumbs that count, each with the reply that it is about."""
    rows = Feedback.objects.filter(
        turn__in=_turns(shop, filters).filter(written_by=Turn.WrittenBy.MODEL),
        kind__in=(Feedback.Kind.UP, Feedback.Kind.DOWN),
    ).select_related("turn__conversation__contact")
    by_id = {row.pk: row for row in rows.order_by("pk")}
    confirmed = {row.turn_id: row.verdict == Annotation.Verdict.APPROVED for row in annotated}
    result = votes.counted(map(_vote, by_id.values()), confirmed)
    left_out.update({f"vote {reason}": count for reason, count in result.left_out.items()})
    return [(vote, by_id[vote.id].turn) for vote in result.votes]


def _from_votes(counted: Iterable[tuple[votes.Vote, Turn]], own: Mapping[str, str]) -> Iterator[Example]:
    """Thumbs on replies of the model's own words."""
    for vote, turn in counted:
        if reply := original(turn):
            brief = _brief(turn, own)
            content = {"brief": brief, "reply": reply, "liked": vote.liked}
            yield Example(turn, DatasetRow.Use.VOTE, f"feedback:{vote.id}", content, f"{brief['customer']} {reply}")


def _vote(row: Feedback) -> votes.Vote:
    shown = row.turn.slate[0]["sku"] if row.turn.slate else f"turn {row.turn_id}"
    liked = row.kind == Feedback.Kind.UP
    return votes.Vote(row.pk, row.turn_id, row.contact_id, shown, row.created_at.date(), liked)


def _brief(turn: Turn, own: Mapping[str, str]) -> dict[str, Any]:
    """The brief as training sees it: scrubbed words of the customer, no values behind tags, the shop's words of today."""
    brief = Brief.from_json(turn.brief).to_json()
    items = [{**item, "slots": dict.fromkeys(item["slots"], "")} for item in brief["items"]]
    return {
        **brief,
        "customer": scrub(brief["customer"]).text,
        "items": items,
        "slots": dict.fromkeys(brief["slots"], ""),
        "house_words": dict(own),
    }


def _facts(brief: Mapping[str, Any]) -> str:
    """What a reply rests on, in short: like words about other facts are no repetition."""
    told = [f"{item['kind']} {' '.join(item['attributes'].values())}" for item in brief["items"]]
    return " ".join([*brief["wishes"], *brief["gave_up"], *told, *brief["notes"].values()])


# --- splitting ------------------------------------------------------------------------------------------------------


def _split(examples: Sequence[Example]) -> list[DatasetRow]:
    """Rows with their parts: whole conversations, the newest to be tested on.

    Conversations with a merchant's word in them are split apart from the others: there are few of them, and every part is
    to have its share.
    """
    annotated = {example.turn.conversation_id for example in examples if example.use != DatasetRow.Use.VOTE}
    begun: dict[int, datetime] = {}
    for example in examples:
        conversation = example.turn.conversation_id
        begun[conversation] = min(begun.get(conversation, example.turn.created_at), example.turn.created_at)
    in_time = sorted(begun, key=lambda conversation: (begun[conversation], conversation))
    part_of = _parts([conversation for conversation in in_time if conversation in annotated]) | _parts(
        [conversation for conversation in in_time if conversation not in annotated]
    )
    ordered = sorted(examples, key=lambda example: (example.turn.pk, example.use, example.source))
    keywords = _keywords([str(example.content["brief"]["customer"]) for example in ordered])
    moods = _moods(example.turn.pk for example in ordered)
    return [
        DatasetRow(
            place=place,
            use=example.use,
            part=part_of[example.turn.conversation_id],
            content=dict(example.content),
            features=_features(example, keywords[place], moods.get(example.turn.pk)),
            turn_id=example.turn.pk,
            contact_id=example.turn.conversation.contact_id,
            source=example.source,
        )
        for place, example in enumerate(ordered)
    ]


def _parts(conversations: Sequence[int]) -> dict[int, str]:
    parts: dict[int, str] = {}
    begin, share = 0, 0.0
    for part, own in SHARES:
        share += own
        end = len(conversations) if part is SHARES[-1][0] else round(share * len(conversations))
        parts |= dict.fromkeys(conversations[begin:end], str(part))
        begin = end
    return parts


def _moods(turns: Iterable[int]) -> dict[int, str]:
    """The sentiment of messages, by turn, as far as they were read."""
    return dict(TextItem.objects.filter(turn__in=set(turns)).exclude(sentiment="").values_list("turn_id", "sentiment"))


def _features(example: Example, keywords: Sequence[str], mood: str | None) -> dict[str, Any]:
    """Keywords, topic and sentiment of the customer's message."""
    turn = example.turn
    intent = str(turn.understanding.get("intent", ""))
    if mood is None:
        positive = Sentiment.POSITIVE if intent in GOOD_MOODS else Sentiment.NEUTRAL
        mood = str(Sentiment.NEGATIVE if intent in BAD_MOODS else positive)
    topic = str(turn.state_after.get("goal") or "") or intent
    return {"keywords": list(keywords), "topic": topic, "intent": intent, "sentiment": mood}


def _keywords(messages: Sequence[str]) -> list[list[str]]:
    """Of each message the words that fewest of the others have (inverse document frequency, Spärck Jones 1972)."""
    words = [terms(message) for message in messages]
    holding = Counter(word for each in words for word in each)
    return [sorted(each, key=lambda word: (holding[word], word))[:KEYWORDS] for each in words]


# --- storing --------------------------------------------------------------------------------------------------------


def _store(
    shop: Shop, filters: Filters, by: User | None, rows: list[DatasetRow], left_out: Mapping[str, int]
) -> Dataset:
    digest = content_hash(rows)
    if existing := Dataset.objects.filter(shop=shop, content_hash=digest).first():
        return existing
    dataset = Dataset.objects.create(
        shop=shop,
        content_hash=digest,
        filters=filters.to_json(),
        counts=_counts(rows, left_out),
        created_by=by,
    )
    for row in rows:
        row.dataset = dataset
    DatasetRow.objects.bulk_create(rows, batch_size=1_000)
    return dataset


def _counts(rows: Sequence[DatasetRow], left_out: Mapping[str, int]) -> dict[str, Any]:
    by_use = {str(use): Counter(row.part for row in rows if row.use == use) for use in DatasetRow.Use}
    return {
        "rows": {use: dict(parts) for use, parts in by_use.items()},
        "replies": len({row.turn_id for row in rows}),
        "acts": dict(Counter(row.content["brief"]["act"] for row in rows)),
        "topics": dict(Counter(row.features["topic"] for row in rows).most_common(20)),
        "sentiments": dict(Counter(row.features["sentiment"] for row in rows)),
        "left_out": {reason: count for reason, count in left_out.items() if count},
    }


def _empty(left_out: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count)
    return (
        "There is nothing to learn from yet: approve or correct replies in the console, or wait for customers' thumbs"
        + (f" (left out: {told})" if told else "")
        + "."
    )
