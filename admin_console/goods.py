"""The table of products as the console shows it: rows with what can be edited in them, and a product's own page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from admin_console.conversations import with_words
from botcore.dialogue.facts import format_price
from botcore.models import Turn
from catalog import editing, shelf
from catalog.models import Category, Interaction, Product, ProductLink, Shop, Variant

ASKED_DAYS, ASKED_SHOWN = 28, 5
CHOICES = 2_000
"""Categories that a list offers at most."""


@dataclass(frozen=True)
class Said:
    """What has just happened to one value of a row: kept (``was`` can be put back), refused, or newer than what was seen."""

    field: str
    was: str = ""
    now: str = ""
    problem: str = ""
    stale: bool = False


@dataclass(frozen=True)
class Row:
    """A product of the table. ``price`` is in words; ``variant`` the only one of a product that has one."""

    product: Product
    price: str
    stock: int
    variant: Variant | None
    variants: int
    said: Said | None = None


def row(product: Product, said: Said | None = None) -> Row:
    """A product that was read with its variants and its shop."""
    variants = list(product.variants.all())
    return Row(
        product, price_words(variants, product.shop), sum(variant.stock for variant in variants),
        editing.only_variant(product), len(variants), said,
    )  # fmt: skip


def rows(products: Iterable[Product]) -> list[Row]:
    return [row(product) for product in products]


def price_words(variants: Sequence[Variant], shop: Shop) -> str:
    """``$19``, ``$19 – $25``."""
    ends = shelf.price_range(variants)
    return " – ".join(dict.fromkeys(format_price(price, shop.currency) for price in ends)) if ends else "–"


def categories(shop: Shop) -> list[tuple[str, str]]:
    """The paths of a shop's categories, and their names indented as a tree is."""
    found = Category.objects.filter(shop=shop).order_by("path").values_list("path", "name")[:CHOICES]
    return [(path, "\u2003" * path.count("/") + name) for path, name in found]


def chains(shop: Shop) -> list[str]:
    """A shop's categories with what they lie in: ``Clothing > Jackets``, as a new product's form takes them."""
    names = dict(Category.objects.filter(shop=shop).order_by("path").values_list("path", "name")[:CHOICES])
    parts = {path: path.split("/") for path in names}
    return [
        " > ".join(names.get("/".join(part[:depth]), part[depth - 1]) for depth in range(1, len(part) + 1))
        for part in parts.values()
    ]


@dataclass(frozen=True)
class Dealings:
    """What customers did with a product, and the turns of the last weeks that showed or asked for it."""

    interactions: Sequence[tuple[str, int]]
    turns: Sequence[Turn]
    links: int


def dealings(product: Product) -> Dealings:
    """Of one product, for its page."""
    since = timezone.now() - timedelta(days=ASKED_DAYS)
    counted = Interaction.objects.filter(product=product).values_list("kind").annotate(Count("pk")).order_by("kind")
    shown: Any = {"slate__contains": [{"sku": product.sku}]}
    turns = Turn.objects.filter(conversation__shop=product.shop_id, created_at__gte=since, **shown)
    found = with_words(turns.select_related("conversation")).defer("candidates", "samples", "brief").order_by("-pk")
    links = ProductLink.objects.filter(source=product).count()
    return Dealings(list(counted), list(found[:ASKED_SHOWN]), links)


LANGUAGES = """
SELECT language, count(*) FROM catalog_product, jsonb_object_keys(translations) AS language
WHERE shop_id = %s GROUP BY 1 ORDER BY 2 DESC, 1
"""


def languages(shop: Shop) -> list[tuple[str, int]]:
    """The languages into which products of the shop are translated, with how many are."""
    with connection.cursor() as cursor:
        cursor.execute(LANGUAGES, [shop.pk])
        return cursor.fetchall()
