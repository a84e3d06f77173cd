"""What people send to the pages of people, and how the table of roles and rights is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.labels import Label
from botcore.roles import RIGHTS, Right, Role
from catalog.models import Shop

RIGHT_NAMES: dict[str, Label] = {
    Right.READ: _("Read conversations, the catalogue, versions and numbers"),
    Right.REVIEW: _("Approve, reject and correct replies"),
    Right.TALK: _("Take conversations over, answer customers, send failed messages again"),
    Right.SELL: _("Change products, articles, rules and links"),
    Right.WATCH: _("Alert rules and text streams"),
    Right.CONNECT: _("Channels, webhooks and tokens of the API"),
    Right.TEACH: _("Snapshots, training, promoting and rolling back"),
    Right.ADMINISTER: _("People, the audit log, a customer’s export and erasure"),
}


@dataclass(frozen=True)
class Line:
    """A right, and whether each role of :data:`ROLES` brings it."""

    label: str
    held: tuple[bool, ...]


ROLES = tuple(RIGHTS)


def table() -> list[Line]:
    """The table of rights, as :data:`botcore.roles.RIGHTS` has it."""
    return [Line(labels.label(RIGHT_NAMES, right), tuple(right in RIGHTS[role] for role in ROLES)) for right in Right]


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    role = forms.ChoiceField(label=_("Role"), choices=[*reversed(Role.choices)], initial=Role.REVIEWER)
    email = forms.EmailField(required=False, label=_("E-mail address"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="")


class RoleForm(forms.Form):
    """What a member is from now on."""

    role = forms.ChoiceField(label=_("Role"), choices=[*reversed(Role.choices)])

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)


class ShopForm(forms.ModelForm):
    """A new, empty shop."""

    class Meta:
        model = Shop
        fields = ("name", "slug", "currency", "language")
        labels = {
            "name": _("Name"),
            "slug": _("Name in addresses"),
            "currency": _("Currency"),
            "language": _("Language of the catalogue"),
        }
        help_texts = {"slug": _("Letters, figures and hyphens; stays as it is."), "currency": "", "language": ""}
        widgets = {"language": forms.Select(choices=[("en", "English"), ("zh", "中文")])}

    def clean_currency(self) -> str:
        """Three letters, as ISO 4217 has them."""
        code = self.cleaned_data["currency"].upper()
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise forms.ValidationError(_("Three letters, as USD or CNY."))
        return code
