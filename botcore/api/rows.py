"""What the API answers with: the shapes of rows. Reading them makes no queries beyond what the view fetched with them.

Where the type checker is told to ignore a field, it has the name of an attribute of a serializer's, and is none.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from botcore.api.fields import Attributes, Price, Whole
from botcore.models import (
    Annotation,
    Feedback,
    ModelVersion,
    Outbound,
    TrainingRun,
    Turn,
    WebhookDelivery,
)
from botcore.monitoring.metrics import METRICS, Better, Group, Unit
from catalog.models import Interaction

FREE = {"type": "object", "additionalProperties": True}
ANY = {"type": "array", "items": FREE}


@extend_schema_field(FREE)
class Free(serializers.JSONField):
    """An object whose names are not part of the contract."""


@extend_schema_field(ANY)
class FreeList(serializers.JSONField):
    """A list of such objects."""


class FaultRow(serializers.Serializer):
    detail = serializers.CharField()
    pointer = serializers.CharField(required=False, help_text="where in the body: a JSON Pointer as a fragment")
    parameter = serializers.CharField(required=False, help_text="which parameter or header")


class ProblemRow(serializers.Serializer):
    """An error (RFC 9457)."""

    type = serializers.CharField(help_text="urn:daogou:problem: and its kind")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(help_text="this very answer; a failure of ours stands under it in our log")
    errors = FaultRow(many=True, required=False)  # type: ignore[assignment]


# --- products and what was done with them -----------------------------------------------------------------------------


class VariantRow(serializers.Serializer):
    sku = serializers.CharField()
    price = Price()
    stock = Whole()
    attributes = Attributes()
    image = serializers.CharField()


class ProductRow(serializers.Serializer):
    id = Whole()
    sku = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    brand = serializers.CharField()
    category_path = serializers.CharField(source="category.path")
    attributes = Attributes(help_text="of the product and of its variants")
    translations = Free()
    image = serializers.CharField()
    url = serializers.CharField()
    rating = serializers.FloatField(allow_null=True)
    rating_count = Whole()
    active = serializers.BooleanField()
    variants = serializers.SerializerMethodField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(VariantRow(many=True))
    def get_variants(self, product: Any) -> Any:
        return VariantRow(sorted(product.variants.all(), key=lambda variant: variant.pk), many=True).data


class OutcomeRow(serializers.Serializer):
    """What became of one item of a batch; ``errors`` point into the request's body."""

    index = Whole(help_text="its place in items, from 0")
    status = serializers.ChoiceField(["created", "updated", "unchanged", "refused"])
    errors = FaultRow(many=True, required=False)  # type: ignore[assignment]


class BatchRow(serializers.Serializer):
    """What became of a batch: 200 where everything went in, 207 where something was refused."""

    created = Whole()
    updated = Whole()
    unchanged = Whole()
    refused = Whole()
    items = OutcomeRow(many=True)


class InteractionRow(serializers.Serializer):
    id = Whole()
    customer = serializers.CharField(source="customer.key")
    sku = serializers.CharField(source="product.sku")
    kind = serializers.ChoiceField(Interaction.Kind.values)
    at = serializers.DateTimeField()
    quantity = Whole()
    rating = Whole(allow_null=True)
    text = serializers.CharField()
    language = serializers.CharField()


# --- conversations ----------------------------------------------------------------------------------------------------


class ConversationRow(serializers.Serializer):
    key = serializers.UUIDField()
    channel = serializers.CharField(source="contact.account.channel")
    contact = serializers.CharField(source="contact.external_id", help_text="the person as the platform knows them")
    customer = serializers.CharField(source="contact.customer.key", default=None, allow_null=True)
    waiting_for_person = serializers.BooleanField()
    closed = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_message_at = serializers.DateTimeField()


class TurnRow(serializers.Serializer):
    """What the customer wrote in one go, and the one reply to it."""

    id = Whole()
    number = Whole()
    status = serializers.ChoiceField(Turn.Status.values)
    text = serializers.CharField()
    reply = serializers.CharField()
    act = serializers.CharField()
    language = serializers.CharField()
    written_by = serializers.CharField(help_text="model, template, article, or nothing")
    model_version = serializers.CharField()
    slate = FreeList(help_text="the products shown")
    source = Free(help_text="the article that an answer rests on")  # type: ignore[assignment]
    timings_ms = Free()
    created_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)


class MessageRow(serializers.Serializer):
    id = Whole()
    status = serializers.ChoiceField(Outbound.Status.values)
    text = serializers.CharField(source="content.text")
    created_at = serializers.DateTimeField()


class FeedbackRow(serializers.Serializer):
    id = Whole()
    conversation = serializers.UUIDField(source="turn.conversation.key")
    turn = Whole(source="turn_id")
    kind = serializers.ChoiceField(Feedback.Kind.values)
    source = serializers.ChoiceField(Feedback.Source.values)  # type: ignore[assignment]
    text = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class AnnotationRow(serializers.Serializer):
    id = Whole()
    conversation = serializers.UUIDField(source="turn.conversation.key")
    turn = Whole(source="turn_id")
    author = serializers.CharField(source="author.username", default=None, allow_null=True, help_text="none: a program")
    verdict = serializers.ChoiceField(Annotation.Verdict.values)
    wording = serializers.CharField(help_text="with tags for names and figures")
    reason = serializers.CharField()
    for_training = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


# --- learning ---------------------------------------------------------------------------------------------------------


class SnapshotRow(serializers.Serializer):
    id = Whole()
    content_hash = serializers.CharField()
    counts = Free()
    created_at = serializers.DateTimeField()
    approved_at = serializers.DateTimeField(allow_null=True)


class RunRow(serializers.Serializer):
    id = Whole()
    recipe = serializers.ChoiceField(TrainingRun.Recipe.values)
    snapshot = Whole(source="dataset_id")
    options = Free()
    status = serializers.ChoiceField(TrainingRun.Status.values)
    stage = serializers.CharField()
    error = serializers.CharField()
    version = Whole(source="version.pk", default=None, allow_null=True)
    measures = Whole(source="measures_id", allow_null=True, help_text="the version that it only measures again")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class VersionRow(serializers.Serializer):
    id = Whole()
    name = serializers.CharField()
    recipe = serializers.ChoiceField(TrainingRun.Recipe.values)
    run = Whole(source="run_id", allow_null=True)
    snapshot = Whole(source="dataset_id", allow_null=True)
    parent = Whole(source="parent_id", allow_null=True)  # type: ignore[assignment]
    state = serializers.ChoiceField(ModelVersion.State.values)
    share = Whole(help_text="percent of the conversations, as a canary")
    passed_gate = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    state_since = serializers.DateTimeField()

    @extend_schema_field({"type": ["boolean", "null"]})
    def get_passed_gate(self, version: ModelVersion) -> bool | None:
        return version.gate.get("passed")


class VersionReport(VersionRow):
    """A version with its evaluation and the gate's verdict, line by line."""

    report = Free()
    gate = Free()


class ServingRow(serializers.Serializer):
    """What answers the customers now; none: the model that ships."""

    version = VersionRow(allow_null=True)


# --- watching, webhooks -----------------------------------------------------------------------------------------------


class MetricRow(serializers.Serializer):
    key = serializers.ChoiceField(choices=[key for key, metric in METRICS.items() if metric.now is None])
    group = serializers.ChoiceField(choices=[str(group) for group in Group])
    unit = serializers.ChoiceField(choices=[str(unit) for unit in Unit], help_text="shares are from 0 to 1")
    better = serializers.ChoiceField(choices=[str(side) for side in Better], allow_blank=True)
    value = serializers.FloatField(allow_null=True, help_text="null where too little happened to say anything")


class MetricsRow(serializers.Serializer):
    """Whole hours, from that of the beginning on."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    metrics = MetricRow(many=True)


class AlertRow(serializers.Serializer):
    id = Whole()
    subject = serializers.CharField()
    sentence = serializers.CharField()
    measured = Free()
    proposal = serializers.CharField()
    opened_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class WebhookRow(serializers.Serializer):
    id = Whole()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField()
    failures = Whole(help_text="attempts in a row that did not arrive")
    failing_since = serializers.DateTimeField(allow_null=True)
    switched_off_for = serializers.CharField(help_text="why we stopped by ourselves")
    created_at = serializers.DateTimeField()


class SecretRow(WebhookRow):
    """A webhook with the secret that you check our signatures with. It is said here once."""

    secret = serializers.CharField()


class DeliveryRow(serializers.Serializer):
    id = Whole()
    webhook = Whole(source="endpoint_id")
    message_id = serializers.UUIDField(help_text="the webhook-id of every attempt")
    event = serializers.CharField()
    data = Free()  # type: ignore[assignment]
    status = serializers.ChoiceField(WebhookDelivery.Status.values)
    attempts = Whole()
    next_attempt_at = serializers.DateTimeField()
    answered = Whole(allow_null=True, help_text="your last status")
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


def shown(row: type[serializers.Serializer]) -> Any:
    """Renders a list of rows."""
    return lambda found: row(found, many=True).data
