"""Who may do what in a shop: roles, and the rights they bring. One table, read by the console and by the API.

Staff (``user.is_staff``) have every right in every shop. Everybody else has, in each shop, the rights of the role of
their membership there, and in other shops none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from catalog.models import Shop

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(TextChoices):
    """What a member of a shop is there."""

    OWNER = "owner", _("owner")
    MERCHANT = "merchant", _("merchant")
    REVIEWER = "reviewer", _("reviewer")


class Right(StrEnum):
    """One kind of thing that can be done, as every page and every route of the API needs one."""

    READ = "read"
    """Conversations, replies with what explains them, the catalogue, versions, numbers."""
    REVIEW = "review"
    """Approve, reject and correct replies."""
    TALK = "talk"
    """Take a conversation over, answer its customer, send again what failed."""
    SELL = "sell"
    """Products, articles, rules, links, feeds."""
    WATCH = "watch"
    """Alert rules, silences, text streams."""
    CONNECT = "connect"
    """Channels, webhooks, tokens of the API."""
    TEACH = "teach"
    """Snapshots, training runs, evaluations, promoting and rolling back."""
    ADMINISTER = "administer"
    """People and their roles, the audit log, a customer's export and erasure, the shop itself."""


_REVIEWER = frozenset({Right.READ, Right.REVIEW})
_MERCHANT = _REVIEWER | {Right.TALK, Right.SELL, Right.WATCH}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.REVIEWER: _REVIEWER,
    Role.MERCHANT: _MERCHANT,
    Role.OWNER: frozenset(Right),
}


def roles_with(right: Right) -> list[Role]:
    """The roles that bring a right."""
    return [role for role, rights in RIGHTS.items() if right in rights]


def shops_of(user: User | AnonymousUser, right: Right) -> QuerySet[Shop]:
    """The shops in which a person has a right, unordered; none for a stranger or somebody who was shut out."""
    if not user.is_active:
        return Shop.objects.none()
    if user.is_staff:
        return Shop.objects.all()
    return Shop.objects.filter(members__user=user.pk, members__role__in=roles_with(right))


def rights_of(user: User | AnonymousUser) -> frozenset[Right]:
    """The rights that a person has in one shop or another; all for staff."""
    if not user.is_active:
        return frozenset()
    if user.is_staff:
        return frozenset(Right)
    held = user.memberships.values_list("role", flat=True).distinct() if user.pk else ()
    return frozenset().union(*(RIGHTS[Role(role)] for role in held))
