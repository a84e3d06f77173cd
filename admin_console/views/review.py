"""Pages of the review queue: the queue itself, replies handed out and decisions taken in, views, figures."""

from __future__ import annotations

import json
from datetime import timedelta

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from admin_console import access, labels
from admin_console import review as reviewing
from admin_console.access import console_page
from admin_console.forms.review import ReviewFilter, SavedViewForm
from botcore.learning.review import queue
from botcore.models import ReviewItem, SavedView
from botcore.roles import Right
from catalog.models import Shop

MOST_TAKEN = 12
FIGURES_DAYS = 30


@console_page(Right.REVIEW)
@require_safe
def review(request: HttpRequest) -> HttpResponse:
    """The queue of one shop. ``?turn=`` puts one reply first, whatever the filters say."""
    if not access.shops(request.user, Right.REVIEW).exists():
        return render(request, "console/review.html", {"shops": ()})
    shop, form = _shop(request), ReviewFilter(request.GET.dict())
    items, reader = _items(request, shop), access.person(request)
    filters = form.filters()
    found = reviewing.rows(queue.select(items, filters, reader), items, reader)
    if wanted := _numbers(request.GET.get("turn", ""), 1):
        first = reviewing.rows(items.filter(pk__in=wanted), items, reader)
        found = [*first, *(row for row in found if row.item.pk not in wanted)]
    context = {
        "shops": access.shops(request.user, Right.REVIEW),
        "shop": shop,
        "form": form,
        "filters": filters,
        "filtered": any(form.cleaned_data.values()),
        "rows": found,
        "views": reviewing.views(shop, request.GET.dict()),
        "naming": SavedViewForm(initial={"query": reviewing.query_of(request.GET.dict())}),
        "reasons": list(enumerate(labels.review.REASONS.items(), 1)),
        "texts": _texts(),
    }
    return render(request, "console/review.html", context)


@console_page(Right.REVIEW)
@require_safe
def rows(request: HttpRequest) -> HttpResponse:
    """More rows of the queue: those after the reply ``?after=``, by the filters of the address."""
    shop, filters = _shop(request), ReviewFilter(request.GET.dict()).filters()
    items, reader = _items(request, shop), access.person(request)
    selection = queue.select(items, filters, reader)
    if last := _numbers(request.GET.get("after", ""), 1):
        selection = queue.after(selection, get_object_or_404(items, pk=last[0]), filters)
    found = reviewing.rows(selection, items, reader)
    return render(request, "console/_review_rows.html", {"rows": found, "shop": shop})


@console_page(Right.REVIEW)
@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """How many replies each view holds."""
    shop = _shop(request)
    return JsonResponse({"counts": reviewing.view_counts(shop, _items(request, shop), access.person(request))})


@console_page(Right.REVIEW)
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Hand replies out to this reader, who has them for a while; others are told."""
    items, reader = access.review_items(request.user, Right.REVIEW), access.person(request)
    ids = _numbers(request.POST.get("turns", ""), MOST_TAKEN)
    found = reviewing.readings(items, ids, reader)
    queue.hold(items.filter(pk__in=ids), reader)
    return render(request, "console/_readings.html", {"readings": found})


@console_page(Right.REVIEW)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Whether a text could be a correction, while it is being written."""
    number = _numbers(request.POST.get("turn", ""), 1)
    if not number:
        return JsonResponse({"error": _("The request names no reply.")}, status=400)
    turn = get_object_or_404(access.turns(request.user, Right.REVIEW), pk=number[0])
    return JsonResponse({"problems": reviewing.objections(turn, request.POST.get("text", "")[:2_000])})


@console_page(Right.REVIEW)
@require_POST
def decisions(request: HttpRequest) -> HttpResponse:
    """Decisions in the order in which they were made, each kept for itself. 409 where somebody else was faster with one."""
    try:
        sent = [reviewing.Sent.from_json(entry) for entry in json.loads(request.body)["decisions"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return JsonResponse({"error": _("These are no decisions.")}, status=400)
    if len(sent) > reviewing.MOST_DECISIONS:
        return JsonResponse({"error": _("These are too many decisions at once.")}, status=400)
    visible, author = access.turns(request.user, Right.REVIEW), access.person(request)
    results = [reviewing.carry_out(visible, entry, author) for entry in sent]
    conflict = any(result["status"] == "conflict" for result in results)
    return JsonResponse({"results": results}, status=409 if conflict else 200)


@console_page(Right.REVIEW)
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the page under a name, for everybody who reviews in the shop."""
    shop = access.shop_named(request.user, Right.REVIEW, request.POST.get("shop", ""))
    form = SavedViewForm(request.POST, instance=SavedView(shop=shop, made_by=access.person(request)))
    address = f"{reverse('console:review')}?shop={shop.slug}"
    if not form.is_valid():
        messages.error(request, _("A view needs a name of at most 40 characters, and filters."))
        return redirect(address)
    try:
        with transaction.atomic():
            view = form.save()
    except IntegrityError:
        messages.error(request, _("The shop has a view of this name already."))
        return redirect(address)
    messages.success(request, _("The view is kept."))
    return redirect(f"{address}&{view.query}")


@console_page(Right.REVIEW)
@require_POST
def delete_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a view; the replies stay."""
    view = get_object_or_404(access.review_views(request.user, Right.REVIEW), pk=pk)
    view.delete()
    messages.success(request, _("The view “%(name)s” is gone.") % {"name": view.name})
    return redirect(f"{reverse('console:review')}?shop={view.shop.slug}")


@console_page(Right.REVIEW)
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """How far two readers agree, and what was decided lately for which reasons."""
    shop = _shop(request)
    found = queue.figures(shop, timezone.now() - timedelta(days=FIGURES_DAYS))
    shops = access.shops(request.user, Right.REVIEW)
    context = {"shop": shop, "shops": shops, "figures": found, "days": FIGURES_DAYS}
    return render(request, "console/review_figures.html", context)


def _shop(request: HttpRequest) -> Shop:
    return access.chosen_shop(request.user, Right.REVIEW, request.GET.get("shop"))


def _items(request: HttpRequest, shop: Shop) -> QuerySet[ReviewItem]:
    return access.review_items(request.user, Right.REVIEW).filter(shop=shop)


def _numbers(text: str, most: int) -> list[int]:
    """The ids of a list with commas; raises ``Http404`` where it is none."""
    parts = [part for part in text.split(",") if part]
    if len(parts) > most or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise Http404
    return [int(part) for part in parts]


def _texts() -> dict[str, str]:
    """What the page's script says."""
    return {
        "approved": _("approved"),
        "corrected": _("corrected"),
        "rejected": _("rejected"),
        "training": _("use for training switched"),
        "approve": _("Approve"),
        "reject": _("Reject"),
        "several": _("Approve %(count)s"),
        "several_rejected": _("Reject %(count)s"),
        "undone": _("Undone."),
        "nothing_to_undo": _("There is nothing to undo."),
        "unsent": _("Not stored yet: %(count)s. They are sent again by themselves."),
        "log_in": _("You are logged out. Log in again in another window; what you decided here is kept and sent then."),
        "refused": _("Not kept: the correction says what the shop's data do not."),
        "conflict": _("Somebody else decided on this reply meanwhile."),
        "by": _("%(who)s: %(verdict)s"),
        "taken_back": _("somebody took their word back"),
        "yours": _("You: %(verdict)s"),
        "skipped": _("Decided by somebody else meanwhile, and left as they are: %(count)s."),
        "undo_conflict": _("Somebody decided after you: it cannot be undone any more."),
        "gone": _("This reply is not there any more."),
        "saving": _("Saving…"),
        "open_again": _("Open it again"),
        "keep_theirs": _("Leave it so"),
        "use_mine": _("Use mine"),
        "dismiss": _("Dismiss"),
        "not_editable": _(
            "Only replies in a language that the model writes can be corrected; this one can be rejected."
        ),
        "for_training_on": _("The next decisions are used for training."),
        "for_training_off": _("The next decisions are not used for training."),
        "selected": _("%(count)s selected"),
        "unreachable": _("The replies could not be loaded. Trying again."),
    }
