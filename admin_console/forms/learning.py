"""What goes into a snapshot, filters of its rows, settings of training runs, the next step of a version, blind choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.forms.filters import choice
from botcore.learning import datasets, recipes
from botcore.models import Dataset, DatasetRow
from catalog.models import Shop


class SnapshotForm(forms.Form):
    """Which feedback becomes a snapshot; left empty, all there is."""

    since = forms.DateField(
        required=False, label=_("Replies since"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    until = forms.DateField(
        required=False, label=_("Replies before"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    acts = forms.MultipleChoiceField(
        required=False,
        label=_("Of these acts alone"),
        choices=[*labels.conversations.ACTS.items()],
        widget=forms.CheckboxSelectMultiple,
    )
    no_votes = forms.BooleanField(required=False, label=_("Without customers' thumbs"))

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="snapshot-%s", label_suffix="")

    def clean(self) -> dict[str, Any]:
        told = self.cleaned_data
        since, until = told.get("since"), told.get("until")
        if since and until and since >= until:
            self.add_error("until", _("Choose a day after the first one."))
        return told

    def filters(self) -> datasets.Filters:
        told = self.cleaned_data
        return datasets.Filters(
            _beginning(told["since"]), _beginning(told["until"]), tuple(told["acts"]), votes=not told["no_votes"]
        )


def _beginning(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None


class SnapshotFilter(forms.Form):
    """Which rows of a snapshot are listed."""

    use = choice(_("Use"), _("Any"), labels.learning.USES)
    part = choice(_("Part"), _("Any"), labels.learning.PARTS)

    def __init__(self, data: Mapping[str, str]) -> None:
        super().__init__(data, auto_id="filter-%s", label_suffix="")

    def rows(self, rows: QuerySet[DatasetRow]) -> QuerySet[DatasetRow]:
        """The rows asked for; a value nobody offers narrows nothing."""
        self.full_clean()
        return rows.filter(**{name: value for name, value in self.cleaned_data.items() if value})


class SnapshotField(forms.ModelChoiceField):
    """Snapshots by number and day."""

    def label_from_instance(self, snapshot: Any) -> str:
        return f"{snapshot.pk} · {snapshot.created_at:%Y-%m-%d} · {snapshot.content_hash[:8]}"


@dataclass(frozen=True)
class Teachable:
    """What a shop's runs may learn from, read once for the forms of all recipes: approved snapshots, departments by path."""

    snapshots: QuerySet[Dataset]
    departments: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, shop: Shop, departments: Mapping[str, str]) -> Teachable:
        approved = Dataset.objects.filter(shop=shop).exclude(approved_at=None)
        return cls(approved.only("content_hash", "created_at"), [*departments.items()])


class TrainForm(forms.Form):
    """A run of one recipe: what to learn from, and what that recipe can be told. Snapshots that nobody has approved are
    not offered."""

    dataset = SnapshotField(Dataset.objects.none(), label=_("Snapshot"), empty_label=None)
    recipe = forms.ChoiceField(label=_("Recipe"), choices=[*labels.learning.RECIPES.items()], widget=forms.HiddenInput)

    def __init__(self, teachable: Teachable, recipe: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id=f"train-{recipe}-%s", label_suffix="", initial={"recipe": recipe})
        self.usual = recipe == recipes.USUAL
        self.name = labels.label(labels.learning.RECIPES, recipe)
        for name, option in recipes.options_of(recipe).items():
            self.fields[name] = _number(name, option) if option.kind is not str else _department(teachable)
        dataset: Any = self.fields["dataset"]
        dataset.queryset = teachable.snapshots
        dataset.choices = [(row.pk, dataset.label_from_instance(row)) for row in teachable.snapshots]

    def options(self) -> dict[str, Any]:
        """What the run is told beyond its recipe; what only another recipe's form asks is not dropped but refused later."""
        said = {name: self.cleaned_data.get(name, self.data.get(name)) for name in recipes.OPTIONS}
        return {name: value for name, value in said.items() if value not in (None, "")}


def _department(teachable: Teachable) -> forms.ChoiceField:
    choices = [("", _("All")), *teachable.departments]
    return forms.ChoiceField(required=False, label=labels.learning.OPTIONS["department"], choices=choices)


def _number(name: str, option: recipes.Option) -> forms.Field:
    kind: Any = forms.IntegerField if option.kind is int else forms.FloatField
    return kind(required=False, label=labels.learning.OPTIONS[name], min_value=option.low, max_value=option.high)


class ChoiceForm(forms.Form):
    """Which of two replies is better: the first, the second, or (0) neither."""

    pair = forms.RegexField(r"^[0-9a-f]{32}$")
    preferred = forms.ChoiceField(choices=[(str(number), number) for number in range(3)])


class StepForm(forms.Form):
    """The next step of a version. ``share`` is of a canary, in percent."""

    to = forms.ChoiceField(choices=[*labels.learning.STEPS.items()])
    share = forms.IntegerField(
        required=False,
        label=_("Share as a canary"),
        min_value=1,
        max_value=99,
        widget=forms.NumberInput(attrs={"type": "range", "data-shown-in": "share-now"}),
    )
    reason = forms.CharField(required=False, max_length=1_000, label=_("Reason, if you like"))

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, auto_id="step-%s", label_suffix="", **options)
