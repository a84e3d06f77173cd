"""Merchandising rules as the console reads them: each in words, and what one of them does to a slate."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from catalog.models import MerchandisingRule, Shop
from catalog.ranking.preview import Preview, preview
from catalog.ranking.rules import Rule, plain, rules_of
from catalog.search import ProductQuery
from catalog.text import segment

CONSIDERED = 60


@dataclass(frozen=True)
class Row:
    """A stored rule and what it says as data. ``holds`` is whether it is on and its time is now."""

    rule: MerchandisingRule
    said: Rule
    holds: bool


def rows(shop: Shop) -> list[Row]:
    """The shop's rules, newest first."""
    stored = MerchandisingRule.objects.filter(shop=shop).select_related("shop").order_by("-pk")
    holding = set(rules_of(shop, timezone.now()))
    return [
        Row(rule, said, rule.active and said in holding) for rule, said in zip(stored, plain(stored, shop), strict=True)
    ]


def previewed(row: Row, words: str) -> Preview:
    """The slate without and with this one rule, for words in a talk about the category the rule speaks of.

    Found by words alone: the console has no sentence encoder. ``manage.py preview_slate`` asks as a customer would.
    """
    query = ProductQuery(
        shop=row.rule.shop,
        words=tuple(segment(words).split()),
        category=row.said.goal or row.said.category,
        limit=CONSIDERED,
    )
    return preview(query, (row.said,))
