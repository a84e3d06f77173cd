"""Filters of the product graph, links of products, merchandising rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from catalog.models import AttributeValue, Category, MerchandisingRule, Product, ProductLink, Shop


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
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[(kind, labels.catalogue.LINKS[kind]) for kind in ProductLink.Kind]
    )
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
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[(kind, labels.catalogue.RULES[kind]) for kind in MerchandisingRule.Kind]
    )
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
