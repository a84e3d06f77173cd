"""Customers' opinions on replies as the database holds them: those that count, for the language model and the ranker alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from django.db.models import QuerySet

from botcore.learning import votes
from botcore.models import Annotation, Feedback, Turn


def merchants_words(turns: QuerySet[Turn]) -> Iterator[Annotation]:
    """The newest word of a merchant on each of the replies, in their order."""
    rows = Annotation.objects.filter(turn__in=turns)
    newest = rows.order_by("turn_id", "-updated_at", "-pk").distinct("turn_id")
    yield from newest.select_related("turn__conversation__contact")


def that_count(opinions: QuerySet[Feedback], words: Iterable[Annotation]) -> tuple[list[Feedback], Mapping[str, int]]:
    """Those of the opinions that count (:func:`votes.counted`), oldest first, and how many do not, by reason; ``words`` are
    those of merchants on the same replies."""
    rows = {row.pk: row for row in opinions.select_related("turn__conversation__contact").order_by("pk")}
    confirmed = {word.turn_id: word.verdict == Annotation.Verdict.APPROVED for word in words}
    counted = votes.counted(map(_vote, rows.values()), confirmed)
    return [rows[vote.id] for vote in counted.votes], counted.left_out


def _vote(row: Feedback) -> votes.Vote:
    shown = row.turn.slate[0]["sku"] if row.turn.slate else f"turn {row.turn_id}"
    liked = row.kind == Feedback.Kind.UP
    return votes.Vote(row.pk, row.turn_id, row.contact_id, shown, row.created_at.date(), liked)
