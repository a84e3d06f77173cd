"""What people send to the pages of products: filters, one change of many, a product as a whole, a new one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext_lazy as _

from admin_console import goods, labels
from admin_console.problems import told
from catalog import bulk, editing, shelf
from catalog.ingest.mapping import column_key
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.models import Category, Product, Shop

ANY = ("", _("Any"))
Read = TypeVar("Read")


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


class WordsForm(forms.Form):
    """What is written by hand of a product, new or not."""

    title = forms.CharField(label=_("Title"), max_length=300)
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

    def clean_attributes(self) -> dict[str, list[str]]:
        return read_attributes(self.cleaned_data["attributes"].splitlines())


class SheetForm(WordsForm):
    """All of a product that is written by hand, and one more variant of it where ``new_sku`` is filled in."""

    version = forms.CharField(widget=forms.HiddenInput, max_length=16)
    category = forms.ModelChoiceField(Category.objects.none(), label=_("Category"), empty_label=None)
    new_sku = forms.CharField(
        required=False,
        max_length=80,
        widget=forms.TextInput({"placeholder": _("one more"), "aria-label": _("SKU of a new variant")}),
    )
    new_attributes = forms.CharField(
        required=False,
        max_length=2_000,
        widget=forms.TextInput(
            {"placeholder": "size: m; color: red", "aria-label": _("Attributes of the new variant")}
        ),
    )
    new_price = forms.CharField(
        required=False,
        max_length=40,
        widget=forms.TextInput({"inputmode": "decimal", "aria-label": _("Price of the new variant")}),
    )
    new_stock = forms.CharField(
        required=False,
        max_length=40,
        widget=forms.TextInput({"inputmode": "numeric", "aria-label": _("Stock of the new variant")}),
    )

    field_order = ("version", "title", "category")

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

    def words(self) -> list[forms.BoundField]:
        """The fields of the product itself, in order."""
        return [field for field in self if not field.is_hidden and not field.name.startswith("new_")]

    def new_variant(self) -> list[forms.BoundField]:
        """The fields of one more variant, as the columns of the table have them."""
        return [field for field in self if field.name.startswith("new_")]

    def clean_new_attributes(self) -> dict[str, list[str]]:
        return read_attributes(re.split("[;；\n]", self.cleaned_data["new_attributes"]))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("new_sku") and any(cleaned.get(field.name) for field in self.new_variant()):
            self.add_error("new_sku", _("Give the new variant a SKU, or leave its row empty."))
        return cleaned


class NewProductForm(WordsForm):
    """A product with one variant, of the same SKU. Its category may be one that the shop has not had."""

    sku = forms.CharField(label=_("SKU"), max_length=80)
    category = forms.CharField(
        label=_("Category: a known one, or a new one such as Clothing > Jackets"),
        max_length=500,
        widget=forms.TextInput({"list": "categories", "autocomplete": "off"}),
    )
    price = forms.CharField(max_length=40, widget=forms.TextInput({"inputmode": "decimal"}))
    stock = forms.CharField(
        label=_("Stock"), max_length=40, initial="0", widget=forms.TextInput({"inputmode": "numeric"})
    )

    field_order = ("sku", "title", "category", "price", "stock")

    def __init__(self, shop: Shop, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="new-%s", label_suffix="")
        self.shop = shop
        self.fields["price"].label = _("Price, %(currency)s") % {"currency": shop.currency}

    def clean_category(self) -> tuple[str, ...]:
        return tuple(name for part in self.cleaned_data["category"].split(">") if (name := " ".join(part.split())))

    def clean_price(self) -> Decimal:
        return _read(editing.read_price, self.shop, self.cleaned_data["price"])

    def clean_stock(self) -> int:
        return _read(editing.read_stock, self.cleaned_data["stock"])

    def clean_image(self) -> str:
        return _read(editing.read_picture, self.cleaned_data["image"])

    def clean_url(self) -> str:
        return _read(editing.read_page, self.cleaned_data["url"])

    def record(self) -> ProductRecord:
        """What it says; of a form that is valid."""
        said = self.cleaned_data
        words = {name: said[name] for name in ("sku", "title", "category", "brand", "description", "image", "url")}
        offered = VariantRecord(said["sku"], said["price"], said["stock"])
        return ProductRecord(**words, attributes=said["attributes"], variants=(offered,))


def _read(reader: Callable[..., Read], *written: Any) -> Read:
    """What a reader of the catalogue makes of it; what it refuses, the form does."""
    try:
        return reader(*written)
    except ValueError as error:
        raise forms.ValidationError(told(str(error))) from error


def read_attributes(lines: Iterable[str]) -> dict[str, list[str]]:
    """``color: red | green`` as attributes; raises ``ValidationError`` for a line that says something else."""
    found: dict[str, dict[str, None]] = {}
    for line in lines:
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
    """Inverse of :func:`read_attributes`."""
    return "\n".join(f"{name}: {' | '.join(values)}" for name, values in sorted(attributes.items()))
