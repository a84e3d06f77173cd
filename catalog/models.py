"""What is sold, by whom and to whom. Nothing here knows about conversations.

Every row belongs to one shop; queries start from ``shop`` so that no shop ever sees another's data.
Texts carry the shop's own language in plain fields and other languages in ``translations``
(``{"zh": {"title": ..., "description": ...}}``).
"""

from decimal import Decimal
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from pgvector.django import HnswIndex, VectorField

EMBEDDING_DIMENSIONS = 384


class Shop(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217 code")
    language = models.CharField(max_length=8, default="en", help_text="language of titles and descriptions")
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
            GinIndex(fields=["search_vector"], name="product_fulltext"),
            GinIndex(fields=["attributes"], name="product_attributes", opclasses=["jsonb_path_ops"]),
            HnswIndex(fields=["embedding"], name="product_embedding", opclasses=["vector_cosine_ops"]),
            models.Index(fields=["shop", "category"], name="product_by_category"),
            models.Index(fields=["shop"], name="product_to_embed", condition=~Q(embedded_digest=F("text_digest"))),
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
        indexes = [models.Index(fields=["product", "price"], name="variant_by_price")]

    def __str__(self) -> str:
        return self.sku


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
