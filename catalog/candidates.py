"""Which products are worth scoring: the nearest by meaning, by words, by popularity or price, under hard conditions.

``search.py`` states the conditions as a queryset; here it is decided how to reach the best of them without reading the
catalogue. Few matches are compared one by one, which is exact; many are read in an index's own order until enough of
them hold the conditions. The border lies where both cost the same: with n of N products matching, comparing costs n and
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
from django.db.models import Case, Exists, F, FloatField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.expressions import RawSQL
from pgvector import HalfVector
from pgvector.django import CosineDistance

from catalog.models import HALF_EMBEDDING, Product, Variant

BRANCH = 60
"""How many candidates each branch brings; a slate holds three."""
INDEXED, ENOUGH = 24, 10
"""As many of the nearest where an index is read for them, which costs more the more are wanted; so few will do."""
BORDER = 3.0
"""Matches are read one by one where they are fewer than this times the square root of the catalogue, or than ``READ``."""
READ = 2000
SAMPLE, PLENTY = 400, 5
"""So many matches tell at which price about ``PLENTY`` times as many lie beyond as are wanted."""
RANKED = 250
"""Of so many products that hold the words, the best are taken; if more hold them, those that hold most of the words."""
JOINED = 6
"""So many of the words, the rarest, are looked for together in a large catalogue."""
ESTIMATE_SECONDS = 60.0
SELLERS, SELLERS_SECONDS = 2000, 600.0

IN_INDEX_ORDER = {"enable_seqscan": "off", "enable_bitmapscan": "off", "enable_sort": "off"}
ON_AND_ON = {"hnsw__iterative_scan": "relaxed_order", "hnsw__ef_search": "100", "hnsw__max_scan_tuples": "8000"}
"""The vector index goes on reading until enough rows pass the conditions, or so many were read (pgvector 0.8)."""

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Matches:
    """The products that hold the conditions, unread, and about how many they are by the planner's estimate."""

    rows: QuerySet[Product]
    expected: int

    @property
    def few(self) -> bool:
        """Whether they are better read one by one."""
        return self.expected <= most_read()


def matches_of(rows: QuerySet[Product]) -> Matches:
    """The matches of a queryset of conditions."""
    size = catalogue_size()
    return Matches(rows, size if size <= most_read() else _estimated(rows))


def most_read() -> int:
    return max(READ, int(BORDER * math.sqrt(catalogue_size())))


def number_of(rows: QuerySet[Product], at_most: int) -> int:
    """How many rows there are, up to a bound. All indexes together, because none may be there: a scan would read everything."""
    with _planner(enable_seqscan="off", enable_indexscan="off"):
        return len(rows.values_list("pk", flat=True)[:at_most])


def compared(matches: Matches, vector: Vector | None, words: Sequence[str], count: int) -> list[int] | None:
    """The ids of the nearest of few matches, nearest first, then of the best by words, and the most popular up to ``count``.

    Exact, and each match is read once. All ids where they are hardly more than both branches bring; None where the matches
    are many, or turn out to be.
    """
    if not matches.few:
        return None
    unknown = Value(None, FloatField())
    distance = unknown if vector is None else CosineDistance("embedding", vector)
    rank = Case(When(search_vector=any_word(words), then=_rank(words))) if words else unknown
    rows = list(matches.rows.values_list("pk", distance, rank, "popularity")[: most_read() + 1])
    if len(rows) > most_read():
        return None
    near = [pk for _, pk in sorted((far, pk) for pk, far, _, _ in rows if far is not None)]
    said = [pk for _, pk in sorted((-rank, pk) for pk, _, rank, _ in rows if rank is not None)]
    liked = [pk for _, pk in sorted((-popularity, pk) for pk, _, _, popularity in rows)]
    if len(rows) <= 2 * BRANCH:
        return list(dict.fromkeys([*near, *liked]))
    found = dict.fromkeys([*near[:BRANCH], *said[:BRANCH]])
    return list(found if len(found) >= count else found | dict.fromkeys(liked[:count]))


def nearest(matches: Matches, vector: Vector, count: int = BRANCH) -> list[int]:
    """The ids of many matches that are nearest to a unit vector, nearest first, as far as the index tells."""
    wanted = min(count, INDEXED)
    with _planner(**IN_INDEX_ORDER, **ON_AND_ON):
        found = list(_by_distance(matches.rows, vector)[:wanted])
    if len(found) >= min(wanted, ENOUGH):
        return found
    rarer = Matches(matches.rows, most_read())  # than was thought: the index gave up before
    return compared(rarer, vector, (), 0) or found


def worded(matches: Matches, words: Sequence[str], count: int = BRANCH) -> list[int]:
    """The ids of the matches whose texts hold most of the words, by PostgreSQL's rank, best first."""
    joined = _rarest(words, JOINED)
    found: dict[int, None] = {}
    for together in range(len(joined), 0, -1):
        found |= dict.fromkeys(_ranked(matches.rows, _holding(joined, together), words, count))
        if len(found) >= count:
            break
    return list(found)[:count]


def popular(matches: Matches, shop_id: int, count: int) -> list[int]:
    """The ids of those of many matches that are most asked for: those among the shop's most popular products, if enough."""
    found = list(_by_popularity(matches.rows.filter(pk__in=_array(_best_sellers(shop_id))))[:count])
    if len(found) < count:
        some = matches.rows.values_list("pk", flat=True)[:RANKED]
        found += [pk for pk in _by_popularity(Product.objects.filter(pk__in=list(some))) if pk not in found]
    return found[:count]


def by_price(matches: Matches, variants: QuerySet[Variant], descending: bool, count: int) -> list[int]:
    """The ids of the matches by the price of their cheapest fitting variant.

    Of many matches those beyond a price are sorted, which a few of them tell: so many that it is likely enough.
    """
    own = variants.filter(product=OuterRef("pk")).order_by("price")
    rows = matches.rows.annotate(price=Subquery(own.values("price")[:1]))
    ordered = rows.order_by("-price" if descending else "price", "pk").values_list("pk", flat=True)
    some = [] if matches.few else sorted(rows.values_list("price", flat=True)[:SAMPLE], reverse=descending)
    if some:
        border = some[min(len(some) - 1, PLENTY * count * SAMPLE // matches.expected)]
        beyond = own.filter(price__gte=border) if descending else own.filter(price__lte=border)
        found = list(ordered.filter(Exists(beyond.order_by()))[:count])
        if len(found) == count:
            return found
    return list(ordered[:count])


def any_word(words: Sequence[str]) -> SearchQuery:
    return reduce(or_, (_word(word) for word in words))


def _rank(words: Sequence[str]) -> SearchRank:
    return SearchRank(F("search_vector"), any_word(words))


def _word(word: str) -> SearchQuery:
    return SearchQuery(word, search_type="plain", config="english")


def _holding(words: Sequence[str], together: int) -> SearchQuery:
    """Texts that hold at least so many of the words."""
    groups = (reduce(lambda one, other: one & other, map(_word, group)) for group in combinations(words, together))
    return reduce(or_, groups)


def _by_distance(rows: QuerySet[Product], vector: Vector) -> QuerySet[Product, int]:
    embedded = rows.filter(embedding__isnull=False)
    return embedded.order_by(CosineDistance(HALF_EMBEDDING, HalfVector(vector))).values_list("pk", flat=True)


def _ranked(rows: QuerySet[Product], held: SearchQuery, words: Sequence[str], count: int) -> list[int]:
    """The best of the first ``RANKED`` rows that hold a text query. Each row is read once."""
    some = rows.filter(search_vector=held).values_list("pk", _rank(words))[:RANKED]
    return [pk for pk, _ in sorted(some, key=lambda row: (-row[1], row[0]))[:count]]


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


def _array(ids: Sequence[int]) -> RawSQL:
    """Ids as one parameter: Django would look at each of thousands."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])


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
