"""What people changed. Written by triggers (:mod:`botcore.audit`); the database refuses to change or delete an entry."""

from django.db import models
from django.utils import timezone


class AuditEntry(models.Model):
    """One change or deed. Ids are kept as numbers and names as they were: an entry outlives what it speaks of.

    ``changes`` maps a field to ``[before, after]``, or to None where the field changed and its value is not for the log.
    """

    class Action(models.TextChoices):
        CREATED = "created"
        CHANGED = "changed"
        DELETED = "deleted"
        SIGNED_IN = "signed_in"
        REFUSED = "refused"
        EXPORTED = "exported"
        ASKED_FOR_PASSWORD = "asked_for_password"  # noqa: S105 (a deed)
        RAN = "ran"

    at = models.DateTimeField(default=timezone.now)
    shop_id = models.BigIntegerField(null=True, help_text="none: what belongs to no shop, as a person's password")
    by_id = models.BigIntegerField(null=True, help_text="none: a command, or somebody who was not signed in")
    by = models.CharField(max_length=150)
    ip = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=120, blank=True)
    action = models.CharField(max_length=20, choices=Action.choices)
    kind = models.CharField(max_length=60, help_text="the model, in lower case")
    row_id = models.BigIntegerField(null=True)
    label = models.CharField(max_length=200, blank=True, help_text="what the row was called")
    changes = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["shop_id", "-id"], name="audit_by_shop"),
            models.Index(fields=["kind", "row_id"], name="audit_by_row"),
            models.Index(fields=["by_id"], name="audit_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.by} {self.action} {self.kind} {self.row_id}"
