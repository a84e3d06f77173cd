"""The API as the console shows it: tokens, webhooks, and the operations to try, read from the API's own document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from admin_console.labels import Label
from botcore.api.document import document
from botcore.api.tokens import OFFERED as RIGHTS_OFFERED
from botcore.models import ApiToken
from botcore.roles import Right
from botcore.webhooks.events import OFFERED, Event

RIGHTS: Mapping[Right, Label] = {
    Right.READ: _("Read conversations, products, versions and numbers"),
    Right.REVIEW: _("Approve, reject and correct replies"),
    Right.TALK: _("Take conversations over and answer customers"),
    Right.SELL: _("Send products and what customers did"),
    Right.WATCH: _("Close alerts"),
    Right.CONNECT: _("Manage webhooks"),
    Right.TEACH: _("Train, promote and roll back models"),
}
EVENTS: Mapping[Event, Label] = {
    Event.REPLY_SENT: _("A reply was sent"),
    Event.HANDOFF_OPENED: _("A customer waits for a person"),
    Event.FEEDBACK_GIVEN: _("A customer judged a reply"),
    Event.ALERT_OPENED: _("An alert was opened"),
    Event.RUN_FINISHED: _("A training run ended"),
    Event.VERSION_PROMOTED: _("Another model answers"),
    Event.TEST: _("Test"),
}
LASTS: Mapping[str, Label] = {"30": _("30 days"), "90": _("90 days"), "365": _("One year"), "": _("Without end")}


class TokenForm(forms.Form):
    """A new token, with no more rights than its maker has in the shop."""

    name = forms.CharField(label=_("Which program will use it"), max_length=80)
    lasts = forms.ChoiceField(label=_("Valid for"), choices=list(LASTS.items()), initial="365", required=False)
    rights = forms.MultipleChoiceField(label=_("It may"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, allowed: Sequence[Right], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="token-%s", label_suffix="", initial={"rights": [Right.READ]})
        offered = [(right.value, RIGHTS[right]) for right in RIGHTS_OFFERED if right in allowed]
        self.fields["rights"].choices = offered  # type: ignore[attr-defined]

    def options(self) -> dict[str, Any]:
        """What to make: name, rights and the end."""
        said = self.cleaned_data
        ends = timezone.now() + timedelta(days=int(said["lasts"])) if said["lasts"] else None
        return {"name": said["name"], "rights": [Right(right) for right in said["rights"]], "expires_at": ends}


class WebhookForm(forms.Form):
    """Where events go, and which. Whether a private address will do is for staff to say."""

    url = forms.CharField(label=_("Address"), max_length=500, widget=forms.URLInput({"placeholder": "https://"}))
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(event.value, EVENTS[event]) for event in OFFERED],
        widget=forms.CheckboxSelectMultiple,
    )
    allow_private = forms.BooleanField(label=_("Allow an address in a private network"), required=False)

    def __init__(
        self, staff: bool, data: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, auto_id="webhook-%s", label_suffix="", initial=dict(initial or {}))
        if not staff:
            del self.fields["allow_private"]

    def refuse(self, field: str) -> None:
        """The address is none that we may call, or the events are none."""
        told = {
            "url": _("Write a public address that begins with https://."),
            "events": _("Choose at least one event."),
        }
        self.add_error(field, told[field])


@dataclass(frozen=True)
class TokenRow:
    token: ApiToken
    rights: Sequence[Label]
    ended: bool


def token_rows(tokens: Iterable[ApiToken]) -> list[TokenRow]:
    """The tokens with what they may do; ``ended``: expired."""
    now = timezone.now()
    return [
        TokenRow(
            token,
            [RIGHTS.get(Right(right), right) for right in token.rights],
            token.expires_at is not None and token.expires_at <= now,
        )
        for token in tokens
    ]


def event_names(events: Sequence[str]) -> list[Label]:
    """What the console calls events."""
    return [EVENTS[Event(event)] if event in EVENTS else event for event in events]


# --- trying it --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """A field of the form of an operation. ``place`` is ``path``, ``query`` or ``header``."""

    name: str
    place: str
    required: bool
    about: str
    value: str


@dataclass(frozen=True)
class Operation:
    """One operation of the document; ``body`` is an example, empty where it takes none."""

    key: str
    method: str
    path: str
    about: str
    parameters: Sequence[Parameter]
    body: str


def operations() -> dict[str, list[Operation]]:
    """The document's operations by subject, in its order."""
    groups: dict[str, list[Operation]] = {}
    for path, item in document()["paths"].items():
        for method, described in item.items():
            groups.setdefault(described["tags"][0], []).append(_operation(path, method, described))
    return groups


def _operation(path: str, method: str, described: Mapping[str, Any]) -> Operation:
    content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = json.dumps(content["example"], ensure_ascii=False, indent=2) if content else ""
    about = " ".join(described.get("description", "").split())
    return Operation(described["operationId"], method.upper(), path, about, list(_parameters(described)), body)


def _parameters(described: Mapping[str, Any]) -> Iterator[Parameter]:
    for said in described.get("parameters", ()):
        parameter = document()["components"]["parameters"][said["$ref"].rpartition("/")[2]] if "$ref" in said else said
        required = parameter.get("required", False)
        value = str(parameter.get("example", "")) if required else ""
        yield Parameter(parameter["name"], parameter["in"], required, parameter.get("description", ""), value)
