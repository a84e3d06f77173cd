"""What is offered beside a product and in its stead, and what the shop forbids."""

from __future__ import annotations

import pytest
from django.utils import timezone

from catalog.graph import links
from catalog.models import MerchandisingRule, ProductLink
from catalog.ranking.beside import beside, instead
from catalog.ranking.features import Context
from catalog.ranking.model import LinearRanker
from catalog.ranking.rules import rules_of
from catalog.ranking.slate import in_order, slate_of
from catalog.search import ProductQuery, search_products
from tests.catalog.ranking.goods import direction, skus
from tests.factories import CategoryFactory, ProductFactory, ShopFactory

pytestmark = pytest.mark.django_db
Kind = ProductLink.Kind


@pytest.fixture
def shop():
    return ShopFactory(diversity=0)


@pytest.fixture
def goods(shop):
    """Tents T1 to T4, alike in the order of their numbers; pegs, a lamp and a stove of another category."""
    tents, kit = (CategoryFactory(shop=shop, path=path) for path in ("tents", "kit"))
    made = {
        f"T{n}": ProductFactory(
            shop=shop, category=tents, sku=f"T{n}", title=f"Tent {n}", popularity=90 - n, embedding=direction(1, n / 9)
        )
        for n in range(1, 5)
    }
    for sku in ("PEGS", "LAMP", "STOVE"):
        made[sku] = ProductFactory(shop=shop, category=kit, sku=sku, title=sku.title(), embedding=direction(0, 0, 1))
    return made


def one(shop, sku):
    return tuple(search_products(ProductQuery(shop=shop, only=(sku,), in_stock=False)))


def offered(shop, sku, hidden=()):
    return skus(beside(shop, one(shop, sku), rules_of(shop, timezone.now()), "tents", hidden))


def test_companions_come_from_rules_first_then_the_shop_s_links_then_the_strongest(shop, goods):
    def learned(source, target, weight, kind=Kind.GOES_WITH):
        ProductLink.objects.create(
            shop=shop, source=goods[source], target=goods[target], kind=kind, weight=weight, origin="co_purchase"
        )

    learned("T1", "STOVE", 3.0)
    learned("LAMP", "T1", 9.0, Kind.ACCESSORY_OF)
    assert offered(shop, "T1") == ["LAMP", "STOVE"]
    links.add(goods["T1"], goods["STOVE"], Kind.GOES_WITH)
    assert offered(shop, "T1") == ["STOVE", "LAMP"]
    rule = MerchandisingRule.objects.create(shop=shop, name="pegs", kind="goes_with", category=goods["T1"].category)
    rule.companions.set([goods["PEGS"]])
    assert offered(shop, "T1") == ["PEGS", "STOVE"]
    assert offered(shop, "T1", hidden=("PEGS",)) == ["STOVE", "LAMP"]


def test_an_accessory_is_offered_with_the_dear_thing_and_not_the_other_way_round(shop, goods):
    links.add(goods["LAMP"], goods["T1"], Kind.ACCESSORY_OF)
    assert offered(shop, "T1") == ["LAMP"] and offered(shop, "LAMP") == []


def test_nothing_is_offered_that_is_sold_out_or_that_nobody_linked(shop, goods):
    assert offered(shop, "T1") == []
    links.add(goods["T1"], goods["STOVE"], Kind.GOES_WITH)
    goods["STOVE"].variants.update(stock=0)
    assert offered(shop, "T1") == []


def test_a_vetoed_pair_is_not_cross_sold_even_by_a_rule(shop, goods):
    rule = MerchandisingRule.objects.create(shop=shop, name="lamp", kind="goes_with", category=goods["T1"].category)
    rule.companions.set([goods["LAMP"]])
    links.veto(goods["LAMP"], goods["T1"])
    assert offered(shop, "T1") == [] and offered(shop, "T2") == ["LAMP"]


def test_two_companions_that_never_go_together_are_not_offered_together(shop, goods):
    for sku in ("LAMP", "STOVE"):
        links.add(goods["T1"], goods[sku], Kind.GOES_WITH)
    links.veto(goods["STOVE"], goods["LAMP"])
    assert len(offered(shop, "T1")) == 1


def test_a_vetoed_pair_never_shares_a_slate_whoever_decides_the_order(shop, goods):
    links.veto(goods["T1"], goods["T2"])
    query = ProductQuery(shop=shop, category="tents")
    found = search_products(query)
    assert skus(slate_of(query, found, Context(), LinearRanker(), size=3).shown) == ["T1", "T3", "T4"]
    assert skus(in_order(query, found, size=3).shown) == ["T1", "T3", "T4"]
    shop.explores = True
    for seed in range(9):
        shown = skus(slate_of(query, found, Context(), LinearRanker(), size=3, seed=seed).shown)
        assert not {"T1", "T2"} <= set(shown)


def test_another_shop_s_veto_is_its_own(shop, goods):
    other = ShopFactory()
    pair = [ProductFactory(shop=other, sku=sku) for sku in ("T1", "T2")]
    links.veto(*pair)
    query = ProductQuery(shop=shop, category="tents")
    made = slate_of(query, search_products(query), Context(), LinearRanker(), size=3)
    assert skus(made.shown) == ["T1", "T2", "T3"]


def test_in_the_stead_of_what_is_sold_out_come_its_substitutes_then_the_nearest(shop, goods):
    goods["T1"].variants.update(stock=0)
    (sold_out,) = one(shop, "T1")
    assert skus(instead(shop, sold_out, (), "tents")) == ["T2", "T3"]
    links.add(goods["T4"], goods["T1"], Kind.SUBSTITUTE_FOR)
    assert skus(instead(shop, sold_out, (), "tents")) == ["T4", "T2"]
    assert skus(instead(shop, sold_out, (), "tents", hidden=("T4",))) == ["T2", "T3"]
    links.veto(goods["T1"], goods["T2"])
    assert skus(instead(shop, sold_out, (), "tents")) == ["T4", "T3"]
