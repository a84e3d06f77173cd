"""Candidates in memory, for tests of what needs no database."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from catalog.models import EMBEDDING_DIMENSIONS, Category, Product, Variant
from catalog.search import Candidate


def direction(*parts: float) -> np.ndarray:
    """A unit vector with these first coordinates."""
    vector = np.zeros(EMBEDDING_DIMENSIONS, dtype=np.float32)
    vector[: len(parts)] = parts
    return vector / np.linalg.norm(vector)


def candidate(
    number: int,
    score: float = 0.0,
    *,
    title: str = "",
    towards: tuple[float, ...] = (),
    category: str = "clothing/jackets",
    price: str = "50",
    stock: int = 5,
    **attributes: str,
) -> Candidate:
    product = Product(
        pk=number,
        sku=f"P{number}",
        title=title or f"Jacket {number}",
        category=Category(pk=1, path=category),
        attributes={name: [value] for name, value in attributes.items()},
        embedding=direction(*towards) if towards else None,
    )
    return Candidate(product, Variant(sku=f"P{number}", price=Decimal(price), stock=stock), score)


def skus(candidates) -> list[str]:
    return [each.product.sku for each in candidates]
