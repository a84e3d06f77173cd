"""How a reply's products are shown on a platform that cannot show everything, in one stated order:

a carousel; else a picture with buttons for each; else a list, else quick replies; else numbered text with price and link.
More products than a carousel holds are the next carousel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from django.conf import settings

from botcore.channels.http import https_host
from botcore.channels.texts import texts_in
from botcore.channels.values import Capabilities, Card, OutboundMessage


class Layout(Enum):
    TEXT = "text"
    CAROUSEL = "carousel"
    CARDS = "a picture with buttons for each"
    LIST = "a list"
    QUICK_REPLIES = "quick replies"
    NUMBERS = "numbered text"


def layout_of(message: OutboundMessage, can: Capabilities) -> Layout:
    """The richest way in which all the products of a message can be shown."""
    count = len(message.cards)
    if not count:
        return Layout.TEXT
    if can.carousel:
        return Layout.CAROUSEL
    if can.pictures and can.buttons and _each_is_worth_a_message(message.cards, can):
        return Layout.CARDS
    if can.list_rows >= count:
        return Layout.LIST
    return Layout.QUICK_REPLIES if can.quick_replies >= count else Layout.NUMBERS


def full_text(message: OutboundMessage) -> str:
    """The reply with what it rests on."""
    source = f"\n\n{texts_in(message.language)['source'].format(message.source)}" if message.source else ""
    return message.text + source


def numbered_text(message: OutboundMessage, thumbs: bool = True) -> str:
    """The reply as one text: every product under its number, and what the numbers do.

    ``thumbs`` says whether the two verdicts are offered by number as well.
    """
    texts = texts_in(message.language)
    lines = [full_text(message), *(_numbered(card) for card in message.cards)]
    offers = [texts["by_number"]] if message.cards and message.cards[0].choice.number else []
    if thumbs and message.up and message.down and not message.verdict:
        offers.append(texts["judge_by_number"].format(up=message.up.number, down=message.down.number))
    return "\n\n".join([*lines, *([texts["between"].join(offers)] if offers else [])])


def caption(card: Card) -> str:
    """Title, price and detail of a product, a line each."""
    return "\n".join(filter(None, (card.title, card.price, card.detail)))


def is_public(url: str) -> bool:
    """Whether the world can reach an address over https; platforms refuse a whole message because of one they cannot."""
    host = https_host(url)
    return "." in host and not re.fullmatch(r"[0-9.]+", host)


def own_picture(url: str) -> str:
    """The path under the media root of a picture that we serve ourselves; empty for any other address."""
    own = f"{settings.PUBLIC_URL}{settings.MEDIA_URL}"
    root = settings.MEDIA_ROOT.resolve()
    path = (root / url.removeprefix(own)).resolve()
    return str(path.relative_to(root)) if url.startswith(own) and path.is_relative_to(root) else ""


def _each_is_worth_a_message(cards: Sequence[Card], can: Capabilities) -> bool:
    """Whether the products are few enough for a message each, and have pictures where a list would do without."""
    few = can.apart is None or len(cards) <= can.apart
    return few and (not can.list_rows or len(cards) == 1 or any(is_public(card.image_url) for card in cards))


def _numbered(card: Card) -> str:
    number = f"{card.choice.number}. " if card.choice.number else ""
    return "\n".join(filter(None, (f"{number}{card.title} · {card.price}", card.detail, card.url)))
