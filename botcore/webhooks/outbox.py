"""Writing down what is to be told, in the transaction in which it happens: both are kept or neither is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from botcore import queues
from botcore.models import WebhookDelivery, WebhookEndpoint
from botcore.webhooks.events import Event


def announce(shop_id: int, event: Event, data: Mapping[str, Any]) -> None:
    """Store an event for every endpoint of the shop that asked for it. Call it in the transaction that it tells of."""
    wanting = WebhookEndpoint.objects.filter(shop=shop_id, active=True, events__contains=[event.value])
    for endpoint in wanting:
        queue(endpoint, event, data)


def queue(endpoint: WebhookEndpoint, event: Event, data: Mapping[str, Any]) -> WebhookDelivery:
    """Store an event for one endpoint, whatever it asked for."""
    delivery = WebhookDelivery.objects.create(endpoint=endpoint, event=event.value, data=dict(data))
    transaction.on_commit(partial(queues.wake_webhook, delivery.pk))
    return delivery
