"""What a shopper wants without saying so: hard needs, a budget, tastes that weigh, and how good is good enough.

Drawn from the values of a real product that is in stock, so that a good salesperson can always succeed. Pure.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from benchmarks.simulator.goods import Good, Market, Offer

PRICE = "price"
ENOUGH = 0.5
"""The share of the best utility to be had that satisfies."""
UNIVERSAL = frozenset({"unisex", "all skin types"})
"""Values that suit whoever wants any other of their attribute."""
DISLIKED = frozenset("brand color feature finish fit ingredient material mood scent texture".split())
"""Attributes of which people say what they do not want."""
MOST, SHARE = 12, 0.08
"""At most so many products satisfy a goal, and at most this share of those asked about (one is always allowed): a kind
of the demo shop has 13 or 28 products, and five replies show 15."""
BRANDED = 0.3
"""The share of shoppers who may care about a brand, as every product has one and few people know these."""
OPEN = 0.2
"""The share of shoppers who want something of a department, whatever kind of thing it is: a gift, something to read."""
OPEN_DEPARTMENTS = frozenset({"beauty", "books", "clothing"})
OPEN_ATTRIBUTES = frozenset(
    "author brand color format ingredient material mood occasion scent season skin_type".split()
)
"""What one can want of anything in a department."""
TRIES = 400

DISLIKING, BUDGETED = 0.35, 0.6
"""The shares of shoppers with something they do not want, and with a budget."""
Telling = Mapping[str, set[str]]


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
        has = any(f" {value}".endswith(f" {self.value}") or value in UNIVERSAL for value in held)
        return self.wanted == has


@dataclass(frozen=True)
class Goal:
    """Target-free: :meth:`accepts` any product of the kind (or department) that holds every need and is worth ``enough``."""

    kind: str
    wishes: tuple[Wish, ...]
    enough: float = 0.0

    def worth(self, good: Good, offer: Offer) -> float:
        return sum(wish.weight for wish in self.wishes if not wish.hard and wish.holds(good, offer))

    def feasible(self, good: Good) -> list[Offer]:
        """What can be had of a product that breaks no need."""
        if not good.is_a(self.kind):
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
    is_open = department in OPEN_DEPARTMENTS and rng.random() < OPEN
    for _ in range(TRIES):
        name = department if is_open else rng.choice(kinds)
        goods = market.range_of(name)
        goal = _drawn(name, goods, _telling(name, goods, speakable), rng)
        if goal and _narrow(goal, goods):
            return goal
    raise ValueError(f"no goal in {department} that some products satisfy and others do not")


def draw_change(goal: Goal, market: Market, speakable: Container[tuple[str, str]], rng: random.Random) -> Change | None:
    """Another value for one of the wishes, such that the new goal can be satisfied too."""
    goods = market.range_of(goal.kind)
    telling = _telling(goal.kind, goods, speakable)
    for old in rng.sample(goal.wishes, len(goal.wishes)):
        for new in rng.sample(others := _others(old, telling), len(others)):
            changed = goal.with_wish(old, new).settled(goods)
            if _narrow(changed, goods) and any(_met(new, good) for good in changed.satisfying(goods)):
                return Change(old, new, changed)
    return None


def _met(wish: Wish, good: Good) -> bool:
    return any(wish.holds(good, offer) for offer in good.in_stock)


def _narrow(goal: Goal, goods: Sequence[Good]) -> bool:
    return 1 <= len(goal.satisfying(goods)) <= max(1, min(MOST, SHARE * len(goods)))


def _drawn(name: str, goods: Sequence[Good], telling: Telling, rng: random.Random) -> Goal | None:
    good = rng.choice(goods)
    offer = rng.choice(good.in_stock)
    held = [(a, v) for a in sorted(telling) for v in sorted(good.values_of(offer, a) & telling[a])]
    positive = dict(rng.sample(held, len(held)))
    if rng.random() > BRANDED:
        positive.pop("brand", None)
    if len(positive) < 2:
        return None
    attributes = rng.sample(sorted(positive), len(positive))
    needs, tastes = rng.choice([1, 1, 2]), rng.choice([1, 2, 3])
    wishes = [Wish(a, positive[a]) for a in attributes[:needs]]
    wishes += [Wish(a, positive[a], True, False, rng.uniform(0.4, 1)) for a in attributes[needs : needs + tastes]]
    if rng.random() < DISLIKING and (dislikes := _dislikes(Goal(name, tuple(wishes)), goods, (good, offer), telling)):
        wishes.append(rng.choice(dislikes))
    if rng.random() < BUDGETED:
        wishes.append(Wish(PRICE, str(_round_above(offer.price * Decimal(rng.uniform(1.0, 1.2))))))
    return Goal(name, tuple(wishes)).settled(goods)


def _dislikes(goal: Goal, goods: Sequence[Good], spared: tuple[Good, Offer], telling: Telling) -> list[Wish]:
    """What the chosen product does not have and others do that would fit: nobody mentions what is not on offer."""
    offers = [(good, offer) for good in goods for offer in goal.feasible(good)]
    disliked = sorted(DISLIKED & telling.keys() - {wish.attribute for wish in goal.wishes})
    found = [Wish(attribute, value, wanted=False) for attribute in disliked for value in sorted(telling[attribute])]
    return [w for w in found if w.holds(*spared) and not all(w.holds(good, offer) for good, offer in offers)]


def _telling(name: str, goods: Sequence[Good], speakable: Container[tuple[str, str]]) -> Telling:
    """The values by attribute that some of the goods have and others do not, and that there are words for."""
    counts = Counter(
        (attribute, value)
        for good in goods
        for attribute in good.values.keys() | good.of_variants
        for value in set().union(*(good.values_of(offer, attribute) for offer in good.in_stock))
    )
    telling: dict[str, set[str]] = {}
    of_variants = frozenset[str]().union(*(good.of_variants for good in goods))
    for (attribute, value), count in counts.items():
        if name == goods[0].department and attribute not in OPEN_ATTRIBUTES:
            continue
        if (attribute, value) in speakable and (count < 0.8 * len(goods) or attribute in of_variants):
            telling.setdefault(attribute, set()).add(value)
    return telling


def _others(old: Wish, telling: Telling) -> list[Wish]:
    if old.attribute == PRICE:
        return [replace(old, value=str(_round_above(Decimal(old.value) * Decimal(f)))) for f in ("0.8", "1.25", "1.5")]
    if not old.wanted:
        return []
    return [replace(old, value=v) for v in sorted(telling.get(old.attribute, set()) - {old.value})]


def _round_above(price: Decimal) -> int:
    """As people name budgets: 8, 25, 60, 150, 400."""
    step = next(step for limit, step in ((10, 1), (60, 5), (200, 10), (Decimal("inf"), 50)) if price <= limit)
    return int(math.ceil(price / step) * step)
