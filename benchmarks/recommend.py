"""``make bench-recommend``: how well products are found and acts chosen on other people's data, beside baselines.

Prints the tables and writes them into docs/benchmarks.md between their markers. A database of its own, no generator.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botcore.dialogue.ports import Encoder

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench-recommend {}: written by the command -->", "<!-- end of {} -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder that holds pscon/"
    )
    parser.add_argument("--dry-run", action="store_true", help="print and leave docs/benchmarks.md alone")
    options = parser.parse_args()
    if not (options.data / "pscon" / "products.json").is_file():
        print(f"SKIPPED: PSCon is not in {options.data / 'pscon'}; nothing was measured or written")
        return
    tables = _tables(options.data / "pscon")
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


def _tables(folder: Path) -> dict[str, str]:
    """By the name of their markers."""
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

            encoder = load_encoder()
            return {"pscon": pscon_tables(folder, encoder, _say), "answers": _answers(encoder)}


def _answers(encoder: Encoder) -> str:
    """Both halves of the questions, asked of a demo shop made for it."""
    from django.conf import settings

    from benchmarks.answers import FILES, measure, table
    from catalog.demo.load import load_demo
    from workers.indexing import embed_changed

    _say("answers: the demo shop and its embeddings")
    shop = load_demo(settings.MEDIA_ROOT)
    embed_changed(shop.pk)
    measured = []
    for half in FILES:
        _say(f"answers: the {half} half")
        measured.append(f"{half}:\n\n{table(measure(half, encoder, shop))}")
    return "\n\n".join(measured)


def _say(step: str) -> None:
    print(f"... {step}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
