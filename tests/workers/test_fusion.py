"""Learning how search fuses its features, and the correction of query vectors."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.search import Weights
from workers.training.encoder import interval, reciprocal_ranks, trained
from workers.training.fusion import Brought, by_reciprocal_rank, by_weights, fitted, quality


def lists(column: int, count: int = 60) -> list[Brought]:
    """Lists in which one feature tells the wanted product and the others say nothing."""
    rng = np.random.default_rng(3)
    made = []
    for number in range(count):
        learned = rng.random((12, 4))
        wanted = np.zeros(12, dtype=bool)
        wanted[int(np.argmax(learned[:, column]))] = True
        made.append(Brought(learned, np.zeros((12, 2)), wanted, 0, str(number)))
    return made


def test_the_feature_that_tells_gets_the_weight_and_none_goes_below_zero() -> None:
    weights = fitted(lists(column=1))
    assert weights.text > 2 * weights.vector
    assert min(weights.soft, weights.title) >= 0
    assert (weights.rating, weights.popularity) == (Weights().rating, Weights().popularity)


def test_learned_weights_rank_held_out_lists_better_than_any_other_feature() -> None:
    weights, held = fitted(lists(column=1)), lists(column=1)[:20]
    hits, reciprocal, gains = quality(held, [by_weights(each, weights) for each in held])
    assert hits.mean() > 0.9 and gains.mean() > 0.7
    assert reciprocal.mean() > quality(held, [each.learned[:, 0] for each in held])[1].mean()


def test_reciprocal_rank_fusion_is_the_sum_over_the_two_rankings() -> None:
    learned = np.array([[0.9, 0.0, 0, 0], [0.5, 0.3, 0, 0], [0.1, 0.0, 0, 0]])
    scores = by_reciprocal_rank(Brought(learned, np.zeros((3, 2)), np.array([False, True, False]), 0, "a"))
    np.testing.assert_allclose(scores, [1 / 61 + 1 / 62, 1 / 62 + 1 / 61, 1 / 63 + 1 / 62])


def test_wanted_products_that_search_did_not_bring_count_against_it() -> None:
    one = Brought(np.ones((2, 4)), np.zeros((2, 2)), np.array([True, False]), 1, "a")
    _, _, gains = quality([one], [np.array([1.0, 0.0])])
    assert gains[0] == pytest.approx(1 / (1 + 1 / np.log2(3)))


def test_a_correction_learns_where_queries_of_a_shop_point() -> None:
    rng = np.random.default_rng(0)
    products = rng.normal(size=(40, 16)).astype(np.float32)
    products /= np.linalg.norm(products, axis=1, keepdims=True)
    rows = rng.integers(0, 40, 600)
    rotation = np.linalg.qr(rng.normal(size=(16, 16)))[0].astype(np.float32)
    asked = products[rows] @ rotation  # the words always point elsewhere, in the same way
    correction = trained(asked[:400], rows[:400], products, (asked[400:500], rows[400:500]))
    after = np.stack([correction.of(vector) for vector in asked[500:]])
    before, learned = (reciprocal_ranks(q, rows[500:], products).mean() for q in (asked[500:], after))
    assert learned > before + 0.3


def test_noise_teaches_no_correction() -> None:
    rng = np.random.default_rng(1)
    products, asked = (rng.normal(size=(n, 16)).astype(np.float32) for n in (30, 80))
    rows = rng.integers(0, 30, 80)
    correction = trained(asked[:40], rows[:40], products, (asked[40:], rows[40:]))
    low, _ = interval(
        reciprocal_ranks(np.stack([correction.of(v) for v in asked[40:]]), rows[40:], products)
        - reciprocal_ranks(asked[40:], rows[40:], products),
        np.arange(40),
    )
    assert low <= 0
