"""The pages of the shop itself: name, languages, currency, how replies choose products; how long it keeps conversations."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from admin_console import access, goods
from admin_console.access import console_page
from admin_console.forms.catalogue import RetentionForm, ShopForm
from botcore import retention
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
        "days": retention.limit(shop),
    }
    return render(request, "console/shop.html", context, status=422 if form.errors else 200)


@console_page(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def retention_limit(request: HttpRequest) -> HttpResponse:
    """How long conversations are kept: what another limit would take is shown, and a POST sets it."""
    shop = access.chosen_shop(request.user, Right.ADMINISTER, request.GET.get("shop"))
    now = retention.limit(shop)
    said = request.POST if request.method == "POST" else request.GET if "days" in request.GET else None
    form = RetentionForm(said, initial={"days": now})
    days = form.cleaned_data["days"] if form.is_valid() else None
    if request.method == "POST" and form.is_valid():
        retention.keep_for(shop, days)
        messages.success(request, _("Saved."))
        return redirect(f"{reverse('console:shop_settings')}?{urlencode({'shop': shop.slug})}")
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.ADMINISTER),
        "form": form,
        "now": now,
        "asked": form.is_valid(),
        "days": days,
        "count": retention.silent(shop, timezone.now() - timedelta(days=days)).count() if days else 0,
        "total": shop.conversations.count(),
    }
    return render(request, "console/retention.html", context, status=422 if form.errors else 200)
