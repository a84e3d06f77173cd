"""A command shows bars in a terminal and writes lines elsewhere."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management.base import OutputWrapper
from rich.console import Console

from workers.management.commands._report import Bars, shown


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def bars(screen) -> Bars:
    return Bars(Console(file=screen, force_terminal=True, width=120, color_system=None))


def final(screen: io.StringIO, count: int) -> list[str]:
    """The bars as they stand at the end, without what moves the cursor."""
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).splitlines()
    return [line for line in lines if line.strip()][-count:]


def test_the_newest_of_each_measure_stands_beside_the_bar(bars, screen):
    with bars:
        bars.stage("sft")
        bars.point({"step": 10, "of": 40, "loss": 1.5})
        bars.point({"step": 20, "of": 40, "validation": 2.5})
        bars.point({"step": 30, "of": 40, "loss": 0.5, "grad_norm": 7})
    (last,) = final(screen, 1)
    assert "sft" in last and "30/40 loss 0.5, validation 2.5" in last and "grad_norm" not in last


def test_a_stage_begins_with_nothing_measured_and_the_one_before_stays(bars, screen):
    with bars:
        bars.stage("sft")
        bars.point({"step": 40, "of": 40, "loss": 0.5})
        bars.stage("building")
        bars.say("Quantising to [8] bits")
    assert "Quantising to [8] bits" in screen.getvalue()
    first, second = final(screen, 2)
    assert "sft" in first and "40/40 loss 0.5" in first
    assert "building" in second and "loss" not in second and "━" * 40 in second


def test_where_no_terminal_is_there_are_lines():
    out = io.StringIO()
    with shown(OutputWrapper(out)) as progress:
        progress.stage("writing")
        progress.point({"step": 5, "of": 10})
    assert out.getvalue() == "writing\nwriting 5/10\n"
