"""A shop small enough to know by heart, made the way a feed makes one. Its vectors are the fake encoder's."""

from __future__ import annotations

from decimal import Decimal
from unittest import mock

from catalog.ingest.records import ArticleRecord, ProductRecord, VariantRecord
from catalog.ingest.write import upsert_articles, upsert_products
from catalog.models import Shop
from tests.fakes import HashEncoder
from workers import indexing, serving

PRICES = {"J-1": "89.50", "J-2": "120.00", "B-1": "45.50"}


def open_shop(slug: str = "small") -> Shop:
    """Two jackets and a backpack, and one article."""
    shop = Shop.objects.create(slug=slug, name="Lantern & Loom")
    upsert_products(
        shop,
        [
            _product("J-1", "Moss jacket", ("Clothing", "Jackets"), color=["green"], material=["canvas"]),
            _product("J-2", "Dune jacket", ("Clothing", "Jackets"), color=["yellow"], material=["cotton"]),
            _product("B-1", "Ridge backpack", ("Bags", "Backpacks"), color=["green"], material=["canvas"]),
        ],
    )
    upsert_articles(shop, [ArticleRecord("returns", "Returns", "You can send anything back within 30 days.")])
    with mock.patch.object(serving, "encoder", HashEncoder):
        indexing.embed_changed(shop.pk)
    return shop


def _product(sku: str, title: str, category: tuple[str, ...], **attributes: list[str]) -> ProductRecord:
    variant = VariantRecord(sku, Decimal(PRICES[sku]), stock=5)
    return ProductRecord(sku, title, category, (variant,), attributes=attributes)
