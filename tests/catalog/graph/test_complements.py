"""What goes with what where single products are bought too seldom to say so themselves."""

from __future__ import annotations

import random

import pytest

from catalog.graph.complements import Complements, Good, good

POTS, LIDS, CLOTHS = 1, 2, 3


@pytest.fixture(scope="module")
def goods() -> dict[int, Good]:
    """Fifty pots (0-49) and fifty lids (50-99), in two metals by parity; twenty cloths (100-119) at a tenth of the price."""
    made = {}
    for pk in range(120):
        category, price = (POTS, 50.0) if pk < 50 else (LIDS, 40.0) if pk < 100 else (CLOTHS, 5.0)
        made[pk] = good(category, price, {} if pk >= 100 else {"metal": ["copper" if pk % 2 else "steel"]})
    return made


@pytest.fixture(scope="module")
def baskets() -> list[frozenset[int]]:
    """Pots with a lid of their metal, never the same two thrice; cloths with anything now and then; most things alone."""
    rng = random.Random(5)
    pairs = [(pot, 50 + (pot + 2 * step) % 50) for pot in range(50) for step in range(2)]
    alone = [frozenset({rng.randrange(120)}) for _ in range(600)]
    unlike = [frozenset(rng.sample(range(120), 2)) for _ in range(40)]
    wiped = [frozenset({rng.randrange(50), rng.randrange(100, 120)}) for _ in range(40)]
    return [*map(frozenset, pairs), *alone, *unlike, *wiped]


def test_kinds_speak_for_products_that_were_never_bought_together(goods, baskets):
    made = Complements(baskets, goods)
    bought = set(baskets)
    lids = [(pot, each) for pot in range(50) for each in made.of(pot) if goods[each.target].category == LIDS]
    assert len(lids) > 200 and any(frozenset({pot, each.target}) not in bought for pot, each in lids)
    assert all(pot % 2 == each.target % 2 for pot, each in lids), "copper with copper"
    assert all(each.kinds and each.support >= 12 for _, each in lids)


def test_a_pair_that_was_bought_often_leads_and_speaks_for_itself(goods, baskets):
    first = Complements([*baskets, *[frozenset({7, 60})] * 6], goods).of(7)[0]
    assert (first.target, first.support, first.kinds) == (60, 6, None)
    assert first.share > 0.1


def test_the_cheap_thing_is_an_accessory_and_asks_for_nothing_dear(goods, baskets):
    made = Complements(baskets, goods)
    assert {goods[each.target].category for each in made.of(4) if each.accessory} == {CLOTHS}
    assert made.of(101) == []


def test_a_new_product_has_companions_by_its_kind(goods, baskets):
    new = {**goods, 500: good(POTS, 50.0, {"metal": ["copper"]})}
    found = [each.target for each in Complements(baskets, new).of(500) if not each.accessory]
    assert found and all(target % 2 for target in found)


def test_without_baskets_there_is_nothing(goods):
    assert Complements([], goods).of(1) == []
