"""A message that corrects itself means what it says last."""

import pytest

from botcore.dialogue.understanding import repairs
from botcore.dialogue.understanding.repairs import taken_back


def left(text, *values, exclusive=False):
    said = [(text.find(v), text.find(v) + len(v), "shade", v) for v in values]
    gone = taken_back(text, said, lambda _: exclusive)
    return [v for v in values if v not in gone]


@pytest.mark.parametrize(
    ("text", "values", "meant"),
    [
        ("a teal one, hang on, a plum one", ("teal", "plum"), ["plum"]),
        ("change the teal to plum", ("teal", "plum"), ["plum"]),
        ("要青色的，啊不，紫色", ("青色", "紫色"), ["紫色"]),
        ("把青色换成紫色", ("青色", "紫色"), ["紫色"]),
        ("teal or plum, either is fine", ("teal", "plum"), ["teal", "plum"]),
    ],
)
def test_the_later_value_counts_behind_a_repair(text, values, meant):
    assert left(text, *values) == meant


def test_of_sizes_the_last_counts_unless_two_are_named_side_by_side():
    assert left("a 38, though my feet have grown: 39", "38", "39", exclusive=True) == ["39"]
    assert left("38 or 39", "38", "39", exclusive=True) == ["38", "39"]


def test_an_endless_message_is_searched_once_for_each_of_its_values(monkeypatch):
    searched: list[str] = []

    class Counting:
        def search(self, text: str) -> None:
            searched.append(text)

    monkeypatch.setattr(repairs, "REPAIR", Counting())
    text = "teal " * 500
    assert taken_back(text, [(5 * i, 5 * i + 4, "shade", "teal") for i in range(500)]) == []
    assert len(searched) <= 500
