"""Template filters of the console: names of stored words, and durations as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from admin_console import labels

register = template.Library()


@register.filter
def act_name(word: str) -> str:
    return labels.label(labels.ACTS, word)


@register.filter
def writer_name(word: str) -> str:
    return labels.label(labels.WRITTEN_BY, word)


@register.filter
def feedback_name(word: str) -> str:
    return labels.label(labels.FEEDBACK, word)


@register.filter
def feedback_source(word: str) -> str:
    return labels.label(labels.FEEDBACK_SOURCES, word)


@register.filter
def channel_name(word: str) -> str:
    return labels.label(labels.CHANNELS, word)


@register.filter
def link_name(word: str) -> str:
    return labels.label(labels.LINKS, word)


@register.filter
def origin_name(word: str) -> str:
    return labels.label(labels.LINK_ORIGINS, word)


@register.filter
def rule_name(word: str) -> str:
    return labels.label(labels.RULES, word)


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
