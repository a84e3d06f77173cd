"""Template filters of the console: names of stored words, and durations as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from admin_console import inbox, labels, navigation, problems
from admin_console.navigation import Link
from botcore.dialogue.facts import media_url
from catalog.models import ChangeSet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()


NAMES = {
    "act_name": labels.ACTS,
    "writer_name": labels.WRITTEN_BY,
    "feedback_name": labels.FEEDBACK,
    "feedback_source": labels.FEEDBACK_SOURCES,
    "delivery_name": labels.DELIVERY,
    "account_state": labels.ACCOUNT_STATES,
    "link_name": labels.LINKS,
    "origin_name": labels.LINK_ORIGINS,
    "rule_name": labels.RULES,
    "verdict_name": labels.VERDICTS,
    "use_name": labels.USES,
    "part_name": labels.PARTS,
    "sentiment_name": labels.SENTIMENTS,
    "left_out_name": labels.LEFT_OUT,
    "lineage_name": labels.LINEAGE,
    "recipe_name": labels.RECIPES,
    "run_state": labels.RUN_STATES,
    "stage_name": labels.STAGES,
    "version_state": labels.VERSION_STATES,
    "step_name": labels.STEPS,
    "curve_name": labels.CURVES,
    "measure_name": labels.MEASURES,
    "bulk_name": labels.BULK,
    "field_name": labels.FIELDS,
    "meaning_name": labels.MEANINGS,
    "fate_name": labels.FATES,
    "change_kind": labels.CHANGE_KINDS,
    "kept_name": labels.KEPT,
    "period_name": labels.PERIODS,
    "language_name": labels.LANGUAGES,
    "interaction_name": labels.INTERACTIONS,
}
for _filter, _names in NAMES.items():
    register.filter(_filter, partial(labels.label, _names))
register.filter("channel_name", labels.channel_name)


@register.simple_tag(takes_context=True)
def menu(context: Context) -> list[tuple[StrOrPromise, list[Link]]]:
    """The menu of :mod:`admin_console.navigation` for the reader of this page."""
    request = context["request"]
    return navigation.menu(request.user, request.resolver_match.url_name or "", inbox.counts(request.user))


@register.filter
def set_state(change_set: ChangeSet) -> str:
    """How an import or a bulk edit stands."""
    return labels.label(labels.CHANGE_STATES, f"{change_set.task} {change_set.status}")


@register.filter
def values_of(attributes: Mapping[str, list[str]], name: str) -> str:
    """The values of one attribute; a dash where there are none."""
    return ", ".join(attributes.get(name, ())) or "–"


register.filter("picture", media_url)
register.filter("row_problem", problems.told)


@register.filter
def how_long(instant: datetime) -> str:
    """``3 minutes``, in the largest unit alone."""
    return timesince(instant, depth=1) if timezone.now() - instant >= timedelta(minutes=1) else _("less than a minute")


@register.filter
def seconds(duration: timedelta | None) -> str:
    """``0.84 s``, ``12 s``, ``4 min``; a dash where there is none."""
    if duration is None:
        return "–"
    value = duration.total_seconds()
    if value >= 120:
        return _("%(number)d min") % {"number": round(value / 60)}
    return _("%(number)s s") % {"number": f"{value:.2f}" if value < 10 else f"{value:.0f}"}


@register.filter
def ago(instant: datetime) -> str:
    """``3 minutes ago``, in the largest unit alone."""
    if timezone.now() - instant < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(instant, depth=1)}


@register.filter
def percent(share: float) -> str:
    """A share between 0 and 1: ``2.5 %``."""
    return f"{100 * share:.1f} %"
