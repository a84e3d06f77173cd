"""What commands have in common: finding the shop, and the version of its model, that is meant."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser

from botcore.models import ModelVersion
from catalog.models import Shop


def add_shop(parser: CommandParser) -> None:
    parser.add_argument("--shop", default="", help="the shop's slug; may be left out where there is one shop")


def shop_of(slug: str) -> Shop:
    """The shop that is meant. Raises ``CommandError``."""
    shops = Shop.objects.filter(slug=slug) if slug else Shop.objects.all()
    found = list(shops[:2])
    if len(found) == 1:
        return found[0]
    known = ", ".join(Shop.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
    problem = f'no shop is called "{slug}"' if slug else "say which shop with --shop"
    raise CommandError(f"{problem}; there are: {known}")


def version_of(shop: Shop, name: str) -> ModelVersion:
    """The version of that name. Raises ``CommandError``."""
    version = ModelVersion.objects.filter(shop=shop, name=name).first()
    if version:
        return version
    known = ", ".join(ModelVersion.objects.filter(shop=shop).values_list("name", flat=True)[:10]) or "none yet"
    raise CommandError(f"{shop.name} has no version {name}; there are: {known}")
