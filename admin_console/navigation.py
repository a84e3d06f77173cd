"""The rooms of the console, in the order of the menu: where each is, who may enter, and which pages lie in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from botcore import roles
from botcore.roles import Right

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Room:
    """``address`` is a name in :mod:`admin_console.urls`; ``pages`` are the names of the other pages that lie in the room.

    ``count`` names the number beside it (:func:`admin_console.templatetags.console.menu`), ``reason`` says what is counted.
    """

    address: str
    label: StrOrPromise
    right: Right
    pages: frozenset[str] = frozenset()
    count: str = ""
    reason: StrOrPromise = ""
    urgent: bool = False


@dataclass(frozen=True)
class Wing:
    label: StrOrPromise
    rooms: tuple[Room, ...]


@dataclass(frozen=True)
class Link:
    """A room as one reader sees it from one page."""

    room: Room
    url: str
    here: bool
    count: int


WINGS = (
    Wing(
        _("Customers"),
        (
            Room(
                "review",
                _("Review"),
                Right.REVIEW,
                frozenset({"review_figures"}),
                count="review",
                reason=_("replies wait for a word"),
            ),
            Room("home", _("Conversations"), Right.READ, frozenset({"conversation", "customer", "erase_customer"})),
            Room("inbox", _("Inbox"), Right.TALK, count="waiting", reason=_("customers wait")),
        ),
    ),
    Wing(
        _("Shop"),
        (
            Room(
                "products",
                _("Products"),
                Right.READ,
                frozenset({"product", "new_product", "change_many", "imports", "change_set"}),
            ),
            Room("articles", _("Articles"), Right.READ, frozenset({"article", "new_article"})),
            Room("attributes", _("Attributes"), Right.READ),
            Room("feeds", _("Feeds"), Right.SELL, frozenset({"feed"})),
            Room("rules", _("Rules"), Right.READ, frozenset({"new_rule"})),
            Room("graph", _("Product graph"), Right.READ, frozenset({"neighbourhood"})),
        ),
    ),
    Wing(
        _("Model"),
        (
            Room(
                "learning",
                _("Learning"),
                Right.READ,
                frozenset({"snapshot", "run", "version", "side_by_side", "blind_choice"}),
            ),
        ),
    ),
    Wing(
        _("Watch"),
        (
            Room("overview", _("Overview"), Right.READ, frozenset({"behind"})),
            Room(
                "alerts",
                _("Alerts"),
                Right.READ,
                frozenset({"alert_rules", "new_alert_rule", "alert_rule"}),
                count="alerts",
                reason=_("alerts are open"),
            ),
            Room("streams", _("Streams"), Right.READ, frozenset({"stream", "new_stream", "surge", "draft_article"})),
        ),
    ),
    Wing(
        _("Set-up"),
        (
            Room(
                "channels",
                _("Channels"),
                Right.CONNECT,
                frozenset({"choose_channel", "connect_channel", "account"}),
            ),
            Room(
                "api",
                _("API"),
                Right.CONNECT,
                frozenset({"make_token", "add_webhook", "webhook", "rotate_webhook", "try_api"}),
            ),
            Room("people", _("People"), Right.ADMINISTER, frozenset({"invite", "member"})),
            Room("audit", _("Audit log"), Right.ADMINISTER, frozenset({"audit_entry"})),
            Room("shop_settings", _("Shop settings"), Right.ADMINISTER, frozenset({"retention"})),
            Room("failed", _("Failed messages"), Right.TALK, count="failed", reason=_("messages failed"), urgent=True),
        ),
    ),
)


def menu(user: User | AnonymousUser, page: str, counts: Mapping[str, int]) -> list[tuple[StrOrPromise, list[Link]]]:
    """The wings with the rooms that this reader may enter; ``page`` is the name of the address that is shown.

    A room that is only there for what is counted stays away while nothing is.
    """
    rights = roles.rights_of(user) | {Right.READ}
    wings = []
    for wing in WINGS:
        links = [
            Link(room, reverse(f"console:{room.address}"), page == room.address or page in room.pages, number)
            for room in wing.rooms
            if room.right in rights
            for number in [counts.get(room.count, 0)]
            if number or not room.urgent or page == room.address
        ]
        if links:
            wings.append((wing.label, links))
    return wings
