"""A shop whose categories are departments, where an attribute tells which kind of product something is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from botcore.dialogue.lexicon import kept
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.ingest.write import upsert_products
from catalog.models import Shop
from tests.factories import ShopFactory
from workers import indexing


def sorted_shop(goods: Sequence[tuple[str, str, str, str, str]]) -> Shop:
    """A shop of ``goods``: category, style, title, price and description of each; the skus are P00, P01 and so on, encoded by
    ``workers.serving.encoder``."""
    shop = ShopFactory(currency="USD")
    upsert_products(
        shop,
        [
            ProductRecord(
                sku=f"P{number:02}",
                title=title,
                category=(category,),
                variants=(VariantRecord(sku=f"P{number:02}", price=Decimal(price), stock=5),),
                description=description,
                attributes={"style": [style]},
            )
            for number, (category, style, title, price, description) in enumerate(goods)
        ],
    )
    indexing.embed_changed(shop.pk)
    kept._cache.clear()
    return shop
