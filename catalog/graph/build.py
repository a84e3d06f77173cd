"""The links of a shop, made anew from what customers did and what the catalogue says. Merchants' edits and vetoes stay."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Min

from catalog.graph.associations import Pair, associated
from catalog.graph.series import Named, series_of, words_of
from catalog.models import AttributeValue, Category, Interaction, Product, ProductLink, Shop

Kind, Origin = ProductLink.Kind, ProductLink.Origin

REMEMBERED = timedelta(days=365)
PAUSE = timedelta(hours=3)
"""Ends a visit."""
LARGEST_VISIT = 40
"""Products; visits of robots and wholesalers say nothing about what goes together."""
BASKETS, VISITS = 3, 4
"""The least support of a link from baskets and of one from visits."""
KEPT = 8
"""Links of a kind that a product keeps, the strongest."""
CHEAPER = 0.5
"""An accessory costs at most this share of what it belongs to."""
EDITED = (Origin.MERCHANT, Origin.VETO)


@dataclass(frozen=True)
class Link:
    """A computed link by product ids, comparable to a stored one."""

    source: int
    target: int
    kind: str
    origin: str
    weight: float
    support: int

    @property
    def key(self) -> tuple[int, int, str]:
        return self.source, self.target, self.kind


@dataclass(frozen=True)
class Rebuilt:
    """How many computed links there are after a rebuild, and how many rows it wrote."""

    links: int
    written: int


@dataclass(frozen=True)
class Goods:
    """A product as the statistics see it. ``price`` is that of its cheapest variant."""

    category: int
    price: float


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
    prices = Product.objects.filter(shop=shop, active=True).annotate(price=Min("variants__price"))
    rows = prices.exclude(price=None).values_list("pk", "category_id", "price")
    goods = {pk: Goods(category, float(price)) for pk, category, price in rows}
    baskets, visits = _read(shop, now, goods)
    links = [*complements(baskets, goods), *substitutes(visits, baskets), *_series(shop)]
    return _strongest(links)


def complements(baskets: Sequence[frozenset[int]], goods: dict[int, Goods]) -> Iterator[Link]:
    """Goes-with and accessory links from baskets. Two products of one category are rather alternatives."""
    together = Counter[tuple[int, int]]()
    alone = Counter[int]()
    for basket in baskets:
        categories = sorted({goods[pk].category for pk in basket})
        alone.update(categories)
        together.update(itertools.permutations(categories, 2))
    for pair in associated(baskets, BASKETS):
        if goods[pair.one].category == goods[pair.other].category:
            continue
        small, large = sorted((pair.one, pair.other), key=lambda pk: goods[pk].price)
        depends = together[goods[small].category, goods[large].category] / alone[goods[small].category]
        depended = together[goods[small].category, goods[large].category] / alone[goods[large].category]
        if goods[small].price <= CHEAPER * goods[large].price and depends >= depended:
            yield _link(small, large, Kind.ACCESSORY_OF, Origin.CO_PURCHASE, pair)
        else:
            yield from _both(pair, Kind.GOES_WITH, Origin.CO_PURCHASE)


def substitutes(visits: dict[int, list[frozenset[int]]], baskets: Sequence[frozenset[int]]) -> Iterator[Link]:
    """Links between products of one category that are looked at together and never bought together."""
    bought = {pair for basket in baskets for pair in itertools.combinations(sorted(basket), 2)}
    for seen in visits.values():
        for pair in associated(seen, VISITS):
            if (pair.one, pair.other) not in bought:
                yield from _both(pair, Kind.SUBSTITUTE_FOR, Origin.CO_VIEW)


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
    shop: Shop, now: datetime, goods: dict[int, Goods]
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


def _link(source: int, target: int, kind: str, origin: str, pair: Pair) -> Link:
    return Link(source, target, kind, origin, round(pair.weight, 3), pair.together)


def _both(pair: Pair, kind: str, origin: str) -> Iterator[Link]:
    yield _link(pair.one, pair.other, kind, origin, pair)
    yield _link(pair.other, pair.one, kind, origin, pair)


def _strongest(links: Sequence[Link]) -> list[Link]:
    """The ``KEPT`` strongest of each product and kind; of accessories, of what they belong to."""
    owned: defaultdict[tuple[int, str], list[Link]] = defaultdict(list)
    for link in links:
        owned[link.target if link.kind == Kind.ACCESSORY_OF else link.source, link.kind].append(link)
    return [
        link
        for listed in owned.values()
        for link in sorted(listed, key=lambda link: (-link.weight, link.source, link.target))[:KEPT]
    ]


def _replace(shop: Shop, stored: Sequence[ProductLink], wanted: dict[tuple[int, int, str], Link]) -> int:
    """Write the difference between the stored and the wanted links; how many rows that took."""
    known = {(row.source_id, row.target_id, row.kind): row for row in stored}
    gone = [row.pk for key, row in known.items() if key not in wanted]
    new = [
        ProductLink(
            shop=shop, source_id=link.source, target_id=link.target, kind=link.kind, origin=link.origin,
            weight=link.weight, support=link.support,
        )
        for key, link in wanted.items()
        if key not in known
    ]  # fmt: skip
    changed = []
    for key, row in known.items():
        link = wanted.get(key)
        if link and (row.origin, row.weight, row.support) != (link.origin, link.weight, link.support):
            row.origin, row.weight, row.support = link.origin, link.weight, link.support
            changed.append(row)
    ProductLink.objects.filter(pk__in=gone).delete()
    ProductLink.objects.bulk_create(new, batch_size=1_000)
    ProductLink.objects.bulk_update(changed, ["origin", "weight", "support"], batch_size=1_000)
    return len(gone) + len(new) + len(changed)
