"""Sizes that a shop has, and those that it has in nothing."""

from __future__ import annotations

import pytest

from botcore.dialogue.measures import read_measures

SHOES = {"size": {"eu 37": 4, "eu 39": 6, "m": 2}}


@pytest.mark.parametrize(
    ("text", "held", "missing"),
    [
        ("womens size 39", ["eu 39"], ()),
        ("womens size 38", [], ("size 38",)),
        ("给我看看eu 42的鞋", [], ("eu 42",)),
        ("38码有吗", [], ("38码",)),
        ("size m please", ["m"], ()),
        ("two pairs for 38 dollars", [], ()),
    ],
)
def test_a_size_that_is_asked_for_is_held_or_missing(text, held, missing):
    read = read_measures(text, SHOES)
    assert [m.value for m in read.values] == held and read.missing == missing


def test_a_shop_without_sizes_misses_none():
    assert read_measures("size 38", {"material": {"wool": 3}}).missing == ()
