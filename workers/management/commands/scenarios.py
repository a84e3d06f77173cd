"""``manage.py scenarios``: hold scripted conversations and say how many hold what they must."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workers import serving
from workers.management.commands._shop import shop_of
from workers.scenarios import ScenarioError, read_scenarios, run_scenario


class Command(BaseCommand):
    help = "Run a file of scripted conversations against a shop and report, turn by turn, what does not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--shop", required=True, help="the shop's slug")

    def handle(self, **options: Any) -> None:
        shop = shop_of(options["shop"])
        try:
            scenarios = read_scenarios(options["file"])
        except ScenarioError as error:
            raise CommandError(str(error)) from error
        ports = serving.ports()
        held = 0
        for scenario in scenarios:
            outcome = run_scenario(scenario, shop, ports)
            held += outcome.holds
            self.stdout.write(f"{'holds' if outcome.holds else 'FAILS'}  {outcome.id}")
            for failure in outcome.failures:
                self.stdout.write(f"       {failure}")
        self.stdout.write(f"{held} of {len(scenarios)} scenarios hold")
