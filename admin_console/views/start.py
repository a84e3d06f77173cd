"""A new shop, and the steps that lead it to its first good answer."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access
from admin_console import first_steps as told
from admin_console.access import console_page
from admin_console.people import ShopForm
from botcore import audit, first_steps
from botcore.channels.webchat.channel import ensure_webchat
from botcore.roles import Right
from catalog.demo.load import fill_with_demo
from catalog.models import Shop


@console_page(Right.ADMINISTER)
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """How far one shop is, and what comes next."""
    shop = access.chosen_shop(request.user, Right.ADMINISTER, request.GET.get("shop"))
    steps = first_steps.steps(shop)
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.ADMINISTER),
        "steps": steps,
        "product_count": shop.products.filter(active=True).count(),
        "to_correct": told.newest_reply(shop),
    }
    return render(request, "console/start.html", context)


@console_page(Right.ADMINISTER)
@require_POST
def load_demo(request: HttpRequest) -> HttpResponse:
    """Products, articles and simulated customers of the demo, into a shop that has none of its own."""
    shop = access.shop_named(request.user, Right.ADMINISTER, request.POST.get("shop", ""))
    audit.note(audit.Action.CREATED, "product", label=_("the demo catalogue"), shop=shop)
    with audit.unrecorded():
        filled = fill_with_demo(shop, settings.MEDIA_ROOT)
    if filled:
        messages.success(request, _("The demo catalogue is there. In a minute or two it can be searched by meaning."))
    else:
        messages.error(request, _("This shop has products of its own: nothing was loaded."))
    return _to(shop)


@console_page(Right.ADMINISTER)
@require_POST
def dismiss_start(request: HttpRequest) -> HttpResponse:
    """The home page of this browser does not speak of the steps of this shop any more."""
    shop = access.shop_named(request.user, Right.ADMINISTER, request.POST.get("shop", ""))
    response = redirect("console:home")
    told.dismiss(response, shop)
    return response


@console_page(Right.ADMINISTER, staff=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new_shop(request: HttpRequest) -> HttpResponse:
    """An empty shop with a web chat."""
    form = ShopForm(request.POST or None, label_suffix="")
    if form.is_valid():
        with transaction.atomic():
            shop = form.save()
            ensure_webchat(shop)
        messages.success(request, _("The shop is made. Its owner comes in by an invitation."))
        return _to(shop)
    return render(request, "console/new_shop.html", {"form": form})


def _to(shop: Shop) -> HttpResponse:
    return redirect(f"{reverse('console:start')}?{urlencode({'shop': shop.slug})}")
