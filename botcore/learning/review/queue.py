"""The queue of replies that await a person's word: how they get into it, in which order they come, who is at which.

Every reply is an item of it from the moment it is stored; ``sweep`` finds what was missed. What is decided of an item is in
``decisions``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils import timezone

from botcore.learning.cleaning import NEAR, bands_of, letters_of, similarity
from botcore.learning.corrections import original
from botcore.learning.review import value as worth
from botcore.models import Annotation, Feedback, ReviewDecision, ReviewItem, Turn
from catalog.models import Shop

OPEN = (ReviewItem.Status.WAITING, ReviewItem.Status.SECOND)
ORDER = ("-value", "-turn_id")
HELD_FOR = timedelta(minutes=3)
"""So long others are told that somebody has a reply before them."""
MOST_COMPARED = 20
"""Groups that a new reply is compared with; more than that never share a band with it but for very short texts."""
SWEPT, LATELY = 500, 1_000
"""Turns that one sweep takes up, and how many of the newest it looks through for what was missed."""


@dataclass(frozen=True)
class Filters:
    """What the queue is narrowed to. ``decided``: "" for what waits, "done", or "disagreed" for two readers' quarrels."""

    decided: str = ""
    signal: str = ""
    act: str = ""
    written_by: str = ""
    channel: str = ""
    reason: str = ""
    since: datetime | None = None
    words: str = ""

    def q(self) -> Q:
        """The condition on items, but for ``decided``."""
        wanted = Q(**{name: said for name in ("act", "written_by", "channel") if (said := getattr(self, name))})
        if self.signal:
            wanted &= SIGNALS[self.signal]
        if self.since:
            wanted &= Q(created_at__gte=self.since)
        if self.words:
            wanted &= Q(text__contains=self.words.lower())
        if self.reason:
            said = ReviewDecision.objects.filter(turn=OuterRef("pk"), reason=self.reason, undone_at=None)
            wanted &= Q(Exists(said))
        return wanted


SIGNALS: Mapping[str, Q] = {
    "down": Q(opinion=Feedback.Kind.DOWN),
    "not_meant": Q(opinion=Feedback.Kind.NOT_MEANT),
    "unsure": Q(confidence__lt=worth.UNSURE),
    "new_topic": Q(novelty__gte=worth.NEW_TOPIC),
}
"""Why a reply comes early."""


def signals_of(item: ReviewItem) -> list[str]:
    """Which of ``SIGNALS`` hold of an item."""
    told = {
        "down": item.opinion == Feedback.Kind.DOWN,
        "not_meant": item.opinion == Feedback.Kind.NOT_MEANT,
        "unsure": item.confidence < worth.UNSURE,
        "new_topic": item.novelty >= worth.NEW_TOPIC,
    }
    return [name for name, holds in told.items() if holds]


@dataclass(frozen=True)
class Figures:
    """What became of a shop's reviewing. ``agreement`` is the share of replies read twice on which both said the same."""

    agreement: float | None
    read_twice: int
    verdicts: Mapping[str, int]
    reasons: Mapping[str, int]


# --- into the queue --------------------------------------------------------------------------------------------------


def enqueue(turn_id: int) -> None:
    """Put a stored reply into the queue. Nothing happens where it is there, or is none."""
    turn = Turn.objects.select_related("conversation__contact__account").get(pk=turn_id)
    if turn.status == Turn.Status.ANSWERED and not ReviewItem.objects.filter(turn=turn).exists():
        ReviewItem.objects.bulk_create([_item(turn)], ignore_conflicts=True)


def sweep() -> int:
    """Take up replies that are not in the queue: the newest that were missed, and older ones than it knows, newest first."""
    known = ReviewItem.objects.aggregate(first=Min("turn_id"), last=Max("turn_id"))
    answered = Turn.objects.filter(status=Turn.Status.ANSWERED).order_by("-pk")
    lately = Turn.objects.order_by("-pk").values("pk")[LATELY : LATELY + 1]
    missed = answered.filter(review=None).exclude(pk__lt=max(known["first"] or 0, _pk(lately)))
    older = answered.filter(pk__lt=known["first"]) if known["first"] else answered
    found = [*missed.values_list("pk", flat=True)[:SWEPT], *older.values_list("pk", flat=True)[:SWEPT]]
    for turn_id in dict.fromkeys(found):
        enqueue(turn_id)
    return len(set(found))


def weigh_again(turn_id: int) -> None:
    """The customer has given an opinion on a reply, or taken one back."""
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update().filter(turn=turn_id).first()
        if item is None:
            return
        item.opinion = _opinion(turn_id)
        item.value = worth.value(item.opinion, item.confidence, item.novelty, item.created_at)
        item.save(update_fields=["opinion", "value"])


def _item(turn: Turn) -> ReviewItem:
    talk = turn.conversation
    topic = worth.topic(turn.state_after, turn.understanding)
    of_topic = ReviewItem.objects.filter(shop=talk.shop_id, topic=topic)[: worth.KNOWN_TOPIC]
    confidence = worth.confidence(turn.written_by, turn.error, turn.samples)
    novelty = worth.novelty(of_topic.count())
    opinion = _opinion(turn.pk)
    letters = letters_of(f"{turn.text} {original(turn) or turn.reply}")
    bands = bands_of(letters)
    group = _nearly_the_same(talk.shop_id, letters, bands)
    said = (
        Annotation.objects.filter(turn=turn).order_by("-updated_at").first()
    )  # on the page of the conversation, before
    return ReviewItem(
        turn=turn,
        shop_id=talk.shop_id,
        status=ReviewItem.Status.DONE if said else ReviewItem.Status.WAITING,
        decided_at=said.updated_at if said else None,
        value=worth.value(opinion, confidence, novelty, turn.created_at),
        opinion=opinion,
        confidence=confidence,
        novelty=novelty,
        topic=topic,
        act=turn.act,
        written_by=turn.written_by,
        channel=talk.contact.account.channel,
        text=f"{turn.text}\n{turn.reply}".lower(),
        letters=letters,
        group=group or turn.pk,
        bands=[] if group else bands,
        for_second=worth.for_second(turn.pk),
        created_at=turn.created_at,
    )


def _nearly_the_same(shop_id: int, letters: str, bands: Collection[int]) -> int | None:
    """The group of the shop whose first reply this one nearly repeats, the nearest."""
    firsts = ReviewItem.objects.filter(shop=shop_id, bands__overlap=list(bands))
    near = [
        (similarity(letters, other), group) for group, other in firsts.values_list("group", "letters")[:MOST_COMPARED]
    ]
    likeness, group = max(near, default=(0.0, 0))
    return group if likeness >= NEAR else None


def _opinion(turn_id: int) -> str:
    return worth.worst(Feedback.objects.filter(turn=turn_id).values_list("kind", flat=True))


def _pk(newest: QuerySet) -> int:
    row = newest.first()
    return row["pk"] if row else 0


# --- out of the queue ------------------------------------------------------------------------------------------------


def awaiting(items: QuerySet[ReviewItem], reader: User | AnonymousUser) -> QuerySet[ReviewItem]:
    """What waits for this reader: what nobody has decided, and what others decided that is to be read twice."""
    return items.filter(status__in=OPEN).exclude(status=ReviewItem.Status.SECOND, first_by=reader.pk)


def select(items: QuerySet[ReviewItem], filters: Filters, reader: User) -> QuerySet[ReviewItem]:
    """The queue in its order, of each group what comes first of it; or what was decided, the newest first."""
    found = items.filter(filters.q())
    if filters.decided:
        done = found.filter(status=ReviewItem.Status.DONE)
        return (done.filter(agreed=False) if filters.decided == "disagreed" else done).order_by("-decided_at", "-pk")
    before = found.filter(group=OuterRef("group"), status=ReviewItem.Status.WAITING).filter(
        Q(value__gt=OuterRef("value")) | Q(value=OuterRef("value"), turn_id__gt=OuterRef("turn_id"))
    )
    first = Q(status=ReviewItem.Status.SECOND) | ~Exists(before)
    return awaiting(found, reader).filter(first).order_by(*ORDER)


def after(items: QuerySet[ReviewItem], last: ReviewItem, filters: Filters) -> QuerySet[ReviewItem]:
    """Of what :func:`select` found, what comes after an item."""
    if filters.decided:
        return items.filter(Q(decided_at__lt=last.decided_at) | Q(decided_at=last.decided_at, turn_id__lt=last.pk))
    return items.filter(Q(value__lt=last.value) | Q(value=last.value, turn_id__lt=last.pk))


def members(items: QuerySet[ReviewItem], item: ReviewItem) -> QuerySet[ReviewItem]:
    """What waits and nearly repeats an item, the item itself not among it. One that is read twice is decided alone."""
    if item.status != ReviewItem.Status.WAITING:
        return items.none()
    waiting = items.filter(group=item.group, status=ReviewItem.Status.WAITING)
    return waiting.exclude(pk=item.pk).order_by(*ORDER)


def sizes(items: QuerySet[ReviewItem], groups: Iterable[int]) -> dict[int, int]:
    """How many wait of each group."""
    waiting = items.filter(group__in=list(groups), status=ReviewItem.Status.WAITING).order_by()
    return dict(waiting.values_list("group").annotate(Count("pk")))


def counts(items: QuerySet[ReviewItem], views: Mapping[int, Filters], reader: User) -> dict[int, int]:
    """How many replies each view holds, in one query over the shop's items; groups are counted one by one."""
    mine = Q(status__in=OPEN) & ~Q(status=ReviewItem.Status.SECOND, first_by=reader)
    done = Q(status=ReviewItem.Status.DONE)
    standing = {"": mine, "done": done, "disagreed": done & Q(agreed=False)}
    counted = {f"view{pk}": Count("pk", filter=standing[view.decided] & view.q()) for pk, view in views.items()}
    found = items.aggregate(**counted) if counted else {}
    return {pk: found[f"view{pk}"] for pk in views}


def hold(items: QuerySet[ReviewItem], reader: User) -> None:
    """Tell others for a while that this reader has these before them. What somebody else has stays theirs."""
    now = timezone.now()
    free = items.filter(Q(held_until=None) | Q(held_until__lt=now) | Q(held_by=reader))
    free.filter(status__in=OPEN).update(held_by=reader, held_until=now + HELD_FOR)


def figures(shop: Shop, since: datetime) -> Figures:
    """The agreement so far, and what was decided since."""
    twice = ReviewItem.objects.filter(shop=shop, agreed__isnull=False).aggregate(
        agreed=Count("pk", filter=Q(agreed=True)), all=Count("pk")
    )
    decided = ReviewDecision.objects.filter(turn__review__shop=shop, at__gte=since, undone_at=None).order_by()
    given = decided.exclude(reason="").values_list("reason").annotate(Count("pk"))
    return Figures(
        agreement=twice["agreed"] / twice["all"] if twice["all"] else None,
        read_twice=twice["all"],
        verdicts=dict(decided.exclude(kind=ReviewDecision.Kind.TRAINING).values_list("kind").annotate(Count("pk"))),
        reasons=dict(sorted(given, key=lambda pair: -pair[1])[:9]),
    )
