"""When nothing fits: the stated order in which wishes are given up, and what never is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from botcore.dialogue.find import _relaxations, find
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.state import Constraint, DialogueState, PriceRange

GREEN = Constraint("color", "green", turn=1)
STEEL = Constraint("material", "steel", turn=2)
NO_GLASS = Constraint("material", "glass", wanted=False, turn=1)
SOFT = Constraint("text", "quiet", hard=False, turn=2)
KETTLES = DialogueState(goal="kitchen/kettles", language="en", turn=2)


def test_the_price_widens_then_wishes_go_the_last_first_then_the_price_then_both_then_all() -> None:
    state = KETTLES.with_(constraints=(GREEN, NO_GLASS, STEEL, SOFT), price=PriceRange(high=Decimal(40)))
    order = [
        (tuple(c for c in state.constraints if c not in kept), price.high, gave_up_price)
        for kept, price, gave_up_price in _relaxations(state)
    ]
    assert order == [
        ((), Decimal("50.00"), True),
        ((STEEL,), Decimal(40), False),
        ((GREEN,), Decimal(40), False),
        ((), None, True),
        ((STEEL,), None, True),
        ((GREEN,), None, True),
        ((GREEN, STEEL), Decimal(40), False),
        ((GREEN, STEEL), None, True),
    ]


def test_a_near_miss_names_what_was_given_up(shop, encoder) -> None:
    state = KETTLES.with_(constraints=(GREEN, STEEL))
    found = find(shop, state, lexicon_of(shop), encoder)
    assert found.gave_up == (STEEL,)
    assert {c.product.sku for c in found.slate} == {"K2", "K4"}


def test_a_little_above_the_budget_comes_before_giving_up_a_wish(shop, encoder) -> None:
    state = KETTLES.with_(constraints=(STEEL,), price=PriceRange(high=Decimal(35)))
    found = find(shop, state, lexicon_of(shop), encoder)
    assert found.gave_up_price and not found.gave_up
    assert [c.product.sku for c in found.slate] == ["K1"]


def test_what_was_ruled_out_is_never_given_up(shop, encoder) -> None:
    nothing_left = tuple(Constraint("material", m, wanted=False, turn=1) for m in ("steel", "glass", "plastic"))
    assert find(shop, KETTLES.with_(constraints=nothing_left), lexicon_of(shop), encoder).slate == ()


def test_a_near_miss_never_brings_what_is_sold_out(shop, encoder) -> None:
    red = replace(GREEN, value="red")
    state = DialogueState(goal="home/rugs", constraints=(red, Constraint("material", "wool", turn=1)))
    found = find(shop, state, lexicon_of(shop), encoder)
    assert found.relaxed and "R4" not in {c.product.sku for c in found.candidates}
