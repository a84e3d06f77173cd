"""What is sent to the API: the bodies of requests and the parameters of lists."""

from __future__ import annotations

from rest_framework import serializers

from botcore.api.fields import (
    AskedWhole,
    AskedYesNo,
    Attributes,
    Figure,
    Moment,
    OneOf,
    Price,
    Text,
    Whole,
    YesNo,
)
from botcore.api.reading import PageQuery
from botcore.learning import recipes
from botcore.models import Annotation, Feedback, ModelVersion, TrainingRun, WebhookDelivery
from botcore.webhooks.events import OFFERED
from catalog.models import Interaction

ITEMS_AT_MOST = 500
MOST_STOCK = 2_147_483_647
LANGUAGE = r"^[a-z]{2,3}$"


# --- products and what was done with them -----------------------------------------------------------------------------


class VariantBody(serializers.Serializer):
    """The thing with a price and a stock."""

    sku = Text(max_length=80)
    price = Price()
    stock = Whole(max_value=MOST_STOCK, default=0)
    attributes = Attributes(default=dict)
    image = Text(max_length=300, allow_blank=True, default="")


class ProductTexts(serializers.Serializer):
    """A product's words in one other language."""

    title = Text(max_length=300, required=False)
    description = Text(max_length=20_000, required=False)


class ProductItem(serializers.Serializer):
    """A product by its SKU. What is left out stays as it is stored; price, stock, category, attributes and the list of
    variants replace what was there."""

    sku = Text(max_length=80)
    title = Text(max_length=300)
    category = serializers.ListField(child=Text(max_length=80), max_length=6, default=list, help_text="from the root")
    variants = serializers.ListField(child=VariantBody(), min_length=1, max_length=200)
    description = Text(max_length=20_000, allow_blank=True, default="")
    brand = Text(max_length=120, allow_blank=True, default="")
    attributes = Attributes(default=dict)
    translations = serializers.DictField(child=ProductTexts(), default=dict, help_text="by language, as in zh")
    image = Text(max_length=300, allow_blank=True, default="", help_text="an address, or a path of ours")
    url = Text(max_length=500, allow_blank=True, default="")
    rating = Figure(min_value=1, max_value=5, default=None, allow_null=True)
    rating_count = Whole(max_value=MOST_STOCK, default=0)


class ProductBatch(serializers.Serializer):
    """Products to create or update."""

    items = serializers.ListField(child=ProductItem(), min_length=1, max_length=ITEMS_AT_MOST)
    all_or_nothing = YesNo(default=False, help_text="with one that is refused, none goes in")


class ProductPatch(serializers.Serializer):
    """What is to change of a product; ``variants`` replaces the list."""

    title = Text(max_length=300, required=False)
    description = Text(max_length=20_000, required=False)
    brand = Text(max_length=120, required=False)
    category = serializers.ListField(child=Text(max_length=80), min_length=1, max_length=6, required=False)
    attributes = Attributes(required=False)
    image = Text(max_length=300, required=False)
    url = Text(max_length=500, required=False)
    variants = serializers.ListField(child=VariantBody(), min_length=1, max_length=200, required=False)
    active = YesNo(required=False, help_text="false takes it out of sale")


class ProductQuery(PageQuery):
    sku = Text(max_length=80, required=False)
    category = Text(max_length=255, required=False, help_text="a category's path; those below it are meant as well")
    active = AskedYesNo(required=False)
    updated_since = Moment(required=False, help_text="with other texts or attributes since then")


class InteractionItem(serializers.Serializer):
    """Something that a customer did with a product."""

    customer = Text(max_length=120, help_text="your own number of this person")
    sku = Text(max_length=80)
    kind = OneOf(Interaction.Kind.values)
    at = Moment()
    quantity = Whole(min_value=1, max_value=32_767, default=1)
    rating = Whole(min_value=1, max_value=5, default=None, allow_null=True, help_text="of a review")
    text = Text(max_length=20_000, allow_blank=True, default="", help_text="of a review")
    language = serializers.RegexField(LANGUAGE, default="", help_text="of the text")


class InteractionBatch(serializers.Serializer):
    """What customers did."""

    items = serializers.ListField(child=InteractionItem(), min_length=1, max_length=ITEMS_AT_MOST)
    all_or_nothing = YesNo(default=False, help_text="with one that is refused, none goes in")


class InteractionQuery(PageQuery):
    customer = Text(max_length=120, required=False)
    sku = Text(max_length=80, required=False)
    kind = OneOf(Interaction.Kind.values, required=False)
    since = Moment(required=False)


# --- conversations ----------------------------------------------------------------------------------------------------


class ConversationQuery(PageQuery):
    waiting = AskedYesNo(required=False, help_text="for a person")
    channel = Text(max_length=30, required=False)
    active_since = Moment(required=False, help_text="with a message since then")


class ConversationPatch(serializers.Serializer):
    """Take a conversation over or hand it back to the bot; say who the customer is, so that orders are told to follow it."""

    waiting_for_person = YesNo(required=False, help_text="true: a person answers; false: the bot does")
    customer = Text(
        max_length=120,
        required=False,
        allow_null=True,
        help_text="the shop's own number of whoever writes, as with interactions; null: not known",
    )


class MessageBody(serializers.Serializer):
    """A person's words to a customer whose conversation waits for a person."""

    text = Text(max_length=4_000)
    after = Whole(required=False, help_text="the last message's id that you have seen: refused where others followed")


class FeedbackBody(serializers.Serializer):
    """What the customer thinks of a reply, as your own app heard it."""

    turn = Whole()
    kind = OneOf(Feedback.Kind.values)
    text = Text(max_length=2_000, allow_blank=True, default="")


class FeedbackQuery(PageQuery):
    kind = OneOf(Feedback.Kind.values, required=False)
    since = Moment(required=False)


class AnnotationBody(serializers.Serializer):
    """Your word on a reply; ``wording`` is what it should have been, with names and prices as the customer reads them."""

    turn = Whole()
    verdict = OneOf(Annotation.Verdict.values)
    wording = Text(max_length=4_000, allow_blank=True, default="", help_text="of a correction")
    reason = Text(max_length=200, allow_blank=True, default="")
    for_training = YesNo(default=True)


class AnnotationPatch(serializers.Serializer):
    """What else may be said of an annotation. Another verdict is a new annotation."""

    reason = Text(max_length=200, allow_blank=True, required=False)
    for_training = YesNo(required=False)


class AnnotationQuery(PageQuery):
    verdict = OneOf(Annotation.Verdict.values, required=False)
    since = Moment(required=False)


# --- learning ---------------------------------------------------------------------------------------------------------


class SnapshotQuery(PageQuery):
    approved = AskedYesNo(required=False)


class RunBody(serializers.Serializer):
    """A training run over an approved snapshot."""

    snapshot = Whole()
    recipe = OneOf(TrainingRun.Recipe.values)
    options = serializers.DictField(default=dict, help_text=f"some of {', '.join(recipes.OPTIONS)}")


class RunQuery(PageQuery):
    status = OneOf(TrainingRun.Status.values, required=False)


class VersionQuery(PageQuery):
    state = OneOf(ModelVersion.State.values, required=False)


class MoveBody(serializers.Serializer):
    """Where a version goes next."""

    to = OneOf(ModelVersion.State.values)
    share = Whole(min_value=1, max_value=99, required=False, help_text="percent of the conversations, of a canary")
    reason = Text(max_length=1_000, allow_blank=True, default="")


class ReasonBody(serializers.Serializer):
    """Why it is done."""

    reason = Text(max_length=1_000, allow_blank=True, default="")


# --- watching, webhooks -----------------------------------------------------------------------------------------------


class MetricsQuery(serializers.Serializer):
    until = Moment(required=False, help_text="the end of the interval, now without it")
    days = AskedWhole(min_value=1, max_value=92, default=7, help_text="its length")
    channel = serializers.CharField(required=False, max_length=30, help_text="of one channel alone")
    version = serializers.CharField(required=False, max_length=80, help_text="of one version of the model alone")


class AlertQuery(PageQuery):
    open = AskedYesNo(required=False)


class WebhookBody(serializers.Serializer):
    """An address of yours that is told of events."""

    url = Text(max_length=500)
    events = serializers.ListField(child=OneOf(list(OFFERED)), min_length=1, max_length=20)


class WebhookPatch(serializers.Serializer):
    url = Text(max_length=500, required=False)
    events = serializers.ListField(child=OneOf(list(OFFERED)), min_length=1, max_length=20, required=False)
    active = YesNo(required=False)


class DeliveryQuery(PageQuery):
    webhook = AskedWhole()
    status = OneOf(WebhookDelivery.Status.values, required=False)
