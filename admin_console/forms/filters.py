"""What filters of several lists have in common."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from botcore.channels.registry import CHANNELS

CHANNEL_NAMES = {name: labels.conversations.CHANNELS.get(name, name) for name in CHANNELS}
PERIODS = {"1": _("Last 24 hours"), "7": _("Last 7 days"), "30": _("Last 30 days")}


def choice(title: labels.Label, anything: labels.Label, names: Mapping[str, labels.Label]) -> forms.ChoiceField:
    """A filter that may be left open."""
    return forms.ChoiceField(required=False, label=title, choices=[("", anything), *names.items()])
