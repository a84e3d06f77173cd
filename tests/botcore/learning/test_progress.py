"""How far long work is, told in lines."""

from __future__ import annotations

from botcore.learning.progress import Lines, followed


def told(*points: dict[str, float]) -> list[str]:
    lines: list[str] = []
    progress = Lines(lines.append)
    progress.stage("sft")
    for point in points:
        progress.point(point)
    return lines


def test_what_was_measured_stands_behind_the_steps_in_the_order_in_which_it_is_looked_at():
    assert told({"step": 10, "of": 40, "reward": 0.3, "loss": 1.5, "grad_norm": 2.0}) == [
        "sft",
        "sft 10/40: loss 1.5, reward 0.3",
    ]


def test_a_count_is_told_a_tenth_of_the_way_at_a_time():
    lines = told(*({"step": step, "of": 300} for step in range(1, 301)))
    assert lines == ["sft", *(f"sft {step}/300" for step in range(30, 301, 30))]


def test_a_new_stage_counts_from_its_own_beginning():
    lines: list[str] = []
    progress = Lines(lines.append)
    for name in ("writing", "reading"):
        progress.stage(name)
        progress.point({"step": 1, "of": 1})
    assert lines == ["writing", "writing 1/1", "reading", "reading 1/1"]


def test_a_row_is_done_when_the_next_is_asked_for():
    lines: list[str] = []
    rows = followed(["a", "b"], Lines(lines.append))
    assert (next(rows), lines) == ("a", [])
    assert (next(rows), lines) == ("b", [" 1/2"])
    assert (list(rows), lines) == ([], [" 1/2", " 2/2"])
