"""Pages of the people of a shop: who is a member and as what, invitations, what the shop demands at the door."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access
from admin_console import people as told
from admin_console.access import console_page
from admin_console.people import InviteForm, RoleForm
from botcore import mail, people
from botcore.models import Invitation
from botcore.roles import Right, Role
from catalog.models import Shop

FORM = ["GET", "HEAD", "POST"]


@console_page(Right.ADMINISTER)
@require_safe
def members(request: HttpRequest) -> HttpResponse:
    """Everybody in one shop, with the open invitations and the table of rights."""
    shop = access.chosen_shop(request.user, Right.ADMINISTER, request.GET.get("shop"))
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.ADMINISTER),
        "members": people.members(shop),
        "invitations": people.open_invitations(shop).select_related("created_by"),
        "second_factor": people.requires_second_factor(shop),
        "everywhere": settings.REQUIRE_SECOND_FACTOR,
        "roles": [role.label for role in told.ROLES],
        "table": told.table(),
    }
    return render(request, "console/people.html", context)


@console_page(Right.ADMINISTER, confirmed=True)
@require_http_methods(FORM)
def invite(request: HttpRequest) -> HttpResponse:
    """Make an invitation. Its link is shown this once."""
    shop = access.chosen_shop(request.user, Right.ADMINISTER, request.GET.get("shop"))
    form = InviteForm(request.POST or None)
    context = {"shop": shop, "form": form, "days": people.INVITATION_DAYS, "mails": mail.can_send()}
    if form.is_valid():
        role, email = Role(form.cleaned_data["role"]), form.cleaned_data["email"]
        row, token = people.invite(shop, role, access.person(request), email)
        link = f"{settings.PUBLIC_URL}{reverse('console:join', args=[token])}"
        context |= {"invitation": row, "link": link, "sent": bool(email) and _mail(request, row, link)}
    return render(request, "console/invite.html", context)


@console_page(Right.ADMINISTER, confirmed=True)
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Nobody comes in by this invitation any more."""
    row = get_object_or_404(access.invitations(request.user, Right.ADMINISTER).select_related("shop"), pk=pk)
    people.revoke(row)
    messages.success(request, _("The invitation is revoked."))
    return _to(row.shop)


@console_page(Right.ADMINISTER, confirmed=True)
@require_http_methods(FORM)
def member(request: HttpRequest, pk: int) -> HttpResponse:
    """What one person is; a POST changes it."""
    row = get_object_or_404(access.members(request.user, Right.ADMINISTER).select_related("shop", "user"), pk=pk)
    form = RoleForm(request.POST or None, initial={"role": row.role})
    if form.is_valid():
        try:
            people.change_role(row, Role(form.cleaned_data["role"]))
        except people.LastOwnerError:
            form.add_error("role", _("The shop would be left without an owner. Make somebody else one first."))
        else:
            messages.success(request, _("%(name)s is %(role)s now.") % {"name": row.user, "role": Role(row.role).label})
            return _to(row.shop)
    return render(request, "console/member.html", {"member": row, "form": form, "table": told.table()})


@console_page(Right.ADMINISTER, confirmed=True)
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """A person is a member no more, from their next request on."""
    row = get_object_or_404(access.members(request.user, Right.ADMINISTER).select_related("shop", "user"), pk=pk)
    try:
        people.remove(row)
    except people.LastOwnerError:
        messages.error(request, _("The shop would be left without an owner. Make somebody else one first."))
        return redirect("console:member", pk=pk)
    messages.success(request, _("%(name)s is a member no more.") % {"name": row.user})
    return redirect("console:home") if row.user == request.user else _to(row.shop)


@console_page(Right.ADMINISTER, confirmed=True)
@require_POST
def demand_code(request: HttpRequest) -> HttpResponse:
    """Whether members of the shop need a second factor, as the button said."""
    shop = access.shop_named(request.user, Right.ADMINISTER, request.POST.get("shop", ""))
    people.require_second_factor(shop, request.POST.get("wanted") == "on")
    return _to(shop)


def _mail(request: HttpRequest, row: Invitation, link: str) -> bool:
    context = {"invitation": row, "link": link, "by": access.person(request), "days": people.INVITATION_DAYS}
    subject = _("Invitation to %(shop)s") % {"shop": row.shop}
    return mail.send(row.email, subject, render_to_string("console/mail/invitation.txt", context))


def _to(shop: Shop) -> HttpResponse:
    return redirect(f"{reverse('console:people')}?{urlencode({'shop': shop.slug})}")
