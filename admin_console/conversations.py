"""Conversations as the console reads them: the filtered list, its numbers, one dialogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.core.files.storage import default_storage
from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Coalesce, NullIf

from botcore.dialogue.facts import format_price
from botcore.models import Conversation, Feedback, InboundEvent, Outbound, Turn
from catalog.models import Shop

MOST_COUNTED = 2_000
"""Replies that the list's figures are of: as many tell shares and medians, and all of a large shop take a second."""


class Median(Aggregate):
    """PostgreSQL's interpolated median."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to. All that is said of turns must hold of one and the same turn."""

    shop: Shop | None = None
    channel: str = ""
    waiting: bool = False
    since: datetime | None = None
    act: str = ""
    written_by: str = ""
    feedback: str = ""
    words: str = ""

    def of_conversations(self) -> Q:
        wanted = Q()
        if self.shop:
            wanted &= Q(shop=self.shop)
        if self.channel:
            wanted &= Q(contact__account__channel=self.channel)
        if self.waiting:
            wanted &= Q(waiting_for_person=True)
        if self.since:
            wanted &= Q(last_message_at__gte=self.since)
        return wanted

    def of_turns(self) -> Q:
        wanted = Q()
        if self.since:
            wanted &= Q(created_at__gte=self.since)
        if self.act:
            wanted &= Q(act=self.act)
        if self.written_by:
            wanted &= Q(written_by=self.written_by)
        if self.feedback:
            wanted &= Q(Exists(Feedback.objects.filter(turn=OuterRef("pk"), kind=self.feedback)))
        if self.words:
            wanted &= Q(text__icontains=self.words) | Q(reply__icontains=self.words)
        return wanted


@dataclass(frozen=True)
class Selection:
    """The conversations that match, newest first, and their turns that do."""

    conversations: QuerySet[Conversation]
    turns: QuerySet[Turn]


@dataclass(frozen=True)
class Numbers:
    """The matching replies in figures, the newest ``MOST_COUNTED`` where there are ``more``. ``by_model`` is a share in
    percent, None without replies."""

    replies: int
    more: bool
    by_model: int | None
    answer_time: timedelta | None
    opinions: Mapping[str, int]


@dataclass(frozen=True)
class Row:
    """One conversation of the list with its newest matching turn. ``words`` are the customer's."""

    conversation: Conversation
    turn: Turn | None
    opinions: Mapping[str, int]


@dataclass(frozen=True)
class ShownCard:
    """A product as the customer saw it; whatever the slate does not say is empty."""

    letter: str
    sku: str
    title: str
    price: str
    image: str


@dataclass(frozen=True)
class Exchange:
    """A turn of the dialogue as it is read: the customer's words, the reply, its products."""

    turn: Turn
    cards: Sequence[ShownCard] = ()
    opinions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Interjection:
    """What a person of the shop wrote."""

    outbound: Outbound
    text: str
    cards: Sequence[ShownCard] = ()


def select(visible: QuerySet[Conversation], filters: Filters) -> Selection:
    """Narrow what a person may see to what they ask for."""
    conversations = visible.filter(filters.of_conversations())
    wanted = filters.of_turns()
    turns = Turn.objects.filter(wanted, conversation__in=conversations.order_by())
    if wanted:
        conversations = conversations.filter(Exists(Turn.objects.filter(wanted, conversation=OuterRef("pk"))))
    return Selection(
        conversations.select_related("shop", "contact__account").order_by("-last_message_at", "-pk"), turns
    )


def numbers(turns: QuerySet[Turn]) -> Numbers:
    """Three queries, however many turns."""
    answered = turns.filter(status=Turn.Status.ANSWERED).order_by("-created_at")
    newest = list(answered.values_list("pk", flat=True)[:MOST_COUNTED])
    figures = Turn.objects.filter(pk__in=newest).aggregate(
        replies=Count("pk"),
        by_model=Count("pk", filter=Q(written_by=Turn.WrittenBy.MODEL)),
        answer_time=Median(F("answered_at") - F("created_at"), output_field=DurationField()),
    )
    replies = figures["replies"]
    return Numbers(
        replies=replies,
        more=replies == MOST_COUNTED,
        by_model=round(100 * figures["by_model"] / replies) if replies else None,
        answer_time=figures["answer_time"],
        opinions=_counts(Feedback.objects.filter(turn__in=newest), Value(0)).get(0, {}),
    )


def rows(conversations: Iterable[Conversation], turns: QuerySet[Turn]) -> list[Row]:
    """The list's rows for one page of conversations: two queries, however many rows."""
    page = list(conversations)
    newest = (
        with_words(turns.filter(conversation__in=page))
        .order_by("conversation_id", "-number")
        .distinct("conversation_id")
        .only("conversation_id", "number", "status", "text", "reply", "act", "written_by")
    )
    turn_of = {turn.conversation_id: turn for turn in newest}
    opinions = _counts(Feedback.objects.filter(turn__conversation__in=page), F("turn__conversation_id"))
    return [Row(row, turn_of.get(row.pk), opinions.get(row.pk, {})) for row in page]


def dialogue(conversation: Conversation) -> list[Exchange | Interjection]:
    """The whole dialogue as it went, without what explains it."""
    return woven(conversation.turns.all(), conversation.outbound.all()).get(conversation.pk, [])


def woven(turns: QuerySet[Turn], messages: QuerySet[Outbound]) -> dict[int, list[Exchange | Interjection]]:
    """These turns and what persons wrote, as it went, by conversation: three queries, however many conversations."""
    opinions = _counts(Feedback.objects.filter(turn__in=turns.order_by()), F("turn_id"))
    written = messages.filter(turn=None).select_related("author").order_by("pk")
    said: list[tuple[int, datetime, Exchange | Interjection]] = [
        *(
            (turn.conversation_id, turn.created_at, Exchange(turn, shown_cards(turn.slate), opinions.get(turn.pk, {})))
            for turn in with_words(turns.order_by("number")).defer(*EXPLAINING)
        ),
        *((row.conversation_id, row.created_at, _interjection(row)) for row in written),
    ]
    dialogues: dict[int, list[Exchange | Interjection]] = {}
    for conversation_id, _, each in sorted(said, key=lambda timed: timed[1]):
        dialogues.setdefault(conversation_id, []).append(each)
    return dialogues


EXPLAINING = (
    "state_before", "state_after", "understanding", "candidates", "brief", "samples", "source", "timings_ms",
    "suggestion",
)  # fmt: skip


def shown_cards(slate: Iterable[Mapping[str, Any]]) -> list[ShownCard]:
    """The products of a reply. An older slate may lack any of the keys."""
    return [
        ShownCard(
            letter=str(item.get("letter") or ""),
            sku=str(item.get("sku") or ""),
            title=str(item.get("name") or item.get("sku") or ""),
            price=_price(item),
            image=_image_address(str(item.get("image") or "")),
        )
        for item in slate
    ]


def _price(item: Mapping[str, Any]) -> str:
    """As the customer read it; an older slate holds no currency, and what it says is left as it is."""
    said = str(item.get("price") or "")
    return format_price(Decimal(said), str(item["currency"])) if said and item.get("currency") else said


def cards_of(content: Mapping[str, Any]) -> list[ShownCard]:
    """The products of a message as it is sent."""
    return [
        ShownCard("", card["sku"], card["title"], card["price"], _image_address(card.get("image_url", "")))
        for card in content.get("cards", ())
    ]


def _interjection(outbound: Outbound) -> Interjection:
    return Interjection(outbound, str(outbound.content.get("text", "")), cards_of(outbound.content))


def with_words(turns: QuerySet[Turn]) -> QuerySet[Turn]:
    """Annotates ``words``. A turn learns its text when it is answered; until then its messages have it."""
    messages = (
        InboundEvent.objects.filter(turn=OuterRef("pk"))
        .order_by()
        .values("turn")
        .annotate(said=StringAgg("text", "\n", order_by="received_at"))
    )
    own = NullIf("text", Value(""), output_field=TextField())
    said = Subquery(messages.values("said"), output_field=TextField())
    return turns.annotate(words=Coalesce(own, said, Value(""), output_field=TextField()))


def _counts(feedback: QuerySet[Feedback], owner: F | Value) -> dict[int, dict[str, int]]:
    """How many opinions of each kind there are by ``owner``, the kinds in their own order."""
    found = feedback.order_by().values_list(owner, "kind").annotate(Count("pk"))
    counted: dict[int, dict[str, int]] = {}
    for pk, kind, count in sorted(found, key=lambda row: Feedback.Kind.values.index(row[1])):
        counted.setdefault(pk, {})[kind] = count
    return counted


def _image_address(image: str) -> str:
    if not image or image.startswith(("https://", "http://", "/", "data:image/")):
        return image
    return default_storage.url(image)
