"""The audit log as the console shows it: what is asked of it, and each entry in the reader's words."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from io import StringIO
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from admin_console import labels
from admin_console.labels import Label
from botcore.models import AuditEntry, Conversation
from catalog.models import Shop

Action = AuditEntry.Action
ACTIONS: dict[str, Label] = {
    Action.CREATED: _("created"),
    Action.CHANGED: _("changed"),
    Action.DELETED: _("deleted"),
    Action.SIGNED_IN: _("signed in"),
    Action.REFUSED: _("sign-in refused"),
    Action.EXPORTED: _("exported"),
    Action.ASKED_FOR_PASSWORD: _("asked for a new password"),
    Action.RAN: _("ran"),
}
KINDS: dict[str, Label] = {
    "user": _("Login"),
    "shopmember": _("Member"),
    "invitation": _("Invitation"),
    "secondfactor": _("Second factor"),
    "signinrule": _("Rule for signing in"),
    "channelaccount": _("Channel"),
    "conversation": _("Conversation"),
    "contact": _("Customer on a channel"),
    "customer": _("Customer"),
    "outbound": _("Message by a person"),
    "annotation": _("Word on a reply"),
    "houseword": _("Word of the shop"),
    "dataset": _("Snapshot"),
    "trainingrun": _("Training run"),
    "modelversion": _("Version of the model"),
    "shop": _("Shop"),
    "category": _("Category"),
    "attributevalue": _("Value of an attribute"),
    "product": _("Product"),
    "variant": _("Variant"),
    "knowledgearticle": _("Article"),
    "merchandisingrule": _("Rule"),
    "productlink": _("Link of products"),
    "apitoken": _("Token"),
    "webhookendpoint": _("Webhook"),
    "alertrule": _("Alert rule"),
    "alertsilence": _("Silence"),
    "holdout": _("Holdout"),
    "retention": _("How long conversations are kept"),
    "savedview": _("View"),
    "textstream": _("Stream"),
    "feed": _("Feed"),
    "changeset": _("Change of the catalogue"),
    "command": _("Command"),
}
PAGES = {
    "channelaccount": "console:account",
    "product": "console:product",
    "knowledgearticle": "console:article",
    "webhookendpoint": "console:webhook",
    "alertrule": "console:alert_rule",
    "feed": "console:feed",
    "changeset": "console:change_set",
    "textstream": "console:stream",
    "dataset": "console:snapshot",
    "trainingrun": "console:run",
    "modelversion": "console:version",
    "shopmember": "console:member",
}
"""Where a row of a kind is looked at, by its id."""
COLUMNS = ("at", "shop", "by", "ip", "agent", "action", "kind", "row_id", "label", "changes")
MOST_ROWS = 50_000
"""Of one file."""


@dataclass(frozen=True)
class Change:
    """One field: what it was and became; ``hidden`` where only that it changed is kept."""

    field: str
    before: str
    after: str
    hidden: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the log. ``url`` leads to what it speaks of, empty where there is no page of it."""

    entry: AuditEntry
    shop: str
    changes: tuple[Change, ...]
    url: str


class AuditFilter(forms.Form):
    """What to show of the log; every field is part of the page's address."""

    shop = forms.ModelChoiceField(
        Shop.objects.none(), required=False, to_field_name="slug", label=_("Shop"), empty_label=_("All shops")
    )
    by = forms.CharField(required=False, max_length=150, label=_("Person"), widget=forms.TextInput({"type": "search"}))
    kind = forms.ChoiceField(required=False, label=_("What"), choices=[("", _("Everything")), *KINDS.items()])
    action = forms.ChoiceField(required=False, label=_("Deed"), choices=[("", _("All")), *ACTIONS.items()])
    since = forms.DateField(required=False, label=_("Since"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    until = forms.DateField(required=False, label=_("Until"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    row = forms.IntegerField(required=False, min_value=0, max_value=2**62, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, str], shops: QuerySet[Shop]) -> None:
        super().__init__(data, auto_id="filter-%s", label_suffix="")
        self.fields["shop"].queryset = shops  # type: ignore[attr-defined]
        if len(shops) < 2 and "shop" not in data:
            del self.fields["shop"]

    def entries(self, visible: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Those asked for, newest first. A value that nobody offers is reported beside its field and filters nothing."""
        self.full_clean()
        asked = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        wanted: dict[str, Any] = {}
        if "shop" in asked:
            wanted["shop_id"] = asked["shop"].pk
        if "by" in asked:
            wanted["by__icontains"] = asked["by"]
        if "since" in asked:
            wanted["at__gte"] = _midnight(asked["since"])
        if "until" in asked:
            wanted["at__lt"] = _midnight(asked["until"] + timedelta(days=1))
        if "row" in asked:
            wanted["row_id"] = asked["row"]
        wanted |= {name: asked[name] for name in ("kind", "action") if name in asked}
        return visible.filter(**wanted).order_by("-pk")


def rows(entries: Iterable[AuditEntry]) -> list[Row]:
    """Entries with the names of their shops and the way to what they speak of: two queries, however many."""
    page = list(entries)
    names = _names(Shop.objects.filter(pk__in={entry.shop_id for entry in page}))
    keys = {entry.label.partition("#")[0] for entry in page if entry.kind in ("conversation", "annotation", "outbound")}
    talks = {str(key) for key in Conversation.objects.filter(key__in=keys - {""}).values_list("key", flat=True)}
    return [Row(entry, names.get(entry.shop_id, ""), changes(entry), _url(entry, talks)) for entry in page]


def changes(entry: AuditEntry) -> tuple[Change, ...]:
    """What an entry says of each field, in alphabetical order; of a new or deleted row not what was empty."""
    return tuple(
        Change(field, "", "", hidden=True) if pair is None else Change(field, _said(pair[0]), _said(pair[1]))
        for field, pair in sorted(entry.changes.items())
        if pair is None or any(value not in (None, "", [], {}) for value in pair)
    )


def as_csv(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """Lines of a file, newest first, :data:`MOST_ROWS` at most. No cell is a formula to a spreadsheet."""
    names = _names(Shop.objects.all())
    yield _line(COLUMNS)
    for entry in entries[:MOST_ROWS].iterator():
        told = json.dumps(entry.changes, ensure_ascii=False, sort_keys=True) if entry.changes else ""
        yield _line(
            [
                entry.at.isoformat(timespec="seconds"),
                names.get(entry.shop_id, str(entry.shop_id or "")),
                *(entry.by, entry.ip or "", entry.agent, entry.action, entry.kind, entry.row_id or "", entry.label),
                told,
            ]
        )


def _names(shops: QuerySet[Shop]) -> dict[int | None, str]:
    return {shop.pk: shop.name for shop in shops}


def _line(cells: Iterable[Any]) -> str:
    line = StringIO()
    texts = [str(cell) for cell in cells]
    csv.writer(line).writerow(
        [f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text for text in texts]
    )
    return line.getvalue()


def _said(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return labels.label(YES_OR_NO, str(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


YES_OR_NO: dict[str, Label] = {"True": _("yes"), "False": _("no")}


def _url(entry: AuditEntry, talks: set[str]) -> str:
    if entry.kind in PAGES and entry.row_id and entry.action != Action.DELETED:
        return reverse(PAGES[entry.kind], args=[entry.row_id])
    key, _hash, number = entry.label.partition("#")
    if entry.kind in ("conversation", "annotation", "outbound") and key in talks:
        query = f"?turn={number}#turn-{number}" if number else ""
        return reverse("console:conversation", args=[key]) + query
    return ""


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
