"""Values and alerts in words, in the language of this moment: for pages, mails and chats alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from botcore.dialogue.facts import format_price
from botcore.models import AlertRule
from botcore.monitoring.metrics import METRICS, Unit

MINUTES_OF_AN_HOUR = 60


def value_of(unit: Unit, value: float | None, currency: str = "") -> str:
    """``12,345``, ``3.4 %``, ``840 ms``, ``2.1 s``, ``$1,299.00``; a dash for what cannot be said."""
    if value is None:
        return "–"
    match unit:
        case Unit.SHARE:
            return f"{100 * value:.1f} %"
        case Unit.MILLISECONDS:
            return f"{value:.0f} ms" if value < 1_000 else _seconds(value / 1_000)
        case Unit.SECONDS:
            return _seconds(value)
        case Unit.MONEY:
            return format_price(Decimal(f"{value:.2f}"), currency)
        case Unit.NUMBER:
            return f"{value:,.2f}"
        case _:
            return f"{value:,.0f}"


def sentence_of(measured: Mapping[str, Any], currency: str) -> str:
    """What an alert's rule found: "Errors: 12.0 % in the last 5 minutes; the limit is above 5.0 %"."""
    metric = METRICS[measured["metric"]]
    value = value_of(metric.unit, measured["value"], currency)
    where = "".join(f" ({part})" for part in (measured["channel"], measured["version"]) if part)
    told = _("%(metric)s%(where)s: %(value)s") % {"metric": metric.label, "where": where, "value": value}
    if metric.now is None:
        told = f"{told} {window_of(measured['window_minutes'])}"
    limit = _limit(measured, metric.unit, currency)
    return _("%(found)s; %(limit)s") % {"found": told, "limit": limit}


def condition_of(rule: AlertRule) -> str:
    """What a rule waits for: "Errors above 5.0 % in the last 5 minutes"."""
    metric = METRICS.get(rule.metric)
    if metric is None:
        return rule.metric
    above = rule.direction == AlertRule.Direction.ABOVE
    if rule.kind == AlertRule.Kind.ANOMALY:
        told = _("%(metric)s unusually high") if above else _("%(metric)s unusually low")
        condition = told % {"metric": metric.label}
    else:
        told = _("%(metric)s above %(value)s") if above else _("%(metric)s below %(value)s")
        value = value_of(metric.unit, rule.threshold, rule.shop.currency)
        condition = told % {"metric": metric.label, "value": value}
    return condition if metric.now else f"{condition} {window_of(rule.window_minutes)}"


def window_of(minutes: int) -> str:
    """ "in the last 5 minutes", in hours where they are whole."""
    if minutes % MINUTES_OF_AN_HOUR == 0:
        hours = minutes // MINUTES_OF_AN_HOUR
        return ngettext("in the last hour", "in the last %(count)s hours", hours) % {"count": hours}
    return ngettext("in the last minute", "in the last %(count)s minutes", minutes) % {"count": minutes}


def _limit(measured: Mapping[str, Any], unit: Unit, currency: str) -> str:
    above = measured["direction"] == AlertRule.Direction.ABOVE
    if measured["kind"] == AlertRule.Kind.ANOMALY:
        usual = value_of(unit, measured["usual"], currency)
        return _("at this hour it usually is %(usual)s") % {"usual": usual}
    told = _("the limit is above %(limit)s") if above else _("the limit is below %(limit)s")
    return told % {"limit": value_of(unit, measured["threshold"], currency)}


def _seconds(value: float) -> str:
    if value >= 120:
        return _("%(number)d min") % {"number": round(value / 60)}
    return _("%(number)s s") % {"number": f"{value:.2f}" if value < 10 else f"{value:.0f}"}
