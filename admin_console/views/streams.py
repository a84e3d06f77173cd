"""Pages of streams: the list, one stream with its chart, topics and sentences, and what to do about a surge."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access
from admin_console import streams as told
from admin_console.access import console_page
from admin_console.stream_forms import DraftForm, FeedForm, StreamFilter, TopicNameForm
from admin_console.views import PAGE_SIZE
from botcore.models import Alert, TextStream, Topic
from botcore.monitoring import surge_alerts
from botcore.roles import Right
from botcore.streams import example, feeding
from catalog.drafts import DraftError, keep_draft


@console_page(Right.READ)
@require_safe
def streams(request: HttpRequest) -> HttpResponse:
    """Every stream of this reader's shops, and what surges in them."""
    shops = access.shops(request.user, Right.READ)
    return _streams_page(request, FeedForm(access.shops(request.user, Right.WATCH)), several=shops.count() > 1)


@console_page(Right.WATCH)
@require_POST
def new_stream(request: HttpRequest) -> HttpResponse:
    """Make a feed and show its token, this once."""
    shops = access.shops(request.user, Right.WATCH)
    form = FeedForm(shops, request.POST)
    if not form.is_valid():
        return _streams_page(request, form, several=shops.count() > 1)
    stream, token = feeding.open_feed(form.cleaned_data["shop"], form.cleaned_data["name"])
    return _token_page(request, stream, token)


@console_page(Right.WATCH)
@require_POST
def renew_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Another token for a feed, shown this once; the one before is worth nothing any more."""
    feeds = access.streams(request.user, Right.WATCH).filter(kind=TextStream.Kind.FEED)
    stream = get_object_or_404(feeds.select_related("shop"), pk=pk)
    return _token_page(request, stream, feeding.renew_token(stream))


@console_page(Right.WATCH)
@require_POST
def load_example(request: HttpRequest) -> HttpResponse:
    """The bundled finance desk in a stream of its own."""
    shop = access.shop_named(request.user, Right.WATCH, request.POST.get("shop", ""))
    stream, stored = example.load(shop, timezone.now())
    if stored.new:
        messages.success(request, _("The example is loaded. It is read within a minute; load this page again then."))
    else:
        messages.info(request, _("The example was loaded already."))
    return redirect("console:stream", pk=stream.pk)


@console_page(Right.READ)
@require_safe
def stream(request: HttpRequest, pk: int) -> HttpResponse:
    """One stream: volume and sentiment over time, topics, and the sentences behind them; all filters in the address."""
    row = get_object_or_404(access.streams(request.user, Right.READ).select_related("shop"), pk=pk)
    now = timezone.now()
    form = StreamFilter(request.GET.dict(), row, _language())
    filters = form.filters()
    steps = told.steps(row, filters, now)
    found = told.sentences(row, filters, now).defer("vector", "topic__centroid")
    context = {
        "stream": row,
        "form": form,
        "filters": filters,
        "steps": steps,
        "chart": told.chart(steps),
        "hourly": filters.days <= 1,
        "topics": told.topic_rows(row, filters, now),
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "unread": row.items.filter(read_at=None).count(),
        "surges": [each for each in told.surge_rows(surge_alerts.surges_of([row.shop])) if each.topic.stream_id == pk],
        "rename": TopicNameForm(initial=filters.topic.name_in(_language())) if filters.topic else None,
    }
    return render(request, "console/stream.html", context)


@console_page(Right.WATCH)
@require_POST
def rename_topic(request: HttpRequest, pk: int) -> HttpResponse:
    """A person's name for a topic, in the language that they read."""
    topics = Topic.objects.filter(stream__in=access.streams(request.user, Right.WATCH), merged_into=None)
    topic = get_object_or_404(topics, pk=pk)
    form = TopicNameForm(request.POST)
    if form.is_valid():
        told.rename(topic, _language(), form.cleaned_data["name"])
        messages.success(request, _("The topic is called “%(name)s” now.") % {"name": form.cleaned_data["name"]})
    else:
        messages.error(request, _("Write a name of up to 80 characters."))
    return redirect(f"{reverse('console:stream', args=[topic.stream_id])}?topic={topic.pk}")


@console_page(Right.READ)
@require_safe
def surge(request: HttpRequest, pk: int) -> HttpResponse:
    """What a surge is about, in people's own words, and the next step."""
    alert, found = _surge(request, pk, Right.READ)
    left = surge_alerts.unjudged(found)
    context = {
        "alert": alert,
        "told": alert.measured,
        "found": found,
        "left": left,
        "waiting": sum(each.waiting_for_person for each in found.conversations),
    }
    return render(request, "console/surge.html", context)


@console_page(Right.TALK)
@require_POST
def hand_over_surge(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the conversations of a surge for people."""
    _alert, found = _surge(request, pk, Right.TALK)
    number = surge_alerts.hand_over(found)
    messages.success(
        request,
        ngettext(
            "%(number)d conversation waits for a person now.", "%(number)d conversations wait for a person now.", number
        )
        % {"number": number},
    )
    return redirect("console:inbox")


@console_page(Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def draft_article(request: HttpRequest, pk: int) -> HttpResponse:
    """An article that answers a surge: begun with what people say, kept as a draft."""
    alert, found = _surge(request, pk, Right.SELL)
    asked = surge_alerts.question_of(found)
    initial = {"title": asked.text[:200] if asked else "", "language": asked.item.language if asked else "en"}
    form = DraftForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            draft = keep_draft(alert.shop, said["title"], said["body"], said["language"])
        except DraftError as error:
            form.add_error(None, str(error))
        else:
            text = _("“%(title)s” is kept as a draft. Customers are told nothing of it before it is switched on.")
            messages.success(request, text % {"title": draft.title})
            return redirect("console:surge", pk=pk)
    return render(request, "console/draft_article.html", {"alert": alert, "found": found, "form": form})


def _surge(request: HttpRequest, pk: int, right: Right) -> tuple[Alert, surge_alerts.Gathered]:
    """An alert of a surge in a shop where this person has the right. Raises ``Http404``, also where its topic is gone."""
    alert = get_object_or_404(access.surges(request.user, right).select_related("shop"), pk=pk)
    try:
        return alert, surge_alerts.gathered(alert)
    except Topic.DoesNotExist as error:
        raise Http404 from error


def _streams_page(request: HttpRequest, form: FeedForm, *, several: bool) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        "rows": told.stream_rows(access.streams(request.user, Right.READ), now),
        "surges": told.surge_rows(surge_alerts.surges_of(list(access.shops(request.user, Right.READ)))),
        "form": form,
        "several_shops": several,
        "may_watch": form.fields["shop"].queryset.exists(),  # type: ignore[attr-defined]
    }
    return render(request, "console/streams.html", context)


def _token_page(request: HttpRequest, stream: TextStream, token: str) -> HttpResponse:
    address = f"{settings.PUBLIC_URL}{reverse('feed_texts', args=[stream.key])}"
    return render(request, "console/stream_token.html", {"stream": stream, "token": token, "address": address})


def _language() -> str:
    """The language of names, as topics keep them."""
    return "zh" if (get_language() or "").startswith("zh") else "en"
