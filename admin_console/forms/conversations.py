"""Filters of the list of conversations, words on replies, answers to customers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.conversations import Filters
from admin_console.forms.filters import CHANNEL_NAMES, PERIODS, choice
from catalog.models import Shop


class FilterForm(forms.Form):
    """A value nobody offers is reported beside its field and filters nothing."""

    q = forms.CharField(required=False, max_length=200, label=_("Words"), widget=forms.TextInput({"type": "search"}))
    shop = forms.ModelChoiceField(
        Shop.objects.none(), required=False, to_field_name="slug", label=_("Shop"), empty_label=_("All shops")
    )
    period = choice(_("Period"), _("Any time"), PERIODS)
    channel = choice(_("Channel"), _("All channels"), CHANNEL_NAMES)
    act = choice(_("Act"), _("All acts"), labels.conversations.ACTS)
    written_by = choice(_("Written by"), _("Anyone"), labels.conversations.WRITTEN_BY)
    feedback = choice(_("Feedback"), _("Any or none"), labels.conversations.FEEDBACK)
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


class VerdictForm(forms.Form):
    """What goes with every word on a reply."""

    reason = forms.CharField(required=False, max_length=200, label=_("Reason, if you like"))
    for_training = forms.BooleanField(required=False, label=_("Use for training"), initial=True)

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, auto_id="word-%s", label_suffix="", **options)


class CorrectionForm(VerdictForm):
    """The reply as it should have been."""

    text = forms.CharField(
        max_length=2_000, label=_("The reply should have been"), widget=forms.Textarea({"rows": 4, "lang": "en"})
    )


class AnswerForm(forms.Form):
    """What a person writes to a customer. ``after`` is the last message that was on the page when they wrote it."""

    text = forms.CharField(
        required=False,
        max_length=4_000,
        label=_("Your answer"),
        widget=forms.Textarea({"rows": 3, "aria-describedby": "answer-hint"}),
    )
    after = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None = None, words_needed: bool = True, **options: Any) -> None:
        super().__init__(data, auto_id="answer-%s", label_suffix="", **options)
        self.fields["text"].required = words_needed
