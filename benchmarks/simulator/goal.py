"""What a shopper wants without saying so: hard needs, a budget, tastes that weigh, and how good is good enough.

Drawn from the values of a real product that is in stock, so that a good salesperson can always succeed. Pure.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from benchmarks.simulator.goods import Good, Market, Offer

PRICE = "price"
ENOUGH = 0.6
"""The share of the best utility to be had that satisfies."""
MOST, SHARE = 12, 0.25
"""At most so many products satisfy a goal, and at most this share of their kind: else whoever shows anything wins."""
TRIES = 400


@dataclass(frozen=True)
class Wish:
    """A need (hard) or a taste of some weight. ``wanted`` False is something to be spared. A budget is the wish about
    :data:`PRICE` whose value is the most to be paid."""

    attribute: str
    value: str
    wanted: bool = True
    hard: bool = True
    weight: float = 1.0

    def holds(self, good: Good, offer: Offer) -> bool:
        """Whoever wants wool is content with merino wool: a value counts for its last words as well."""
        if self.attribute == PRICE:
            return offer.price <= Decimal(self.value)
        held = good.values_of(offer, self.attribute)
        return self.wanted == any(f" {value}".endswith(f" {self.value}") for value in held)


@dataclass(frozen=True)
class Goal:
    """Target-free: :meth:`accepts` any product of the kind that holds every need and is worth ``enough``."""

    kind: str
    wishes: tuple[Wish, ...]
    enough: float = 0.0

    def worth(self, good: Good, offer: Offer) -> float:
        return sum(wish.weight for wish in self.wishes if not wish.hard and wish.holds(good, offer))

    def feasible(self, good: Good) -> list[Offer]:
        """What can be had of a product that breaks no need."""
        if good.kind != self.kind:
            return []
        needs = [wish for wish in self.wishes if wish.hard]
        return [offer for offer in good.in_stock if all(need.holds(good, offer) for need in needs)]

    def accepts(self, good: Good) -> bool:
        return any(self.worth(good, offer) >= self.enough - 1e-9 for offer in self.feasible(good))

    def satisfying(self, goods: Iterable[Good]) -> list[Good]:
        return [good for good in goods if self.accepts(good)]

    def settled(self, goods: Sequence[Good]) -> Goal:
        """The goal with ``enough`` set by what the shop has."""
        worths = [self.worth(good, offer) for good in goods for offer in self.feasible(good)]
        return replace(self, enough=ENOUGH * max(worths, default=0.0))

    def with_wish(self, old: Wish, new: Wish) -> Goal:
        return replace(self, wishes=tuple(new if wish == old else wish for wish in self.wishes))


@dataclass(frozen=True)
class Change:
    """The shopper changes its mind: one wish for another, and the goal that follows."""

    old: Wish
    new: Wish
    goal: Goal


def draw_goal(market: Market, speakable: Container[tuple[str, str]], department: str, rng: random.Random) -> Goal:
    """A goal in a department that some products satisfy, and not too many. ``speakable`` are the values (attribute and
    value) that a person has words for. Raises ``ValueError`` where the shop is too small for that."""
    kinds = sorted(k for k, goods in market.kinds.items() if goods[0].department == department)
    for _ in range(TRIES):
        goods = market.kinds[rng.choice(kinds)]
        goal = _drawn(goods, speakable, rng)
        if goal and _narrow(goal, goods):
            return goal
    raise ValueError(f"no goal in {department} that some products satisfy and others do not")


def draw_change(goal: Goal, market: Market, speakable: Container[tuple[str, str]], rng: random.Random) -> Change | None:
    """Another value for one of the wishes, such that the new goal can be satisfied too."""
    goods = market.kinds[goal.kind]
    for old in rng.sample(goal.wishes, len(goal.wishes)):
        for new in rng.sample(others := _others(old, goods, speakable), len(others)):
            changed = goal.with_wish(old, new).settled(goods)
            if _narrow(changed, goods):
                return Change(old, new, changed)
    return None


def _narrow(goal: Goal, goods: Sequence[Good]) -> bool:
    return 1 <= len(goal.satisfying(goods)) <= min(MOST, SHARE * len(goods))


def _drawn(goods: Sequence[Good], speakable: Container[tuple[str, str]], rng: random.Random) -> Goal | None:
    good = rng.choice(goods)
    offer = rng.choice(good.in_stock)
    telling = _telling(goods, speakable)
    held = [(a, v) for a in sorted(telling) for v in sorted(good.values_of(offer, a) & telling[a])]
    positive = {attribute: value for attribute, value in rng.sample(held, len(held))}
    if len(positive) < 2:
        return None
    attributes = rng.sample(sorted(positive), len(positive))
    needs, tastes = rng.choice([1, 1, 2]), rng.choice([1, 2, 2])
    wishes = [Wish(a, positive[a]) for a in attributes[:needs]]
    wishes += [Wish(a, positive[a], True, False, rng.uniform(0.4, 1)) for a in attributes[needs : needs + tastes]]
    spare = [
        (a, v) for a in sorted(telling) for v in sorted(telling[a] - good.values_of(offer, a)) if a not in positive
    ]
    spare += [(a, v) for a in attributes[needs + tastes :] for v in sorted(telling[a] - good.values_of(offer, a))]
    if spare and rng.random() < 0.35:
        attribute, value = rng.choice(spare)
        wishes.append(Wish(attribute, value, wanted=False))
    if rng.random() < 0.6:
        wishes.append(Wish(PRICE, str(_round_above(offer.price * Decimal(rng.uniform(1.0, 1.2))))))
    return Goal(goods[0].kind, tuple(wishes)).settled(goods)


def _telling(goods: Sequence[Good], speakable: Container[tuple[str, str]]) -> dict[str, set[str]]:
    """The values that some goods of a kind have and others do not, and that there are words for."""
    counts = Counter(
        (attribute, value)
        for good in goods
        for attribute in good.values.keys() | good.of_variants
        for value in set().union(*(good.values_of(offer, attribute) for offer in good.in_stock))
    )
    telling: dict[str, set[str]] = {}
    for (attribute, value), count in counts.items():
        one_size = attribute in goods[0].of_variants
        if (attribute, value) in speakable and (count < 0.8 * len(goods) or one_size):
            telling.setdefault(attribute, set()).add(value)
    return telling


def _others(old: Wish, goods: Sequence[Good], speakable: Container[tuple[str, str]]) -> list[Wish]:
    if old.attribute == PRICE:
        return [replace(old, value=str(_round_above(Decimal(old.value) * Decimal(f)))) for f in ("0.8", "1.25", "1.5")]
    if not old.wanted:
        return []
    return [replace(old, value=v) for v in sorted(_telling(goods, speakable).get(old.attribute, set()) - {old.value})]


def _round_above(price: Decimal) -> int:
    """As people name budgets: 8, 25, 60, 150, 400."""
    step = next(step for limit, step in ((10, 1), (60, 5), (200, 10), (Decimal("inf"), 50)) if price <= limit)
    return int(-(-price // step) * step)
