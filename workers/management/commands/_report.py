"""How the commands of learning tell: a report as JSON or as text, and on the way how far they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandParser, OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Display

from botcore.learning.progress import MEASURES, Lines, Progress, counted, measured, steps

Report = TypeVar("Report")


def add_json(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def tell(command: BaseCommand, report: Report, as_json: bool, as_text: Callable[[Report], str]) -> None:
    """The report on standard output, as JSON where that was asked for."""
    command.stdout.write(json.dumps(report, indent=1, ensure_ascii=False) if as_json else as_text(report))


@contextmanager
def shown(stream: OutputWrapper) -> Iterator[Progress]:
    """Progress on a stream of standard error: bars in a terminal, lines elsewhere."""
    if not stream.isatty():
        yield Lines(stream.write)
        return
    with Bars(Console(stderr=True)) as bars:
        yield bars


class Bars:
    """A bar for each stage, with the newest of what was measured beside it."""

    def __init__(self, console: Console) -> None:
        name, told = TextColumn("{task.description}"), TextColumn("{task.fields[told]}")
        self._display = Display(name, BarColumn(), told, TimeElapsedColumn(), console=console)
        self._measured: dict[str, Any] = {}

    def __enter__(self) -> Bars:
        self._display.start()
        return self

    def __exit__(self, *error: object) -> None:
        if not any(error):
            self._end_stage()
        self._display.stop()

    def stage(self, name: str) -> None:
        self._end_stage()
        self._measured = {}
        self._display.add_task(name, total=None, told="")

    def point(self, point: Mapping[str, Any]) -> None:
        self._measured |= {name: point[name] for name in MEASURES if name in point}
        step, of = steps(point)
        told = f"{counted(point)} {measured(self._measured)}"
        for task in self._display.task_ids[-1:]:
            self._display.update(task, completed=step, total=of or None, told=told)

    def say(self, line: str) -> None:
        self._display.console.print(line, markup=False, highlight=False)

    def _end_stage(self) -> None:
        """What came to its end early, or told no steps, is done all the same."""
        for task in self._display.tasks[-1:]:
            done = max(task.completed, 1)
            self._display.update(task.id, completed=done, total=done)
