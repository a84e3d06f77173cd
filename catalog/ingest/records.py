"""What a feed says about one product, before it becomes rows. Readers make these, ``write.py`` stores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class VariantRecord:
    """``attributes`` as in ``Variant``: lists of lower-case values. ``price`` in the shop's currency."""

    sku: str
    price: Decimal
    stock: int = 0
    attributes: Mapping[str, list[str]] = field(default_factory=dict)
    image: str = ""


@dataclass(frozen=True)
class ProductRecord:
    """``category`` is a chain of names from the root. ``line`` is where the feed says it, for error messages.

    ``translations`` as in ``Product``; ``names`` maps an attribute's value to its names in other languages,
    ``{("color", "green"): {"zh": ["绿色"]}}``.
    """

    sku: str
    title: str
    category: tuple[str, ...]
    variants: tuple[VariantRecord, ...]
    description: str = ""
    brand: str = ""
    attributes: Mapping[str, list[str]] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: Mapping[tuple[str, str], Mapping[str, list[str]]] = field(default_factory=dict)
    image: str = ""
    url: str = ""
    rating: float | None = None
    rating_count: int = 0
    line: int = 0


@dataclass(frozen=True)
class ArticleRecord:
    """One article in one language; ``slug`` joins its languages."""

    slug: str
    title: str
    body: str
    language: str = "en"
    line: int = 0


@dataclass(frozen=True)
class RowError:
    """Why one row did not go in. ``reason`` says what to write instead."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
