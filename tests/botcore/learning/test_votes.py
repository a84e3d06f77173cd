"""Thumbs count once, never against a merchant's word, and no customer outvotes the others."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from botcore.learning.votes import LARGEST_SHARE, Vote, counted

DAY = date(2026, 11, 1)


def vote(number: int, contact: int, item: str = "P1", *, day: date = DAY, liked: bool = True) -> Vote:
    return Vote(number, number, contact, item, day, liked)


def honest(count: int) -> list[Vote]:
    return [vote(number, number) for number in range(1, count + 1)]


def test_one_vote_a_customer_item_and_day_the_last_one():
    votes = [*honest(30), vote(31, 1, liked=False), vote(32, 1, day=DAY + timedelta(1))]
    result = counted(votes, {})
    assert [v.id for v in result.votes if v.contact == 1] == [32]  # a share of one in thirty
    assert result.left_out["repeated"] == 1


def test_a_thousand_hostile_votes_of_one_customer_are_cut_to_their_share():
    hostile = [vote(1_000 + n, 666, f"P{n}", liked=False) for n in range(1_000)]
    result = counted([*honest(57), *hostile], {})
    cast = [v for v in result.votes if v.contact == 666]
    assert len(cast) == 3
    assert len(result.votes) == 60
    assert result.left_out["above one customer's share"] == 997


def test_a_merchants_word_outranks_thumbs():
    votes = honest(25)
    result = counted(votes, {1: False, 2: True})
    assert 1 not in {v.turn for v in result.votes}
    assert 2 in {v.turn for v in result.votes}
    assert result.left_out == {"against a merchant's word": 1}


def test_too_few_customers_to_hide_among_count_for_nothing():
    assert counted([vote(n, n % 3, f"P{n}") for n in range(60)], {}).votes == ()
    assert counted([], {}).votes == ()


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 30), st.booleans()), max_size=300))
def test_nobody_ever_has_more_than_the_largest_share(cast):
    votes = [vote(n, contact, f"P{item}", liked=liked) for n, (contact, item, liked) in enumerate(cast)]
    kept = counted(votes, {}).votes
    for contact in {v.contact for v in kept}:
        assert sum(v.contact == contact for v in kept) <= LARGEST_SHARE * len(kept)
