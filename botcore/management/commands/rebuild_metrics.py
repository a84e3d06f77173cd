"""``manage.py rebuild_metrics``: count a shop's metrics anew from its rows, from the first conversation on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from botcore.monitoring import rollup
from catalog.models import Shop


class Command(BaseCommand):
    help = "Count the metrics of a shop, or of all, anew: after contacts were linked to customers, or an older version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", metavar="SLUG", help="of this shop alone")

    def handle(self, *args: Any, **options: Any) -> None:
        shops = Shop.objects.order_by("pk")
        if slug := options["shop"]:
            shops = shops.filter(slug=slug)
            if not shops:
                raise CommandError(f'there is no shop "{slug}"')
        for shop in shops:
            rollup.rebuild(shop)
            rollup.roll(shop, timezone.now())
            self.stdout.write(f"{shop.slug}: counted anew")
