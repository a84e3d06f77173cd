"""``manage.py import_products FILE --shop SLUG``; docs/importing.md says what a feed may look like."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from catalog.ingest.command import ImportCommand, feed_errors_stop
from catalog.ingest.mapping import PRODUCT_FIELDS, Mapping
from catalog.ingest.products import read_products
from catalog.ingest.readers import read_rows
from catalog.ingest.write import ImportReport, upsert_products


class Command(ImportCommand):
    help = "Imports products from a file, by SKU: new ones are created, changed ones updated, the rest not touched."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--mapping", help="what the columns mean: a YAML file, or a built-in (aws-retail-demo)")
        parser.add_argument(
            "--default",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="what rows say that leave FIELD empty; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path, dry_run = options["file"], options["dry_run"]
        shop = self.shop(options)
        with feed_errors_stop(path):
            mapping = _with_defaults(options["mapping"], options["default"])
            rows = read_rows(path, options["encoding"])
            reading = read_products(rows, mapping, currency=shop.currency, language=shop.language)
        report = ImportReport()
        if reading.records:
            quiet = not sys.stderr.isatty()
            with self.writing(shop, dry_run=dry_run), Progress(console=Console(stderr=True), disable=quiet) as bar:
                task = bar.add_task("Products", total=len(reading.records))
                report = upsert_products(shop, reading.records, lambda done: bar.advance(task, done))
        for note in reading.notes:
            self.stdout.write(note)
        self.finish(report, reading.errors, what="products", dry_run=dry_run)


def _with_defaults(name: str | None, defaults: list[str]) -> Mapping:
    mapping = Mapping.load(name) if name else Mapping()
    said: dict[str, str] = {}
    for default in defaults:
        field, _, value = default.partition("=")
        if field not in PRODUCT_FIELDS or not value:
            raise CommandError(f"--default {default}: write FIELD=VALUE with one of {', '.join(PRODUCT_FIELDS)}")
        said[field] = value
    return replace(mapping, defaults={**mapping.defaults, **said})
