"""Alert rules: what a metric must be for somebody to be told, looked at every few seconds.

``judged`` and ``following`` decide and touch nothing; ``watch`` reads the metrics, keeps the states, opens and closes alerts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import median

import structlog
from django.db import transaction
from django.db.models import Min

from botcore.models import AlertRule, MetricBucket
from botcore.monitoring import alerts, notices
from botcore.monitoring.metrics import METRICS, Metric, Unit
from botcore.monitoring.rollup import DAY, MINUTE, Interval, merged, read, read_many
from catalog.models import Shop

log = structlog.get_logger(__name__)

State, Kind, Direction = AlertRule.State, AlertRule.Kind, AlertRule.Direction
FEWEST_EVENTS = 10
"""Shares and quantiles of fewer say nothing: one error in one reply is not "100 % errors"."""
PAST_DAYS = 21
FEWEST_DAYS = 7
"""Days on which an anomaly's metric could be read, without which nothing is unusual."""
CALM = timedelta(minutes=2)
"""So long must all be well before an alert is closed: a value on the border is one alert and not a hundred."""
CONSISTENT = 1.4826
"""Makes the median of absolute deviations of normal values their standard deviation."""
LOOSE = 0.1
"""Of their median: durations that differ by less are not told apart, as the histogram's bins are as wide."""
LONGEST_WINDOW = 24 * 60


@dataclass(frozen=True)
class Reading:
    """A metric in one window: its value, None where nothing can be said, and how many events that is of."""

    value: float | None
    rests_on: float


@dataclass(frozen=True)
class Judgement:
    """``met``: the rule's condition holds; None where nothing can be said. ``usual`` is what an anomaly is one beside."""

    met: bool | None
    value: float | None
    score: float | None = None
    usual: float | None = None


def judged(rule: AlertRule, metric: Metric, now: Reading, past: Sequence[Reading] = ()) -> Judgement:
    """Whether a rule's condition holds. ``past`` is the same window of past days, for an anomaly."""
    few = not metric.adds_up and metric.now is None and now.rests_on < FEWEST_EVENTS
    if now.value is None or few:
        return Judgement(None, now.value)
    if rule.kind == Kind.THRESHOLD:
        return Judgement(_beyond(now.value, rule), now.value)
    known = [reading.value for reading in past if reading.value is not None]
    if len(known) < FEWEST_DAYS:
        return Judgement(None, now.value)
    usual = median(known)
    spread = CONSISTENT * median(abs(value - usual) for value in known)
    score = (now.value - usual) / max(spread, _chance(metric, usual, now.rests_on))
    beyond = score > rule.threshold if rule.direction == Direction.ABOVE else score < -rule.threshold
    return Judgement(beyond, now.value, score, usual)


def following(rule: AlertRule, met: bool | None, seen_at: datetime | None, now: datetime) -> str:
    """The state after ``rule.state``. ``seen_at`` is when the condition of an open alert last held.

    Where nothing can be said the state stays: silence is no sign that all is well again.
    """
    if met is None:
        return rule.state
    if rule.state == State.FIRING:
        calm = not met and (seen_at is None or now - seen_at >= CALM)
        return State.OK if calm else State.FIRING
    if not met:
        return State.OK
    begun = rule.state_since if rule.state == State.PENDING else now
    return State.FIRING if now - begun >= timedelta(minutes=rule.hold_minutes) else State.PENDING


def _beyond(value: float, rule: AlertRule) -> bool:
    return value > rule.threshold if rule.direction == Direction.ABOVE else value < rule.threshold


def _chance(metric: Metric, usual: float, events: float) -> float:
    """How far a value may be from the usual one by chance alone: the least that counts as a spread."""
    if metric.adds_up and metric.unit is Unit.COUNT:
        return sqrt(max(usual, 1.0))
    if metric.unit is Unit.SHARE:
        share = min(max(usual, 1 / (events + 2)), 1 - 1 / (events + 2))
        return sqrt(share * (1 - share) / max(events, 1.0))
    return max(LOOSE * abs(usual), 1e-9)


# --- with the rows ----------------------------------------------------------------------------------------------------


def watch(shop: Shop, now: datetime) -> None:
    """Look at every rule of a shop: keep its state, open and close its alert, and queue who is to be told."""
    with transaction.atomic():
        for rule in AlertRule.objects.select_for_update(skip_locked=True, of=("self",)).filter(shop=shop, active=True):
            if rule.metric in METRICS:
                _look(rule, now)


def look_now(rule: AlertRule, now: datetime) -> Judgement:
    """What a rule would say at this moment; keeps nothing."""
    metric = METRICS[rule.metric]
    if metric.now:
        return judged(rule, metric, Reading(metric.now(rule.shop), 1))
    window = window_of(rule, now)
    past = _past(rule, metric, window) if rule.kind == Kind.ANOMALY else ()
    return judged(rule, metric, _reading(rule, metric, window), past)


def window_of(rule: AlertRule, now: datetime) -> Interval:
    """The window in whole minutes. The minute that is not over counts where too much is looked for, as it can only grow;
    where too little is, it does not."""
    begun = now.replace(second=0, microsecond=0)
    until = begun + MINUTE if rule.direction == Direction.ABOVE else begun
    return Interval(until - timedelta(minutes=rule.window_minutes), until)


def stop(rule: AlertRule, now: datetime) -> None:
    """A rule that is changed or switched off forgets its state; what it had opened is closed without a word."""
    alerts.close(rule.shop, rule.subject, now)
    AlertRule.objects.filter(pk=rule.pk).update(state=State.OK, state_since=now, value=None, checked_at=None)


def _look(rule: AlertRule, now: datetime) -> None:
    found = look_now(rule, now)
    alert = alerts.open_about(rule.shop, rule.subject) if rule.state == State.FIRING else None
    state = following(rule, found.met, alert.seen_at if alert else None, now)
    if state != rule.state:
        log.info("an alert rule changed its state", shop=rule.shop_id, rule=rule.pk, state=state, value=found.value)
        rule.state, rule.state_since = state, now
    rule.value, rule.checked_at = found.value, now
    rule.save(update_fields=["state", "state_since", "value", "checked_at"])
    if state == State.FIRING:
        if found.met or alert is None:
            alert = alerts.raise_by(rule, _measured(rule, found))
        notices.tell_opened(alert, now)
    elif alert:
        alerts.close(rule.shop, rule.subject, now)
        notices.tell_resolved(alert, now)


def _measured(rule: AlertRule, found: Judgement) -> dict[str, object]:
    return {
        "metric": rule.metric,
        "value": found.value,
        "score": found.score,
        "usual": found.usual,
        "threshold": rule.threshold,
        "kind": rule.kind,
        "direction": rule.direction,
        "window_minutes": rule.window_minutes,
        "channel": rule.channel,
        "version": rule.version,
    }


def _reading(rule: AlertRule, metric: Metric, window: Interval) -> Reading:
    rows = read(rule.shop, MetricBucket.Width.MINUTE, window.since, window.until, rule.channel, rule.version)
    counts = merged(rows)
    return Reading(metric.read(counts, rule.window_minutes), metric.rests_on(counts))


def _past(rule: AlertRule, metric: Metric, window: Interval) -> list[Reading]:
    """The same window on each of the past days that the shop was there for."""
    rows = MetricBucket.objects.filter(shop=rule.shop, width=MetricBucket.Width.MINUTE)
    begun = rows.aggregate(begun=Min("start"))["begun"]
    days = [Interval(window.since - day * DAY, window.until - day * DAY) for day in range(1, PAST_DAYS + 1)]
    days = [day for day in days if begun and day.since >= begun]
    found = read_many(rule.shop, MetricBucket.Width.MINUTE, days, rule.channel, rule.version)
    return [Reading(metric.read(counts, rule.window_minutes), metric.rests_on(counts)) for counts in map(merged, found)]
