"""``manage.py train``: a model learns from a snapshot, is measured against what is live, and is judged by the gate."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.learning import recipes, runs, versions
from botcore.models import Dataset, ModelVersion, TrainingRun
from workers import trainer
from workers.management.commands._report import add_json, shown, tell
from workers.management.commands._shop import add_shop, shop_of
from workers.management.commands.evaluate import as_text


class Command(BaseCommand):
    help = "Train a candidate from an approved snapshot; runs that broke off go on where they were (--run)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--recipe", choices=TrainingRun.Recipe.values, default=recipes.USUAL)
        parser.add_argument("--dataset", type=int, help="a snapshot's number; without it the newest approved one")
        parser.add_argument("--run", type=int, help="carry out this run, which waits, was killed or stopped, or failed")
        parser.add_argument("--queue", action="store_true", help="leave it to the trainer of `manage.py up`")
        add_json(parser)  # type: ignore[arg-type]
        for name, option in recipes.OPTIONS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=option.kind, help=option.usage)
        add_shop(parser)  # type: ignore[arg-type]

    def handle(self, *args: Any, **options: Any) -> None:
        told = {name: options[name] for name in recipes.OPTIONS if options[name] is not None}
        if options["run"] and told:
            raise CommandError(f"Run {options['run']} was told when it was asked for; leave out {', '.join(told)}.")
        if run := TrainingRun.objects.filter(pk=options["run"]).first():
            runs.go_on(run)
        run_id = options["run"] or self._asked(options, told).pk
        if options["queue"]:
            self.stdout.write(f"run {run_id} waits for the trainer")
            return
        try:
            with shown(self.stderr) as progress:
                version = trainer.carry_out(run_id, progress)
        except (runs.RefusedError, ValueError) as error:
            raise CommandError(str(error)) from error
        if version is None:
            raise CommandError(f"run {run_id} is done, stopped, or being carried out elsewhere")
        tell(self, versions.told(ModelVersion.objects.get(pk=version.pk)), options["json"], as_text)

    def _asked(self, options: dict[str, Any], told: dict[str, Any]) -> TrainingRun:
        shop = shop_of(options["shop"])
        snapshots = Dataset.objects.filter(shop=shop)
        number = options["dataset"]
        dataset = snapshots.filter(pk=number).first() if number else snapshots.exclude(approved_at=None).first()
        if dataset is None:
            raise CommandError(f"{shop.name} has no {f'snapshot {number}' if number else 'approved snapshot'}")
        try:
            return runs.ask_for(dataset, options["recipe"], told)
        except runs.RefusedError as error:
            raise CommandError(str(error)) from error
