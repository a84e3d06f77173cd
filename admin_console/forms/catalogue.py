"""What people send to the pages of the catalogue: filters, edits, uploads with their mappings, feeds, articles, the shop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from admin_console import goods, labels
from botcore import retention
from catalog import bulk, shelf
from catalog.ingest.mapping import PRODUCT_FIELDS, column_key
from catalog.ingest.preview import IGNORED, Column
from catalog.ingest.sniff import ENCODINGS
from catalog.models import Category, ChangeSet, Feed, KnowledgeArticle, Product, Shop

ANY = ("", _("Any"))


class ShelfForm(forms.Form):
    """Which products are listed, and in which order. What nobody offers filters nothing."""

    q = forms.CharField(
        required=False, max_length=200, label=_("Words or SKU"), widget=forms.TextInput({"type": "search"})
    )
    category = forms.ChoiceField(required=False, label=_("Category"))
    stock = forms.ChoiceField(
        required=False,
        label=_("Stock"),
        choices=[ANY, (shelf.IN_STOCK, _("In stock")), (shelf.SOLD_OUT, _("Sold out"))],
    )
    shown = forms.ChoiceField(
        required=False,
        label=_("Visible"),
        choices=[ANY, (shelf.ON_SALE, _("Visible to customers")), (shelf.HIDDEN, _("Hidden"))],
    )
    missing = forms.ChoiceField(
        required=False,
        label=_("Without"),
        choices=[
            ("", "–"),
            (shelf.PICTURE, _("a picture")),
            (shelf.DESCRIPTION, _("a description")),
            (shelf.EMBEDDING, _("an index entry")),
        ],
    )
    order = forms.ChoiceField(required=False, label=_("Order"), choices=[*labels.catalogue.ORDERS.items()])

    def __init__(self, data: Mapping[str, Any], shop: Shop) -> None:
        super().__init__(data, auto_id="filter-%s", label_suffix="")
        self.fields["category"].choices = [("", _("All categories")), *goods.categories(shop)]  # type: ignore[attr-defined]

    def filter(self) -> shelf.Filter:
        """What holds of the products asked for."""
        self.full_clean()
        said = {name: value for name, value in self.cleaned_data.items() if value}
        return shelf.Filter.from_dict({**said, "words": said.get("q", "")})

    def ordering(self) -> str:
        """One of ``shelf.ORDERS``."""
        return self.cleaned_data.get("order") or shelf.USUAL


class BulkForm(forms.Form):
    """One change of many products: which, and what is done."""

    ALL, CHOSEN = "all", "chosen"

    scope = forms.ChoiceField(choices=[(CHOSEN, CHOSEN), (ALL, ALL)])
    ids = forms.TypedMultipleChoiceField(required=False, coerce=int)
    action = forms.ChoiceField(
        label=_("Change"), choices=[(name, labels.catalogue.BULK[name]) for name in bulk.ACTIONS]
    )
    stock = forms.IntegerField(required=False, label=_("New stock"), min_value=0, max_value=2_147_483_647)
    percent = forms.DecimalField(
        required=False, label=_("Percent, lower with a minus"), min_value=-100, max_value=1_000, decimal_places=2
    )
    rounding = forms.ChoiceField(required=False, label=_("Rounding"), choices=[*labels.catalogue.ROUNDINGS.items()])
    category = forms.ModelChoiceField(Category.objects.none(), required=False, label=_("New category"))
    attribute = forms.CharField(required=False, max_length=60, label=_("Attribute"))
    value = forms.CharField(required=False, max_length=120, label=_("Value"))

    NEEDS: Mapping[str, Sequence[str]] = {
        bulk.STOCK: ["stock"],
        bulk.PRICE: ["percent"],
        bulk.CATEGORY: ["category"],
        bulk.ADD: ["attribute", "value"],
        bulk.REMOVE: ["attribute", "value"],
    }

    def __init__(self, shop: Shop, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="bulk-%s", label_suffix="", initial={"rounding": bulk.CENT})
        self.fields["category"].queryset = Category.objects.filter(shop=shop).order_by("path")  # type: ignore[attr-defined]
        ids = data.getlist("ids") if data is not None and hasattr(data, "getlist") else []
        self.fields["ids"].choices = [(pk, pk) for pk in ids if pk.isascii() and pk.isdigit() and len(pk) < 19]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("scope") == self.CHOSEN and not cleaned.get("ids"):
            self.add_error(None, _("Choose products in the table first, or all that match."))
        for name in self.NEEDS.get(cleaned.get("action", ""), ()):
            if cleaned.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, _("This change needs it."))
        return cleaned

    def change(self) -> bulk.Change:
        """What is done; of a form that is valid."""
        said = self.cleaned_data
        number = said["stock"] if said["action"] == bulk.STOCK else said["percent"]
        return bulk.Change(
            action=said["action"],
            number=Decimal(number or 0),
            rounding=said["rounding"] or bulk.CENT,
            category=said["category"].pk if said["category"] else 0,
            attribute=column_key(said["attribute"]),
            value=" ".join(said["value"].lower().split()),
        )

    def selection(self, wanted: shelf.Filter) -> dict[str, Any]:
        """Which products, as ``catalog.bulk.chosen`` takes them."""
        if self.cleaned_data["scope"] == self.ALL:
            return {"filter": wanted.to_dict()}
        return {"ids": self.cleaned_data["ids"]}


class SheetForm(forms.Form):
    """All of a product that is written by hand. Attributes are lines: ``color: red | green``."""

    version = forms.CharField(widget=forms.HiddenInput, max_length=16)
    title = forms.CharField(label=_("Title"), max_length=300)
    category = forms.ModelChoiceField(Category.objects.none(), label=_("Category"), empty_label=None)
    brand = forms.CharField(required=False, label=_("Brand"), max_length=120)
    description = forms.CharField(
        required=False, label=_("Description"), max_length=100_000, widget=forms.Textarea({"rows": 6})
    )
    image = forms.CharField(required=False, label=_("Picture: an https address or a file of the shop"), max_length=300)
    url = forms.CharField(required=False, label=_("Page in the shop"), max_length=500)
    attributes = forms.CharField(
        required=False,
        label=_("Attributes, one a line: name: value | value"),
        max_length=20_000,
        widget=forms.Textarea({"rows": 5}),
    )

    def __init__(self, product: Product, language: str, data: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(data, auto_id="sheet-%s", label_suffix="", **options)
        self.language = language
        name = labels.label(labels.catalogue.LANGUAGES, language)
        self.fields["title_other"] = forms.CharField(
            required=False, max_length=300, label=_("Title, %(language)s") % {"language": name}
        )
        self.fields["description_other"] = forms.CharField(
            required=False,
            max_length=100_000,
            label=_("Description, %(language)s") % {"language": name},
            widget=forms.Textarea({"rows": 4, "lang": language}),
        )
        categories = Category.objects.filter(shop=product.shop_id).order_by("path")
        self.fields["category"].queryset = categories  # type: ignore[attr-defined]

    def clean_attributes(self) -> dict[str, list[str]]:
        found: dict[str, dict[str, None]] = {}
        for line in self.cleaned_data["attributes"].splitlines():
            name, colon, values = line.partition(":")
            listed = [" ".join(value.lower().split()) for value in values.split("|")]
            if line.strip() and not (colon and column_key(name) and any(listed)):
                raise forms.ValidationError(
                    _("“%(line)s”: write a name, a colon and values.") % {"line": line.strip()[:60]}
                )
            if any(listed):
                found.setdefault(column_key(name), {}).update(dict.fromkeys(filter(None, listed)))
        return {name: list(values) for name, values in found.items()}


def written(attributes: Mapping[str, Sequence[str]]) -> str:
    """Inverse of :meth:`SheetForm.clean_attributes`."""
    return "\n".join(f"{name}: {' | '.join(values)}" for name, values in sorted(attributes.items()))


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
