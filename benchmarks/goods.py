"""A made-up shop of any size, written straight into the tables by COPY: what ``benchmarks/search.py`` searches.

Kinds of things, colours and qualities are the thesaurus's (so that they have Chinese names), brands and rare words are
made of syllables. How often a word, a kind or a brand occurs follows Zipf's law. The vectors are not the encoder's of
every product, which would take hours for a million: the encoder reads ``SEEDS`` real passages of each kind, and a product's
vector is a mixture of two of its kind's with noise, unit length.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from botcore.dialogue.thesaurus import thesaurus
from catalog.text import ProductText, digest, document, passage, segment

if TYPE_CHECKING:
    from botcore.dialogue.ports import Encoder
    from catalog.models import Shop

SEEDS = 4
NOISE = 0.55
"""Length of the noise added to a mixture: neighbours of one kind then have cosines as the encoder gives them."""
KINDS_A_DEPARTMENT = 22
PRODUCTS_A_KIND = 12
"""A shop of a thousand products has fewer kinds than one of a million."""
SOLD_OUT = 0.15
CHUNK = 10_000
DIMENSIONS = 384
SIZES = ("xs", "s", "m", "l", "xl")
SYLLABLES = (
    "ba be bo da do fe fi ga go ka ke ko la le lo ma me mi na no pa pe ra re ro sa se so ta te to va vo za".split()
)

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Good:
    """One product as the tables hold it. ``variants``: size, price in cents, stock."""

    number: int
    kind: int
    title: str
    description: str
    brand: str
    attributes: dict[str, list[str]]
    variants: tuple[tuple[str, int, int], ...]


@dataclass
class Assortment:
    """The words of a shop of ``size`` products, and its products one after another. The same seed gives the same shop."""

    size: int
    seed: int = 0
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    @cached_property
    def things(self) -> list[str]:
        """The kinds, in the thesaurus's order, which keeps relatives together."""
        things = [t for t in thesaurus().same if t in thesaurus().things]
        count = min(len(things), max(8, self.size // PRODUCTS_A_KIND))
        return things[:: max(1, len(things) // count)][:count]

    @cached_property
    def departments(self) -> list[str]:
        return [f"{self.things[i]} department" for i in range(0, len(self.things), KINDS_A_DEPARTMENT)]

    @cached_property
    def colours(self) -> list[str]:
        return [word for word in thesaurus().same if thesaurus().is_colour(word)][:40]

    @cached_property
    def qualities(self) -> list[str]:
        words = thesaurus()
        return [w for w in words.same if w not in words.things and not words.is_colour(w) and w.isascii()]

    @cached_property
    def brands(self) -> list[str]:
        return [self._name(2) for _ in range(max(10, int(self.size**0.6)))]

    @cached_property
    def rare_words(self) -> list[str]:
        return [self._name(3) for _ in range(max(200, int(30 * self.size**0.5)))]

    @cached_property
    def price_levels(self) -> npt.NDArray[np.float64]:
        return self.rng.normal(3.6, 0.8, len(self.things))

    def department(self, kind: int) -> int:
        return kind // KINDS_A_DEPARTMENT

    def goods(self) -> Iterator[Good]:
        """Every product, made chunk by chunk."""
        # the cached words draw from the same generator: they come first, whatever is asked later
        _ = self.brands, self.rare_words, self.price_levels
        for start in range(0, self.size, CHUNK):
            yield from self._chunk(start, min(CHUNK, self.size - start))

    def _chunk(self, start: int, count: int) -> Iterator[Good]:
        rng = self.rng
        kinds = _zipf(rng, len(self.things), count, 0.7)
        brands = _zipf(rng, len(self.brands), count, 0.9)
        colours = _zipf(rng, len(self.colours), count, 0.8)
        qualities = _zipf(rng, len(self.qualities), (count, 8), 0.8)
        rare = _zipf(rng, len(self.rare_words), (count, 10), 1.0)
        materials = _zipf(rng, 40, count, 0.8)
        prices = np.exp(self.price_levels[kinds] + rng.normal(0, 0.5, count))
        for i in range(count):
            said = [self.qualities[q] for q in qualities[i]]
            made_of = self.qualities[materials[i]]
            colour, brand, thing = self.colours[colours[i]], self.brands[brands[i]], self.things[kinds[i]]
            words = [self.rare_words[r] for r in rare[i]]
            attributes = {
                "color": [colour],
                "material": [made_of],
                "feature": list(dict.fromkeys(said[:2])),
                "brand": [brand],
            }
            sizes = rng.permutation(len(SIZES))[: 1 + int(rng.integers(4))]
            stocks = np.where(rng.random(len(sizes)) < SOLD_OUT, 0, rng.integers(1, 60, len(sizes)))
            attributes["size"] = [SIZES[s] for s in sizes]
            yield Good(
                number=start + i,
                kind=int(kinds[i]),
                title=f"{brand.title()} {words[0].title()} {said[0].title()} {made_of.title()} {thing.title()}",
                description=f"A {said[1]} {thing} in {colour}, {said[2]} and {said[3]}, {words[1]} {words[2]}. "
                f"Made for {words[3]} {said[4]} {words[4]} by {brand}; {said[5]}, {' '.join(words[5:])}.",
                brand=brand,
                attributes=attributes,
                variants=tuple(
                    (SIZES[s], int(prices[i] * 100 * (1 + 0.03 * n)), int(stock))
                    for n, (s, stock) in enumerate(zip(sizes, stocks, strict=True))
                ),
            )

    def text_of(self, good: Good) -> ProductText:
        thing = self.things[good.kind]
        return ProductText(
            title=good.title,
            description=good.description,
            brand=good.brand,
            categories=(self.departments[self.department(good.kind)], thing),
            attributes=good.attributes,
        )

    def _name(self, syllables: int) -> str:
        return "".join(self.rng.choice(SYLLABLES, syllables + int(self.rng.integers(2))))


def _zipf(rng: np.random.Generator, count: int, size: Any, exponent: float) -> npt.NDArray[np.int64]:
    """Draws of 0 .. count-1 whose frequency falls with the rank's power."""
    share = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return np.searchsorted(np.cumsum(share / share.sum()), rng.random(size)).clip(0, count - 1)


def seed_vectors(assortment: Assortment, encoder: Encoder) -> dict[str, Floats]:
    """For each kind of thing ``(SEEDS, dimensions)``: the encoder's vectors of real passages. Good for smaller shops too."""
    sample = Assortment(assortment.size, assortment.seed + 1)
    texts = [
        passage(sample.text_of(_as(good, kind, sample)))
        for kind in range(len(sample.things))
        for good in sample._chunk(0, SEEDS)
    ]
    vectors = encoder.encode(texts).reshape(len(sample.things), SEEDS, -1)
    return dict(zip(sample.things, vectors, strict=True))


def _as(good: Good, kind: int, assortment: Assortment) -> Good:
    """The same product as another kind of thing."""
    old, new = assortment.things[good.kind], assortment.things[kind]
    return Good(
        good.number,
        kind,
        good.title.replace(old.title(), new.title()),
        good.description.replace(old, new),
        good.brand,
        good.attributes,
        good.variants,
    )


def store(shop: Shop, assortment: Assortment, seeds_of: Mapping[str, Floats]) -> None:
    """Fill the tables: categories, attribute values with Chinese names, products, variants, and the counts."""
    from django.db import connection

    from catalog.ingest.vocabulary import recount
    from catalog.models import AttributeValue, Category

    seeds = np.stack([seeds_of[thing] for thing in assortment.things])
    parents = Category.objects.bulk_create(
        Category(shop=shop, path=f"d{i}", name=name.capitalize()) for i, name in enumerate(assortment.departments)
    )
    kinds = Category.objects.bulk_create(
        Category(
            shop=shop,
            parent=parents[assortment.department(i)],
            path=f"d{assortment.department(i)}/k{i}",
            name=thing,
            translations={"zh": {"name": thesaurus().chinese_name(thing)}},
        )
        for i, thing in enumerate(assortment.things)
    )
    AttributeValue.objects.bulk_create(
        AttributeValue(shop=shop, attribute="color", value=colour, names={"zh": [thesaurus().chinese_name(colour)]})
        for colour in assortment.colours
    )
    category_ids = [category.pk for category in kinds]
    other_names = [segment(f"{thesaurus().chinese_name(thing)}", overlapping=True) for thing in assortment.things]
    colour_names = {c: segment(thesaurus().chinese_name(c), overlapping=True) for c in assortment.colours}
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM catalog_product")
        first = cursor.fetchone()[0] + 1
    rng = np.random.default_rng(assortment.seed + 2)
    chunk: list[Good] = []
    for good in assortment.goods():
        chunk.append(good)
        if len(chunk) == CHUNK:
            _copy(shop.pk, first, chunk, assortment, seeds, rng, category_ids, other_names, colour_names)
            chunk = []
    if chunk:
        _copy(shop.pk, first, chunk, assortment, seeds, rng, category_ids, other_names, colour_names)
    with connection.cursor() as cursor:
        for table in ("catalog_product", "catalog_variant"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
    recount(shop)


def vectors_of(goods: Sequence[Good], seeds: Floats, rng: np.random.Generator) -> Floats:
    """Shape ``(len(goods), dimensions)``, unit length: mixtures of two passages of the same kind, with noise."""
    kinds = np.array([good.kind for good in goods])
    one, other = rng.integers(0, SEEDS, (2, len(goods)))
    share = rng.random((len(goods), 1)).astype(np.float32)
    mixed = share * seeds[kinds, one] + (1 - share) * seeds[kinds, other]
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    mixed += rng.normal(0, NOISE / DIMENSIONS**0.5, mixed.shape).astype(np.float32)
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32)


PRODUCT_COLUMNS = (
    "id shop_id category_id sku title description brand attributes translations image url rating rating_count"
    " popularity active document embedding text_digest embedded_digest updated_at"
).split()


def _copy(
    shop_id: int,
    first: int,
    goods: Sequence[Good],
    assortment: Assortment,
    seeds: Floats,
    rng: np.random.Generator,
    category_ids: Sequence[int],
    other_names: Sequence[str],
    colour_names: dict[str, str],
) -> None:
    """COPY in PostgreSQL's binary format: a million vectors as text would be four gigabytes."""
    from io import BytesIO, StringIO

    from django.db import connection

    vectors = vectors_of(goods, seeds, rng).astype(">f4")
    popular, stars = rng.pareto(1.2, len(goods)), rng.normal(4.1, 0.5, len(goods)).clip(1, 5)
    binary, text = BytesIO(), StringIO()
    binary.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
    for i, good in enumerate(goods):
        said = assortment.text_of(good)
        words = f"{document(said)} {other_names[good.kind]} {colour_names[good.attributes['color'][0]]}"
        told = digest(good.title).encode()
        fields = (
            struct.pack(">q", first + good.number),
            struct.pack(">q", shop_id),
            struct.pack(">q", category_ids[good.kind]),
            f"S{good.number}".encode(),
            good.title.encode(),
            good.description.encode(),
            good.brand.encode(),
            b"\x01" + json.dumps(good.attributes).encode(),
            b"\x01{}",
            b"",
            b"",
            struct.pack(">d", stars[i]),
            struct.pack(">i", int(popular[i] * 5)),
            struct.pack(">d", popular[i]),
            b"\x01",
            words.encode(),
            struct.pack(">hh", DIMENSIONS, 0) + vectors[i].tobytes(),
            told,
            told,
            struct.pack(">q", 0),
        )
        binary.write(struct.pack(">h", len(fields)))
        for value in fields:
            binary.write(struct.pack(">i", len(value)) + value)
        for number, (size, cents, stock) in enumerate(good.variants):
            attributes = json.dumps({"size": [size]})
            text.write(f"{first + good.number}\tS{good.number}-{number}\t{attributes}\t{cents / 100:.2f}\t{stock}\t\n")
    binary.write(struct.pack(">h", -1))
    binary.seek(0)
    text.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY catalog_product ({', '.join(PRODUCT_COLUMNS)}) FROM STDIN (FORMAT binary)", binary)
        cursor.copy_expert("COPY catalog_variant (product_id, sku, attributes, price, stock, image) FROM STDIN", text)
