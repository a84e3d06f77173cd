"""What goes with a product, from baskets: by itself where enough bought the two, else by its kind. Pure.

Few pairs of products are bought often enough to speak for themselves. So what pairs of kinds say ("trousers: color olive"
with "shirts: color tan") is the prior of each pair of products, and its own baskets move it (empirical Bayes). Kinds that
keep apart although their categories go together (men's trousers and women's shirts) bar what nobody bought together.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalog.graph.associations import Counted, Pair, at_most, discovered

BASKETS, KIND_BASKETS = 3, 12
"""The least support of a pair of products and of a pair of kinds."""
KEPT = 6
"""Companions of a product, and accessories of it: the likeliest."""
BEST_SELLERS = 40
"""Products of a category that are offered for their kind alone."""
BEARERS = 4
"""Products that make a kind; a value that fewer have is another name for them."""
UNSOLD = 0.5
"""What a product that nobody bought yet counts."""
DOUBT = 10
"""So many baskets of its own a product needs before they count half beside what its kind says (a beta prior)."""
LEAST_SHARE = 0.005
"""What fewer take along is not worth a word."""
CHEAPER = 0.4
"""An accessory costs at most this share of what it belongs to."""

Label = tuple[int, str, str]
"""A kind of product: category, attribute, value; the last two are empty for the whole category."""
EVERYWHERE = 0
"""In place of a category: whatever has the value."""


@dataclass(frozen=True)
class Good:
    """A product as the statistics see it. ``price`` is that of its cheapest variant."""

    category: int
    price: float
    labels: tuple[Label, ...]


def good(category: int, price: float, attributes: Mapping[str, Sequence[str]]) -> Good:
    values = ((category, name, value) for name, listed in sorted(attributes.items()) for value in listed)
    return Good(category, price, ((category, "", ""), *values))


@dataclass(frozen=True)
class Complement:
    """``share`` of the baskets with the source hold the target too (an estimate, 0 to 1).

    ``support`` baskets say so: with the two products, or, where ``kinds`` is given, with any two of those kinds.
    """

    target: int
    share: float
    support: int
    accessory: bool
    kinds: tuple[Label, Label] | None = None


class Complements:
    """Counts once; :meth:`of` then answers for one product after the other."""

    def __init__(self, baskets: Collection[frozenset[int]], goods: Mapping[int, Good]) -> None:
        """Two products of one category are rather alternatives: pairs are of two categories."""
        self._goods, self._counted = goods, Counted.of(baskets)
        across = self._counted.where(lambda one, other: goods[one].category != goods[other].category)
        self._seen = across.pairs
        self._proven: defaultdict[int, set[int]] = defaultdict(set)
        for pair in across.associated(BASKETS):
            self._proven[pair.one].add(pair.other)
            self._proven[pair.other].add(pair.one)
        self._kinds: defaultdict[Label, list[tuple[Label, Pair]]] = defaultdict(list)
        bearers = Counter(label for each in goods.values() for label in each.labels)
        labelled = across.labelled(
            {pk: [label for label in each.labels if bearers[label] >= BEARERS] for pk, each in goods.items()}
        )
        associated = labelled.associated(KIND_BASKETS)
        for pair in associated:
            self._kinds[pair.one].append((pair.other, pair))
            self._kinds[pair.other].append((pair.one, pair))
        self._repelled: defaultdict[Label, set[Label]] = defaultdict(set)
        for pair in _repelled(labelled, associated):
            self._repelled[pair.one].add(pair.other)
            self._repelled[pair.other].add(pair.one)
        self._sellers: dict[int, list[int]] = {}
        for category, members in itertools.groupby(sorted(goods, key=lambda pk: goods[pk].category), self._category):
            best = heapq.nlargest(BEST_SELLERS, members, key=lambda pk: (self._counted.items.get(pk, 0), -pk))
            self._sellers[category] = best

    def of(self, source: int) -> list[Complement]:
        """The likeliest companions and the likeliest accessories of a product."""
        found = [each for each in self._all_of(source) if each is not None and each.share >= LEAST_SHARE]
        accessories = (each for each in found if each.accessory)
        companions = (each for each in found if not each.accessory)
        return [
            each
            for listed in (companions, accessories)
            for each in heapq.nlargest(KEPT, listed, key=lambda each: (each.share, -each.target))
        ]

    def _all_of(self, source: int) -> Iterator[Complement | None]:
        reached: dict[Label, tuple[Label, Pair]] = {}
        for label in self._goods[source].labels:
            for other, pair in self._kinds.get(label, ()):
                if other not in reached or pair.lift > reached[other][1].lift:
                    reached[other] = (label, pair)
        by_kind = {pk for category in {label[0] for label in reached} for pk in self._sellers[category]}
        barred = {label for own in _anywhere(self._goods[source].labels) for label in self._repelled.get(own, ())}
        by_kind = {pk for pk in by_kind if barred.isdisjoint(_anywhere(self._goods[pk].labels))}
        for target in sorted((by_kind | self._proven[source]) - {source}):
            behind = [(reached[label][1].lift, label) for label in self._goods[target].labels if label in reached]
            if behind:
                _, label = max(behind)
                yield self._complement(source, target, (reached[label][0], label), reached[label][1])
            elif target in self._proven[source]:
                yield self._complement(source, target, None, None)

    def _complement(
        self, source: int, target: int, kinds: tuple[Label, Label] | None, behind: Pair | None
    ) -> Complement | None:
        """None for the dear thing that a cheap one belongs to: who buys laces is not offered boots."""
        price, other = self._goods[source].price, self._goods[target].price
        if price <= CHEAPER * other:
            return None
        counted, proven = self._counted, target in self._proven[source]
        together = self._seen.get((min(source, target), max(source, target)), 0)
        share = max(counted.items.get(target, 0), UNSOLD) / counted.drawn
        usual = min(1.0, (behind.lift if behind else 1.0) * counted.pairs_drawn * share / counted.drawn)
        return Complement(
            target=target,
            share=(together + DOUBT * usual) / (counted.items.get(source, 0) + DOUBT),
            support=together if proven or behind is None else behind.together,
            accessory=other <= CHEAPER * price,
            kinds=None if proven else kinds,
        )

    def _category(self, pk: int) -> int:
        return self._goods[pk].category


def _anywhere(labels: Sequence[Label]) -> list[Label]:
    """The labels, and those of their values alone."""
    return [*labels, *((EVERYWHERE, attribute, value) for _, attribute, value in labels if attribute)]


def _repelled(labelled: Counted, associated: Sequence[Pair]) -> list[Pair]:
    """Kinds of two categories that go together, bought together less often than the categories are.

    Two values of one attribute that keep apart over all categories together do so in each: ``EVERYWHERE`` stands for it.
    """
    by_category: defaultdict[int, list[Label]] = defaultdict(list)
    for label in labelled.items:
        by_category[label[0]].append(label)
    seen, expected = Counter[tuple[Label, Label]](), defaultdict[tuple[Label, Label], float](float)
    for categories in (pair for pair in associated if not pair.one[1] and not pair.other[1]):
        rate = categories.together / categories.expected
        for one, other in itertools.product(by_category[categories.one[0]], by_category[categories.other[0]]):
            tests = [(one, other)]
            if one[1] == other[1] and one[2] != other[2]:
                first, second = sorted((one[2], other[2]))
                tests.append(((EVERYWHERE, one[1], first), (EVERYWHERE, one[1], second)))
            for test in tests:
                seen[test] += labelled.pairs.get((min(one, other), max(one, other)), 0)
                expected[test] += rate * labelled.expected(one, other)
    judged = [
        (at_most(seen[test], mean), Pair(*test, seen[test], mean))
        for test, mean in expected.items()
        if seen[test] < mean
    ]
    return discovered(judged, len(expected))
