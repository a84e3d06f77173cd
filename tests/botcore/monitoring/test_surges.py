"""When complaints are more than usual, and when they only look so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from botcore.monitoring.surges import (
    FALSE_ALARMS,
    FEWEST_PEOPLE,
    PAST,
    WINDOWS,
    Remark,
    allowed_chance,
    chance_of,
    surge,
)

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
BEGUN = NOW - timedelta(days=15)
HOUR = timedelta(hours=1)


def complaints(number: int, since: timedelta, *, author: str = "p{}", negative: bool = True) -> list[Remark]:
    """So many, spread evenly over the time up to now."""
    return [
        Remark(NOW - since + since * (place + 1) / number, author.format(place), negative) for place in range(number)
    ]


def test_many_people_within_the_hour_where_there_was_hardly_one_a_day_are_a_surge():
    past = [Remark(NOW - timedelta(days=day, hours=3), f"old{day}", True) for day in range(13, 0, -1)]
    found = surge([*past, *complaints(8, HOUR * 0.5)], BEGUN, 5, NOW)
    assert found is not None
    assert (found.window, found.people, found.share) == (HOUR, 8, 1.0)
    assert found.usual < 0.1
    assert found.chance < allowed_chance(HOUR, 5)


def test_as_many_as_always_are_none():
    past = [Remark(NOW - timedelta(minutes=7 * step), f"p{step}", True) for step in range(14 * 24 * 8, 0, -1)]
    assert surge(past, BEGUN, 5, NOW) is None


def test_one_person_who_writes_again_and_again_is_one():
    assert surge(complaints(30, HOUR, author="the same"), BEGUN, 5, NOW) is None
    assert surge(complaints(30, HOUR, author=""), BEGUN, 5, NOW) is not None, "nobody knows whether they are one"


def test_few_people_are_no_surge_however_quiet_it_was():
    assert surge(complaints(FEWEST_PEOPLE - 1, HOUR), BEGUN, 1, NOW) is None


def test_where_most_are_content_a_crowd_is_no_surge_of_complaints():
    crowd = sorted(
        [*complaints(8, HOUR * 0.9), *complaints(20, HOUR * 0.9, author="fan{}", negative=False)], key=lambda r: r.at
    )
    assert surge(crowd, BEGUN, 5, NOW) is None


def test_a_stream_that_is_hours_old_does_not_know_what_is_usual():
    assert surge(complaints(30, HOUR), NOW - timedelta(hours=20), 5, NOW) is None


def test_news_that_come_slowly_are_counted_by_the_day():
    past = [Remark(NOW - timedelta(days=day, hours=5), f"old{day}", True) for day in range(14, 1, -1)]
    found = surge([*past, *complaints(14, timedelta(hours=20))], BEGUN, 5, NOW)
    assert found is not None
    assert found.window == timedelta(days=1)


def test_a_past_that_goes_up_and_down_makes_patient():
    assert chance_of(12, [0, 6, 0, 6, 0, 6, 0, 6]) > 10 * chance_of(12, [3] * 8)
    assert chance_of(5, [1, 1]) > chance_of(5, [1] * 20), "a short past makes less certain"


@pytest.mark.parametrize("hourly", [0.1, 0.6])
def test_months_in_which_nothing_happens_raise_no_more_alarms_than_the_budget_allows(hourly):
    """Six topics for a month, with busy evenings and quiet nights, looked at every half hour."""
    random, topics, days = np.random.default_rng(0), 6, 30
    begun, alarms = NOW - PAST - timedelta(days=days + 1), 0
    for _ in range(topics):
        hours = np.sort(random.uniform(0, (days + 15) * 24, random.poisson(2 * hourly * 24 * (days + 15))))
        busy = hours[random.uniform(size=len(hours)) < 0.5 + 0.5 * np.cos((hours % 24 - 18) / 24 * 2 * np.pi)]
        said = [
            Remark(begun + HOUR * float(at), f"p{place}", bool(random.uniform() < 0.8)) for place, at in enumerate(busy)
        ]
        for half_hour in range(2 * 24 * 15, 2 * 24 * (15 + days)):
            now = begun + HOUR * half_hour / 2
            recent = [each for each in said if now - PAST - max(WINDOWS) < each.at <= now]
            alarms += surge(recent, begun, topics, now) is not None
    assert alarms <= 2 * FALSE_ALARMS, "chance may double a budget of one"
