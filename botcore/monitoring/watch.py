"""One look at all shops: count what happened, judge the alert rules, send what tells of them; now and then the holdouts.

A surge is counted, judged and told within one look, so that nobody waits longer for an alert than two looks take.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db.models import Q

from botcore.models import Holdout, MetricMark
from botcore.monitoring import effect, notices, rollup, rules, waiting
from catalog.models import Shop

log = structlog.get_logger(__name__)

MEASURED_EVERY = timedelta(hours=1)


def look(now: datetime) -> None:
    """A shop in which something breaks keeps no other from being watched."""
    queued = waiting.wake_ups()
    for shop in Shop.objects.order_by("pk"):
        try:
            if rollup.roll(shop, now):
                rules.watch(shop, now)
        except Exception as error:
            log.exception("a shop could not be watched", shop=shop.slug, error=type(error).__name__)
    MetricMark.objects.update(queued=queued)
    notices.send_due(now)


def measure_holdouts(now: datetime) -> None:
    """Measure every trial that runs, or that ended so lately that people's orders still come in."""
    running = Q(ended_at=None) | Q(ended_at__gt=now - 2 * effect.WINDOW)
    due = Q(measured_at=None) | Q(measured_at__lt=now - MEASURED_EVERY)
    for trial in Holdout.objects.filter(running, due).select_related("shop"):
        effect.measure(trial, now)
