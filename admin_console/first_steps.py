"""The first steps of a shop on the home page: of which shop, and that a reader does not want to see them any more."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from admin_console import access
from botcore import first_steps
from botcore.first_steps import Steps
from botcore.models import Turn
from botcore.roles import Right
from catalog.models import Shop

YEAR = 365 * 24 * 3600
LOOKED_AT = 20
"""Of an owner of very many shops, so many are looked at."""


@dataclass(frozen=True)
class Beginning:
    """A shop that is not at its first good answer yet."""

    shop: Shop
    steps: Steps


def unfinished(request: HttpRequest) -> Beginning | None:
    """The first of the reader's own shops that has steps left, for those who may take them; not one that was dismissed."""
    for shop in access.shops(request.user, Right.ADMINISTER)[:LOOKED_AT]:
        if _cookie(shop) not in request.COOKIES and not (steps := first_steps.steps(shop)).finished:
            return Beginning(shop, steps)
    return None


def newest_reply(shop: Shop) -> Turn | None:
    """A reply that could be corrected."""
    replies = Turn.objects.filter(conversation__shop=shop, status=Turn.Status.ANSWERED)
    return replies.exclude(brief={}).select_related("conversation").order_by("-answered_at").first()


def dismiss(response: HttpResponse, shop: Shop) -> None:
    """Remember in this browser that the reader has seen enough of the steps of ``shop``."""
    response.set_cookie(
        _cookie(shop),
        "1",
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        path="/console/",
    )


def _cookie(shop: Shop) -> str:
    return f"start-dismissed-{shop.pk}"
