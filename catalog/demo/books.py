"""Turns the invented books in ``data/books.yaml`` into product records whose variants are editions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from catalog.demo.content import names_of, read
from catalog.demo.products import (
    SOLD_OUT_PRODUCTS,
    SOLD_OUT_VARIANTS,
    DemoProduct,
    image_path,
    quality,
    shelf,
    shop_price,
)
from catalog.ingest.records import ProductRecord, VariantRecord

EDITIONS = {"hardcover": 1.0, "paperback": 0.6, "e-book": 0.4}
WITHOUT_HARDCOVER = 0.25


def books(seed: int) -> Iterator[DemoProduct]:
    for key, genre in read("books")["genres"].items():
        rng = random.Random(f"{seed}/{key}")
        authors = genre["authors"]
        for number, book in enumerate(genre["titles"]):
            yield _book(f"{key}-{number + 1:02}", key, genre, authors[number % len(authors)], book, rng)


def _book(sku: str, key: str, genre: Any, author: list[str], book: list[Any], rng: random.Random) -> DemoProduct:
    title, chinese_title, pages, mood, blurb, chinese_blurb = book
    content = read("books")
    formats = list(EDITIONS)[rng.random() < WITHOUT_HARDCOVER :]
    listed = ", ".join(formats[:-1]) + f" and {formats[-1]}"
    chinese_listed = "、".join(read("common")["names"]["format"][name] for name in formats)
    attributes = {
        "genre": [genre["genre"][0]],
        "author": [author[0].lower()],
        "mood": [mood],
        "pages": [str(pages)],
        "audience": [genre["audience"]],
        "language": ["english"],
    }
    cover = rng.choice(content["colors"])
    record = ProductRecord(
        sku=sku,
        title=f"{title} by {author[0]}",
        category=(content["department"], genre["category"]),
        variants=_editions(sku, pages, formats, rng),
        description=f"{blurb} {pages} pages, available as {listed}.",
        brand=rng.choice(content["publishers"]),
        attributes=attributes,
        translations={
            "zh": {
                "title": f"《{chinese_title}》 {author[1]} 著",
                "description": f"{chinese_blurb}全书{pages}页，英文版，有{chinese_listed}可选。",
            }
        },
        names=names_of(attributes, {"format": formats})
        | {
            ("genre", genre["genre"][0]): {"zh": [genre["genre"][1]]},
            ("author", author[0].lower()): {"zh": [author[1]]},
        },
        image=image_path(key, cover),
    )
    return DemoProduct(record, key, cover, quality(rng, 0.4))


def _editions(sku: str, pages: int, formats: list[str], rng: random.Random) -> tuple[VariantRecord, ...]:
    """Thick books cost more, and files run out only when the whole book is gone."""
    base = (14 + pages * 0.035) * rng.uniform(0.95, 1.1)
    gone = rng.random() < SOLD_OUT_PRODUCTS
    stocks = {name: 0 if gone else 999 if name == "e-book" else shelf(rng, 1.5 * SOLD_OUT_VARIANTS) for name in formats}
    return tuple(
        VariantRecord(f"{sku}-{name}", shop_price(base * EDITIONS[name]), stocks[name], {"format": [name]})
        for name in formats
    )
