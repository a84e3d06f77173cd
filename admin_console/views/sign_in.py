"""The door of the console: password, code, forgotten password, invitation, and proving once more who one is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordResetConfirmView, PasswordResetView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from admin_console.access import console_page, person
from admin_console.sign_in import CodeForm, ConfirmForm, NewcomerForm
from botcore import audit, mail, people, second_factor, sign_in
from botcore.models import Invitation
from botcore.roles import Right

PASSWORD_BACKEND = "django.contrib.auth.backends.ModelBackend"  # noqa: S105 (a name)
FORM = ["GET", "HEAD", "POST"]


class Login(LoginView):
    """Name and password; who has a second factor goes on to its code."""

    template_name = "console/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if not second_factor.has(user):
            return super().form_valid(form)
        sign_in.begin_half(self.request, user)
        return redirect(f"{reverse('console:code')}?{urlencode({'next': self.get_redirect_url()})}")


@sensitive_post_parameters()
@never_cache
@require_http_methods(FORM)
def code(request: HttpRequest) -> HttpResponse:
    """The step after the password."""
    user = sign_in.half_signed_in(request)
    if user is None:
        return redirect("console:login")
    form = CodeForm(request.POST or None, label_suffix="")
    if form.is_valid():
        if proof := sign_in.try_code(request, user, form.cleaned_data["code"]):
            sign_in.finish(request, user)
            _tell_what_is_left(request, proof)
            return redirect(_next(request))
        form.add_error("code", _("This code is not right, or it was used before. Wait for the next one."))
    return render(request, "console/code.html", {"form": form})


@sensitive_post_parameters()
@console_page(Right.READ, open_without_code=True)
@require_http_methods(FORM)
def confirm(request: HttpRequest) -> HttpResponse:
    """Before people or ways to come in are changed: the password once more, and the code."""
    user = person(request)
    form = ConfirmForm(second_factor.has(user), request.POST or None)
    if form.is_valid() and _proves(request, user, form):
        sign_in.confirm(request)
        return redirect(_next(request))
    return render(request, "console/confirm.html", {"form": form})


@sensitive_post_parameters()
@never_cache
@require_http_methods(FORM)
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation, as who is logged in or with a login made here."""
    invitation = people.invitation_of(token)
    if invitation is None:
        return render(request, "console/invitation_over.html", status=404)
    if isinstance(request.user, User):
        if request.method == "POST":
            return _joined(request, invitation, request.user)
        return render(request, "console/join.html", {"invitation": invitation})
    form = NewcomerForm(request.POST or None, initial={"email": invitation.email}, label_suffix="")
    if form.is_valid():
        return _joined_by_newcomer(request, invitation, form)
    return render(request, "console/join.html", {"invitation": invitation, "form": form})


class Forgotten(PasswordResetView):
    """A link by mail, where mail is set up; else whom to ask. Never says whether there is such an address."""

    template_name = "console/forgotten.html"
    email_template_name = "console/mail/forgotten.txt"
    subject_template_name = "console/mail/forgotten_subject.txt"
    success_url = reverse_lazy("console:login")
    extra_email_context = {"root": settings.PUBLIC_URL}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(mails=mail.can_send(), **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        if not mail.can_send():
            return self.get(self.request)
        wanted = [user for user in form.get_users(form.cleaned_data["email"]) if people.may_ask_for_password(user)]
        for user in wanted:
            self._note(user)
        messages.success(self.request, _("If there is a login with this address, a mail is on its way to it."))
        return super().form_valid(form) if wanted else redirect(self.success_url)

    def _note(self, user: User) -> None:
        with audit.recorded(lambda: audit.as_person(self.request, user)):
            audit.note(audit.Action.ASKED_FOR_PASSWORD, "user", user.pk, user.get_username())


class NewPassword(PasswordResetConfirmView):
    """The page that the mail leads to."""

    template_name = "console/new_password.html"
    success_url = reverse_lazy("console:login")

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.user
        with audit.recorded(lambda: audit.as_person(self.request, user)):
            response = super().form_valid(form)
            user.sign_ins.all().delete()
        messages.success(self.request, _("The password is changed. Log in with it."))
        return response


def _proves(request: HttpRequest, user: User, form: ConfirmForm) -> bool:
    """Whether password and code are this person's; says on the form what is not."""
    name = user.get_username()
    if authenticate(request, username=name, password=form.cleaned_data["password"]) != user:
        form.add_error("password", _("This is not your password."))
        return False
    if "code" in form.cleaned_data:
        proof = sign_in.try_code(request, user, form.cleaned_data["code"])
        if proof is None:
            form.add_error("code", _("This code is not right, or it was used before. Wait for the next one."))
            return False
        _tell_what_is_left(request, proof)
    return True


def _joined(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    try:
        people.accept(invitation, user)
    except people.AlreadyMemberError:
        messages.info(request, _("You are a member of %(shop)s already.") % {"shop": invitation.shop})
    except people.InvitationOverError:
        return render(request, "console/invitation_over.html", status=404)
    else:
        messages.success(request, _("Welcome. You are a member of %(shop)s now.") % {"shop": invitation.shop})
    return redirect("console:home")


def _joined_by_newcomer(request: HttpRequest, invitation: Invitation, form: NewcomerForm) -> HttpResponse:
    """The login is made only if the invitation is still good: both or neither."""
    user = form.instance
    try:
        with audit.recorded(lambda: audit.as_person(request, user)), transaction.atomic():
            people.accept(invitation, form.save())
    except people.InvitationOverError:
        return render(request, "console/invitation_over.html", status=404)
    login(request, user, backend=PASSWORD_BACKEND)
    messages.success(request, _("Welcome. You are a member of %(shop)s now.") % {"shop": invitation.shop})
    return redirect("console:home")


def _tell_what_is_left(request: HttpRequest, proof: second_factor.Proof) -> None:
    if (left := proof.recovery_codes_left) is not None:
        told = ngettext(
            "That was a recovery code: %(count)d is left.", "That was a recovery code: %(count)d are left.", left
        )
        messages.warning(request, told % {"count": left})


def _next(request: HttpRequest) -> str:
    """Where the reader wanted to go, if that is here."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    here = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if here else resolve_url(settings.LOGIN_REDIRECT_URL)
