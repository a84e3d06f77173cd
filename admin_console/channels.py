"""Connecting channels as the console shows it: a form made from what a channel asks for, its steps, what is left to do.

Channels speak English; what they say is looked up in the console's catalogue and stays English where that lacks it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from admin_console.labels import channel_name
from botcore.channels.base import Channel, Field
from botcore.channels.connecting import OFFERED
from botcore.channels.registry import channel_class
from botcore.models import ChannelAccount, Contact, InboundEvent, Outbound

OPTIONS = re.compile(r"[\w-]+(\|[\w-]+)+")
"""A pattern that is a list of words is offered as one."""
NAMED = re.compile(r"([a-z][a-z ]{1,30}): (\S.*)", re.DOTALL)
BLAMED = re.compile(r"(?:.*--config )?(\w+)[:=]")
LATELY = timedelta(minutes=15)
"""Whoever wrote so recently may be the operator who tries the channel."""


@dataclass(frozen=True)
class Line:
    """A line of ``connect()``: something to copy under its name, or, without a name, a sentence."""

    name: str
    text: str


@dataclass(frozen=True)
class Trial:
    """The newest message of the last minutes, and the last that the shop wrote by hand since."""

    contact: Contact
    words: str
    answer: Outbound | None


def said(text: str) -> str:
    """A channel's text in the reader's language."""
    return _(text) if text else ""


def texts_of(platform: type[Channel]) -> set[str]:
    """All that a channel says in the wizard: what a translator has to know."""
    return {text for field in platform.fields for text in (field.label, field.hint) if text} | set(platform.steps)


def offered() -> list[type[Channel]]:
    """The channels that a shop can be connected to, by title."""
    return sorted(map(channel_class, OFFERED), key=lambda platform: platform.title.lower())


def steps(platform: type[Channel], webhook: str = "") -> list[str]:
    """What to do on the platform; ``webhook`` is the address it is to call, where that is known."""
    address = webhook or _("(the address that you are given in the next step)")
    return [said(step).replace("{webhook}", address) for step in platform.steps]


def lines(told: Iterable[str]) -> list[Line]:
    """What ``connect()`` says, told apart into what is to be copied and what is to be read."""
    found = [(NAMED.fullmatch(line), line) for line in told]
    return [Line(said(match[1]), match[2]) if match else Line("", said(line)) for match, line in found]


def trial(account: ChannelAccount) -> Trial | None:
    """Who wrote last, if that was only just."""
    contact = account.contacts.filter(heard_at__gte=timezone.now() - LATELY).order_by("-heard_at").first()
    if contact is None:
        return None
    words = InboundEvent.objects.filter(contact=contact).exclude(text="").order_by("-pk").first()
    written = Outbound.objects.filter(conversation__contact=contact, turn=None, created_at__gte=timezone.now() - LATELY)
    return Trial(contact, words.text if words else "", written.order_by("-pk").first())


def _label(setting: Field) -> str:
    label = said(setting.label)
    return label if setting.required else _("%(label)s (optional)") % {"label": label}


class ConnectForm(forms.Form):
    """An account's settings. What is secret is never shown again: left empty, the stored value ``kept`` stays.

    What decides whom this server calls or trusts is for ``staff`` alone.
    """

    def __init__(
        self,
        platform: type[Channel],
        staff: bool,
        data: Mapping[str, Any] | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, prefix="setting", auto_id="connect-%s", label_suffix="")
        self.platform, self.kept, self.refused = platform, dict(kept or {}), False
        self.settings = {each.name: each for each in platform.fields if staff or not each.ours}
        for each in self.settings.values():
            self.fields[each.name] = self._field(each)

    def clean(self) -> dict[str, Any]:
        """Adds ``config``, complete as the channel wants it."""
        cleaned = super().clean() or {}
        for name, each in self.settings.items():
            if cleaned.get(name) and not re.fullmatch(each.pattern, cleaned[name]):
                self.add_error(name, _("This does not look right: %(hint)s") % {"hint": said(each.hint or each.label)})
        if self.errors:
            return cleaned
        stays = {
            each.name: self.kept[each.name]
            for each in self.platform.fields
            if each.name in self.kept and (each.secret or each.name not in self.settings)
        }
        given = {name: cleaned[name] for name in self.settings if cleaned[name]}
        try:
            cleaned["config"] = self.platform.prepare_config({**stays, **given})
        except ValueError as error:
            self._blame(str(error))
            return cleaned
        if self.kept and self.platform.identity(cleaned["config"]) != self.platform.identity(self.kept):
            self.add_error(None, _("This is another account: connect it as a new channel."))
        return cleaned

    def refuse(self, detail: str) -> None:
        """The platform does not take the settings; they may be stored all the same."""
        self.refused = True
        told = {"platform": channel_name(self.platform.name), "detail": detail}
        self.add_error(None, _("%(platform)s does not accept this: %(detail)s") % told)

    def _field(self, each: Field) -> forms.CharField | forms.ChoiceField:
        known = each.secret and each.name in self.kept
        hint = said(each.hint)
        hint = hint if hint.startswith("http") else capfirst(hint)
        if known:
            hint = " ".join(filter(None, (_("Leave it empty to keep what is stored."), hint)))
        about: dict[str, Any] = {
            "label": _label(each), "help_text": hint, "required": each.required and not known,
            "initial": None if each.secret else self.kept.get(each.name),
        }  # fmt: skip
        if OPTIONS.fullmatch(each.pattern) and not each.secret:
            choices = [(option, said(option)) for option in each.pattern.split("|")]
            return forms.ChoiceField(choices=[*([] if each.required else [("", "–")]), *choices], **about)
        quiet = {"autocomplete": "new-password" if each.secret else "off", "spellcheck": "false"}
        widget = forms.PasswordInput(quiet) if each.secret else forms.TextInput(quiet)
        return forms.CharField(max_length=4_000, widget=widget, **about)

    def _blame(self, problem: str) -> None:
        named = BLAMED.match(problem)
        field = named[1] if named and named[1] in self.fields else None
        self.add_error(field, capfirst(said(problem.removeprefix(f"{field}: "))))
