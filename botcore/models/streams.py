"""What people say, as it comes in: streams of texts, their sentences with sentiment, and the topics these gather to."""

import secrets

from django.db import models
from django.db.models import Q
from pgvector.django import VectorField

from botcore.models.conversations import Turn, make_public_key
from catalog.models import EMBEDDING_DIMENSIONS, Interaction, Shop


def make_stream_token() -> str:
    """A secret for the Authorization header, 43 URL-safe characters (256 bits)."""
    return secrets.token_urlsafe(32)


class Sentiment(models.TextChoices):
    """What is mixed counts as neutral."""

    POSITIVE = "positive", "positive"
    NEUTRAL = "neutral", "neutral"
    NEGATIVE = "negative", "negative"


class TextStream(models.Model):
    """One feed of texts that a shop watches. Of its own customers' messages and reviews there is one each, which fill
    themselves; any other is fed by REST or from files. ``token_digest`` is the SHA-256 of the token that may feed it."""

    class Kind(models.TextChoices):
        MESSAGES = "messages", "customers' messages"
        REVIEWS = "reviews", "reviews in the catalogue"
        FEED = "feed", "texts from elsewhere"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="text_streams")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.FEED)
    name = models.CharField(max_length=80)
    key = models.CharField(max_length=40, unique=True, default=make_public_key, help_text="part of its address")
    token_digest = models.CharField(max_length=64, blank=True, editable=False)
    collected = models.BigIntegerField(default=0, help_text="the id up to which reviews were looked through")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "name"], name="stream_name_once_per_shop"),
            models.UniqueConstraint(fields=["shop", "kind"], condition=~Q(kind="feed"), name="one_own_stream_a_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.shop.slug}: {self.name}"


class Topic(models.Model):
    """What sentences of a stream speak of. ``centroid`` is the mean of their unit vectors, not itself of unit length.

    A name, once given, stays; only people rename. A topic that turned out to be another one points to it with
    ``merged_into`` and keeps its name as an alias there; ``split_from`` tells where one came from.
    """

    stream = models.ForeignKey(TextStream, models.CASCADE, related_name="topics")
    names = models.JSONField(default=dict, help_text="by language: {'en': ..., 'zh': ...}")
    former_names = models.JSONField(default=list, blank=True, help_text="what people renamed, oldest first")
    centroid = VectorField(dimensions=EMBEDDING_DIMENSIONS)
    count = models.PositiveIntegerField(default=0, help_text="sentences that made the centroid")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    merged_into = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="merged")
    split_from = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="splits")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name_in("en")

    def name_in(self, language: str) -> str:
        """The name in a language, else in another."""
        return str(self.names.get(language) or next(iter(self.names.values()), f"#{self.pk}"))


class TextItem(models.Model):
    """One text, without personal data. ``author`` is a keyed digest that tells people apart and names nobody.

    ``read_at`` is None until a worker has read it. A customer's message goes with its turn, a review with its row.
    """

    stream = models.ForeignKey(TextStream, models.CASCADE, related_name="items")
    external_id = models.CharField(max_length=190)
    at = models.DateTimeField(help_text="when it was said")
    author = models.CharField(max_length=16, blank=True)
    text = models.TextField()
    language = models.CharField(max_length=8)
    sentiment = models.CharField(max_length=8, choices=Sentiment.choices, blank=True)
    confidence = models.FloatField(null=True, blank=True, help_text="calibrated chance of that sentiment")
    turn = models.OneToOneField(Turn, models.CASCADE, null=True, blank=True, related_name="text_item")
    review = models.OneToOneField(Interaction, models.CASCADE, null=True, blank=True, related_name="text_item")
    received_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "external_id"], name="text_once_per_stream")]
        indexes = [
            models.Index(fields=["stream", "at"], name="text_in_time"),
            models.Index(fields=["stream", "at"], name="text_unread", condition=Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id}/{self.external_id}"


class Sentence(models.Model):
    """One sentence of a text. ``topic`` is None while nothing like it was said often enough, or where it names nothing."""

    item = models.ForeignKey(TextItem, models.CASCADE, related_name="sentences")
    place = models.PositiveSmallIntegerField()
    text = models.TextField()
    sentiment = models.CharField(max_length=8, choices=Sentiment.choices)
    confidence = models.FloatField()
    topic = models.ForeignKey(Topic, models.SET_NULL, null=True, blank=True, related_name="sentences")
    vector = VectorField(dimensions=EMBEDDING_DIMENSIONS, null=True, help_text="None: it names nothing")

    class Meta:
        ordering = ["item", "place"]
        constraints = [models.UniqueConstraint(fields=["item", "place"], name="sentence_once_per_place")]

    def __str__(self) -> str:
        return f"{self.item_id}.{self.place}"
