"""The explored place: what is tried, how often, and that its propensity is true."""

from collections import Counter

import pytest

from catalog.ranking.explore import POOL, thompson
from tests.catalog.ranking.goods import candidate

TIMES = 400
POOLED = [candidate(number, 1 - number / 10) for number in range(6)]


def tries(counts: dict[int, tuple[int, int]], times: int = TIMES) -> Counter[int]:
    return Counter(thompson(POOLED, counts, seed).candidate.product.pk for seed in range(times))


def test_the_same_seed_tries_the_same_with_the_same_propensity():
    assert thompson(POOLED, {}, 5) == thompson(POOLED, {}, 5)


def test_nothing_to_try():
    assert thompson([], {}, 1) is None
    assert thompson(POOLED[:1], {}, 1).propensity == pytest.approx(1)


def test_the_propensity_is_how_often_the_product_is_tried():
    counts = {0: (40, 4), 1: (10, 4), 2: (200, 2)}
    happened = tries(counts)
    for seed in range(15):
        tried = thompson(POOLED, counts, seed)
        assert tried.propensity == pytest.approx(happened[tried.candidate.product.pk] / TIMES, abs=0.08)
        assert 0 < tried.propensity <= 1


def test_without_evidence_the_relevant_are_tried_more():
    happened = tries({})
    assert happened[0] > happened[5] > 0


def test_what_customers_choose_is_tried_more_and_what_they_pass_by_less():
    liked, ignored = tries({5: (60, 40)}), tries({0: (300, 1)})
    assert liked[5] > 0.9 * TIMES
    assert ignored[0] < 0.05 * TIMES


def test_more_chosen_than_shown_is_taken_for_all():
    assert thompson(POOLED, {0: (2, 9)}, 3).propensity > 0


def test_only_the_best_are_tried():
    many = [candidate(number, 0.0) for number in range(40)]
    assert max(thompson(many, {}, seed).candidate.product.pk for seed in range(100)) < POOL
