"""Coming in and staying in: the step between password and code, where a person is signed in, and when they last proved it.

Wrong passwords and wrong codes are both counted by django-axes, each for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from botcore import audit, second_factor
from botcore.models import SignIn
from botcore.second_factor import Proof

HALF = "half_signed_in"
CONFIRMED = "confirmed_at"
SIGN_IN = "sign_in"
"""Keys of the session: who has given the password and not the code, when a person last proved who they are, which
:class:`SignIn` this is."""
HALF_SECONDS = 10 * 60
CONFIRMED_SECONDS = 15 * 60
SEEN_EVERY = timedelta(minutes=3)
OF_CODES = " (code)"
"""Behind a user name, to axes: failures of codes. No user name has a blank."""


def counted_by(request: HttpRequest | AccessAttempt, credentials: Mapping[str, Any] | None = None) -> list[Any]:
    """Axes' lock: passwords by name and address, so that nobody locks others out; codes by name alone, since whoever
    gets that far knows the password and may have many addresses.
    """
    name = request.username if isinstance(request, AccessAttempt) else (credentials or {}).get("username")
    return ["username"] if str(name or "").endswith(OF_CODES) else [["username", "ip_address"]]


# --- between password and code ---------------------------------------------------------------------------------------


def begin_half(request: HttpRequest, user: User) -> None:
    """The password was right; who it is waits in a fresh session for the code."""
    request.session.cycle_key()
    request.session[HALF] = {
        "user": user.pk,
        "backend": user.backend,
        "password": user.get_session_auth_hash(),
        "at": time.time(),
    }


def half_signed_in(request: HttpRequest) -> User | None:
    """Who has given the password a moment ago; None where that is over, or the password has changed since."""
    half = request.session.get(HALF)
    if not half or time.time() - half["at"] > HALF_SECONDS:
        return None
    user = get_user_model().objects.filter(pk=half["user"], is_active=True).first()
    if user is None or not constant_time_compare(half["password"], user.get_session_auth_hash()):
        return None
    return user


def finish(request: HttpRequest, user: User) -> None:
    """The code was right, too."""
    login(request, user, backend=request.session.pop(HALF)["backend"])


def try_code(request: HttpRequest, user: User, code: str) -> Proof | None:
    """:func:`second_factor.check`, refused and counted as axes does: after too many failures none is right for a while,
    and the answer to this request says so.
    """
    credentials = {"username": f"{user.get_username()}{OF_CODES}"}
    if AxesProxyHandler.is_allowed(request, credentials) and (proof := second_factor.check(user, code)):
        return proof
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)
    return None


# --- being sure who it is --------------------------------------------------------------------------------------------


def confirm(request: HttpRequest) -> None:
    """This person has just proved who they are."""
    request.session[CONFIRMED] = time.time()


def confirmed(request: HttpRequest) -> bool:
    """Whether they did so lately enough to change people or how they come in."""
    return time.time() - request.session.get(CONFIRMED, 0) < CONFIRMED_SECONDS


# --- where a person is signed in -------------------------------------------------------------------------------------


class StillSignedIn:
    """Middleware: a session that was ended from elsewhere is logged out. Stands after the one that knows the user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated and not _stays(request):
            logout(request)
        return self.get_response(request)


def _stays(request: HttpRequest) -> bool:
    """Whether the session's row is there; keeps when it was last seen."""
    row = SignIn.objects.filter(pk=request.session.get(SIGN_IN, 0), user=request.user.pk).first()
    if row is None:
        return False
    if timezone.now() - row.seen_at > SEEN_EVERY:
        SignIn.objects.filter(pk=row.pk).update(seen_at=timezone.now())
    return True


def end(user: User, pk: int) -> None:
    """End one session of this person's."""
    user.sign_ins.filter(pk=pk).delete()


def end_others(request: HttpRequest, user: User) -> None:
    """End all but this one."""
    user.sign_ins.exclude(pk=request.session.get(SIGN_IN, 0)).delete()


def _begin(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    """Somebody has signed in: the session gets a row of its own, and the log an entry."""
    user.sign_ins.filter(started_at__lt=timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)).delete()
    ip, agent = audit.origin(request)
    row = SignIn.objects.create(user=user, ip=ip, agent=agent)
    request.session[SIGN_IN] = row.pk
    confirm(request)
    with audit.recorded(lambda: audit.as_person(request, user)):
        audit.note(audit.Action.SIGNED_IN, "user", user.pk, user.get_username())


def _end(sender: Any, request: HttpRequest, user: User | None, **_: Any) -> None:
    """Somebody logs out: the session's row goes with it."""
    if user is not None:
        end(user, request.session.get(SIGN_IN, 0))


def _refused(sender: Any, credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A wrong password or code for somebody whom there is. Other names are not kept: they may be passwords."""
    name = str(credentials.get("username", "")).removesuffix(OF_CODES)
    user = get_user_model().objects.filter(username=name).first()
    if request is not None and user is not None:
        with audit.recorded(lambda: audit.as_person(request, user)):
            audit.note(audit.Action.REFUSED, "user", user.pk, name)


def connect() -> None:
    """Listen to Django's signals; called once, when the apps are ready."""
    user_logged_out.connect(_end, dispatch_uid="botcore.sign_in")
    user_logged_in.connect(_begin, dispatch_uid="botcore.sign_in")
    user_login_failed.connect(_refused, dispatch_uid="botcore.sign_in")
