"""Reads the hand-written content in ``data/`` and knows the words its departments share: colors, sizes, categories."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from catalog.ingest.records import ArticleRecord

DATA = Path(__file__).parent / "data"
UNITS = {"w": "瓦", "l": "升", "ml": "毫升", "min": "分钟", "m²": "平方米", "cm": "厘米"}
Names = dict[tuple[str, str], dict[str, list[str]]]


@cache
def read(name: str) -> Any:
    """The content of ``data/<name>.yaml``; shared, so not to be changed."""
    return yaml.safe_load((DATA / f"{name}.yaml").read_text("utf-8"))


def paint(color: str) -> str:
    return read("common")["colors"][color][1]


def color_values(color: str) -> list[str]:
    """The shade and the broader color it belongs to, so that a wish for green finds olive."""
    broader = (read("common")["colors"][color] + [None])[2]
    return [color, broader] if broader else [color]


def names_of(*said: Mapping[str, list[str]]) -> Names:
    """What the values in all of ``said`` are called elsewhere, as far as the shared words know."""
    named: Names = {}
    for attributes in said:
        for attribute, values in attributes.items():
            for value in values:
                chinese, english = _names(attribute, value)
                named[attribute, value] = ({"zh": chinese} if chinese else {}) | ({"en": english} if english else {})
    return {key: names for key, names in named.items() if names}


def _names(attribute: str, value: str) -> tuple[list[str], list[str]]:
    common = read("common")
    if attribute == "color":
        chinese, _, *more = common["colors"][value]
        return [chinese], more[1] if len(more) > 1 else []
    if measure := re.fullmatch(r"([\d.]+) (w|l|ml|min|m²|cm)", value):
        return [f"{measure[1]}{UNITS[measure[2]]}"], []
    chinese = common["names"].get(attribute, {}).get(value)
    return [chinese] if chinese else [], common["english"].get(attribute, {}).get(value, [])


def category_translations() -> dict[tuple[str, ...], dict[str, Any]]:
    """By chain of names: ``{"zh": {"name": ...}, "aliases": [...]}``."""
    told: dict[tuple[str, ...], dict[str, Any]] = {}
    for department, (chinese, aliases, children) in read("common")["categories"].items():
        told[department,] = {"zh": {"name": chinese}, "aliases": aliases}
        for name, (child_chinese, child_aliases) in children.items():
            told[department, name] = {"zh": {"name": child_chinese}, "aliases": child_aliases}
    return told


def articles() -> Iterator[ArticleRecord]:
    for slug, (title, body, chinese_title, chinese_body) in read("articles").items():
        yield ArticleRecord(slug, title, body, "en")
        yield ArticleRecord(slug, chinese_title, chinese_body, "zh")
