"""Template filters of the console: names of stored words, and durations as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django import template
from django.conf import settings
from django.template import Context
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from admin_console import audit, inbox, labels, navigation, problems, watching
from admin_console.navigation import Link
from botcore.channels.chunking import around_links
from botcore.dialogue.facts import media_url
from botcore.models import Topic
from botcore.monitoring.metrics import Unit
from botcore.monitoring.telling import value_of
from botcore.roles import Role
from catalog.models import ChangeSet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()


NAMES = {
    "act_name": labels.conversations.ACTS,
    "writer_name": labels.conversations.WRITTEN_BY,
    "feedback_name": labels.conversations.FEEDBACK,
    "feedback_source": labels.conversations.FEEDBACK_SOURCES,
    "delivery_name": labels.conversations.DELIVERY,
    "account_state": labels.conversations.ACCOUNT_STATES,
    "link_name": labels.catalogue.LINKS,
    "origin_name": labels.catalogue.LINK_ORIGINS,
    "rule_name": labels.catalogue.RULES,
    "verdict_name": labels.review.VERDICTS,
    "decision_name": labels.review.DECISIONS,
    "reason_name": labels.review.REASONS,
    "signal_name": labels.review.SIGNALS,
    "use_name": labels.learning.USES,
    "part_name": labels.learning.PARTS,
    "sentiment_name": labels.watching.SENTIMENTS,
    "stream_kind": labels.watching.STREAM_KINDS,
    "left_out_name": labels.learning.LEFT_OUT,
    "lineage_name": labels.learning.LINEAGE,
    "recipe_name": labels.learning.RECIPES,
    "run_state": labels.learning.RUN_STATES,
    "stage_name": labels.learning.STAGES,
    "version_state": labels.learning.VERSION_STATES,
    "step_name": labels.learning.STEPS,
    "curve_name": labels.learning.CURVES,
    "measure_name": labels.learning.MEASURES,
    "period_name": labels.watching.PERIODS,
    "rule_state": labels.watching.ALERT_RULE_STATES,
    "route_name": labels.watching.ALERT_ROUTES,
    "interaction_name": labels.conversations.INTERACTIONS,
    "deed_name": audit.ACTIONS,
    "kind_name": audit.KINDS,
    "bulk_name": labels.catalogue.BULK,
    "field_name": labels.catalogue.FIELDS,
    "meaning_name": labels.catalogue.MEANINGS,
    "fate_name": labels.catalogue.FATES,
    "change_kind": labels.catalogue.CHANGE_KINDS,
    "kept_name": labels.catalogue.KEPT,
    "feed_period": labels.catalogue.FEED_PERIODS,
    "language_name": labels.catalogue.LANGUAGES,
    "dealing_name": labels.catalogue.DEALINGS,
}
for _filter, _names in NAMES.items():
    register.filter(_filter, partial(labels.label, _names))
register.filter("channel_name", labels.channel_name)

BROWSERS = {
    "MicroMessenger": "WeChat",
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
"""By what a browser calls itself, the more special before what many claim to be."""
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


@register.simple_tag(takes_context=True)
def menu(context: Context) -> list[tuple[StrOrPromise, list[Link]]]:
    """The menu of :mod:`admin_console.navigation` for the reader of this page."""
    request = context["request"]
    counts = {**inbox.counts(request.user), **watching.counts(request.user)}
    return navigation.menu(request.user, request.resolver_match.url_name or "", counts)


@register.filter
def linked(text: str) -> SafeString:
    """A text whose addresses can be followed, beside the page; our own are there to be copied."""

    def link(url: str) -> str:
        if url.startswith(settings.PUBLIC_URL):
            return escape(url)
        return format_html('<a href="{0}" target="_blank" rel="noopener">{0}</a>', url)

    return mark_safe(around_links(text, escape, link))  # noqa: S308 (every part is escaped)


@register.filter
def role_name(role: str) -> str:
    """What a member is, in the reader's language."""
    return str(Role(role).label) if role in Role.values else role


@register.filter
def browser(agent: str) -> str:
    """``Firefox, Linux``: what a person tells their browsers apart by; the start of it where that is not known."""
    name = next((name for mark, name in BROWSERS.items() if mark in agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in agent), "")
    return ", ".join(part for part in (name, system) if part) or agent[:40] or "–"


@register.filter
def set_state(change_set: ChangeSet) -> str:
    """How an import or a bulk edit stands."""
    return labels.label(labels.catalogue.CHANGE_STATES, f"{change_set.task} {change_set.status}")


@register.filter
def values_of(attributes: Mapping[str, list[str]], name: str) -> str:
    """The values of one attribute; a dash where there are none."""
    return ", ".join(attributes.get(name, ())) or "–"


register.filter("picture", media_url)
register.filter("row_problem", problems.told)


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
def money(amount: float, currency: str) -> str:
    """An amount in a currency, with its sign."""
    return value_of(Unit.MONEY, amount, currency)


@register.filter
def unlocalized(value: float) -> str:
    """A number as programs read it, whatever the reader's language."""
    return repr(round(float(value), 6))


@register.filter
def odds(chance: float) -> str:
    """A small chance as people say it: ``1 : 20,000``."""
    if chance < 1e-6:
        return _("below 1 in a million")
    return _("1 in %(number)s") % {"number": f"{1 / chance:,.0f}"}
