"""The gate: whether a candidate may serve customers, decided from its evaluation report and nothing else.

Not worse than what is live on what must not suffer, and better on at least one thing that matters, with the whole
interval of the difference on the right side; a gain that is bought with quality has a price that it may not exceed. Every line
that fails is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SUITE = {"grounded": 0.02, "wishes": 0.02, "wishes_named": 0.1}
"""What must not suffer, with the margin within which a difference counts as none (non-inferiority, shares). Whether a reply
names a wish varies much from sample to sample: over 300 briefs the interval reaches five points to either side."""
SLOWEST = 1.15
"""A candidate's answer time over the live version's, at most."""


@dataclass(frozen=True)
class Gain:
    """Something to be better at: by more than ``least``, and with nothing of ``keeping`` worse by its margin.

    Differences are measured so that more is better; the whole interval counts on both sides.
    """

    least: float = 0.0
    keeping: Mapping[str, float] = field(default_factory=dict)


GAINS = {
    "naturalness": Gain(),
    "preference": Gain(),
    "likelihood": Gain(),
    "speed": Gain(0.1, keeping={"naturalness": 0.1, "likelihood": 0.1}),
}
"""Of these one must be gained. Speed is the share by which more replies are written in the same time; what a compressed model may
lose for it are a tenth of the times that it is taken for a person, and a tenth of a nat a token on replies people wrote."""


@dataclass(frozen=True)
class Line:
    """One condition with what was found."""

    name: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Verdict:
    """Passed only if every line is."""

    lines: tuple[Line, ...]

    @property
    def passed(self) -> bool:
        return bool(self.lines) and all(line.passed for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "lines": [asdict(line) for line in self.lines]}


def judge(report: Mapping[str, Any]) -> Verdict:
    """The verdict on a report of ``workers.training.compare``; what the report does not hold has not passed.

    It reads ``candidate`` and ``live`` (numbers by name) and ``differences``: by name {mean, low, high, n} of candidate
    minus live over the same examples, a 95 % interval.
    """
    kept = (_kept(report, name, margin) for name, margin in SUITE.items())
    return Verdict((*kept, _true(report), _fast(report), _better(report)))


def _kept(report: Mapping[str, Any], name: str, margin: float) -> Line:
    difference = _difference(report, name)
    if difference is None:
        return Line(name, False, "not measured")
    return Line(name, difference["low"] >= -margin, f"{_told(difference)}; at worst {-margin:+.3f} is allowed")


def _true(report: Mapping[str, Any]) -> Line:
    """Nothing that the verifier let through may be found false by the audit, which looks the other way round."""
    false = report.get("candidate", {}).get("audited_after")
    return Line("nothing false is sent", false == 0, "not measured" if false is None else f"{false:.2%} of the replies")


def _fast(report: Mapping[str, Any]) -> Line:
    own, live = (report.get(side, {}).get("seconds_per_reply") for side in ("candidate", "live"))
    if not own or not live:
        return Line("answer time", False, "not measured")
    return Line(
        "answer time", own <= SLOWEST * live, f"{own / live:.2f} times the live version's, {SLOWEST} is allowed"
    )


def _better(report: Mapping[str, Any]) -> Line:
    told = []
    for name, gain in GAINS.items():
        if difference := _difference(report, name):
            lost = [other for other, margin in gain.keeping.items() if not _kept(report, other, margin).passed]
            found = f"{name} {_told(difference)}"
            if difference["low"] > gain.least and not lost:
                return Line("better at something", True, found)
            told.append(f"{found}, maybe at the cost of {' and '.join(lost)}" if lost else found)
    return Line("better at something", False, "; ".join(told) or "nothing was measured")


def _told(difference: Mapping[str, float]) -> str:
    return "{mean:+.3f} ({low:+.3f} to {high:+.3f}), n={n}".format(**difference)


def _difference(report: Mapping[str, Any], name: str) -> Mapping[str, float] | None:
    found = report.get("differences", {}).get(name)
    return found if found and found.get("n") else None
