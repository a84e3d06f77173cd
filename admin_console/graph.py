"""The product graph as the console reads it: products with their links, one product's neighbourhood, its picture."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from catalog.graph.links import neighbours_of
from catalog.models import Product, ProductLink

Kind, Origin = ProductLink.Kind, ProductLink.Origin

BELONGS = "belongs"
STRONGEST = 2
"""Links of a kind that the list tells of a product."""
WIDTH, HEIGHT, MOST_DRAWN, TITLE = 840, 420, 14, 26
"""Of the picture: user units, neighbours, letters of a name."""


@dataclass(frozen=True)
class Neighbour:
    """A link as seen from one product: the other end. ``belongs`` says that it is an accessory of this one."""

    product: Product
    kind: str
    origin: str
    weight: float
    support: int
    evidence: str
    belongs: bool = False

    @property
    def percent(self) -> float:
        return 100 * self.weight

    @property
    def group(self) -> str:
        return Origin.VETO if self.origin == Origin.VETO else BELONGS if self.belongs else self.kind


@dataclass(frozen=True)
class Row:
    """A product of the list with the strongest links of each kind and how many there are in all."""

    product: Product
    neighbours: Sequence[Neighbour]
    links: int


@dataclass(frozen=True)
class Dot:
    """A neighbour in the picture, ``x`` and ``y`` its place; the name stands on the side of ``anchor``."""

    neighbour: Neighbour
    x: float
    y: float
    text_x: float
    anchor: str
    name: str
    width: float


def products(visible: QuerySet[Product], words: str) -> QuerySet[Product]:
    """Products on sale whose title or SKU has the words, those with the most links first."""
    found = visible.filter(active=True)
    if words:
        found = found.filter(Q(title__icontains=words) | Q(sku__iexact=words))
    counted = found.annotate(link_count=Count("links", distinct=True) + Count("linked_from", distinct=True))
    return counted.select_related("shop").order_by("-link_count", "title", "pk")


def rows(page: Iterable[Product]) -> list[Row]:
    """The list's rows: one query for the links of all of them."""
    shown = list(page)
    links = ProductLink.objects.filter(Q(source__in=shown) | Q(target__in=shown)).select_related("source", "target")
    own: defaultdict[int, list[ProductLink]] = defaultdict(list)
    for link in links.order_by("-weight", "pk"):
        own[link.source_id].append(link)
        if link.kind == Kind.ACCESSORY_OF or link.origin == Origin.VETO:
            own[link.target_id].append(link)
    return [Row(product, _strongest(product, own[product.pk]), len(own[product.pk])) for product in shown]


def neighbourhood(product: Product) -> dict[str, list[Neighbour]]:
    """The neighbours of a product by the kind of link; vetoes and its own accessories (``BELONGS``) apart."""
    found: dict[str, list[Neighbour]] = {}
    for link in neighbours_of(product):
        neighbour = _seen_from(product, link)
        found.setdefault(neighbour.group, []).append(neighbour)
    return found


def picture(groups: Mapping[str, Sequence[Neighbour]]) -> list[Dot]:
    """The strongest neighbours on an ellipse around the product, kinds side by side. Vetoed ones are not drawn."""
    linked = [n for kind, listed in groups.items() if kind != Origin.VETO for n in listed]
    strongest = {id(n) for n in sorted(linked, key=lambda n: -n.weight)[:MOST_DRAWN]}
    drawn = [n for n in linked if id(n) in strongest]
    heaviest = max((n.weight for n in drawn), default=1.0)
    dots = []
    for place, neighbour in enumerate(drawn):
        angle = 2 * math.pi * (place + 0.5) / len(drawn) - math.pi / 2
        x, y = WIDTH / 2 + 0.24 * WIDTH * math.cos(angle), HEIGHT / 2 + 0.42 * HEIGHT * math.sin(angle)
        right = x >= WIDTH / 2
        title = neighbour.product.title
        name = title if len(title) <= TITLE else f"{title[: TITLE - 1].rstrip()}…"
        width = 1 + 4 * neighbour.weight / heaviest
        dots.append(
            Dot(neighbour, round(x, 1), round(y, 1), round(x + (12 if right else -12), 1),
                "start" if right else "end", name, round(width, 1))
        )  # fmt: skip
    return dots


def _strongest(product: Product, links: Sequence[ProductLink]) -> list[Neighbour]:
    kept: defaultdict[str, list[Neighbour]] = defaultdict(list)
    for link in links:
        neighbour = _seen_from(product, link)
        if len(kept[neighbour.group]) < STRONGEST:
            kept[neighbour.group].append(neighbour)
    return [neighbour for kind in sorted(kept) for neighbour in kept[kind]]


def _seen_from(product: Product, link: ProductLink) -> Neighbour:
    belongs = link.target_id == product.pk
    other = link.source if belongs else link.target
    accessory = belongs and link.kind == Kind.ACCESSORY_OF
    return Neighbour(other, link.kind, link.origin, link.weight, link.support, link.evidence, accessory)
