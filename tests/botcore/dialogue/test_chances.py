"""Chances of pieces of evidence by their log odds. Pure."""

import numpy as np
import pytest

from botcore.dialogue.chances import USUAL, chances, fused


def odds(*values):
    return np.array(values, dtype=np.float32)


def test_even_odds_share_with_that_nothing_answers():
    assert chances(odds(0, 0)).tolist() == pytest.approx([1 / 3, 1 / 3])


def test_what_is_all_unlikely_leaves_the_chance_to_silence():
    assert chances(odds(-8, -9)).sum() < 0.001


def test_long_odds_overflow_nothing():
    assert chances(odds(900, -900)).tolist() == pytest.approx([1, 0])


def test_a_cosine_beyond_the_usual_speaks_for_a_piece_and_one_short_of_it_against():
    near, usual, far = fused(odds(1, 1, 1), odds(USUAL + 0.2, USUAL, USUAL - 0.2))
    assert near > usual > far and usual < 1
