"""Filters of the review queue, and filters under a name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.forms.filters import CHANNEL_NAMES, PERIODS, choice
from botcore.learning.review import queue
from botcore.models import SavedView


class ReviewFilter(forms.Form):
    """Which replies the review queue shows. A value nobody offers is reported beside its field and filters nothing."""

    q = forms.CharField(required=False, max_length=200, label=_("Words"), widget=forms.TextInput({"type": "search"}))
    decided = choice(_("Standing"), _("Waiting"), labels.review.STANDINGS)
    signal = choice(_("Signal"), _("Any"), labels.review.SIGNALS)
    period = choice(_("Period"), _("Any time"), PERIODS)
    channel = choice(_("Channel"), _("All channels"), CHANNEL_NAMES)
    act = choice(_("Act"), _("All acts"), labels.conversations.ACTS)
    written_by = choice(_("Written by"), _("Anyone"), labels.conversations.WRITTEN_BY)
    reason = choice(_("Reason"), _("Any or none"), labels.review.REASONS)

    def __init__(self, data: Mapping[str, str]) -> None:
        super().__init__(data, auto_id="filter-%s", label_suffix="")

    def filters(self) -> queue.Filters:
        """What holds of the replies asked for."""
        self.full_clean()
        asked = dict(self.cleaned_data)
        days, words = asked.pop("period", ""), asked.pop("q", "")
        since = timezone.now() - timedelta(days=int(days)) if days else None
        return queue.Filters(words=words, since=since, **asked)


class SavedViewForm(forms.ModelForm):
    """The filters of the queue under a name."""

    class Meta:
        model = SavedView
        fields = ["name", "query"]
        labels = {"name": _("Name of the view")}
        widgets = {"query": forms.HiddenInput}

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, auto_id="view-%s", label_suffix="", **options)
