"""``manage.py dataset``: snapshots of a shop's feedback."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from botcore.dialogue.state import Act
from botcore.learning import datasets
from botcore.models import Dataset
from workers.management.commands._report import add_json, shown, tell
from workers.management.commands._shop import add_by, add_shop, person_of, shop_of


class Command(BaseCommand):
    help = "Build, list and approve snapshots of what merchants and customers made of replies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        build = steps.add_parser("build", help="make a snapshot of the feedback there is")
        build.add_argument("--since", type=_day, help="replies from this day on (2026-11-01)")
        build.add_argument("--until", type=_day, help="replies before this day")
        build.add_argument(
            "--act", action="append", default=[], choices=list(Act), help="replies of this act alone; may be repeated"
        )
        build.add_argument("--no-votes", action="store_true", help="leave customers' thumbs out")
        build.add_argument("--approve", action="store_true", help="approve it at once")
        approve = steps.add_parser("approve", help="let models learn from a snapshot")
        approve.add_argument("dataset", type=int)
        listed = steps.add_parser("list", help="the shop's snapshots")
        for step in (build, approve):
            add_by(step)  # type: ignore[arg-type]
        for step in (build, approve, listed):
            add_shop(step)  # type: ignore[arg-type]
            add_json(step)  # type: ignore[arg-type]

    def handle(self, *args: Any, **options: Any) -> None:
        shop = shop_of(options["shop"])
        if options["step"] == "list":
            found = list(Dataset.objects.filter(shop=shop))
        elif options["step"] == "approve":
            row = Dataset.objects.filter(shop=shop, pk=options["dataset"]).first()
            if row is None:
                raise CommandError(f"{shop.name} has no snapshot {options['dataset']}; see `manage.py dataset list`")
            found = [datasets.approve(row, person_of(options["by"]))]
        else:
            by = person_of(options["by"])
            filters = datasets.Filters(
                options["since"], options["until"], tuple(options["act"]), votes=not options["no_votes"]
            )
            try:
                with shown(self.stderr) as progress:
                    made = datasets.build(shop, filters, by, progress)
            except datasets.NothingToLearnError as error:
                raise CommandError(str(error)) from error
            found = [datasets.approve(made, by) if options["approve"] else made]
        tell(self, [_told(row) for row in found], options["json"], _as_text)


def _day(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day; write it as 2026-11-01") from error


def _told(row: Dataset) -> dict[str, Any]:
    return {
        "dataset": row.pk,
        "content_hash": row.content_hash,
        "made": row.created_at.isoformat(timespec="seconds"),
        "filters": row.filters,
        "approved": row.approved_at.isoformat(timespec="seconds") if row.approved_at else "",
        **row.counts,
    }


def _let_in(filters: Mapping[str, Any]) -> str:
    bounds = {name: " ".join(value) if isinstance(value, list) else value for name, value in filters.items()}
    return ", ".join(f"{name} {value}" for name, value in bounds.items() if value not in (None, "")) or "none"


def _as_text(found: Sequence[Mapping[str, Any]]) -> str:
    return "\n\n".join(map(_as_table, found))


def _as_table(told: Mapping[str, Any]) -> str:
    lines = [f"snapshot {told['dataset']}  {told['content_hash'][:12]}  {told['made']}"]
    lines.append(
        f"  approved    {told['approved'] or 'not yet: `manage.py dataset approve ' + str(told['dataset']) + '`'}"
    )
    lines.append(f"  filters     {_let_in(told['filters'])}")
    for use, parts in told["rows"].items():
        lines.append(f"  {use:<11} {', '.join(f'{count} {part}' for part, count in sorted(parts.items())) or 'none'}")
    for name in ("acts", "topics", "sentiments", "left_out"):
        told_of = ", ".join(f"{key} {count}" for key, count in told[name].items()) or "none"
        lines.append(f"  {name.replace('_', ' '):<11} {told_of}")
    return "\n".join(lines)
