"""Texts come in: a feed's records are checked and stored, a shop's own messages and reviews fetched. Nothing is read here.

What would name a person is scrubbed before a text is stored, and authors become keyed digests.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from botcore.dialogue.words import language_of
from botcore.learning.scrub import scrub
from botcore.models import TextItem, TextStream, Turn
from botcore.models.streams import make_stream_token
from catalog.models import Interaction, Shop

MOST_AT_ONCE = 500
"""Texts of one request."""
LONGEST = 5_000
"""Characters of a text."""
LONGEST_ID = 190
AHEAD = timedelta(days=1)
"""Clocks differ; what lies farther in the future is a mistake."""
TURNS_SINCE = timedelta(days=30)
"""Messages that are older when a stream of them begins are left out."""
LOOKED_AGAIN = 5_000
"""Reviews are fetched by their ids in turn; so many before the last one are looked at again, for what was committed late."""
KNOWN_FIELDS = {"id", "at", "author", "text", "language"}


OWN_NAMES: dict[str, dict[str, str]] = {
    "en": {TextStream.Kind.MESSAGES: "Messages", TextStream.Kind.REVIEWS: "Reviews"},
    "zh": {TextStream.Kind.MESSAGES: "客户消息", TextStream.Kind.REVIEWS: "商品评价"},
}
"""What the streams that fill themselves are called, in the shop's language."""


@dataclass(frozen=True)
class Record:
    """One text of a feed as it came. ``author`` is whatever tells people apart, or ""."""

    id: str
    at: datetime
    text: str
    author: str = ""
    language: str = ""


@dataclass(frozen=True)
class Stored:
    """How many texts were new, and how many were there already."""

    new: int
    known: int


# --- streams and their tokens -----------------------------------------------------------------------------------------


def open_feed(shop: Shop, name: str) -> tuple[TextStream, str]:
    """A new stream and the token that may feed it, which is kept nowhere. Raises ``IntegrityError`` for a name in use."""
    token = make_stream_token()
    return TextStream.objects.create(shop=shop, name=name, token_digest=_digest(token)), token


def renew_token(stream: TextStream) -> str:
    """Another token; the one before opens nothing any more."""
    token = make_stream_token()
    stream.token_digest = _digest(token)
    stream.save(update_fields=["token_digest"])
    return token


def may_feed(stream: TextStream, token: str) -> bool:
    """Whether this is the stream's token. Takes equally long whatever is wrong with it."""
    return hmac.compare_digest(stream.token_digest or "none", _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# --- a feed's records -------------------------------------------------------------------------------------------------


def record_of(said: Mapping[str, Any], now: datetime) -> Record:
    """One record of a file or a request. Raises ``ValueError`` that says what to write instead."""
    for name, value in said.items():
        if name in KNOWN_FIELDS and not isinstance(value, str | None):
            raise ValueError(f'"{name}" is no text: write it in quotes')
    told = {name: str(said.get(name) or "").replace("\0", "").strip() for name in KNOWN_FIELDS}
    if not told["id"]:
        raise ValueError('no "id": give every text its own, so that it is stored once however often it is sent')
    if len(told["id"]) > LONGEST_ID:
        raise ValueError(f'"id" is longer than {LONGEST_ID} characters')
    if not told["text"]:
        raise ValueError('no "text"')
    if len(told["text"]) > LONGEST:
        raise ValueError(f'"text" is longer than {LONGEST:,} characters: send its beginning, or its parts')
    if told["language"] not in ("", "en", "zh"):
        raise ValueError('"language" is neither "en" nor "zh": leave it out to have it recognised')
    return Record(told["id"], _instant(told["at"], now), told["text"], told["author"], told["language"])


def _instant(text: str, now: datetime) -> datetime:
    if not text:
        return now
    try:
        at = parse_datetime(text)
        if at is None and (day := parse_date(text)):
            at = datetime(day.year, day.month, day.day)
    except ValueError:
        at = None
    if at is None:
        raise ValueError(f'"at" is no time ("{text[:40]}"): write it as 2026-03-02T09:30:00Z, or leave it out for now')
    aware = timezone.make_aware(at) if timezone.is_naive(at) else at
    if aware > now + AHEAD:
        raise ValueError(f'"at" lies in the future ("{text[:40]}")')
    return aware


def store(stream: TextStream, records: Iterable[Record]) -> Stored:
    """Keep what is not there yet. The first text under an id stays; a later one changes nothing."""
    by_id: dict[str, Record] = {}
    for record in records:
        by_id.setdefault(record.id, record)
    known = set(stream.items.filter(external_id__in=by_id).values_list("external_id", flat=True))
    new = [_item(stream, record) for record in by_id.values() if record.id not in known]
    TextItem.objects.bulk_create(new, batch_size=1_000, ignore_conflicts=True)
    return Stored(len(new), len(known))


def _item(stream: TextStream, record: Record, **links: Any) -> TextItem:
    return TextItem(
        stream=stream,
        external_id=record.id,
        at=record.at,
        author=author_digest(stream, record.author),
        text=scrub(record.text).text,
        language=record.language or language_of(record.text),
        **links,
    )


def author_digest(stream: TextStream, author: str) -> str:
    """Tells a stream's authors apart; without ``SECRET_KEY`` nobody is found by it."""
    if not author:
        return ""
    return hmac.new(settings.SECRET_KEY.encode(), f"{stream.pk} {author}".encode(), hashlib.sha256).hexdigest()[:16]


# --- a shop's own texts -----------------------------------------------------------------------------------------------


def fetch_own(shop: Shop, now: datetime) -> None:
    """Bring the shop's own two streams up to date with what customers wrote; a stream begins with its first text."""
    _fetch_messages(shop, now)
    _fetch_reviews(shop)


def _fetch_messages(shop: Shop, now: datetime) -> None:
    turns = Turn.objects.filter(
        conversation__shop=shop, created_at__gt=now - TURNS_SINCE, text_item=None, status__in=SETTLED
    ).exclude(text="")
    found = turns.order_by("pk").select_related("conversation").only("text", "created_at", "conversation__contact_id")
    rows = list(found[:MOST_AT_ONCE])
    if not rows:
        return
    stream = _own(shop, TextStream.Kind.MESSAGES)
    records = [
        (Record(f"turn:{turn.pk}", turn.created_at, turn.text, f"contact {turn.conversation.contact_id}"), turn)
        for turn in rows
    ]
    _keep(_item(stream, record, turn=turn) for record, turn in records)


SETTLED = (Turn.Status.ANSWERED, Turn.Status.SILENT)
"""Of a waiting turn the text is not known yet."""


def _fetch_reviews(shop: Shop) -> None:
    stream = _own(shop, TextStream.Kind.REVIEWS)
    newest = Interaction.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if newest == stream.collected:
        return
    reviews = Interaction.objects.filter(
        shop=shop, kind=Interaction.Kind.REVIEW, pk__gt=stream.collected - LOOKED_AGAIN, text_item=None
    ).exclude(text="")
    rows = list(reviews.order_by("pk")[:MOST_AT_ONCE])
    _keep(
        _item(
            stream,
            Record(f"review:{row.pk}", row.at, row.text, f"customer {row.customer_id}", row.language),
            review=row,
        )
        for row in rows
    )
    looked_up_to = rows[-1].pk if len(rows) == MOST_AT_ONCE else newest
    TextStream.objects.filter(pk=stream.pk).update(collected=max(looked_up_to, stream.collected))


def _keep(items: Iterable[TextItem]) -> None:
    TextItem.objects.bulk_create(list(items), ignore_conflicts=True)


def _own(shop: Shop, kind: str) -> TextStream:
    name = OWN_NAMES["zh" if shop.language == "zh" else "en"][kind]
    return TextStream.objects.get_or_create(shop=shop, kind=kind, defaults={"name": _free_name(shop, name)})[0]


def _free_name(shop: Shop, name: str) -> str:
    """The name, or with a number where a feed has it."""
    taken = set(TextStream.objects.filter(shop=shop, name__startswith=name).values_list("name", flat=True))
    return next(
        free
        for number in range(1, len(taken) + 2)
        if (free := name if number == 1 else f"{name} {number}") not in taken
    )
