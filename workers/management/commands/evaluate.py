"""``manage.py evaluate VERSION``: a version beside what is live now, and the gate's verdict."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.learning import recipes, runs, versions
from workers import trainer
from workers.management.commands._report import add_json, shown, tell
from workers.management.commands._shop import add_shop, shop_of, version_of

SHOWN = (
    "accepted",
    "accepted_samples",
    "unsupported_before",
    "unsupported_after",
    "audited_after",
    "distinct_2",
    "mean_length",
    "seconds_per_reply",
)
EXAMPLES = 5
"""So many of the replies that changed are printed."""


class Command(BaseCommand):
    help = "Measure a version against what is live now, and let the gate judge it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version")
        parser.add_argument("--briefs", type=int, help="held-out briefs of the base set; else as when it was made")
        add_json(parser)  # type: ignore[arg-type]
        add_shop(parser)  # type: ignore[arg-type]

    def handle(self, *args: Any, **options: Any) -> None:
        briefs = options["briefs"]
        if briefs is not None and (objection := recipes.OPTIONS["briefs"].objection(briefs)):
            raise CommandError(f"--briefs {objection}, not {briefs}.")
        version = version_of(shop_of(options["shop"]), options["version"])
        try:
            run = runs.ask_to_measure(version, {} if briefs is None else {"briefs": briefs})
        except runs.RefusedError as error:
            raise CommandError(str(error)) from error
        with shown(self.stderr) as progress:
            measured = trainer.carry_out(run.pk, progress)
        if measured is None:
            raise CommandError(f"{version} is being measured already, by run {run.pk}")
        tell(self, versions.told(measured), options["json"], as_text)


def as_text(told: Mapping[str, Any]) -> str:
    """The report and the verdict as a table."""
    lines = [f"{'':<22}{told['version']:>16}{told['against']['version']:>16}"]
    for name in SHOWN:
        lines.append(f"{name.replace('_', ' '):<22}{told['candidate'][name]:>16}{told['live'][name]:>16}")
    lines.append("")
    for name, found in told["differences"].items():
        if found:
            spread = f"{found['low']:+.3f} to {found['high']:+.3f}"
            lines.append(f"{name:<22}{found['mean']:>+16.3f}   95 %: {spread}, n={found['n']}")
    lines.append("")
    for line in told["gate"]["lines"]:
        lines.append(f"{'passed' if line['passed'] else 'FAILED':<8}{line['name']}: {line['found']}")
    lines.append(f"the gate {'lets' if told['gate']['passed'] else 'does not let'} {told['version']} to customers")
    for changed in told["changed"][:EXAMPLES]:
        lines.append(f"\n  {changed['act']}: {changed['customer']}\n    now    {changed['live']}")
        lines.append(f"    then   {changed['candidate']}")
    return "\n".join(lines)
