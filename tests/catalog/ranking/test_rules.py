"""What a shop's rules do to candidates."""

import pytest

from catalog.models import MerchandisingRule
from catalog.ranking.rules import Rule, companions, may_join, pinned_skus, pins, shifted
from tests.catalog.ranking.goods import candidate, skus

Kind = MerchandisingRule.Kind
GOAL = "clothing/jackets"
RED, GREEN, BLUE = candidate(1, 0.9, color="red"), candidate(2, 0.8, color="green"), candidate(3, 0.7, color="blue")


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        (Rule(Kind.BOOST, skus=("P1",)), True),
        (Rule(Kind.BOOST, category="clothing"), True),
        (Rule(Kind.BOOST, category="cloth"), False),
        (Rule(Kind.BOOST, attribute="color", value="red"), True),
        (Rule(Kind.BOOST, attribute="color", value="green"), False),
        (Rule(Kind.BOOST, skus=("P1",), attribute="color", value="green"), False),
        (Rule(Kind.BOOST), False),
    ],
)
def test_a_rule_means_what_meets_all_its_criteria_and_nothing_without_any(rule, meant):
    assert rule.means(RED.product) is meant


def test_a_variant_s_own_attributes_count():
    assert Rule(Kind.BOOST, attribute="size", value="m").means(RED.product, {"size": ["m"]})


def test_boost_and_bury_move_and_say_by_how_much():
    rules = [Rule(Kind.BOOST, skus=("P3",), strength=0.5), Rule(Kind.BURY, skus=("P1",), strength=0.3)]
    moved = shifted([RED, GREEN, BLUE], rules, GOAL)
    assert skus(moved) == ["P3", "P2", "P1"]
    assert [c.features.get("rule") for c in moved] == [0.5, None, -0.3]


def test_a_rule_for_another_goal_does_nothing():
    rule = Rule(Kind.BOOST, skus=("P3",), strength=9, goal="home")
    assert skus(shifted([RED, BLUE], [rule], GOAL)) == ["P1", "P3"]
    assert skus(shifted([RED, BLUE], [rule], "home/rugs")) == ["P3", "P1"]
    assert skus(shifted([RED, BLUE], [rule], "")) == ["P1", "P3"]


def test_a_pin_holds_its_place_if_its_product_was_found():
    assert pins([RED, GREEN], [Rule(Kind.PIN, skus=("P2",), place=2)], GOAL, 3) == {1: GREEN}
    assert pins([RED, GREEN], [Rule(Kind.PIN, skus=("P9",), place=2)], GOAL, 3) == {}
    assert pinned_skus([Rule(Kind.PIN, skus=("P9", "P2")), Rule(Kind.BOOST, skus=("P1",))], GOAL) == ("P9", "P2")


def test_the_first_pin_of_a_place_has_it_and_places_beyond_the_slate_are_not_there():
    rules = [Rule(Kind.PIN, skus=("P1",)), Rule(Kind.PIN, skus=("P2",)), Rule(Kind.PIN, skus=("P3",), place=4)]
    assert pins([RED, GREEN, BLUE], rules, GOAL, 3) == {0: RED}


def test_a_pin_of_a_kind_takes_the_best_of_its_kind():
    assert pins([GREEN, RED], [Rule(Kind.PIN, category="clothing", place=3)], GOAL, 3) == {2: RED}


def test_never_together_keeps_one_of_them():
    rival = Rule(Kind.NEVER_TOGETHER, skus=("P1", "P2"))
    assert not may_join(GREEN, [RED], [rival], GOAL)
    assert may_join(BLUE, [RED], [rival], GOAL) and may_join(GREEN, [BLUE], [rival], GOAL)
    both = [Rule(Kind.PIN, skus=("P1",), place=1), Rule(Kind.PIN, skus=("P2",), place=2), rival]
    assert pins([RED, GREEN], both, GOAL, 3) == {0: RED}


def test_companions_are_offered_beside_what_is_shown_and_never_twice():
    rule = Rule(Kind.GOES_WITH, attribute="color", value="red", companions=("P3", "C1", "C1"))
    assert companions([RED, BLUE], [rule], GOAL) == ("C1",)
    assert companions([GREEN], [rule], GOAL) == ()
