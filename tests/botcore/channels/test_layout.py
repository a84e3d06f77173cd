"""What a platform cannot show is shown in the next best way, in the stated order, and as text at last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from botcore.channels.layout import Layout, is_public, layout_of, numbered_text
from botcore.channels.values import Capabilities
from tests.botcore.channels.conformance import MESSAGE

EVERYTHING = Capabilities(4096, buttons=3, pictures=True, carousel=10, list_rows=10, quick_replies=10)


def test_products_are_shown_as_richly_as_the_platform_can():
    order, can = [], EVERYTHING
    for fewer in ({"carousel": 0}, {"pictures": False}, {"list_rows": 0}, {"quick_replies": 0}, {}):
        order.append(layout_of(MESSAGE, can))
        can = replace(can, **fewer)
    assert order == [Layout.CAROUSEL, Layout.CARDS, Layout.LIST, Layout.QUICK_REPLIES, Layout.NUMBERS]


@pytest.mark.parametrize("name", ["carousel", "list_rows", "quick_replies"])
def test_what_is_too_short_for_all_products_is_not_taken(name):
    can = replace(Capabilities(4096), **{name: 2})
    assert layout_of(MESSAGE, can) is Layout.NUMBERS
    assert layout_of(MESSAGE, replace(can, **{name: 3})) is not Layout.NUMBERS


def test_without_products_there_is_a_text():
    assert layout_of(replace(MESSAGE, cards=()), EVERYTHING) is Layout.TEXT


def test_numbered_text_says_what_the_numbers_do():
    assert numbered_text(MESSAGE).splitlines() == [
        "These keep the rain out.",
        "The first is the lightest.",
        "",
        "From: Care guide",
        "",
        "1. Moss jacket · $89.00",
        "Waxed cotton, for men & women",
        "https://shop.example/p/1?a=1&b=2",
        "",
        "2. Rain shell <Pro> “Überzieher” · $129.00",
        "Waxed cotton, for men & women",
        "https://shop.example/p/2?a=1&b=2",
        "",
        "3. 港湾 大衣 · $159.00",
        "Waxed cotton, for men & women",
        "https://shop.example/p/3?a=1&b=2",
        "",
        "Reply with a number to hear more; 4 = helpful, 5 = not helpful",
    ]
    assert "4 =" not in numbered_text(MESSAGE, thumbs=False)
    assert "4 =" not in numbered_text(replace(MESSAGE, verdict="up"))
    assert "回复数字了解更多；4 = 有帮助，5 = 没帮助" in numbered_text(replace(MESSAGE, language="zh"))


@pytest.mark.parametrize("url", ["https://cdn.example/j.jpg", "https://cdn.example:8443/j.jpg?a=1"])
def test_an_address_that_the_world_can_reach_is_shown(url):
    assert is_public(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://cdn.example/j.jpg",
        "https://localhost/j.jpg",
        "https://10.0.0.1/j.jpg",
        "https://[::1]/",
        "https://[",
        "/j",
    ],
)
def test_an_address_that_would_cost_the_whole_message_is_not(url):
    assert not is_public(url)
