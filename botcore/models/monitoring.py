"""What somebody should look at."""

from django.db import models
from django.db.models import Q

from catalog.models import Shop


class Alert(models.Model):
    """One thing that changed, open until it has not been found any more. ``subject`` is what it is about ("drift: intents")."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="alerts")
    subject = models.CharField(max_length=80)
    sentence = models.TextField()
    measured = models.JSONField(default=dict, blank=True)
    proposal = models.TextField(blank=True, help_text="what to do about it")
    opened_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now=True, help_text="when it was last found")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "subject"], condition=Q(closed_at=None), name="one_open_alert_a_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.shop.slug}: {self.subject}"
