"""``manage.py seed_load``: a shop full of made-up conversations and interactions, to measure pages and queries with."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from botcore.monitoring import rollup
from botcore.seeding import NotEmptyError, Size, seed


class Command(BaseCommand):
    help = "Fill a shop that nobody has talked to with made-up conversations and interactions, and count its metrics."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", metavar="SLUG", required=True, help="made where there is none")
        parser.add_argument("--conversations", type=_count, default=100_000)
        parser.add_argument("--interactions", type=_count, default=1_000_000)
        parser.add_argument("--seed", type=int, default=0, help="the same number makes the same rows")

    def handle(self, *args: Any, **options: Any) -> None:
        size, now = Size(options["conversations"], options["interactions"]), timezone.now()
        try:
            shop = seed(options["shop"], size, now, options["seed"], lambda what, count: self._tell(f"{count} {what}"))
        except NotEmptyError as error:
            raise CommandError(str(error)) from error
        rollup.roll(shop, now)
        self._tell("metrics counted")

    def _tell(self, line: str) -> None:
        self.stdout.write(line)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 100_000_000):
        raise ArgumentTypeError(f'"{text}" is no number from 1 to 100000000')
    return int(text)
