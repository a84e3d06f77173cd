"""Pages that watch a shop: its numbers, the replies behind a number, the holdout."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from admin_console import access, watching
from admin_console.access import console_page
from admin_console.conversations import EXPLAINING, with_words
from admin_console.forms.watching import HoldoutForm, OverviewForm
from admin_console.views import PAGE_SIZE
from botcore import holdout
from botcore.models import Turn
from botcore.monitoring import alerts
from botcore.monitoring.metrics import METRICS
from botcore.monitoring.telling import value_of
from botcore.roles import Right


@console_page(Right.READ)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The numbers of one shop and period."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    shops = list(access.shops(request.user, Right.READ))
    form = OverviewForm({**request.GET.dict(), "shop": shop.slug}, shops)
    asked, now = form.asked(), timezone.now()
    found = watching.overview(shop, asked, now)
    form.offer(found, asked)
    trial = watching.trial(shop)
    running = trial.row.share if trial and trial.row.ended_at is None else 0
    context = {
        "shop": shop,
        "form": form,
        "asked": asked,
        "found": found,
        "compared": [METRICS[key] for key in watching.COMPARED],
        "queue": watching.queue(shop),
        "alerts": len(alerts.open_alerts([shop])),
        "trial": trial,
        "holdout": HoldoutForm(initial={"share": running}),
        "may_hold_out": access.shops(request.user, Right.ADMINISTER).filter(pk=shop.pk).exists(),
    }
    return render(request, "console/overview.html", context)


@console_page(Right.READ)
@require_safe
def behind(request: HttpRequest) -> HttpResponse:
    """The replies that a number is made of, page by page; how many there are in all is not counted."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    asked, now = OverviewForm({**request.GET.dict(), "shop": shop.slug}, [shop]).asked(), timezone.now()
    value = watching.value_asked(shop, asked, now)
    visible = Turn.objects.filter(conversation__shop=shop, status=Turn.Status.ANSWERED)
    given = request.GET.get("page", "1")
    number = int(given) if given.isascii() and given.isdigit() and 0 < len(given) < 6 and int(given) else 1
    start = (number - 1) * PAGE_SIZE
    found = with_words(watching.behind(visible, asked, value, now)).defer(*EXPLAINING)[start : start + PAGE_SIZE + 1]
    turns = list(found)
    context = {
        "shop": shop,
        "asked": asked,
        "metric": METRICS[asked.metric],
        "value": value_of(METRICS[asked.metric].unit, value, shop.currency),
        "turns": turns[:PAGE_SIZE],
        "number": number,
        "more": len(turns) > PAGE_SIZE,
        "address": urlencode({"shop": shop.slug, **{k: v for k, v in vars(asked).items() if v}}),
    }
    return render(request, "console/behind.html", context)


@console_page(Right.ADMINISTER)
@require_POST
def set_holdout(request: HttpRequest) -> HttpResponse:
    """Hold out another share of the people who write."""
    shop = access.shop_named(request.user, Right.ADMINISTER, request.POST.get("shop", ""))
    form = HoldoutForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A holdout is of 0 to 50 percent."))
    elif (trial := holdout.begin(shop, form.cleaned_data["share"])) is None:
        messages.success(request, _("Nobody is held out: the bot shows everybody products."))
    else:
        told = _("The bot shows %(share)s %% of the people who write no products; they get a person.")
        messages.success(request, told % {"share": trial.share})
    return redirect(f"{reverse('console:overview')}?{urlencode({'shop': shop.slug})}#holdout")
