"""Everything the demo shop sells, and the pictures that this takes."""

from __future__ import annotations

from catalog.demo.books import books
from catalog.demo.content import read
from catalog.demo.products import DEPARTMENTS, DemoProduct, family_products


def demo_products(seed: int) -> list[DemoProduct]:
    return [*family_products(seed), *books(seed)]


def picture_subjects() -> list[tuple[str, str]]:
    """Every (family, color) that some product's image may show."""
    colors = {
        key: family.get("colors") or family["tints"]
        for department in map(read, DEPARTMENTS)
        for key, family in department["families"].items()
    }
    colors |= dict.fromkeys(read("books")["genres"], read("books")["colors"])
    return [(family, color) for family, own in colors.items() for color in own]
