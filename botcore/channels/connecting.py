"""Connecting a shop to a platform, for the console and the command line alike.

Whoever connects waits in front of it: a platform that does not answer is left after a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from django.db import connection, transaction

from botcore.channels.base import Channel, Check
from botcore.channels.registry import CHANNELS, channel_class, channel_for, webhook_url
from botcore.environment import ConfigurationError
from botcore.models import ChannelAccount
from botcore.security import seal, unseal
from catalog.models import Shop

log = structlog.get_logger(__name__)

T = TypeVar("T")

OFFERED = tuple(name for name in CHANNELS if name != "terminal")
"""What a shop can be connected to; the terminal is there without."""
SECONDS = 8.0
"""How long a platform is waited for at most."""


def stored(account: ChannelAccount) -> dict[str, Any]:
    """The account's configuration with its secrets opened; empty where this SECRET_KEY does not open them."""
    try:
        return unseal(account.sealed_config)
    except ConfigurationError:
        return {}


def register(shop: Shop, platform: type[Channel], config: Mapping[str, Any]) -> ChannelAccount:
    """The account for this configuration: a new one, or the shop's own with the same identity, renewed."""
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)
        for account in ChannelAccount.objects.filter(shop=shop, channel=platform.name).order_by("pk"):
            if platform.identity(stored(account)) == platform.identity(config):
                return renew(account, config)
        return ChannelAccount.objects.create(shop=shop, channel=platform.name, sealed_config=seal(dict(config)))


def renew(account: ChannelAccount, config: Mapping[str, Any]) -> ChannelAccount:
    """The account with another configuration, switched on; its address stays."""
    account.sealed_config, account.active = seal(dict(config)), True
    account.save(update_fields=["sealed_config", "active"])
    return account


def check(platform: type[Channel], config: Mapping[str, Any]) -> Check:
    """Whether the platform accepts a configuration that need not be stored. Never raises."""
    late = Check(False, f"{platform.title} did not answer within {SECONDS:.0f} seconds")
    return _in_time(platform(config, "").check, late)


def finish(account: ChannelAccount) -> Sequence[str]:
    """Make the platform call our address where it lets us; lines that say what is left to do. Never raises."""
    title = channel_class(account.channel).title
    late = [f"webhook: {webhook_url(account)}", f"{title} could not be told this address: connect again"]
    channel = channel_for(account)
    return _in_time(lambda: channel.connect(webhook_url(account)), late)


def _in_time(call: Callable[[], T], otherwise: T) -> T:
    """What ``call`` returns, or ``otherwise`` where it takes too long or fails. It has a database connection of its own."""

    def apart() -> T:
        try:
            return call()
        finally:
            connection.close()

    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(apart).result(SECONDS)
    except Exception as error:  # a time-out, or a channel that broke its word; neither may show what it was sent
        log.warning("a platform was not reached", error=type(error).__name__)
        return otherwise
    finally:
        pool.shutdown(wait=False)
