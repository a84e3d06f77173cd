"""How far long work is: what it tells whoever started it, and how that is told in lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

MEASURES = ("loss", "validation", "rewards/accuracies", "rewards/margins", "reward", "discriminator", "kl")
"""What is told beside the steps; the run's page has the rest."""
TENTHS = 10
Row = TypeVar("Row")


class Progress(Protocol):
    """Is told of stages, of points (``step`` of ``of``, and what was measured there), and of whatever else goes on."""

    def stage(self, name: str) -> None: ...

    def point(self, point: Mapping[str, Any]) -> None: ...

    def say(self, line: str) -> None: ...


class Lines:
    """A line for each stage and each measured point; where nothing is measured, one for each tenth of the way."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write, self._stage, self._tenths = write, "", 0

    def stage(self, name: str) -> None:
        self._stage, self._tenths = name, 0
        self._write(name)

    def point(self, point: Mapping[str, Any]) -> None:
        tenths = TENTHS * steps(point)[0] // max(steps(point)[1], 1)
        if told := measured(point):
            self._write(f"{self._stage} {counted(point)}: {told}")
        elif tenths > self._tenths:
            self._write(f"{self._stage} {counted(point)}")
        self._tenths = tenths

    def say(self, line: str) -> None:
        self._write(line)


UNHEARD = Lines(lambda _: None)
"""For work that nobody waits for."""


def followed(rows: Sequence[Row], progress: Progress) -> Iterator[Row]:
    """The rows, each a step once the next is asked for."""
    for step, row in enumerate(rows, 1):
        yield row
        progress.point({"step": step, "of": len(rows)})


def steps(point: Mapping[str, Any]) -> tuple[int, int]:
    """How many steps are done, of how many."""
    return int(point.get("step", 0)), int(point.get("of", 0))


def counted(point: Mapping[str, Any]) -> str:
    return "{}/{}".format(*steps(point))


def measured(point: Mapping[str, Any]) -> str:
    """What a point measured, in the order in which it is looked at."""
    return ", ".join(f"{name} {point[name]}" for name in MEASURES if name in point)


def only_counts(point: Mapping[str, Any]) -> bool:
    """Whether a point measured nothing: it says how far a stage is."""
    return point.keys() <= {"stage", "step", "of"}
