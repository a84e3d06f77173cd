"""The judge of scripted conversations must be able to say no."""

from decimal import Decimal
from pathlib import Path

import pytest

from botcore.models import Turn
from workers.scenarios import SHOWN_RULES, ScenarioError, Shown, judge, read_scenarios

BOOT = Shown("b1", Decimal("80"), "a brown leather boot", frozenset({"boots", "footwear"}))
SHOE = Shown("s1", Decimal("40"), "a canvas shoe with leather laces", frozenset({"shoes", "footwear"}))


def turn(**fields: object) -> Turn:
    return Turn(**{"act": "recommend", "reply": "Two good ones.", "brief": {}, **fields})


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ({"act": ["ask"]}, "act is recommend"),
        ({"shown": {"min": 3}}, "at least 3"),
        ({"shown": {"max": 1}}, "at most 1"),
        ({"shown": {"style": ["boots"]}}, "s1"),
        ({"shown": {"price_max": 50}}, "b1"),
        ({"shown": {"price_min": 50}}, "s1"),
        ({"shown": {"text_any": ["boot"]}}, "s1"),
        ({"shown": {"text_none": ["leather"]}}, "b1"),
        ({"shown": {"fresh": True}}, "s1 was shown before"),
        ({"shown": {"cheaper_than": 1}}, "not below 40"),
        ({"shown": {"includes_previous": 2}}, "no such item"),
        ({"reply_any": ["three"]}, "matches none"),
        ({"reply_none": ["good"]}, "matches good"),
        ({"relaxed": True}, "gave up"),
    ],
)
def test_a_broken_expectation_is_named(expect, reason):
    failures = list(judge(expect, turn(), [BOOT, SHOE], [[SHOE]]))

    assert len(failures) == 1
    assert reason in failures[0]


def test_a_turn_that_holds_everything_passes():
    expect = {
        "act": ["recommend"],
        "shown": {"min": 2, "category": ["footwear"], "price_max": 80, "text_any": ["leather"], "includes_previous": 1},
        "reply_any": ["TWO"],
        "relaxed": False,
    }

    assert list(judge(expect, turn(), [BOOT, SHOE], [[SHOE]])) == []


def test_words_are_judged_whole_or_in_the_plural():
    rule = SHOWN_RULES["text_any"]
    boots = Shown("b2", Decimal("1"), "brown boots", frozenset())

    assert rule(["boot"], [boots], []) == ""
    assert rule(["boo"], [boots], []) != ""


def test_a_file_that_is_no_list_of_scenarios_is_refused(tmp_path: Path):
    path = tmp_path / "broken.yaml"
    path.write_text("turns: []")

    with pytest.raises(ScenarioError, match="not a list of scenarios"):
        read_scenarios(path)
