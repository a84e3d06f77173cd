"""Whether every product of a reply holds what the shopper had said must hold, by the shopper's own memory.

A product that breaks such a wish is honest only where the reply says what was given up. Judged on the catalogue's values
and the price shown, not on the bot's state or words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.simulator.bots import Shown
from benchmarks.simulator.goal import Wish
from benchmarks.simulator.goods import Good, Market
from benchmarks.simulator.shopper import Exchange, Talk

KIND = "kind"


@dataclass(frozen=True)
class Broken:
    """A product shown in the reply of a turn (from 1), and what it breaks in silence."""

    talk: Talk
    turn: int
    sku: str
    wishes: tuple[str, ...]


def judged(talk: Talk) -> list[Exchange]:
    """The replies that show something to a shopper who had said something hard."""
    return [e for e in talk.exchanges if e.reply.shown and (e.kind_said or any(w.hard for w in e.said))]


def broken(talk: Talk, market: Market) -> Iterator[Broken]:
    """The silent breaks of a dialogue, at most one a reply: the first product that breaks something."""
    for turn, exchange in enumerate(talk.exchanges, 1):
        if exchange.reply.gave_up:
            continue
        for shown in exchange.reply.shown:
            breaks = breaks_of(shown, market.goods[shown.sku], exchange, talk.goal.kind)
            if breaks:
                yield Broken(talk, turn, shown.sku, breaks)
                break


def needless(talk: Talk, market: Market) -> Iterator[int]:
    """The turns (from 1) whose reply says that it gave something up although the shop has in stock, and had not shown
    yet, what holds every hard thing said. Without this count, whoever always gives up would be perfect."""
    seen: set[str] = set()
    for turn, exchange in enumerate(talk.exchanges, 1):
        goods = market.range_of(talk.goal.kind if exchange.kind_said else talk.department)
        needs = [wish for wish in exchange.said if wish.hard]
        if exchange.reply.gave_up and any(
            good.sku not in seen and all(need.holds(good, offer) for need in needs)
            for good in goods
            for offer in good.in_stock
        ):
            yield turn
        seen |= {shown.sku for shown in exchange.reply.shown}


def breaks_of(shown: Shown, good: Good, exchange: Exchange, kind: str) -> tuple[str, ...]:
    """What of the hard things said no variant in stock at the shown price holds: the fewest that any leaves broken."""
    if exchange.kind_said and not good.is_a(kind):
        return (KIND,)
    needs = [wish for wish in exchange.said if wish.hard]
    offers = [o for o in good.in_stock if shown.price in (None, o.price)]
    left: Sequence[list[Wish]] = [[need for need in needs if not need.holds(good, offer)] for offer in offers]
    return tuple(named(wish) for wish in min(left, key=len)) if left else ("in stock at that price",)


def named(wish: Wish) -> str:
    return f"{'' if wish.wanted else 'not '}{wish.attribute} {wish.value}"
