"""``make bench-recommend``: how well products are found and acts chosen on other people's data, beside baselines.

Prints the tables and writes them into docs/benchmarks.md between their markers. A database of its own, no generator.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
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
    if not (options.data / "pscon" / "products.json").is_file():
        print(f"SKIPPED: PSCon is not in {options.data / 'pscon'}; nothing was measured or written")
        return
    tables = {"pscon": _pscon(options.data / "pscon")}
    if options.search:
        tables["search"] = search_table([int(size) for size in options.search.split(",")], None, _say)
    for name, measured in tables.items():
        print(measured)
        if not options.dry_run:
            DOCUMENT.write_text(put(DOCUMENT.read_text(encoding="utf-8"), name, measured), encoding="utf-8")


def put(document: str, name: str, measured: str) -> str:
    """``document`` with ``measured`` between the markers of ``name``. Raises ``ValueError`` where they are missing."""
    begin, end = BEGIN.format(name), END.format(name)
    before, found_begin, rest = document.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"docs/benchmarks.md has no line {begin} followed by {end}")
    return f"{before}{begin}\n\n{measured}\n\n{end}{after}"


def _pscon(folder: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="daogou-bench-") as var:
        os.environ.update(VAR_DIR=var, DJANGO_SETTINGS_MODULE="botcore.settings", LOG_LEVEL="WARNING")
        os.environ.pop("DATABASE_URL", None)
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        from botcore.embedded_postgres import borrowed

        assert settings.EMBEDDED_POSTGRES is not None
        with borrowed(settings.EMBEDDED_POSTGRES):
            call_command("migrate", verbosity=0, interactive=False)
            from benchmarks.pscon import pscon_tables
            from workers.engine import load_encoder

            return pscon_tables(folder, load_encoder(), _say)


def _say(step: str) -> None:
    print(f"... {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
