"""Alerts: opened when something is found, kept while it is found again, closed when it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from botcore.models import Alert
from botcore.monitoring.drift import Drift, drifts
from botcore.webhooks.events import Event
from botcore.webhooks.outbox import announce
from catalog.models import Shop

log = structlog.get_logger(__name__)

DRIFT = "drift: "
PROPOSAL = (
    "Make a snapshot of the feedback since then and train a new version: `manage.py dataset build`, `manage.py train`."
)


def watch_drift(shop: Shop, now: datetime) -> list[Alert]:
    """Open an alert for everything that drifts and has none, close those of what drifts no more; the open ones."""
    found = drifts(shop, now)
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)
        gone = Alert.objects.filter(shop=shop, closed_at=None, subject__startswith=DRIFT)
        gone.exclude(subject__in=[_subject(drift) for drift in found]).update(closed_at=now)
        return [_opened(shop, drift) for drift in found]


def open_alerts(shops: Sequence[Shop]) -> list[Alert]:
    """What somebody should look at, newest first."""
    return list(Alert.objects.filter(shop__in=shops, closed_at=None).select_related("shop"))


def close(alert: Alert) -> bool:
    """Somebody has looked at it; False where it was closed already. What is found again opens another."""
    return bool(Alert.objects.filter(pk=alert.pk, closed_at=None).update(closed_at=timezone.now()))


def _opened(shop: Shop, drift: Drift) -> Alert:
    measured: dict[str, Any] = {**asdict(drift), "since": drift.since.isoformat()}
    alert, new = Alert.objects.update_or_create(
        shop=shop,
        subject=_subject(drift),
        closed_at=None,
        defaults={"sentence": drift.sentence, "measured": measured, "proposal": PROPOSAL},
    )
    if new:
        announce(shop.pk, Event.ALERT_OPENED, {"alert": alert.pk, "subject": alert.subject})
        log.warning("drift", shop=shop.slug, what=drift.what, measure=drift.measure, value=round(drift.value, 3))
    return alert


def _subject(drift: Drift) -> str:
    return f"{DRIFT}{drift.what}"
