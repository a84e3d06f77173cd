"""``manage.py replay``: what the bot would rank, do and say at the end of logged dialogues, as JSON lines."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.dialogue.ports import Ports
from workers import indexing, serving
from workers.management.commands._shop import shop_of
from workers.replay import ReplayError, read_dialogues, replay_all, write_replayed


class Command(BaseCommand):
    help = (
        'Replay logged dialogues: lines {"id", "turns": [{"role": "customer"|"assistant", "text"}]} in, '
        'lines {"id", "ranked": [sku], "act", "reply", "state", "latency_ms"} out.'
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--shop", required=True, help="the shop's slug")
        parser.add_argument("--top", type=int, default=10, help="how many products to rank (10)")
        parser.add_argument("--out", type=Path, required=True, help="written whole or not at all")
        parser.add_argument(
            "--no-model", action="store_true", help="replies from phrases: no model writes, and it is faster"
        )

    def handle(self, **options: Any) -> None:
        shop = shop_of(options["shop"])
        if options["top"] < 1:
            raise CommandError("--top must be 1 or more")
        if not options["out"].parent.is_dir():
            raise CommandError(f"there is no folder {options['out'].parent}")
        try:
            dialogues = read_dialogues(options["file"])
        except ReplayError as error:
            raise CommandError(str(error)) from error
        if waiting := indexing.count_changed(shop.pk):
            self.stderr.write(f"embedding {waiting} texts that are new")
            indexing.embed_changed(shop.pk)
        ports = Ports(serving.encoder(), serving.reader(), None) if options["no_model"] else serving.ports()
        count = write_replayed(options["out"], replay_all(dialogues, shop, ports, top=options["top"]))
        self.stdout.write(f"{count} dialogues replayed into {options['out']}")
