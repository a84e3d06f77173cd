"""``manage.py watch_texts FILE --stream NAME``: texts of a file into a stream, read at once."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from botcore.models import TextStream
from botcore.monitoring.surge_alerts import watch_surges
from botcore.streams import example, feeding
from catalog.ingest.command import SHOWN_ERRORS, feed_errors_stop
from catalog.ingest.readers import Row, read_rows
from catalog.ingest.records import RowError
from catalog.models import Shop
from workers import streams
from workers.management.commands._shop import add_shop, shop_of


class Command(BaseCommand):
    help = "Stores a file's texts (columns id, text, and where known at, author, language) in a stream and reads them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="CSV, TSV, XLSX, JSONL or YAML; the extension says which"
        )
        parser.add_argument("--stream", default="", help="its name; made where there is none")
        parser.add_argument(
            "--example", action="store_true", help="the bundled finance desk, ending now, instead of a file"
        )
        parser.add_argument("--encoding", default="utf-8-sig", help="of a text file; gb18030 for older Chinese exports")
        add_shop(parser)  # type: ignore[arg-type]

    def handle(self, *args: Any, **options: Any) -> None:
        shop, now = shop_of(options["shop"]), timezone.now()
        if options["example"]:
            stream, stored = example.load(shop, now)
        else:
            stream, stored = self._store(shop, options)
        read = streams.read_waiting(stream)
        self.stdout.write(f"{stream}: {stored.new} new, {stored.known} known already, {read} read")
        for alert in watch_surges(stream, now):
            self.stdout.write(self.style.WARNING(alert.sentence))

    def _store(self, shop: Shop, options: dict[str, Any]) -> tuple[TextStream, feeding.Stored]:
        path, name = options["file"], options["stream"].strip()
        if path is None or not name:
            raise CommandError("say which file, and which --stream it goes to (or --example)")
        with feed_errors_stop(path):
            rows = list(read_rows(path, options["encoding"]))
        records = self._records(rows)
        if not records:
            raise CommandError("nothing stored: no row is as it should be")
        stream = TextStream.objects.filter(shop=shop, name=name).first() or feeding.open_feed(shop, name)[0]
        if stream.kind != TextStream.Kind.FEED:
            raise CommandError(f'"{name}" fills itself with what customers write; choose another name')
        return stream, feeding.store(stream, records)

    def _records(self, rows: list[Row | RowError]) -> list[feeding.Record]:
        """The rows that are as they should be; the others are named on stderr."""
        found, wrong, now = [], [], timezone.now()
        for row in rows:
            if isinstance(row, RowError):
                wrong.append(row)
                continue
            line, said = row
            try:
                found.append(feeding.record_of({name.strip().lower(): value for name, value in said.items()}, now))
            except ValueError as problem:
                wrong.append(RowError(line, str(problem)))
        for each in wrong[:SHOWN_ERRORS]:
            self.stderr.write(str(each))
        if wrong:
            self.stderr.write(f"{len(wrong)} rows left out")
        return found
