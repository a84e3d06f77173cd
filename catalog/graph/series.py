"""Products of one series, read from attributes and titles: "Kestrel Rain Jacket" and "Kestrel Chinos" of one brand. Pure."""

from __future__ import annotations

import string
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ATTRIBUTES = ("series", "collection", "product line")
LARGEST = 12
"""Products of a series; what more share is a habit of naming, not a series."""
LEADS = 0.9
"""A series' name stands first in this share of the titles that have it at all; ordinary words stand anywhere."""
SHORTEST = 3
"""Letters of a name; Chinese names have two characters."""


@dataclass(frozen=True)
class Named:
    """What tells a product's series. ``attributes`` as in ``Product``; ``category`` is its path."""

    pk: int
    title: str
    brand: str
    category: str
    attributes: Mapping[str, Sequence[str]]


def series_of(products: Sequence[Named], ordinary: frozenset[str] = frozenset()) -> list[tuple[int, ...]]:
    """Groups of product ids, each of one series, in order.

    An attribute says it where the shop has one. Else a series is two to ``LARGEST`` products of one brand and department
    whose titles, after the brand, begin with the same word: one that begins nearly every title it is in, and that is not
    among the ``ordinary`` words (of categories, attribute values, grammar).
    """
    words = {product.pk: _words(product) for product in products}
    anywhere = Counter(word for listed in words.values() for word in set(listed))
    first = Counter(listed[0] for listed in words.values() if listed)
    groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for product in products:
        listed = words[product.pk]
        if told := next((product.attributes[name] for name in ATTRIBUTES if product.attributes.get(name)), None):
            groups["attribute", product.brand, told[0]].append(product.pk)
        elif (
            product.brand
            and listed
            and _is_name(listed[0], ordinary)
            and first[listed[0]] >= LEADS * anywhere[listed[0]]
        ):
            groups["title", product.brand, product.category.split("/")[0], listed[0]].append(product.pk)
    return sorted(tuple(sorted(found)) for found in groups.values() if 2 <= len(found) <= LARGEST)


def words_of(text: str) -> list[str]:
    """Words between spaces, in lower case: a series' name stands by itself in Chinese titles too ("红隼 防雨夹克")."""
    return [word for part in text.casefold().split() if (word := part.strip(string.punctuation))]


def _words(product: Named) -> list[str]:
    """The title's words without a leading brand."""
    title, brand = words_of(product.title), words_of(product.brand)
    return title[len(brand) :] if brand and title[: len(brand)] == brand else title


def _is_name(word: str, ordinary: frozenset[str]) -> bool:
    long_enough = len(word) >= (SHORTEST if word.isascii() else 2)
    return long_enough and word[0].isalpha() and word not in ordinary
