"""Decisions on replies: checked against what their author saw, kept with what was before, undone on request.

One decision may be of several replies that nearly repeat each other. Its ``token`` is made by whoever sends it: sent again
after a broken connection, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from botcore.learning import corrections
from botcore.learning.review import queue
from botcore.models import Annotation, ReviewDecision, ReviewItem, Turn

Kind = ReviewDecision.Kind
Status = ReviewItem.Status


@dataclass(frozen=True)
class Word:
    """What somebody says of a reply. ``kind`` is of :class:`ReviewDecision`; ``text`` goes with a correction."""

    kind: str
    text: str = ""
    reason: str = ""
    for_training: bool = True


@dataclass(frozen=True)
class Outcome:
    """The replies for which it was kept, with their versions now, and those that somebody else decided meanwhile."""

    kept: Mapping[int, int] = field(default_factory=dict)
    conflicts: tuple[int, ...] = ()


def decide(visible: QuerySet[Turn], seen: Mapping[int, int | None], word: Word, author: User, token: UUID) -> Outcome:
    """Keep a word on the replies ``seen``: turn ids with the version that was looked at, None for whichever it is.

    Raises ``CorrectionRefusedError``, and nothing is kept. Replies that are not ``visible`` are left out.
    """
    with transaction.atomic():
        items = _locked(visible, seen)
        sent = ReviewDecision.objects.filter(token=token, author=author)
        if sent.exists():
            known = set(sent.values_list("turn_id", flat=True))
            return Outcome({pk: item.version for pk, item in items.items() if pk in known})
        kept, conflicts = {}, []
        for pk, item in items.items():
            if seen[pk] in (None, item.version) or item.is_read_blindly_by(author.pk):
                kept[pk] = _keep(item, word, author, token)
            else:
                conflicts.append(pk)
    return Outcome(kept, tuple(conflicts))


def undo(visible: QuerySet[Turn], author: User, token: UUID) -> Outcome:
    """Take back what this person decided with one token, as if it had not been. What somebody decided since stays."""
    with transaction.atomic():
        rows = {row.turn_id: row for row in ReviewDecision.objects.filter(token=token, author=author, undone_at=None)}
        kept, conflicts = {}, []
        for pk, item in _locked(visible, rows).items():
            if ReviewDecision.objects.filter(turn=pk, undone_at=None, pk__gt=rows[pk].pk).exists():
                conflicts.append(pk)
            else:
                kept[pk] = _take_back(item, rows[pk])
    return Outcome(kept, tuple(conflicts))


def words(turn_id: int) -> list[Annotation]:
    """What was said of a reply, the newest first, which is the one that counts."""
    rows = Annotation.objects.filter(turn=turn_id).select_related("author")
    return list(rows.order_by("-updated_at", "-pk"))


def _locked(visible: QuerySet[Turn], wanted: Mapping[int, Any]) -> dict[int, ReviewItem]:
    """The items of the visible among the wanted, in one order for all, so that two decisions never wait for each other."""
    ids = list(visible.filter(pk__in=list(wanted), status=Turn.Status.ANSWERED).values_list("pk", flat=True))
    items = ReviewItem.objects.select_for_update(of=("self",)).filter(pk__in=ids).select_related("turn").order_by("pk")
    found = {item.pk: item for item in items}
    if missing := set(ids) - found.keys():  # a reply so new, or so old, that the queue has not taken it up yet
        for pk in missing:
            queue.enqueue(pk)
        found = {item.pk: item for item in items.all()}
    return found


def _keep(item: ReviewItem, word: Word, author: User, token: UUID) -> int:
    """The item's version once the word is kept."""
    before = {"annotation": _annotation(_said_by(item, word, author)), "item": _standing(item)}
    if word.kind == Kind.TRAINING:
        row = _switch(item.turn, word.for_training)
    elif word.kind == Kind.CORRECTED:
        row = corrections.correct(item.turn, word.text, author, word.reason, for_training=word.for_training)
    elif word.kind == Kind.REJECTED:
        row = corrections.reject(item.turn, author, word.reason, for_training=word.for_training)
    else:
        row = corrections.approve(item.turn, author, for_training=word.for_training)
    if row and word.kind != Kind.TRAINING:
        _settle(item, row, author)
    item.version += 1
    item.held_by = item.held_until = None
    item.save()
    after = {"annotation": _annotation(row), "item": _standing(item)}
    ReviewDecision.objects.create(
        turn=item.turn, author=author, token=token, kind=word.kind, reason=word.reason, before=before, after=after
    )
    return item.version


def _settle(item: ReviewItem, row: Annotation, author: User) -> None:
    """Where the item stands after a word: done, or with somebody else if it is to be read twice."""
    item.decided_at = timezone.now()
    if item.is_read_blindly_by(author.pk):
        first = Annotation.objects.filter(turn=item.pk, author=item.first_by_id).first()
        item.agreed = first.verdict == row.verdict if first else None
        item.status = Status.DONE
    elif item.for_second and item.status == Status.WAITING:
        item.first_by, item.status = author, Status.SECOND
    elif item.status == Status.WAITING:
        item.status = Status.DONE


def _said_by(item: ReviewItem, word: Word, author: User) -> Annotation | None:
    """The annotation that a word changes: its author's own, but the one that counts where training is switched."""
    if word.kind == Kind.TRAINING:
        return next(iter(words(item.pk)), None)
    return Annotation.objects.filter(turn=item.pk, author=author).first()


def _switch(turn: Turn, on: bool) -> Annotation | None:
    """Let the newest word on a reply be learned from, or not; it stays as new as it was."""
    row = next(iter(words(turn.pk)), None)
    if row:
        Annotation.objects.filter(pk=row.pk).update(for_training=on)
        row.for_training = on
    return row


def _take_back(item: ReviewItem, decision: ReviewDecision) -> int:
    """The item's version once it stands as before the decision."""
    old, new = decision.before["annotation"], decision.after["annotation"]
    if old:
        fields = {**old, "updated_at": datetime.fromisoformat(old["updated_at"])}
        Annotation.objects.filter(turn=item.pk, author=fields.pop("author")).update(**fields)
    elif new:
        Annotation.objects.filter(turn=item.pk, author=new["author"]).delete()
    standing = decision.before["item"]
    item.status, item.first_by_id, item.agreed = standing["status"], standing["first_by"], standing["agreed"]
    item.decided_at = datetime.fromisoformat(standing["decided_at"]) if standing["decided_at"] else None
    item.version += 1
    item.save()
    decision.undone_at = timezone.now()
    decision.save(update_fields=["undone_at"])
    return item.version


def _annotation(row: Annotation | None) -> dict[str, Any] | None:
    if row is None:
        return None
    fields = ("verdict", "wording", "reason", "for_training")
    return {
        **{name: getattr(row, name) for name in fields},
        "author": row.author_id,
        "updated_at": row.updated_at.isoformat(),
    }


def _standing(item: ReviewItem) -> dict[str, Any]:
    decided = item.decided_at.isoformat() if item.decided_at else None
    return {"status": item.status, "first_by": item.first_by_id, "agreed": item.agreed, "decided_at": decided}
