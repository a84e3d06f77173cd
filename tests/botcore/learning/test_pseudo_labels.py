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


def test_the_threshold_is_the_lowest_that_was_right_often_enough():
    chances = np.linspace(0.99, 0.01, 400)
    right = np.ones(400, dtype=bool)
    right[150:160] = False
    found = threshold_for(chances, right, 0.97)
    assert found is not None and found.agreements == 400 and found.precision == pytest.approx(0.975)
    right[160:] = False
    stricter = threshold_for(chances, right, 0.97)
    assert stricter is not None and stricter.agreements == 154, "150 right and 4 wrong"
    assert (chances >= stricter.chance).sum() == 154
    assert stricter.low < 0.97 < stricter.high and stricter.messages == 400


def test_disagreements_never_reach_a_threshold_and_too_few_agreements_make_none():
    chances, right = np.zeros(300), np.ones(300, dtype=bool)
    assert threshold_for(chances, right) is None
    chances[:99] = 0.9
    assert threshold_for(chances, right) is None
    chances[99] = 0.8
    assert threshold_for(chances, right).chance == 0.8


def test_messages_of_one_chance_stand_and_fall_together():
    chances = np.full(200, 0.9)
    right = np.arange(200) < 150
    assert threshold_for(chances, right, 0.97) is None, "the first 150 are as sure as the wrong ones"


def test_the_interval_of_a_share_stays_within_its_bounds():
    low, high = wilson(1.0, 100)
    assert low == pytest.approx(0.963, abs=1e-3) and high == pytest.approx(1.0)


def test_pseudo_labels_never_outweigh_the_labels_that_people_gave():
    weights = weights_of(np.array([0] * 100 + [1]), np.array([10.0, 10.0, 10.0]), most=0.3)
    assert weights[:100].sum() == pytest.approx(10, rel=1e-5)
    assert weights[100] == pytest.approx(0.3)


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
