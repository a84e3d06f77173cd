"""The stability index: its values, its silence where nothing changed, its alarm where something did."""

from __future__ import annotations

from collections import Counter
from math import inf, log

import numpy as np
import pytest

from botcore.monitoring.stability import (
    CUSTOMARY,
    OTHERS,
    Tally,
    compare,
    contributions,
    effective_size,
    psi,
    psi_threshold,
    psi_without_change,
    rare,
)

INTENTS = [f"intent-{rank}" for rank in range(1, 31)]
AS_CUSTOMERS_ASK = np.array([1 / rank for rank in range(1, 31)]) / sum(1 / rank for rank in range(1, 31))
"""Few intents are common and most are rare (Zipf)."""


def drawn(size: int, seed: int, shares: np.ndarray = AS_CUSTOMERS_ASK, each: int = 1) -> Tally:
    """``size`` customers who each say ``each`` messages of one intent."""
    said = np.random.default_rng(seed).choice(INTENTS, size=size, p=shares)
    return Tally(tuple({str(intent): each} for intent in said))


def test_the_index_is_what_a_hand_computes():
    # Smoothed shares: 50.5/101 and 50.5/101 before, 20.5/101 and 80.5/101 after.
    by_hand = (20.5 - 50.5) / 101 * log(20.5 / 50.5) + (80.5 - 50.5) / 101 * log(80.5 / 50.5)
    assert psi({"find": 50, "refund": 50}, {"find": 20, "refund": 80}) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.40628, abs=1e-5)


def test_an_empty_cell_counts_as_half_a_message():
    # Shares 10.5/11 and 0.5/11 before, 8.5/11 and 2.5/11 after: 2/11 ln(5 * 10.5 / 8.5).
    assert psi({"find": 10}, {"find": 8, "refund": 2}) == pytest.approx(2 / 11 * log(5 * 10.5 / 8.5))
    assert psi({"find": 8, "refund": 2}, {"find": 10}) == pytest.approx(psi({"find": 10}, {"find": 8, "refund": 2}))


def test_equal_shares_have_an_index_of_nothing():
    assert psi({"a": 3, "b": 7}, {"a": 3, "b": 7}) == 0
    assert psi({}, {}) == 0
    assert psi({"a": 30, "b": 70}, {"a": 300, "b": 700}) == pytest.approx(0, abs=1e-4)


def test_the_parts_add_up_and_none_is_negative():
    parts = contributions({"a": 30, "b": 50, "c": 20}, {"a": 45, "b": 30, "d": 25})
    assert set(parts) == {"a", "b", "c", "d"}
    assert min(parts.values()) > 0
    assert sum(parts.values()) == pytest.approx(psi({"a": 30, "b": 50, "c": 20}, {"a": 45, "b": 30, "d": 25}))


def test_without_change_the_index_has_the_mean_that_chi_squared_gives_it():
    rng = np.random.default_rng(7)
    even = [0.2] * 5
    found = [
        psi(*(dict(zip("abcde", rng.multinomial(size, even).tolist(), strict=True)) for size in (400, 100)))
        for _ in range(2000)
    ]
    assert psi_without_change(5, 400, 100) == pytest.approx(0.05)
    assert np.mean(found) == pytest.approx(0.05, rel=0.05)


def test_the_threshold_is_customary_for_large_samples_and_higher_for_small_ones():
    assert psi_threshold(10, 2000, 2000) == CUSTOMARY
    assert psi_threshold(10, 100, 100) == pytest.approx(27.877 * 0.02, rel=1e-4)  # chi-squared .999 with 9 degrees
    assert psi_threshold(10, 0, 100) == inf
    assert psi_threshold(1, 100, 100) == CUSTOMARY


@pytest.mark.parametrize("size", [100, 2000])
def test_two_samples_of_the_same_customers_hardly_ever_alarm(size):
    alarms = [compare(drawn(size, 2 * seed), drawn(size, 2 * seed + 1)).differs for seed in range(100)]
    assert sum(alarms) <= 1


def test_the_customary_threshold_alone_would_alarm_on_small_samples():
    """What the threshold by sample size is for."""
    indices = [psi(drawn(100, 2 * seed).counts, drawn(100, 2 * seed + 1).counts) for seed in range(100)]
    assert sum(index > CUSTOMARY for index in indices) > 50


@pytest.mark.parametrize(("size", "found"), [(100, 70), (2000, 100)])
def test_a_real_shift_alarms(size, found):
    shifted = 0.75 * AS_CUSTOMERS_ASK
    shifted[7] += 0.25
    alarms = [compare(drawn(size, 2 * seed), drawn(size, 2 * seed + 1, shifted)).differs for seed in range(100)]
    assert sum(alarms) >= found


def test_a_shift_that_is_certain_but_small_does_not_alarm():
    before, after = {"find": 50_000, "policy": 50_000}, {"find": 45_000, "policy": 55_000}
    assert psi(before, after) > 100 * psi_without_change(2, 100_000, 100_000)
    assert psi(before, after) < psi_threshold(2, 100_000, 100_000)


def test_customers_who_repeat_themselves_hardly_ever_alarm():
    """Ten messages of each of fifty customers are fifty observations, not five hundred."""
    pairs = [(drawn(50, 2 * seed, each=10), drawn(50, 2 * seed + 1, each=10)) for seed in range(100)]
    assert sum(compare(*pair).differs for pair in pairs) <= 5
    naive = [psi(before.counts, after.counts) > psi_threshold(30, 500, 500) for before, after in pairs]
    assert sum(naive) > 90


def test_the_effective_size_counts_customers_where_each_is_of_one_mind():
    assert effective_size([{"a": 4}, {"b": 4}] * 50) == pytest.approx(100, rel=0.02)


def test_the_effective_size_is_at_most_the_number_of_messages():
    assert effective_size([{"a": 2, "b": 2}] * 50) == 200
    assert effective_size([{"a": 1}] * 50) == 50


def test_one_customer_is_one_observation_however_much_is_said():
    assert effective_size([{"a": 60, "b": 40}]) == 1
    assert effective_size([{}, {"a": 60, "b": 40}]) == 1
    assert effective_size([]) == 0
    one = Tally(({"a": 500},))
    assert not compare(one, Tally(({"b": 500},))).differs


def test_rare_categories_are_counted_together_by_the_smaller_sample():
    assert rare({"a": 900, "b": 60, "c": 40}, {"a": 90, "b": 6, "c": 4}) == {"c"}
    assert rare({"a": 900, "b": 60, "c": 40}, {"a": 900, "b": 60, "c": 40}) == frozenset()
    counts = Tally(({"a": 2, "c": 1}, {"d": 3})).together(frozenset("cd")).counts
    assert counts == Counter({"a": 2, OTHERS: 4})


def test_a_category_that_nobody_asked_for_before_stands_alone_once_it_is_common():
    before = Tally(tuple({"find": 1} for _ in range(400)))
    after = Tally(tuple({"refund" if i % 3 == 0 else "find": 1} for i in range(120)))
    found = compare(before, after)
    assert found.differs
    assert (found.expected["refund"], found.actual["refund"]) == (0, pytest.approx(1 / 3))
