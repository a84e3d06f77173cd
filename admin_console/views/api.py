"""Pages of the API: its tokens, its webhooks with what was told to them, and a place to try it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access
from admin_console import api as told
from admin_console.access import console_page
from admin_console.api import TokenForm, WebhookForm
from admin_console.views import PAGE_SIZE
from botcore.api import tokens
from botcore.models import WebhookEndpoint
from botcore.roles import Right
from botcore.webhooks import endpoints, sending
from catalog.models import Shop


@console_page(Right.CONNECT)
@require_safe
def api(request: HttpRequest) -> HttpResponse:
    """Tokens and webhooks of one shop."""
    return _overview(request, access.chosen_shop(request.user, Right.CONNECT, request.GET.get("shop")))


@console_page(Right.CONNECT)
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """A new token, shown in the answer to this very request and never again."""
    shop = _posted_shop(request)
    form = TokenForm(_allowed(request, shop), request.POST)
    if not form.is_valid():
        return _overview(request, shop, token_form=form)
    _rows, token = tokens.make([shop], by=access.person(request), **form.options())
    return _overview(request, shop, token=token)


@console_page(Right.CONNECT)
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """The program is let in no more."""
    row = get_object_or_404(access.api_tokens(request.user, Right.CONNECT).select_related("shop"), pk=pk)
    tokens.revoke(row)
    messages.success(request, _("The token of “%(name)s” is revoked.") % {"name": row.name})
    return _to(row.shop)


@console_page(Right.CONNECT)
@require_POST
def add_webhook(request: HttpRequest) -> HttpResponse:
    """A new webhook, with its secret in the answer to this very request."""
    shop = _posted_shop(request)
    form = WebhookForm(access.person(request).is_staff, request.POST)
    if form.is_valid():
        try:
            row, secret = endpoints.make(shop, **form.cleaned_data)
            return _endpoint(request, row, secret=secret)
        except endpoints.RefusedError as error:
            form.refuse(error.field)
        except endpoints.TooManyError:
            form.add_error(None, _("There are as many webhooks as a shop may have. Delete one first."))
    return _overview(request, shop, webhook_form=form)


@console_page(Right.CONNECT)
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook with what was told to it; a POST changes its address and events."""
    row = _webhook(request, pk)
    if request.method != "POST":
        return _endpoint(request, row)
    form = WebhookForm(access.person(request).is_staff, request.POST)
    if form.is_valid():
        try:
            endpoints.change(row, **form.cleaned_data)
        except endpoints.RefusedError as error:
            form.refuse(error.field)
        else:
            messages.success(request, _("Saved."))
            return redirect("console:webhook", pk=pk)
    return _endpoint(request, row, form=form)


@console_page(Right.CONNECT)
@require_POST
def switch_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Events are told to it, or not."""
    row, active = _webhook(request, pk), request.POST.get("active") == "on"
    endpoints.switch(row, active)
    messages.success(request, _("The webhook is on.") if active else _("The webhook is off: nothing is told to it."))
    return redirect("console:webhook", pk=pk)


@console_page(Right.CONNECT)
@require_POST
def test_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """An event of type ``test`` is told to it."""
    endpoints.try_out(_webhook(request, pk))
    messages.success(request, _("A test is on its way. What became of it stands below in a moment."))
    return redirect("console:webhook", pk=pk)


@console_page(Right.CONNECT)
@require_POST
def rotate_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """A new secret, in the answer to this very request."""
    row = _webhook(request, pk)
    return _endpoint(request, row, secret=endpoints.rotate(row), rotated=True)


@console_page(Right.CONNECT)
@require_POST
def delete_webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """It is gone, with what was told to it."""
    row = _webhook(request, pk)
    row.delete()
    messages.success(request, _("The webhook is deleted."))
    return _to(row.shop)


@console_page(Right.CONNECT)
@require_POST
def resend_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """The event is told once more."""
    row = get_object_or_404(access.deliveries(request.user, Right.CONNECT), pk=pk)
    with transaction.atomic():
        again = sending.resend(row)
    messages.success(request, _("It is sent again.") if again else _("It is under way already."))
    return redirect("console:webhook", pk=row.endpoint_id)


@console_page(Right.CONNECT)
@require_safe
def try_api(request: HttpRequest) -> HttpResponse:
    """Every operation with a form that sends it, by a token that the reader pastes."""
    return render(request, "console/try_api.html", {"groups": told.operations()})


def _overview(request: HttpRequest, shop: Shop, **shown: Any) -> HttpResponse:
    rows = access.api_tokens(request.user, Right.CONNECT).filter(shop=shop, revoked_at=None)
    hooks = access.webhooks(request.user, Right.CONNECT).filter(shop=shop)
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.CONNECT),
        "tokens": told.token_rows(rows.select_related("created_by")),
        "webhooks": [(row, told.event_names(row.events)) for row in hooks],
        "token_form": TokenForm(_allowed(request, shop)),
        "webhook_form": WebhookForm(access.person(request).is_staff),
        **shown,
    }
    return render(request, "console/api.html", context)


def _endpoint(request: HttpRequest, row: WebhookEndpoint, **shown: Any) -> HttpResponse:
    page = Paginator(row.deliveries.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    initial = {"url": row.url, "events": row.events, "allow_private": row.allow_private}
    context = {
        "webhook": row,
        "page": page,
        "deliveries": [(delivery, told.event_names([delivery.event])[0]) for delivery in page],
        "form": WebhookForm(access.person(request).is_staff, initial=initial),
        **shown,
    }
    return render(request, "console/webhook.html", context)


def _webhook(request: HttpRequest, pk: int) -> WebhookEndpoint:
    return get_object_or_404(access.webhooks(request.user, Right.CONNECT).select_related("shop"), pk=pk)


def _allowed(request: HttpRequest, shop: Shop) -> list[Right]:
    """The rights that this person has in the shop: nobody gives away more."""
    return [right for right in tokens.OFFERED if access.shops(request.user, right).filter(pk=shop.pk).exists()]


def _posted_shop(request: HttpRequest) -> Shop:
    """What changes something names its shop."""
    return access.shop_named(request.user, Right.CONNECT, request.POST.get("shop", ""))


def _to(shop: Shop) -> HttpResponse:
    return redirect(f"{reverse('console:api')}?{urlencode({'shop': shop.slug})}")
