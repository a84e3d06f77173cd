"""A new version is loaded beside the one that serves; no reply waits for it, and none loses what it was lent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from tests.fakes import at_once
from workers.engine import lending
from workers.engine.lending import AGAIN_SECONDS, IDLE_SECONDS, Lending, Lent


@dataclass
class Engine:
    key: int
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@dataclass
class Shelf:
    """Loads at once but for the keys that are ``held_back``; fails for those that are ``broken``."""

    made: list[Engine] = field(default_factory=list)
    held_back: dict[int, threading.Event] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    now: float = 0.0

    def load(self, key: int) -> Engine:
        if key in self.held_back:
            assert self.held_back[key].wait(20)
        if key in self.broken:
            raise OSError("no such file")
        self.made.append(Engine(key))
        return self.made[-1]

    def lending(self, kept: int | None = None) -> Lending[int, Engine]:
        return Lending(self.load, lambda: self.now, kept)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def lent_for(lending: Lending[int, Engine], wanted: int, *instead: int) -> Lent[int, Engine]:
    with lending.lend(wanted, lambda: instead) as lent:
        assert lent.key == (lent.engine.key if lent.engine else None)
        return lent


def lent_key(lending: Lending[int, Engine], wanted: int, *instead: int) -> int | None:
    return lent_for(lending, wanted, *instead).key


def test_the_first_one_is_waited_for(shelf):
    assert lent_key(shelf.lending(), 7) == 7


def test_until_a_new_one_is_loaded_the_old_one_writes_and_says_so(shelf):
    lending, loaded = shelf.lending(), threading.Event()
    shelf.held_back[2] = loaded
    assert lent_key(lending, 1) == 1
    for _ in range(2):
        lent = lent_for(lending, 2, 1)
        assert (lent.key, lent.failure) == (1, "")
    loaded.set()
    lending.settle()
    assert lent_key(lending, 2, 1) == 2
    assert [engine.key for engine in shelf.made] == [1, 2]


def test_until_a_new_one_is_loaded_nothing_is_lent_that_may_not_stand_in_for_it(shelf):
    lending, loaded = shelf.lending(), threading.Event()
    shelf.held_back[2] = loaded
    lent_key(lending, 1)
    assert lent_key(lending, 2) is None
    assert lent_key(lending, 2, 3) is None
    loaded.set()
    lending.settle()
    assert lent_key(lending, 2) == 2
    assert lending.loaded() == {1, 2}


def test_of_what_may_stand_in_the_first_that_is_loaded_does(shelf):
    lending = shelf.lending()
    for key in (3, 4):
        lent_key(lending, key)
        lending.settle()
    shelf.held_back[2] = threading.Event()
    assert lent_key(lending, 2, 5, 4, 3) == 4
    shelf.held_back[2].set()
    lending.settle()


def test_what_may_stand_in_is_asked_for_only_where_the_wanted_one_is_not_there(shelf):
    lending = shelf.lending()
    lent_key(lending, 1)
    with lending.lend(1, lambda: pytest.fail("asked for")) as lent:
        assert lent.key == 1


def test_many_replies_at_once_load_a_version_once(shelf):
    lending = shelf.lending()
    assert at_once(*[lambda: lent_key(lending, 3)] * 12) == [3] * 12
    assert len(shelf.made) == 1


def test_what_is_lent_is_not_freed_before_it_comes_back(shelf):
    lending = shelf.lending()
    with lending.lend(1) as lent:
        lent_key(lending, 2)
        lending.settle()
        shelf.now += IDLE_SECONDS
        lent_key(lending, 2)
        assert not lent.engine.closed
    assert lent.engine.closed
    assert lending.loaded() == {2}


def test_what_nobody_asks_for_is_freed_but_never_the_last(shelf):
    lending = shelf.lending()
    lent_key(lending, 1)
    shelf.now += 2 * IDLE_SECONDS
    lent_key(lending, 1)
    assert lending.loaded() == {1}


def test_the_one_that_is_kept_stays_however_long_nobody_asks_for_it(shelf):
    lending = shelf.lending(kept=1)
    for key in (1, 2, 3):
        lent_key(lending, key)
        lending.settle()
    shelf.now += 2 * IDLE_SECONDS
    lent_key(lending, 3)
    assert lending.loaded() == {1, 3}


def test_there_is_room_for_so_many_and_no_more(shelf, monkeypatch):
    monkeypatch.setattr(lending, "MOST_LOADED", 2)
    pool = shelf.lending()
    for key in (1, 2, 3):
        shelf.now += 1
        lent_key(pool, key)
        pool.settle()
        shelf.now += 1
        lent_key(pool, key)
    assert pool.loaded() == {2, 3}
    assert [engine.closed for engine in shelf.made] == [True, False, False]


def test_a_version_that_cannot_be_loaded_leaves_the_replies_to_the_other_and_is_tried_again_later(shelf):
    lending = shelf.lending()
    shelf.broken = {2}
    lent_key(lending, 1)
    for _ in range(3):
        assert lent_key(lending, 2, 1) == 1
        lending.settle()
    shelf.broken = set()
    assert lent_key(lending, 2, 1) == 1
    lending.settle()
    assert lent_key(lending, 2, 1) == 1
    shelf.now += AGAIN_SECONDS
    lent_key(lending, 2, 1)
    lending.settle()
    assert lent_key(lending, 2, 1) == 2


def test_a_version_has_failed_from_its_first_failure_until_it_is_loaded(shelf):
    lending = shelf.lending()
    shelf.broken, told = {2}, []
    lent_key(lending, 1)

    def ask() -> None:
        told.append(lent_for(lending, 2, 1).failure)

    ask()
    lending.settle()
    ask()
    shelf.now += AGAIN_SECONDS
    shelf.broken, shelf.held_back[2] = set(), threading.Event()
    ask()
    shelf.held_back[2].set()
    lending.settle()
    ask()
    assert told == ["", "OSError", "OSError", ""]


def test_in_place_of_one_that_cannot_be_loaded_the_next_best_is(shelf):
    lending = shelf.lending()
    shelf.broken = {2}
    assert lent_key(lending, 2, 1) is None
    lending.settle()
    lent = lent_for(lending, 2, 1)
    assert (lent.key, lent.failure) == (1, "OSError")


def test_what_is_loaded_beside_nothing_is_loaded_once(shelf):
    lending = shelf.lending()
    shelf.broken, shelf.held_back[1] = {2}, threading.Event()
    lent_key(lending, 2, 1)
    assert lent_key(lending, 1) is None
    shelf.held_back[1].set()
    lending.settle()
    assert lent_key(lending, 1) == 1
    assert [engine.key for engine in shelf.made] == [1]


def test_without_any_model_nothing_is_lent(shelf):
    shelf.broken = {1}
    assert lent_for(shelf.lending(), 1) == Lent(None, None, "OSError")
