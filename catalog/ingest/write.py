"""Stores records: set by set, a transaction per batch, touching no row that already says the same.

What a record leaves empty (description, brand, image, link, rating, translations) stays as stored; its price, stock,
category, attributes and list of variants replace what was there. Products that no record names are left alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import astuple, dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Protocol, TypeVar

from django.db import transaction
from django.utils.text import slugify

from catalog import text
from catalog.ingest.records import ArticleRecord, ProductRecord, RowError, VariantRecord
from catalog.ingest.signals import texts_changed
from catalog.ingest.vocabulary import (
    UNCATEGORISED,
    Vocabulary,
    category_path,
    grow_categories,
    learn_names,
    recount,
    shift_counts,
)
from catalog.models import Category, KnowledgeArticle, Product, Shop, Variant

BATCH_SIZE = 500
READ_AT_ONCE = 10_000
"""A shop with fewer products is counted anew after any import; a larger one after an import of several batches."""
MAX_DESCRIPTION = 100_000
MAX_STOCK = 2_147_483_647
MAX_PRICE = Decimal("9999999999.99")

_SAID = ["title", "description", "brand", "attributes", "translations", "image", "url", "rating", "rating_count"]
_STORED = ["category_id", *_SAID, "document", "text_digest"]
_UPDATED = ["category", *_SAID, "document", "text_digest", "updated_at"]
_VARIANT_STORED = ["attributes", "price", "stock", "image"]
_ARTICLE_STORED = ["title", "body", "document", "text_digest"]

Progress = Callable[[int], None]
Record = TypeVar("Record", ProductRecord, ArticleRecord)
Row = TypeVar("Row", Product, KnowledgeArticle)


class Watcher(Protocol):
    """Stands around every write of an import, in its transaction: ``catalog.journal`` keeps what was there before."""

    def words(self) -> AbstractContextManager[None]: ...
    def products(self, skus: Sequence[str]) -> AbstractContextManager[None]: ...


class Unwatched:
    """Keeps nothing."""

    def words(self) -> AbstractContextManager[None]:
        return nullcontext()

    def products(self, skus: Sequence[str]) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass
class ImportReport:
    """What became of the products (or articles) that went in, in their order, and which rows did not go in.

    ``withdrawn`` counts variants that their product's rows no longer name.
    """

    outcomes: list[str] = field(default_factory=list)
    withdrawn: int = 0
    errors: list[RowError] = field(default_factory=list)

    def note(self, new: bool, changed: bool) -> None:
        self.outcomes.append("created" if new else "updated" if changed else "unchanged")

    @property
    def created(self) -> int:
        return self.outcomes.count("created")

    @property
    def updated(self) -> int:
        return self.outcomes.count("updated")

    @property
    def unchanged(self) -> int:
        return self.outcomes.count("unchanged")

    @property
    def stored(self) -> int:
        return len(self.outcomes)


def upsert_products(
    shop: Shop,
    records: Iterable[ProductRecord],
    progress: Progress | None = None,
    batch_size: int = BATCH_SIZE,
    watcher: Watcher | None = None,
) -> ImportReport:
    """Creates or updates ``shop``'s products by SKU. ``progress`` is told how many records each batch finished.

    ``Product.attributes`` gets the union of the product's, its variants' and its brand (as attribute ``brand``), so
    that one containment query filters on all of them. Sends ``texts_changed`` on commit.
    """
    report = ImportReport()
    watcher = watcher or Unwatched()
    sound = sound_products(records, report)
    with alone(shop), watcher.words():
        categories = grow_categories(shop, dict.fromkeys(record.category or UNCATEGORISED for record in sound))
        renamed = learn_names(shop, sound)
    vocabulary = Vocabulary.of(shop)
    anew = len(sound) > batch_size or Product.objects.filter(shop=shop)[:READ_AT_ONCE].count() < READ_AT_ONCE
    for start in range(0, len(sound), batch_size):
        batch = sound[start : start + batch_size]
        with alone(shop), watcher.products([record.sku for record in batch]):
            gained = _store_batch(shop, batch, categories, vocabulary, report)
            if not anew:
                shift_counts(shop, gained)
        if progress:
            progress(len(batch))
    if anew:
        with alone(shop):
            recount(shop)
    if renamed:
        refresh_texts(shop)
    return report


def foresee_products(shop: Shop, records: Iterable[ProductRecord], progress: Progress | None = None) -> ImportReport:
    """What :func:`upsert_products` would report, with nothing written or locked."""
    report = ImportReport()
    sound = sound_products(records, report)
    for start in range(0, len(sound), BATCH_SIZE):
        batch = sound[start : start + BATCH_SIZE]
        for found in compare(shop, batch, foreseen_categories(shop, batch)):
            report.note(found.before is None, found.differs)
            report.withdrawn += len(found.withdrawn)
        if progress:
            progress(len(batch))
    return report


def sound_products(records: Iterable[ProductRecord], report: ImportReport) -> list[ProductRecord]:
    """The records that the database will take; why not, of the others, goes into ``report``."""
    return list(_sound(records, report, _product_problem, key=lambda record: (record.sku,)))


def foreseen_categories(shop: Shop, batch: Iterable[ProductRecord]) -> dict[str, Category]:
    """The shop's categories by path, and beside them, not stored, those that the records would make."""
    known = {category.path: category for category in Category.objects.filter(shop=shop)}
    for record in batch:
        chain = record.category or UNCATEGORISED
        known.setdefault(category_path(chain), Category(shop=shop, path=category_path(chain), name=chain[-1]))
    return known


def upsert_articles(shop: Shop, records: Iterable[ArticleRecord]) -> ImportReport:
    """Creates or updates ``shop``'s articles by slug and language, in one transaction. Sends ``texts_changed``."""
    report = ImportReport()
    sound = list(_sound(records, report, _article_problem, key=lambda record: (record.slug, record.language)))
    with alone(shop):
        known = {(row.slug, row.language): row for row in KnowledgeArticle.objects.filter(shop=shop).defer("embedding")}
        changed = []
        for record in sound:
            article = KnowledgeArticle(
                shop=shop, slug=record.slug, language=record.language, title=record.title, body=record.body
            )
            describe_article(article)
            before = known.get((record.slug, record.language))
            if differs := _differs(before, article, _ARTICLE_STORED):
                changed.append(article)
            report.note(before is None, differs)
        KnowledgeArticle.objects.bulk_create(
            changed,
            batch_size=BATCH_SIZE,
            update_conflicts=True,
            unique_fields=["shop", "slug", "language"],
            update_fields=[*_ARTICLE_STORED, "updated_at"],
        )
        if changed:
            announce(shop)
    return report


def refresh_texts(shop: Shop) -> int:
    """Writes ``document`` and ``text_digest`` anew where they no longer say what the rows say; how many rows changed.

    To be called after names, aliases, categories, products or articles were edited by hand.
    """
    with alone(shop):
        vocabulary = Vocabulary.of(shop)
        products = Product.objects.filter(shop=shop).defer("embedding", "search_vector")
        articles = KnowledgeArticle.objects.filter(shop=shop).defer("embedding", "search_vector")
        changed = _refresh(Product, products.iterator(1000), partial(describe, vocabulary=vocabulary))
        changed += _refresh(KnowledgeArticle, articles.iterator(1000), describe_article)
        if changed:
            announce(shop)
    return changed


def _refresh(model: type[Row], rows: Iterable[Row], describe: Callable[[Row], None]) -> int:
    stale = []
    for row in rows:
        before = (row.document, row.text_digest)
        describe(row)
        if before != (row.document, row.text_digest):
            stale.append(row)
    model.objects.bulk_update(stale, ["document", "text_digest"], batch_size=BATCH_SIZE)
    return len(stale)


def count_again(shop: Shop, gained: Mapping[tuple[str, str], int]) -> None:
    """Brings the counts of attribute values up to date after a few products gained or lost some."""
    if Product.objects.filter(shop=shop)[:READ_AT_ONCE].count() < READ_AT_ONCE:
        recount(shop)
    else:
        shift_counts(shop, gained)


@contextmanager
def alone(shop: Shop) -> Iterator[None]:
    """A transaction in which no other import writes to this shop. Readers and referencing inserts are not held up."""
    with transaction.atomic():
        Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)
        yield


def announce(shop: Shop) -> None:
    """Sends ``texts_changed`` after the commit."""
    transaction.on_commit(partial(texts_changed.send_robust, sender=Shop, shop_id=shop.pk))


@dataclass(frozen=True)
class Comparison:
    """A record beside what is stored: the product as it would be, the variants that differ, those that would go."""

    before: Product | None
    product: Product
    variants: Sequence[Variant]
    withdrawn: Sequence[Variant]

    @property
    def differs(self) -> bool:
        """Whether anything would change but the texts that are made from other rows."""
        return bool(self.variants or self.withdrawn or _differs(self.before, self.product, ["category_id", *_SAID]))


def compare(shop: Shop, batch: Sequence[ProductRecord], categories: Mapping[str, Category]) -> Iterator[Comparison]:
    """Each record of a batch beside what is stored."""
    stored = Product.objects.filter(shop=shop, sku__in=[record.sku for record in batch])
    known = {row.sku: row for row in stored.defer("embedding", "search_vector")}
    variants: dict[int, dict[str, Variant]] = {row.pk: {} for row in known.values()}
    for variant in Variant.objects.filter(product__in=variants):
        variants[variant.product_id][variant.sku] = variant
    for record in batch:
        before = known.get(record.sku)
        product = _product(shop, record, categories[category_path(record.category or UNCATEGORISED)], before)
        on_sale = variants[before.pk] if before else {}
        offered = [_variant(product if before is None else before, said) for said in record.variants]
        yield Comparison(
            before,
            product,
            [row for row in offered if _differs(on_sale.get(row.sku), row, _VARIANT_STORED)],
            [row for sku, row in on_sale.items() if sku not in {said.sku for said in record.variants}],
        )


def _store_batch(
    shop: Shop,
    batch: Sequence[ProductRecord],
    categories: Mapping[str, Category],
    vocabulary: Vocabulary,
    report: ImportReport,
) -> Mapping[tuple[str, str], int]:
    """Stores a batch; how many active products each attribute value gained or lost by it."""
    changed: list[Product] = []
    changed_variants: list[Variant] = []
    gone: list[int] = []
    texts_differ = False
    gained: Counter[tuple[str, str]] = Counter()
    for found in compare(shop, batch, categories):
        before, product = found.before, found.product
        describe(product, vocabulary)
        if differs := _differs(before, product, _STORED):
            changed.append(product)
            if before is None or before.active:
                gained.update(pairs(product))
                gained.subtract(pairs(before) if before else ())
            texts_differ |= before is None or before.text_digest != product.text_digest
        changed_variants += found.variants
        gone += [row.pk for row in found.withdrawn]
        report.withdrawn += len(found.withdrawn)
        report.note(before is None, bool(differs or found.variants or found.withdrawn))

    Product.objects.bulk_create(changed, update_conflicts=True, unique_fields=["shop", "sku"], update_fields=_UPDATED)
    Variant.objects.filter(pk__in=gone).delete()
    Variant.objects.bulk_create(
        changed_variants, update_conflicts=True, unique_fields=["product", "sku"], update_fields=_VARIANT_STORED
    )
    if texts_differ:
        announce(shop)
    return gained


def pairs(row: Product | Variant) -> Iterator[tuple[str, str]]:
    """The attributes and values that a product counts for, or a variant has."""
    return ((attribute, value) for attribute, values in row.attributes.items() for value in values)


def _product(shop: Shop, record: ProductRecord, category: Category, before: Product | None) -> Product:
    """The row ``record`` asks for. Where the record says nothing, what is stored still holds."""
    stored = before or Product()
    return Product(
        shop=shop,
        sku=record.sku,
        title=record.title,
        category=category,
        description=record.description or stored.description,
        brand=record.brand or stored.brand,
        attributes=_all_attributes(record, record.brand or stored.brand),
        translations=stored.translations | {language: dict(texts) for language, texts in record.translations.items()},
        image=record.image or stored.image,
        url=record.url or stored.url,
        rating=stored.rating if record.rating is None else record.rating,
        rating_count=record.rating_count or stored.rating_count,
    )


def _all_attributes(record: ProductRecord, brand: str) -> dict[str, list[str]]:
    said = [record.attributes, *(variant.attributes for variant in record.variants)]
    if brand:
        said.append({"brand": [brand.lower()]})
    union: dict[str, dict[str, None]] = {}
    for attributes in said:
        for attribute, values in attributes.items():
            union.setdefault(attribute, {}).update(dict.fromkeys(values))
    return {attribute: list(values) for attribute, values in union.items() if values}


def _variant(product: Product, said: VariantRecord) -> Variant:
    attributes = {attribute: list(values) for attribute, values in said.attributes.items()}
    return Variant(
        product=product, sku=said.sku, attributes=attributes, price=said.price, stock=said.stock, image=said.image
    )


def _differs(before: Any, after: Any, fields: Iterable[str]) -> bool:
    return before is None or any(getattr(before, name) != getattr(after, name) for name in fields)


def describe(product: Product, vocabulary: Vocabulary) -> None:
    """Makes the texts for search and for the encoder say what the product says; to be stored by the caller."""
    said = vocabulary.text_of(product)
    product.document = text.document(said)
    product.text_digest = text.digest(text.passage(said))


def describe_article(article: KnowledgeArticle) -> None:
    """As :func:`describe`."""
    article.document = text.article_document(article.title, article.body)
    article.text_digest = text.digest(text.article_passage(article.title, article.body))


def _sound(
    records: Iterable[Record],
    report: ImportReport,
    problem: Callable[[Record], str | None],
    key: Callable[[Record], tuple[str, ...]],
) -> Iterator[Record]:
    """Records the database will take; the others are reported."""
    lines: dict[tuple[str, ...], int] = {}
    for record in records:
        if key(record) in lines:
            reason: str | None = f"{' '.join(key(record))} is on line {lines[key(record)]} already: keep one of them"
        else:
            reason = _unstorable(record) or problem(record)
        if reason:
            report.errors.append(RowError(record.line, reason))
        else:
            lines[key(record)] = record.line
            yield record


def _product_problem(record: ProductRecord) -> str | None:
    """Why the database would refuse ``record``, or None."""
    if not record.variants:
        return "nothing to sell: give at least one variant with a price"
    if len({variant.sku for variant in record.variants}) < len(record.variants):
        return "two variants share a SKU: give each its own"
    if any(not category_path([name]) for name in record.category):
        return f"category {' > '.join(record.category)!r} has a part without letters or digits: name it"
    attributes = [record.attributes, *(variant.attributes for variant in record.variants)]
    lengths = [
        ("sku", record.sku, 80),
        ("title", record.title, 300),
        ("description", record.description, MAX_DESCRIPTION),
        ("brand", record.brand, 120),
        ("image", record.image, 300),
        ("url", record.url, 500),
        ("category", category_path(record.category), 255),
        *(("category", name, 120) for name in record.category),
        *(("variant sku", variant.sku, 80) for variant in record.variants),
        *(("variant image", variant.image, 300) for variant in record.variants),
        *(("attribute name", name, 60) for said in attributes for name in said),
        *(("name of a value", value, 120) for _, value in record.names),
    ]
    if not record.sku or not record.title or not all(variant.sku for variant in record.variants):
        return "no SKU or no title: fill it in"
    for variant in record.variants:
        if not 0 <= variant.price <= MAX_PRICE:
            return f"price {variant.price} is not between 0 and {MAX_PRICE}"
        if not 0 <= variant.stock <= MAX_STOCK:
            return f"stock {variant.stock} is not between 0 and {MAX_STOCK}"
    if not 0 <= record.rating_count <= MAX_STOCK:
        return f"rating count {record.rating_count} is not between 0 and {MAX_STOCK}"
    return _too_long(lengths)


def _article_problem(record: ArticleRecord) -> str | None:
    if not record.title or not record.body:
        return "an article needs a title and a body: fill in both"
    if record.slug != slugify(record.slug) or not record.slug:
        return f"slug {record.slug!r} may hold small letters a to z, digits and hyphens only"
    return _too_long(
        [
            ("slug", record.slug, 120),
            ("language", record.language, 8),
            ("title", record.title, 200),
            ("body", record.body, MAX_DESCRIPTION),
        ]
    )


def _too_long(lengths: Iterable[tuple[str, str, int]]) -> str | None:
    for name, value, most in lengths:
        if len(value) > most:
            return f"{name} {value[:30] + '…'!r} has {len(value)} characters: at most {most} fit"
    return None


def _unstorable(record: ProductRecord | ArticleRecord) -> str | None:
    """PostgreSQL keeps neither NUL nor half of a surrogate pair in a text."""
    if re.search("[\0\ud800-\udfff]", "".join(_strings(astuple(record)))):
        return "a text holds a NUL or a broken character: write it again"
    return None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _strings(tuple(value.items()))
    elif isinstance(value, Sequence):
        for item in value:
            yield from _strings(item)
