"""The shop's merchandising rules as plain data, and what they do to candidates. Pure but for ``rules_of`` and ``vetoes``.

Rules choose among candidates that hold every hard wish. A pinned product is looked up with the query's own conditions
(``slate.py``), so one that breaks a wish is simply not there to be pinned. Vetoes of the product graph are never-together
rules of two products.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from catalog.graph.links import vetoed_pairs
from catalog.models import MerchandisingRule, Product, Shop
from catalog.search import Candidate

Kind = MerchandisingRule.Kind


@dataclass(frozen=True)
class Rule:
    """A product is meant if it meets every criterion given; a rule without any means none. ``place`` counts from 1."""

    kind: str
    name: str = ""
    goal: str = ""
    skus: tuple[str, ...] = ()
    category: str = ""
    attribute: str = ""
    value: str = ""
    companions: tuple[str, ...] = ()
    place: int = 1
    strength: float = 0.5

    def about(self, goal: str) -> bool:
        """Whether the rule speaks in a talk about this category (a path, "" for none)."""
        return not self.goal or _within(goal, self.goal)

    def means(self, product: Product, attributes: Mapping[str, Sequence[str]] | None = None) -> bool:
        """Whether a product, with a variant's own ``attributes``, is one the rule is for."""
        held = {**product.attributes, **(attributes or {})}
        criteria = [
            (bool(self.skus), product.sku in self.skus),
            (bool(self.category), _within(product.category.path, self.category)),
            (bool(self.attribute), self.value in held.get(self.attribute, ())),
        ]
        given = [holds for stated, holds in criteria if stated]
        return bool(given) and all(given)


def rules_of(shop: Shop, now: datetime) -> tuple[Rule, ...]:
    """The rules of a shop that hold at ``now``, in the order they were made."""
    rows = (
        MerchandisingRule.objects.filter(shop=shop, active=True)
        .filter(Q(valid_from=None) | Q(valid_from__lte=now), Q(valid_until=None) | Q(valid_until__gt=now))
        .order_by("pk")
    )
    return plain(rows, shop)


def plain(rows: QuerySet[MerchandisingRule], shop: Shop) -> tuple[Rule, ...]:
    """A shop's stored rules as data, in their order, whether they hold now or not."""
    own = Product.objects.filter(shop=shop).only("pk", "sku").order_by("pk")
    loaded = rows.select_related("category").prefetch_related(Prefetch("products", own), Prefetch("companions", own))
    return tuple(
        Rule(
            kind=row.kind,
            name=row.name,
            goal=row.goal,
            skus=tuple(product.sku for product in row.products.all()),
            category=row.category.path if row.category else "",
            attribute=row.attribute,
            value=row.value,
            companions=tuple(product.sku for product in row.companions.all()),
            place=row.place,
            strength=row.strength,
        )
        for row in loaded
    )


def vetoes(shop: Shop, candidates: Sequence[Candidate]) -> tuple[Rule, ...]:
    """The vetoes of the product graph between any two of the candidates, as rules."""
    skus = {candidate.product.pk: candidate.product.sku for candidate in candidates}
    pairs = [pair for pair in vetoed_pairs(shop) if skus.keys() >= set(pair)]
    return tuple(Rule(Kind.NEVER_TOGETHER, "veto", skus=(skus[one], skus[other])) for one, other in pairs)


def shifted(candidates: Iterable[Candidate], rules: Sequence[Rule], goal: str) -> list[Candidate]:
    """Candidates best first after boosts and buries; what a rule changed stands in the feature ``rule``."""
    signs = {Kind.BOOST: 1.0, Kind.BURY: -1.0}
    moving = [(signs[Kind(rule.kind)], rule) for rule in rules if rule.kind in signs and rule.about(goal)]
    moved = []
    for candidate in candidates:
        shift = sum(sign * rule.strength for sign, rule in moving if _meant(rule, candidate))
        if shift:
            features = {**candidate.features, "rule": shift}
            candidate = replace(candidate, score=candidate.score + shift, features=features)
        moved.append(candidate)
    return sorted(moved, key=lambda candidate: (-candidate.score, candidate.product.pk))


def pinned_skus(rules: Sequence[Rule], goal: str) -> tuple[str, ...]:
    """Products that pins name; they must be looked up, for search may not have brought them."""
    return tuple(dict.fromkeys(sku for rule in _pins(rules, goal) for sku in rule.skus))


def pins(candidates: Sequence[Candidate], rules: Sequence[Rule], goal: str, size: int) -> dict[int, Candidate]:
    """The candidate for each pinned place (from 0): of several that a rule means, the best; earlier rules first.

    Places beyond the slate, products of a never-together rule that another pin holds, and taken places are left out.
    """
    placed: dict[int, Candidate] = {}
    for rule in _pins(rules, goal):
        free = [c for c in candidates if _meant(rule, c) and c not in placed.values()]
        allowed = [c for c in free if may_join(c, list(placed.values()), rules, goal)]
        if allowed and rule.place <= size and rule.place - 1 not in placed:
            placed[rule.place - 1] = max(allowed, key=lambda candidate: candidate.score)
    return placed


def may_join(candidate: Candidate, slate: Sequence[Candidate], rules: Sequence[Rule], goal: str) -> bool:
    """Whether no never-together rule keeps a candidate from what is on the slate already."""
    return not any(
        _meant(rule, candidate) and any(_meant(rule, other) for other in slate)
        for rule in rules
        if rule.kind == Kind.NEVER_TOGETHER and rule.about(goal)
    )


def joining(
    found: Iterable[Candidate], shown: Sequence[Candidate], size: int, rules: Sequence[Rule], goal: str
) -> tuple[Candidate, ...]:
    """The first ``size`` of the found ones, in their order, that may stand together and beside the shown ones."""
    taken: list[Candidate] = []
    for candidate in found:
        if len(taken) < size and may_join(candidate, (*shown, *taken), rules, goal):
            taken.append(candidate)
    return tuple(taken)


def companions(shown: Sequence[Candidate], rules: Sequence[Rule], goal: str) -> tuple[str, ...]:
    """SKUs to offer beside a slate: what goes with any of its products and is not on it, in the rules' order."""
    there = {candidate.product.sku for candidate in shown}
    beside = (
        sku
        for rule in rules
        if rule.kind == Kind.GOES_WITH and rule.about(goal) and any(_meant(rule, candidate) for candidate in shown)
        for sku in rule.companions
    )
    return tuple(dict.fromkeys(sku for sku in beside if sku not in there))


def _pins(rules: Sequence[Rule], goal: str) -> list[Rule]:
    return [rule for rule in rules if rule.kind == Kind.PIN and rule.about(goal)]


def _meant(rule: Rule, candidate: Candidate) -> bool:
    return rule.means(candidate.product, candidate.variant.attributes)


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
