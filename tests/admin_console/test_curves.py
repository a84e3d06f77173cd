"""Points of a training run become lines."""

from admin_console.curves import HEIGHT, MARGIN, MOST_POINTS, WIDTH, charts


def _coordinates(line: str) -> list[tuple[float, float]]:
    return [tuple(map(float, point.split(","))) for point in line.split()]


def test_a_measure_of_a_stage_is_a_chart_from_the_corner_it_begins_in_to_how_far_the_run_is():
    (chart,) = charts([{"stage": "sft", "step": step, "of": 100, "loss": 2.0 - step / 50} for step in (0, 25, 50)])
    assert (chart.stage, chart.measure, chart.low, chart.high, chart.last, chart.steps) == (
        "sft", "loss", "1", "2", "1", 100,
    )  # fmt: skip
    assert _coordinates(chart.lines[0]) == [(MARGIN, MARGIN), (83, HEIGHT / 2), (WIDTH / 2, HEIGHT - MARGIN)]


def test_stages_stay_in_their_order_and_the_measures_looked_at_first_come_first():
    points = [
        {"stage": "sft", "step": 1, "grad_norm": 1.0, "validation": 3, "loss": 2.0, "epoch": 0.1},
        {"stage": "preference", "step": 1, "rewards/margins": 0.1, "rewards/accuracies": 0.5, "train_runtime": 9.0},
    ]
    assert [(chart.stage, chart.measure) for chart in charts(points)] == [
        ("sft", "loss"),
        ("sft", "validation"),
        ("sft", "grad_norm"),
        ("preference", "rewards/accuracies"),
        ("preference", "rewards/margins"),
    ]


def test_another_trial_and_a_run_that_began_anew_are_lines_of_their_own():
    points = [{"stage": "search", "trial": trial, "step": step, "loss": 1.0} for trial in (0, 1) for step in (1, 2)]
    again = [{"stage": "sft", "step": step, "loss": 1.0} for step in (1, 2, 1, 2, 3)]
    assert [len(chart.lines) for chart in charts([*points, *again])] == [2, 2]


def test_a_single_point_is_a_dot_in_the_middle_of_the_height():
    (chart,) = charts([{"stage": "sft", "step": 10, "validation": 0.5}])
    assert (chart.lines, chart.dots) == ((), ((f"{WIDTH - MARGIN:.1f}", f"{HEIGHT / 2:.1f}"),))


def test_long_lines_are_thinned_and_keep_their_end():
    (chart,) = charts([{"stage": "sft", "step": step, "loss": step} for step in range(2_000)])
    line = _coordinates(chart.lines[0])
    assert len(line) <= MOST_POINTS + 1
    assert line[-1] == (WIDTH - MARGIN, MARGIN)


def test_what_is_no_number_is_not_drawn():
    odd = {"stage": "sft", "step": "one", "loss": float("nan"), "note": "hello", "done": True}
    assert charts([odd, {}, {"loss": None}]) == []
