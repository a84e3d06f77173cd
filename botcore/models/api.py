"""What a shop's own systems use: tokens of the API, answers kept for repeated requests, and webhooks with what was sent."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from botcore.roles import Right
from catalog.models import Shop


class ApiToken(models.Model):
    """What one program may do in one shop. The token itself is shown once and kept as its SHA-256 alone.

    A token across shops is a row with the same ``digest`` in each, so that every shop sees it and can revoke it.
    ``free_at`` is the token bucket, kept as one time (the generic cell rate algorithm).
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, help_text="which program holds it")
    prefix = models.CharField(max_length=16, help_text="the beginning, to recognise it by")
    digest = models.CharField(max_length=64)
    rights = ArrayField(models.CharField(max_length=20, choices=[(right.value, right.value) for right in Right]))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="api_tokens"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    free_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["digest", "shop"], name="api_token_once_per_shop")]

    def __str__(self) -> str:
        return f"{self.shop.slug}: {self.name} ({self.prefix}…)"


class StoredAnswer(models.Model):
    """The answer to a request that named an ``Idempotency-Key``; None as ``status`` while it is being made.

    ``sealed_answer`` is encrypted: the answer to a new webhook holds its secret.
    """

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="answers")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was asked")
    status = models.PositiveSmallIntegerField(null=True)
    sealed_answer = models.TextField(blank=True)
    leased_until = models.DateTimeField(help_text="until then somebody is at it")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="answer_once_per_key")]
        indexes = [models.Index(fields=["created_at"], name="answer_by_age")]

    def __str__(self) -> str:
        return f"{self.key}: {self.status or 'in progress'}"


class WebhookEndpoint(models.Model):
    """An address of the shop's that is told of events. ``failing_since`` is since when no delivery has arrived."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="webhook_endpoints")
    url = models.URLField(max_length=500)
    events = ArrayField(models.CharField(max_length=40))
    sealed_secrets = models.TextField(editable=False)
    allow_private = models.BooleanField(
        default=False, help_text="whether it may lie in a private network; staff decide"
    )
    active = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0, help_text="attempts in a row that did not arrive")
    failing_since = models.DateTimeField(null=True, blank=True)
    switched_off_for = models.CharField(max_length=200, blank=True, help_text="why we stopped by ourselves")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.shop.slug}: {self.url}"


class WebhookDelivery(models.Model):
    """One event for one endpoint, stored with what it tells of. The row is the queue, as with turns and messages."""

    class Status(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    message_id = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="the webhook-id, the same at every attempt"
    )
    event = models.CharField(max_length=40)
    data = models.JSONField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True)
    answered = models.PositiveSmallIntegerField(null=True, blank=True, help_text="the endpoint's last status")
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="webhook_pending", condition=Q(status="pending")),
            models.Index(fields=["created_at"], name="webhook_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint_id}: {self.status}"
