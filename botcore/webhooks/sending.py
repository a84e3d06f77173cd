"""From a stored event to the endpoint: leased, signed, tried again with growing waits, given up in the end.

An endpoint that fails for a day is switched off. Repeats are possible and order is not kept: the receiver goes by
``webhook-id`` and ``timestamp``.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from botcore import queues
from botcore.channels import http, signed
from botcore.environment import ConfigurationError
from botcore.models import WebhookDelivery, WebhookEndpoint
from botcore.webhooks import endpoints

log = structlog.get_logger(__name__)

Status = WebhookDelivery.Status
LEASE = timedelta(seconds=60)
WAITS_SECONDS = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000)
"""Between attempts; after the last one the event is given up. Two days, as Standard Webhooks advises."""
FAILING = timedelta(days=1)
FAILURES = 10
"""An endpoint is switched off after so many failures in a row over so long a time."""
KEPT = timedelta(days=30)
GONE = 410
"""How an endpoint says that it wants no more (Standard Webhooks, "Success and failure")."""


def deliver(delivery_id: int) -> None:
    """Send one event, if it is due and nobody else is at it."""
    delivery = _claim(delivery_id)
    if delivery is None:
        return
    endpoint = delivery.endpoint
    if not endpoint.active:
        _give_up(delivery, "the endpoint is switched off")
        return
    try:
        delivery.answered, delivery.error = _post(delivery), ""
    except (http.UnreachableError, ConfigurationError) as error:
        delivery.answered, delivery.error = None, str(error)[:200]
    if delivery.answered is not None and 200 <= delivery.answered < 300:
        _arrived(delivery)
    else:
        _failed(delivery)


def resend(delivery: WebhookDelivery) -> bool:
    """Try an event once more, from the first wait on, also one that arrived; False while it is under way anyway."""
    again = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(status=Status.PENDING)
    asked = again.update(status=Status.PENDING, attempts=0, next_attempt_at=timezone.now(), leased_until=None, error="")
    if asked:
        transaction.on_commit(partial(queues.wake_webhook, delivery.pk))
    return bool(asked)


def sweep() -> int:
    """Wake workers again for events that are due and that nobody is sending. Returns how many."""
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    due = WebhookDelivery.objects.filter(free, status=Status.PENDING, next_attempt_at__lte=now - timedelta(seconds=2))
    ids = list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:200])
    if queues.backlog("io") >= len(ids):
        return 0
    for delivery_id in ids:
        queues.wake_webhook(delivery_id)
    return len(ids)


def forget(now: datetime) -> int:
    """Delete what was told long ago; how many rows."""
    return WebhookDelivery.objects.filter(created_at__lt=now - KEPT).exclude(status=Status.PENDING).delete()[0]


def body_of(delivery: WebhookDelivery) -> bytes:
    """What is posted: the same bytes at every attempt."""
    told = {"type": delivery.event, "timestamp": delivery.created_at.isoformat(), "data": delivery.data}
    return json.dumps(told, ensure_ascii=False).encode()


def _claim(delivery_id: int) -> WebhookDelivery | None:
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    due = WebhookDelivery.objects.filter(free, pk=delivery_id, status=Status.PENDING, next_attempt_at__lte=now)
    if not due.update(leased_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    return WebhookDelivery.objects.select_related("endpoint").get(pk=delivery_id)


def _post(delivery: WebhookDelivery) -> int:
    """The endpoint's status. Raises ``UnreachableError``."""
    endpoint, keys = delivery.endpoint, endpoints.secrets_of(delivery.endpoint, timezone.now())
    return signed.post(endpoint.url, str(delivery.message_id), body_of(delivery), keys, endpoint.allow_private)


@transaction.atomic
def _arrived(delivery: WebhookDelivery) -> None:
    delivery.status, delivery.sent_at, delivery.leased_until = Status.SENT, timezone.now(), None
    delivery.save(update_fields=["status", "sent_at", "leased_until", "answered", "error"])
    WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(failures=0, failing_since=None)


@transaction.atomic
def _failed(delivery: WebhookDelivery) -> None:
    """Plan the next attempt or give up, and switch off an endpoint that has failed for too long."""
    now = timezone.now()
    row = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id)
    row.update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", now))
    delivery.error = delivery.error or f"answered {delivery.answered}"
    tired = row.filter(failures__gte=FAILURES, failing_since__lte=now - FAILING).exists()
    if delivery.answered == GONE or tired:
        why = "it answered 410" if delivery.answered == GONE else "nothing has arrived for a day"
        row.update(active=False, switched_off_for=why)
        log.warning("webhook endpoint switched off", endpoint=delivery.endpoint_id, why=why)
    if delivery.answered == GONE or tired or delivery.attempts > len(WAITS_SECONDS):
        _give_up(delivery, delivery.error)
        return
    seconds = WAITS_SECONDS[delivery.attempts - 1] * random.uniform(0.9, 1.1)
    delivery.next_attempt_at, delivery.leased_until = now + timedelta(seconds=seconds), None
    delivery.save(update_fields=["next_attempt_at", "leased_until", "answered", "error"])


def _give_up(delivery: WebhookDelivery, error: str) -> None:
    delivery.status, delivery.leased_until, delivery.error = Status.FAILED, None, error
    delivery.save(update_fields=["status", "leased_until", "answered", "error"])
