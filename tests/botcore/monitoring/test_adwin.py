"""The adaptive window: quiet on a steady stream, quick after a change, small in memory, the same after storage."""

from __future__ import annotations

import json
from collections import Counter
from math import log, log2, sqrt

import numpy as np
import pytest

from botcore.monitoring.adwin import BUCKETS, EVERY, Adwin, cut_bound


def stream(chance: float, length: int, seed: int) -> list[float]:
    return (np.random.default_rng(seed).random(length) < chance).astype(float).tolist()


def fed(values: list[float]) -> Adwin:
    adwin = Adwin()
    for value in values:
        adwin.add(value)
    return adwin


def items_until_found(values: list[float], adwin: Adwin) -> float:
    return next((place for place, value in enumerate(values, start=1) if adwin.add(value)), float("inf"))


@pytest.mark.parametrize("chance", [0.02, 0.1, 0.5])
def test_steady_streams_raise_at_most_one_false_alarm_in_twenty(chance):
    alarms = 0
    for seed in range(20):
        found = items_until_found(stream(chance, 10_000, seed), Adwin())
        alarms += found < float("inf")
    assert alarms <= 1


def test_a_rise_from_a_tenth_to_a_fifth_is_found_within_1000_items():
    delays = [items_until_found(stream(0.2, 2000, 100 + seed), fed(stream(0.1, 2000, seed))) for seed in range(20)]
    assert max(delays) <= 1000
    assert np.median(delays) <= 400


def test_a_fall_is_found_as_well():
    delays = [items_until_found(stream(0.1, 2000, 100 + seed), fed(stream(0.2, 2000, seed))) for seed in range(20)]
    assert max(delays) <= 1000


def test_the_mean_follows_a_change_and_forgets_what_was():
    adwin = fed(stream(0.1, 3000, 1) + stream(0.6, 2000, 2))
    assert adwin.mean == pytest.approx(0.6, abs=0.04)
    assert 1900 <= adwin.width <= 2100


def test_without_change_mean_and_width_are_those_of_the_whole_stream():
    values = np.random.default_rng(3).uniform(0.2, 0.9, 1000).tolist()
    adwin = fed(values)
    assert adwin.width == 1000
    assert adwin.mean == pytest.approx(np.mean(values))


def test_a_change_between_values_that_are_no_zeros_and_ones_is_found():
    rng = np.random.default_rng(4)
    adwin = fed(rng.uniform(0.4, 0.6, 1000).tolist())
    assert items_until_found(rng.uniform(0.45, 0.65, 1000).tolist(), adwin) <= 300


def test_memory_grows_with_the_logarithm_of_the_width():
    adwin = Adwin()
    for value in stream(0.5, 20_000, 5):
        adwin.add(value)
        assert adwin.buckets <= BUCKETS * (log2(adwin.width) + 1)
    assert adwin.width == 20_000


def test_no_size_has_more_buckets_than_the_paper_s_m_and_sizes_never_grow():
    adwin = Adwin()
    for value in stream(0.5, 3000, 5):
        adwin.add(value)
        sizes = [size for size, _, _ in adwin.to_json()["buckets"]]
        assert max(Counter(sizes).values()) <= BUCKETS
        assert sizes == sorted(sizes, reverse=True)


def test_an_empty_window_has_no_width_and_no_mean():
    assert (Adwin().width, Adwin().mean) == (0, 0)


@pytest.mark.parametrize("value", [-0.01, 1.01, 30, float("nan")])
def test_values_outside_the_range_of_the_bound_are_refused(value):
    adwin = Adwin()
    with pytest.raises(ValueError, match="0 to 1"):
        adwin.add(value)
    assert adwin.width == 0


@pytest.mark.parametrize("stored_after", [0, 1, 1000 + EVERY // 2, 2300])
def test_a_stored_window_goes_on_as_if_it_had_not_been_stored(stored_after):
    values = stream(0.1, 2000, 6) + stream(0.3, 1000, 7) + stream(0.7, 500, 8)
    kept = fed(values[:stored_after])
    restored = Adwin.from_json(json.loads(json.dumps(kept.to_json())))
    alarms = [(kept.add(value), restored.add(value)) for value in values[stored_after:]]
    assert all(one == other for one, other in alarms)
    assert any(one for one, _ in alarms)
    assert restored.to_json() == kept.to_json()


def test_a_stored_window_keeps_its_delta():
    assert Adwin.from_json(Adwin(delta=0.2).to_json()).delta == 0.2


def test_the_bound_is_the_paper_s():
    confidence = log(2 * log(400) / 0.002)
    by_hand = sqrt(2 / 75 * 0.09 * confidence) + 2 / (3 * 75) * confidence  # the harmonic mean of 100 and 300 is 2 * 75
    assert cut_bound(100, 300, 0.09, 0.002) == pytest.approx(by_hand)
