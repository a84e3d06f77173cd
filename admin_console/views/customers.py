"""Pages of one customer: their history with the shop, everything kept about them as a file, and forgetting them."""

from __future__ import annotations

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access
from admin_console import conversations as told
from admin_console.access import console_page
from admin_console.views import PAGE_SIZE
from botcore import customers, roles
from botcore.models import Contact, Turn
from botcore.roles import Right

NEWEST_INTERACTIONS = 50


@console_page(Right.READ)
@require_safe
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    """All conversations of one customer over the shop's channels, and what they ordered."""
    person = customers.person_of(get_object_or_404(_contacts(request, Right.READ), pk=pk))
    page = Paginator(customers.conversations(person), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "person": person,
        "contact": person.contacts[0],
        "page": page,
        "rows": told.rows(page.object_list, Turn.objects.all()),
        "interactions": customers.interactions(person)[:NEWEST_INTERACTIONS],
        "interaction_count": customers.interactions(person).count(),
        "administers": roles.shops_of(request.user, Right.ADMINISTER).filter(pk=person.shop.pk).exists(),
    }
    return render(request, "console/customer.html", context)


@console_page(Right.ADMINISTER)
@require_POST
def export_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything kept about a customer, as JSON."""
    person = customers.person_of(get_object_or_404(_contacts(request, Right.ADMINISTER), pk=pk))
    text = json.dumps(customers.export(person), cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    return HttpResponse(
        text,
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="customer-{pk}.json"'},
    )


@console_page(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def erase_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """What would go and what would stay; a POST with the customer's name typed forgets them."""
    person = customers.person_of(get_object_or_404(_contacts(request, Right.ADMINISTER), pk=pk))
    if request.method == "POST" and request.POST.get("typed", "").strip() == str(person):
        erasure = customers.forget(person)
        return render(request, "console/erased.html", {"shop": person.shop, "erasure": erasure})
    if request.method == "POST":
        messages.error(request, _("What you typed is not the name shown. Nothing was deleted."))
        return redirect("console:erase_customer", pk=pk)
    context = {
        "person": person,
        "contact": person.contacts[0],
        "erasure": customers.what_knows(person),
        "interaction_count": customers.interactions(person).count(),
    }
    return render(request, "console/erase_customer.html", context)


def _contacts(request: HttpRequest, right: Right) -> QuerySet[Contact]:
    return access.contacts(request.user, right).select_related("account__shop", "customer")
