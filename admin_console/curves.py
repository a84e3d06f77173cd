"""The curves of a training run as line charts: points in, coordinates out. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from admin_console.explanation import plain

WIDTH, HEIGHT, MARGIN = 320, 110, 6
"""Of a chart, in user units; the margin keeps strokes inside."""
MOST_POINTS = 240
"""Of one line; more are not told apart at this size."""
FIRST = (
    "loss",
    "validation",
    "reward",
    "discriminator",
    "rewards/accuracies",
    "rewards/margins",
    "rewards/chosen",
    "rewards/rejected",
)
"""Measures in the order in which they are looked at; the others follow by name."""
NO_MEASURES = frozenset(
    ("stage", "step", "of", "trial", "epoch", "num_tokens", "total_flos", "step_time", "reward_std")
)
FOR_EXPERTS = ("train_", "completions/", "clip_ratio/", "frac_", "rewards/naturalness/std", "rewards/refused/std")
"""How measures begin that only TensorBoard shows."""


@dataclass(frozen=True)
class Chart:
    """One measure of one stage. ``lines`` are the points of SVG polylines: a run that began anew, or tried several
    settings, has more than one. ``dots`` are lines of a single point."""

    stage: str
    measure: str
    lines: tuple[str, ...]
    dots: tuple[tuple[str, str], ...]
    low: str
    high: str
    last: str
    steps: int


@dataclass(frozen=True)
class _Point:
    trial: int
    step: float
    value: float


def charts(points: Iterable[Mapping[str, Any]]) -> list[Chart]:
    """A chart for each measure of each stage, stages in the order in which they came."""
    series: dict[str, dict[str, list[_Point]]] = {}
    widest: dict[str, float] = {}
    for point in points:
        stage, step = str(point.get("stage", "")), _number(point.get("step")) or 0.0
        widest[stage] = max(widest.get(stage, 1.0), step, _number(point.get("of")) or 0.0)
        for name, value in point.items():
            number = _number(value)
            if number is not None and name not in NO_MEASURES and not name.startswith(FOR_EXPERTS):
                own = series.setdefault(stage, {}).setdefault(name, [])
                own.append(_Point(int(_number(point.get("trial")) or 0), step, number))
    return [
        _chart(stage, name, measures[name], widest[stage])
        for stage, measures in series.items()
        for name in sorted(measures, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    ]


def _chart(stage: str, name: str, points: Sequence[_Point], steps: float) -> Chart:
    low, high = min(point.value for point in points), max(point.value for point in points)

    def placed(point: _Point) -> tuple[str, str]:
        along = point.step / steps
        up = (point.value - low) / (high - low) if high > low else 0.5
        return (
            f"{MARGIN + along * (WIDTH - 2 * MARGIN):.1f}",
            f"{HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN):.1f}",
        )

    drawn = [[placed(point) for point in _thinned(line)] for line in _lines(points)]
    return Chart(
        stage=stage,
        measure=name,
        lines=tuple(" ".join(map(",".join, line)) for line in drawn if len(line) > 1),
        dots=tuple(line[0] for line in drawn if len(line) == 1),
        low=plain(low),
        high=plain(high),
        last=plain(points[-1].value),
        steps=int(steps),
    )


def _lines(points: Sequence[_Point]) -> list[list[_Point]]:
    """Points that go on from one another; where the steps go back or another trial begins, a new line does."""
    lines: list[list[_Point]] = []
    for point in points:
        if lines and lines[-1][-1].trial == point.trial and lines[-1][-1].step < point.step:
            lines[-1].append(point)
        else:
            lines.append([point])
    return lines


def _thinned(line: Sequence[_Point]) -> list[_Point]:
    """Every n-th point, and the last one."""
    stride = math.ceil(len(line) / MOST_POINTS)
    kept = list(line[::stride])
    return kept if kept[-1] is line[-1] else [*kept, line[-1]]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
