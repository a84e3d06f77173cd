"""What commands have in common: finding the shop, the version of its model and the person that is meant."""

from __future__ import annotations

from django.contrib.auth.models import User
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


def add_by(parser: CommandParser) -> None:
    parser.add_argument("--by", default="", metavar="USERNAME", help="who does it, to be kept with it")


def person_of(username: str) -> User | None:
    """Who is meant; None where nobody is named. Raises ``CommandError``."""
    if not username:
        return None
    try:
        return User.objects.get_by_natural_key(username)
    except User.DoesNotExist as error:
        raise CommandError(f"nobody is called {username}; --by takes the name that they sign in with") from error


def version_of(shop: Shop, name: str) -> ModelVersion:
    """The version of that name. Raises ``CommandError``."""
    version = ModelVersion.objects.filter(shop=shop, name=name).first()
    if version:
        return version
    known = ", ".join(ModelVersion.objects.filter(shop=shop).values_list("name", flat=True)[:10]) or "none yet"
    raise CommandError(f"{shop.name} has no version {name}; there are: {known}")
