"""What people send to the door of the console: codes, new passwords, their own name and address."""

from __future__ import annotations

from typing import Any

import segno
from django import forms
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

OWN = forms.PasswordInput(attrs={"autocomplete": "current-password"})
NEW = forms.PasswordInput(attrs={"autocomplete": "new-password"})
CODE = forms.TextInput(
    attrs={"autocomplete": "one-time-code", "inputmode": "text", "autocapitalize": "none", "spellcheck": "false"}
)


class CodeForm(forms.Form):
    """Six figures of the app, or a recovery code."""

    code = forms.CharField(label=_("Code"), max_length=20, widget=CODE)


class ConfirmForm(forms.Form):
    """The password once more, and a code from who has a second factor."""

    password = forms.CharField(label=_("Password"), widget=OWN, strip=False)
    code = forms.CharField(label=_("Code of your app"), max_length=20, widget=CODE)

    def __init__(self, coded: bool, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        if not coded:
            del self.fields["code"]


class NewcomerForm(forms.ModelForm):
    """A login of one's own, for who was invited and has none."""

    password = forms.CharField(label=_("Password"), widget=NEW, strip=False)

    class Meta:
        model = get_user_model()
        fields = ("username", "email")
        field_classes = {"username": UsernameField}
        labels = {"username": _("User name"), "email": _("E-mail address")}
        help_texts = {"username": ""}

    def clean(self) -> dict[str, Any]:
        """Holds the password against the rules, and against the name."""
        super().clean()
        if password := self.cleaned_data.get("password"):
            try:
                password_validation.validate_password(password, self.instance)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return self.cleaned_data

    def save(self, commit: bool = True) -> User:
        """The new user."""
        self.instance.set_password(self.cleaned_data["password"])
        return super().save(commit)


class DetailsForm(forms.ModelForm):
    """One's own name, and the address by which a forgotten password is replaced."""

    class Meta:
        model = get_user_model()
        fields = ("first_name", "last_name", "email")
        labels = {"first_name": _("First name"), "last_name": _("Last name"), "email": _("E-mail address")}


def picture(address: str) -> str:
    """An address as a QR code, as the address of a picture."""
    return segno.make(address, error="m").svg_data_uri(scale=5, border=3, light="#fff")
