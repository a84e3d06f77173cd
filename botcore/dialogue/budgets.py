"""What a reply says of the customer's limit, held against the prices of the products it says it of.

"All stay under [budget]" claims something of every product named; so does "[budget] won't reach". The prices are those
that will be filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from botcore.dialogue.brief import Brief

SENTENCE = re.compile(r"(?<=[.!?;])\s+")
NAMED = re.compile(r"\[([A-D])\.")
LIMIT = re.compile(
    r"(?:\b(?P<within>under|within|inside|below|keep(?:s|ing)? to|stay(?:s|ing)? to|less than|cheaper than|up to)"
    r"|\b(?P<beyond>over|above|past|beyond|more than|higher than))?"
    r"\s*(?:\b(?:your|the|a|my)\s+)?(?:(?:budget|limit) of\s+)?\[budget\]",
    re.IGNORECASE,
)
TOO_LITTLE = re.compile(
    r"\[budget\][^.!?;]*\b(?:won't|doesn't|does not|will not|can't|cannot|isn't|not quite|not)\b[^.!?;]*"
    r"\b(?:reach|stretch|do|cover|enough|go|buy|get|meet|work|fit|far)\b",
    re.IGNORECASE,
)
NONE = re.compile(r"\b(?:no|not|nothing|none|never|without|neither|\w+n't|cannot)\b", re.IGNORECASE)
EXCEPT = re.compile(r"\b(?:but|though|however|yet|while)\b|,", re.IGNORECASE)


def budget_problems(text: str, brief: Brief) -> Iterable[str]:
    """A product said to be within the limit that costs more, or said to be beyond it that does not."""
    limit = _amount(brief.slots.get("budget", ""))
    prices = {item.letter: _amount(item.slots.get("price", "")) for item in brief.items}
    if limit is None or not prices:
        return
    for sentence in SENTENCE.split(text):
        for found in LIMIT.finditer(sentence):
            spoken_of = set(NAMED.findall(sentence)) & set(prices) or set(prices)
            told = [price for letter in sorted(spoken_of) if (price := prices[letter]) is not None]
            side = _side(sentence, found)
            if side == "within" and any(price > limit for price in told):
                yield "says of a product beyond the budget that it is within"
            if side == "beyond" and any(price <= limit for price in told):
                yield "says of a product within the budget that it is beyond"


def _side(sentence: str, found: re.Match[str]) -> str:
    """Where the sentence places its products: ``within``, ``beyond``, or nowhere."""
    if TOO_LITTLE.search(sentence):
        return "beyond"
    if not found["within"] and not found["beyond"]:
        return ""
    side = "within" if found["within"] else "beyond"
    before = EXCEPT.split(sentence[: found.start()])[-1]
    if NONE.search(before):
        side = "beyond" if side == "within" else "within"
    return side


def _amount(price: str) -> Decimal | None:
    """The number in a formatted price; None where there is none."""
    digits = re.sub(r"[^\d.]", "", price)
    try:
        return Decimal(digits) if digits else None
    except InvalidOperation:
        return None
