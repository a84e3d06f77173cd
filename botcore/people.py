"""The people of a shop: inviting them, what they are there, and their leaving. A shop is never left without an owner."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from botcore.models import AuditEntry, Invitation, SecondFactor, ShopMember, SignInRule
from botcore.roles import Role
from catalog.models import Shop

INVITATION_DAYS = 7
PASSWORD_MAIL_EVERY = timedelta(minutes=5)


class LastOwnerError(Exception):
    """The shop would be left without an owner."""


class InvitationOverError(Exception):
    """The invitation was accepted or revoked before, or its time is over."""


class AlreadyMemberError(Exception):
    """Whoever accepts is a member of the shop as it is."""


@dataclass(frozen=True)
class Member:
    """One line of the page of people. ``seen_at`` is None for who has never signed in."""

    membership: ShopMember
    seen_at: datetime | None
    second_factor: bool


def members(shop: Shop) -> list[Member]:
    """Everybody who may do something in the shop, owners first. Staff of the installation may do everything, too."""
    rows = (
        shop.members.select_related("user", "shop")
        .annotate(
            seen_at=Max("user__sign_ins__seen_at"),
            secured=Exists(SecondFactor.objects.filter(user=OuterRef("user"))),
        )
        .order_by("user__username")
    )
    lines = [Member(row, row.seen_at or row.user.last_login, row.secured) for row in rows]
    return sorted(lines, key=lambda line: Role.values.index(line.membership.role))


def open_invitations(shop: Shop) -> QuerySet[Invitation]:
    """Those that somebody can still accept."""
    return shop.invitations.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())


def invite(shop: Shop, role: Role, by: User, email: str = "") -> tuple[Invitation, str]:
    """A new invitation with its token, which is known to nobody afterwards."""
    token = secrets.token_urlsafe(24)
    row = Invitation.objects.create(
        shop=shop,
        role=role,
        email=email,
        token_digest=_digest(token),
        created_by=by,
        expires_at=timezone.now() + timedelta(days=INVITATION_DAYS),
    )
    return row, token


def revoke(invitation: Invitation) -> None:
    """Nobody comes in by it any more. Harmless where somebody has."""
    row = open_invitations(invitation.shop).filter(pk=invitation.pk).first()
    if row:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])


def invitation_of(token: str) -> Invitation | None:
    """The open invitation that this token is of."""
    found = Invitation.objects.select_related("shop", "created_by")
    row = found.filter(token_digest=_digest(token)).first()
    return row if row and open_invitations(row.shop).filter(pk=row.pk).exists() else None


def accept(invitation: Invitation, user: User) -> ShopMember:
    """``user`` becomes a member. Raises ``InvitationOverError`` and ``AlreadyMemberError``, and has changed nothing then."""
    with transaction.atomic():
        row = open_invitations(invitation.shop).select_for_update().filter(pk=invitation.pk).first()
        if row is None:
            raise InvitationOverError
        row.accepted_at, row.accepted_by = timezone.now(), user
        row.save(update_fields=["accepted_at", "accepted_by"])
        try:
            with transaction.atomic():
                return ShopMember.objects.create(user=user, shop=row.shop, role=row.role)
        except IntegrityError as error:
            raise AlreadyMemberError from error


def change_role(member: ShopMember, role: Role) -> None:
    """From the next request on this is what they may do. Raises ``LastOwnerError``."""
    with transaction.atomic():
        if role != Role.OWNER:
            _keep_an_owner(member)
        member.role = role
        member.save(update_fields=["role"])


def remove(member: ShopMember) -> None:
    """From the next request on they may do nothing in the shop. Raises ``LastOwnerError``."""
    with transaction.atomic():
        _keep_an_owner(member)
        member.delete()


def may_ask_for_password(user: User) -> bool:
    """Whether another mail may go out: at most one in a few minutes, or anybody could fill a person's mailbox."""
    lately = AuditEntry.objects.filter(kind="user", row_id=user.pk, action=AuditEntry.Action.ASKED_FOR_PASSWORD)
    return not lately.filter(at__gt=timezone.now() - PASSWORD_MAIL_EVERY).exists()


def require_second_factor(shop: Shop, wanted: bool) -> None:
    """Whether members of the shop need a second factor; who has none sees nothing of the console until they do."""
    SignInRule.objects.update_or_create(shop=shop, defaults={"second_factor": wanted})


def requires_second_factor(shop: Shop) -> bool:
    """Whether members of the shop need a second factor."""
    return SignInRule.objects.filter(shop=shop, second_factor=True).exists()


def _keep_an_owner(member: ShopMember) -> None:
    """Raises ``LastOwnerError`` where nobody else could administer the shop. Two owners who leave at once take turns."""
    Shop.objects.select_for_update().get(pk=member.shop_id)
    owners = ShopMember.objects.filter(shop=member.shop_id, role=Role.OWNER)
    if owners.filter(pk=member.pk).exists() and not owners.filter(user__is_active=True).exclude(pk=member.pk).exists():
        raise LastOwnerError


def _digest(token: str) -> str:
    """A token is random and long: its plain digest cannot be searched for."""
    return hashlib.sha256(token.encode()).hexdigest()
