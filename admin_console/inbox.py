"""The conversations that persons hold: who waits for an answer, since when, and what they said last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from admin_console import access
from admin_console.conversations import with_words
from botcore import dead_letters
from botcore.dialogue.state import Act
from botcore.learning.review import queue
from botcore.models import Conversation, Outbound, Turn
from botcore.roles import Right

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MOST_COUNTED = 1_000
"""Beyond it the menu says "999+": every page shows the number, and a queue may be long."""


@dataclass(frozen=True)
class Held:
    """A conversation of the inbox. ``since`` is when the customer began to wait, None where they have their answer."""

    conversation: Conversation
    since: datetime | None
    words: str


def held(visible: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Those that a person holds, who waits longest first and who waits for nothing last; annotates ``since``.

    A customer waits from the first message on that nobody has answered: one that made the bot hand over, or a later one.
    """
    written = Outbound.objects.filter(conversation=OuterRef("pk"), turn=None).order_by().values("conversation")
    answered = Turn.objects.filter(conversation=OuterRef("pk"), status=Turn.Status.ANSWERED).order_by()
    found = visible.filter(waiting_for_person=True, closed=False).annotate(
        written_at=Coalesce(Subquery(written.annotate(last=Max("created_at")).values("last")), LONG_AGO),
        answered_to=Coalesce(Subquery(answered.values("conversation").annotate(last=Max("number")).values("last")), 0),
    )
    open_turns = Turn.objects.filter(
        Q(number__gt=OuterRef("answered_to")) | Q(number=OuterRef("answered_to"), act=Act.HANDOFF),
        conversation=OuterRef("pk"),
        created_at__gt=OuterRef("written_at"),
    )
    since = Subquery(open_turns.order_by("number").values("created_at")[:1])
    return found.annotate(since=since).order_by(F("since").asc(nulls_last=True), "-last_message_at", "pk")


def rows(conversations: Iterable[Conversation]) -> list[Held]:
    """A page of :func:`held` with the customers' last words: one query, however many rows."""
    page = list(conversations)
    turns = with_words(Turn.objects.filter(conversation__in=page)).order_by("conversation_id", "-number")
    last = turns.distinct("conversation_id").only("conversation_id", "text")
    words = {turn.conversation_id: turn.words for turn in last}  # type: ignore[attr-defined]
    return [Held(row, row.since, words.get(row.pk, "")) for row in page]  # type: ignore[attr-defined]


def counts(user: User | AnonymousUser) -> dict[str, int]:
    """How many customers wait for a person, how many messages have failed, how many replies wait for a word (as many as
    ``MOST_COUNTED`` of them)."""
    waits = held(access.conversations(user, Right.TALK)).exclude(since=None)  # type: ignore[misc]
    to_review = queue.awaiting(access.review_items(user, Right.REVIEW), user)
    return {
        "waiting": waits.count(),
        "failed": dead_letters.failed(access.outbound(user, Right.TALK)).count(),
        "review": to_review[:MOST_COUNTED].count(),
    }
