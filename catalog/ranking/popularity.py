"""``Product.popularity`` from interactions: what was done with a product, halved for every half-life that has passed."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from catalog.models import Shop
from catalog.ranking.taste import WEIGHTS

DECAYED = """
UPDATE catalog_product p SET popularity = s.total
FROM (
    SELECT i.product_id, SUM(
        (CASE i.kind WHEN 'view' THEN %(view)s WHEN 'cart' THEN %(cart)s WHEN 'order' THEN %(order)s ELSE 0 END)
        * power(0.5, EXTRACT(EPOCH FROM (%(now)s - i.at)) / 86400.0 / %(half_life)s)
    ) AS total
    FROM catalog_interaction i WHERE i.shop_id = %(shop)s AND i.at <= %(now)s GROUP BY i.product_id
) s
WHERE p.id = s.product_id AND abs(p.popularity - s.total) > 0.01 * (1 + s.total)
"""


def refresh_popularity(shop: Shop, now: datetime) -> int:
    """Bring the shop's popularities to ``now``; how many changed by more than a hundredth.

    Products without interactions keep what their feed said. Small changes are left alone: each writes a wide row.
    """
    values = {kind: WEIGHTS[kind] for kind in ("view", "cart", "order")}
    with connection.cursor() as cursor:
        cursor.execute(DECAYED, {**values, "now": now, "half_life": shop.popularity_half_life_days, "shop": shop.pk})
        return int(cursor.rowcount)
