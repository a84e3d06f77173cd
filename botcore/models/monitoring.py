"""What is watched: metrics in buckets of time, orders that follow conversations, the holdout, alerts and their rules."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from botcore.models.conversations import Contact, Turn
from catalog.models import Interaction, Shop


class MetricBucket(models.Model):
    """What happened in ``width`` seconds from ``start`` on one channel with one version.

    ``counts`` are numbers that add up, durations among them as histograms (:mod:`botcore.monitoring.counting`).
    """

    class Width(models.IntegerChoices):
        MINUTE = 60
        HOUR = 3_600
        DAY = 86_400

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="metric_buckets")
    width = models.PositiveIntegerField(choices=Width.choices)
    start = models.DateTimeField()
    channel = models.CharField(max_length=30)
    version = models.CharField(max_length=80)
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "width", "start", "channel", "version"], name="metric_bucket_counted_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.start:%Y-%m-%d %H:%M} {self.channel} {self.version}"


class MetricMark(models.Model):
    """How far a shop's rows are counted: every change before ``upto``, every interaction up to ``interaction``.

    What happened before ``settled`` is not counted again: conversations of then have been forgotten. ``queued`` is what lay
    in the broker then, by queue, None where it does not tell.
    """

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="metric_mark", primary_key=True)
    upto = models.DateTimeField()
    interaction = models.BigIntegerField(default=0)
    settled = models.DateTimeField(null=True, blank=True)
    queued = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.shop_id} up to {self.upto}"


class AttributedOrder(models.Model):
    """An order of a product that a reply had shown to the same person (:mod:`botcore.monitoring.attribution`).

    ``revenue`` is in the shop's currency, at the product's lowest price when the order was counted: interactions have
    none of their own. ``first``: of its conversation.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="attributed_orders")
    interaction = models.OneToOneField(Interaction, models.CASCADE, related_name="attribution")
    turn = models.ForeignKey(Turn, models.CASCADE, related_name="attributed_orders")
    at = models.DateTimeField()
    revenue = models.DecimalField(max_digits=12, decimal_places=2)
    first = models.BooleanField()

    class Meta:
        indexes = [models.Index(fields=["shop", "at"], name="attributed_by_time")]

    def __str__(self) -> str:
        return f"{self.interaction_id} after turn {self.turn_id}"


class Holdout(models.Model):
    """A randomised trial: a share of the people who write is not shown products by the bot (docs/decisions/0018).

    ``effect`` is what was measured last (:mod:`botcore.monitoring.effect`), empty before.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="holdouts")
    share = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(50)], help_text="percent of the people who write"
    )
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    effect = models.JSONField(default=dict, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["shop"], condition=Q(ended_at=None), name="one_open_holdout_a_shop"),
            models.CheckConstraint(condition=Q(share__gte=1, share__lte=50), name="holdout_share_is_a_minority"),
        ]

    def __str__(self) -> str:
        return f"{self.shop.slug}: {self.share} % since {self.started_at:%Y-%m-%d}"


class AlertRule(models.Model):
    """What is to be told of a metric, and to whom. ``threshold`` is in the metric's unit, of an anomaly in robust z."""

    class Kind(models.TextChoices):
        THRESHOLD = "threshold"
        ANOMALY = "anomaly"

    class Direction(models.TextChoices):
        ABOVE = "above"
        BELOW = "below"

    class State(models.TextChoices):
        OK = "ok"
        PENDING = "pending", "met, but not for long enough"
        FIRING = "firing"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="alert_rules")
    name = models.CharField(max_length=120)
    metric = models.CharField(max_length=60, help_text="a key of botcore.monitoring.metrics")
    channel = models.CharField(max_length=30, blank=True, help_text="of this channel alone")
    version = models.CharField(max_length=80, blank=True, help_text="of this version alone")
    window_minutes = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1)])
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.THRESHOLD)
    direction = models.CharField(max_length=5, choices=Direction.choices, default=Direction.ABOVE)
    threshold = models.FloatField()
    hold_minutes = models.PositiveSmallIntegerField(default=0, help_text="so long must it be met")
    mail_to = models.TextField(blank=True, help_text="addresses with commas between")
    webhook_url = models.CharField(max_length=500, blank=True)
    sealed_secret = models.TextField(blank=True, editable=False)
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="alert_rules")
    active = models.BooleanField(default=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OK)
    state_since = models.DateTimeField(default=timezone.now)
    value = models.FloatField(null=True, blank=True, help_text="as it was measured last")
    checked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="alert_rules"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """What its alerts are about."""
        return f"rule: {self.pk}"


class Alert(models.Model):
    """One thing that changed, open until it has not been found any more. ``subject`` is what it is about ("drift: intents")."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="alerts")
    rule = models.ForeignKey(AlertRule, models.SET_NULL, null=True, blank=True, related_name="alerts")
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


class AlertSilence(models.Model):
    """Alerts about one subject are not told to anybody before ``until``; they are opened and closed all the same."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="alert_silences")
    subject = models.CharField(max_length=80)
    until = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="silences")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "subject"], name="one_silence_a_subject")]

    def __str__(self) -> str:
        return f"{self.subject} until {self.until:%Y-%m-%d %H:%M}"


class AlertNotice(models.Model):
    """One message about an alert by one route, sent once; the row is the queue."""

    class Event(models.TextChoices):
        OPENED = "opened"
        RESOLVED = "resolved"

    class Route(models.TextChoices):
        MAIL = "mail"
        WEBHOOK = "webhook"
        CHAT = "chat"

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notices")
    event = models.CharField(max_length=8, choices=Event.choices)
    route = models.CharField(max_length=7, choices=Route.choices)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now, null=True, help_text="none: sent, or given up")
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "event", "route"], name="notice_sent_once")]
        indexes = [models.Index(fields=["due_at"], name="notice_due", condition=Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.event} by {self.route}"
