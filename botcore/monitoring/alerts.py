"""Alerts: opened when something is found, kept while it is found again, closed when it is not; and silences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone, translation

from botcore.models import Alert, AlertRule, AlertSilence
from botcore.monitoring.drift import Drift, drifts
from botcore.monitoring.telling import sentence_of
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


def open_alerts(shops: Sequence[Shop], about: str = "") -> list[Alert]:
    """What somebody should look at, newest first; with ``about`` only what concerns subjects that begin so."""
    found = Alert.objects.filter(shop__in=shops, closed_at=None, subject__startswith=about)
    return list(found.select_related("shop"))


def open_about(shop: Shop, subject: str) -> Alert | None:
    """The open alert about a subject."""
    return Alert.objects.filter(shop=shop, subject=subject, closed_at=None).first()


def opened(shop: Shop, subject: str, **told: Any) -> tuple[Alert, bool]:
    """The open alert about a subject, made now (True) or found again, which renews ``seen_at``. ``told`` are its fields."""
    with transaction.atomic():
        alert, new = Alert.objects.update_or_create(shop=shop, subject=subject, closed_at=None, defaults=told)
        if new:
            announce(shop.pk, Event.ALERT_OPENED, {"alert": alert.pk, "subject": alert.subject})
    return alert, new


def raise_by(rule: AlertRule, measured: Mapping[str, Any]) -> Alert:
    """The alert of a rule that fires."""
    with translation.override("en"):
        sentence = sentence_of(measured, rule.shop.currency)
    told = {"rule": rule, "sentence": f"{rule.name}: {sentence}", "measured": dict(measured)}
    return opened(rule.shop, rule.subject, **told)[0]


def close(shop: Shop, subject: str, now: datetime) -> None:
    """What the alert was about is over."""
    Alert.objects.filter(shop=shop, subject=subject, closed_at=None).update(closed_at=now)


# --- silences ---------------------------------------------------------------------------------------------------------


def silence(shop: Shop, subject: str, until: datetime, by: User) -> AlertSilence:
    """Tell nobody of alerts about a subject before ``until``."""
    row, _ = AlertSilence.objects.update_or_create(shop=shop, subject=subject, defaults={"until": until, "by": by})
    return row


def unsilence(shop: Shop, subject: str) -> None:
    """Tell of them again."""
    AlertSilence.objects.filter(shop=shop, subject=subject).delete()


def silenced(rows: QuerySet[Alert], now: datetime) -> QuerySet[Alert]:
    """Annotates ``silent``: whether an alert's subject is silenced now."""
    running = AlertSilence.objects.filter(shop=OuterRef("shop"), subject=OuterRef("subject"), until__gt=now)
    return rows.annotate(silent=Exists(running))


def is_silenced(alert: Alert, now: datetime) -> bool:
    return AlertSilence.objects.filter(shop=alert.shop_id, subject=alert.subject, until__gt=now).exists()


def dismiss(alert: Alert) -> bool:
    """Somebody has looked at it; False where it was closed already. What is found again opens another."""
    return bool(Alert.objects.filter(pk=alert.pk, closed_at=None).update(closed_at=timezone.now()))


def _opened(shop: Shop, drift: Drift) -> Alert:
    measured: dict[str, Any] = {**asdict(drift), "since": drift.since.isoformat()}
    alert, new = opened(shop, _subject(drift), sentence=drift.sentence, measured=measured, proposal=PROPOSAL)
    if new:
        log.warning("drift", shop=shop.slug, what=drift.what, measure=drift.measure, value=round(drift.value, 3))
    return alert


def _subject(drift: Drift) -> str:
    return f"{DRIFT}{drift.what}"
