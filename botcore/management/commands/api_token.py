"""``manage.py api_token --shop demo --name importer --role merchant``: a token of the API, also across shops."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from botcore.api import tokens
from botcore.roles import RIGHTS, Right, Role
from catalog.models import Shop


class Command(BaseCommand):
    help = "Make a token of the API. It is printed once; of several shops only this command makes one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="which program will hold it")
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--shop", action="append", metavar="SLUG", help="may be given several times")
        where.add_argument("--all-shops", action="store_true", help="the shops that there are now")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--role", choices=Role.values, help="what this role may do")
        what.add_argument("--right", action="append", choices=list(tokens.OFFERED), help="may be given several times")
        parser.add_argument("--days", type=int, default=365, help="how long it holds; 0: without end")

    def handle(self, *args: Any, **options: Any) -> None:
        rights = [Right(right) for right in options["right"] or RIGHTS[Role(options["role"])] & set(tokens.OFFERED)]
        days = options["days"]
        if not 0 <= days <= 3650:
            raise CommandError("--days is between 0 and 3650")
        ends = timezone.now() + timedelta(days=days) if days else None
        rows, token = tokens.make(_shops(options["shop"]), options["name"][:80], rights, expires_at=ends)
        slugs = ", ".join(row.shop.slug for row in rows)
        self.stderr.write(f"For {slugs}; may {', '.join(rows[0].rights)}. Keep it now: it is not shown again.")
        self.stdout.write(token)


def _shops(slugs: list[str] | None) -> list[Shop]:
    """The shops so named, or all. Raises ``CommandError``."""
    found = list(Shop.objects.filter(slug__in=slugs) if slugs else Shop.objects.all())
    if missing := sorted(set(slugs or ()) - {shop.slug for shop in found}):
        known = ", ".join(Shop.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"there is no shop {', '.join(missing)}; there are: {known}")
    if not found:
        raise CommandError("there is no shop yet")
    return found
