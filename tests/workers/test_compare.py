"""Two versions side by side: paired differences with their intervals, from what the serving engine writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trl")

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.ports import EngineInfo, Prompt, Sample
from botcore.learning.gate import judge
from botcore.learning.progress import Lines
from botcore.learning.recipes import OPTIONS
from tests.fakes import HashEncoder
from tests.workers.tiny import example
from workers.engine.artefacts import Artefact
from workers.training.compare import Material, Version, compare, interval

GOOD = "I would take the green [A.name], at [A.price]."
FALSE = "I would take the waterproof [A.name], at [A.price]."


class Clock:
    """Time that passes only while something is written."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Says:
    """Writes ``good`` to every brief but each ``every``-th, which gets ``bad``; takes ``seconds`` of the ``clock``."""

    good: str = GOOD
    bad: str = FALSE
    every: int = 10**9
    seconds: float = 0.0
    clock: Clock = field(default_factory=Clock)
    count: int = 0

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("fake", "fake", "none", "cpu", 8, 0.0)

    def write(self, prompt: Prompt, *, samples: int, seed: int, deadline: float) -> list[Sample]:
        self.clock.now += self.seconds
        self.count += 1
        return [Sample(self.bad if self.count % self.every == 0 else self.good, 12)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What ``compare`` reads the time from: a machine at work on other things would tell another."""
    clock = Clock()
    monkeypatch.setattr("workers.training.compare.time", clock)
    return clock


@pytest.fixture
def artefact(base: Path) -> Artefact:
    class Built(Artefact):
        hf = base  # type: ignore[assignment]

    return Built(base, "tiny", "llama")


def briefs(count: int) -> list[Brief]:
    item = ItemFacts("A", "jacket", {"color": "green"}, {"name": "", "price": ""})
    return [Brief("recommend", "a green jacket", wishes=("jacket", "green"), items=(item,))] * count


def compared(artefact: Artefact, candidate: Says, live: Says, material: Material) -> dict:
    return compare(Version(artefact, candidate), Version(artefact, live), material, HashEncoder())


def test_false_claims_are_found_before_and_kept_back_after(artefact):
    report = compared(artefact, Says(every=4), Says(), Material(briefs(80), (), (), ()))
    assert report["candidate"]["unsupported_before"] == 0.25
    assert report["candidate"]["unsupported_after"] == 0.0
    difference = report["differences"]["grounded"]
    assert difference["mean"] == -0.25
    assert difference["low"] < -0.25 < difference["high"] < 0
    assert "grounded" in [line.name for line in judge(report).lines if not line.passed]


def test_a_version_that_names_no_wish_is_worse_at_naming_wishes(artefact):
    silent = Says(good="I would take the [A.name], at [A.price].")
    report = compared(artefact, silent, Says(), Material(briefs(30), (), (), ()))
    assert report["differences"]["wishes_named"]["mean"] == -1.0
    assert report["differences"]["wishes"]["mean"] == 0.0
    assert report["differences"]["grounded"]["mean"] == 0.0


def test_a_version_that_says_what_was_ruled_out_is_worse_at_wishes(artefact):
    item = ItemFacts("A", "jacket", {"material": "cotton, wool"}, {"name": "", "price": ""})
    no_wool = [Brief("recommend", "a jacket, no wool", wishes=("jacket", "not wool"), items=(item,))] * 30
    careless = Says(good="I would take the wool [A.name], at [A.price].")
    report = compared(artefact, careless, Says(good="I would take the cotton [A.name]."), Material(no_wool, (), (), ()))
    assert report["differences"]["wishes"]["mean"] == -1.0
    assert "wishes" in [line.name for line in judge(report).lines if not line.passed]


def test_a_slow_version_takes_more_seconds_a_reply(artefact, clock):
    slow, quick = Says(seconds=0.08, clock=clock), Says(seconds=0.02, clock=clock)
    report = compared(artefact, slow, quick, Material(briefs(25), (), (), ()))
    assert report["candidate"]["seconds_per_reply"] == pytest.approx(4 * report["live"]["seconds_per_reply"])
    assert "answer time" in [line.name for line in judge(report).lines if not line.passed]


def test_speed_is_told_over_enough_batches_only(artefact, clock):
    quick, slow = Says(seconds=0.01, clock=clock), Says(seconds=0.03, clock=clock)
    few = compared(artefact, quick, slow, Material(briefs(25), (), (), ()))
    assert few["differences"]["speed"] is None
    report = compared(artefact, quick, slow, Material(briefs(200), (), (), ()))
    speed = report["differences"]["speed"]
    assert (speed["n"], speed["live"]) == (8, 1.0)
    assert speed["candidate"] == pytest.approx(3)
    assert 1.5 < speed["low"] <= speed["mean"] == pytest.approx(2)


def test_every_brief_of_both_is_a_step(artefact):
    lines: list[str] = []
    told = Lines(lines.append)
    compare(
        Version(artefact, Says()),
        Version(artefact, Says()),
        Material(briefs(30), (), (), ()),
        HashEncoder(),
        progress=told,
    )
    assert lines == ["writing", *(f"writing {step}/60" for step in range(6, 61, 6)), "judging", "reading"]


def test_the_fewest_briefs_that_may_be_asked_for_say_something_of_naturalness(artefact):
    def judged(count: int) -> dict | None:
        material = Material(briefs(count), [f"Try the green [A.name], number {n}." for n in range(count)], (), ())
        return compared(artefact, Says(), Says(), material)["differences"]["naturalness"]

    assert judged(int(OPTIONS["briefs"].low))["n"] == OPTIONS["briefs"].low
    assert judged(int(OPTIONS["briefs"].low) - 1) is None


def test_the_same_model_twice_differs_in_nothing(artefact):
    told = [example(n) for n in range(6)]
    replies = [{"brief": brief.to_json(), "reply": reply} for brief, reply in told]
    pairs = [{"brief": b.to_json(), "chosen": r, "rejected": r.replace("Try", "Take")} for b, r in told]
    report = compared(artefact, Says(), Says(), Material(briefs(150), (), replies, pairs))
    for name in ("grounded", "wishes", "wishes_named", "likelihood", "preference"):
        found = report["differences"][name]
        assert found["mean"] == 0.0 and found["low"] == -found["high"]
    assert report["changed"] == []
    failed = {line.name for line in judge(report).lines if not line.passed}
    assert failed - {"answer time"} == {"better at something"}  # a microsecond's work may take twice as long


def test_over_a_few_briefs_nobody_is_known_to_be_no_worse(artefact):
    report = compared(artefact, Says(), Says(), Material(briefs(20), (), (), ()))
    lines = {line.name: line for line in judge(report).lines}
    assert not any(lines[name].passed for name in ("grounded", "wishes", "wishes_named"))
    assert lines["grounded"].found == "+0.000 (-0.138 to +0.138), n=20; at worst -0.020 is allowed"


def test_one_example_measures_nothing(artefact):
    brief, reply = example(0)
    pair = {"brief": brief.to_json(), "chosen": reply, "rejected": reply.replace("Try", "Take")}
    material = Material(briefs(1), (), [{"brief": brief.to_json(), "reply": reply}], [pair])
    differences = compared(artefact, Says(), Says(), material)["differences"]
    assert set(differences.values()) == {None}


def test_changed_replies_are_shown_side_by_side(artefact):
    other = "Have a look at the green [A.name], at [A.price]."
    report = compared(artefact, Says(good=other), Says(), Material(briefs(10), (), (), ()))
    assert report["changed"][0] == {"customer": "a green jacket", "act": "recommend", "candidate": other, "live": GOOD}


def test_who_writes_as_people_do_fools_the_judge_more_often(artefact):
    people = [f"{opening} [A.name], it's green." for opening in ("Try", "How about", "Here's", "Look at") * 20]

    @dataclass
    class Human(Says):
        def write(self, prompt: Prompt, *, samples: int, seed: int, deadline: float) -> list[Sample]:
            return [Sample(people[seed * 7 % 80], 12)]

    report = compared(artefact, Human(), Says(), Material(briefs(80), people, (), ()))
    found = report["differences"]["naturalness"]
    assert found["live"] < 0.1
    assert 0.3 < found["candidate"] < 0.7
    assert "better at something" not in [line.name for line in judge(report).lines if not line.passed]


def test_the_interval_covers_the_mean_nineteen_times_in_twenty():
    rng = np.random.default_rng(3)
    for count in (3, 9, 80):
        spans = [interval(rng.normal(0.3, 1.0, count).tolist()) for _ in range(400)]
        assert 370 <= sum(low <= 0.3 <= high for low, high in spans) <= 390


@pytest.mark.parametrize("better", [0.1, 0.3, 0.5])
def test_a_gain_in_shares_is_shown_by_chance_one_time_in_forty_at_most(better):
    """Between equals: each is the better one of a pair as often as the other."""
    rng = np.random.default_rng(5)
    for count in (2, 5, 9, 30):
        draws = rng.choice([1.0, -1.0, 0.0], (2_000, count), p=[better, better, 1 - 2 * better])
        shown = sum(interval(draw.tolist(), shares=True)[0] > 0 for draw in draws)
        assert shown <= 0.025 * 2_000 + 15  # two standard deviations of the count


def test_six_of_six_pairs_show_a_gain_and_five_of_five_do_not():
    five, six = (interval([1.0] * count, shares=True) for count in (5, 6))
    assert five[0] < 0 < six[0]
    assert (five[1], six[1]) == (1.0, 1.0)


def test_pairs_that_are_all_alike_leave_a_width_that_shrinks_with_their_number():
    widths = [high - low for low, high in (interval([0.0] * count, shares=True) for count in (2, 20, 200))]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == 2.0 and 0.02 < widths[2] < 0.03
