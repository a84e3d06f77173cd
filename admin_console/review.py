"""The review queue as the console shows it: rows, views with counts, replies with what to decide by, decisions taken in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F, Prefetch, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from admin_console import conversations, labels, sentences, verdicts
from admin_console.conversations import Exchange, Interjection
from admin_console.explanation import Explanation, explain
from admin_console.forms.review import ReviewFilter
from botcore.learning import corrections
from botcore.learning.review import decisions, queue
from botcore.learning.review.value import Reason
from botcore.models import Feedback, Outbound, ReviewDecision, ReviewItem, SavedView, Turn
from catalog.models import Shop

ROWS = 50
"""Rows of the queue that are loaded at a time."""
IN_A_ROW = (
    "status", "version", "value", "opinion", "confidence", "novelty", "group", "held_until", "held_by__username",
    "turn__text", "turn__reply",
)  # fmt: skip
"""What a row needs: a turn is wide."""
BEFORE, AFTER = 6, 1
"""Turns of the conversation that are shown around a reply."""
TOGETHER = 50
"""Replies that nearly repeat another and are decided with it, at most: what one looks through."""
MOST_DECISIONS, MOST_TURNS = 50, 200
"""Decisions in one delivery, and replies in one decision."""
OFFERED = ({}, *({"signal": signal} for signal in queue.SIGNALS), {"decided": "disagreed"}, {"decided": "done"})
"""The views that every shop has."""


@dataclass(frozen=True)
class Row:
    """A line of the queue. ``size`` counts the replies that wait with it, itself among them; ``holder`` is somebody else."""

    item: ReviewItem
    message: str
    reply: str
    size: int
    signals: Sequence[str]
    holder: str


@dataclass(frozen=True)
class View:
    """Filters under a name; ``saved`` is its row where the shop made it."""

    name: str
    address: str
    here: bool
    saved: SavedView | None = None


@dataclass(frozen=True)
class Reading:
    """One reply before a reviewer: what was said, what to correct, what explains it. ``editable`` with its words in ``text``."""

    item: ReviewItem
    turn: Turn
    dialogue: Sequence[Exchange | Interjection]
    explanation: Explanation
    feedback: Sequence[Feedback]
    cards: Sequence[conversations.ShownCard]
    words: Sequence[verdicts.Word]
    editable: bool
    text: str
    signals: Sequence[str]
    holder: str
    alike: Sequence[Turn]

    @property
    def together(self) -> int:
        """How many replies are decided together: this one and what nearly repeats it."""
        return 1 + len(self.alike)


@dataclass(frozen=True)
class Sent:
    """One decision as the browser sends it, or the undoing of one. ``seen`` are turns with the versions looked at."""

    token: UUID
    kind: str
    seen: Mapping[int, int]
    text: str = ""
    reason: str = ""
    for_training: bool = True

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Sent:
        """Raises ``ValueError``, ``TypeError`` or ``KeyError`` where it is none."""
        kind, turns, text, reason = stored["kind"], stored["turns"], stored.get("text", ""), stored.get("reason", "")
        if kind not in (*ReviewDecision.Kind.values, UNDO) or not 0 < len(turns) <= MOST_TURNS:
            raise ValueError(kind)
        if len(text) > 2_000 or "\0" in text or reason not in ("", *Reason):
            raise ValueError(text)
        seen = {int(turn): int(version) for turn, version in turns}
        return cls(UUID(stored["token"]), kind, seen, str(text), str(reason), bool(stored.get("for_training", True)))


UNDO = "undo"


# --- the queue -------------------------------------------------------------------------------------------------------


def rows(selection: QuerySet[ReviewItem], items: QuerySet[ReviewItem], reader: User) -> list[Row]:
    """The first rows of a selection: two queries."""
    shown = selection.select_related("turn", "held_by").only(*IN_A_ROW)
    page = list(shown[:ROWS])
    sizes = queue.sizes(items, {item.group for item in page})
    return [
        Row(
            item,
            item.turn.text,
            item.turn.reply,
            sizes.get(item.group, 1) if item.status == ReviewItem.Status.WAITING else 1,
            queue.signals_of(item),
            _holder(item, reader),
        )
        for item in page
    ]


def views(shop: Shop, asked: Mapping[str, str]) -> list[View]:
    """The views every shop has, then the shop's own."""
    here = {name: said for name, said in asked.items() if name in ReviewFilter.base_fields and said}
    return [
        View(
            name=saved.name if saved else _offered_name(query),
            address="?" + urlencode({"shop": shop.slug, **query}),
            here=query == here,
            saved=saved,
        )
        for query, saved in _queries(shop)
    ]


def view_counts(shop: Shop, items: QuerySet[ReviewItem], reader: User) -> list[int]:
    """How many replies each of :func:`views` finds, in their order. It looks at every item: the page does not wait for it."""
    asked = dict(enumerate(ReviewFilter(query).filters() for query, _ in _queries(shop)))
    return list(queue.counts(items, asked, reader).values())


def _queries(shop: Shop) -> list[tuple[Mapping[str, str], SavedView | None]]:
    own = [(QueryDict(view.query).dict(), view) for view in shop.review_views.all()]
    return [*((query, None) for query in OFFERED), *own]


def query_of(asked: Mapping[str, str]) -> str:
    """The filters of an address, as a view keeps them."""
    return urlencode({name: asked[name] for name in ReviewFilter.base_fields if asked.get(name)})


def _offered_name(query: Mapping[str, str]) -> str:
    if "signal" in query:
        return labels.label(labels.review.SIGNALS, query["signal"])
    return labels.label(labels.review.STANDINGS, query["decided"]) if query else _("All that wait")


def _holder(item: ReviewItem, reader: User) -> str:
    """Somebody else who has the item before them."""
    if item.held_by is None or item.held_by == reader or not item.held_until or item.held_until < timezone.now():
        return ""
    return item.held_by.get_username()


# --- one reply after another -----------------------------------------------------------------------------------------


def readings(items: QuerySet[ReviewItem], ids: Sequence[int], reader: User) -> list[Reading]:
    """The replies ``ids`` as a reviewer sees them, in that order. The number of queries does not grow with the replies."""
    feedback = Prefetch("turn__feedback", Feedback.objects.order_by("created_at"))
    found = {
        item.pk: item
        for item in items.filter(pk__in=ids)
        .select_related("held_by", "turn__conversation__shop", "turn__conversation__contact__account", "turn__outbound")
        .prefetch_related(feedback, "turn__annotations__author")
    }
    dialogues, alike = _dialogues([item.turn for item in found.values()]), _alike(items, found.values())
    return [
        _reading(found[pk], dialogues.get(found[pk].turn.conversation_id, ()), alike.get(pk, ()), reader)
        for pk in ids
        if pk in found
    ]


def _reading(
    item: ReviewItem, dialogue: Sequence[Exchange | Interjection], alike: Sequence[Turn], reader: User
) -> Reading:
    turn = item.turn
    brief = verdicts.brief_of(turn)
    words = [] if item.is_read_blindly_by(reader.pk) else verdicts.words(turn, brief)
    return Reading(
        item=item,
        turn=turn,
        dialogue=_around(turn, dialogue),
        explanation=explain(turn),
        feedback=list(turn.feedback.all()),
        cards=conversations.shown_cards(turn.slate),
        words=words,
        editable=brief is not None,
        text=verdicts.to_correct(turn, words),
        signals=queue.signals_of(item),
        holder=_holder(item, reader),
        alike=alike,
    )


def _dialogues(turns: Sequence[Turn]) -> Mapping[int, Sequence[Exchange | Interjection]]:
    """What was said around these turns, by conversation."""
    if not turns:
        return {}
    near = reduce(
        or_,
        (
            Q(conversation=turn.conversation_id, number__range=(turn.number - BEFORE, turn.number + AFTER))
            for turn in turns
        ),
    )
    messages = Outbound.objects.filter(conversation__in={turn.conversation_id for turn in turns})
    return conversations.woven(Turn.objects.filter(near), messages)


def _around(turn: Turn, dialogue: Sequence[Exchange | Interjection]) -> list[Exchange | Interjection]:
    """Of a dialogue what lies around one turn."""
    places = [
        place
        for place, said in enumerate(dialogue)
        if isinstance(said, Exchange) and -BEFORE <= said.turn.number - turn.number <= AFTER
    ]
    return list(dialogue[places[0] : places[-1] + 1]) if places else []


def _alike(items: QuerySet[ReviewItem], read: Iterable[ReviewItem]) -> dict[int, list[Turn]]:
    """Of each item that waits the replies that nearly repeat it and wait as well, one query for all."""
    first_of = {item.group: item.pk for item in read if item.status == ReviewItem.Status.WAITING}
    waiting = items.filter(group__in=first_of, status=ReviewItem.Status.WAITING).exclude(pk__in=first_of.values())
    place = Window(RowNumber(), partition_by="group", order_by=[F("value").desc(), F("turn_id").desc()])
    ranked = waiting.annotate(place=place).filter(place__lt=TOGETHER).order_by("place")
    found: dict[int, list[Turn]] = {}
    for item in ranked.select_related("turn").only("group", "version", "turn__text", "turn__reply"):
        found.setdefault(first_of[item.group], []).append(item.turn)
    return found


# --- decisions -------------------------------------------------------------------------------------------------------


def carry_out(visible: QuerySet[Turn], sent: Sent, author: User) -> dict[str, Any]:
    """Keep one decision; what became of it, as the browser reads it.

    ``status``: kept; conflict, with the other's word; refused, with the reasons; gone, where there is no such reply.
    """
    told: dict[str, Any] = {"token": str(sent.token)}
    try:
        outcome = _decided(visible, sent, author)
    except corrections.CorrectionRefusedError as error:
        return {**told, "status": "refused", "problems": [sentences.plainly(problem) for problem in error.problems]}
    told |= {"versions": outcome.kept, "conflicts": len(outcome.conflicts)}
    if outcome.kept:
        return {**told, "status": "kept"}
    if outcome.conflicts:
        return {**told, "status": "conflict", "theirs": _theirs(visible.get(pk=outcome.conflicts[0]))}
    return {**told, "status": "gone"}


def _decided(visible: QuerySet[Turn], sent: Sent, author: User) -> decisions.Outcome:
    if sent.kind == UNDO:
        return decisions.undo(visible, author, sent.token)
    if sent.kind == ReviewDecision.Kind.CORRECTED:
        for turn in visible.filter(pk__in=list(sent.seen)):
            if problems := objections(turn, sent.text):
                raise corrections.CorrectionRefusedError(tuple(problems))
    word = decisions.Word(sent.kind, sent.text, sent.reason, sent.for_training)
    return decisions.decide(visible, sent.seen, word, author, sent.token)


def objections(turn: Turn, text: str) -> list[str]:
    """What keeps a text from being a correction of the reply, in the reader's words."""
    brief = verdicts.brief_of(turn)
    if brief is None:
        return [_("Only replies in a language that the model writes can be corrected; this one can be rejected.")]
    if not text.strip():
        return [_("It says nothing.")]
    wording = corrections.tagged(text, brief)
    return [sentences.plainly(problem) for problem in corrections.objections(wording, brief)]


def _theirs(turn: Turn) -> dict[str, Any]:
    """What stands of a reply that somebody else decided: their word on it, or none where they took it back."""
    brief = verdicts.brief_of(turn)
    newest = next(iter(verdicts.words(turn, brief)), None)
    return {
        "turn": turn.pk,
        "version": turn.review.version,
        "who": newest.who if newest else "",
        "verdict": labels.label(labels.review.DECISIONS, newest.verdict) if newest else "",
        "text": (newest.text if newest else "") or verdicts.to_correct(turn),
    }
