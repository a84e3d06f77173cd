"""How long a shop keeps conversations: those in which nobody says a word any more are forgotten, a batch at a time.

What goes with a conversation is :mod:`botcore.learning.erasure`'s affair. What was counted stays counted: a shop's metrics are
brought up to date first, and what they tell of that time is settled (:mod:`botcore.monitoring.rollup`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from botcore.learning import erasure
from botcore.models import Contact, Conversation, Feedback, InboundEvent, Outbound, Retention
from botcore.monitoring import attribution, rollup
from catalog.models import Shop

log = structlog.get_logger(__name__)

FEWEST, MOST = 14, 3_650
"""Days that a shop may ask for. Within ``attribution.WINDOW`` an order still counts to the conversation before it, so
that is kept for twice as long: metrics settle ``WINDOW`` after the last word."""
BATCH = 200
BATCHES = 100
"""Of one shop in one round: a shop that begins to forget takes some rounds, and keeps no other one waiting."""


def limit(shop: Shop) -> int | None:
    """After how many days without a word a shop's conversations are forgotten; None: never."""
    return Retention.objects.filter(shop=shop).values_list("days", flat=True).first()


def keep_for(shop: Shop, days: int | None) -> None:
    """Forget conversations after so many days without a word, from the next round on; None keeps them.

    Raises ``ValueError`` for days that are not from ``FEWEST`` to ``MOST``."""
    if days is None:
        Retention.objects.filter(shop=shop).delete()
        return
    if not FEWEST <= days <= MOST:
        raise ValueError(f"conversations are kept for {FEWEST} to {MOST} days, not {days}")
    Retention.objects.update_or_create(shop=shop, defaults={"days": days})


def silent(shop: Shop, since: datetime) -> QuerySet[Conversation]:
    """The conversations in which nobody has said a word since, nor thought of a reply. One that a person holds is none."""
    said = Outbound.objects.filter(conversation=OuterRef("pk"), created_at__gte=since)
    thought = Feedback.objects.filter(turn__conversation=OuterRef("pk"), updated_at__gte=since)
    old = Conversation.objects.filter(shop=shop, waiting_for_person=False, last_message_at__lt=since)
    return old.exclude(Exists(said)).exclude(Exists(thought))


def forget_silent(now: datetime) -> None:
    """One round through the shops that forget. One in which something breaks keeps no other from it."""
    for rule in Retention.objects.select_related("shop").order_by("shop"):
        try:
            forget(rule.shop, now - timedelta(days=rule.days), now)
        except Exception as error:
            log.exception("a shop could not forget", shop=rule.shop.slug, error=type(error).__name__)


def forget(shop: Shop, since: datetime, now: datetime) -> int:
    """Forget what has been silent since, as far as one round goes; how many conversations went.

    Several workers may be at it, and one that dies has forgotten whole batches. Where another one is just counting, the
    next round does it.
    """
    if not rollup.roll(shop, now):
        return 0
    rollup.settle(shop, since + attribution.WINDOW)
    InboundEvent.objects.filter(account__shop=shop, turn=None, received_at__lt=since).delete()
    conversations = _in_batches(partial(_forget_conversations, shop, since))
    people = _in_batches(partial(_forget_people, shop, since))
    if conversations or people:
        log.info("forgotten", shop=shop.slug, conversations=conversations, people=people)
    return conversations


def _in_batches(forget_batch: Callable[[], int]) -> int:
    """Call it until nothing is left, or it is another round's turn; what all batches together took."""
    return sum(takewhile(bool, (forget_batch() for _ in range(BATCHES))))


@transaction.atomic
def _forget_conversations(shop: Shop, since: datetime) -> int:
    free = silent(shop, since).select_for_update(of=("self",), skip_locked=True)
    batch = list(free.order_by("last_message_at").values_list("pk", flat=True)[:BATCH])
    erasure.forget(shop, batch)
    return len(batch)


@transaction.atomic
def _forget_people(shop: Shop, since: datetime) -> int:
    """Those of whom nothing is left, but for who asked for no more messages, to be left alone, and who is told of alerts."""
    idle = Contact.objects.filter(account__shop=shop, created_at__lt=since, stopped_at=None)
    nobody = idle.filter(conversations=None, events=None, feedback=None, alert_rules=None)
    quiet = Q(heard_at=None) | Q(heard_at__lt=since)  # of the row itself, which is read again once it is locked
    free = Contact.objects.filter(quiet, pk__in=nobody.values("pk")).select_for_update(skip_locked=True)
    batch = list(free.values_list("pk", flat=True)[:BATCH])
    Contact.objects.filter(pk__in=batch).delete()
    return len(batch)
