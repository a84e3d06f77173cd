"""Whether a message asks for what is sold out, which is never shown unasked. Pure; ``find.py`` calls it."""

from __future__ import annotations

import re

from catalog.text import simplified

GONE = r"(?:sold[ -]?out|out of stock|not in stock|unavailable|not available|back[ -]?order(?:ed)?)"
WELCOME = (
    r"(?:even|also|includ\w+|regardless|whether or not|too|as well"
    r"|(?:do not|don't|doesn't|does not) (?:mind|matter|care)|(?:fine|ok|okay) (?:if|with|when))"
)
AGAIN = (
    r"(?:back (?:in|on|again)|(?:be|is|are|come|comes|coming|get|getting) (?:\w+ ){0,4}back"
    r"|restock\w*|in stock again|available again)"
)
ENGLISH = re.compile(
    rf"\b{WELCOME}\b.{{0,40}}\b{GONE}\b|\b{GONE}\b.{{0,40}}\b{WELCOME}\b|\bwhen\b.{{0,60}}\b{AGAIN}(?=\W|$)",
    re.IGNORECASE,
)
CHINESE = re.compile(
    r"(?:缺货|售罄|没货|无货|断货|卖完|卖光|没有货|没库存).{0,10}(?:也|都|没关系|无所谓|不要紧|不介意)"
    r"|(?:包括|连|哪怕|即使|就算).{0,10}(?:缺货|售罄|没货|无货|断货|卖完|卖光)"
    r"|(?:什么时候|何时|几时|多久|啥时候).{0,12}(?:补货|到货|有货|再有|回货|上架|进货)"
)
"""Stock words with a word that lets them in, near each other; or the question when something is there again."""


def asks_for_sold_out(message: str) -> bool:
    """Whether the customer wants to see sold-out products too ("even if it is sold out", "when is it back in stock?")."""
    return bool(ENGLISH.search(message) or CHINESE.search(simplified(message)))
