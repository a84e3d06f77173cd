"""Simulated customers: hidden tastes that drift, and what they make people view, buy and write in half a year.

Pure and deterministic by seed; ``load.py`` stores the outcome, marked as simulated. The tastes are stored nowhere.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from catalog.demo.content import read
from catalog.demo.products import DemoProduct
from catalog.demo.reviews import Reviewer

DAYS = 180
CHINESE_SHARE = 0.4
STAYS_WITH_FAMILY = 0.45
MATCHING, ALONG = 4.0, 1.6
"""How strongly a matching color, and the liking for a product, decide what is bought along with another."""
SESSIONS_PER_INTERACTION = 0.22
"""A session leaves about five traces; surplus views are dropped to meet the number asked for."""


@dataclass(frozen=True)
class Person:
    key: str
    name: str
    language: str


@dataclass(frozen=True)
class Event:
    """``customer`` and ``product`` are positions in the lists of people and of products."""

    customer: int
    product: int
    kind: str
    at: datetime
    quantity: int = 1
    rating: int | None = None
    text: str = ""
    language: str = ""


@dataclass(frozen=True)
class Tastes:
    """One row per customer: department and family weights at both ends of the period (rows sum to 1), then likings."""

    departments: NDArray[np.float64]  # 2 x customers x departments
    families: NDArray[np.float64]  # customers x families, summing to 1 within each department
    colors: NDArray[np.float64]
    price_level: NDArray[np.float64]  # 0 cheapest of its kind, 1 dearest
    wardrobe: NDArray[np.int64]  # 0 women's, 1 men's
    activity: NDArray[np.float64]


class Assortment:
    """The products as arrays, in the order given."""

    def __init__(self, products: Sequence[DemoProduct], rng: np.random.Generator) -> None:
        self.products = products
        self.families = list(dict.fromkeys(product.family for product in products))
        own = np.array([self.families.index(product.family) for product in products])
        self.members = [np.flatnonzero(own == family) for family in range(len(self.families))]
        self.department_names = list(dict.fromkeys(product.record.category[0] for product in products))
        self.department = np.array(
            [self.department_names.index(products[members[0]].record.category[0]) for members in self.members]
        )
        colors = list(read("common")["colors"])
        self.color = np.array([colors.index(product.color) for product in products])
        self.appeal = rng.normal(0, 0.5, len(products)) + 0.5 * np.array([product.quality for product in products])
        genders = [product.record.attributes.get("gender", ["unisex"])[0] for product in products]
        self.wardrobe = np.array([{"women": 0, "men": 1}.get(gender, -1) for gender in genders])
        self.in_stock = [any(variant.stock for variant in product.record.variants) for product in products]
        prices = np.array([float(product.record.variants[0].price) for product in products])
        self.price_rank = np.zeros(len(prices))  # 0 to 1 within the family
        for members in self.members:
            self.price_rank[members] = prices[members].argsort().argsort() / (len(members) - 1)
        together = read("together")
        self.family = own
        self.along = [
            [(self.families.index(other), chance) for other, chance in together["families"].get(family, {}).items()]
            for family in self.families
        ]
        self.matches = np.eye(len(colors), dtype=bool)
        for color, others in together["colors"].items():
            for other in others:
                self.matches[colors.index(color), colors.index(other)] = True
                self.matches[colors.index(other), colors.index(color)] = True


def simulate(
    products: Sequence[DemoProduct], seed: int, until: date, customers: int = 2_000, interactions: int = 60_000
) -> tuple[list[Person], list[Event]]:
    """People and, in order of time, exactly ``interactions`` events within the ``DAYS`` before ``until`` (UTC)."""
    rng = np.random.default_rng(seed)
    assortment = Assortment(products, rng)
    people = _people(customers, random.Random(f"{seed}/people"))
    tastes = _tastes(customers, assortment, rng)
    start = datetime.combine(until, time(), UTC) - timedelta(days=DAYS)
    more = max(0, int(interactions * SESSIONS_PER_INTERACTION) - customers)
    owners = np.concatenate([np.arange(customers), rng.choice(customers, more, p=tastes.activity)])
    moments = np.sort(rng.random(len(owners)))
    rng.shuffle(owners)
    walk = _Walk(assortment, tastes, people, Reviewer(seed), rng, np.random.default_rng([seed, 1]))
    events = [
        event
        for owner, moment in zip(owners.tolist(), moments.tolist(), strict=True)
        for event in walk.session(owner, moment, start + timedelta(days=DAYS * moment))
    ]
    return people, _trimmed([event for event in events if event.at < start + timedelta(days=DAYS)], interactions, rng)


def _trimmed(events: list[Event], wanted: int, rng: np.random.Generator) -> list[Event]:
    """Without some views: orders keep the cart before them and everybody keeps the first trace of theirs."""
    first = {event.customer: index for index, event in reversed(list(enumerate(events)))}
    views = [index for index, event in enumerate(events) if event.kind == "view" and first[event.customer] != index]
    surplus = len(events) - wanted
    if not 0 <= surplus <= len(views):
        raise ValueError(f"the simulation made {len(events)} interactions for {wanted}: raise SESSIONS_PER_INTERACTION")
    dropped = set(rng.choice(views, surplus, replace=False).tolist())
    return sorted((event for index, event in enumerate(events) if index not in dropped), key=lambda event: event.at)


def _people(count: int, rng: random.Random) -> list[Person]:
    names = read("common")["people"]
    people = []
    for number in range(1, count + 1):
        language = "zh" if rng.random() < CHINESE_SHARE else "en"
        chinese = rng.choice(names["zh_family"]) + rng.choice(names["zh_given"])
        english = f"{rng.choice(names['en'])} {rng.choice(names['initials'])}"
        people.append(Person(f"C{number:05}", chinese if language == "zh" else english, language))
    return people


def _tastes(customers: int, assortment: Assortment, rng: np.random.Generator) -> Tastes:
    departments = len(assortment.department_names)
    before = rng.dirichlet(np.full(departments, 0.4), customers)
    after = 0.6 * before + 0.4 * rng.dirichlet(np.full(departments, 0.4), customers)
    families = np.zeros((customers, len(assortment.families)))
    for department in range(departments):
        own = np.flatnonzero(assortment.department == department)
        families[:, own] = rng.dirichlet(np.full(len(own), 0.3), customers)
    activity = rng.lognormal(0, 0.8, customers)
    return Tastes(
        departments=np.stack([before, after]),
        families=families,
        colors=rng.normal(0, 1.1, (customers, len(read("common")["colors"]))),
        price_level=rng.beta(1.3, 1.3, customers),
        wardrobe=rng.integers(0, 2, customers),
        activity=activity / activity.sum(),
    )


class _Walk:
    """People wandering through the shop, session by session in order of time."""

    def __init__(
        self,
        assortment: Assortment,
        tastes: Tastes,
        people: Sequence[Person],
        reviewer: Reviewer,
        rng: np.random.Generator,
        extras: np.random.Generator,
    ) -> None:
        """``extras`` decides what is bought along, so that it changes nothing of what people came for."""
        self.assortment, self.tastes, self.people, self.reviewer, self.rng = assortment, tastes, people, reviewer, rng
        self.extras = extras
        self.last_family: dict[int, int] = {}
        self.bought: set[tuple[int, int]] = set()

    def session(self, owner: int, moment: float, at: datetime) -> Iterator[Event]:
        members = self.assortment.members[self._family(owner, moment)]
        liking = self._liking(owner, members)
        chance = np.exp(1.1 * liking)
        count = min(len(members), 1 + int(self.rng.poisson(2.7)))
        for position in self.rng.choice(len(members), count, replace=False, p=chance / chance.sum()).tolist():
            yield from self._visit(owner, int(members[position]), float(liking[position]), at)
            at += timedelta(seconds=int(self.rng.integers(15, 240)))

    def _family(self, owner: int, moment: float) -> int:
        if owner not in self.last_family or self.rng.random() > STAYS_WITH_FAMILY:
            before, after = self.tastes.departments[:, owner]
            weights = ((1 - moment) * before + moment * after)[self.assortment.department] * self.tastes.families[owner]
            self.last_family[owner] = int(self.rng.choice(len(weights), p=weights / weights.sum()))
        return self.last_family[owner]

    def _liking(self, owner: int, members: NDArray[np.int64]) -> NDArray[np.float64]:
        shop, tastes = self.assortment, self.tastes
        unfit = (shop.wardrobe[members] >= 0) & (shop.wardrobe[members] != tastes.wardrobe[owner])
        distance = shop.price_rank[members] - tastes.price_level[owner]
        return shop.appeal[members] + tastes.colors[owner, shop.color[members]] - 4 * distance**2 - 3.0 * unfit

    def _visit(self, owner: int, product: int, liking: float, at: datetime) -> Iterator[Event]:
        yield Event(owner, product, "view", at)
        wanted = self.assortment.in_stock[product] and (owner, product) not in self.bought
        if not wanted or self.rng.random() > 0.32 / (1 + np.exp(-1.2 * (liking - 0.2))):
            return
        at += timedelta(seconds=int(self.rng.integers(20, 400)))
        yield Event(owner, product, "cart", at)
        if self.rng.random() < 0.65:
            self.bought.add((owner, product))
            at += timedelta(minutes=int(self.rng.integers(1, 45)))
            yield Event(owner, product, "order", at, quantity=1 + int(self.rng.random() < 0.08))
            if self.rng.random() < 0.75:
                yield self._review(owner, product, liking, at + timedelta(hours=int(self.rng.integers(80, 500))))
            yield from self._along(owner, product, at)

    def _along(self, owner: int, product: int, at: datetime) -> Iterator[Event]:
        """What is bought with a product because it goes with it: of families that do, in a color that does.

        Nobody reviews what they only took along.
        """
        shop = self.assortment
        for family, chance in shop.along[shop.family[product]]:
            if self.extras.random() > chance:
                continue
            members = np.array([m for m in shop.members[family] if shop.in_stock[m] and (owner, m) not in self.bought])
            if not len(members):
                continue
            matching = shop.matches[shop.color[product], shop.color[members]]
            attraction = np.exp(MATCHING * matching + ALONG * self._liking(owner, members))
            taken = int(self.extras.choice(members, p=attraction / attraction.sum()))
            for kind in ("view", "cart", "order"):
                at += timedelta(seconds=int(self.extras.integers(20, 300)))
                yield Event(owner, taken, kind, at)

    def _review(self, owner: int, product: int, liking: float, at: datetime) -> Event:
        """The thing's quality decides, then how well it suits this person."""
        thing, person = self.assortment.products[product], self.people[owner]
        stars = 3.4 + 1.3 * thing.quality + 0.15 * max(-2.0, min(2.0, liking)) + self.rng.normal(0, 0.95)
        rating = int(max(1, min(5, round(stars))))
        text = self.reviewer.write(thing, rating, person.language)
        return Event(owner, product, "review", at, rating=rating, text=text, language=person.language)


def mean_ratings(events: Sequence[Event]) -> dict[int, tuple[float, int]]:
    """Mean stars, to two decimals, and number of reviews by product position."""
    reviews = sorted((event.product, event.rating) for event in events if event.rating is not None)
    means = {}
    for product, rated in itertools.groupby(reviews, key=lambda pair: pair[0]):
        stars = [rating for _, rating in rated]
        means[product] = (round(sum(stars) / len(stars), 2), len(stars))
    return means
