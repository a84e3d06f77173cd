"""The last list as a customer may refer to it, and what its items measure. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from botcore.dialogue.measures import quantity
from botcore.dialogue.words import stem

EXTENT = ("m2", "l", "ml", "kg", "g", "cm", "inch", "oz", "cups", "slices", "pages")
"""Units in which a thing is big or small, the most telling first."""


@dataclass(frozen=True)
class ShownItem:
    """What the customer can refer to: one product of the last list. ``text`` is all its words, lower case.

    ``values`` are its attributes' values, as the catalogue stores them.
    """

    sku: str
    title: str
    text: str
    price: Decimal
    values: frozenset[str] = frozenset()

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of its words."""
        return frozenset(stem(word) for word in re.findall(r"[a-z]+", self.text))

    @cached_property
    def titled(self) -> frozenset[str]:
        """The stems of its title."""
        return frozenset(stem(word) for word in re.findall(r"[a-z]+", self.title.lower()))

    @cached_property
    def measures(self) -> dict[str, float]:
        """Its largest quantity by unit."""
        found = sorted((q for q in map(quantity, self.values) if q), key=lambda q: q[0])
        return {unit: number for number, unit in found}


def extreme(shown: Sequence[ShownItem], *, by_price: bool, most: bool) -> list[ShownItem]:
    """The dearest or cheapest, the biggest or smallest of a list; none where they do not differ."""
    if by_price:
        amounts = [float(item.price) for item in shown]
    else:
        unit = next((u for u in EXTENT if all(u in item.measures for item in shown)), "")
        amounts = [item.measures[unit] for item in shown] if unit else []
    if len(set(amounts)) < 2:
        return []
    wanted = max(amounts) if most else min(amounts)
    return [item for item, amount in zip(shown, amounts, strict=True) if amount == wanted]
