"""Candidates become a slate: features -> ranker -> rules -> diversity -> one place for exploring.

The one entry for the dialogue, for the preview and for whoever measures. Reads the database, never writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.ranking.diversity import varied
from catalog.ranking.explore import POOL, thompson
from catalog.ranking.exposures import counts_of
from catalog.ranking.features import FEATURES, Context, feature_rows
from catalog.ranking.model import Ranker, interest_share
from catalog.ranking.rules import Rule, joining, may_join, pinned_skus, pins, shifted, vetoes
from catalog.search import Candidate, ProductQuery, search_products

EXPLAINED = 24
"""So many of the best candidates tell what their scores are made of; as many as a turn keeps."""
CERTAIN = 1.0
"""The propensity of a place that nothing but the ranking decided."""


@dataclass(frozen=True)
class Slate:
    """``shown`` in the order of the places; ``candidates`` all that were considered, best first."""

    shown: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]


def ranked(candidates: Sequence[Candidate], context: Context, ranker: Ranker) -> list[Candidate]:
    """The candidates with their score and features, best first."""
    rows = feature_rows(candidates, context)
    scored = [
        replace(
            candidate,
            score=float(score),
            features={name: round(float(value), 4) for name, value in zip(FEATURES, row, strict=True)},
        )
        for candidate, row, score in zip(candidates, rows, ranker.scores(rows), strict=True)
    ]
    return sorted(scored, key=lambda candidate: (-candidate.score, candidate.product.pk))


def explained(
    best_first: Sequence[Candidate], shown: Sequence[Candidate], context: Context, ranker: Ranker
) -> tuple[Candidate, ...]:
    """The candidates, the best and the shown ones with what each feature added to their scores."""
    ids = {candidate.product.pk for candidate in (*best_first[:EXPLAINED], *shown)}
    told = [candidate for candidate in best_first if candidate.product.pk in ids]
    contributions = ranker.contributions(feature_rows(told, context))
    made = {
        candidate.product.pk: replace(
            candidate,
            features=candidate.features | {"interest_share": round(float(share), 3)},
            contributions={name: round(float(part), 4) for name, part in zip(FEATURES, parts, strict=True) if part},
        )
        for candidate, parts, share in zip(told, contributions, interest_share(contributions), strict=True)
    }
    return tuple(made.get(candidate.product.pk, candidate) for candidate in best_first)


def slate_of(
    query: ProductQuery,
    found: Sequence[Candidate],
    context: Context,
    ranker: Ranker,
    *,
    size: int,
    rules: Sequence[Rule] = (),
    seed: int = 0,
) -> Slate:
    """The slate for a query from what search found for it. The same input and seed give the same slate."""
    shop, goal = query.shop, query.category
    best_first = shifted(ranked(_with_pinned(query, found, rules), context, ranker), rules, goal)
    rules = (*rules, *vetoes(shop, best_first))
    fixed = pins(best_first, rules, goal, size)

    def fits(candidate: Candidate, slate: Sequence[Candidate]) -> bool:
        return may_join(candidate, slate, rules, goal)

    shown = varied(best_first, size, shop.diversity, pinned=fixed, fits=fits)
    shown = tuple(_with_propensity(candidate, CERTAIN) for candidate in shown)
    if shop.explores and len(shown) == size and size - 1 not in fixed:
        shown = _explored(shown, best_first, rules, goal, seed)
    return Slate(shown, explained(best_first, shown, context, ranker))


def in_order(query: ProductQuery, found: Sequence[Candidate], *, size: int, rules: Sequence[Rule] = ()) -> Slate:
    """The slate where the customer's own order decides (the cheapest first): only what never goes together is left out."""
    apart = (*rules, *vetoes(query.shop, found))
    return Slate(joining(found, (), size, apart, query.category), tuple(found))


def _with_pinned(query: ProductQuery, found: Sequence[Candidate], rules: Sequence[Rule]) -> list[Candidate]:
    """What was found and, looked up under the same hard conditions, what pins name beyond it."""
    known = {candidate.product.sku for candidate in found}
    missing = tuple(sku for sku in pinned_skus(rules, query.category) if sku not in known)
    if query.only:
        missing = tuple(sku for sku in missing if sku in query.only)
    return [*found, *(search_products(replace(query, only=missing, limit=len(missing))) if missing else ())]


def _explored(
    shown: tuple[Candidate, ...], best_first: Sequence[Candidate], rules: Sequence[Rule], goal: str, seed: int
) -> tuple[Candidate, ...]:
    """The slate with its last place drawn among the best of the rest."""
    kept = shown[:-1]
    held = {candidate.product.pk for candidate in kept}
    titles = {candidate.product.title for candidate in kept}
    pool = [
        candidate
        for candidate in best_first
        if candidate.product.pk not in held
        and candidate.product.title not in titles
        and may_join(candidate, kept, rules, goal)
    ]
    pool = pool[:POOL]
    tried = thompson(pool, counts_of([candidate.product.pk for candidate in pool]), seed)
    return (*kept, _with_propensity(tried.candidate, tried.propensity)) if tried else shown


def _with_propensity(candidate: Candidate, propensity: float) -> Candidate:
    return replace(candidate, features={**candidate.features, "propensity": round(propensity, 5)})
