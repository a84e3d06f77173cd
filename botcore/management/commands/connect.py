"""``manage.py connect telegram --shop demo``: register a shop's presence on a platform.

Secrets are asked for, or read from a file or a pipe: what stands on a command line is in the shell's history, and in the
list of processes for everybody on the machine.
"""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from botcore.channels import connecting
from botcore.channels.base import Channel, Field
from botcore.channels.connecting import register
from botcore.channels.registry import CHANNELS, channel_class, channel_for, webhook_url
from catalog.models import Shop


class Command(BaseCommand):
    help = "Connect a shop to a messaging platform. Connecting again renews the secrets and keeps the address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", help=f"one of {', '.join(sorted(CHANNELS))}")
        parser.add_argument("--shop", required=True, metavar="SLUG")
        parser.add_argument(
            "--config",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="may be given several times; not for secrets, which others then see in the list of processes",
        )
        parser.add_argument(
            "--config-file",
            metavar="FILE",
            help='NAME=VALUE lines, for secrets as well; "-" reads them from the standard input',
        )
        parser.add_argument(
            "--no-check",
            action="store_true",
            help="store the credentials without asking the platform whether they hold",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            platform = channel_class(options["channel"])
            given = _written(options["config_file"]) | dict(map(_pair, options["config"]))
            shop = Shop.objects.get(slug=options["shop"])
            config = platform.prepare_config(self._completed(platform, given))
        except (LookupError, ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        except Shop.DoesNotExist as error:
            known = ", ".join(Shop.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f'there is no shop "{options["shop"]}"; there are: {known}') from error
        if not options["no_check"]:
            self._check(platform, config)
        self._warn(platform, dict(map(_pair, options["config"])))
        account = register(shop, platform, config)
        for line in channel_for(account).connect(webhook_url(account)):
            self.stdout.write(line)
        for step in platform.steps:
            if "{webhook}" in step:
                self.stdout.write(step.replace("{webhook}", webhook_url(account)))

    def _completed(self, platform: type[Channel], given: dict[str, str]) -> dict[str, str]:
        """The settings with those that must be there and are not, asked for where somebody can answer."""
        missing = [field for field in platform.fields if field.required and not given.get(field.name)]
        if not missing:
            return given
        for number, step in enumerate(platform.steps, start=1):
            self.stdout.write(f"{number}. {step.replace('{webhook}', '(the address that is printed at the end)')}")
        if not sys.stdin.isatty():
            return given  # which the channel refuses, saying what it needs
        return {**given, **{field.name: _asked(field) for field in missing}}

    def _warn(self, platform: type[Channel], on_the_line: dict[str, str]) -> None:
        if seen := [field.name for field in platform.fields if field.secret and field.name in on_the_line]:
            self.stderr.write(
                f"{', '.join(seen)}: what is on a command line stays in the shell's history, and others on this machine "
                "see it; leave it out to be asked, or use --config-file"
            )

    def _check(self, platform: type[Channel], config: dict[str, Any]) -> None:
        checked = connecting.check(platform, config)
        if not checked.ok:
            raise CommandError(
                f"{platform.title} does not accept this: {checked.detail}\n"
                "Nothing was stored. Mend it, or store it all the same with --no-check."
            )
        self.stdout.write(f"{platform.title}: {checked.detail}")


def _asked(field: Field) -> str:
    question = f"{field.label} ({field.hint}): " if field.hint else f"{field.label}: "
    return (getpass(question) if field.secret else input(question)).strip()


def _written(path: str | None) -> dict[str, str]:
    """The settings in a file; lines that are empty or begin with # say nothing. Raises ``OSError``, ``ValueError``."""
    if path is None:
        return {}
    text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return dict(_pair(line) for line in lines if line and not line.startswith("#"))


def _pair(text: str) -> tuple[str, str]:
    """Raises ``ValueError``, which does not repeat what may be a secret."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError("a setting is not NAME=VALUE")
    return name.strip(), value.strip()
