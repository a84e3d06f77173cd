"""The gate lets through what is no worse and better at something, and names every line that fails."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from botcore.learning.gate import SLOWEST, judge


def spread(mean: float, low: float, high: float, n: int = 100) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high, "n": n}


GOOD: dict[str, Any] = {
    "candidate": {"seconds_per_reply": 0.30, "audited_after": 0.0},
    "live": {"seconds_per_reply": 0.30},
    "differences": {
        "grounded": spread(0.001, -0.01, 0.012),
        "wishes": spread(0.0, -0.015, 0.015),
        "wishes_named": spread(0.0, -0.05, 0.05),
        "preference": spread(0.01, -0.02, 0.04),
        "likelihood": spread(0.3, 0.2, 0.4),
    },
}


def failing(report: dict[str, Any]) -> list[str]:
    return [line.name for line in judge(report).lines if not line.passed]


def changed(path: str, value: Any) -> dict[str, Any]:
    report = deepcopy(GOOD)
    *way, last = path.split(".")
    place = report
    for name in way:
        place = place[name]
    place[last] = value
    return report


def test_no_worse_and_better_at_one_thing_passes():
    assert judge(GOOD).passed
    assert failing(GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("differences.grounded", spread(-0.05, -0.08, -0.02), "grounded"),
        ("differences.grounded", spread(0.0, -0.03, 0.03), "grounded"),
        ("differences.wishes", spread(-0.01, -0.021, 0.0), "wishes"),
        ("differences.wishes_named", spread(-0.06, -0.11, -0.01), "wishes_named"),
        ("candidate.audited_after", 0.001, "nothing false is sent"),
        ("candidate.seconds_per_reply", 0.30 * SLOWEST + 0.001, "answer time"),
        ("differences.likelihood", spread(0.3, -0.001, 0.6), "better at something"),
        ("differences.likelihood", spread(-0.3, -0.4, -0.2), "better at something"),
    ],
)
def test_the_line_that_fails_is_named(path, value, line):
    report = changed(path, value)
    assert failing(report) == [line]
    assert not judge(report).passed


def test_what_was_not_measured_has_not_passed():
    measured = ["grounded", "wishes", "wishes_named"]
    assert failing({}) == [*measured, "nothing false is sent", "answer time", "better at something"]
    assert failing(changed("differences.grounded", None)) == ["grounded"]
    assert failing(changed("differences.wishes", spread(0.0, 0.0, 0.0, n=0))) == ["wishes"]
    assert failing(changed("live.seconds_per_reply", 0)) == ["answer time"]


def test_one_gain_is_enough():
    report = changed("differences.likelihood", spread(0.0, -0.1, 0.1))
    report["differences"]["preference"] = spread(0.1, 0.02, 0.2)
    assert judge(report).passed


def faster(by: dict[str, float], **others: dict[str, float] | None) -> dict[str, Any]:
    report = changed("differences.likelihood", spread(-0.05, -0.08, -0.02))
    report["differences"] |= {"preference": None, "naturalness": spread(0.0, -0.07, 0.07), "speed": by, **others}
    return report


def test_to_be_faster_is_a_gain():
    assert judge(faster(spread(0.2, 0.15, 0.25, n=14))).passed


@pytest.mark.parametrize(
    ("report", "cost"),
    [
        (faster(spread(0.2, 0.09, 0.31)), ""),
        (faster(spread(0.2, 0.15, 0.25), naturalness=spread(-0.08, -0.15, -0.01)), "naturalness"),
        (faster(spread(0.2, 0.15, 0.25), naturalness=None), "naturalness"),
        (faster(spread(0.2, 0.15, 0.25), likelihood=spread(-0.2, -0.25, -0.15)), "likelihood"),
    ],
)
def test_a_little_speed_or_speed_that_may_cost_too_much_is_none(report, cost):
    assert failing(report) == ["better at something"]
    assert judge(report).lines[-1].found.endswith(f"maybe at the cost of {cost}" if cost else "n=100")


def test_whoever_is_better_at_what_matters_need_not_be_faster():
    assert judge(changed("differences.speed", spread(-0.1, -0.12, -0.08))).passed


def test_the_verdict_says_what_it_found():
    told = judge(changed("differences.grounded", spread(-0.05, -0.08, -0.02))).to_json()
    assert told["passed"] is False
    assert told["lines"][0]["found"] == "-0.050 (-0.080 to -0.020), n=100; at worst -0.020 is allowed"
