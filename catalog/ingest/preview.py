"""How a feed would be read: what its columns mean, and its first rows as they would become. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from catalog.ingest.mapping import Mapping, Plan
from catalog.ingest.products import Reading, read_products
from catalog.ingest.readers import Row, read_rows
from catalog.ingest.records import ProductRecord, RowError
from catalog.ingest.write import Comparison, ImportReport, compare, foreseen_categories, sound_products
from catalog.models import Shop

ROWS, SHOWN = 200, 20
"""Rows that are read for a preview, and products of them that are shown."""
NEW, CHANGED, SAME = "new", "changed", "same"
FIELD, ATTRIBUTE, TRANSLATION, NAMES, IGNORED = "field", "attribute", "translation", "names", "ignored"


@dataclass(frozen=True)
class Column:
    """``meaning`` is one of the five above, ``name`` the field or attribute, ``language`` of a translation or of names."""

    key: str
    sample: str
    meaning: str
    name: str
    language: str = ""


@dataclass(frozen=True)
class Line:
    """A product as it would become, and what differs from what is stored."""

    record: ProductRecord
    fate: str
    changes: tuple[str, ...]
    withdrawn: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    errors: tuple[RowError, ...]
    notes: tuple[str, ...]


def preview(shop: Shop, path: Path, encoding: str, mapping: Mapping) -> Preview:
    """The first rows of a file under a mapping. Raises ``FeedError`` for a file that cannot be read."""
    rows: Iterator[Row | RowError] = islice(read_rows(path, encoding), ROWS)
    reading = read_products(rows, mapping, currency=shop.currency, language=shop.language)
    report = ImportReport()
    shown = sound_products(reading.records[:SHOWN], report)
    found = compare(shop, shown, foreseen_categories(shop, shown))
    errors = sorted([*reading.errors, *report.errors], key=lambda error: error.line)
    lines = tuple(_line(record, comparison) for record, comparison in zip(shown, found, strict=True))
    return Preview(tuple(_columns(reading, mapping)), lines, tuple(errors[:SHOWN]), reading.notes)


def _line(record: ProductRecord, found: Comparison) -> Line:
    before, product = found.before, found.product
    if before is None:
        return Line(record, NEW, (), ())
    names = ["title", "description", "brand", "attributes", "translations", "image", "url", "rating", "rating_count"]
    changes = [name for name in names if getattr(before, name) != getattr(product, name)]
    changes += ["category"] if before.category_id != product.category_id else []
    changes += ["variants"] if found.variants else []
    fate = CHANGED if found.differs else SAME
    return Line(record, fate, tuple(changes), tuple(variant.sku for variant in found.withdrawn))


def _columns(reading: Reading, mapping: Mapping) -> Iterator[Column]:
    for key, sample in reading.columns.items():
        yield Column(key, sample[:80], *_meaning(key, reading.plan, mapping))


def _meaning(key: str, plan: Plan, mapping: Mapping) -> tuple[str, str, str]:
    if key in plan.category:
        return FIELD, "category", ""
    for name, column in plan.fields.items():
        if column == key:
            return FIELD, name, ""
    if key in plan.translations:
        name, language = plan.translations[key]
        return TRANSLATION, name, language
    if key in plan.value_names:
        name, language = plan.value_names[key]
        return NAMES, name, language
    if key in plan.attributes:
        return ATTRIBUTE, plan.attributes[key], ""
    return IGNORED, "", ""
