"""What is more than chance, and what is not."""

import itertools
import math
import random

import pytest

from catalog.graph.associations import Counted, Pair, at_least, at_most


def associated(groups, support: int) -> list[Pair]:
    return Counted.of(groups).associated(support)


def crowd(seed: int, groups: int = 4_000, items: int = 60) -> list[set[int]]:
    """Baskets filled at random, some items far more popular than others."""
    rng = random.Random(seed)
    weights = [1 / (1 + number) for number in range(items)]
    return [set(rng.choices(range(items), weights, k=rng.choice((1, 2, 2, 3, 4)))) for _ in range(groups)]


def test_the_tail_is_poisson_s():
    for count, mean in ((1, 0.3), (3, 0.01), (7, 2.5), (40, 12.0)):
        exact = 1 - sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(count))
        assert at_least(count, mean) == pytest.approx(exact, rel=1e-6, abs=1e-13)
        assert at_most(count - 1, mean) == pytest.approx(1 - exact, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_chance_alone_is_rarely_taken_for_a_link(seed):
    assert len(associated(crowd(seed), support=3)) <= 3


def test_planted_pairs_are_found_between_rare_and_between_popular_items():
    groups = crowd(1) + [{100, 101}] * 6 + [{0, 55, 102}] * 60
    found = {(pair.one, pair.other): pair for pair in associated(groups, support=3)}
    assert (100, 101) in found and (0, 102) in found and (55, 102) in found
    assert found[100, 101].together == 6


def test_popular_items_meet_often_and_are_no_pair_for_that():
    groups = [set(pair) for pair in itertools.combinations(range(12), 2)] * 20
    assert associated(groups, support=3) == []


def test_two_cases_are_too_few_however_rare_the_items():
    groups = crowd(2) + [{200, 201}] * 2
    assert all(pair.one != 200 for pair in associated(groups, support=3))


def test_few_cases_weigh_less_than_many_of_the_same_lift():
    assert Pair(1, 2, 30, 3.0).lift > Pair(1, 2, 3, 0.3).lift > 1


def test_nothing_comes_of_nothing():
    assert associated([], support=3) == [] and associated([{1}, {2}, {1}], support=3) == []


def test_labels_are_counted_for_all_their_items():
    counted = Counted.of([{1, 10}, {2, 10}, {2, 11}, {1}])
    labelled = counted.labelled({1: ["a"], 2: ["a"], 10: ["b", "b green"], 11: ["b"]})
    assert dict(labelled.items) == {"a": 4, "b": 3, "b green": 2}
    assert dict(labelled.pairs) == {("a", "b"): 3, ("a", "b green"): 2}
    assert labelled.expected("a", "b") == pytest.approx(sum(counted.expected(i, j) for i in (1, 2) for j in (10, 11)))
