"""What a platform cannot show is shown in the next best way, in the stated order, and as text at last."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from django.conf import settings

from botcore.channels.layout import Layout, is_public, layout_of, numbered_text
from botcore.channels.registry import CHANNELS, channel_class
from botcore.channels.values import Capabilities, Card, Choice, Payload
from tests.botcore.channels.conformance import MESSAGE

EVERYTHING = Capabilities(4096, buttons=3, pictures=True, carousel=10, list_rows=10, quick_replies=10)


def test_products_are_shown_as_richly_as_the_platform_can():
    order, can = [], EVERYTHING
    for fewer in ({"carousel": 0}, {"pictures": False}, {"list_rows": 0}, {"quick_replies": 0}, {}):
        order.append(layout_of(MESSAGE, can))
        can = replace(can, **fewer)
    assert order == [Layout.CAROUSEL, Layout.CARDS, Layout.LIST, Layout.QUICK_REPLIES, Layout.NUMBERS]


@pytest.mark.parametrize("name", ["list_rows", "quick_replies"])
def test_what_is_too_short_for_all_products_is_not_taken(name):
    can = replace(Capabilities(4096), **{name: 2})
    assert layout_of(MESSAGE, can) is Layout.NUMBERS
    assert layout_of(MESSAGE, replace(can, **{name: 3})) is not Layout.NUMBERS


def test_more_products_than_a_carousel_holds_are_the_next_carousel():
    assert layout_of(MESSAGE, replace(EVERYTHING, carousel=2)) is Layout.CAROUSEL


def test_a_platform_that_minds_how_many_messages_a_customer_gets_has_a_list_for_many():
    assert layout_of(MESSAGE, replace(EVERYTHING, carousel=0, apart=3)) is Layout.CARDS
    assert layout_of(MESSAGE, replace(EVERYTHING, carousel=0, apart=2)) is Layout.LIST


def test_a_list_shows_products_without_pictures_as_well_as_messages_would():
    bare = replace(MESSAGE, cards=tuple(replace(card, image_url="") for card in MESSAGE.cards))
    can = replace(EVERYTHING, carousel=0)
    assert layout_of(bare, can) is Layout.LIST
    assert layout_of(bare, replace(can, list_rows=0)) is Layout.CARDS
    assert layout_of(replace(bare, cards=bare.cards[:1]), can) is Layout.CARDS


CAROUSELS = r'"(carousel|generic|embeds|flex)"'
"""How platforms call products side by side: Slack, Teams and LINE; Meta; Discord; LINE again."""
LISTS = r'"sections"'
PICTURES = r"pictures/[0-9]+\.jpg"
UPLOADED = ("feishu",)
"""Platforms that take pictures of our own alone, and show no address."""
DRAWN_ELSEWHERE = ("generic", "webchat", "terminal")
"""Where products go as data, and a page or an app of the shop's draws them."""


def shown_as(payloads: Sequence[Payload], tokens: Sequence[str]) -> Layout:
    """What a platform would make of the calls, told by its own words for it."""
    calls = [json.dumps(payload, ensure_ascii=False) for payload in payloads]
    if any(re.search(CAROUSELS, call) for call in calls):
        return Layout.CAROUSEL
    if any(re.search(LISTS, call) for call in calls):
        return Layout.LIST
    buttons = all(any(token in call for call in calls) for token in tokens)
    return Layout.CARDS if buttons and any(re.search(PICTURES, call) for call in calls) else Layout.NUMBERS


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 10, 12])
@pytest.mark.parametrize("name", [name for name in CHANNELS if name not in DRAWN_ELSEWHERE])
def test_every_channel_shows_products_in_the_richest_way_that_its_platform_has(name, count):
    channel = channel_class(name)({}, "account-key")
    place = f"{settings.PUBLIC_URL}{settings.MEDIA_URL}" if name in UPLOADED else "https://cdn.example/"
    message = replace(MESSAGE, cards=tuple(coat(number, place) for number in range(1, count + 1)))
    calls = channel.render(message)
    assert shown_as(calls, [card.choice.token for card in message.cards]) is layout_of(message, channel.capabilities)
    assert all(card.title in str(calls) for card in message.cards)


def coat(number: int, place: str) -> Card:
    """A product whose picture is at an address of this place."""
    url, choice = f"https://shop.example/{number}", Choice(f"tok-{number}-abcdefg", number)
    return Card(f"S{number}", f"Coat {number}", "$5", "", f"{place}pictures/{number}.jpg", url, choice)


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
