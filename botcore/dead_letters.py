"""Messages that were given up: which they are, and whether one of them may still be sent."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from botcore import delivery
from botcore.models import Outbound
from botcore.stated import still_true

KEPT = timedelta(days=30)
"""So old is no answer any more."""


def failed(among: QuerySet[Outbound] | None = None) -> QuerySet[Outbound]:
    """The messages that were given up, newest first; of all shops where nothing else is said."""
    messages = Outbound.objects.all() if among is None else among
    since = timezone.now() - KEPT
    return messages.filter(status=Outbound.Status.FAILED, created_at__gte=since).order_by("-pk")


def resend(outbound: Outbound) -> bool:
    """Try a message once more, unless what it says of the shop is no longer so. Returns whether it is tried."""
    if not still_true(outbound):
        return False
    delivery.resend(outbound)
    return True
