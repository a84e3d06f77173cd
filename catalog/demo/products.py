"""Turns the families in ``data/`` into product records: deterministic, no database. Books have their own module.

A family lists axes (material, fit, feature, ...) with options; each option brings its own sentence in both languages,
so a description can only say what the attributes say.
"""

from __future__ import annotations

import itertools
import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.demo.content import color_values, names_of, read
from catalog.ingest.records import ProductRecord, VariantRecord

DEPARTMENTS = ("clothing", "appliances", "beauty")
PER_FAMILY = 28
SOLD_OUT_VARIANTS, SOLD_OUT_PRODUCTS = 0.055, 0.025
GENDER_WORDS = {"women": "Women's", "men": "Men's", "unisex": "Unisex"}


@dataclass(frozen=True)
class Option:
    """One value of one axis with everything that follows from choosing it; pairs are (English, Chinese)."""

    axis: str
    value: str
    chinese: str
    sentences: tuple[str, str]
    title_words: tuple[str, str]
    price_factor: float
    attributes: Mapping[str, list[str]]


@dataclass(frozen=True)
class DemoProduct:
    """A record with what the simulation and the pictures need to know and the shop does not."""

    record: ProductRecord
    family: str
    color: str
    quality: float
    """How good the thing really is, -1 to 1: reviews are written from it."""


def family_products(seed: int) -> Iterator[DemoProduct]:
    for department in map(read, DEPARTMENTS):
        for key, family in department["families"].items():
            rng = random.Random(f"{seed}/{key}")
            series = rng.sample(sorted(department["series"].items()), PER_FAMILY)
            for number, (options, line) in enumerate(zip(_choices(family, rng), series, strict=True), start=1):
                yield _product(f"{key}-{number:02}", department, key, family, options, line, rng)


def image_path(family: str, color: str) -> str:
    return f"demo/{family}-{color.replace(' ', '-')}.png"


def shelf(rng: random.Random, sold_out: float) -> int:
    """A stock: empty with probability ``sold_out``, else mostly a shelf full and sometimes the last few."""
    if rng.random() < sold_out:
        return 0
    return rng.randint(1, 4) if rng.random() < 0.15 else rng.randint(8, 120)


def shop_price(amount: float) -> Decimal:
    """Rounded as shops round: to .90 below 20, to .95 below 100, to whole dollars above."""
    whole = max(2, round(amount))
    return Decimal(whole) if whole >= 100 else Decimal(whole) - Decimal("0.10" if whole < 20 else "0.05")


def quality(rng: random.Random, mean: float) -> float:
    return max(-1.0, min(1.0, rng.gauss(mean, 0.45)))


def _choices(family: Any, rng: random.Random) -> list[tuple[Option, ...]]:
    """Different combinations of which none contradicts itself, ``PER_FAMILY`` of them."""
    axes = [[_option(axis, *entry) for entry in options.items()] for axis, options in family["axes"].items()]
    never = [set(pair) for pair in family.get("never", [])]
    sensible = [
        options
        for options in itertools.product(*axes)
        if not any(pair <= {option.value for option in options} for pair in never)
    ]
    return rng.sample(sensible, PER_FAMILY)


def _option(axis: str, value: str, said: list[Any]) -> Option:
    chinese, english_sentence, chinese_sentence, *rest = said
    attributes = dict(rest[0]) if rest else {}
    english_word, chinese_word = attributes.pop("t", (string.capwords(value), chinese))
    factor = attributes.pop("x", 1.0)
    sentences = (english_sentence, chinese_sentence)
    return Option(axis, value, chinese, sentences, (english_word, chinese_word), factor, attributes)


def _product(
    sku: str,
    department: Any,
    key: str,
    family: Any,
    options: tuple[Option, ...],
    line: tuple[str, str],
    rng: random.Random,
) -> DemoProduct:
    brand, tier = rng.choice(sorted(department["brands"].items()))
    colors = _colors(family, rng)
    shown = colors[0] if colors else rng.choice(family["tints"])
    attributes = _attributes(family, options, colors, rng)
    english_note, chinese_note = rng.choice(family["notes"])
    price = family["price"] * tier * rng.uniform(0.92, 1.1)
    for option in options:
        price *= option.price_factor
    variants = _variants(sku, key, price, colors, family.get("sizes", {}), rng)
    title, chinese_title = (_title(family, language, options, line, attributes, shown) for language in (0, 1))
    record = ProductRecord(
        sku=sku,
        title=title,
        category=(department["department"], family["category"]),
        variants=variants,
        description=" ".join([*(option.sentences[0] for option in options), english_note]),
        brand=brand,
        attributes=attributes,
        translations={
            "zh": {
                "title": chinese_title,
                "description": "".join([*(option.sentences[1] for option in options), chinese_note]),
            }
        },
        names=names_of(attributes, *(variant.attributes for variant in variants))
        | {(option.axis, option.value): {"zh": [option.chinese]} for option in options},
        image=image_path(key, shown),
    )
    return DemoProduct(record, key, shown, quality(rng, 0.35 + 0.4 * (tier - 1)))


def _colors(family: Any, rng: random.Random) -> list[str]:
    """Clothes in sizes are listed color by color; what has no size comes in two colors, make-up in more."""
    if "colors" not in family:
        return []
    return rng.sample(family["colors"], family.get("colors_each", 1 if "sizes" in family else 2))


def _attributes(
    family: Any, options: tuple[Option, ...], colors: list[str], rng: random.Random
) -> dict[str, list[str]]:
    said = [family.get("fixed", {})]
    if "gender" in family:
        said.append({"gender": [rng.choice(family["gender"])]})
    for option in options:
        said += [{option.axis: [option.value]}, option.attributes]
    said += [{"color": color_values(color)} for color in colors]
    union: dict[str, dict[str, None]] = {}
    for attributes in said:
        for attribute, values in attributes.items():
            union.setdefault(attribute, {}).update(dict.fromkeys(values))
    return {attribute: list(values) for attribute, values in union.items()}


def _title(
    family: Any,
    language: int,
    options: tuple[Option, ...],
    line: tuple[str, str],
    attributes: Mapping[str, list[str]],
    color: str,
) -> str:
    words = {option.axis: option.title_words[language] for option in options}
    gender = attributes.get("gender", ["unisex"])[0]
    words["gender"] = (GENDER_WORDS, read("common")["names"]["gender"])[language][gender]
    words["color"] = (string.capwords(color), read("common")["colors"][color][0])[language]
    return family["title"][language].format(series=line[language], **words)


def _variants(
    sku: str, key: str, price: float, colors: list[str], sizes: dict[str, dict[str, float]], rng: random.Random
) -> tuple[VariantRecord, ...]:
    attribute, factors = next(iter(sizes.items()), ("", {"": 1.0}))
    sold_out = 1.0 if rng.random() < SOLD_OUT_PRODUCTS else SOLD_OUT_VARIANTS
    variants = []
    for color, (size, factor) in itertools.product(colors or [""], factors.items()):
        said = {"color": color_values(color) if color else [], attribute: [size] if size else []}
        suffix = "-".join(part.replace(" ", "") for part in (color, size) if part)
        variants.append(
            VariantRecord(
                sku=f"{sku}-{suffix}",
                price=shop_price(price * factor),
                stock=shelf(rng, sold_out),
                attributes={name: values for name, values in said.items() if values},
                image=image_path(key, color) if color else "",
            )
        )
    return tuple(variants)
