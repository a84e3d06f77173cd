"""What people send to the pages of streams: filters as an address carries them, a new feed, a topic's name, an article."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.streams import Filters
from botcore.models import TextStream, Topic
from catalog.models import Shop

PERIODS = {
    "1": _("Last 24 hours"),
    "7": _("Last 7 days"),
    "14": _("Last 14 days"),
    "30": _("Last 30 days"),
    "365": _("Last year"),
}
USUAL_PERIOD = "14"
LANGUAGES = {"en": _("in English"), "zh": _("in Chinese")}


class StreamFilter(forms.Form):
    """A value nobody offers is reported beside its field and filters nothing."""

    q = forms.CharField(required=False, max_length=200, label=_("Words"), widget=forms.TextInput({"type": "search"}))
    period = forms.ChoiceField(required=False, label=_("Period"), choices=list(PERIODS.items()))
    topic = forms.ModelChoiceField(Topic.objects.none(), required=False, label=_("Topic"), empty_label=_("All topics"))
    sentiment = forms.ChoiceField(
        required=False, label=_("Sentiment"), choices=[("", _("Any")), *labels.watching.SENTIMENTS.items()]
    )
    language = forms.ChoiceField(required=False, label=_("Language"), choices=[("", _("Any")), *LANGUAGES.items()])

    def __init__(self, data: Mapping[str, str], stream: TextStream, reader: str) -> None:
        super().__init__({"period": USUAL_PERIOD, **data}, auto_id="filter-%s", label_suffix="")
        field = self.fields["topic"]
        field.queryset = stream.topics.filter(merged_into=None).defer("centroid").order_by("-count")  # type: ignore[attr-defined]
        field.label_from_instance = lambda topic: topic.name_in(reader)  # type: ignore[attr-defined]

    def filters(self) -> Filters:
        """What holds of the sentences asked for."""
        self.full_clean()
        asked = dict(self.cleaned_data)
        days, words = int(asked.pop("period", "") or USUAL_PERIOD), asked.pop("q", "")
        return Filters(days=days, words=words, **{name: value for name, value in asked.items() if value})


class FeedForm(forms.Form):
    """A new stream, which texts are sent to."""

    shop = forms.ModelChoiceField(Shop.objects.none(), to_field_name="slug", label=_("Shop"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=80)

    def __init__(self, shops: QuerySet[Shop], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="feed-%s", label_suffix="")
        self.fields["shop"].queryset = shops  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        taken = TextStream.objects.filter(shop=cleaned.get("shop"), name=cleaned.get("name", "").strip())
        if taken.exists():
            self.add_error("name", _("There is a stream of this name already."))
        return cleaned


class TopicNameForm(forms.Form):
    name = forms.CharField(label=_("Name of the topic"), max_length=80)

    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: str = "") -> None:
        super().__init__(data, auto_id="topic-%s", label_suffix="", initial={"name": initial})


class DraftForm(forms.Form):
    """An article that answers what people ask or complain of, in their language."""

    title = forms.CharField(label=_("Question or title"), max_length=200)
    body = forms.CharField(
        label=_("Answer, as customers will read it"), max_length=20_000, widget=forms.Textarea({"rows": 8})
    )
    language = forms.ChoiceField(label=_("Language"), choices=list(LANGUAGES.items()))

    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="draft-%s", label_suffix="", initial=initial)
