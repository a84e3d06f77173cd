"""What the two import commands share: their options, the shop they write to, and how they report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from catalog.ingest.readers import FeedError
from catalog.ingest.records import RowError
from catalog.ingest.write import ImportReport
from catalog.models import Shop

SHOWN_ERRORS = 100


class ImportCommand(BaseCommand):
    """Subclasses read the whole file before they ask for ``shop``: a broken file changes nothing."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, TSV, XLSX, JSONL or YAML; the extension says which")
        parser.add_argument("--shop", required=True, help="slug of the shop to import into")
        parser.add_argument("--create-shop", action="store_true", help="make the shop if there is none of that slug")
        parser.add_argument("--name", help="of a new shop; its slug where left out")
        parser.add_argument("--currency", help="of a new shop, ISO 4217; USD where left out")
        parser.add_argument("--language", help="of a new shop's texts; en where left out")
        parser.add_argument("--encoding", default="utf-8-sig", help="of a text file; gb18030 for older Chinese exports")
        parser.add_argument("--dry-run", action="store_true", help="report what would happen and change nothing")

    def shop(self, options: dict[str, Any]) -> Shop:
        """The shop meant, not yet saved where it is new."""
        said = {name: options[name] for name in ("currency", "language") if options[name]}
        shop = Shop.objects.filter(slug=options["shop"]).first()
        if shop is None:
            if not options["create_shop"]:
                known = ", ".join(Shop.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
                raise CommandError(f"no shop {options['shop']!r} (there are: {known}); add --create-shop to make it")
            return self._new_shop(options, said)
        for name, value in said.items():
            if getattr(shop, name) != value:
                raise CommandError(f"shop {shop.slug} has {name} {getattr(shop, name)}; leave --{name} out")
        return shop

    def _new_shop(self, options: dict[str, Any], said: dict[str, str]) -> Shop:
        shop = Shop(slug=options["shop"], name=options["name"] or options["shop"], **said)
        try:
            shop.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        if not (len(shop.currency) == 3 and shop.currency.isalpha() and shop.currency.isupper()):
            raise CommandError(f"currency {shop.currency!r}: write a code of three capitals, such as USD")
        return shop

    @contextmanager
    def writing(self, shop: Shop, *, dry_run: bool) -> Iterator[None]:
        """``shop`` saved; everything undone again on a dry run."""
        if not dry_run:
            if shop.pk is None:
                shop.save()
            yield
            return
        with transaction.atomic():
            if shop.pk is None:
                shop.save()
            yield
            transaction.set_rollback(True)

    def finish(self, report: ImportReport, errors: Iterable[RowError], *, what: str, dry_run: bool) -> None:
        """Prints rows that did not go in and the sums. Raises ``CommandError`` (exit code 1) if nothing went in."""
        bad = sorted([*errors, *report.errors], key=lambda error: error.line)
        for error in bad[:SHOWN_ERRORS]:
            self.stderr.write(str(error))
        if len(bad) > SHOWN_ERRORS:
            self.stderr.write(f"... and {len(bad) - SHOWN_ERRORS} more rows")
        sums = (
            f"{what}: {report.created} created, {report.updated} updated, {report.unchanged} unchanged, "
            f"{len(bad)} {'row' if len(bad) == 1 else 'rows'} left out"
        )
        if not report.stored:
            raise CommandError(f"nothing imported. {sums}")
        self.stdout.write(f"dry run, nothing written. {sums}" if dry_run else sums)


@contextmanager
def feed_errors_stop(path: Path) -> Iterator[None]:
    try:
        yield
    except FeedError as error:
        raise CommandError(f"{error}. Nothing was changed by {path.name}.") from error
