"""Tokens: made once, kept as a digest, held to a pace that all web processes share.

The pace is one conditional UPDATE of the token's row: every installation has the database, none needs a cache for this.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from botcore.models import ApiToken
from botcore.roles import Right
from catalog.models import Shop

PREFIX = "daogou_"
SHOWN = len(PREFIX) + 6
"""So much of a token is kept to recognise it by; the other 37 characters say nothing less than 222 bits."""
OFFERED = tuple(right for right in Right if right != Right.ADMINISTER)
"""People and the audit log are for people."""


@dataclass(frozen=True)
class Pace:
    """How a token stands after a request. ``reset`` and ``retry`` are in seconds; ``retry`` is 0 where it was let in."""

    limit: int
    remaining: int
    reset: float
    retry: float


def make(
    shops: Iterable[Shop],
    name: str,
    rights: Iterable[Right],
    by: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[list[ApiToken], str]:
    """A new token for one shop or, by command alone, for several: its rows and the token, which nobody can read again.

    Raises ``ValueError`` for a right that tokens do not have, or none at all.
    """
    held = sorted(set(rights))
    if not held or not set(held) <= set(OFFERED):
        raise ValueError(f"a token needs one or more of these rights: {', '.join(OFFERED)}")
    token = PREFIX + secrets.token_urlsafe(32)
    about = {"name": name, "prefix": token[:SHOWN], "digest": digest(token), "rights": held}
    with transaction.atomic():
        rows = [ApiToken.objects.create(shop=shop, created_by=by, expires_at=expires_at, **about) for shop in shops]
    return rows, token


def found(token: str, now: datetime) -> Sequence[ApiToken]:
    """The rows of a token that holds now: one, or one for each shop of a token across shops; none for any other text."""
    holds = Q(expires_at=None) | Q(expires_at__gt=now)
    rows = ApiToken.objects.filter(holds, digest=digest(token), revoked_at=None)
    return list(rows.select_related("shop"))


def revoke(token: ApiToken) -> None:
    """From the next request on it is nobody's."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def digest(token: str) -> str:
    """What is stored of a token. It is random and long: a slow hash would add nothing."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# The generic cell rate algorithm: a request is let in where the bucket's time is at most the burst ahead of now.
TAKE = """
    UPDATE botcore_apitoken
    SET free_at = greatest(free_at, clock_timestamp()) + make_interval(secs => %(step)s), last_used_at = clock_timestamp()
    WHERE id = %(id)s
      AND greatest(free_at, clock_timestamp()) + make_interval(secs => %(step)s)
          <= clock_timestamp() + make_interval(secs => %(ahead)s)
    RETURNING extract(epoch FROM free_at - clock_timestamp())
"""
AHEAD = "SELECT extract(epoch FROM free_at - clock_timestamp()) FROM botcore_apitoken WHERE id = %s"


def take(token: ApiToken) -> Pace:
    """Count one request."""
    burst = settings.API_BURST
    step = 60 / settings.API_PER_MINUTE
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"id": token.pk, "step": step, "ahead": burst * step})
        row = cursor.fetchone()
        if row:
            ahead = float(row[0])
            return Pace(burst, max(int(burst - ahead / step + 1e-6), 0), max(ahead, 0.0), 0.0)
        cursor.execute(AHEAD, [token.pk])
        ahead = float(cursor.fetchone()[0])
    return Pace(burst, 0, max(ahead, 0.0), max(ahead - (burst - 1) * step, 0.001))
