"""``python -m benchmarks.search``: how search grows with the catalogue, on generated products (``benchmarks/goods.py``).

For each size a database of its own: how long loading and indexing take, how large table and indexes are, p50 and p95 of
``search_products`` by kind of query (warm, one connection), recall@10 of the vector branch against an exact scan, what a
whole message and a change of one product take, and what the shop's lexicon costs. A million takes about an hour.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.markdown import table

ROOT = Path(__file__).resolve().parents[1]

if TYPE_CHECKING:
    from catalog.search import ProductQuery

SIZES = (1_000, 10_000, 100_000)
QUERIES = 500
JUDGED = 40
"""Queries whose nearest products are also found by an exact scan."""
NEAREST = 10
MIB = 1024 * 1024


@dataclass(frozen=True)
class Asked:
    """A query with what kind it is."""

    kind: str
    query: ProductQuery


@dataclass(frozen=True)
class Measured:
    """One size: row name -> text."""

    size: int
    rows: dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of products, with commas between")
    parser.add_argument("--keep", type=Path, help="keep the databases in this folder and use what is there")
    options = parser.parse_args()
    sizes = sorted(int(size) for size in options.sizes.split(","))
    print(search_table(sizes, options.keep, lambda step: print(f"... {step}", file=sys.stderr, flush=True)))


def search_table(sizes: Sequence[int], keep: Path | None, say: Callable[[str], None]) -> str:
    """The table as Markdown, a column a size. Each size is measured in a process of its own: settings hold one database."""
    measured = []
    with tempfile.TemporaryDirectory(prefix="daogou-search-") as scratch:
        folder = keep or Path(scratch)
        for size in sizes:
            say(f"search: {size:,} products")
            command = [sys.executable, "-m", "benchmarks.search_one", str(size), str(folder)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
            measured.append(Measured(size, json.loads(done.stdout.splitlines()[-1])))
    names = list(dict.fromkeys(name for one in measured for name in one.rows))
    head = ("generated products", *(f"{one.size:,}" for one in measured))
    return table(head, [(name, *(one.rows.get(name, "") for one in measured)) for name in names])


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
