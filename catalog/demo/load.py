"""Puts the demo shop into the database: products, articles, simulated customers, links and pictures, but no embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from catalog.demo.assortment import demo_products
from catalog.demo.content import articles, category_translations
from catalog.demo.customers import Event, Person, mean_ratings, simulate
from catalog.demo.pictures import draw_pictures
from catalog.demo.products import DemoProduct
from catalog.graph.build import rebuild
from catalog.ingest.records import ProductRecord
from catalog.ingest.vocabulary import category_path, grow_categories
from catalog.ingest.write import upsert_articles, upsert_products
from catalog.models import Category, Customer, Interaction, Product, Shop

SLUG = "demo"
BATCH = 5_000
HALF_LIFE_DAYS = 30
WEIGHTS = {"view": 1.0, "cart": 3.0, "order": 6.0, "review": 0.0}

Progress = Callable[[str, int, int], None]
"""Told the name of the step, how much of it is done and how much there is."""


def load_demo(media_root: Path, progress: Progress | None = None, seed: int = 7, until: date | None = None) -> Shop:
    """The demo shop, made if it is not there yet; one that exists is returned as it is.

    ``until`` ends the half year of simulated customers, today (UTC) by default. All rows or none are stored.
    """
    told = progress or _silent
    draw_pictures(media_root, partial(told, "pictures"))
    with transaction.atomic():
        shop, new = Shop.objects.get_or_create(
            slug=SLUG, defaults={"name": "Corner & Co", "currency": "USD", "language": "en"}
        )
        if new:
            _fill(shop, told, seed, until or timezone.now().date())
    return shop


def fill_with_demo(shop: Shop, media_root: Path, progress: Progress | None = None, seed: int = 7) -> bool:
    """Everything of the demo into a shop that sells nothing yet; whether it did. All rows or none are stored."""
    if shop.products.exists():
        return False
    told = progress or _silent
    draw_pictures(media_root, partial(told, "pictures"))
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)
        if shop.products.exists():  # somebody was quicker
            return False
        _fill(shop, told, seed, timezone.now().date())
    return True


def _silent(step: str, done: int, total: int) -> None:
    pass


def _fill(shop: Shop, told: Progress, seed: int, until: date) -> None:
    products = demo_products(seed)
    people, events = simulate(products, seed, until)
    _name_categories(shop)
    done = 0

    def count(batch: int) -> None:
        nonlocal done
        done += batch
        told("products", done, len(products))

    upsert_products(shop, _rated(products, events), count)
    upsert_articles(shop, articles())
    rows = {product.sku: product for product in Product.objects.filter(shop=shop).defer("embedding")}
    stored = [rows[product.record.sku] for product in products]
    _store_interactions(shop, stored, people, events, told)
    _store_popularity(stored, events)
    rebuild(shop, events[-1].at)


def _name_categories(shop: Shop) -> None:
    """Before the products, so that their search documents know the Chinese names."""
    told = category_translations()
    categories = grow_categories(shop, told)
    for chain, names in told.items():
        category = categories[category_path(chain)]
        category.translations, category.aliases = {"zh": names["zh"]}, names["aliases"]
    Category.objects.bulk_update(categories.values(), ["translations", "aliases"])


def _rated(products: Sequence[DemoProduct], events: Sequence[Event]) -> Iterator[ProductRecord]:
    ratings = mean_ratings(events)
    for position, product in enumerate(products):
        rating, count = ratings.get(position, (None, 0))
        yield replace(product.record, rating=rating, rating_count=count)


def _store_interactions(
    shop: Shop, products: Sequence[Product], people: Sequence[Person], events: Sequence[Event], told: Progress
) -> None:
    customers = Customer.objects.bulk_create(
        Customer(shop=shop, key=person.key, name=person.name, simulated=True) for person in people
    )
    for done in range(0, len(events), BATCH):
        batch = events[done : done + BATCH]
        Interaction.objects.bulk_create(
            Interaction(
                shop=shop,
                customer=customers[event.customer],
                product=products[event.product],
                kind=event.kind,
                at=event.at,
                quantity=event.quantity,
                rating=event.rating,
                text=event.text,
                language=event.language,
                simulated=True,
            )
            for event in batch
        )
        told("interactions", done + len(batch), len(events))


def _store_popularity(products: Sequence[Product], events: Sequence[Event]) -> None:
    """What was done with a product, halved for every ``HALF_LIFE_DAYS`` before the last event."""
    last: datetime = events[-1].at
    for product in products:
        product.popularity = 0.0
    for event in events:
        age = (last - event.at).total_seconds() / 86_400
        products[event.product].popularity += WEIGHTS[event.kind] * 0.5 ** (age / HALF_LIFE_DAYS)
    Product.objects.bulk_update(products, ["popularity"], batch_size=500)
