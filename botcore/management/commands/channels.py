"""``manage.py channels``: the shops' accounts and how they are; exit status 1 when one of them is not well."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.timesince import timesince
from rich.console import Console
from rich.table import Table
from rich.text import Text

from botcore.channels import condition
from botcore.channels.condition import Condition, conditions
from botcore.models import ChannelAccount
from catalog.models import Shop

WIDE = 200
"""Columns of a table that is read by no terminal."""
COLOURS = {
    condition.OK: "green",
    condition.NEW: "cyan",
    condition.TROUBLED: "yellow",
    condition.PAUSED: "yellow",
    condition.FAILING: "bold red",
    condition.UNREADABLE: "bold red",
    condition.OFF: "dim",
}


class Command(BaseCommand):
    help = "List the shops' accounts on messaging platforms with their health."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shop", metavar="SLUG", help="of this shop alone")
        parser.add_argument("--json", action="store_true", help="as JSON, times in ISO 8601")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = ChannelAccount.objects.all()
        if slug := options["shop"]:
            if not Shop.objects.filter(slug=slug).exists():
                raise CommandError(f'there is no shop "{slug}"')
            accounts = accounts.filter(shop__slug=slug)
        rows = conditions(accounts)
        if options["json"]:
            self.stdout.write(json.dumps([_plain(row) for row in rows], ensure_ascii=False, indent=2))
        elif rows:
            width = None if self.stdout.isatty() else WIDE
            Console(file=cast("IO[str]", self.stdout), width=width).print(_table(rows))
        else:
            self.stdout.write("no channel is connected: manage.py connect CHANNEL --shop SLUG")
        if not all(row.healthy for row in rows):
            sys.exit(1)


def _table(rows: list[Condition]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("shop", "channel", "state", "heard", "sent"):
        table.add_column(name, no_wrap=True)
    for name in ("waiting", "failed"):
        table.add_column(name, justify="right")
    table.add_column("last error", overflow="fold")
    for row in rows:
        table.add_row(
            row.account.shop.slug,
            f"{row.account.channel} {row.name}".strip(),
            Text(_state(row), style=COLOURS[row.state]),
            _ago(row.heard_at),
            _ago(row.sent_at),
            str(row.waiting),
            str(row.failed),
            Text(row.health.last_error if row.state != condition.OK else ""),
        )
    return table


def _state(row: Condition) -> str:
    until = {condition.FAILING: row.health.open_until, condition.PAUSED: row.health.paused_until}.get(row.state)
    if row.state == condition.TROUBLED:
        return f"{row.state} ({row.health.failures})"
    return f"{row.state} until {until:%H:%M:%S}" if until and until > timezone.now() else row.state


def _ago(at: datetime | None) -> str:
    return f"{timesince(at, depth=1)} ago".replace("\xa0", " ") if at else "never"


def _plain(row: Condition) -> dict[str, Any]:
    return {
        "shop": row.account.shop.slug,
        "channel": row.account.channel,
        "name": row.name,
        "key": row.account.key,
        "state": row.state,
        "healthy": row.healthy,
        "heard_at": _iso(row.heard_at),
        "sent_at": _iso(row.sent_at),
        "failures": row.health.failures,
        "open_until": _iso(row.health.open_until),
        "paused_until": _iso(row.health.paused_until),
        "waiting": row.waiting,
        "failed": row.failed,
        "last_error": row.health.last_error,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
