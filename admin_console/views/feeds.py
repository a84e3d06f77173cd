"""Pages of feeds: addresses from which products are fetched, how the last time went, when the next is."""

from __future__ import annotations

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from admin_console import access
from admin_console.access import console_page
from admin_console.forms.catalogue import FeedForm
from botcore import feeds as fetching
from botcore.roles import Right
from catalog.models import ChangeSet, Feed

log = structlog.get_logger(__name__)

SHOWN = 10


@console_page(Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def feeds(request: HttpRequest) -> HttpResponse:
    """A shop's feeds, and a form for another one, which is fetched at once."""
    shop = access.chosen_shop(request.user, Right.SELL, request.GET.get("shop"))
    new = Feed(shop=shop, next_at=timezone.now())
    form = FeedForm(shop, request.POST if request.method == "POST" else None, instance=new)
    if request.method == "POST" and form.is_valid():
        made = _saved(request, form)
        fetching.ask_for(made)
        messages.success(request, _("The feed is stored and fetched now."))
        return redirect("console:feed", pk=made.pk)
    rows = list(Feed.objects.filter(shop=shop).order_by("name", "pk"))
    last = ChangeSet.objects.filter(feed__in=rows).order_by("feed_id", "-pk").distinct("feed_id")
    outcomes = {row.feed_id: row for row in last}
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.SELL),
        "rows": [(row, outcomes.get(row.pk)) for row in rows],
        "form": form,
    }
    return render(request, "console/feeds.html", context, status=422 if form.errors else 200)


@console_page(Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def feed(request: HttpRequest, pk: int) -> HttpResponse:
    """One feed with what it brought; its address and schedule may be changed."""
    found = _feed(request, pk)
    form = FeedForm(found.shop, request.POST if request.method == "POST" else None, instance=found)
    if request.method == "POST" and form.is_valid():
        _saved(request, form)
        messages.success(request, _("Saved."))
        return redirect("console:feed", pk=pk)
    context = {
        "feed": _feed(request, pk),
        "form": form,
        "sets": found.change_sets.order_by("-pk")[:SHOWN],
    }
    return render(request, "console/feed.html", context, status=422 if form.errors else 200)


@console_page(Right.SELL)
@require_POST
def switch_feed(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause it, or let it go on."""
    found = _feed(request, pk)
    found.active = request.POST.get("active") == "on"
    found.save(update_fields=["active"])
    log.info("feed switched", feed=pk, active=found.active, by=access.person(request).get_username())
    return redirect("console:feed", pk=pk)


@console_page(Right.SELL)
@require_POST
def run_feed(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch and import it now."""
    fetching.ask_for(_feed(request, pk))
    messages.success(request, _("The feed is fetched now. Load this page again in a moment."))
    return redirect("console:feed", pk=pk)


@console_page(Right.SELL)
@require_POST
def remove_feed(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget it; what it brought stays."""
    found = _feed(request, pk)
    found.delete()
    log.info("feed removed", feed=pk, by=access.person(request).get_username())
    return redirect(f"{reverse('console:feeds')}?{urlencode({'shop': found.shop.slug})}")


def _feed(request: HttpRequest, pk: int) -> Feed:
    return get_object_or_404(access.feeds(request.user, Right.SELL).select_related("shop"), pk=pk)


def _saved(request: HttpRequest, form: FeedForm) -> Feed:
    row = form.save(commit=False)
    if form.cleaned_data["like"]:
        row.mapping, row.encoding = form.cleaned_data["like"].options, form.cleaned_data["like"].encoding
    row.content_hash = ""
    row.save()
    log.info("feed stored", feed=row.pk, shop=row.shop.slug, by=access.person(request).get_username())
    return row
