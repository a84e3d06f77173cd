"""The longer ranking behind a slate: the best products for a whole talk, whatever the reply did.

``find.py`` chooses the slate; this is for replays, comparisons and shops that know little more than titles. In a shop
with categories or attributes, what ``find`` holds best leads; where titles are all there is, the learned
:mod:`~botcore.dialogue.relevance` decides. What was ruled out comes last of all, never silently among the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from botcore.dialogue.find import find, items_by_sku, product_query
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import TEXT
from botcore.dialogue.ports import Encoder
from botcore.dialogue.relevance import SEMANTIC, Collection, Floats, Relevance, Talk, features, shipped
from botcore.dialogue.state import DialogueState
from catalog.models import Shop
from catalog.search import Candidate, ProductQuery, search_products

POOL = 60
"""Candidates that are scored at least; each branch of the search brings up to as many."""
WORDS_SEARCHED = 24


@dataclass(frozen=True)
class Ranked:
    """A product of the ranking. ``score`` is the learned model's; it orders within ``tier`` (0 is best)."""

    sku: str
    score: float
    tier: int


def rank(
    shop: Shop,
    state: DialogueState,
    talk: Talk,
    lexicon: Lexicon,
    encoder: Encoder,
    *,
    top: int,
    lead: Sequence[str] = (),
    hidden: Sequence[str] = (),
    model: Relevance | None = None,
) -> list[Ranked]:
    """The ``top`` products for what the customer has said so far, best first; fewer only where the shop has fewer.

    Tier 0, in a shop with structure, is ``lead`` (what the reply shows) and what ``find`` brings. Tier 1 holds price,
    category and attributes as wished, tier 2 gives them up, and tier 3 brings back what is ``hidden``, rejected, ruled
    out or sold out, for a ranking that must be long.
    """
    model = model or shipped()
    vectors = [_vector(query, encoder) for query in talk.queries()]
    query = _loose(shop, state, talk, lexicon, encoder, (*state.rejected, *hidden), vectors[1], max(top, POOL))
    ranked: dict[str, Ranked] = {}
    if lexicon.attributes or len(lexicon.categories) > 1:
        found = find(shop, state.with_(rejected=query.exclude), lexicon, encoder)
        shown = items_by_sku(shop, lead)
        ranked = {c.product.sku: Ranked(c.product.sku, c.score, 0) for c in (*shown, *found.slate, *found.candidates)}
    for tier, tried in enumerate(_ever_looser(query), 1):
        if len(ranked) >= top:
            break
        candidates = [c for c in search_products(tried) if c.product.sku not in ranked]
        scores = _scores(candidates, talk, vectors, lexicon, model)
        order = sorted(range(len(candidates)), key=lambda i: (-scores[i], candidates[i].product.pk))
        ranked |= {candidates[i].product.sku: Ranked(candidates[i].product.sku, scores[i], tier) for i in order}
    return list(ranked.values())[:top]


def _loose(
    shop: Shop,
    state: DialogueState,
    talk: Talk,
    lexicon: Lexicon,
    encoder: Encoder,
    hidden: Sequence[str],
    vector: Floats | None,
    limit: int,
) -> ProductQuery:
    """The state's query with the talk's words: wishes about texts score, but only what was ruled out is a condition."""
    query = product_query(shop, state, lexicon, encoder, hidden)
    return replace(
        query,
        words=talk.words()[-WORDS_SEARCHED:],
        embedding=None if vector is None else vector.astype(np.float32),
        wishes=tuple(w for w in query.wishes if w.attribute != TEXT or not w.wanted),
        soft=(),
        title=(),
        limit=limit,
    )


def _ever_looser(query: ProductQuery) -> tuple[ProductQuery, ...]:
    free = replace(
        query, category="", price_low=None, price_high=None, wishes=tuple(w for w in query.wishes if not w.wanted)
    )
    return query, free, replace(free, wishes=(), exclude=(), in_stock=False)


def _vector(text: str, encoder: Encoder) -> Floats | None:
    return encoder.encode([text])[0].astype(np.float64) if text else None


def _scores(
    candidates: Sequence[Candidate],
    talk: Talk,
    vectors: Sequence[Floats | None],
    lexicon: Lexicon,
    model: Relevance,
) -> list[float]:
    """The learned score of each candidate's title."""
    near = np.zeros((len(candidates), len(SEMANTIC)))
    for row, candidate in enumerate(candidates):
        if candidate.product.embedding is not None:
            near[row] = [0.0 if v is None else float(np.dot(v, candidate.product.embedding)) for v in vectors]
    titles = [candidate.product.title for candidate in candidates]
    table = features(talk, titles, near, Collection(lexicon.document_stems, lexicon.size), model.speech)
    return [float(score) for score in model.scores(table)]
