"""A shop's webhook endpoints: where they are, what they are told, and the secrets that we sign with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from botcore.channels import addresses, signed
from botcore.models import WebhookDelivery, WebhookEndpoint
from botcore.security import seal, unseal
from botcore.webhooks import outbox
from botcore.webhooks.events import OFFERED, Event
from catalog.models import Shop

OVERLAP = timedelta(hours=24)
"""So long after a new secret was made we sign with the one before as well."""
AT_MOST = 20
"""Endpoints of one shop."""


class RefusedError(ValueError):
    """The endpoint cannot be so; ``field`` is what is wrong, the message says why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


class TooManyError(Exception):
    """The shop has as many endpoints as it may have."""


def make(shop: Shop, url: str, events: Sequence[str], allow_private: bool = False) -> tuple[WebhookEndpoint, str]:
    """A new endpoint with the secret that its owner checks our signatures with. Raises ``RefusedError``, ``TooManyError``."""
    check(url, events, allow_private)
    secret = signed.new_secret()
    with transaction.atomic():
        Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
        if WebhookEndpoint.objects.filter(shop=shop).count() >= AT_MOST:
            raise TooManyError
        row = WebhookEndpoint.objects.create(
            shop=shop,
            url=url,
            events=sorted(set(events)),
            allow_private=allow_private,
            sealed_secrets=seal({"secret": secret}),
        )
    return row, secret


def check(url: str, events: Sequence[str], allow_private: bool) -> None:
    """Raises ``RefusedError`` for an address that we must not call, or events that there are not."""
    if len(url) > 500 or addresses.refusal(url, allow_private):
        raise RefusedError("url", "must be a public address of at most 500 characters that begins with https://")
    if not events or not set(events) <= set(OFFERED):
        raise RefusedError("events", f"must be one or more of {', '.join(OFFERED)}")


def change(
    endpoint: WebhookEndpoint,
    url: str | None = None,
    events: Sequence[str] | None = None,
    allow_private: bool | None = None,
) -> None:
    """Another address or other events; None leaves what there is. Raises ``RefusedError``."""
    url, events = url or endpoint.url, events or endpoint.events
    private = endpoint.allow_private if allow_private is None else allow_private
    check(url, events, private)
    endpoint.url, endpoint.events, endpoint.allow_private = url, sorted(set(events)), private
    endpoint.save(update_fields=["url", "events", "allow_private"])


def rotate(endpoint: WebhookEndpoint) -> str:
    """A new secret; the one before goes on to be signed with for ``OVERLAP``."""
    fresh = signed.new_secret()
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        before = unseal(row.sealed_secrets)["secret"]
        until = (timezone.now() + OVERLAP).isoformat()
        row.sealed_secrets = seal({"secret": fresh, "before": before, "until": until})
        row.save(update_fields=["sealed_secrets"])
    return fresh


def secrets_of(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """What to sign with, the newest first."""
    kept = unseal(endpoint.sealed_secrets)
    overlaps = "until" in kept and now < datetime.fromisoformat(kept["until"])
    return [kept["secret"], *([kept["before"]] if overlaps else [])]


def switch(endpoint: WebhookEndpoint, active: bool) -> None:
    """On, with a clean sheet, or off."""
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    row.update(active=active, failures=0, failing_since=None, switched_off_for="")


def try_out(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send an event of type ``test``."""
    with transaction.atomic():
        return outbox.queue(endpoint, Event.TEST, {})
