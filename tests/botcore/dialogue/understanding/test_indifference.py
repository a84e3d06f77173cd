"""Attributes that no longer matter."""

import pytest

from botcore.dialogue.understanding.indifference import indifferent


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("any colour is fine", ("color",)),
        ("the fabric doesn't matter, i don't care about the brand", ("material", "brand")),
        ("预算无所谓", ("price",)),
        ("黑色可以", ()),
        ("第一款可以", ()),
    ],
)
def test_what_does_not_matter_is_told(text, attributes):
    assert indifferent(text)[0] == attributes
