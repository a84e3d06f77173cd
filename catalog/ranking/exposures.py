"""Counts of what was shown and what was chosen: the evidence that exploring rests on."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from catalog.models import Exposure, Shop

# One statement, rows in order of their ids: replies stored at the same moment cannot lock each other out.
ADD = """
INSERT INTO catalog_exposure (product_id, shown, chosen)
SELECT id, CASE WHEN sku = ANY(%(shown)s) THEN 1 ELSE 0 END, CASE WHEN sku = ANY(%(chosen)s) THEN 1 ELSE 0 END
FROM catalog_product WHERE shop_id = %(shop)s AND sku = ANY(%(either)s) ORDER BY id
ON CONFLICT (product_id) DO UPDATE
SET shown = catalog_exposure.shown + EXCLUDED.shown, chosen = catalog_exposure.chosen + EXCLUDED.chosen
"""


def count(shop: Shop, shown: Collection[str], chosen: Collection[str]) -> None:
    """Add one to every product (by SKU) that a reply showed, and to every one that the customer now chose."""
    if not shown and not chosen:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            ADD,
            {"shop": shop.pk, "shown": [*shown], "chosen": [*chosen], "either": [*{*shown, *chosen}]},
        )


def counts_of(product_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """(shown, chosen) by product id; products never shown are left out."""
    rows = Exposure.objects.filter(product_id__in=product_ids).values_list("product_id", "shown", "chosen")
    return {product: (shown, chosen) for product, shown, chosen in rows}
