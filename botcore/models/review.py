"""The review queue: which replies await a person's word, what every decision changed, and the views people keep of it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from botcore.models.conversations import Turn
from catalog.models import Shop


class ReviewItem(models.Model):
    """One answered reply in the queue, with all that it is ordered, found and grouped by: the queue reads no turns.

    ``version`` grows with every decision, so that nobody decides on what they have not seen.
    """

    class Status(models.TextChoices):
        WAITING = "waiting"
        SECOND = "second", "waits for a second reader"
        DONE = "done"

    turn = models.OneToOneField(Turn, models.CASCADE, primary_key=True, related_name="review")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="review_items")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    version = models.PositiveIntegerField(default=0)
    value = models.FloatField(help_text="what a word on it is expected to be worth; the greatest comes first")
    opinion = models.CharField(max_length=10, blank=True, help_text="the customer's worst, a kind of feedback")
    confidence = models.FloatField(help_text="how sure the model was, 0 to 1")
    novelty = models.FloatField(help_text="1 for the first reply of its topic, less for each that came before")
    topic = models.CharField(max_length=120, blank=True)
    act = models.CharField(max_length=12, blank=True)
    written_by = models.CharField(max_length=10, blank=True)
    channel = models.CharField(max_length=30)
    text = models.TextField(help_text="message and reply in small letters, to be searched")
    letters = models.TextField(help_text="message and tagged reply as near-duplicates are compared")
    group = models.BigIntegerField(help_text="the turn that this one nearly repeats; its own where it repeats none")
    bands = ArrayField(models.BigIntegerField(), default=list, help_text="of a group's first alone")
    for_second = models.BooleanField(help_text="drawn to be read by two people, blindly")
    first_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="first_readings"
    )
    agreed = models.BooleanField(
        null=True, blank=True, help_text="whether both readers said the same; none: not two yet"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="reviewing"
    )
    held_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(help_text="the turn's")

    class Meta:
        indexes = [
            models.Index(
                fields=["shop", "-value", "-turn"],
                name="review_queue",
                condition=Q(status__in=["waiting", "second"]),
            ),
            models.Index(fields=["group", "-value", "-turn"], name="review_group", condition=Q(status="waiting")),
            models.Index(fields=["shop", "topic"], name="review_topic"),
            models.Index(fields=["shop", "-decided_at"], name="review_decided", condition=Q(status="done")),
            models.Index(fields=["shop", "agreed"], name="review_read_twice", condition=Q(agreed__isnull=False)),
            GinIndex(fields=["bands"], name="review_near"),
            GinIndex(fields=["text"], opclasses=["gin_trgm_ops"], name="review_words"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.turn_id}"

    def is_read_blindly_by(self, person: int) -> bool:
        """Whether the first of two readers has decided, and this one is not to know."""
        return self.status == self.Status.SECOND and self.first_by_id != person


class ReviewDecision(models.Model):
    """One person's decision on one reply: appended, never changed, but for ``undone_at``.

    All that was decided with one press has one ``token``, which its sender made: sent twice, it counts once. ``before``
    and ``after`` are the annotation, None where there was none, and the item's standing.
    """

    class Kind(models.TextChoices):
        APPROVED = "approved"
        CORRECTED = "corrected"
        REJECTED = "rejected"
        TRAINING = "training", "used for training, or not"

    turn = models.ForeignKey(Turn, models.CASCADE, related_name="decisions")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="review_decisions"
    )
    token = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = models.CharField(max_length=200, blank=True)
    before = models.JSONField()
    after = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "turn"], name="decision_counts_once")]
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.turn_id}"


class SavedView(models.Model):
    """Filters of a shop's queue under a name, for everybody who reviews there. ``query`` is as an address carries it."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="review_views")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="review_views"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="view_name_once_per_shop")]
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name
