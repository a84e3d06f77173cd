"""Pages of alerts: what is open and what was, silences, and the rules that raise them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from admin_console import access, labels, watching
from admin_console.access import console_page
from admin_console.forms.watching import AlertRuleForm, SilenceForm
from admin_console.views import PAGE_SIZE
from botcore.models import AlertRule, AlertSilence
from botcore.monitoring import alerts as domain
from botcore.monitoring import notices
from botcore.monitoring import rules as judging
from botcore.monitoring.metrics import METRICS
from botcore.monitoring.telling import condition_of, value_of
from botcore.roles import Right
from catalog.models import Shop


@console_page(Right.READ)
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """What is open in all of a person's shops, and what was."""
    found = domain.silenced(access.alerts(request.user, Right.READ), timezone.now())
    rows = found.select_related("shop", "rule").prefetch_related("notices")
    closed = Paginator(rows.exclude(closed_at=None), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "shops": access.shops(request.user, Right.READ),
        "open": [watching.told(row) for row in rows.filter(closed_at=None)],
        "page": closed,
        "closed": [watching.told(row) for row in closed],
        "silences": labels.watching.SILENCES,
        "may_silence": access.shops(request.user, Right.WATCH),
        "rules": access.alert_rules(request.user, Right.READ).count(),
    }
    return render(request, "console/alerts.html", context)


@console_page(Right.WATCH)
@require_POST
def silence(request: HttpRequest) -> HttpResponse:
    """Tell nobody of a subject for some hours, or tell again."""
    shop = access.shop_named(request.user, Right.WATCH, request.POST.get("shop", ""))
    form = SilenceForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("That silence was not understood: choose one of the lengths offered."))
    elif hours := form.cleaned_data["hours"]:
        until = timezone.now() + timedelta(hours=hours)
        domain.silence(shop, form.cleaned_data["subject"], until, access.person(request))
        messages.success(request, _("Nobody is told of it for that long. It stays open here while it lasts."))
    else:
        domain.unsilence(shop, form.cleaned_data["subject"])
        messages.success(request, _("It is told again."))
    return redirect("console:alerts")


@console_page(Right.READ)
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """The alert rules of one shop with their states."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    now = timezone.now()
    found = AlertRule.objects.filter(shop=shop).select_related("shop")
    quiet = set(AlertSilence.objects.filter(shop=shop, until__gt=now).values_list("subject", flat=True))
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.READ),
        "may_watch": access.shops(request.user, Right.WATCH).filter(pk=shop.pk).exists(),
        "rows": [
            {
                "rule": row,
                "condition": condition_of(row),
                "value": value_of(METRICS[row.metric].unit, row.value, shop.currency) if row.metric in METRICS else "–",
                "silent": row.subject in quiet,
                "routes": notices.routes_of(row),
            }
            for row in found
        ],
    }
    return render(request, "console/alert_rules.html", context)


@console_page(Right.WATCH)
def new_rule(request: HttpRequest) -> HttpResponse:
    """Write a rule; it is watched from the next look on."""
    shop = access.chosen_shop(request.user, Right.WATCH, request.POST.get("shop") or request.GET.get("shop"))
    form = AlertRuleForm(shop, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.created_by = access.person(request)
        row = form.save()
        messages.success(request, _("The rule is watched from now on."))
        return redirect("console:alert_rule", pk=row.pk)
    return render(request, "console/alert_rule.html", {"shop": shop, "form": form})


@console_page(Right.WATCH)
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a rule; what it had found so far is forgotten."""
    row = _watched(request, pk)
    form = AlertRuleForm(row.shop, request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        judging.stop(row, timezone.now())
        messages.success(request, _("The rule is changed."))
        return redirect("console:alert_rule", pk=pk)
    stored = _watched(request, pk)  # an invalid form has written into the other
    context = {
        "shop": row.shop,
        "form": form,
        "rule": stored,
        "condition": condition_of(stored),
        "secret": notices.secret_of(stored) if stored.webhook_url else "",
        "routes": notices.routes_of(stored),
    }
    return render(request, "console/alert_rule.html", context)


@console_page(Right.WATCH)
@require_POST
def switch_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Watch a rule, or leave it."""
    row = _watched(request, pk)
    row.active = request.POST.get("active") == "on"
    row.save(update_fields=["active"])
    judging.stop(row, timezone.now())
    messages.success(
        request, _("The rule is watched from now on.") if row.active else _("The rule is not watched any more.")
    )
    return _to_rules(row.shop)


@console_page(Right.WATCH)
@require_POST
def test_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell by every way of a rule that this is a test."""
    found = notices.test(_watched(request, pk))
    for route, problem in found.items():
        name = labels.label(labels.watching.ALERT_ROUTES, route)
        if problem:
            messages.error(request, _("%(route)s did not arrive: %(problem)s") % {"route": name, "problem": problem})
        else:
            messages.success(request, _("%(route)s: the test is sent.") % {"route": name})
    if not found:
        messages.info(request, _("The rule tells nobody yet: give it a mail address, a webhook or a contact."))
    return redirect("console:alert_rule", pk=pk)


@console_page(Right.WATCH)
@require_POST
def delete_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """A rule goes; its alerts stay in the history."""
    row = _watched(request, pk)
    judging.stop(row, timezone.now())
    row.delete()
    messages.success(request, _("The rule is deleted. What it raised stays in the history."))
    return _to_rules(row.shop)


def _watched(request: HttpRequest, pk: int) -> AlertRule:
    found = access.alert_rules(request.user, Right.WATCH).select_related("shop", "contact__account")
    return get_object_or_404(found, pk=pk)


def _to_rules(shop: Shop) -> HttpResponse:
    return redirect(f"{reverse('console:alert_rules')}?{urlencode({'shop': shop.slug})}")
