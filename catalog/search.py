"""Finding products and articles: hard wishes are SQL, before any scoring; then full text and vectors, fused.

``candidates.py`` reaches the best of what holds the conditions without reading the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import numpy.typing as npt
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import BinaryField, Case, Exists, F, FloatField, Func, OuterRef, Q, QuerySet, Value, When
from django.db.models.fields.json import HasAnyKeys, KeyTransform
from pgvector.django import CosineDistance

from catalog.candidates import (
    Matches,
    any_word,
    by_price,
    compared,
    matches_of,
    nearest,
    number_of,
    popular,
    worded,
)
from catalog.models import Category, KnowledgeArticle, Product, Shop, Variant
from catalog.pictures import Alike
from catalog.text import segment


@dataclass(frozen=True)
class Wish:
    """One condition on a product.

    ``attribute`` "text" looks ``values`` up in all the product's texts (any of them), "title" in its titles alone;
    "category" means the subtrees below paths. ``or_absent``: a product whose data say nothing of the attribute holds it
    as well.
    """

    attribute: str
    values: tuple[str, ...]
    wanted: bool = True
    or_absent: bool = False


@dataclass(frozen=True)
class ProductQuery:
    """What to find. ``category`` is a path and means its whole subtree; prices are inclusive, in the shop's currency.

    ``wishes`` must hold, ``soft`` raise the score, as does a title that names one of ``title``. ``order`` is "price" or
    "-price" where price alone decides. ``embedding`` is the query's, or None for full text alone. With ``alike`` only products
    that show one of its pictures are found, nearest first, each as the variant that is on it.
    """

    shop: Shop
    words: tuple[str, ...] = ()
    embedding: npt.NDArray[np.float32] | None = None
    category: str = ""
    wishes: tuple[Wish, ...] = ()
    soft: tuple[Wish, ...] = ()
    price_low: Decimal | None = None
    price_high: Decimal | None = None
    exclude: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    in_stock: bool = True
    order: str = ""
    alike: Alike | None = None
    limit: int = 20


@dataclass(frozen=True)
class Candidate:
    """A product that holds every hard wish, with the variant to show and what its score is made of.

    ``contributions`` are the ranker's: what each feature adds to the score.
    """

    product: Product
    variant: Variant
    score: float
    features: dict[str, float] = field(default_factory=dict)
    contributions: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Weights:
    """The share of each feature in the score. Set by hand on a few dozen queries; nothing learned yet."""

    vector: float = 1.0
    text: float = 0.6
    soft: float = 0.25
    title: float = 0.4
    rating: float = 0.08
    popularity: float = 0.08


@dataclass(frozen=True)
class FoundArticle:
    """An article with how near it is to the question (cosine of the encoder's vectors, -1 to 1)."""

    article: KnowledgeArticle
    similarity: float


def matching(query: ProductQuery) -> QuerySet[Product]:
    """The products that satisfy every hard condition, unscored."""
    products = Product.objects.filter(shop=query.shop, active=True)
    if query.category:
        products = products.filter(category__in=_subtree(query.shop, query.category))
    if query.only:
        products = products.filter(sku__in=query.only)
    if query.exclude:
        products = products.exclude(sku__in=query.exclude)
    for wish in query.wishes:
        if wish.attribute == "text":
            holds = Q(search_vector=_any_phrase(wish.values))
            products = products.filter(holds if wish.wanted else ~holds)
        elif wish.attribute == "title":
            products = products.filter(_titled(wish.values) if wish.wanted else ~_titled(wish.values))
        elif wish.attribute == "category":
            inside = Q(category__in=[pk for path in wish.values for pk in _subtree(query.shop, path)])
            products = products.filter(inside if wish.wanted else ~inside)
        elif wish.wanted:
            holds = _has(wish, "attributes")
            products = products.filter(holds | ~Q(attributes__has_key=wish.attribute) if wish.or_absent else holds)
    fitting = _variants(query)
    if query.alike is not None:
        showing = _shows(query.alike)
        own, on_it = products.filter(showing), fitting.filter(showing).values("product")
        products = products.filter(Q(pk__in=own.values("pk")) | Q(pk__in=on_it))
    return products.filter(Exists(fitting.filter(product=OuterRef("pk"))))


def _shows(alike: Alike) -> Q:
    """Products or variants with one of the pictures, as their indexes have it."""
    return Q(image__in=list(alike.sources)) & ~Q(image="")


def _subtree(shop: Shop, path: str) -> list[int]:
    """The ids of a category and all below it. Read first: the planner knows how many products each has."""
    below = Q(path=path) | Q(path__startswith=f"{path}/")
    return list(Category.objects.filter(below, shop=shop).values_list("pk", flat=True))


def count_products(query: ProductQuery, at_most: int = 1000) -> int:
    """How many products match, counted no further than ``at_most``."""
    return number_of(matching(query), at_most)


def search_products(query: ProductQuery, weights: Weights | None = None) -> list[Candidate]:
    """The best ``query.limit`` products that hold every hard wish, best first."""
    matches = matches_of(matching(query))
    if query.order:
        ids = by_price(matches, _variants(query), query.order.startswith("-"), query.limit)
        return sorted(_loaded(query, _scored(ids, query, weights)), key=_price, reverse=query.order == "-price")
    if query.alike is not None:
        return _loaded(query, _looking_alike(query, query.alike)[: query.limit])
    scored = _scored(_candidate_ids(query, matches), query, weights)
    return _loaded(query, sorted(scored, key=lambda s: (-s.score, s.pk))[: query.limit])


def search_articles(
    shop: Shop, language: str, question: str, embedding: npt.NDArray[np.float32] | None, limit: int = 3
) -> list[FoundArticle]:
    """The articles nearest to a question, one per slug, in the question's language where the shop wrote it.

    Languages of one article share the better of their similarities.
    """
    words = segment(question).split()
    rank = SearchRank(F("search_vector"), any_word(words)) if words else ZERO
    near = 1 - CosineDistance("embedding", embedding) if embedding is not None else ZERO
    rows = KnowledgeArticle.objects.filter(shop=shop, active=True).annotate(
        near=Case(When(embedding=None, then=ZERO), default=near, output_field=FloatField()), rank=rank
    )
    best: dict[str, float] = {}
    spoken: dict[str, KnowledgeArticle] = {}
    for row in rows:
        similarity = float(row.near) + TEXT_RANK * float(row.rank)
        best[row.slug] = max(best.get(row.slug, -1.0), similarity)
        if row.slug not in spoken or row.language == language:
            spoken[row.slug] = row
    found = [FoundArticle(spoken[slug], similarity) for slug, similarity in best.items()]
    return sorted(found, key=lambda f: -f.similarity)[:limit]


ZERO = Value(0.0, output_field=FloatField())

TEXT_RANK = 0.8
"""How much PostgreSQL's rank (0 to about 0.3 for a few shared words) adds to an article's similarity."""


@dataclass(frozen=True)
class _Scored:
    pk: int
    score: float
    features: dict[str, float]


def _candidate_ids(query: ProductQuery, matches: Matches) -> Sequence[int]:
    """What each branch brings, and the most popular where they bring too few; all matches where they are hardly more."""
    few = compared(matches, query.embedding, query.words, query.limit)
    if few is not None:
        return few
    found: dict[int, None] = {}
    if query.embedding is not None:
        found |= dict.fromkeys(nearest(matches, query.embedding))
    if query.words:
        found |= dict.fromkeys(worded(matches, query.words))
    if len(found) < query.limit:
        found |= dict.fromkeys(popular(matches, query.shop.pk, query.limit))
    return list(found)


def _scored(ids: Sequence[int], query: ProductQuery, weights: Weights | None) -> list[_Scored]:
    """The features and score of each product; the wide rows themselves are read for the best of them alone."""
    share = weights or Weights()
    scored = []
    for pk, popularity, rating, votes, *measured in _with_features(Product.objects.filter(pk__in=ids), query):
        vector, text, soft, title = (float(value or 0) for value in measured)
        features = {
            "vector": vector,
            "text": min(text * 4, 1.0),
            "soft": soft,
            "title": title,
            "rating": (_shrunk_rating(rating, votes) - 3) / 2,
            "popularity": float(np.log1p(popularity) / 8),
        }
        score = sum(getattr(share, name) * value for name, value in features.items())
        scored.append(_Scored(pk, score, {name: round(value, 4) for name, value in features.items()}))
    return scored


def _looking_alike(query: ProductQuery, alike: Alike) -> list[_Scored]:
    """The matches by how near the nearest picture of each is."""
    near: dict[int, float] = {}
    matches = matching(query)
    own = matches.filter(_shows(alike)).values_list("pk", "image")
    on_it = _variants(query).filter(_shows(alike), product__in=matches).values_list("product_id", "image")
    for pk, source in (*own, *on_it):
        near[pk] = max(near.get(pk, -1.0), alike.sources[source])
    ordered = sorted(near.items(), key=lambda found: (-found[1], found[0]))
    return [_Scored(pk, cosine, {"picture": round(cosine, 4)}) for pk, cosine in ordered]


def _with_features(rows: QuerySet[Product], query: ProductQuery) -> QuerySet[Product, Any]:
    """Rows of id, popularity, rating, votes and the four features that the query makes."""
    vector: Any = ZERO
    if query.embedding is not None:
        vector = Case(
            When(embedding=None, then=ZERO),
            default=1 - CosineDistance("embedding", query.embedding),
            output_field=FloatField(),
        )
    text: Any = SearchRank(F("search_vector"), any_word(query.words), normalization=1) if query.words else ZERO
    soft: Any = ZERO
    for wish in query.soft:
        holds = Q(search_vector=_any_phrase(wish.values)) if wish.attribute == "text" else _has(wish, "attributes")
        holds = holds if wish.wanted else ~holds
        soft = soft + Case(When(holds, then=Value(1.0)), default=ZERO, output_field=FloatField())
    title: Any = ZERO
    if query.title:
        rows = rows.annotate(title_vector=SearchVector("title", config="english"))
        title = Case(When(title_vector=_any_phrase(query.title), then=Value(1.0)), default=ZERO)
    annotated = rows.annotate(f_vector=vector, f_text=text, f_soft=soft, f_title=title)
    return annotated.values_list(
        "pk", "popularity", "rating", "rating_count", "f_vector", "f_text", "f_soft", "f_title"
    )


def _loaded(query: ProductQuery, scored: Sequence[_Scored]) -> list[Candidate]:
    """The candidates with their products and the variants to show; one that is sold out by now is left out."""
    ids = [one.pk for one in scored]
    packed = Func(F("embedding"), function="vector_send", output_field=BinaryField())
    rows = Product.objects.filter(pk__in=ids).annotate(packed=packed).defer("search_vector", "embedding")
    products = {product.pk: product for product in rows}
    categories = Category.objects.in_bulk({product.category_id for product in products.values()})
    for product in products.values():
        product.embedding, product.category = _unpacked(product.packed), categories[product.category_id]
    variants = _best_variants(query, ids)
    return [
        Candidate(products[one.pk], variants[one.pk], one.score, one.features)
        for one in scored
        if one.pk in products and one.pk in variants
    ]


def _unpacked(packed: bytes | memoryview[int] | None) -> npt.NDArray[np.float32] | None:
    """pgvector's binary form, four bytes before the numbers: sixty vectors as text take a third of a search to read."""
    return None if packed is None else np.frombuffer(packed, dtype=">f4", offset=4).astype(np.float32)


def _price(candidate: Candidate) -> Decimal:
    return candidate.variant.price


def _shrunk_rating(rating: float | None, votes: int, prior: float = 3.8, prior_votes: int = 8) -> float:
    """Bayesian mean: few votes stay near the prior."""
    return ((rating or prior) * votes + prior * prior_votes) / (votes + prior_votes)


def _variants(query: ProductQuery) -> QuerySet[Variant]:
    """The variants that may be sold to this wish; attributes that vary are judged here, on the variant itself."""
    variants = Variant.objects.all()
    if query.in_stock:
        variants = variants.filter(stock__gt=0)
    if query.price_low is not None:
        variants = variants.filter(price__gte=query.price_low)
    if query.price_high is not None:
        variants = variants.filter(price__lte=query.price_high)
    for wish in query.wishes:
        if wish.attribute in ("text", "title", "category"):
            continue
        varies = Q(attributes__has_key=wish.attribute)
        if wish.wanted:
            variants = variants.filter(~varies | _has(wish, "attributes"))
        else:
            variants = variants.filter(
                (varies & ~_has(wish, "attributes")) | (~varies & ~_has(wish, "product__attributes"))
            )
    return variants


def _best_variants(query: ProductQuery, ids: Sequence[int]) -> dict[int, Variant]:
    """The cheapest fitting variant of each product, those in stock first; before them those on the pictures asked for."""
    variants = _variants(query).filter(product_id__in=ids)
    sources = query.alike.sources if query.alike else {}
    pictured = [When(image=source, then=place) for place, source in enumerate(sources)]
    first = [Case(*pictured, default=len(sources))] if pictured else []
    ordered = variants.order_by("product_id", *first, Case(When(stock=0, then=1), default=0), "price", "pk")
    return {variant.product_id: variant for variant in ordered.distinct("product_id")}


def _titled(values: Sequence[str]) -> Q:
    own = (Q(title__icontains=value) for value in values)
    return reduce(or_, (*own, *(Q(translations__zh__title__icontains=value) for value in values)))


SEVERAL = 12
"""So many values are asked of the index one by one; more of them, as within a limit, of each row at once."""


def _has(wish: Wish, path: str) -> Q:
    if len(wish.values) > SEVERAL:
        return Q(HasAnyKeys(KeyTransform(wish.attribute, path), list(wish.values)))
    return reduce(or_, (Q(**{f"{path}__contains": {wish.attribute: [value]}}) for value in wish.values))


def _any_phrase(phrases: Sequence[str]) -> SearchQuery:
    return reduce(or_, (SearchQuery(segment(p), search_type="phrase", config="english") for p in phrases))
