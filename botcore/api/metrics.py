"""The metrics of an interval, from the buckets that the console's pages and alert rules read too."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botcore.models import MetricBucket
from botcore.monitoring import rollup
from botcore.monitoring.metrics import METRICS
from botcore.monitoring.rollup import Interval
from catalog.models import Shop


def measured(shop: Shop, since: datetime, until: datetime, channel: str = "", version: str = "") -> dict[str, Any]:
    """Every metric of whole hours from ``since``'s on; what is read at this moment alone is left out.

    ``value`` is None where too little happened to say anything.
    """
    since = since.replace(minute=0, second=0, microsecond=0)
    counts = rollup.total(shop, MetricBucket.Width.HOUR, Interval(since, until), channel, version)
    minutes = max((until - since) / timedelta(minutes=1), 1)
    kept = [metric for metric in METRICS.values() if metric.now is None]
    return {
        "since": since,
        "until": until,
        "metrics": [
            {
                "key": metric.key,
                "group": str(metric.group),
                "unit": str(metric.unit),
                "better": str(metric.better),
                "value": metric.read(counts, minutes),
            }
            for metric in kept
        ],
    }
