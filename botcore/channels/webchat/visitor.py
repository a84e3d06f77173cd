"""Who a browser is: a random number in a signed cookie that no script can read, and a token that only its page knows.

The token stands in for Django's CSRF cookie, which a browser does not send from within another site's frame.
"""

from __future__ import annotations

import secrets
from collections.abc import Container
from http.cookies import Morsel
from typing import Any

from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from botcore.models import ChannelAccount

DAYS = 90
TOKEN_HEADER = "X-Chat-Token"  # noqa: S105 (the header's name)


def new_visitor() -> str:
    return secrets.token_urlsafe(16)


def visitor_of(request: HttpRequest, account: ChannelAccount) -> str | None:
    """The visitor whose cookie this is; None without one, or with one that we did not sign for this account."""
    try:
        return _signer(account).unsign(request.COOKIES.get(_cookie(account), ""))
    except BadSignature:
        return None


def remember(
    response: HttpResponse, request: HttpRequest, account: ChannelAccount, visitor: str, embedded: bool
) -> None:
    """Set the visitor's cookie. Within another site's frame browsers keep only a partitioned one, and only on https."""
    across = embedded and request.is_secure()
    name, value = cookie_of(account, visitor)
    response.set_cookie(
        name,
        value,
        max_age=DAYS * 24 * 3600,
        path="/chat/",
        secure=request.is_secure(),
        httponly=True,
        samesite="None" if across else "Lax",
    )
    if across:
        partitioned = _Partitioned()
        partitioned.set(name, response.cookies[name].value, response.cookies[name].coded_value)
        partitioned.update(response.cookies[name])
        dict.__setitem__(response.cookies, name, partitioned)


def cookie_of(account: ChannelAccount, visitor: str) -> tuple[str, str]:
    """Name and value of the cookie that says who a browser is."""
    return _cookie(account), _signer(account).sign(visitor)


def token_for(account: ChannelAccount, visitor: str) -> str:
    """What the visitor's page sends along with every change."""
    return salted_hmac("webchat.token", f"{account.key}:{visitor}", algorithm="sha256").hexdigest()


def is_from_its_page(request: HttpRequest, account: ChannelAccount, visitor: str, origin: str) -> bool:
    """Whether a POST comes from the visitor's own page: our origin (or the configured one), and the page's token."""
    given = request.headers.get("Origin")
    own = f"{request.scheme}://{request.get_host()}"
    if given is not None and given not in (own, origin):
        return False
    return constant_time_compare(request.headers.get(TOKEN_HEADER, ""), token_for(account, visitor))


class _Partitioned(Morsel[Any]):
    """A cookie kept apart for every site that frames us; ``http.cookies`` learns the word in Python 3.14."""

    def OutputString(self, attrs: Container[str] | None = None) -> str:  # noqa: N802 (the standard library's name)
        return f"{super().OutputString(attrs)}; Partitioned"


def _cookie(account: ChannelAccount) -> str:
    return f"visitor_{account.pk}"


def _signer(account: ChannelAccount) -> Signer:
    return Signer(salt=f"webchat.visitor.{account.key}")
