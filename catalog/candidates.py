"""Which products are worth scoring: the nearest by meaning, by words, by popularity or price, under hard conditions.

``search.py`` states the conditions as a queryset; here it is decided how to reach the best of them without reading the
catalogue. Few matches are listed and compared one by one, which is exact; many are read in an index's own order until
enough of them hold the conditions. The border lies where both cost the same: with n of N products matching, listing costs n and
an index read costs N / n, so at a multiple of the square root of N.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import or_

import numpy as np
import numpy.typing as npt
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import InternalError, connection
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from pgvector import HalfVector
from pgvector.django import CosineDistance

from catalog.models import HALF_EMBEDDING, Product, Variant

BRANCH = 60
"""How many candidates each branch brings; a slate holds three."""
BORDER = 8.0
"""Products are listed where fewer than this times the square root of the catalogue match, and always up to ``LISTED``."""
LISTED = 1000
RANKED = 400
"""Of so many products that hold the words, the best are taken; if more hold them, those that hold most of the words."""
JOINED = 6
"""So many of the words, the rarest, are looked for together in a large catalogue."""
ESTIMATE_SECONDS = 60.0
SELLERS, SELLERS_SECONDS = 2000, 600.0

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Matches:
    """The products that hold the conditions: ``rows`` unread, and ``listed`` their ids where they are few (else None)."""

    rows: QuerySet[Product]
    listed: tuple[int, ...] | None

    def within(self) -> QuerySet[Product]:
        """The rows as a cheap condition: by id where they are listed."""
        return self.rows if self.listed is None else Product.objects.filter(pk__in=self.listed)


def matches_of(rows: QuerySet[Product]) -> Matches:
    """The matches of a queryset of conditions, listed where that is the cheaper way to the best of them."""
    most = most_listed()
    if catalogue_size() <= most or _estimated(rows) <= most:
        return _listed(rows, most)
    return Matches(rows, None)


def most_listed() -> int:
    return max(LISTED, int(BORDER * math.sqrt(catalogue_size())))


def nearest(matches: Matches, vector: Vector, count: int = BRANCH) -> list[int]:
    """The ids of the matches nearest to a unit vector, nearest first. Exact where they are listed."""
    if matches.listed is None:
        with _planner(
            enable_seqscan="off", enable_bitmapscan="off", enable_sort="off", hnsw__iterative_scan="relaxed_order"
        ):
            found = list(_by_distance(matches.rows, vector)[:count])
        if len(found) == count:
            return found
        matches = _listed(matches.rows, most_listed())  # rarer than was thought: the index found too few
        if matches.listed is None:
            return found
    return list(_by_distance(matches.within(), vector)[:count])


def worded(matches: Matches, words: Sequence[str], count: int = BRANCH) -> list[int]:
    """The ids of the matches whose texts hold most of the words, by PostgreSQL's rank, best first."""
    if matches.listed is not None and len(matches.listed) <= LISTED:
        return _ranked(matches.within(), any_word(words), words, count, len(matches.listed))
    joined = _rarest(words, JOINED)
    found: dict[int, None] = {}
    for together in range(len(joined), 0, -1):
        found |= dict.fromkeys(_ranked(matches.rows, _holding(joined, together), words, count, RANKED))
        if len(found) >= count:
            break
    return list(found)[:count]


def popular(matches: Matches, shop_id: int, count: int) -> list[int]:
    """The ids of the matches most asked for; of very many matches, those among the shop's most popular products."""
    if matches.listed is None:
        found = list(_by_popularity(matches.rows.filter(pk__in=_best_sellers(shop_id)))[:count])
        if len(found) == count:
            return found
        matches = Matches(matches.rows, tuple(matches.rows.values_list("pk", flat=True)[:RANKED]))
    return list(_by_popularity(matches.within())[:count])


def by_price(matches: Matches, variants: QuerySet[Variant], descending: bool, count: int) -> list[int]:
    """The ids of the matches by the price of their cheapest fitting variant."""
    if matches.listed is not None:
        prices = variants.filter(product=OuterRef("pk")).order_by("price").values("price")[:1]
        rows = matches.within().annotate(price=Subquery(prices)).order_by("-price" if descending else "price", "pk")
        return list(rows.values_list("pk", flat=True)[:count])
    cheaper = variants.filter(product=OuterRef("product"), price__lt=OuterRef("price"))
    cheapest = variants.filter(~Exists(cheaper), product__in=matches.rows).order_by("-price" if descending else "price")
    with _planner(enable_seqscan="off", enable_bitmapscan="off", enable_sort="off"):
        return list(dict.fromkeys(cheapest.values_list("product_id", flat=True)[: 2 * count]))[:count]


def any_word(words: Sequence[str]) -> SearchQuery:
    return reduce(or_, (_word(word) for word in words))


def _word(word: str) -> SearchQuery:
    return SearchQuery(word, search_type="plain", config="english")


def _holding(words: Sequence[str], together: int) -> SearchQuery:
    """Texts that hold at least so many of the words."""
    groups = (reduce(lambda one, other: one & other, map(_word, group)) for group in combinations(words, together))
    return reduce(or_, groups)


def _listed(rows: QuerySet[Product], most: int) -> Matches:
    ids = tuple(rows.values_list("pk", flat=True)[: most + 1])
    return Matches(rows, ids if len(ids) <= most else None)


def _by_distance(rows: QuerySet[Product], vector: Vector) -> QuerySet[Product, int]:
    embedded = rows.filter(embedding__isnull=False)
    return embedded.order_by(CosineDistance(HALF_EMBEDDING, HalfVector(vector))).values_list("pk", flat=True)


def _ranked(rows: QuerySet[Product], held: SearchQuery, words: Sequence[str], count: int, most: int) -> list[int]:
    """The best of the first ``most`` rows that hold a text query."""
    some = rows.filter(search_vector=held).values("pk")[:most]
    ranked = Product.objects.filter(pk__in=some).order_by(-SearchRank(F("search_vector"), any_word(words)), "pk")
    return list(ranked.values_list("pk", flat=True)[:count])


def _rarest(words: Sequence[str], count: int) -> list[str]:
    """The words that fewest texts hold, as far as PostgreSQL's statistics know."""
    if len(words) <= count:
        return list(words)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, max(frequency) FROM unnest(%s) AS word"
            " LEFT JOIN pg_stats AS known ON tablename = 'catalog_product' AND attname = 'search_vector'"
            " LEFT JOIN LATERAL unnest(most_common_elems::text::text[], most_common_elem_freqs) AS common(lexeme, frequency)"
            " ON lexeme = ANY(tsvector_to_array(to_tsvector('english', word))) GROUP BY word",
            [list(words)],
        )
        frequency = {word: found or 0.0 for word, found in cursor.fetchall()}
    return sorted(dict.fromkeys(words), key=lambda word: frequency[word])[:count]


def _by_popularity(rows: QuerySet[Product]) -> QuerySet[Product, int]:
    return rows.order_by("-popularity", "pk").values_list("pk", flat=True)


_sellers: dict[int, tuple[float, tuple[int, ...]]] = {}


def _best_sellers(shop_id: int) -> tuple[int, ...]:
    """The most popular products of a shop, read at most every ten minutes per process.

    No index holds the popularity: it changes by itself, and each change would enter the row into every index again.
    """
    read_at, ids = _sellers.get(shop_id, (-math.inf, ()))
    if time.monotonic() - read_at > SELLERS_SECONDS:
        ids = tuple(_by_popularity(Product.objects.filter(shop=shop_id, active=True))[:SELLERS])
        _sellers[shop_id] = (time.monotonic(), ids)
    return ids


def _estimated(rows: QuerySet[Product]) -> int:
    """How many rows PostgreSQL's planner expects."""
    plan = json.loads(rows.values_list("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


@dataclass
class _Size:
    read_at: float = -math.inf
    rows: int = 0


_sizes: dict[str, _Size] = {}


def catalogue_size() -> int:
    """About how many products there are, all shops together, as PostgreSQL last counted; read once a minute."""
    size = _sizes.setdefault(str(connection.settings_dict["NAME"]), _Size())
    if time.monotonic() - size.read_at > ESTIMATE_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'catalog_product'::regclass")
            size.rows, size.read_at = int(cursor.fetchone()[0]), time.monotonic()
    return size.rows


@contextmanager
def _planner(**settings: str) -> Iterator[None]:
    """The session with other planner settings (a double underscore is a dot), and with its own again afterwards."""
    names = [name.replace("__", ".") for name in settings]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT " + ", ".join(["set_config(%s, %s, false)"] * len(names)),
            [part for pair in zip(names, settings.values(), strict=True) for part in pair],
        )
        try:
            yield
        finally:
            with suppress(InternalError):  # a failed transaction takes its settings back itself
                cursor.execute("; ".join(f"RESET {name}" for name in names))
