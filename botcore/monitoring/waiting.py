"""How many customers wait for a reply at this moment, and for how long: read from the rows, which are the queue."""

from __future__ import annotations

from django.db.models import Min, QuerySet
from django.utils import timezone

from botcore import queues
from botcore.models import Outbound, Turn
from catalog.models import Shop

QUEUES = ("reply", "io", "index", "train")


def depth(shop: Shop) -> float:
    """Turns without a reply."""
    return _waiting(shop).count()


def oldest(shop: Shop) -> float:
    """Seconds since the customer wrote who waits longest; 0 where nobody does."""
    begun = _waiting(shop).aggregate(begun=Min("created_at"))["begun"]
    return max((timezone.now() - begun).total_seconds(), 0.0) if begun else 0.0


def unsent(shop: Shop) -> int:
    """Messages on their way to customers."""
    return Outbound.objects.filter(conversation__shop=shop, status=Outbound.Status.PENDING).count()


def wake_ups() -> dict[str, int | None]:
    """What lies in the broker's queues, of all shops; None where it does not tell."""
    return {queue: queues.told_backlog(queue) for queue in QUEUES}


def _waiting(shop: Shop) -> QuerySet[Turn]:
    return Turn.objects.filter(conversation__shop=shop, status=Turn.Status.WAITING)
