"""Conversations and everything that explains them: who wrote, what was answered, why, and what people thought of it."""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from botcore.roles import Role
from catalog.models import Customer, Shop


def make_public_key() -> str:
    """An unguessable key for addresses, 22 URL-safe characters (128 bits)."""
    return secrets.token_urlsafe(16)


class ShopMember(models.Model):
    """What a person is in one shop (:mod:`botcore.roles`). Staff (``user.is_staff``) need no membership."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="members")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "shop"], name="member_once_per_shop"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="member_has_a_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.shop}"


class ChannelAccount(models.Model):
    """One shop's presence on one platform. ``key`` is part of the webhook address; ``sealed_config`` the secrets."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="channel_accounts")
    channel = models.CharField(max_length=30, help_text="a name in botcore.channels.registry")
    key = models.CharField(max_length=40, unique=True, default=make_public_key)
    sealed_config = models.TextField(blank=True, editable=False)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.shop.slug}/{self.channel}"


class ChannelHealth(models.Model):
    """How sending to one account goes, shared by all workers. Times are when, None is "not".

    ``free_at`` is the token bucket, kept as one time (the generic cell rate algorithm); ``paused_until`` what the
    platform asked for; ``open_until`` the circuit breaker's.
    """

    account = models.OneToOneField(ChannelAccount, models.CASCADE, related_name="health", primary_key=True)
    free_at = models.DateTimeField(default=timezone.now)
    paused_until = models.DateTimeField(null=True, blank=True)
    open_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="since the last success")
    last_ok_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "channel health"

    def __str__(self) -> str:
        return f"{self.account}: {self.failures} failures"


class Contact(models.Model):
    """A person as one platform knows them. ``address`` is what their last message said to answer by."""

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="contacts")
    external_id = models.CharField(max_length=190)
    name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, blank=True)
    customer = models.ForeignKey(Customer, models.SET_NULL, null=True, blank=True, related_name="contacts")
    address = models.JSONField(default=dict, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True, help_text="when they last wrote")
    sent_since = models.PositiveSmallIntegerField(default=0, help_text="messages sent since they last wrote")
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="when they asked for no more messages")
    asked_back_at = models.DateTimeField(null=True, blank=True, help_text="when they were last asked to write again")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "external_id"], name="contact_once_per_account")]

    def __str__(self) -> str:
        return self.name or self.external_id


class Conversation(models.Model):
    """One contact's talk with one shop. ``state`` is the dialogue state after the last answered turn."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="conversations")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="conversations")
    key = models.UUIDField(unique=True, default=uuid.uuid4)
    state = models.JSONField(default=dict, blank=True)
    waiting_for_person = models.BooleanField(default=False)
    trial = models.ForeignKey(
        "botcore.Holdout", models.SET_NULL, null=True, blank=True, db_index=False, related_name="conversations"
    )
    held_out = models.BooleanField(default=False, help_text="of the trial: the bot shows this person no products")
    closed = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_message_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["shop", "-last_message_at"], name="conversation_recent"),
            models.Index(fields=["-last_message_at", "-id"], name="conversation_newest"),
            models.Index(fields=["shop"], name="conversation_held", condition=Q(waiting_for_person=True)),
            models.Index(fields=["trial"], name="conversation_of_trial", condition=Q(trial__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["contact"], condition=Q(closed=False), name="one_open_conversation")
        ]

    def __str__(self) -> str:
        return str(self.key)


class Retention(models.Model):
    """After how many days without a word a shop's conversations are forgotten (:mod:`botcore.retention`); no row: never."""

    shop = models.OneToOneField(Shop, models.CASCADE, related_name="retention")
    days = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(days__gte=14, days__lte=3_650), name="retention_is_no_haste")]

    def __str__(self) -> str:
        return f"{self.shop}: {self.days} days"


class Turn(models.Model):
    """What the customer wrote in one go, and the one reply to it with everything that explains it.

    The row is the queue: ``waiting`` until a worker holds its lease, ``answered`` once the reply is stored with it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting"
        ANSWERED = "answered"
        SILENT = "silent", "a person holds the conversation"

    class WrittenBy(models.TextChoices):
        MODEL = "model"
        TEMPLATE = "template"
        ARTICLE = "article"

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    text = models.TextField(blank=True, help_text="the messages this turn answers, joined by newlines")
    reply = models.TextField(blank=True)
    act = models.CharField(max_length=12, blank=True)
    language = models.CharField(max_length=8, blank=True)
    written_by = models.CharField(max_length=10, choices=WrittenBy.choices, blank=True)
    model_version = models.CharField(max_length=80, blank=True)
    asked_version = models.ForeignKey(
        "botcore.ModelVersion",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="turns",
        help_text="the version that was to write, whoever wrote in the end; none: the one that ships",
    )
    state_before = models.JSONField(default=dict, blank=True)
    state_after = models.JSONField(default=dict, blank=True)
    understanding = models.JSONField(default=dict, blank=True)
    candidates = models.JSONField(default=list, blank=True, help_text="products considered, with features, best first")
    slate = models.JSONField(default=list, blank=True, help_text="the products shown, as sent")
    brief = models.JSONField(default=dict, blank=True, help_text="what the model was told: the facts")
    samples = models.JSONField(default=list, blank=True, help_text="texts the model wrote, with scores and verdicts")
    source = models.JSONField(default=dict, blank=True, help_text="the article an answer rests on")
    timings_ms = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True, help_text="why the model that was to write the reply did not, if it did not")
    suggestion = models.JSONField(default=dict, blank=True, help_text="of a silent turn: what the bot would have said")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "number"], name="turn_number_once")]
        indexes = [
            models.Index(fields=["leased_until", "created_at"], name="turn_waiting", condition=Q(status="waiting")),
            models.Index(fields=["created_at"], name="turn_by_arrival"),
            models.Index(fields=["answered_at"], name="turn_by_answer"),
            models.Index(fields=["answered_at"], name="turn_troubled", condition=~Q(error="")),
            models.Index(fields=["created_at"], name="turn_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}#{self.number}"


class InboundEvent(models.Model):
    """One thing a platform told us, stored once: (account, event_key) makes a repeated delivery a no-op."""

    class Kind(models.TextChoices):
        TEXT = "text"
        BUTTON = "button"
        REACTION = "reaction"
        MEDIA = "media"
        EDIT = "edit"
        STATUS = "status"
        RESET = "reset"
        STOP = "stop"
        START = "start"
        OTHER = "other"

    account = models.ForeignKey(ChannelAccount, models.CASCADE, related_name="events")
    event_key = models.CharField(max_length=190)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="events")
    turn = models.ForeignKey(Turn, models.CASCADE, null=True, blank=True, related_name="events")
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "event_key"], name="event_once_per_account")]
        indexes = [models.Index(fields=["received_at"], name="event_outside_turns", condition=Q(turn=None))]

    def __str__(self) -> str:
        return self.event_key


class Outbound(models.Model):
    """One message to be sent, and what became of it. ``content`` is the channel-neutral message.

    Within a conversation messages are sent in the order of their ids. One without a turn was written by a person.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        HELD = "held", "kept until the platform asks for it"
        SENT = "sent"
        FAILED = "failed"

    class Receipt(models.TextChoices):
        DELIVERED = "delivered"
        READ = "read"

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="outbound")
    turn = models.OneToOneField(Turn, models.CASCADE, null=True, blank=True, related_name="outbound")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="messages_written"
    )
    content = models.JSONField()
    facts = models.JSONField(
        null=True, blank=True, help_text="what it states of prices, stock and texts; none: unknown"
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    leased_until = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    parts_sent = models.PositiveSmallIntegerField(default=0, help_text="platform messages already delivered")
    platform_ids = models.JSONField(default=list, blank=True, help_text="the platform's ids of those messages")
    receipt = models.CharField(max_length=9, choices=Receipt.choices, blank=True, help_text="as far as it tells")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "outbound"
        indexes = [
            models.Index(fields=["next_attempt_at"], name="outbound_pending", condition=Q(status="pending")),
            models.Index(fields=["created_at"], name="outbound_failed", condition=Q(status="failed")),
            models.Index(fields=["created_at"], name="outbound_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.status}"


class EarlyReceipt(models.Model):
    """What a platform told of a message of ours whose id we had not stored yet, until that is found (:mod:`botcore.receipts`)."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="early_receipts")
    platform_id = models.CharField(max_length=500)
    status = models.CharField(max_length=9)
    error = models.TextField(blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact", "platform_id", "status"], name="early_receipt_once")]

    def __str__(self) -> str:
        return f"{self.platform_id}: {self.status}"


def make_token() -> str:
    """An unguessable key that fits into any platform's button, 12 URL-safe characters (72 bits)."""
    return secrets.token_urlsafe(9)


class Button(models.Model):
    """Something that one message let its reader choose. ``action`` is what an event says once it was chosen:
    ``{"sku", "text"}`` or ``{"verdict", "turn"}``. ``number`` is what the reader may write in its place.
    """

    token = models.CharField(max_length=16, primary_key=True, default=make_token)
    outbound = models.ForeignKey(Outbound, models.CASCADE, related_name="buttons")
    number = models.PositiveSmallIntegerField()
    action = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["outbound", "number"], name="button_number_once")]

    def __str__(self) -> str:
        return f"{self.outbound_id}: {self.number}"


class Feedback(models.Model):
    """What a customer thought of one reply."""

    class Kind(models.TextChoices):
        UP = "up"
        DOWN = "down"
        NOT_MEANT = "not_meant", "that's not what I meant"

    class Source(models.TextChoices):
        BUTTON = "button"
        REACTION = "reaction"
        WORDS = "words"

    turn = models.ForeignKey(Turn, models.CASCADE, related_name="feedback")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="feedback")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    source = models.CharField(max_length=10, choices=Source.choices)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["turn", "contact", "source"], name="one_opinion_per_source")]
        indexes = [
            models.Index(fields=["created_at"], name="feedback_by_time"),
            models.Index(fields=["updated_at"], name="feedback_by_change"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.turn_id}"
