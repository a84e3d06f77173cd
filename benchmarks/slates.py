"""How long 60 candidates take to become a slate: features, ranker, rules, vetoes, diversity and the explored place."""

from __future__ import annotations

import time

from django.utils import timezone

from benchmarks.measures import Quantiles
from catalog.models import Product, Shop
from catalog.ranking.features import Context
from catalog.ranking.model import ranker_of
from catalog.ranking.rules import rules_of
from catalog.ranking.slate import slate_of
from catalog.search import ProductQuery, search_products

CANDIDATES = 60


def slate_times(shop: Shop, times: int) -> Quantiles:
    """``slate_of`` with the shop's own model and an explored place, for what search brings to a product's own text.

    Search itself is not in it. Every call is for other candidates.
    """
    shop.explores = True  # the dearest case; the row in the database is not touched
    ranker, rules = ranker_of(shop), rules_of(shop, timezone.now())
    rows = Product.objects.filter(shop=shop, embedding__isnull=False).order_by("sku")
    step = max(1, rows.count() // times)
    taken: list[float] = []
    for seed, product in enumerate(rows[: step * times : step]):
        query = ProductQuery(
            shop=shop, words=tuple(product.title.lower().split()), embedding=product.embedding, limit=CANDIDATES
        )
        found = search_products(query)
        context = Context(conversation=product.embedding)
        if len(found) == CANDIDATES:
            begun = time.perf_counter()
            slate_of(query, found, context, ranker, size=3, rules=rules, seed=seed)
            taken.append((time.perf_counter() - begun) * 1000)
    return Quantiles.of(taken[1:])  # the first call of LightGBM sets it up
