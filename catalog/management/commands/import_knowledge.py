"""``manage.py import_knowledge FILE --shop SLUG``: policies and answers to frequent questions."""

from __future__ import annotations

from typing import Any

from catalog.ingest.articles import read_articles
from catalog.ingest.command import ImportCommand, feed_errors_stop
from catalog.ingest.readers import read_rows
from catalog.ingest.write import ImportReport, upsert_articles


class Command(ImportCommand):
    help = "Imports articles with a title and a body each, by slug and language."

    def handle(self, *args: Any, **options: Any) -> None:
        path, dry_run = options["file"], options["dry_run"]
        shop = self.shop(options)
        with feed_errors_stop(path):
            records, errors = read_articles(read_rows(path, options["encoding"]), language=shop.language)
        report = ImportReport()
        if records:
            with self.writing(shop, dry_run=dry_run):
                report = upsert_articles(shop, records)
        self.finish(report, errors, what="articles", dry_run=dry_run)
