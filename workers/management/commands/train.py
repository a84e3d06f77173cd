"""``manage.py train``: a model learns from a snapshot, is measured against what is live, and is judged by the gate."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.learning import runs
from botcore.models import Dataset, ModelVersion, TrainingRun
from workers import trainer
from workers.management.commands._shop import add_shop, shop_of
from workers.management.commands.evaluate import as_text


class Command(BaseCommand):
    help = "Train a candidate from an approved snapshot; killed runs go on where they stopped (--run)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--recipe", choices=TrainingRun.Recipe.values, default=TrainingRun.Recipe.PREFERENCE)
        parser.add_argument("--dataset", type=int, help="a snapshot's number; without it the newest approved one")
        parser.add_argument("--run", type=int, help="carry out this run, which waits or was killed")
        parser.add_argument("--queue", action="store_true", help="leave it to the trainer of `manage.py up`")
        parser.add_argument("--epochs", type=int, help="of SFT, at most")
        parser.add_argument("--lr", type=float, help="learning rate of SFT")
        parser.add_argument("--replay", type=float, help="share of the base set in what is taught, .3 to .5")
        parser.add_argument("--department", help='learn from one department alone ("clothing")')
        parser.add_argument("--search-minutes", type=float, help="first look for rates and lengths so long")
        parser.add_argument("--briefs", type=int, help="held-out briefs of the base set in the evaluation")
        parser.add_argument("--adversarial-steps", type=int, help="steps against the discriminator")
        parser.add_argument("--layers", type=int, help="to leave out of a compressed model")
        parser.add_argument("--seed", type=int)
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        add_shop(parser)  # type: ignore[arg-type]

    def handle(self, *args: Any, **options: Any) -> None:
        run_id = options["run"] or self._asked(options).pk
        if options["queue"]:
            self.stdout.write(f"run {run_id} waits for the trainer")
            return
        try:
            version = trainer.carry_out(run_id, self.stderr.write)
        except (runs.RefusedError, ValueError) as error:
            raise CommandError(str(error)) from error
        if version is None:
            raise CommandError(f"run {run_id} is done, stopped, or being carried out elsewhere")
        version = ModelVersion.objects.get(pk=version.pk)
        self.stdout.write(json.dumps(version.report, indent=1) if options["json"] else as_text(version))

    def _asked(self, options: dict[str, Any]) -> TrainingRun:
        shop = shop_of(options["shop"])
        snapshots = Dataset.objects.filter(shop=shop)
        number = options["dataset"]
        dataset = snapshots.filter(pk=number).first() if number else snapshots.exclude(approved_at=None).first()
        if dataset is None:
            raise CommandError(f"{shop.name} has no {f'snapshot {number}' if number else 'approved snapshot'}")
        told = {
            name: options[name]
            for name in (
                "epochs",
                "lr",
                "replay",
                "department",
                "search_minutes",
                "briefs",
                "adversarial_steps",
                "layers",
                "seed",
            )
            if options[name] is not None
        }
        try:
            return runs.ask_for(dataset, options["recipe"], told)
        except runs.RefusedError as error:
            raise CommandError(str(error)) from error
