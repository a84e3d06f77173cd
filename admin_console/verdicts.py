"""What merchants made of a reply, as the console reads it; and what it offers them to correct."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from botcore.dialogue.brief import Brief
from botcore.dialogue.compose import MODEL_LANGUAGES, fill
from botcore.learning import corrections, house_words
from botcore.models import Annotation, ReviewItem, Turn


@dataclass(frozen=True)
class Word:
    """One merchant's word on a reply. ``text`` is a correction as the customer would have read it; ``who`` may be gone."""

    verdict: str
    who: str
    text: str
    reason: str
    for_training: bool
    at: datetime


def brief_of(turn: Turn | None) -> Brief | None:
    """The facts that a word on the reply is held against; None where the reply has none, or is of no model's language."""
    if turn is None or turn.status != Turn.Status.ANSWERED or turn.language not in MODEL_LANGUAGES or not turn.brief:
        return None
    try:
        return Brief.from_json(turn.brief)
    except (KeyError, TypeError):  # stored by a version whose briefs had other fields
        return None


def words(turn: Turn, brief: Brief | None) -> list[Word]:
    """All that was said of the reply, the newest first, which is the one that counts."""
    tags = brief.tags() if brief else {}
    said = sorted(turn.annotations.all(), key=lambda row: (row.updated_at, row.pk), reverse=True)
    return [
        Word(
            row.verdict,
            row.author.get_username() if row.author else "",
            fill(row.wording, tags),
            row.reason,
            row.for_training,
            row.updated_at,
        )
        for row in said
    ]


def words_for(reader: User, turn: Turn, brief: Brief | None) -> list[Word]:
    """As :func:`words`, for a person who may be the second of two readers: they do not know of the first's."""
    item: ReviewItem | None = getattr(turn, "review", None)
    return [] if item and item.is_read_blindly_by(reader.pk) else words(turn, brief)


def to_correct(turn: Turn, words: Sequence[Word] = ()) -> str:
    """The newest correction, else the model's own words that went out, as the customer read them; else the first paragraph
    of the reply."""
    if corrected := next((word.text for word in words if word.text), ""):
        return corrected
    filled = next((sample.get("filled") for sample in turn.samples if sample.get("chosen")), "")
    return str(filled or turn.reply.split("\n\n", 1)[0])


def new_words(annotation: Annotation) -> Sequence[str]:
    """The words of a correction that the shop's replies do not have yet."""
    turn = annotation.turn
    own = house_words.of(turn.conversation.shop)
    return [word for word in corrections.strangers(annotation.wording, Brief.from_json(turn.brief)) if word not in own]
