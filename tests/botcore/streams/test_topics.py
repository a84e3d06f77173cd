"""How sentences gather to topics: by vectors alone."""

from __future__ import annotations

import numpy as np
import pytest

from botcore.streams.topics import FEWEST, SPLIT_FROM, Cluster, due_for_halving, gather, halves

WIDTH = 64


def about(direction: int, number: int, seed: int = 0, spread: float = 0.6) -> np.ndarray:
    """Unit vectors that lie about one axis."""
    random = np.random.default_rng([direction, seed])
    vectors = np.eye(WIDTH)[direction] + spread * random.standard_normal((number, WIDTH)) / np.sqrt(WIDTH)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_some_sentences_near_to_each_other_open_a_topic_and_fewer_do_not():
    assert gather([], about(0, FEWEST)).topics == (-1,) * FEWEST
    assert gather([], about(0, FEWEST - 1)).topics == (None,) * (FEWEST - 1)
    assert gather([], np.zeros((0, WIDTH), dtype=np.float32)).topics == ()


def test_a_sentence_joins_the_topic_that_it_is_near_to():
    known = [Cluster(7, about(0, 9).mean(axis=0), 9), Cluster(8, about(1, 9).mean(axis=0), 9)]
    found = gather(known, np.concatenate([about(1, 1, seed=5), about(0, 1, seed=5), about(2, 1)]))
    assert found.topics == (8, 7, None)
    assert (found.clusters[7].count, found.clusters[8].count) == (10, 10)


def test_sentences_that_waited_open_a_topic_once_there_are_enough():
    early = gather([], np.concatenate([about(0, 5), about(1, 2)]))
    assert early.topics == (-1,) * 5 + (None,) * 2
    later = gather(list(early.clusters.values()), about(1, 3, seed=2))
    assert set(later.topics) == {-2}


def test_two_topics_that_become_one_keep_the_older_name():
    known = [Cluster(7, about(0, 9).mean(axis=0), 9), Cluster(9, about(0, 4, seed=3).mean(axis=0), 4)]
    found = gather(known, about(1, 1))
    assert found.merged == {9: 7}
    assert found.clusters[7].count == 13


def test_a_diffuse_topic_swallows_nothing():
    mixed = np.concatenate([about(direction, 3) for direction in range(12)])
    diffuse = Cluster(1, mixed.mean(axis=0), len(mixed))
    assert gather([diffuse], about(3, 1, seed=9)).topics == (None,)


def test_a_topic_that_has_become_two_is_split_and_one_that_is_one_stays():
    two = np.concatenate([about(0, 50), about(1, 30)])
    apart = halves(two)
    assert apart is not None
    assert apart.tolist() == [False] * 50 + [True] * 30
    assert halves(about(0, 80)) is None
    assert halves(two[:20]) is None, "too few to tell"


@pytest.mark.parametrize(
    ("before", "after", "due"), [(60, 64, True), (64, 127, False), (120, 130, True), (3, 9, False)]
)
def test_topics_are_looked_at_for_halves_rarely(before, after, due):
    assert SPLIT_FROM == 64
    assert due_for_halving(before, after) is due
