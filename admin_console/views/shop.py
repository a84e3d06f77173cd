"""The page of the shop itself: its name, languages and currency, and how replies choose products."""

from __future__ import annotations

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from admin_console import access, goods
from admin_console.access import console_page
from admin_console.forms.catalogue import ShopForm
from botcore.roles import Right

log = structlog.get_logger(__name__)


@console_page(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def shop_settings(request: HttpRequest) -> HttpResponse:
    """What the shop is called, speaks and is paid in."""
    shop = access.chosen_shop(request.user, Right.ADMINISTER, request.GET.get("shop"))
    name = shop.name
    form = ShopForm(request.POST if request.method == "POST" else None, instance=shop)
    if request.method == "POST" and form.is_valid():
        form.save()
        log.info("shop edited", shop=shop.slug, fields=form.changed_data, by=access.person(request).get_username())
        messages.success(request, _("Saved."))
        return redirect(f"{reverse('console:shop_settings')}?{urlencode({'shop': shop.slug})}")
    context = {
        "shop": shop,
        "name": name,
        "shops": access.shops(request.user, Right.ADMINISTER),
        "form": form,
        "spoken": goods.languages(shop),
    }
    return render(request, "console/shop.html", context, status=422 if form.errors else 200)
