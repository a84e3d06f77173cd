"""Which orders follow a conversation: the shop's customer ordered a product that a reply had shown to the same person.

That is a sequence and no effect: somebody may have come with the order in mind. What conversations bring about is what
the holdout tells (``effect.py``).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from catalog.models import Shop

WINDOW = timedelta(days=7)
"""An order belongs to the last reply that showed its product to the customer, at most so long before."""

ATTRIBUTE = """
INSERT INTO botcore_attributedorder (shop_id, interaction_id, turn_id, at, revenue, first)
SELECT DISTINCT ON (i.id) i.shop_id, i.id, t.id, i.at,
    i.quantity * COALESCE((SELECT min(v.price) FROM catalog_variant v WHERE v.product_id = i.product_id), 0),
    false
FROM catalog_interaction i
JOIN catalog_product p ON p.id = i.product_id
JOIN botcore_contact k ON k.customer_id = i.customer_id
JOIN botcore_conversation c ON c.contact_id = k.id AND c.shop_id = i.shop_id
JOIN botcore_turn t ON t.conversation_id = c.id
WHERE i.shop_id = %(shop)s AND i.kind = 'order' AND i.id > %(above)s AND i.id <= %(upto)s
    AND t.answered_at BETWEEN i.at - %(window)s::interval AND i.at
    AND t.status = 'answered' AND t.slate @> jsonb_build_array(jsonb_build_object('sku', p.sku))
ORDER BY i.id, t.answered_at DESC, t.id DESC
ON CONFLICT (interaction_id) DO NOTHING
RETURNING turn_id, at
"""
FIRST = """
UPDATE botcore_attributedorder a SET first = true
FROM (
    SELECT DISTINCT ON (t.conversation_id) a.id, bool_or(a.first) OVER (PARTITION BY t.conversation_id) AS known
    FROM botcore_attributedorder a JOIN botcore_turn t ON t.id = a.turn_id
    WHERE t.conversation_id IN (SELECT conversation_id FROM botcore_turn WHERE id = ANY(%(turns)s))
    ORDER BY t.conversation_id, a.at, a.id
) earliest
WHERE a.id = earliest.id AND NOT earliest.known
"""


def attribute(shop: Shop, above: int, upto: int) -> list[datetime]:
    """Keep which of the orders among the interactions ``above`` < id <= ``upto`` follow a conversation; when the new ones were.

    Repeating it changes nothing. Two statements, however many orders.
    """
    with connection.cursor() as cursor:
        cursor.execute(ATTRIBUTE, {"shop": shop.pk, "above": above, "upto": upto, "window": str(WINDOW)})
        new: list[tuple[int, datetime]] = cursor.fetchall()
        if new:
            cursor.execute(FIRST, {"turns": [turn for turn, _ in new]})
    return [at for _, at in new]
