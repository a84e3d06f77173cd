"""Template filters of the console: names of stored words, and durations as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from admin_console import inbox, labels, navigation
from admin_console.navigation import Link
from botcore.models import Topic

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
    "stream_kind": labels.STREAM_KINDS,
    "left_out_name": labels.LEFT_OUT,
    "lineage_name": labels.LINEAGE,
    "recipe_name": labels.RECIPES,
    "run_state": labels.RUN_STATES,
    "stage_name": labels.STAGES,
    "version_state": labels.VERSION_STATES,
    "step_name": labels.STEPS,
    "curve_name": labels.CURVES,
    "measure_name": labels.MEASURES,
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
def topic_name(topic: Topic) -> str:
    """The topic's name in the reader's language, if it has one there."""
    return topic.name_in("zh" if (get_language() or "").startswith("zh") else "en")


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


@register.filter
def unlocalised(number: float) -> str:
    """A number as attributes of HTML take it, whatever the reader's language."""
    return f"{number:.4f}"


@register.filter
def odds(chance: float) -> str:
    """A small chance as people say it: ``1 : 20,000``."""
    if chance < 1e-6:
        return _("below 1 in a million")
    return _("1 in %(number)s") % {"number": f"{1 / chance:,.0f}"}
