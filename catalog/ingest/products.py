"""From a feed's rows to product records. Pure: rows in, records and row errors out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.ingest.cells import (
    listed,
    one_text,
    parse_address,
    parse_count,
    parse_price,
    parse_rating,
    parse_stock,
    prose,
)
from catalog.ingest.mapping import USUAL_VALUES, Mapping, Plan, column_key, plan_columns
from catalog.ingest.readers import Row
from catalog.ingest.records import ProductRecord, RowError, VariantRecord

_YES = {"true", "yes", "y", "是"}
_NO = {"false", "no", "n", "none", "null", "n/a", "-", "否", "无"}


@dataclass(frozen=True)
class Reading:
    """A feed as records, the rows that are none, and what whoever imports it should know.

    ``columns`` are named by ``column_key``, each with the first thing that stands in it; ``plan`` says what they mean.
    """

    records: tuple[ProductRecord, ...]
    errors: tuple[RowError, ...]
    notes: tuple[str, ...]
    columns: AnyMapping[str, str]
    plan: Plan


def read_products(
    rows: Iterable[Row | RowError], mapping: Mapping, *, currency: str = "USD", language: str = "en"
) -> Reading:
    """Products in the order of the feed; rows that share a group become variants of one product.

    ``language`` is the shop's own: ``title_en`` is then the title itself, ``title_zh`` a translation.
    """
    flat: list[Row] = []
    errors: list[RowError] = []
    mapped = (column for column, name in mapping.fields.items() if name in ("group", "sku"))
    identities = (*mapped, "group", "sku", "id")
    for row in rows:
        if isinstance(row, RowError):
            errors.append(row)
        else:
            flat += _flatten(*row, identities)
    columns = _columns(flat)
    plan = plan_columns(list(columns), mapping, currency, language)
    groups: dict[str, dict[str, _Said]] = {}
    for line, values in flat:
        try:
            said = _read_row(line, values, plan, mapping, currency)
            earlier = groups.setdefault(said.group, {}).setdefault(said.sku, said)
            if earlier is not said:
                raise ValueError(f"{said.sku} is on line {earlier.line} already: keep one of them")
        except ValueError as error:
            errors.append(RowError(line, str(error)))
    records = []
    for group, variants in groups.items():
        product = _product(group, list(variants.values())) if variants else None
        if isinstance(product, RowError):
            errors.append(product)
        elif product:
            records.append(product)
    errors.sort(key=lambda error: error.line)
    return Reading(tuple(records), tuple(errors), _notes(plan, mapping), columns, plan)


def _columns(flat: Iterable[Row]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for _, values in flat:
        for column, value in values.items():
            if not columns.get(column):
                columns[column] = "; ".join(listed(value)) if isinstance(value, list | dict) else str(value or "")
    return columns


@dataclass(frozen=True, slots=True)
class _Said:
    """One row, understood: a variant and what it says of its product."""

    line: int
    sku: str
    group: str
    title: str
    price: Decimal
    stock: int
    category: tuple[str, ...]
    description: str
    brand: str
    image: str
    url: str
    rating: float | None
    rating_count: int
    attributes: dict[str, list[str]]
    translations: dict[str, dict[str, str]]
    names: dict[tuple[str, str], dict[str, list[str]]]


def _flatten(line: int, values: AnyMapping[str, Any], identities: tuple[str, ...]) -> Iterator[Row]:
    """Rows without nesting, by ``column_key``: one for each of a product's ``variants``.

    They inherit its columns, except ``identities``: the first of those a product has is the variants' group.
    """
    flat: dict[str, Any] = {}
    variants: list[Any] = []
    for column, value in values.items():
        key = column_key(column)
        if key == "variants" and isinstance(value, list) and all(isinstance(item, dict) for item in value):
            variants = value
        elif key == "translations" and isinstance(value, dict):
            for language, texts in value.items():
                flat.update({column_key(f"{name}_{language}"): text for name, text in _pairs(texts)})
        elif isinstance(value, dict):
            prefix = "" if key == "attributes" else f"{key}_"
            flat.update({prefix + column_key(name): inner for name, inner in value.items()})
        elif key:
            flat[key] = value
    if not variants:
        yield line, flat
        return
    group = next((flat[key] for key in identities if flat.get(key)), "")
    shared = {key: value for key, value in flat.items() if key not in identities}
    for variant in variants:
        _, own = next(_flatten(line, variant, identities))
        yield line, {**shared, "group": group, **own}


def _pairs(texts: Any) -> Iterable[tuple[str, Any]]:
    return texts.items() if isinstance(texts, dict) else ()


def _read_row(line: int, values: AnyMapping[str, Any], plan: Plan, mapping: Mapping, currency: str) -> _Said:
    """Raises ``ValueError`` with what to write instead."""

    def say(name: str) -> str:
        said = one_text(name, values.get(plan.fields.get(name, "")))
        return said or mapping.defaults.get(name, "")

    sku = say("sku")
    if not sku:
        raise ValueError("no SKU: give every row an id of its own, or map the column that holds it")
    if not (price := say("price")):
        raise ValueError("no price: fill it in, or say what rows without one cost with --default price=12.50")
    attributes = _attributes(values, plan, mapping)
    return _Said(
        line=line,
        sku=sku,
        group=say("group") or sku,
        title=prose(say("title")),
        price=parse_price(price, currency),
        stock=parse_stock(say("stock") or "0"),
        category=_category(values, plan, mapping),
        description=prose(say("description")),
        brand=say("brand"),
        image=parse_address("image", say("image"), relative=True),
        url=parse_address("url", say("url"), relative=False),
        rating=parse_rating(say("rating")),
        rating_count=parse_count("rating count", say("rating_count") or "0"),
        attributes=attributes,
        translations=_translations(values, plan),
        names=_value_names(values, plan, attributes),
    )


def _product(group: str, said: list[_Said]) -> ProductRecord | RowError:
    """What the rows of a group share is the product's, what differs between them is the variants'."""

    def first(name: str) -> Any:
        return next((value for row in said if (value := getattr(row, name))), getattr(said[0], name))

    if not first("title"):
        return RowError(said[0].line, "no title: say what the product is called")
    shared = {
        name: values
        for name, values in said[0].attributes.items()
        if all(row.attributes.get(name) == values for row in said)
    }
    return ProductRecord(
        sku=group,
        title=first("title"),
        category=first("category"),
        variants=tuple(
            VariantRecord(
                sku=row.sku,
                price=row.price,
                stock=row.stock,
                attributes={name: values for name, values in row.attributes.items() if name not in shared},
                image=row.image,
            )
            for row in said
        ),
        description=first("description"),
        brand=first("brand"),
        attributes=shared,
        translations=first("translations"),
        names={key: names for row in said for key, names in row.names.items()},
        image=first("image"),
        url=first("url"),
        rating=first("rating"),
        rating_count=first("rating_count"),
        line=said[0].line,
    )


def _notes(plan: Plan, mapping: Mapping) -> tuple[str, ...]:
    notes = []
    if kept := sorted(set(plan.attributes.values())):
        notes.append(f"kept as attributes: {', '.join(kept)}")
    if "stock" not in plan.fields and "stock" not in mapping.defaults:
        notes.append("no stock column: everything counts as sold out; --default stock=1 says otherwise")
    return tuple(notes)


def _category(values: AnyMapping[str, Any], plan: Plan, mapping: Mapping) -> tuple[str, ...]:
    if plan.category:
        levels = [one_text("category", values.get(column)) for column in plan.category]
    else:
        value = values.get(plan.fields.get("category", "")) or mapping.defaults.get("category", "")
        if isinstance(value, list):
            levels = [one_text("category", item) for item in value]
        else:
            text = one_text("category", value)
            levels = re.split(r"[>›»]" if re.search("[>›»]", text) else "/", text)
    return tuple(name for level in levels if (name := " ".join(html.unescape(level).split())))


def _attributes(values: AnyMapping[str, Any], plan: Plan, mapping: Mapping) -> dict[str, list[str]]:
    attributes: dict[str, dict[str, None]] = {}
    for column, attribute in plan.attributes.items():
        renamed = {**USUAL_VALUES.get(attribute, {}), **mapping.values.get(attribute, {})}
        for value in listed(values.get(column)):
            ours = renamed.get(value.lower(), value.lower())
            if ours in _YES:
                ours = attribute.replace("_", " ")
            if ours not in _NO:
                attributes.setdefault(attribute, {})[ours] = None
    return {attribute: list(values) for attribute, values in attributes.items()}


def _translations(values: AnyMapping[str, Any], plan: Plan) -> dict[str, dict[str, str]]:
    translations: dict[str, dict[str, str]] = {}
    for column, (name, language) in plan.translations.items():
        if text := prose(one_text(column, values.get(column))):
            translations.setdefault(language, {})[name] = text
    return translations


def _value_names(
    values: AnyMapping[str, Any], plan: Plan, attributes: AnyMapping[str, list[str]]
) -> dict[tuple[str, str], dict[str, list[str]]]:
    """``color: red|blue`` beside ``color_zh: 红色|蓝色`` names both values, in order."""
    names: dict[tuple[str, str], dict[str, list[str]]] = {}
    for column, (attribute, language) in plan.value_names.items():
        spoken = listed(values.get(column))
        if spoken and len(spoken) != len(attributes.get(attribute, ())):
            raise ValueError(f"{column} names {len(spoken)} values, {attribute} has another number: name each one")
        for value, name in zip(attributes.get(attribute, ()), spoken, strict=False):
            names.setdefault((attribute, value), {})[language] = [name.lower()]
    return names
