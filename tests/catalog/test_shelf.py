"""A merchant's list of products: filtered, ordered, page by page, each product once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog import shelf
from catalog.ingest.write import refresh_texts
from catalog.models import Product
from catalog.shelf import Filter
from tests.factories import CategoryFactory, ProductFactory, ShopFactory, VariantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return ShopFactory()


def skus(shop, order="title", **wanted) -> list[str]:
    return [row.sku for row in shelf.page(shop, Filter(**wanted), order, 50).rows]


@pytest.fixture
def assortment(shop):
    bags = CategoryFactory(shop=shop, path="bags", name="Bags")
    packs = CategoryFactory(shop=shop, path="bags/backpacks", name="Backpacks")
    other = CategoryFactory(shop=shop, path="bagsandmore", name="More")
    ProductFactory(shop=shop, sku="A", title="Canvas bag", category=bags, image="a.png", variant__stock=0)
    ProductFactory(shop=shop, sku="B", title="Trail backpacks", category=packs, active=False, description="Light.")
    last = ProductFactory(shop=shop, sku="C", title="徒步背包", category=other, variant__stock=0)
    VariantFactory(product=last, sku="C-blue", stock=2)
    ProductFactory(sku="A", title="Canvas bag of another shop")
    refresh_texts(shop)
    Product.objects.filter(shop=shop, sku="A").update(
        embedded_digest=Product.objects.get(shop=shop, sku="A").text_digest
    )


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "ABC"),
        ({"words": "backpack"}, "B"),
        ({"words": "trail back"}, "B"),
        ({"words": "背包"}, "C"),
        ({"words": "C-blue"}, "C"),
        ({"words": "A"}, "A"),
        ({"words": "' | & ! :*"}, ""),
        ({"category": "bags"}, "AB"),
        ({"stock": "in"}, "BC"),
        ({"stock": "out"}, "A"),
        ({"shown": "hidden"}, "B"),
        ({"shown": "on"}, "AC"),
        ({"missing": "picture"}, "BC"),
        ({"missing": "description"}, "AC"),
        ({"missing": "embedding"}, "BC"),
        ({"words": "trail", "stock": "out"}, ""),
    ],
)
def test_a_filter_lets_through_what_it_says_and_a_bulk_change_means_the_same(shop, assortment, wanted, found):
    assert sorted(skus(shop, **wanted)) == list(found)
    assert sorted(shelf.products(shop, Filter(**wanted)).values_list("sku", flat=True)) == list(found)


@pytest.mark.parametrize("order", shelf.ORDERS)
def test_pages_forward_and_back_show_each_product_once_in_order(shop, order):
    now = timezone.now()
    for n in range(7):  # titles, prices and times occur twice
        row = ProductFactory(
            shop=shop, title=f"Bag {n // 2}", popularity=n // 2, variant__price=n // 2, variant__stock=n // 2
        )
        Product.objects.filter(pk=row.pk).update(updated_at=now - timedelta(hours=n // 2))
    whole = [row.pk for row in shelf.page(shop, Filter(), order, 50).rows]
    pages, page = [], shelf.page(shop, Filter(), order, 3)
    while True:
        pages.append(page)
        if page.after is None:
            break
        page = shelf.page(shop, Filter(), order, 3, after=page.after)
    assert [row.pk for page in pages for row in page.rows] == whole and len(set(whole)) == 7
    back = shelf.page(shop, Filter(), order, 3, before=pages[2].before)
    assert back.rows == pages[1].rows
    first = shelf.page(shop, Filter(), order, 3, before=back.before)
    assert (first.rows, first.before) == (pages[0].rows, None)


def test_a_place_that_is_gone_or_of_another_shop_shows_the_first_page(shop):
    mine, theirs = ProductFactory(shop=shop), ProductFactory()
    for place in (theirs.pk, 10**12):
        assert shelf.page(shop, Filter(), "title", 5, after=place).rows == [mine]


def test_a_list_too_long_to_count_says_so_and_is_ordered_as_usual(shop, monkeypatch):
    monkeypatch.setattr(shelf, "MOST_COUNTED", 2)
    for _ in range(4):
        ProductFactory(shop=shop)
    page = shelf.page(shop, Filter(), "cheapest", 2)
    assert (page.count, page.more, page.order) == (2, True, shelf.USUAL)


def test_the_number_of_queries_does_not_grow_with_the_page(shop, django_assert_max_num_queries):
    for _ in range(30):
        ProductFactory(shop=shop)
    with django_assert_max_num_queries(6):
        shelf.page(shop, Filter(words="jacket", stock="in"), "cheapest", 25)
