"""The product graph's pages: what a merchant sees, adds, vetoes and takes back, in the own shop alone."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from admin_console import graph
from catalog.graph import links
from catalog.models import ProductLink
from tests.factories import ProductFactory, UserFactory

pytestmark = pytest.mark.django_db
Kind, Origin = ProductLink.Kind, ProductLink.Origin


@pytest.fixture
def tent(shop):
    return ProductFactory(shop=shop, sku="T1", title="Ridge tent", category__path="tents")


@pytest.fixture
def stove(shop):
    return ProductFactory(shop=shop, sku="S1", title="Camp stove <b>", category__path="kit")


def learned(source, target, kind=Kind.GOES_WITH, **values):
    return ProductLink.objects.create(
        shop=source.shop, source=source, target=target, kind=kind, origin=Origin.CO_PURCHASE, weight=0.08, support=7,
        **values,
    )  # fmt: skip


def page(browser: Client, product) -> str:
    return browser.get(reverse("console:neighbourhood", args=[product.pk])).content.decode()


def edit(browser: Client, product, **sent):
    return browser.post(reverse("console:edit_link", args=[product.pk]), sent)


def test_the_list_shows_links_with_their_kind_and_finds_by_words(merchant, tent, stove):
    learned(tent, stove)
    text = merchant.get(reverse("console:graph")).content.decode()
    assert "Ridge tent" in text and "Goes with" in text and "Camp stove &lt;b&gt;" in text
    assert [row.product for row in merchant.get(reverse("console:graph"), {"q": "ridge"}).context["rows"]] == [tent]
    assert [row.product for row in merchant.get(reverse("console:graph"), {"q": "s1"}).context["rows"]] == [stove]


def test_one_product_s_page_tells_kind_weight_origin_and_draws_it(merchant, tent, stove):
    learned(tent, stove, evidence="tents + kit (fuel gas)")
    text = page(merchant, tent)
    assert "bought together" in text and "8%" in text and "7 baskets" in text and "tents + kit (fuel gas)" in text
    assert text.count("<circle") == 2 and "Camp stove &lt;b&gt;" in text


def test_an_accessory_is_told_on_both_pages(merchant, tent, stove):
    learned(stove, tent, Kind.ACCESSORY_OF)
    assert "Its accessory" in page(merchant, tent) and "Accessory of" in page(merchant, stove)


def test_a_merchant_adds_vetoes_and_takes_back(merchant, tent, stove):
    answer = edit(merchant, tent, action="add", kind="goes_with", sku="S1")
    assert answer.status_code == 302
    assert links.companions_of(tent.shop, [tent]) == ["S1"] and links.companions_of(tent.shop, [stove]) == ["T1"]
    edit(merchant, tent, action="veto", kind="goes_with", sku="S1")
    assert links.companions_of(tent.shop, [tent]) == []
    assert "Never together" in page(merchant, stove) and "Allow again" in page(merchant, stove)
    edit(merchant, stove, action="remove", kind="goes_with", sku="T1")
    assert not ProductLink.objects.exists()


def test_an_unknown_or_the_own_sku_is_said_beside_the_field(merchant, tent):
    for sku, said in (("nothing", "no product with this SKU"), ("T1", "no link to itself")):
        answer = edit(merchant, tent, action="add", kind="goes_with", sku=sku)
        assert answer.status_code == 200 and said in answer.content.decode()
    assert not ProductLink.objects.exists()


def test_another_shop_s_products_are_neither_shown_nor_linked(merchant, tent):
    theirs = ProductFactory(sku="X1", title="Their tent")
    assert "Their tent" not in merchant.get(reverse("console:graph")).content.decode()
    assert merchant.get(reverse("console:neighbourhood", args=[theirs.pk])).status_code == 404
    assert edit(merchant, theirs, action="veto", kind="goes_with", sku="X1").status_code == 404
    assert edit(merchant, tent, action="add", kind="goes_with", sku="X1").status_code == 200
    assert not ProductLink.objects.exists()


def test_a_form_of_another_site_links_nothing(shop, tent, stove):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(UserFactory(shops=[shop]), backend="django.contrib.auth.backends.ModelBackend")
    assert edit(browser, tent, action="add", kind="goes_with", sku="S1").status_code == 403


def test_a_product_without_links_says_where_they_come_from(merchant, tent):
    assert "No links yet" in page(merchant, tent)


def test_the_picture_keeps_to_its_canvas_and_to_the_strongest(shop, tent):
    for number in range(20):
        other = ProductFactory(shop=shop, title=f"A very long name of a thing, number {number}")
        ProductLink.objects.create(
            shop=shop, source=tent, target=other, kind=Kind.GOES_WITH, origin=Origin.MERCHANT, weight=number / 20
        )
    dots = graph.picture(graph.neighbourhood(tent))
    assert len(dots) == graph.MOST_DRAWN and min(dot.neighbour.weight for dot in dots) == pytest.approx(6 / 20)
    assert all(0 < dot.x < graph.WIDTH and 0 < dot.y < graph.HEIGHT and len(dot.name) <= graph.TITLE for dot in dots)


def test_numbers_in_the_picture_have_points_in_every_language(merchant, tent, stove):
    learned(tent, stove)
    text = merchant.get(
        reverse("console:neighbourhood", args=[tent.pk]), headers={"Accept-Language": "zh-CN"}
    ).content.decode()
    assert re.search(r'x2="\d+\.\d"', text) and "商品图谱" in text
