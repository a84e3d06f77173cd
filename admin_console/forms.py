"""What people send to the console: filters of lists as an address carries them, links, rules, words on replies, training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from admin_console import labels, watching
from admin_console.conversations import Filters
from botcore import holdout, mail
from botcore.channels import addresses
from botcore.channels.registry import CHANNELS
from botcore.learning import recipes
from botcore.learning.review import queue
from botcore.models import AlertRule, Contact, Dataset, DatasetRow, SavedView
from botcore.monitoring import notices, rules
from botcore.monitoring.metrics import METRICS, Unit
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


class OverviewForm(forms.Form):
    """What the overview shows. Whatever nobody offers is left at what is usual."""

    shop = forms.ChoiceField(label=_("Shop"))
    period = forms.ChoiceField(label=_("Period"), choices=[*labels.PERIODS.items()])
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    version = forms.ChoiceField(label=_("Version"), required=False)
    split = forms.ChoiceField(
        label=_("Chart by"),
        required=False,
        choices=[("", _("All together")), ("channel", _("Channel")), ("version", _("Version"))],
    )
    metric = forms.ChoiceField(widget=forms.HiddenInput, choices=[(key, key) for key in METRICS])

    def __init__(self, data: Mapping[str, str], shops: Sequence[Shop]) -> None:
        asked = {"period": watching.USUAL_PERIOD, "metric": watching.Asked.metric, **data}
        super().__init__(asked, auto_id="overview-%s", label_suffix="")
        self.fields["shop"] = _choice_of(_("Shop"), {shop.slug: shop.name for shop in shops})
        if len(shops) < 2:
            self.fields["shop"].widget = forms.HiddenInput()

    def asked(self) -> watching.Asked:
        """Channel and version are taken as they are: buckets of none are empty."""
        self.full_clean()
        said = {name: self.cleaned_data.get(name) for name in ("period", "split", "metric")}
        free = {name: self.data.get(name, "")[:80] for name in ("channel", "version")}
        return watching.Asked(**{name: value for name, value in {**said, **free}.items() if value})

    def offer(self, found: watching.Overview, asked: watching.Asked) -> None:
        """The channels and versions that there is something of, and the one that is asked for."""
        for name, names, anything in (
            ("channel", found.channels, _("All channels")),
            ("version", found.versions, _("All versions")),
        ):
            chosen = getattr(asked, name)
            offered = {**names, **({chosen: names.get(chosen, chosen)} if chosen else {})}
            self.fields[name].choices = [("", anything), *offered.items()]  # type: ignore[attr-defined]


def _choice_of(title: labels.Label, names: Mapping[str, str]) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=title, choices=[*names.items()])


class AlertRuleForm(forms.ModelForm):
    """An alert rule of one shop. Shares are said in percent; ``chat`` names a contact by channel and number or id."""

    SHARE_FACTOR = 100

    chat = forms.CharField(
        required=False,
        max_length=240,
        label=_("Message to a contact"),
        help_text=_("channel and the contact's id there, like telegram 4711; somebody who has written to the shop"),
    )

    class Meta:
        model = AlertRule
        fields = (
            "name", "metric", "channel", "version", "kind", "direction", "threshold", "window_minutes", "hold_minutes",
            "mail_to", "webhook_url",
        )  # fmt: skip

    def __init__(self, shop: Shop, data: Mapping[str, Any] | None = None, instance: AlertRule | None = None) -> None:
        rule = instance or AlertRule(shop=shop, threshold=100)
        super().__init__(data, instance=rule, auto_id="rule-%s", label_suffix="")
        self.shop = shop
        for name, (title, hint) in labels.ALERT_RULE_FIELDS.items():
            self.fields[name].label, self.fields[name].help_text = title, hint
        self.fields["metric"] = forms.ChoiceField(label=labels.ALERT_RULE_FIELDS["metric"][0], choices=_metrics())
        self.fields["kind"].choices = [*labels.ALERT_KINDS.items()]  # type: ignore[attr-defined]
        self.fields["direction"].choices = [*labels.ALERT_DIRECTIONS.items()]  # type: ignore[attr-defined]
        channels = {account.channel for account in shop.channel_accounts.all()}
        names = [
            (channel, labels.channel_name(channel)) for channel in sorted({*channels, *filter(None, [rule.channel])})
        ]
        self.fields["channel"] = forms.ChoiceField(
            required=False, label=labels.ALERT_RULE_FIELDS["channel"][0], choices=[("", _("All channels")), *names]
        )
        self.fields["mail_to"].widget = forms.TextInput()
        if rule.pk:
            self.initial["threshold"] = _rounded(rule.threshold * self._factor(rule.metric, rule.kind))
            self.initial["chat"] = f"{rule.contact.account.channel} {rule.contact.external_id}" if rule.contact else ""

    def clean_window_minutes(self) -> int:
        minutes: int = self.cleaned_data["window_minutes"]
        if minutes > rules.LONGEST_WINDOW:
            raise forms.ValidationError(_("At most 1440 minutes, a day."))
        return minutes

    def clean_mail_to(self) -> str:
        given = [part for part in self.cleaned_data["mail_to"].replace(",", " ").split() if part]
        if given and not mail.can_send():
            raise forms.ValidationError(
                _("This installation sends no mail yet: whoever runs it sets MAIL_URL and MAIL_FROM.")
            )
        for address in given:
            validate_email(address)
        return ", ".join(given)

    def clean_webhook_url(self) -> str:
        url: str = self.cleaned_data["webhook_url"].strip()
        if url and addresses.refusal(url, allow_private=False):
            raise forms.ValidationError(_("A public address that begins with https:// is needed."))
        return url

    def clean_chat(self) -> Contact | None:
        """The contact of one of this shop's accounts."""
        if not (given := self.cleaned_data["chat"].strip()):
            return None
        channel, _space, external_id = given.partition(" ")
        found = Contact.objects.filter(
            account__shop=self.shop, account__active=True, account__channel=channel, external_id=external_id.strip()
        ).first()
        if found is None:
            raise forms.ValidationError(_("Nobody of that id has written to the shop on that channel."))
        return found

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        metric = METRICS.get(said.get("metric", ""))
        if (
            metric
            and metric.now
            and (said.get("kind") == AlertRule.Kind.ANOMALY or said.get("channel") or said.get("version"))
        ):
            self.add_error(
                "metric", _("What is read at this moment has no usual value, and is of all channels and versions.")
            )
        if said.get("kind") == AlertRule.Kind.ANOMALY and (said.get("threshold") or 0) < 1:
            self.add_error("threshold", _("At least 1; 4 is usual."))
        return said

    def save(self, commit: bool = True) -> AlertRule:
        """The rule, with a secret of its own once it calls a webhook."""
        rule: AlertRule = super().save(commit=False)
        rule.threshold /= self._factor(rule.metric, rule.kind)
        rule.contact = self.cleaned_data["chat"]
        if rule.webhook_url and not rule.sealed_secret:
            rule.sealed_secret = notices.new_secret()
        rule.save()
        return rule

    def _factor(self, metric: str, kind: str) -> int:
        known = METRICS.get(metric)
        share = known is not None and known.unit is Unit.SHARE and kind == AlertRule.Kind.THRESHOLD
        return self.SHARE_FACTOR if share else 1


def _metrics() -> list[tuple[labels.Label, list[tuple[str, str]]]]:
    """By group, each with its unit."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for metric in METRICS.values():
        unit = labels.UNITS.get(metric.unit)
        told = f"{metric.label} ({unit})" if unit else str(metric.label)
        grouped.setdefault(metric.group, []).append((metric.key, told))
    return [(labels.METRIC_GROUPS[group], metrics) for group, metrics in grouped.items()]


def _rounded(value: float) -> str:
    return f"{value:.10g}"


class HoldoutForm(forms.Form):
    """The share of the people who write to whom the bot shows no products; 0 for none."""

    share = forms.IntegerField(label=_("Percent of the people held out"), min_value=0, max_value=holdout.MOST)

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, auto_id="holdout-%s", label_suffix="", **options)


class SilenceForm(forms.Form):
    """How long nobody is told of a subject; 0 hours end a silence."""

    subject = forms.CharField(max_length=80)
    hours = forms.TypedChoiceField(coerce=int, choices=[(0, 0), *((hours, hours) for hours in labels.SILENCES)])
