"""``make bench-recommend``: how well products are found and acts chosen, on other people's data and with simulated
shoppers, beside baselines.

Prints the tables and writes them into docs/benchmarks.md between their markers. A database of its own, no generator.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.search import search_table

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench-recommend {}: written by the command -->", "<!-- end of {} -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder that holds pscon/"
    )
    parser.add_argument("--dry-run", action="store_true", help="print and leave docs/benchmarks.md alone")
    parser.add_argument(
        "--search", default="", metavar="SIZES", help="also how search grows: numbers of products, with commas between"
    )
    options = parser.parse_args()
    for name, measured in measured_tables(
        options.data / "pscon", [int(size) for size in options.search.split(",") if size]
    ):
        print(measured, flush=True)
        if not options.dry_run:
            DOCUMENT.write_text(put(DOCUMENT.read_text(encoding="utf-8"), name, measured), encoding="utf-8")


def measured_tables(pscon: Path, search_sizes: Sequence[int]) -> Iterator[tuple[str, str]]:
    """The tables by the name of their place in the document, each as soon as it is measured."""
    with _own_database():
        from benchmarks.answers import answers_table
        from benchmarks.pscon import pscon_tables
        from benchmarks.simulator.run import simulator_table
        from workers.engine import load_encoder, load_reader

        if (pscon / "products.json").is_file():
            yield "pscon", pscon_tables(pscon, load_encoder(), load_reader(), _say)
        else:
            _say(f"SKIPPED: PSCon is not in {pscon}; its tables were neither measured nor written")
        yield "simulator", simulator_table(_say)
        yield "answers", answers_table(_say)
    if search_sizes:
        yield "search", search_table(search_sizes, None, _say)


def put(document: str, name: str, measured: str) -> str:
    """``document`` with ``measured`` between the markers of ``name``. Raises ``ValueError`` where they are missing."""
    begin, end = BEGIN.format(name), END.format(name)
    before, found_begin, rest = document.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"docs/benchmarks.md has no line {begin} followed by {end}")
    return f"{before}{begin}\n\n{measured}\n\n{end}{after}"


@contextmanager
def _own_database() -> Iterator[None]:
    """Django with an empty database that is gone afterwards."""
    from botcore.installation import scratch_installation

    with tempfile.TemporaryDirectory(prefix="daogou-bench-") as folder, scratch_installation(Path(folder)):
        yield


def _say(step: str) -> None:
    print(f"... {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
