"""Two heads must agree, surely enough to have been right before; and what they taught must have helped."""

from __future__ import annotations

import numpy as np
import pytest

from botcore.learning.pseudo_labels import Difference, agreed, improved, threshold_for, weights_of, wilson


def test_heads_that_differ_agree_on_nothing_and_the_less_sure_one_counts():
    first = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    second = np.array([[0.7, 0.3], [0.9, 0.1], [0.99, 0.01]])
    labels, chances = agreed(first, second)
    assert labels.tolist() == [0, 1, 0]
    assert chances.tolist() == [0.7, 0.0, 0.6]


def test_the_threshold_is_the_lowest_that_is_right_often_enough_beyond_doubt():
    chances = np.linspace(0.99, 0.01, 400)
    right = np.ones(400, dtype=bool)
    assert threshold_for(chances, right, 0.95).agreements == 400
    right[300:] = False
    found = threshold_for(chances, right, 0.95)
    assert (chances >= found.chance).sum() == found.agreements == 307, "seven wrong: .977 with an interval from .954"
    assert 0.95 <= found.low < found.precision == 300 / 307 < found.high
    assert found.messages == 400


def test_disagreements_never_reach_a_threshold_and_too_few_agreements_make_none():
    chances, right = np.zeros(300), np.ones(300, dtype=bool)
    assert threshold_for(chances, right) is None
    chances[:50] = 0.9
    assert threshold_for(chances, right) is None, "all right, but fifty tell of no more than .93"
    chances[50:200] = 0.8
    assert threshold_for(chances, right).chance == 0.8


def test_messages_of_one_chance_stand_and_fall_together():
    chances = np.full(200, 0.9)
    right = np.arange(200) < 150
    assert threshold_for(chances, right) is None, "the first 150 are as sure as the wrong ones"


def test_the_interval_of_a_share_stays_within_its_bounds():
    lows, highs = wilson(np.array([1.0, 0.0]), np.array([100, 100]))
    assert lows.tolist() == pytest.approx([0.963, 0.0], abs=1e-3) and highs.tolist() == pytest.approx(
        [1.0, 0.037], abs=1e-3
    )


def test_no_label_counts_more_than_another_however_often_it_occurs():
    weights = weights_of(np.array([0] * 100 + [3]), most=20)
    assert weights[:100].sum() == pytest.approx(20, rel=1e-5)
    assert weights[100] == 1


@pytest.mark.parametrize(
    ("differences", "kept"),
    [
        ([Difference(0.02, 0.01, 0.03), Difference(0.0, -0.01, 0.01)], True),
        ([Difference(0.02, -0.001, 0.03), Difference(0.01, -0.01, 0.02)], False),
        ([Difference(0.02, 0.01, 0.03), Difference(-0.001, -0.01, 0.01)], False),
        ([], False),
        ([Difference(float("nan"), float("nan"), float("nan")), Difference(0.02, 0.01, 0.03)], False),
    ],
)
def test_a_layer_is_kept_where_one_measure_is_better_beyond_doubt_and_none_worse(differences, kept):
    assert improved(differences) is kept
