"""One size of ``benchmarks/search.py``, in a process with a database of its own. The last line printed is JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.search import JUDGED, MIB, NEAREST, QUERIES, Asked

if TYPE_CHECKING:
    from benchmarks.goods import Assortment, Floats, Good
    from botcore.dialogue.ports import Encoder
    from catalog.models import Shop

SLUG = "generated"
SEED = 5
OUTLIER = 0.5
"""Length of the noise added to a query's vector: customers do not write as products do."""
WARM = 60
MESSAGES = 40
CHANGED = 20


def main() -> None:
    size, folder = int(sys.argv[1]), Path(sys.argv[2])
    from botcore.installation import scratch_installation

    with scratch_installation(folder / str(size)):
        print(json.dumps(measured(size, folder)))


def measured(size: int, folder: Path) -> dict[str, str]:
    """Every row of the table for one size."""
    from benchmarks.goods import Assortment
    from catalog.models import Shop
    from workers.engine import load_encoder

    rows: dict[str, str] = {}
    assortment, encoder = Assortment(size), load_encoder()
    seeds = _seeds(folder, encoder)
    loaded = folder / str(size) / "loaded.json"
    if not Shop.objects.filter(slug=SLUG).exists():
        loaded.write_text(json.dumps(_load(assortment, seeds)))
    rows |= json.loads(loaded.read_text())
    shop = Shop.objects.get(slug=SLUG)
    rows |= _sizes()
    goods = list(islice(assortment.goods(), 3000))
    asked = list(islice(queries(shop, assortment, goods, seeds), QUERIES))
    rows |= _searches(asked)
    rows["recall@10 of the nearest, against an exact scan"] = f"{_recall(asked):.3f}"
    rows |= _conversation(shop, assortment, goods, encoder)
    rows |= _changes(shop, assortment, goods)
    return rows


def queries(shop: Shop, assortment: Assortment, goods: Sequence[Good], seeds: dict[str, Floats]) -> Iterator[Asked]:
    """What customers ask for, a product in mind, kind after kind: as the dialogue asks, words with their vector."""
    from botcore.dialogue.find import CONSIDERED
    from botcore.dialogue.thesaurus import thesaurus
    from catalog.search import ProductQuery, Wish
    from catalog.text import segment

    rng = np.random.default_rng(SEED)
    for good in goods:
        thing, colour = assortment.things[good.kind], good.attributes["color"][0]
        material, feature = good.attributes["material"][0], good.attributes["feature"][0]
        department = f"d{assortment.department(good.kind)}"
        category = f"{department}/k{good.kind}"
        price = Decimal(good.variants[0][1]) / 100
        near = seeds[thing][int(rng.integers(len(seeds[thing])))] + rng.normal(0, OUTLIER / 384**0.5, 384)
        vector = (near / np.linalg.norm(near)).astype(np.float32)
        chinese = segment(f"{thesaurus().chinese_name(colour)} {thesaurus().chinese_name(thing)}")

        def asks(*words: str, vector: Floats | None = vector, **conditions: object) -> ProductQuery:
            return ProductQuery(shop, words, vector, limit=CONSIDERED, **conditions)  # type: ignore[arg-type]

        is_colour, of_material = Wish("color", (colour,)), Wish("material", (material,))
        yield Asked("words", asks(good.title.split()[1], thing))
        yield Asked("words alone, no vector", asks(good.title.split()[1], thing, vector=None))
        yield Asked("Chinese words", asks(*chinese.split()))
        yield Asked("category", asks(thing, category=category))
        yield Asked(
            "category, wish, price",
            asks(colour, thing, category=category, wishes=(is_colour,), price_high=price * Decimal("1.2")),
        )
        yield Asked(
            "department, soft wish", asks(colour, thing, category=department, soft=(is_colour,), title=(thing,))
        )
        yield Asked("one wish in the whole shop", asks(colour, wishes=(is_colour,)))
        yield Asked(
            "three wishes", asks(colour, good.brand, wishes=(is_colour, of_material, Wish("brand", (good.brand,))))
        )
        yield Asked(
            "ruled out",
            asks(
                thing,
                category=category,
                wishes=(Wish("color", (colour,), wanted=False), Wish("text", (material,), wanted=False)),
            ),
        )
        yield Asked("wish for words", asks(feature, thing, category=department, wishes=(Wish("text", (feature,)),)))
        yield Asked("price alone", asks(vector=None, price_high=price))
        yield Asked("cheapest of a category", asks(category=category, vector=None, order="price"))
        yield Asked("nothing fits", asks(colour, category=category, wishes=(is_colour,), price_high=Decimal("0.01")))


def _seeds(folder: Path, encoder: Encoder) -> dict[str, Floats]:
    """The encoder's vectors of every kind's passages, made once for all sizes."""
    from benchmarks.goods import PRODUCTS_A_KIND, Assortment, seed_vectors

    file = folder / "seeds.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(file, **seed_vectors(Assortment(1000 * PRODUCTS_A_KIND), encoder))  # type: ignore[arg-type]
    return dict(np.load(file))


def _load(assortment: Assortment, seeds: dict[str, Floats]) -> dict[str, str]:
    """Fill the tables without their indexes, then build each."""
    from django.db import connection

    from benchmarks.goods import store
    from catalog.models import Shop

    shop = Shop.objects.create(slug=SLUG, name="Generated")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('catalog_product', 'catalog_variant')"
            " AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        )
        indexes = cursor.fetchall()
        cursor.execute("; ".join(f"DROP INDEX {name}" for name, _ in indexes))
    rows = {"making and loading": f"{_timed(lambda: store(shop, assortment, seeds)).wall / 1000:.0f} s"}
    built: dict[str, float] = {}
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1500MB'")
        for name, definition in indexes:
            built[name] = _timed(lambda sql=definition: cursor.execute(sql)).wall / 1000  # type: ignore[misc]
        cursor.execute("RESET maintenance_work_mem")
        cursor.execute("VACUUM ANALYZE")
    rows["building the vector index"] = f"{built.pop('product_embedding'):.1f} s"
    rows["building the other indexes"] = f"{sum(built.values()):.1f} s"
    return rows


def _sizes() -> dict[str, str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_table_size(oid)) FILTER (WHERE relkind = 'r'),"
            " sum(pg_relation_size(oid)) FILTER (WHERE relname = 'product_embedding'),"
            " sum(pg_relation_size(oid)) FILTER (WHERE relkind = 'i' AND relname <> 'product_embedding')"
            " FROM pg_class WHERE relname LIKE 'catalog_product%' OR relname LIKE 'catalog_variant%'"
            " OR relname LIKE 'product\\_%' OR relname LIKE 'variant\\_%'"
        )
        table, vectors, others = cursor.fetchone()
    return {
        "tables / vector index / other indexes": f"{table / MIB:.0f} / {vectors / MIB:.0f} / {others / MIB:.0f} MiB",
    }


def _searches(asked: Sequence[Asked]) -> dict[str, str]:
    """Each query once, after others of all kinds."""
    from catalog.search import search_products

    for one in asked[:WARM]:
        search_products(one.query)
    times: dict[str, list[Took]] = {}
    for one in asked:
        took = _timed(lambda query=one.query: search_products(query))  # type: ignore[misc]
        times.setdefault(one.kind, []).append(took)
    every = [took for listed in times.values() for took in listed]
    rows = {f"search, {len(every)} mixed queries": _percentiles(every)}
    return rows | {f"- {kind}": _percentiles(listed) for kind, listed in times.items()} | _memory()


def _memory() -> dict[str, str]:
    """Of the database's process that served the queries; shared buffers are counted once, as far as it touched them."""
    pid = _backend()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    resident = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Rss"))
    shared = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Shmem"))
    return {"memory of the backend, of it shared buffers": f"{resident / 1024:.0f} / {shared / 1024:.0f} MiB"}


def _recall(asked: Sequence[Asked]) -> float:
    """The mean share of the exact ten nearest that the vector branch brings, over queries of every kind with a vector."""
    from catalog import candidates
    from catalog.search import matching

    shares = []
    judged = [one.query for one in asked if one.query.embedding is not None][:: max(1, len(asked) // JUDGED)]
    for query in judged:
        vector = query.embedding
        assert vector is not None
        rows = matching(query)
        with candidates._planner(enable_indexscan="off"):
            exact = list(candidates._by_distance(rows, vector)[:NEAREST])
        matches = candidates.matches_of(rows)
        found = (candidates.compared(matches, vector, (), NEAREST) or candidates.nearest(matches, vector))[:NEAREST]
        if exact:
            shares.append(len(set(exact) & set(found)) / len(exact))
    return float(np.mean(shares))


def _conversation(shop: Shop, assortment: Assortment, goods: Sequence[Good], encoder: Encoder) -> dict[str, str]:
    """Whole messages, answered from phrases, and what the shop's words cost to read."""
    from botcore.dialogue.lexicon.kept import lexicon_of
    from botcore.dialogue.pipeline import respond
    from botcore.dialogue.ports import Ports
    from botcore.dialogue.state import DialogueState
    from botcore.dialogue.thesaurus import thesaurus
    from workers.engine import load_reader

    before = _resident()
    took = _timed(lambda: lexicon_of(shop))
    rows = {
        "the shop's words: reading / memory": f"{took.wall / 1000:.1f} s / {max(0, _resident() - before) / MIB:.0f} MiB"
    }
    ports = Ports(encoder, load_reader(), None)
    messages = []
    for number in range(MESSAGES + 4):
        good = goods[number]
        thing, colour = assortment.things[good.kind], good.attributes["color"][0]
        text = (
            f"I am looking for a {colour} {thing}",
            f"a {good.attributes['feature'][0]} {thing} under {good.variants[0][1] // 100 + 5} please",
            f"有没有{thesaurus().chinese_name(colour)}的{thesaurus().chinese_name(thing)}",
            f"{thing} by {good.brand}, not in {colour}",
        )[number % 4]
        messages.append(
            _timed(
                lambda text=text: respond(  # type: ignore[misc]
                    shop, text, DialogueState(), ports, samples=0, seed=0, deadline=time.monotonic() + 60
                )
            )
        )
    return rows | {"a message answered from phrases": _percentiles(messages[4:])}


def _changes(shop: Shop, assortment: Assortment, goods: Sequence[Good]) -> dict[str, str]:
    """One product of the catalogue changed by a feed, and its vector stored."""
    from catalog.ingest.records import ProductRecord, VariantRecord
    from catalog.ingest.write import upsert_products
    from catalog.models import Product

    upserts, vectors = [], []
    for good in goods[:CHANGED]:
        record = ProductRecord(
            sku=f"S{good.number}",
            title=f"{good.title} renewed",
            category=(f"d{assortment.department(good.kind)}", f"k{good.kind}"),
            variants=tuple(
                VariantRecord(f"S{good.number}-{i}", Decimal(cents) / 100, stock, {"size": [size]})
                for i, (size, cents, stock) in enumerate(good.variants)
            ),
            brand=good.brand,
            attributes=good.attributes,
        )
        upserts.append(_timed(lambda record=record: upsert_products(shop, [record])))  # type: ignore[misc]
        row = Product.objects.filter(shop=shop, sku=record.sku)
        vector = row.get().embedding
        vectors.append(_timed(lambda row=row, vector=vector: row.update(embedding=vector)))  # type: ignore[misc]
    return {
        "one product imported": _percentiles(upserts),
        "one vector stored": _percentiles(vectors),
    }


@dataclass(frozen=True)
class Took:
    """Milliseconds by the wall clock, and of processor time in this process and the database's: a busy machine adds waiting."""

    wall: float
    processor: float


def _timed(work: Callable[[], object]) -> Took:
    processor, begun = _processor_ms(), time.perf_counter()
    work()
    wall = (time.perf_counter() - begun) * 1000
    return Took(wall, _processor_ms() - processor)


def _percentiles(times: Sequence[Took]) -> str:
    wall, processor = ([getattr(took, name) for took in times] for name in ("wall", "processor"))
    return (
        f"{np.percentile(wall, 50):.0f} / {np.percentile(wall, 95):.0f} ms"
        f" ({np.percentile(processor, 50):.0f} / {np.percentile(processor, 95):.0f})"
    )


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _processor_ms() -> float:
    """Processor time of this process and of the database's for it: what the wall clock would be on an idle machine."""
    database = int(Path(f"/proc/{_backend()}/schedstat").read_text().split()[0])
    return time.process_time() * 1000 + database / 1e6


def _backend() -> int:
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


if __name__ == "__main__":
    main()
