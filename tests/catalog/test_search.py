"""Search: hard wishes hold however many products match, one product once with its fitting variant, sold out stays away."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection

from catalog import candidates
from catalog.models import Product, Shop
from catalog.search import ProductQuery, Wish, count_products, matching, search_products
from tests.factories import CategoryFactory, ProductFactory, ShopFactory, VariantFactory

pytestmark = pytest.mark.django_db

REACHED = ("one by one", "through indexes")


@pytest.fixture
def indexed_anew(db: None) -> None:
    """Index the products anew: a vector index walks over dead rows until a vacuum, and thousands of tests leave theirs."""
    with connection.cursor() as cursor:
        cursor.execute(f"REINDEX TABLE {Product._meta.db_table}")


@pytest.fixture(params=REACHED)
def reach(request: pytest.FixtureRequest, indexed_anew: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Few products are compared, many are reached through indexes: what holds for one way must hold for the other."""
    if request.param == "through indexes":
        monkeypatch.setattr(candidates, "catalogue_size", lambda: 1_000_000)
        monkeypatch.setattr(candidates, "most_read", lambda: 2)
        monkeypatch.setattr(candidates, "_estimated", lambda rows: 1_000_000)
        monkeypatch.setattr(candidates, "_sellers", {})
    return str(request.param)


@pytest.fixture
def shop() -> Shop:
    return ShopFactory()


def unit(*parts: float) -> np.ndarray:
    vector = np.zeros(384, dtype=np.float32)
    vector[: len(parts)] = parts
    return vector / np.linalg.norm(vector)


def product(shop: Shop, sku: str, **said) -> Product:
    category = said.pop("category", None) or CategoryFactory(shop=shop, path=said.pop("path", f"things/{sku}"))
    said.setdefault("document", said.get("title", sku).lower())
    return ProductFactory(shop=shop, sku=sku, category=category, **said)


def skus(query: ProductQuery) -> list[str]:
    return [candidate.product.sku for candidate in search_products(query)]


def jackets(shop: Shop) -> None:
    """Ten jackets, the higher the number the further from ``unit(1)``, the dearer and the less popular."""
    category = CategoryFactory(shop=shop, path="clothing/jackets")
    for n in range(10):
        product(
            shop,
            f"J{n}",
            category=category,
            title=f"jacket number {n}",
            embedding=unit(10 - n, n),
            popularity=10 - n,
            attributes={"color": ["green" if n % 2 else "red"], "material": ["leather" if n == 2 else "wool"]},
            variant__price=Decimal(10 + n),
        )


def test_nearest_products_come_first(reach: str, shop: Shop) -> None:
    jackets(shop)
    assert skus(ProductQuery(shop=shop, embedding=unit(1), limit=3)) == ["J0", "J1", "J2"]


def test_hard_wishes_hold(reach: str, shop: Shop) -> None:
    jackets(shop)
    other = CategoryFactory(shop=shop, path="clothing/jackets-not")
    product(shop, "X", category=other, embedding=unit(1), attributes={"color": ["green"]})
    query = ProductQuery(
        shop=shop,
        embedding=unit(1),
        category="clothing/jackets",
        wishes=(Wish("color", ("green", "blue")),),
        price_low=Decimal(12),
        exclude=("J5",),
    )
    assert skus(query) == ["J3", "J7", "J9"]


def test_what_is_ruled_out_is_never_found(reach: str, shop: Shop) -> None:
    jackets(shop)
    ruled_out = (Wish("material", ("leather",), wanted=False), Wish("text", ("number 4",), wanted=False))
    found = skus(ProductQuery(shop=shop, embedding=unit(1), words=("jacket",), wishes=ruled_out))
    assert sorted(found) == ["J0", "J1", "J3", "J5", "J6", "J7", "J8", "J9"]


def test_cheapest_and_dearest_are_those_of_all(reach: str, shop: Shop) -> None:
    jackets(shop)
    VariantFactory(product=Product.objects.get(sku="J3"), price=Decimal(500))
    VariantFactory(product=Product.objects.get(sku="J9"), price=Decimal(1), stock=0)
    assert skus(ProductQuery(shop=shop, order="price", limit=3)) == ["J0", "J1", "J2"]
    assert skus(ProductQuery(shop=shop, order="-price", limit=3)) == ["J9", "J8", "J7"]


def test_a_query_without_words_brings_what_is_popular(reach: str, shop: Shop) -> None:
    jackets(shop)
    assert skus(ProductQuery(shop=shop, wishes=(Wish("color", ("red",)),), limit=2)) == ["J0", "J2"]


def test_texts_that_hold_more_of_the_words_come_first(reach: str, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "BRANCH", 2)
    monkeypatch.setattr(candidates, "RANKED", 2)
    for n in range(6):
        product(shop, f"P{n}", title="red thing", rating_count=0)
    product(shop, "BOTH", title="red woollen thing")
    assert skus(ProductQuery(shop=shop, words=("red", "woollen"), limit=2))[0] == "BOTH"


def test_other_shops_are_never_searched(reach: str, shop: Shop) -> None:
    jackets(shop)
    product(ShopFactory(), "THEIRS", embedding=unit(1), title="jacket")
    found = skus(ProductQuery(shop=shop, embedding=unit(1), words=("jacket",)))
    assert "THEIRS" not in found
    assert len(found) == 10


def test_a_rare_match_is_found_where_the_index_gives_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "catalogue_size", lambda: 1_000_000)
    monkeypatch.setattr(candidates, "_estimated", lambda rows: 1_000_000)
    jackets(shop)
    query = ProductQuery(shop=shop, embedding=unit(1), wishes=(Wish("material", ("leather",)),))
    assert skus(query) == ["J2"]


def test_few_matches_bring_the_nearest_the_best_by_words_and_the_popular(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "BRANCH", 1)
    jackets(shop)
    matches = candidates.matches_of(matching(ProductQuery(shop=shop)))
    found = candidates.compared(matches, unit(0, 1), ("7",), 4)
    assert found is not None
    assert [Product.objects.get(pk=pk).sku for pk in found] == ["J9", "J7", "J0", "J1", "J2", "J3"]


def test_more_matches_than_were_thought_are_found_through_indexes(
    shop: Shop, indexed_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "catalogue_size", lambda: 1_000_000)
    monkeypatch.setattr(candidates, "most_read", lambda: 2)
    monkeypatch.setattr(candidates, "_estimated", lambda rows: 1)
    jackets(shop)
    assert candidates.compared(candidates.matches_of(matching(ProductQuery(shop=shop))), unit(1), (), 3) is None
    assert skus(ProductQuery(shop=shop, embedding=unit(1), words=("jacket",), limit=3)) == ["J0", "J1", "J2"]


def test_planner_settings_are_given_back(shop: Shop) -> None:
    with candidates._planner(enable_sort="off", hnsw__iterative_scan="relaxed_order"):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_sort'), current_setting('hnsw.iterative_scan')")
        assert cursor.fetchone() == ("on", "off")


def test_the_rarest_words_are_looked_for_together(shop: Shop) -> None:
    words = [f"word{n}" for n in range(9)]
    assert candidates._rarest(words, 6) == words[:6]


def test_sold_out_products_are_shown_only_where_asked_for(reach: str, shop: Shop) -> None:
    product(shop, "GONE", embedding=unit(1), variant__stock=0)
    product(shop, "HERE", embedding=unit(1, 1))
    query = ProductQuery(shop=shop, embedding=unit(1))
    assert skus(query) == ["HERE"]
    assert sorted(skus(replace(query, in_stock=False))) == ["GONE", "HERE"]


def test_variants_are_one_product_shown_by_the_cheapest_that_matches(reach: str, shop: Shop) -> None:
    boot = product(shop, "BOOT", embedding=unit(1), attributes={"size": ["40", "41", "42"]}, variant=None)
    for size, price, stock in (("40", 30, 5), ("41", 35, 0), ("42", 50, 3), ("42", 45, 2)):
        VariantFactory(product=boot, attributes={"size": [size]}, price=Decimal(price), stock=stock)
    query = ProductQuery(shop=shop, embedding=unit(1), words=("boot",), wishes=(Wish("size", ("42",)),))
    [found] = search_products(query)
    assert (found.product.sku, found.variant.price) == ("BOOT", Decimal(45))
    assert search_products(replace(query, wishes=(Wish("size", ("41",)),))) == []
    assert search_products(replace(query, price_high=Decimal(40))) == []


def test_products_are_counted_up_to_a_bound(shop: Shop) -> None:
    jackets(shop)
    assert count_products(ProductQuery(shop=shop)) == 10
    assert count_products(ProductQuery(shop=shop), at_most=4) == 4
