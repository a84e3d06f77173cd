"""``manage.py rollback``: the customers get back what wrote for them before."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.learning import versions
from workers.management.commands import _standing
from workers.management.commands._report import add_json, tell
from workers.management.commands._shop import add_by, add_shop, person_of, shop_of, version_of


class Command(BaseCommand):
    help = "End the canary, or put back what was live before; takes effect with the next turn."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", nargs="?", help="the version to take back; without it whatever came last")
        parser.add_argument("--reason", default="")
        add_by(parser)  # type: ignore[arg-type]
        add_json(parser)  # type: ignore[arg-type]
        add_shop(parser)  # type: ignore[arg-type]

    def handle(self, *args: Any, **options: Any) -> None:
        shop, by = shop_of(options["shop"]), person_of(options["by"])
        named = version_of(shop, options["version"]) if options["version"] else None
        before = _standing.standings(shop)
        try:
            versions.rollback(shop, by, reason=options["reason"], version=named)
        except versions.RefusedError as error:
            raise CommandError(str(error)) from error
        tell(self, _standing.report(shop, before), options["json"], _standing.as_text)
