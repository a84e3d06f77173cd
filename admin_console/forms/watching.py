"""What the overview shows, alert rules, silences, the holdout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from admin_console import labels, watching
from botcore import holdout, mail
from botcore.channels import addresses
from botcore.models import AlertRule, Contact
from botcore.monitoring import notices, rules
from botcore.monitoring.metrics import METRICS, Unit
from catalog.models import Shop


class OverviewForm(forms.Form):
    """What the overview shows. Whatever nobody offers is left at what is usual."""

    shop = forms.ChoiceField(label=_("Shop"))
    period = forms.ChoiceField(label=_("Period"), choices=[*labels.watching.PERIODS.items()])
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
        for name, (title, hint) in labels.watching.ALERT_RULE_FIELDS.items():
            self.fields[name].label, self.fields[name].help_text = title, hint
        self.fields["metric"] = forms.ChoiceField(
            label=labels.watching.ALERT_RULE_FIELDS["metric"][0], choices=_metrics()
        )
        self.fields["kind"].choices = [*labels.watching.ALERT_KINDS.items()]  # type: ignore[attr-defined]
        self.fields["direction"].choices = [*labels.watching.ALERT_DIRECTIONS.items()]  # type: ignore[attr-defined]
        channels = {account.channel for account in shop.channel_accounts.all()}
        names = [
            (channel, labels.channel_name(channel)) for channel in sorted({*channels, *filter(None, [rule.channel])})
        ]
        self.fields["channel"] = forms.ChoiceField(
            required=False,
            label=labels.watching.ALERT_RULE_FIELDS["channel"][0],
            choices=[("", _("All channels")), *names],
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
        unit = labels.watching.UNITS.get(metric.unit)
        told = f"{metric.label} ({unit})" if unit else str(metric.label)
        grouped.setdefault(metric.group, []).append((metric.key, told))
    return [(labels.watching.METRIC_GROUPS[group], metrics) for group, metrics in grouped.items()]


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
    hours = forms.TypedChoiceField(
        coerce=int, choices=[(0, 0), *((hours, hours) for hours in labels.watching.SILENCES)]
    )
