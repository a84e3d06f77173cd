"""One row of numbers per candidate: what each column says."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from catalog.ranking.features import FEATURES, Context, PriceWish, conversation_vector, feature_rows, rating
from catalog.ranking.taste import COLD, PriceLevel, Taste, Trace, taste_from
from tests.catalog.ranking.goods import candidate, direction

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LEVELS = {1: PriceLevel(mean=float(np.log(50)), deviation=0.5)}


def column(name: str, candidates, context: Context | None = None) -> list[float]:
    return feature_rows(candidates, context or Context())[:, FEATURES.index(name)].round(6).tolist()


def trace(kind: str, days_ago: float, level: float | None = None, towards: tuple[float, ...] = (1,), **attributes: str):
    listed = {name: [value] for name, value in attributes.items()}
    return Trace(kind, NOW - timedelta(days=days_ago), direction(*towards), listed, level)


def test_a_row_has_every_feature_and_a_stranger_leaves_the_personal_ones_at_zero():
    rows = feature_rows([candidate(1, towards=(1,)), candidate(2)], Context())
    assert rows.shape == (2, len(FEATURES))
    for name in ("interest", "affinity", "likes", "price_habit", "sequence"):
        assert column(name, [candidate(1, towards=(1,), color="red")], Context(levels=LEVELS)) == [0.0]


def test_interest_is_the_cosine_with_the_conversation_and_zero_without_a_vector():
    context = Context(conversation=direction(1, 1))
    goods = [candidate(1, towards=(1, 1)), candidate(2, towards=(1, -1)), candidate(3)]
    assert column("interest", goods, context) == pytest.approx([1, 0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("price", "fit"),
    [("20", 1), ("80", 1), ("100", np.exp(-1)), ("15", np.exp(-1)), ("40", 1)],
)
def test_a_price_inside_the_budget_fits_wholly_and_one_outside_gently_less(price, fit):
    wish = PriceWish(low=Decimal(20), high=Decimal(80))
    assert column("price_fit", [candidate(1, price=price)], Context(price=wish)) == pytest.approx([fit], abs=1e-6)


def test_around_fifty_prefers_fifty():
    wish = PriceWish(low=Decimal(35), high=Decimal(65), about=Decimal(50))
    fits = column("price_fit", [candidate(i, price=p) for i, p in enumerate(("50", "60", "65"))], Context(price=wish))
    assert fits[0] == 1 and fits == sorted(fits, reverse=True) and fits[2] > 0.8


def test_a_free_product_and_a_budget_of_nothing_break_nothing():
    assert column("price_fit", [candidate(1, price="0")], Context(price=PriceWish(high=Decimal(0)))) == [1.0]
    assert 0 <= column("price_fit", [candidate(1, price="9")], Context(price=PriceWish(high=Decimal(0))))[0] < 1e-6


def test_few_votes_stay_near_the_prior():
    assert rating(5.0, 1) < rating(4.7, 60)
    assert rating(None, 0) == pytest.approx((3.8 - 3) / 2)
    assert rating(1.0, 1) > rating(1.0, 50)


def test_more_stock_is_more_up_to_a_full_shelf():
    levels = column("stock", [candidate(i, stock=pieces) for i, pieces in enumerate((0, 1, 20, 50, 5000))])
    assert levels[0] == 0 and levels == sorted(levels) and levels[3] == levels[4] == 1


def test_what_a_customer_bought_says_more_than_what_they_looked_at():
    taste = taste_from([trace("view", 1, color="red"), trace("order", 1, color="green")], NOW)
    likes = column("likes", [candidate(1, color="green"), candidate(2, color="red"), candidate(3, color="blue")],
                   Context(taste=taste))  # fmt: skip
    assert likes[0] > likes[1] > likes[2] == 0


def test_an_old_interest_fades():
    recent = taste_from([trace("view", 1, towards=(1, 0)), trace("view", 300, towards=(0, 1))], NOW)
    assert recent.direction[0] > 5 * recent.direction[1]


def test_affinity_grows_with_the_history():
    once, often = (taste_from([trace("view", day) for day in range(1, n + 1)], NOW) for n in (1, 20))
    first, later = (column("affinity", [candidate(1, towards=(1,))], Context(taste=t))[0] for t in (once, often))
    assert 0 < first < later < 1


def test_a_reviewed_order_counts_once():
    order = [trace("order", 3, color="red")]
    with_review, without = taste_from([*order, trace("review", 1, color="red")], NOW), taste_from(order, NOW)
    assert with_review.certainty == without.certainty and with_review.values == without.values


def test_nothing_done_is_no_taste():
    assert taste_from([], NOW) is COLD and taste_from([trace("review", 1)], NOW) is COLD


def test_who_buys_dear_things_gets_the_dear_ones_first():
    taste = Taste(level=1.5, certainty=0.9)
    cheap, dear = column("price_habit", [candidate(1, price="30"), candidate(2, price="100")],
                         Context(taste=taste, levels=LEVELS))  # fmt: skip
    assert dear > cheap


def test_a_price_level_is_relative_to_its_category():
    assert PriceLevel(float(np.log(50)), 0.5).of(50) == pytest.approx(0)
    assert PriceLevel(float(np.log(50)), 0.0).of(80) == 0 and PriceLevel(3.0, 0.5).of(0) == 0
    assert PriceLevel(float(np.log(50)), 0.01).of(1e9) == 3


def test_the_conversation_moves_towards_what_was_liked_and_away_from_what_was_rejected():
    said = direction(1, 0, 0)
    vector = conversation_vector([said], liked=[direction(0, 1, 0)], rejected=[direction(0, 0, 1)])
    assert vector[1] > 0 > vector[2] and np.linalg.norm(vector) == pytest.approx(1)
    assert conversation_vector([]) is None and conversation_vector([], rejected=[said]) is None


def test_the_sequence_model_speaks_by_product():
    assert column("sequence", [candidate(1), candidate(2)], Context(sequence={2: 0.7})) == [0, 0.7]
