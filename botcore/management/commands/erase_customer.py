"""``manage.py erase_customer``: somebody asks to be forgotten."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.learning.erasure import erase
from botcore.models import Contact


class Command(BaseCommand):
    help = "Delete a person's conversations and opinions; tells which snapshots and models still know of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("shop", help="the shop's slug")
        parser.add_argument("channel", help="where they wrote (webchat, telegram)")
        parser.add_argument("contact", help="who they are there, as the console shows it")

    def handle(self, *args: Any, shop: str, channel: str, contact: str, **options: Any) -> None:
        row = Contact.objects.filter(account__shop__slug=shop, account__channel=channel, external_id=contact).first()
        if row is None:
            raise CommandError(f"{shop} knows nobody called {contact} on {channel}")
        found = erase(row)
        self.stdout.write(f"{found.conversations} conversations deleted")
        for dataset in found.datasets:
            self.stdout.write(f"snapshot {dataset} was made before and holds scrubbed rows of theirs")
        for version in found.versions:
            self.stdout.write(f"{version} ({version.state}) learned from them: train anew to be rid of it")
        if found.ranker:
            self.stdout.write(
                f"the shop's ranker ({found.ranker}) may have learned from what they did or thought: train it anew"
            )
        if found.layer:
            self.stdout.write("the shop's layer of intents learned from them and is gone: the one that ships reads")
