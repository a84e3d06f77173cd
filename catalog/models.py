"""What is sold, by whom and to whom. Nothing here knows about conversations.

Every row belongs to one shop; queries start from ``shop`` so that no shop ever sees another's data.
Texts carry the shop's own language in plain fields and other languages in ``translations``
(``{"zh": {"title": ..., "description": ...}}``).
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.core.exceptions import ValidationError
from django.core.files.storage import FileSystemStorage
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.utils.deconstruct import deconstructible
from pgvector.django import HalfVectorField, HnswIndex, VectorField

EMBEDDING_DIMENSIONS = 384
HALF_EMBEDDING = Cast("embedding", HalfVectorField(dimensions=EMBEDDING_DIMENSIONS))
"""What the index holds: half the memory, and the neighbours are the same."""
DIVERSITY = 0.4
"""A new shop's dial; docs/ranking.md has the curve it was read from."""


class Shop(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217 code")
    language = models.CharField(max_length=8, default="en", help_text="language of titles and descriptions")
    diversity = models.FloatField(
        default=DIVERSITY,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="how varied the products of one reply are: 0 most relevant, 1 most varied",
    )
    explores = models.BooleanField(
        default=False, help_text="the last place of a reply tries products that few customers were shown"
    )
    popularity_half_life_days = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(1)], help_text="after so many days a view or an order counts half"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """A node of the shop's category tree; ``path`` is the chain of slugs from the root, as in ``clothing/jackets``."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="categories")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=255)
    name = models.CharField(max_length=120)
    translations = models.JSONField(default=dict, blank=True, help_text='{"zh": {"name": ...}}')
    aliases = models.JSONField(default=list, blank=True, help_text="other words customers use, any language")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "path"], name="category_path_once_per_shop")]
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.path


class AttributeValue(models.Model):
    """One value of one attribute as the shop writes it: the vocabulary that understanding reads customers' words with.

    Maintained by ingest; ``names`` holds what other languages and customers call the value.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="attribute_values")
    attribute = models.CharField(max_length=60)
    value = models.CharField(max_length=120)
    names = models.JSONField(default=dict, blank=True, help_text='{"zh": ["绿色"], "en": ["emerald"]}')
    product_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "attribute", "value"], name="attribute_value_once_per_shop")
        ]

    def __str__(self) -> str:
        return f"{self.attribute}={self.value}"


class Product(models.Model):
    """What a customer chooses; what they buy is one of its variants (at least one each).

    ``attributes`` maps an attribute to a list of lower-case values: ``{"material": ["canvas"], "color": ["green"]}``.
    ``document`` is the segmented text that full-text search reads; ``text_digest`` says which text the embedding is of.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="products")
    category = models.ForeignKey(Category, models.PROTECT, related_name="products")
    sku = models.CharField(max_length=80)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    brand = models.CharField(max_length=120, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    translations = models.JSONField(default=dict, blank=True)
    image = models.CharField(max_length=300, blank=True, help_text="path under the media root, or a URL")
    url = models.URLField(max_length=500, blank=True)
    rating = models.FloatField(null=True, blank=True, help_text="mean stars, 1 to 5")
    rating_count = models.PositiveIntegerField(default=0)
    popularity = models.FloatField(default=0, help_text="interactions, decayed; any non-negative unit")
    active = models.BooleanField(default=True)
    document = models.TextField(blank=True, editable=False)
    search_vector = models.GeneratedField(
        expression=SearchVector("document", config="english"), output_field=SearchVectorField(), db_persist=True
    )
    embedding = VectorField(dimensions=EMBEDDING_DIMENSIONS, null=True, editable=False)
    text_digest = models.CharField(max_length=64, blank=True, editable=False)
    embedded_digest = models.CharField(max_length=64, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "sku"], name="product_sku_once_per_shop")]
        indexes = [
            GinIndex(
                fields=["search_vector", "attributes"],
                name="product_words_and_values",
                opclasses=["tsvector_ops", "jsonb_path_ops"],
            ),
            HnswIndex(OpClass(HALF_EMBEDDING, "halfvec_cosine_ops"), name="product_embedding"),
            models.Index(
                fields=["shop", "category"], include=["id"], name="product_by_category", condition=Q(active=True)
            ),
            models.Index(fields=["shop", "updated_at"], name="product_by_change"),
            models.Index(fields=["shop", "title"], include=["id"], name="product_by_title"),
            models.Index(fields=["shop"], name="product_hidden", condition=Q(active=False)),
            models.Index(fields=["shop"], name="product_without_picture", condition=Q(image="")),
            models.Index(fields=["shop"], name="product_without_description", condition=Q(description="")),
            models.Index(fields=["shop"], name="product_to_embed", condition=~Q(embedded_digest=F("text_digest"))),
            models.Index(fields=["image"], name="product_by_picture", condition=~Q(image="")),
        ]

    def __str__(self) -> str:
        return f"{self.sku} {self.title}"

    def text(self, field: str, language: str) -> str:
        """``title`` or ``description`` in ``language``, else in the shop's own."""
        translated: dict[str, Any] = self.translations.get(language) or {}
        return translated.get(field) or getattr(self, field)


class Variant(models.Model):
    """The thing with a price and a stock: one size and colour of a product."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="variants")
    sku = models.CharField(max_length=80)
    attributes = models.JSONField(default=dict, blank=True, help_text='{"size": ["m"]}')
    price = models.DecimalField(max_digits=12, decimal_places=2, help_text="in the shop's currency")
    stock = models.PositiveIntegerField(default=0)
    image = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "sku"], name="variant_sku_once_per_product"),
            models.CheckConstraint(condition=Q(price__gte=Decimal("0")), name="variant_price_not_negative"),
        ]
        indexes = [
            models.Index(fields=["product", "price"], name="variant_by_price", condition=Q(stock__gt=0)),
            models.Index(fields=["price"], include=["product"], name="variant_cheapest", condition=Q(stock__gt=0)),
            models.Index(fields=["image"], name="variant_by_picture", condition=~Q(image="")),
            models.Index(fields=["product"], name="variant_sold_out", condition=Q(stock=0)),
            models.Index(fields=["sku"], name="variant_by_sku"),
        ]

    def __str__(self) -> str:
        return self.sku


class PictureVector(models.Model):
    """How a picture of a shop looks to one image encoder; products and variants that show it name the same ``source``.

    ``vector`` is None while the picture could not be had, for ``error``; it is looked at again at ``due_at``.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="picture_vectors")
    model = models.CharField(max_length=120, help_text="the encoder; only vectors of the same one are compared")
    source = models.CharField(max_length=300, help_text="path under the media root, or a URL")
    vector = HalfVectorField(null=True, editable=False)
    due_at = models.DateTimeField()
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "model", "source"], name="picture_once_per_model")]

    def __str__(self) -> str:
        return self.source


class PictureScale(models.Model):
    """What counts as looking alike among a shop's pictures, to one image encoder.

    ``near`` is the cosine from which two pictures are taken to show things of one kind, None where that cannot be told;
    ``told_apart`` is Youden's J there, ``pictures`` how many the shop showed.
    """

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="picture_scales")
    model = models.CharField(max_length=120)
    near = models.FloatField(null=True)
    told_apart = models.FloatField(default=0)
    pictures = models.PositiveIntegerField(default=0)
    measured_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "model"], name="picture_scale_once_per_model")]

    def __str__(self) -> str:
        return f"{self.model}: {self.near}"


class KnowledgeArticle(models.Model):
    """A policy or FAQ entry that answers may quote. One row per language; ``slug`` joins the languages."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="articles")
    slug = models.SlugField(max_length=120)
    language = models.CharField(max_length=8, default="en")
    title = models.CharField(max_length=200)
    body = models.TextField()
    active = models.BooleanField(default=True)
    document = models.TextField(blank=True, editable=False)
    search_vector = models.GeneratedField(
        expression=SearchVector("document", config="english"), output_field=SearchVectorField(), db_persist=True
    )
    embedding = VectorField(dimensions=EMBEDDING_DIMENSIONS, null=True, editable=False)
    text_digest = models.CharField(max_length=64, blank=True, editable=False)
    embedded_digest = models.CharField(max_length=64, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "slug", "language"], name="article_once_per_language")]
        indexes = [GinIndex(fields=["search_vector"], name="article_fulltext")]

    def __str__(self) -> str:
        return self.title


class Customer(models.Model):
    """A person as the shop's own systems know them; chat contacts may be linked to one."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="customers")
    key = models.CharField(max_length=120, help_text="the shop's own customer number")
    name = models.CharField(max_length=200, blank=True)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "key"], name="customer_key_once_per_shop")]

    def __str__(self) -> str:
        return self.key


class Interaction(models.Model):
    """Something a customer did with a product. Reviews carry a rating and a text."""

    class Kind(models.TextChoices):
        VIEW = "view"
        CART = "cart"
        ORDER = "order"
        REVIEW = "review"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="interactions")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="interactions")
    product = models.ForeignKey(Product, models.CASCADE, related_name="interactions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    at = models.DateTimeField()
    quantity = models.PositiveSmallIntegerField(default=1)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=8, blank=True)
    simulated = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["product", "kind"], name="interaction_by_product"),
            models.Index(fields=["customer", "at"], name="interaction_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.kind} {self.product_id}"


class Exposure(models.Model):
    """How often a product was shown in a reply, and how often a customer then chose it."""

    product = models.OneToOneField(Product, models.CASCADE, related_name="exposure")
    shown = models.PositiveIntegerField(default=0)
    chosen = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.product_id} chosen {self.chosen} of {self.shown}"


class MerchandisingRule(models.Model):
    """What the shop itself wants of its slates. A product is meant if it meets every criterion that is filled in.

    ``goal`` limits the rule to talks about a category. No rule ever shows a product that breaks a hard wish.
    """

    class Kind(models.TextChoices):
        PIN = "pin", "pin to a place"
        BOOST = "boost"
        BURY = "bury"
        NEVER_TOGETHER = "never_together", "never two of these on one slate"
        GOES_WITH = "goes_with", "goes with the companions"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="merchandising_rules")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=14, choices=Kind.choices)
    goal = models.CharField(max_length=255, blank=True, help_text="path of the category asked for; any where empty")
    products = models.ManyToManyField(Product, blank=True, related_name="merchandising_rules")
    category = models.ForeignKey(Category, models.CASCADE, null=True, blank=True, related_name="merchandising_rules")
    attribute = models.CharField(max_length=60, blank=True)
    value = models.CharField(max_length=120, blank=True)
    companions = models.ManyToManyField(
        Product, blank=True, related_name="companion_rules", help_text="of a goes-with rule: what to offer beside"
    )
    place = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="of a pin: the place on the slate, from 1"
    )
    strength = models.FloatField(
        default=0.5, validators=[MinValueValidator(0)], help_text="of a boost or bury: what the score gains or loses"
    )
    active = models.BooleanField(default=True)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(attribute="", value="") | (~Q(attribute="") & ~Q(value="")),
                name="rule_attribute_with_its_value",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_from__lt=F("valid_until")),
                name="rule_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["shop"], name="rule_active", condition=Q(active=True))]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def clean(self) -> None:
        if self.category and self.category.shop_id != self.shop_id:
            raise ValidationError({"category": "This category belongs to another shop."})


class ProductLink(models.Model):
    """``source`` goes with, is an accessory of, may stand in for, or is of one series with ``target``.

    ``rebuild`` of ``catalog.graph`` makes most from what customers did; what a merchant added or vetoed stays. ``weight``
    is the share of those who took (of a substitute: looked at) the one that took the other too. A veto speaks of the two
    products, whatever its kind and direction.
    """

    class Kind(models.TextChoices):
        GOES_WITH = "goes_with", "goes with"
        ACCESSORY_OF = "accessory_of", "accessory of"
        SUBSTITUTE_FOR = "substitute_for", "substitute for"
        SAME_SERIES = "same_series", "same series"

    class Origin(models.TextChoices):
        CO_PURCHASE = "co_purchase", "bought together"
        CO_VIEW = "co_view", "looked at together"
        CATALOGUE = "catalogue", "read from the catalogue"
        MERCHANT = "merchant", "added by the shop"
        VETO = "veto", "vetoed by the shop"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="product_links")
    source = models.ForeignKey(Product, models.CASCADE, related_name="links")
    target = models.ForeignKey(Product, models.CASCADE, related_name="linked_from")
    kind = models.CharField(max_length=14, choices=Kind.choices)
    origin = models.CharField(max_length=11, choices=Origin.choices)
    weight = models.FloatField(
        default=1, help_text="share of baskets or visits with the one that have the other, 0 to 1"
    )
    support = models.PositiveIntegerField(default=0, help_text="baskets or visits that say so")
    evidence = models.CharField(
        max_length=300, blank=True, help_text="the kinds they are of, where not the two products"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "kind"], name="link_once_per_kind"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="link_to_another_product"),
        ]
        indexes = [
            models.Index(fields=["shop", "kind"], name="link_by_kind"),
            models.Index(fields=["shop"], name="link_vetoed", condition=Q(origin="veto")),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.target_id}"


class Feed(models.Model):
    """An address that a shop's products are fetched from, again and again. ``content_hash`` is of what was last imported."""

    class Every(models.TextChoices):
        HOUR = "hour"
        DAY = "day"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="feeds")
    name = models.CharField(max_length=120)
    url = models.URLField(max_length=500)
    every = models.CharField(max_length=4, choices=Every.choices, default=Every.DAY)
    mapping = models.JSONField(default=dict, blank=True, help_text="as ``catalog.ingest.mapping.Mapping`` reads it")
    encoding = models.CharField(max_length=20, default="utf-8-sig")
    active = models.BooleanField(default=True)
    next_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, help_text="why it could not be fetched the last time")
    content_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="feed_due", condition=Q(active=True))]

    def __str__(self) -> str:
        return self.name


@deconstructible
class ImportsFolder(FileSystemStorage):
    """Where uploaded feeds wait; no address leads there."""

    @property
    def base_location(self) -> str:
        return str(settings.IMPORTS_DIR)

    @property
    def location(self) -> str:
        return str(Path(self.base_location).resolve())


class ChangeSet(models.Model):
    """Products changed together, from a file or as a selection: what was asked for, how far it is, what came of it.

    The row is the queue: ``task`` says what is to be done next or was done last, ``status`` how that stands.
    """

    class Kind(models.TextChoices):
        FILE = "file"
        FEED = "feed"
        BULK = "bulk"

    class Task(models.TextChoices):
        CHECK = "check"
        WRITE = "write"
        UNDO = "undo"

    class Status(models.TextChoices):
        WAITS = "waits"
        RUNS = "runs"
        DONE = "done"
        FAILED = "failed"

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="change_sets")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    feed = models.ForeignKey(Feed, models.SET_NULL, null=True, blank=True, related_name="change_sets")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    name = models.CharField(max_length=200)
    file = models.FileField(storage=ImportsFolder(), blank=True)
    encoding = models.CharField(max_length=20, default="utf-8-sig")
    options = models.JSONField(
        default=dict, blank=True, help_text="a file's mapping; a selection and what is done to it"
    )
    task = models.CharField(max_length=5, choices=Task.choices, default=Task.CHECK)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.WAITS)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True, help_text="products by what became, or would become, of them")
    notes = models.JSONField(default=list, blank=True)
    error = models.TextField(blank=True)
    categories = models.JSONField(default=list, blank=True, help_text="ids of the categories that it made")
    names = models.JSONField(
        default=list, blank=True, help_text="[attribute, value, names before or null, names after]"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    alive_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["shop", "-created_at"], name="change_set_newest"),
            models.Index(fields=["alive_at"], name="change_set_open", condition=Q(status__in=["waits", "runs"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class ChangedProduct(models.Model):
    """What a change set changed of one product: the values that differ, before and after, as ``catalog.journal`` reads them.

    ``before`` is None of a product that it made. ``kept`` says why an undo left the product as it is.
    """

    change_set = models.ForeignKey(ChangeSet, models.CASCADE, related_name="changed")
    sku = models.CharField(max_length=80)
    before = models.JSONField(null=True)
    after = models.JSONField()
    undone = models.BooleanField(default=False)
    kept = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change_set", "sku"], name="product_changed_once_per_set")]

    def __str__(self) -> str:
        return self.sku


class RowProblem(models.Model):
    """A row of a change set's file that does not go in, and what to write instead."""

    change_set = models.ForeignKey(ChangeSet, models.CASCADE, related_name="problems")
    line = models.PositiveIntegerField()
    reason = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["change_set", "line"], name="row_problem_by_line")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
