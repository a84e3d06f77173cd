"""``manage.py promote VERSION``: one step towards the customers, or all of them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.learning import versions
from botcore.models import ModelVersion
from workers.management.commands import _standing
from workers.management.commands._report import add_json, tell
from workers.management.commands._shop import add_by, add_shop, person_of, shop_of, version_of

STATES = [state for state in ModelVersion.State.values if state != ModelVersion.State.RETIRED]


class Command(BaseCommand):
    help = "Let a version write beside (shadow), for a share of the conversations (canary), or for all (live)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version")
        parser.add_argument("--to", choices=STATES, default=ModelVersion.State.CANARY)
        parser.add_argument("--share", type=int, default=versions.CANARY_SHARE, help="percent, of a canary")
        parser.add_argument("--reason", default="")
        add_by(parser)  # type: ignore[arg-type]
        add_json(parser)  # type: ignore[arg-type]
        add_shop(parser)  # type: ignore[arg-type]

    def handle(self, *args: Any, **options: Any) -> None:
        shop, by = shop_of(options["shop"]), person_of(options["by"])
        version, before = version_of(shop, options["version"]), _standing.standings(shop)
        try:
            versions.move(version, options["to"], by, reason=options["reason"], share=options["share"])
        except versions.RefusedError as error:
            raise CommandError(str(error)) from error
        tell(self, _standing.report(shop, before), options["json"], _standing.as_text)
