"""What people send to the console: filters of lists as an address carries them, links, rules, words on replies, training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.conversations import Filters
from botcore.channels.registry import CHANNELS
from botcore.learning import recipes
from botcore.learning.review import queue
from botcore.models import Dataset, DatasetRow, SavedView
from catalog.models import AttributeValue, Category, MerchandisingRule, Product, ProductLink, Shop

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


class ProductFilter(forms.Form):
    """Products of one shop by words of their titles or their SKU."""

    q = forms.CharField(
        required=False, max_length=200, label=_("Title or SKU"), widget=forms.TextInput({"type": "search"})
    )
    shop = forms.ModelChoiceField(
        Shop.objects.none(), required=False, to_field_name="slug", label=_("Shop"), empty_label=_("All shops")
    )

    def __init__(self, data: Mapping[str, str], shops: QuerySet[Shop]) -> None:
        super().__init__(data, auto_id="filter-%s", label_suffix="")
        self.fields["shop"].queryset = shops  # type: ignore[attr-defined]
        if len(shops) < 2 and "shop" not in data:
            del self.fields["shop"]


class LinkForm(forms.Form):
    """What the shop says of a product and another of its own."""

    ADD, VETO, REMOVE = "add", "veto", "remove"

    action = forms.ChoiceField(choices=[(ADD, ADD), (VETO, VETO), (REMOVE, REMOVE)], widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=_("Kind"), choices=[(kind, labels.LINKS[kind]) for kind in ProductLink.Kind])
    sku = forms.CharField(label=_("SKU of the other product"), max_length=80)

    def __init__(self, product: Product, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="link-%s", label_suffix="", initial={"action": self.ADD})
        self.product = product

    def clean_sku(self) -> Product:
        """The other product."""
        found = Product.objects.filter(shop=self.product.shop_id, sku=self.cleaned_data["sku"].strip()).first()
        if found is None:
            raise forms.ValidationError(_("The shop has no product with this SKU."))
        if found == self.product:
            raise forms.ValidationError(_("A product has no link to itself."))
        return found


class RuleForm(forms.Form):
    """A merchandising rule of one shop. Products are named by SKU, one a line or with commas between."""

    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=[(kind, labels.RULES[kind]) for kind in MerchandisingRule.Kind])
    goal = forms.ModelChoiceField(
        Category.objects.none(), required=False, label=_("In talks about"), empty_label=_("Anything")
    )
    category = forms.ModelChoiceField(
        Category.objects.none(), required=False, label=_("Products of the category"), empty_label=_("Any")
    )
    value = forms.ModelChoiceField(
        AttributeValue.objects.none(), required=False, label=_("Products with the value"), empty_label=_("Any")
    )
    skus = forms.CharField(required=False, label=_("Products by SKU"), max_length=4_000)
    companions = forms.CharField(required=False, label=_("Companions by SKU"), max_length=4_000)
    place = forms.IntegerField(label=_("Place of a pin"), min_value=1, max_value=3, initial=1, required=False)
    strength = forms.FloatField(
        label=_("Strength of a boost or bury"), min_value=0, max_value=10, initial=0.5, required=False
    )

    def __init__(self, shop: Shop, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="rule-%s", label_suffix="")
        self.shop = shop
        categories = Category.objects.filter(shop=shop).order_by("path")
        for name in ("goal", "category"):
            self.fields[name].queryset = categories  # type: ignore[attr-defined]
        values = AttributeValue.objects.filter(shop=shop, product_count__gt=1).order_by("attribute", "value")
        self.fields["value"].queryset = values  # type: ignore[attr-defined]

    def clean_skus(self) -> list[Product]:
        return self._products("skus")

    def clean_companions(self) -> list[Product]:
        return self._products("companions")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if not (cleaned["skus"] or cleaned["category"] or cleaned["value"]):
            self.add_error("skus", _("Say which products the rule means: by SKU, category or value."))
        if cleaned["kind"] == MerchandisingRule.Kind.GOES_WITH and not cleaned["companions"]:
            self.add_error("companions", _("Say what goes with them."))
        return cleaned

    def save(self) -> MerchandisingRule:
        """The rule, switched off: it is looked at before it is switched on."""
        said = self.cleaned_data
        rule = MerchandisingRule.objects.create(
            shop=self.shop,
            name=said["name"],
            kind=said["kind"],
            goal=said["goal"].path if said["goal"] else "",
            category=said["category"],
            attribute=said["value"].attribute if said["value"] else "",
            value=said["value"].value if said["value"] else "",
            place=said["place"] or 1,
            strength=0.5 if said["strength"] is None else said["strength"],
            active=False,
        )
        rule.products.set(said["skus"])
        rule.companions.set(said["companions"])
        return rule

    def _products(self, field: str) -> list[Product]:
        skus = [sku for line in self.cleaned_data[field].splitlines() for sku in map(str.strip, line.split(",")) if sku]
        found = list(Product.objects.filter(shop=self.shop, sku__in=skus))
        unknown = sorted(set(skus) - {product.sku for product in found})
        if unknown:
            raise forms.ValidationError(_("The shop has no product %(skus)s.") % {"skus": ", ".join(unknown)})
        return found


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


class SnapshotFilter(forms.Form):
    """Which rows of a snapshot are listed."""

    use = _choice(_("Use"), _("Any"), labels.USES)
    part = _choice(_("Part"), _("Any"), labels.PARTS)

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
    def of(cls, shop: Shop) -> Teachable:
        approved = Dataset.objects.filter(shop=shop).exclude(approved_at=None)
        top = Category.objects.filter(shop=shop, parent=None).order_by("name").values_list("path", "name")
        return cls(approved.only("content_hash", "created_at"), [*top])


class TrainForm(forms.Form):
    """A run of one recipe: what to learn from, and what that recipe can be told. Snapshots that nobody has approved are
    not offered."""

    dataset = SnapshotField(Dataset.objects.none(), label=_("Snapshot"), empty_label=None)
    recipe = forms.ChoiceField(label=_("Recipe"), choices=[*labels.RECIPES.items()], widget=forms.HiddenInput)

    def __init__(self, teachable: Teachable, recipe: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id=f"train-{recipe}-%s", label_suffix="", initial={"recipe": recipe})
        self.usual = recipe == recipes.USUAL
        self.name = labels.label(labels.RECIPES, recipe)
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
    return forms.ChoiceField(required=False, label=labels.OPTIONS["department"], choices=choices)


def _number(name: str, option: recipes.Option) -> forms.Field:
    kind: Any = forms.IntegerField if option.kind is int else forms.FloatField
    return kind(required=False, label=labels.OPTIONS[name], min_value=option.low, max_value=option.high)


class ChoiceForm(forms.Form):
    """Which of two replies is better: the first, the second, or (0) neither."""

    pair = forms.RegexField(r"^[0-9a-f]{32}$")
    preferred = forms.ChoiceField(choices=[(str(number), number) for number in range(3)])


class StepForm(forms.Form):
    """The next step of a version. ``share`` is of a canary, in percent."""

    to = forms.ChoiceField(choices=[*labels.STEPS.items()])
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


class ReviewFilter(forms.Form):
    """Which replies the review queue shows. A value nobody offers is reported beside its field and filters nothing."""

    q = forms.CharField(required=False, max_length=200, label=_("Words"), widget=forms.TextInput({"type": "search"}))
    decided = _choice(_("Standing"), _("Waiting"), labels.STANDINGS)
    signal = _choice(_("Signal"), _("Any"), labels.SIGNALS)
    period = _choice(_("Period"), _("Any time"), PERIODS)
    channel = _choice(_("Channel"), _("All channels"), CHANNEL_NAMES)
    act = _choice(_("Act"), _("All acts"), labels.ACTS)
    written_by = _choice(_("Written by"), _("Anyone"), labels.WRITTEN_BY)
    reason = _choice(_("Reason"), _("Any or none"), labels.REASONS)

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
