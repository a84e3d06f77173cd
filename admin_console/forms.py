"""The filters of the conversation list, as an address carries them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.conversations import Filters
from botcore.channels.registry import CHANNELS
from catalog.models import Shop

CHANNEL_NAMES = {name: labels.CHANNELS.get(name, name) for name in CHANNELS}
PERIODS = {"1": _("Last 24 hours"), "7": _("Last 7 days"), "30": _("Last 30 days")}


def _choice(title: labels.Label, anything: labels.Label, names: Mapping[str, labels.Label]) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=title, choices=[("", anything), *names.items()])


class FilterForm(forms.Form):
    """A value nobody offers is reported beside its field and filters nothing."""

    q = forms.CharField(required=False, max_length=200, label=_("Words"), widget=forms.TextInput({"type": "search"}))
    shop = forms.ModelChoiceField(
        Shop.objects.none(), required=False, to_field_name="slug", label=_("Shop"), empty_label=_("All shops")
    )
    period = _choice(_("Period"), _("Any time"), PERIODS)
    channel = _choice(_("Channel"), _("All channels"), CHANNEL_NAMES)
    act = _choice(_("Act"), _("All acts"), labels.ACTS)
    written_by = _choice(_("Written by"), _("Anyone"), labels.WRITTEN_BY)
    feedback = _choice(_("Feedback"), _("Any or none"), labels.FEEDBACK)
    waiting = forms.BooleanField(required=False, label=_("Waiting for a person"))

    def __init__(self, data: Mapping[str, str], shops: QuerySet[Shop]) -> None:
        super().__init__(data, auto_id="filter-%s", label_suffix="")
        self.fields["shop"].queryset = shops  # type: ignore[attr-defined]
        if len(shops) < 2 and "shop" not in data:
            del self.fields["shop"]

    def filters(self) -> Filters:
        """What holds of the conversations and turns asked for."""
        self.full_clean()
        asked = dict(self.cleaned_data)
        days, words = asked.pop("period", ""), asked.pop("q", "")
        since = timezone.now() - timedelta(days=int(days)) if days else None
        return Filters(words=words, since=since, **{name: value for name, value in asked.items() if value})
