"""Products and articles edited by hand, a field or a row at a time, each against what the editor had seen.

Whoever saves over something newer gets :class:`StaleError` with it and nothing is written. Raises ``ValueError`` with what
to write instead for what the catalogue does not take.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone

from catalog.ingest.cells import parse_address, parse_count, parse_price, said
from catalog.ingest.records import ProductRecord
from catalog.ingest.vocabulary import Vocabulary
from catalog.ingest.write import (
    MAX_DESCRIPTION,
    MAX_STOCK,
    alone,
    announce,
    count_again,
    describe,
    describe_article,
    pairs,
    upsert_products,
)
from catalog.journal import images
from catalog.models import Category, KnowledgeArticle, Product, Shop, Variant

TITLE, PRICE, STOCK, ACTIVE = FIELDS = ("title", "price", "stock", "active")
"""What is edited in the table of products; price and stock where there is one variant."""
ON, OFF = "on", "off"


class StaleError(Exception):
    """Somebody else has changed it since; ``current`` is what it is now."""

    def __init__(self, current: str) -> None:
        super().__init__(current)
        self.current = current


class OfferError(ValueError):
    """A variant's price or stock is not one; ``problem`` says what to write."""

    def __init__(self, sku: str, problem: str) -> None:
        super().__init__(f"{sku}: {problem}")
        self.sku, self.problem = sku, problem


def value_of(product: Product, name: str) -> str:
    """One of ``FIELDS`` as it is written and compared."""
    if name == TITLE:
        return product.title
    if name == ACTIVE:
        return ON if product.active else OFF
    variant = only_variant(product)
    return str(getattr(variant, name)) if variant else ""


def only_variant(product: Product) -> Variant | None:
    """The variant of a product that has exactly one."""
    variants = list(product.variants.all())
    return variants[0] if len(variants) == 1 else None


def edit(product: Product, name: str, written: str, was: str) -> Product:
    """The product with one of ``FIELDS`` changed from ``was``, stored."""
    with alone(product.shop):
        now = _fresh(product)
        if value_of(now, name) != was:
            raise StaleError(value_of(now, name))
        if name in (PRICE, STOCK):
            _edit_variant(now, name, written)
        elif name == ACTIVE:
            _show(now, written == ON)
        else:
            now.title = _bounded("title", said(written), 300, needed=True)
            store(now)
    return _fresh(product)


def _fresh(product: Product) -> Product:
    rows = Product.objects.defer("embedding", "search_vector").select_related("shop", "category")
    return rows.prefetch_related("variants").get(pk=product.pk)


def _edit_variant(product: Product, name: str, written: str) -> None:
    variant = only_variant(product)
    if variant is None:
        raise ValueError("this product has several variants: change them on its own page")
    setattr(variant, name, read_price(product.shop, written) if name == PRICE else read_stock(written))
    variant.save(update_fields=[name])


def add(shop: Shop, record: ProductRecord) -> Product:
    """A new product, stored as an import would store it."""
    with alone(shop):
        if Product.objects.filter(shop=shop, sku=record.sku).exists():
            raise ValueError(f"there is a product with the SKU {record.sku}: give this one another, or change that one")
        report = upsert_products(shop, [record])
        if report.errors:
            raise ValueError(report.errors[0].reason)
        return Product.objects.get(shop=shop, sku=record.sku)


def _show(product: Product, active: bool) -> None:
    if product.active != active:
        product.active = active
        product.save(update_fields=["active", "updated_at"])
        count_again(product.shop, Counter(dict.fromkeys(pairs(product), 1 if active else -1)))


def read_price(shop: Shop, written: str) -> Decimal:
    """A price as it is written by hand, to the cent."""
    return parse_price(written, shop.currency)


def read_stock(written: str) -> int:
    """A stock as it is written by hand."""
    stock = parse_count("stock", written.strip())
    if stock > MAX_STOCK:
        raise ValueError(f"stock {stock} is not between 0 and {MAX_STOCK}")
    return stock


def read_picture(written: str) -> str:
    """The address of a picture as it is written by hand, or a file's name."""
    return _bounded("image", parse_address("image", said(written), relative=True), 300)


def read_page(written: str) -> str:
    """The address of a product's page as it is written by hand."""
    return _bounded("url", parse_address("url", said(written), relative=False), 500)


def _bounded(name: str, text: str, most: int, *, needed: bool = False) -> str:
    if "\0" in text:
        raise ValueError("a text holds a NUL or a broken character: write it again")
    if needed and not text:
        raise ValueError(f"no {name}: fill it in")
    if len(text) > most:
        raise ValueError(f"{name} has {len(text)} characters: at most {most} fit")
    return text


def store(product: Product) -> None:
    """A product whose texts changed, with the texts for search; to be called while :func:`alone` in the shop."""
    digest = product.text_digest
    describe(product, Vocabulary.of(product.shop))
    product.save(update_fields=[*_WRITTEN, "document", "text_digest", "updated_at"])
    if digest != product.text_digest:
        announce(product.shop)


_WRITTEN = ["category", "title", "description", "brand", "attributes", "translations", "image", "url"]


# --- a product as a whole -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """A variant's price and stock as they are written by hand."""

    price: str
    stock: str


@dataclass(frozen=True)
class Sheet:
    """A product as its own page writes it.

    ``variants`` by SKU: those left out stay as they are, and those in ``withdrawn`` go. ``added`` are new ones, with their
    attributes.
    """

    title: str
    category: Category
    description: str = ""
    brand: str = ""
    image: str = ""
    url: str = ""
    attributes: Mapping[str, list[str]] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    variants: Mapping[str, Offer] = field(default_factory=dict)
    withdrawn: frozenset[str] = frozenset()
    added: Mapping[str, tuple[Offer, Mapping[str, list[str]]]] = field(default_factory=dict)


def version_of(product: Product) -> str:
    """Changes whenever anything of a product changes that can be edited."""
    image = images(product.shop, [product.sku])[product.sku]
    return hashlib.sha256(json.dumps(image, sort_keys=True).encode()).hexdigest()[:16]


def rewrite(product: Product, sheet: Sheet, seen: str) -> Product:
    """The product as the sheet says, stored, where ``seen`` is still its version."""
    with alone(product.shop):
        now = _fresh(product)
        if version_of(now) != seen:
            raise StaleError(now.title)
        before = list(pairs(now))
        now.title = _bounded("title", said(sheet.title), 300, needed=True)
        now.category = sheet.category
        now.description = _bounded("description", said(sheet.description), MAX_DESCRIPTION)
        now.brand = _bounded("brand", said(sheet.brand), 120)
        now.image, now.url = read_picture(sheet.image), read_page(sheet.url)
        now.translations = {language: dict(texts) for language, texts in sheet.translations.items() if texts}
        on_sale = list(now.variants.all())
        variants = _write_variants(now, on_sale, sheet)
        now.attributes = _union(_without_the_withdrawn(sheet, on_sale), now.brand, variants)
        store(now)
        if now.active:
            gained = Counter(pairs(now))
            gained.subtract(before)
            count_again(now.shop, gained)
    return _fresh(product)


def _write_variants(product: Product, on_sale: Sequence[Variant], sheet: Sheet) -> list[Variant]:
    """Stores the variants as the sheet has them; all that there are then."""
    kept = [variant for variant in on_sale if variant.sku not in sheet.withdrawn]
    for variant in kept:
        if variant.sku in sheet.variants:
            _offer(product, variant, sheet.variants[variant.sku])
    added = [_new_variant(product, on_sale, sku, *said) for sku, said in sheet.added.items()]
    if not kept and not added:
        raise ValueError("nothing to sell: give at least one variant with a price")
    Variant.objects.filter(product=product, sku__in=sheet.withdrawn).delete()
    Variant.objects.bulk_update(kept, ["price", "stock"])
    Variant.objects.bulk_create(added)
    return [*kept, *added]


def _offer(product: Product, variant: Variant, written: Offer) -> None:
    try:
        variant.price, variant.stock = read_price(product.shop, written.price), read_stock(written.stock)
    except ValueError as error:
        raise OfferError(variant.sku, str(error)) from error


def _new_variant(
    product: Product, on_sale: Sequence[Variant], sku: str, written: Offer, attributes: Mapping[str, list[str]]
) -> Variant:
    if sku in {variant.sku for variant in on_sale}:
        raise ValueError("two variants share a SKU: give each its own")
    variant = Variant(product=product, sku=_bounded("variant sku", sku, 80, needed=True), attributes=dict(attributes))
    _offer(product, variant, written)
    return variant


def _without_the_withdrawn(sheet: Sheet, on_sale: Sequence[Variant]) -> dict[str, list[str]]:
    """What the sheet says of the product itself, less what only a variant that goes had."""
    went = {pair for variant in on_sale if variant.sku in sheet.withdrawn for pair in pairs(variant)}
    went -= {pair for variant in on_sale if variant.sku not in sheet.withdrawn for pair in pairs(variant)}
    return {name: [value for value in values if (name, value) not in went] for name, values in sheet.attributes.items()}


def _union(said: Mapping[str, list[str]], brand: str, variants: Sequence[Variant]) -> dict[str, list[str]]:
    """What the product says, its brand and its variants, as ``write`` stores it."""
    union: dict[str, dict[str, None]] = {name: dict.fromkeys(values) for name, values in said.items() if values}
    if brand:
        union["brand"] = {brand.lower(): None}
    for variant in variants:
        for name, values in variant.attributes.items():
            union.setdefault(name, {}).update(dict.fromkeys(values))
    for name, values in ((name, value) for name, held in union.items() for value in held):
        _bounded("attribute name", name, 60, needed=True)
        _bounded("value", values, 1_000, needed=True)
    return {name: list(values) for name, values in union.items()}


# --- articles -----------------------------------------------------------------------------------------------------------


def article_version(article: KnowledgeArticle) -> str:
    """Changes whenever an article's words, or whether it is used, do."""
    said = json.dumps([article.title, article.body, article.active])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def rewrite_article(article: KnowledgeArticle, title: str, body: str, active: bool, seen: str) -> KnowledgeArticle:
    """The article as it is written now, stored, where ``seen`` is still its version; a new one has none."""
    with alone(article.shop):
        if article.pk is not None:
            now = KnowledgeArticle.objects.defer("embedding", "search_vector").get(pk=article.pk)
            if article_version(now) != seen:
                raise StaleError(now.body)
        article.title = _bounded("title", said(title), 200, needed=True)
        article.body = _bounded("body", said(body), MAX_DESCRIPTION, needed=True)
        article.active = active
        article.updated_at = timezone.now()
        describe_article(article)
        article.save()
        announce(article.shop)
    return article
