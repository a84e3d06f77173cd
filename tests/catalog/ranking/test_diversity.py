"""The dial from the most relevant to the most varied."""

import pytest

from catalog.ranking.diversity import intra_list_distance, varied
from tests.catalog.ranking.goods import candidate, skus

ALIKE = [candidate(1, 1.0, towards=(1, 0)), candidate(2, 0.95, towards=(1, 0.1)), candidate(3, 0.9, towards=(1, 0.2)),
         candidate(4, 0.7, towards=(0, 1))]  # fmt: skip


def test_at_zero_the_best_scores_are_shown_in_order():
    assert skus(varied(ALIKE, 3, 0.0)) == ["P1", "P2", "P3"]


def test_turned_up_something_else_comes_in_and_the_best_stays_first():
    assert skus(varied(ALIKE, 2, 0.6)) == ["P1", "P4"]
    assert intra_list_distance(varied(ALIKE, 3, 0.6)) > intra_list_distance(varied(ALIKE, 3, 0.0))


def test_at_one_the_least_alike_are_shown():
    assert "P4" in skus(varied(ALIKE, 2, 1.0))


def test_a_title_comes_twice_only_where_nothing_else_is_left():
    twins = [candidate(1, 1.0, title="Parka"), candidate(2, 0.9, title="Parka"), candidate(3, 0.1, title="Anorak")]
    assert skus(varied(twins, 2, 0.0)) == ["P1", "P3"]
    assert skus(varied(twins, 3, 0.0)) == ["P1", "P3", "P2"]


def test_pinned_products_hold_their_places_and_come_once():
    assert skus(varied(ALIKE, 3, 0.0, pinned={1: ALIKE[3]})) == ["P1", "P4", "P2"]
    assert skus(varied(ALIKE[:1], 3, 0.0, pinned={2: ALIKE[0]})) == ["P1"]


def test_what_does_not_fit_beside_the_others_is_left_out():
    assert skus(varied(ALIKE, 3, 0.0, fits=lambda c, slate: not slate or c.product.sku == "P4")) == ["P1", "P4"]


def test_distance_of_a_list():
    assert intra_list_distance([candidate(1, towards=(1, 0)), candidate(2, towards=(0, 1))]) == pytest.approx(1)
    assert intra_list_distance([candidate(1, towards=(1, 0)), candidate(2, towards=(1, 0))]) == pytest.approx(
        0, abs=1e-6
    )
    assert intra_list_distance([candidate(1)]) == 0


def test_variety_is_dear_where_one_stands_out_and_free_where_all_are_equal():
    equal = [candidate(n, 1.0, towards=(1, n / 20)) for n in range(1, 4)] + [candidate(9, 1.0, towards=(0, 1))]
    clear = [candidate(1, 1.0, towards=(1, 0)), candidate(2, 0.98, towards=(1, 0.1)), candidate(3, 0.3, towards=(0, 1))]
    assert skus(varied(equal, 2, 0.1)) == ["P1", "P9"]
    assert skus(varied(clear, 2, 0.3)) == ["P1", "P2"]
