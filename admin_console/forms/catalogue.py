"""What people send to the pages of the catalogue beside products: uploads with their mappings, feeds, articles, the shop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from botcore import retention
from catalog.ingest.mapping import PRODUCT_FIELDS
from catalog.ingest.preview import IGNORED, Column
from catalog.ingest.sniff import ENCODINGS
from catalog.models import ChangeSet, Feed, KnowledgeArticle, Shop


class UploadForm(forms.Form):
    """A file of products."""

    file = forms.FileField(
        label=_("File with products"),
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,.xlsx,.jsonl,.ndjson,.yaml,.yml"}),
    )


class MappingForm(forms.Form):
    """What each column of a file means, and what rows say that leave a field empty."""

    ATTRIBUTE = "attribute"
    DEFAULTS = ("price", "stock", "category")

    encoding = forms.ChoiceField(
        label=_("Text encoding"), choices=[(name, name.removesuffix("-sig").upper()) for name in ENCODINGS]
    )

    def __init__(self, columns: Sequence[Column], change_set: ChangeSet, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="map-%s", label_suffix="", initial={"encoding": change_set.encoding})
        self.columns = columns
        said = change_set.options
        for name in self.DEFAULTS:
            self.fields[f"default_{name}"] = forms.CharField(
                required=False, max_length=120, label=labels.catalogue.DEFAULTS[name],
                initial=said.get("defaults", {}).get(name, ""),
            )  # fmt: skip
        choices = [
            ("", _("As recognised")),
            *((name, labels.label(labels.catalogue.FIELDS, name)) for name in PRODUCT_FIELDS),
            (self.ATTRIBUTE, _("an attribute")),
            (IGNORED, _("leave out")),
        ]
        for place, column in enumerate(columns):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                required=False, choices=choices, initial=self._said(column.key, said),
                label=_("Meaning of column “%(column)s”") % {"column": column.key},
            )  # fmt: skip

    def rows(self) -> list[tuple[Column, forms.BoundField]]:
        """Each column with its field."""
        return [(column, self[f"column_{place}"]) for place, column in enumerate(self.columns)]

    def defaults(self) -> list[forms.BoundField]:
        return [self[f"default_{name}"] for name in self.DEFAULTS]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        seen: set[str] = set()
        for place, column in enumerate(self.columns):
            meaning = cleaned.get(f"column_{place}", "")
            if meaning in seen and meaning in PRODUCT_FIELDS:
                self.add_error(f"column_{place}", _("Another column has this meaning."))
            seen.add(meaning)
            if not column.key:
                self.add_error(f"column_{place}", _("This column has no name."))
        return cleaned

    def mapping(self) -> dict[str, Any]:
        """As ``Mapping.from_dict`` takes it."""
        meanings = {column.key: self.cleaned_data[f"column_{place}"] for place, column in enumerate(self.columns)}
        defaults = {name: self.cleaned_data[f"default_{name}"] for name in self.DEFAULTS}
        return {
            "fields": {key: name for key, name in meanings.items() if name in PRODUCT_FIELDS},
            "attributes": {key: key for key, name in meanings.items() if name == self.ATTRIBUTE},
            "ignore": [key for key, name in meanings.items() if name == IGNORED],
            "defaults": {name: value for name, value in defaults.items() if value},
        }

    @classmethod
    def _said(cls, key: str, said: Mapping[str, Any]) -> str:
        if key in said.get("ignore", ()):
            return IGNORED
        return said.get("fields", {}).get(key, "") or (cls.ATTRIBUTE if key in said.get("attributes", {}) else "")


class FeedForm(forms.ModelForm):
    """An address to fetch products from."""

    url = forms.URLField(label=_("Address, starting with https://"), max_length=500, assume_scheme="https")
    like = forms.ModelChoiceField(
        ChangeSet.objects.none(),
        required=False,
        label=_("Columns mean what they meant in"),
        empty_label=_("as recognised"),
    )
    field_order = ["name", "url", "every", "like"]

    class Meta:
        model = Feed
        fields = ["name", "url", "every"]

    def __init__(self, shop: Shop, data: Mapping[str, Any] | None = None, *, instance: Feed) -> None:
        super().__init__(data, instance=instance, auto_id="feed-%s", label_suffix="")
        named = {"name": _("Name"), "every": _("Fetch it")}
        for name, label in named.items():
            self.fields[name].label = label
        self.fields["every"].choices = [*labels.catalogue.FEED_PERIODS.items()]  # type: ignore[attr-defined]
        mapped = ChangeSet.objects.filter(shop=shop, kind=ChangeSet.Kind.FILE, task__in=["write", "undo"])
        self.fields["like"].queryset = mapped.order_by("-pk")  # type: ignore[attr-defined]

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if not url.lower().startswith("https://"):
            raise forms.ValidationError(_("Only https addresses are fetched."))
        return url


class ArticleForm(forms.Form):
    """An article's words. A new one has its language."""

    version = forms.CharField(required=False, widget=forms.HiddenInput, max_length=16)
    title = forms.CharField(label=_("Title or question"), max_length=200)
    body = forms.CharField(label=_("Text or answer"), max_length=100_000, widget=forms.Textarea({"rows": 14}))
    active = forms.BooleanField(required=False, label=_("Answers may quote it"), initial=True)

    def __init__(self, article: KnowledgeArticle, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, auto_id="article-%s", label_suffix="", **options)
        if article.pk is None:
            self.fields["language"] = forms.ChoiceField(
                label=_("Language"), choices=[*labels.catalogue.LANGUAGES.items()], initial=article.shop.language
            )


class NamesForm(forms.Form):
    """What a value is called in another language; several names with commas."""

    names = forms.CharField(required=False, max_length=400)

    def listed(self) -> list[str]:
        said = self.cleaned_data["names"].replace("，", ",").replace("、", ",")
        return list(dict.fromkeys(name for part in said.split(",") if (name := " ".join(part.lower().split()))))


class ShopForm(forms.ModelForm):
    """The shop itself. Another currency changes no price, so that has to be confirmed."""

    confirmed = forms.BooleanField(required=False, label=_("I know that no price is converted"))

    class Meta:
        model = Shop
        fields = ["name", "language", "currency", "diversity", "explores", "popularity_half_life_days"]

    field_order = ["name", "language", "currency", "confirmed"]

    def __init__(self, data: Mapping[str, Any] | None = None, *, instance: Shop) -> None:
        super().__init__(data, instance=instance, auto_id="shop-%s", label_suffix="")
        for name, label in labels.catalogue.SHOP.items():
            self.fields[name].label, self.fields[name].help_text = label, labels.catalogue.SHOP_HINTS.get(name, "")
        self.fields["language"] = forms.ChoiceField(
            label=labels.catalogue.SHOP["language"],
            choices=[*labels.catalogue.LANGUAGES.items()],
            help_text=labels.catalogue.SHOP_HINTS["language"],
        )
        if self.instance.language not in labels.catalogue.LANGUAGES:
            self.fields["language"].choices += [(self.instance.language, self.instance.language)]  # type: ignore[attr-defined]
        self.before = self.instance.currency

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise forms.ValidationError(_("Write a code of three letters, such as USD or CNY."))
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("currency", self.before) != self.before and not cleaned.get("confirmed"):
            self.add_error("confirmed", _("The numbers of all prices stay as they are. Tick the box to go on."))
        return cleaned


class RetentionForm(forms.Form):
    """After how many days without a word a conversation is forgotten; empty: never."""

    days = forms.IntegerField(
        required=False,
        label=_("Days without a word after which a conversation is forgotten"),
        help_text=format_lazy(
            _("From {fewest} to {most}. Empty: conversations are kept."), fewest=retention.FEWEST, most=retention.MOST
        ),
        min_value=retention.FEWEST,
        max_value=retention.MOST,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, auto_id="retention-%s", label_suffix="", **options)
