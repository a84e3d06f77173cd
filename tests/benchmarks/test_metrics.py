"""The measures against values worked out by hand."""

import pytest

from benchmarks.baselines import BM25, by_popularity
from benchmarks.metrics import accuracy, bootstrap, f1, first_hit, hit_at, macro_f1, mean, reciprocal_rank
from benchmarks.recommend import put

RANKED = ["a", "b", "c", "d"]


def test_the_first_relevant_item_counts():
    assert first_hit(RANKED, {"c", "d"}) == 3
    assert first_hit(RANKED, {"z"}) == 0


def test_hit_at_looks_no_further_than_k():
    assert [hit_at(k, RANKED, {"c"}) for k in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert hit_at(4, RANKED, {"z"}) == 0


def test_the_reciprocal_rank_is_one_over_the_place():
    assert [reciprocal_rank(RANKED, {sku}) for sku in "abdz"] == [1, 1 / 2, 1 / 4, 0]


def test_accuracy_and_f1_of_a_small_confusion():
    pairs = [("x", "x"), ("x", "x"), ("x", "y"), ("y", "y"), ("z", "x")]
    assert accuracy(pairs) == 3 / 5
    assert f1("x", pairs) == pytest.approx(2 * 2 / (3 + 3))  # 2 right, 3 said, 3 true
    assert f1("y", pairs) == pytest.approx(2 / 3)
    assert f1("z", pairs) == 0
    assert macro_f1(pairs) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)


def test_macro_f1_leaves_out_classes_that_never_occur():
    assert macro_f1([("x", "x"), ("x", "w")]) == pytest.approx(2 / 3)


def test_an_interval_of_equal_values_has_no_width():
    interval = bootstrap([0.5] * 6, list("aabbcc"), mean)
    assert (interval.value, interval.low, interval.high) == (0.5, 0.5, 0.5)


def test_an_interval_covers_what_resampling_two_groups_can_give():
    """Two groups, one all hits and one all misses: a resample is 0, 1/2 or 1, the extremes a quarter of the time each."""
    interval = bootstrap([1, 1, 1, 0, 0, 0], list("aaabbb"), mean)
    assert (interval.value, interval.low, interval.high) == (0.5, 0, 1)


def test_rows_of_a_group_are_drawn_together():
    """Drawn one by one, eighty rows would make the interval narrow; as two groups it spans everything."""
    together = bootstrap([1] * 40 + [0] * 40, ["a"] * 40 + ["b"] * 40, mean)
    apart = bootstrap([1] * 40 + [0] * 40, list(range(80)), mean)
    assert together.high - together.low == 1
    assert apart.high - apart.low < 0.3


def test_bm25_scores_one_word_as_the_formula_says():
    """Two titles of two words (mean length 2), the word in one: idf ln(1 + 1.5/1.5), tf part 2.2/(1 + 1.2)."""
    bm25 = BM25({"a": "red kettle", "b": "green rug"})
    assert bm25.score(["kettle"], bm25.documents["a"]) == pytest.approx(0.6931, abs=1e-4)
    assert bm25.score(["kettle"], bm25.documents["b"]) == 0
    assert bm25.ranked("a green one") == ["b", "a"]


def test_popularity_counts_recommendations():
    assert by_popularity(["a", "b", "c"], ["b", "c", "c"]) == ["c", "b", "a"]


DOCUMENT = "above\n<!-- bench-recommend x: written by the command -->\nold\n<!-- end of x -->\nbelow\n"


def test_tables_replace_what_stands_between_their_markers_and_nothing_else():
    once = put(DOCUMENT, "x", "| new |")
    assert "old" not in once and "| new |" in once
    assert once.startswith("above\n") and once.endswith("\nbelow\n")
    assert put(once, "x", "| new |") == once


def test_a_document_without_markers_is_not_written():
    with pytest.raises(ValueError, match="bench-recommend y"):
        put(DOCUMENT, "y", "| new |")
