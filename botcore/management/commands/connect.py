"""``manage.py connect telegram --shop demo --config token=...``: register a shop's presence on a platform."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from botcore.channels.base import Channel
from botcore.channels.registry import CHANNELS, channel_class, channel_for, webhook_url
from botcore.models import ChannelAccount
from botcore.security import seal, unseal
from catalog.models import Shop


class Command(BaseCommand):
    help = "Connect a shop to a messaging platform. Connecting again renews the secrets and keeps the address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", help=f"one of {', '.join(sorted(CHANNELS))}")
        parser.add_argument("--shop", required=True, metavar="SLUG")
        parser.add_argument(
            "--config", action="append", default=[], metavar="NAME=VALUE", help="may be given several times"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            platform = channel_class(options["channel"])
            config = platform.prepare_config(dict(_pair(text) for text in options["config"]))
            shop = Shop.objects.get(slug=options["shop"])
        except (LookupError, ValueError) as error:
            raise CommandError(str(error)) from error
        except Shop.DoesNotExist as error:
            known = ", ".join(Shop.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f'there is no shop "{options["shop"]}"; there are: {known}') from error
        account = register(shop, platform, config)
        for line in channel_for(account).connect(webhook_url(account)):
            self.stdout.write(line)


def register(shop: Shop, platform: type[Channel], config: dict[str, Any]) -> ChannelAccount:
    """The account for this configuration: a new one, or the shop's own with the same identity, renewed."""
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)
        for account in ChannelAccount.objects.filter(shop=shop, channel=platform.name).order_by("pk"):
            if platform.identity(unseal(account.sealed_config)) == platform.identity(config):
                account.sealed_config = seal(config)
                account.active = True
                account.save(update_fields=["sealed_config", "active"])
                return account
        return ChannelAccount.objects.create(shop=shop, channel=platform.name, sealed_config=seal(config))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f'--config "{text}" is not NAME=VALUE')
    return name.strip(), value.strip()
