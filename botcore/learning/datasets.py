"""Snapshots of a shop's feedback: collected, cleaned, split so that nothing leaks, and never changed again.

A row is an example with its lineage. The same feedback under the same filters is the same snapshot; the same rows under other
filters are another one, for a snapshot says what was let in.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import compress
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from botcore.dialogue.brief import Brief
from botcore.dialogue.compose import MODEL_LANGUAGES
from botcore.dialogue.evidence import terms
from botcore.dialogue.verify import verify
from botcore.learning import house_words, opinions
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


class ChangedError(ValueError):
    """A snapshot's rows are not those it was made of; the message says what to do."""


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

    @property
    def asked(self) -> str:
        """The customer's words."""
        return str(self.content["brief"]["customer"])

    @property
    def told(self) -> str:
        """The reply with what it rests on, in short: like words about other facts are no repetition."""
        reply = self.content.get("chosen") or self.content["reply"]
        return f"{_facts(self.content['brief'])} {reply}"


@dataclass
class Sieve:
    """Keeps what is fit to learn from and counts the rest by reason."""

    left_out: Counter[str] = field(default_factory=Counter)
    _seen: dict[str, NearDuplicates] = field(default_factory=dict)

    def __call__(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            seen = self._seen.setdefault(example.use, NearDuplicates())
            reason = reason_to_drop(example.asked, example.told, example.turn.language, seen)
            if reason:
                self.left_out[reason] += 1
            else:
                yield example


def build(shop: Shop, filters: Filters, by: User | None = None, progress: Progress = UNHEARD) -> Dataset:
    """A snapshot of the shop's feedback, or the one that already holds the same under the same filters.

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
        parts = _parts_of(examples)
        rows = _rows([*_untested(examples, parts, sieve.left_out)], parts)
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


def unchanged(dataset: Dataset) -> list[DatasetRow]:
    """The rows, as they were when somebody looked at them. Raises ``ChangedError``."""
    rows = list(dataset.rows.order_by("place"))
    if content_hash(rows) != dataset.content_hash:
        raise ChangedError(
            f"Snapshot {dataset.pk} is not what was approved: its rows were changed or deleted in the database since. "
            "Bring them back from a backup, or build and approve another snapshot."
        )
    return rows


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
    return (word for word in opinions.merchants_words(_turns(shop, filters)) if word.for_training)


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
        yield Example(row.turn, DatasetRow.Use.SFT, source, {"brief": brief, "reply": wanted})
        if row.verdict == Annotation.Verdict.CORRECTED and before and before != wanted:
            pair = {"brief": brief, "chosen": wanted, "rejected": before}
            yield Example(row.turn, DatasetRow.Use.PREFERENCE, source, pair)


def _counted(shop: Shop, filters: Filters, annotated: Sequence[Annotation], left_out: Counter[str]) -> list[Feedback]:
    """The customers' thumbs that count, on replies that the model wrote."""
    thumbs = Feedback.objects.filter(
        turn__in=_turns(shop, filters).filter(written_by=Turn.WrittenBy.MODEL),
        kind__in=(Feedback.Kind.UP, Feedback.Kind.DOWN),
    )
    counted, others = opinions.that_count(thumbs, annotated)
    left_out.update({f"vote {reason}": count for reason, count in others.items()})
    return counted


def _from_votes(counted: Iterable[Feedback], own: Mapping[str, str]) -> Iterator[Example]:
    """Thumbs on replies of the model's own words."""
    for thumb in counted:
        if reply := original(thumb.turn):
            brief = _brief(thumb.turn, own)
            content = {"brief": brief, "reply": reply, "liked": thumb.kind == Feedback.Kind.UP}
            yield Example(thumb.turn, DatasetRow.Use.VOTE, f"feedback:{thumb.pk}", content)


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
    told = [f"{item['kind']} {' '.join(item['attributes'].values())}" for item in brief["items"]]
    return " ".join([*brief["wishes"], *brief["gave_up"], *told, *brief["notes"].values()])


# --- splitting ------------------------------------------------------------------------------------------------------


def _parts_of(examples: Sequence[Example]) -> dict[int, str]:
    """The part of every conversation: the newest are tested on.

    Conversations with a merchant's word in them are split apart from the others: there are few of them, and every part is
    to have its share.
    """
    annotated = {example.turn.conversation_id for example in examples if example.use != DatasetRow.Use.VOTE}
    begun: dict[int, datetime] = {}
    for example in examples:
        conversation = example.turn.conversation_id
        begun[conversation] = min(begun.get(conversation, example.turn.created_at), example.turn.created_at)
    in_time = sorted(begun, key=lambda conversation: (begun[conversation], conversation))
    return _parts([conversation for conversation in in_time if conversation in annotated]) | _parts(
        [conversation for conversation in in_time if conversation not in annotated]
    )


def _untested(examples: Sequence[Example], parts: Mapping[int, str], left_out: Counter[str]) -> Iterator[Example]:
    """The examples without those to learn from that say nearly the same as one to be tested on, whatever the use of either."""
    tested, said = NearDuplicates(), [f"{example.asked} {example.told}" for example in examples]
    to_test = [parts[example.turn.conversation_id] == DatasetRow.Part.TEST for example in examples]
    for text in compress(said, to_test):
        tested.add(text)
    for example, text, is_tested in zip(examples, said, to_test, strict=True):
        if is_tested or not tested.holds(text):
            yield example
        else:
            left_out["tested on"] += 1


def _rows(examples: Sequence[Example], parts: Mapping[int, str]) -> list[DatasetRow]:
    """The examples as rows of a snapshot, in the order of the replies."""
    ordered = sorted(examples, key=lambda example: (example.turn.pk, example.use, example.source))
    keywords = _keywords([example.asked for example in ordered])
    moods = _moods(example.turn.pk for example in ordered)
    return [
        DatasetRow(
            place=place,
            use=example.use,
            part=parts[example.turn.conversation_id],
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
    if existing := Dataset.objects.filter(shop=shop, content_hash=digest, filters=filters.to_json()).first():
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
