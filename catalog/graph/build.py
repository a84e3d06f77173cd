"""The links of a shop, made anew from what customers did and what the catalogue says. Merchants' edits and vetoes stay."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Min

from catalog.graph.associations import Counted
from catalog.graph.complements import Complements, Good, Label, good
from catalog.graph.series import Named, series_of, words_of
from catalog.models import AttributeValue, Category, Interaction, Product, ProductLink, Shop

Kind, Origin = ProductLink.Kind, ProductLink.Origin

REMEMBERED = timedelta(days=365)
PAUSE = timedelta(hours=3)
"""Ends a visit."""
LARGEST_VISIT = 40
"""Products; visits of robots and wholesalers say nothing about what goes together."""
VISITS = 4
"""The least support of a substitute."""
KEPT = 6
"""Substitutes and products of its series that a product keeps, the strongest."""
EDITED = (Origin.MERCHANT, Origin.VETO)


@dataclass(frozen=True)
class Link:
    """A computed link by product ids, comparable to a stored one."""

    source: int
    target: int
    kind: str
    origin: str
    weight: float
    support: int = 0
    evidence: str = ""

    @property
    def key(self) -> tuple[int, int, str]:
        return self.source, self.target, self.kind

    @property
    def says(self) -> tuple[str, float, int, str]:
        return self.origin, self.weight, self.support, self.evidence


@dataclass(frozen=True)
class Rebuilt:
    """How many computed links there are after a rebuild, and how many rows it wrote."""

    links: int
    written: int


def rebuild(shop: Shop, now: datetime) -> Rebuilt:
    """Bring the computed links of a shop to ``now``, in one transaction; a second call writes nothing."""
    wanted = {link.key: link for link in computed_links(shop, now)}
    with transaction.atomic():
        Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)  # one rebuild or edit at a time
        stored = list(ProductLink.objects.filter(shop=shop))
        edited = {(row.source_id, row.target_id, row.kind) for row in stored if row.origin in EDITED}
        apart = {frozenset((row.source_id, row.target_id)) for row in stored if row.origin == Origin.VETO}
        wanted = {key: link for key, link in wanted.items() if key not in edited and frozenset(key[:2]) not in apart}
        written = _replace(shop, [row for row in stored if row.origin not in EDITED], wanted)
    return Rebuilt(len(wanted), written)


def computed_links(shop: Shop, now: datetime) -> list[Link]:
    """What the statistics and the catalogue say, whatever is stored."""
    rows = Product.objects.filter(shop=shop, active=True).annotate(price=Min("variants__price")).exclude(price=None)
    goods = {
        pk: good(category, float(price), attributes)
        for pk, category, price, attributes in rows.values_list("pk", "category_id", "price", "attributes")
    }
    names = dict(Category.objects.filter(shop=shop).values_list("pk", "name"))
    baskets, visits = _read(shop, now, goods)
    return [*_complements(baskets, goods, names), *_strongest([*_substitutes(visits, baskets), *_series(shop)])]


def _complements(
    baskets: Sequence[frozenset[int]], goods: Mapping[int, Good], names: Mapping[int, str]
) -> Iterator[Link]:
    complements = Complements(baskets, goods)
    for pk in goods:
        for found in complements.of(pk):
            evidence = " + ".join(_in_words(label, names) for label in found.kinds) if found.kinds else ""
            kind, ends = (
                (Kind.ACCESSORY_OF, (found.target, pk)) if found.accessory else (Kind.GOES_WITH, (pk, found.target))
            )
            yield Link(*ends, kind, Origin.CO_PURCHASE, round(found.share, 4), found.support, evidence)


def _in_words(label: Label, names: Mapping[int, str]) -> str:
    category, attribute, value = label
    return f"{names[category]} ({attribute} {value})" if attribute else names[category]


def _substitutes(visits: Mapping[int, Sequence[frozenset[int]]], baskets: Sequence[frozenset[int]]) -> Iterator[Link]:
    """Links between products of one category that are looked at together and never bought together."""
    bought = {pair for basket in baskets for pair in itertools.combinations(sorted(basket), 2)}
    for seen in visits.values():
        counted = Counted.of(seen)
        for pair in counted.associated(VISITS):
            if (pair.one, pair.other) not in bought:
                for source, target in ((pair.one, pair.other), (pair.other, pair.one)):
                    share = round(pair.together / counted.items[target], 4)
                    yield Link(source, target, Kind.SUBSTITUTE_FOR, Origin.CO_VIEW, share, pair.together)


def _series(shop: Shop) -> Iterator[Link]:
    rows = Product.objects.filter(shop=shop, active=True).order_by("pk")
    products = [Named(*row) for row in rows.values_list("pk", "title", "brand", "category__path", "attributes")]
    for group in series_of(products, _ordinary_words(shop)):
        for one, other in itertools.permutations(group, 2):
            yield Link(one, other, Kind.SAME_SERIES, Origin.CATALOGUE, 1.0, 0)


def _ordinary_words(shop: Shop) -> frozenset[str]:
    """The words of the shop's categories and attribute values, and PostgreSQL's English stop words."""
    names = [*Category.objects.filter(shop=shop).values_list("name", flat=True)]
    names += AttributeValue.objects.filter(shop=shop).exclude(attribute="author").values_list("value", flat=True)
    titles = Product.objects.filter(shop=shop).values_list("title", flat=True)
    first = {words[0] for title in titles if (words := words_of(title))}
    with connection.cursor() as cursor:
        cursor.execute("SELECT w FROM unnest(%s) w WHERE to_tsvector('english', w) = ''::tsvector", [sorted(first)])
        stop = {word for (word,) in cursor.fetchall()}
    return frozenset(word for name in names for word in words_of(name)) | stop


def _read(
    shop: Shop, now: datetime, goods: Mapping[int, Good]
) -> tuple[list[frozenset[int]], dict[int, list[frozenset[int]]]]:
    """Baskets, and by category what was looked at in each visit: products that are sold today alone."""
    rows = (
        Interaction.objects.filter(shop=shop, at__gt=now - REMEMBERED, at__lte=now, product_id__in=goods.keys())
        .exclude(kind=Interaction.Kind.REVIEW)
        .order_by("customer_id", "at", "pk")
        .values_list("customer_id", "product_id", "kind", "at")
    )
    baskets: list[frozenset[int]] = []
    visits: defaultdict[int, list[frozenset[int]]] = defaultdict(list)
    for visit in _visits(rows.iterator()):
        basket = frozenset(product for product, kind in visit if kind != Interaction.Kind.VIEW)
        if basket and len(basket) <= LARGEST_VISIT:
            baskets.append(basket)
        seen: defaultdict[int, set[int]] = defaultdict(set)
        for product, _ in visit:
            seen[goods[product].category].add(product)
        for category, products in seen.items():
            if len(products) <= LARGEST_VISIT:
                visits[category].append(frozenset(products))
    return baskets, visits


def _visits(rows: Iterable[tuple[int, int, str, datetime]]) -> Iterator[list[tuple[int, str]]]:
    """Products with what was done, cut where the customer changes or pauses."""
    current: list[tuple[int, str]] = []
    customer, last = None, None
    for who, product, kind, at in rows:
        if current and (who != customer or (last is not None and at - last > PAUSE)):
            yield current
            current = []
        current.append((product, kind))
        customer, last = who, at
    if current:
        yield current


def _strongest(links: Sequence[Link]) -> list[Link]:
    """The ``KEPT`` strongest of each product and kind."""
    owned: defaultdict[tuple[int, str], list[Link]] = defaultdict(list)
    for link in links:
        owned[link.target, link.kind].append(link)
    return [
        link
        for listed in owned.values()
        for link in sorted(listed, key=lambda link: (-link.weight, link.source))[:KEPT]
    ]


def _replace(shop: Shop, stored: Sequence[ProductLink], wanted: dict[tuple[int, int, str], Link]) -> int:
    """Write the difference between the stored and the wanted links; how many rows that took."""
    known = {(row.source_id, row.target_id, row.kind): row for row in stored}
    gone = [row.pk for key, row in known.items() if key not in wanted]
    new = [
        ProductLink(shop=shop, source_id=link.source, target_id=link.target, kind=link.kind, **_fields(link))
        for key, link in wanted.items()
        if key not in known
    ]
    changed = [
        row
        for key, row in known.items()
        if key in wanted and (row.origin, row.weight, row.support, row.evidence) != wanted[key].says
    ]
    for row in changed:
        for name, value in _fields(wanted[row.source_id, row.target_id, row.kind]).items():
            setattr(row, name, value)
    ProductLink.objects.filter(pk__in=gone).delete()
    ProductLink.objects.bulk_create(new, batch_size=1_000)
    ProductLink.objects.bulk_update(changed, ["origin", "weight", "support", "evidence"], batch_size=1_000)
    return len(gone) + len(new) + len(changed)


def _fields(link: Link) -> dict[str, Any]:
    return {"origin": link.origin, "weight": link.weight, "support": link.support, "evidence": link.evidence}
