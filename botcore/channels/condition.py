"""How a shop's accounts are: when they were last heard of and written to, and what keeps messages back. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from botcore import dead_letters
from botcore.channels.connecting import OFFERED, stored
from botcore.channels.registry import channel_class
from botcore.environment import ConfigurationError
from botcore.models import ChannelAccount, ChannelHealth, Contact, Outbound
from botcore.security import unseal

OK, NEW, TROUBLED, PAUSED, FAILING, UNREADABLE, OFF = "ok new troubled paused failing unreadable off".split()
"""``new``: nothing has come or gone yet; ``troubled``: the last messages failed; ``paused``: the platform asked for time;
``failing``: the breaker is open; ``unreadable``: the secrets do not open with this SECRET_KEY."""


@dataclass(frozen=True)
class Condition:
    """One account. ``name`` is what tells it from the shop's others on the platform. Times are None where there is none
    yet; ``waiting`` and ``failed`` count messages.
    """

    account: ChannelAccount
    title: str
    name: str
    state: str
    health: ChannelHealth
    heard_at: datetime | None
    sent_at: datetime | None
    waiting: int
    failed: int

    @property
    def healthy(self) -> bool:
        return self.state not in (FAILING, UNREADABLE)


def conditions(accounts: QuerySet[ChannelAccount]) -> list[Condition]:
    """The accounts that are platforms, by shop and name; one query for all of them."""
    found = accounts.filter(channel__in=OFFERED).select_related("shop", "health")
    of_account = Outbound.objects.filter(conversation__contact__account=OuterRef("pk")).order_by()
    found = found.annotate(
        heard=_one(Contact.objects.filter(account=OuterRef("pk")).order_by(), "account", Max("heard_at")),
        sent=Subquery(of_account.filter(status=Outbound.Status.SENT).order_by("-pk").values("sent_at")[:1]),
        waiting=_count(of_account.filter(status=Outbound.Status.PENDING)),
        failed=_count(dead_letters.failed().filter(conversation__contact__account=OuterRef("pk")).order_by()),
    )
    return [_condition(account) for account in found.order_by("shop__name", "channel", "pk")]


def _condition(account: ChannelAccount) -> Condition:
    health = getattr(account, "health", None) or ChannelHealth(account=account)
    return Condition(
        account=account,
        title=channel_class(account.channel).title,
        name=_name(account),
        state=_state(account, health),
        health=health,
        heard_at=account.heard,  # type: ignore[attr-defined]
        sent_at=account.sent,  # type: ignore[attr-defined]
        waiting=account.waiting or 0,  # type: ignore[attr-defined]
        failed=account.failed or 0,  # type: ignore[attr-defined]
    )


def _name(account: ChannelAccount) -> str:
    """Its identity on the platform, unless a secret is all that there is."""
    platform, config = channel_class(account.channel), stored(account)
    secrets = {str(config[field.name]) for field in platform.fields if field.secret and config.get(field.name)}
    identity = platform.identity(config)
    return "" if any(secret in identity for secret in secrets) else identity


def _state(account: ChannelAccount, health: ChannelHealth) -> str:
    if not account.active:
        return OFF
    try:
        unseal(account.sealed_config)
    except ConfigurationError:
        return UNREADABLE
    if health.open_until:
        return FAILING
    if health.paused_until and health.paused_until > timezone.now():
        return PAUSED
    if health.failures:
        return TROUBLED
    return OK if account.heard or account.sent else NEW  # type: ignore[attr-defined]


def _one(rows: QuerySet, by: str, figure: Count | Max) -> Subquery:
    return Subquery(rows.values(by).annotate(figure=figure).values("figure"))


def _count(outbound: QuerySet[Outbound]) -> Subquery:
    return _one(outbound, "conversation__contact__account", Count("pk"))
