"""Pages of one's own account: name and address, password, second factor, where one is signed in, one's shops."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import sign_in as door
from admin_console.access import console_page, person
from admin_console.sign_in import CodeForm, DetailsForm
from botcore import people, second_factor, sign_in
from botcore.models import SecondFactor
from botcore.roles import Right
from botcore.security import seal, unseal

FORM = ["GET", "HEAD", "POST"]
NEW_SECRET = "new_secret"  # noqa: S105 (a key of the session)


@console_page(Right.READ, open_without_code=True)
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Everything about oneself on one page."""
    user = person(request)
    context = {
        "factor": SecondFactor.objects.filter(user=user).first(),
        "demanded": second_factor.demanded(user),
        "sign_ins": user.sign_ins.all(),
        "here": request.session.get(sign_in.SIGN_IN),
        "memberships": user.memberships.select_related("shop").order_by("shop__name"),
    }
    return render(request, "console/me.html", context)


@console_page(Right.READ, confirmed=True)
@require_http_methods(FORM)
def details(request: HttpRequest) -> HttpResponse:
    """One's name, and the address by which a forgotten password is replaced."""
    form = DetailsForm(request.POST or None, instance=person(request), label_suffix="")
    if form.is_valid():
        form.save()
        messages.success(request, _("Kept."))
        return redirect("console:me")
    return render(request, "console/details.html", {"form": form})


@sensitive_post_parameters()
@console_page(Right.READ, open_without_code=True)
@require_http_methods(FORM)
def password(request: HttpRequest) -> HttpResponse:
    """A new password, for who knows the old one. Everywhere else this person is logged out."""
    user = person(request)
    form = PasswordChangeForm(user, request.POST or None, label_suffix="")
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, user)
        sign_in.end_others(request, user)
        messages.success(request, _("The password is changed. Everywhere else you are logged out."))
        return redirect("console:me")
    return render(request, "console/password.html", {"form": form})


@sensitive_post_parameters()
@console_page(Right.READ, confirmed=True, open_without_code=True)
@require_http_methods(FORM)
def set_up_code(request: HttpRequest) -> HttpResponse:
    """Show an app the secret; a code of it proves that it has it. The secret waits in the session, sealed."""
    user = person(request)
    kept = request.session.setdefault(NEW_SECRET, seal({"secret": second_factor.new_secret()}))
    secret = unseal(kept)["secret"]
    form = CodeForm(request.POST or None, label_suffix="")
    if form.is_valid():
        codes = second_factor.enable(user, secret, form.cleaned_data["code"])
        if codes is not None:
            del request.session[NEW_SECRET]
            sign_in.end_others(request, user)
            return render(request, "console/recovery_codes.html", {"codes": codes, "new": True})
        form.add_error("code", _("This is not the code that your app shows now. Is its clock right?"))
    address = second_factor.address(user, secret)
    context = {
        "form": form,
        "picture": door.picture(address),
        "address": address,
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "owed": second_factor.owed(user),
    }
    return render(request, "console/set_up_code.html", context)


@console_page(Right.READ, confirmed=True)
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes in place of the old ones, shown this once."""
    user = person(request)
    if not second_factor.has(user):
        return redirect("console:set_up_code")
    codes = second_factor.new_recovery_codes(user)
    return render(request, "console/recovery_codes.html", {"codes": codes})


@console_page(Right.READ, confirmed=True)
@require_POST
def switch_code_off(request: HttpRequest) -> HttpResponse:
    """The password alone is enough again, unless somebody demands more."""
    user = person(request)
    if second_factor.demanded(user):
        messages.error(request, _("Your shop or this installation wants a second factor of you."))
    else:
        second_factor.disable(user)
        messages.success(request, _("The second factor is off."))
    return redirect("console:me")


@console_page(Right.READ, open_without_code=True)
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """Log this person out of one other browser, or of all others."""
    user, which = person(request), request.POST.get("which", "")
    if which == "others":
        sign_in.end_others(request, user)
    elif which.isascii() and which.isdigit() and len(which) < 18:
        sign_in.end(user, int(which))
    messages.success(request, _("Logged out there."))
    return redirect("console:me")


@console_page(Right.READ, confirmed=True, open_without_code=True)
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Be a member of a shop no more."""
    row = person(request).memberships.filter(shop__slug=request.POST.get("shop", "")).first()
    if row is None:
        return redirect("console:me")
    try:
        people.remove(row)
    except people.LastOwnerError:
        messages.error(request, _("The shop would be left without an owner. Make somebody else one first."))
    else:
        messages.success(request, _("You are a member of %(shop)s no more.") % {"shop": row.shop})
    return redirect("console:me")
