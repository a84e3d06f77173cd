"""From a query to its slate, on a real database."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.utils import timezone

from catalog.models import Customer, Exposure, Interaction, MerchandisingRule
from catalog.ranking import exposures
from catalog.ranking.beside import beside
from catalog.ranking.features import Context
from catalog.ranking.model import LinearRanker
from catalog.ranking.popularity import refresh_popularity
from catalog.ranking.preview import preview
from catalog.ranking.rules import rules_of
from catalog.ranking.slate import slate_of
from catalog.ranking.taste import COLD, taste_of
from catalog.search import ProductQuery, Wish, search_products
from tests.catalog.ranking.goods import direction, skus
from tests.factories import CategoryFactory, ProductFactory, ShopFactory

pytestmark = pytest.mark.django_db
Kind = MerchandisingRule.Kind


@pytest.fixture
def shop():
    return ShopFactory(diversity=0)


@pytest.fixture
def jackets(shop):
    """Five jackets, J1 the most popular; J4 and J5 are made of leather, J5 is dear."""
    category = CategoryFactory(shop=shop, path="clothing/jackets")
    return [
        ProductFactory(
            shop=shop,
            category=category,
            sku=f"J{number}",
            popularity=100 - 15 * number,
            attributes={"material": ["leather" if number > 3 else "canvas"]},
            embedding=direction(1, number / 10),
            variant__price=Decimal("200") if number == 5 else Decimal("50"),
        )
        for number in range(1, 6)
    ]


def slate(query: ProductQuery, context: Context | None = None, seed: int = 0, size: int = 3):
    rules = rules_of(query.shop, timezone.now())
    found = search_products(query)
    return slate_of(query, found, context or Context(), LinearRanker(), size=size, rules=rules, seed=seed)


def rule(shop, kind, *products, **values):
    row = MerchandisingRule.objects.create(shop=shop, name="a rule", kind=kind, **values)
    row.products.set(products)
    return row


def test_without_rules_the_best_are_shown_with_certainty(shop, jackets):
    shown = slate(ProductQuery(shop=shop)).shown
    assert skus(shown) == ["J1", "J2", "J3"]
    assert {candidate.features["propensity"] for candidate in shown} == {1.0}


def test_a_pin_brings_a_product_that_search_had_left_out(shop, jackets):
    rule(shop, Kind.PIN, jackets[4], place=2)
    assert skus(slate(ProductQuery(shop=shop, limit=2), size=2).shown) == ["J1", "J5"]


@pytest.mark.parametrize(
    "wishes",
    [
        {"wishes": (Wish("material", ("canvas",)),)},
        {"wishes": (Wish("material", ("leather",), wanted=False),)},
        {"price_high": Decimal(100)},
        {"exclude": ("J5",)},
        {"only": ("J1", "J2")},
        {"category": "clothing/coats"},
    ],
    ids=lambda wishes: next(iter(wishes)),
)
def test_a_pin_never_breaks_a_hard_wish(shop, jackets, wishes):
    rule(shop, Kind.PIN, jackets[4], place=1)
    assert "J5" not in skus(slate(ProductQuery(shop=shop, **wishes)).shown)


def test_a_sold_out_product_is_not_pinned(shop, jackets):
    jackets[4].variants.update(stock=0)
    rule(shop, Kind.PIN, jackets[4], place=1)
    assert "J5" not in skus(slate(ProductQuery(shop=shop)).shown)


def test_another_shop_s_product_is_not_shown_by_a_rule(shop, jackets):
    foreign = ProductFactory(sku="X1")
    rule(shop, Kind.PIN, foreign, place=1)
    row = rule(shop, Kind.GOES_WITH, jackets[0])
    row.companions.set([foreign])
    made = slate(ProductQuery(shop=shop))
    assert skus(made.shown) == ["J1", "J2", "J3"]
    assert beside(shop, made.shown, rules_of(shop, timezone.now()), "") == ()


def test_never_together_holds_for_every_place(shop, jackets):
    rule(shop, Kind.NEVER_TOGETHER, *jackets[:3])
    assert skus(slate(ProductQuery(shop=shop)).shown) == ["J1", "J4", "J5"]


def test_what_goes_with_a_product_by_a_rule_is_offered_beside_it_and_takes_no_place(shop, jackets):
    wax = ProductFactory(shop=shop, sku="WAX", category__path="care")
    sold_out = ProductFactory(shop=shop, sku="OUT", variant__stock=0)
    rule(shop, Kind.GOES_WITH, category=jackets[0].category).companions.set([wax, sold_out])
    made = slate(ProductQuery(shop=shop, category="clothing/jackets"))
    assert "WAX" not in skus(made.shown)
    assert skus(beside(shop, made.shown, rules_of(shop, timezone.now()), "clothing/jackets")) == ["WAX"]


def test_a_rule_holds_in_its_time_and_while_it_is_active(shop, jackets):
    now, day = timezone.now(), timedelta(days=1)
    rule(shop, Kind.BOOST, jackets[4], valid_from=now + day)
    rule(shop, Kind.BOOST, jackets[4], valid_until=now - day)
    rule(shop, Kind.BOOST, jackets[4], active=False)
    assert rules_of(shop, now) == ()
    assert len(rules_of(shop, now + 2 * day)) == 1


def test_the_preview_shows_both_slates_without_the_rules_being_stored(shop, jackets):
    row = rule(shop, Kind.BURY, jackets[0], strength=5, active=False)
    row.active = True
    row.save()
    rules = rules_of(shop, timezone.now())
    row.delete()
    both = preview(ProductQuery(shop=shop), rules)
    assert skus(both.without.shown) == ["J1", "J2", "J3"]
    assert skus(both.with_rules.shown) == ["J2", "J3", "J4"] and both.changed
    assert not preview(ProductQuery(shop=shop), ()).changed


def test_exploring_is_off_until_the_shop_wants_it(shop, jackets):
    assert {tuple(skus(slate(ProductQuery(shop=shop), seed=seed).shown)) for seed in range(8)} == {("J1", "J2", "J3")}


def test_exploring_changes_only_the_last_place_and_stores_its_propensity(shop, jackets):
    shop.explores = True
    slates = [slate(ProductQuery(shop=shop), seed=seed).shown for seed in range(30)]
    assert {tuple(skus(shown[:2])) for shown in slates} == {("J1", "J2")}
    assert {shown[2].product.sku for shown in slates} == {"J3", "J4", "J5"}
    assert all(0 < shown[2].features["propensity"] < 1 and shown[0].features["propensity"] == 1 for shown in slates)
    assert skus(slates[3]) == skus(slate(ProductQuery(shop=shop), seed=3).shown)


def test_exploring_keeps_hard_wishes_pins_and_never_together(shop, jackets):
    shop.explores = True
    wish = Wish("material", ("leather",), wanted=False)
    assert {skus(slate(ProductQuery(shop=shop, wishes=(wish,)), seed=s).shown)[2] for s in range(9)} == {"J3"}
    rule(shop, Kind.NEVER_TOGETHER, jackets[0], jackets[3])
    assert "J4" not in {skus(slate(ProductQuery(shop=shop), seed=s).shown)[2] for s in range(9)}
    rule(shop, Kind.PIN, jackets[2], place=3)
    assert {skus(slate(ProductQuery(shop=shop), seed=s).shown)[2] for s in range(9)} == {"J3"}


def test_what_was_shown_and_chosen_is_counted_by_shop(shop, jackets):
    other = ProductFactory(sku="J1")
    exposures.count(shop, ["J1", "J2"], [])
    exposures.count(shop, ["J1"], ["J2", "unheard of"])
    assert exposures.counts_of([p.pk for p in jackets]) == {jackets[0].pk: (2, 0), jackets[1].pk: (1, 1)}
    assert not Exposure.objects.filter(product=other).exists()


def test_a_customer_s_history_is_theirs_alone_and_up_to_now(shop, jackets):
    anna, ben = (Customer.objects.create(shop=shop, key=key) for key in ("anna", "ben"))
    now = timezone.now()
    for days, product in ((3, jackets[0]), (-3, jackets[3])):
        Interaction.objects.create(
            shop=shop, customer=anna, product=product, kind="order", at=now - timedelta(days=days)
        )
    taste = taste_of(anna.pk, now)
    assert set(taste.values) == {("material", "canvas")}
    assert np.allclose(taste.direction, jackets[0].embedding, atol=1e-5)
    assert taste_of(ben.pk, now) is COLD and taste_of(None, now) is COLD


def test_popularity_halves_and_leaves_what_nobody_touched(shop, jackets):
    anna = Customer.objects.create(shop=shop, key="anna")
    now = timezone.now()
    shop.popularity_half_life_days = 10
    for kind, days in (("order", 10), ("view", 0), ("review", 0)):
        Interaction.objects.create(
            shop=shop, customer=anna, product=jackets[0], kind=kind, at=now - timedelta(days=days)
        )
    assert refresh_popularity(shop, now) == 1
    jackets[0].refresh_from_db()
    jackets[1].refresh_from_db()
    assert jackets[0].popularity == pytest.approx(6 / 2 + 1)
    assert jackets[1].popularity == 70
    assert refresh_popularity(shop, now) == 0
