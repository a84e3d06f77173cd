"""Whether more people than usual complain of one topic: counts against the topic's own past. Pure; nothing is read here.

People are counted, not texts: whoever writes twenty times is one. Their number in a window is set against that in the
windows before, as a negative binomial variable with the past's mean and variance (method of moments; the variance is that of
a new observation, so a short past makes less certain). Busy hours and quiet nights make the past's variance large and the
test patient. The chance allowed is small enough that a stream in which nothing happens gives ``FALSE_ALARMS`` a month over
all its topics, windows and looks (Bonferroni; ``tests/botcore/monitoring/test_surges.py`` lets months pass).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from scipy.special import betainc

FALSE_ALARMS = 1.0
"""A stream's, a month."""
MONTH = timedelta(days=30)
WINDOWS = (timedelta(hours=1), timedelta(days=1))
"""A burst of messages is seen in the one, reviews and news that come slowly in the other."""
PAST = timedelta(days=14)
FEWEST_WINDOWS = 7
SHORTEST_PAST = timedelta(days=1)
"""A stream that is younger, or has fewer windows behind it, does not know yet what is usual."""
LOOKS = 10
"""Windows slide: so many looks in the time of one window are as good as independent."""
FEWEST_PEOPLE = 5
"""Who complain in the window, however unusual fewer would be."""
LOWEST_SHARE = 0.5
"""Of those who speak of the topic in the window, how many complain at least."""
UNSEEN = 0.5
"""People added to the past's sum: what was never seen is not impossible."""


@dataclass(frozen=True)
class Remark:
    """Somebody spoke of the topic. ``author`` is "" where nobody knows who; each such remark counts as another's."""

    at: datetime
    author: str
    negative: bool


@dataclass(frozen=True)
class Surge:
    """``people`` complain since ``since``, where ``usual`` do in a window; ``share`` of those who speak of it; ``chance`` is
    that of so many if nothing has changed."""

    window: timedelta
    since: datetime
    people: int
    usual: float
    share: float
    chance: float


def surge(remarks: Sequence[Remark], begun: datetime, topics: int, now: datetime) -> Surge | None:
    """The least likely surge of one topic that is not by chance.

    ``remarks`` are those of ``PAST`` and a day, in order of time; ``begun`` is when the stream's first text was said,
    ``topics`` how many topics are tested beside this one.
    """
    found = [each for window in WINDOWS if (each := _in_window(remarks, begun, topics, now, window))]
    return min(found, key=lambda each: each.chance, default=None)


def allowed_chance(window: timedelta, topics: int) -> float:
    """The chance below which one look at one topic tells of a surge."""
    looks = MONTH / window * LOOKS * max(topics, 1) * len(WINDOWS)
    return FALSE_ALARMS / looks


def chance_of(people: int, past: Sequence[int]) -> float:
    """The chance of ``people`` or more in a window, by how many there were in each window of the past."""
    mean = (sum(past) + UNSEEN) / (len(past) + 1)
    spread = float(np.var(past, ddof=1)) if len(past) > 1 else 0.0
    variance = max(spread, mean) * (1 + 1 / len(past))
    size = mean * mean / (variance - mean)
    return float(betainc(people, size, mean / (mean + size)))


def _in_window(
    remarks: Sequence[Remark], begun: datetime, topics: int, now: datetime, window: timedelta
) -> Surge | None:
    since = now - window
    windows = int((since - max(begun, since - PAST)) / window)
    if windows < FEWEST_WINDOWS or since - begun < SHORTEST_PAST:
        return None
    present = _between(remarks, since, now)
    people, speaking = _people([each for each in present if each.negative]), _people(present)
    if people < FEWEST_PEOPLE or people < LOWEST_SHARE * speaking:
        return None
    complaints = [each for each in remarks if each.negative]
    past = [
        _people(_between(complaints, since - (place + 1) * window, since - place * window)) for place in range(windows)
    ]
    chance = chance_of(people, past)
    if chance >= allowed_chance(window, topics):
        return None
    return Surge(window, since, people, sum(past) / windows, people / speaking, chance)


def _between(remarks: Sequence[Remark], since: datetime, until: datetime) -> Sequence[Remark]:
    """Those after ``since``, up to and with ``until``."""
    first = bisect_right(remarks, since, key=lambda each: each.at)
    return remarks[first : bisect_right(remarks, until, key=lambda each: each.at)]


def _people(remarks: Sequence[Remark]) -> int:
    known = {each.author for each in remarks if each.author}
    return len(known) + sum(not each.author for each in remarks)
