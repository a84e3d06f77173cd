"""Pages of imports and of changes of many products: upload, mapping, progress, report, undo."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import structlog
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access
from admin_console import imports as history
from admin_console.access import console_page
from admin_console.forms.catalogue import MappingForm, UploadForm
from admin_console.problems import told
from admin_console.views import PAGE_SIZE
from botcore import change_sets
from botcore.roles import Right
from catalog.ingest.mapping import Mapping
from catalog.ingest.preview import Preview, preview
from catalog.ingest.readers import FeedError
from catalog.models import ChangeSet, Shop

log = structlog.get_logger(__name__)

Task, Status = ChangeSet.Task, ChangeSet.Status
PROBLEMS_SHOWN = 20


@console_page(Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """What was imported and changed together, newest first; a file that is sent is looked at, not imported."""
    shop = access.chosen_shop(request.user, Right.SELL, request.GET.get("shop"))
    form = UploadForm(request.POST or None, request.FILES or None, auto_id="upload-%s", label_suffix="")
    if request.method == "POST" and form.is_valid():
        try:
            made = _received(request, shop, form.cleaned_data["file"])
        except FeedError as error:
            form.add_error("file", told(str(error)))
        else:
            return redirect("console:change_set", pk=made.pk)
    found = ChangeSet.objects.filter(shop=shop).select_related("by").order_by("-pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.SELL),
        "form": form,
        "page": page,
        "rows": page.object_list,
    }
    return render(request, "console/imports.html", context, status=422 if form.errors else 200)


@console_page(Right.SELL)
@require_safe
def change_set(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: what it would do, how far it is, what it did."""
    return _page(request, _found(request, pk))


@console_page(Right.SELL)
@require_POST
def map_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what the columns mean; the file is checked again."""
    found = _found(request, pk)
    if not found.file or found.task != Task.CHECK:
        raise Http404
    shown = _preview(found)
    form = MappingForm(shown.columns if isinstance(shown, Preview) else (), found, request.POST)
    if not form.is_valid():
        return _page(request, found, form, 422)
    if isinstance(shown, Preview):  # else its columns could not be read, and what was said of them stays
        found.options = form.mapping()
    found.encoding = form.cleaned_data["encoding"]
    found.save(update_fields=["options", "encoding"])
    _ask(request, found, Task.CHECK)
    return redirect("console:change_set", pk=pk)


@console_page(Right.SELL)
@require_POST
def start_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Import it, or go on with one that broke off."""
    _ask(request, _found(request, pk), Task.WRITE)
    return redirect("console:change_set", pk=pk)


@console_page(Right.SELL)
@require_POST
def undo_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Put back what was there before."""
    _ask(request, _found(request, pk), Task.UNDO)
    return redirect("console:change_set", pk=pk)


@console_page(Right.SELL)
@require_POST
def discard_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a file that was not imported."""
    found = _found(request, pk)
    if not change_sets.discard(found):
        messages.error(request, _("It is at work, or imported already."))
        return redirect("console:change_set", pk=pk)
    return redirect(f"{reverse('console:imports')}?{urlencode({'shop': found.shop.slug})}")


@console_page(Right.SELL)
@require_safe
def problems(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every row that does not go in, as CSV."""
    found = _found(request, pk)
    response = StreamingHttpResponse(_csv(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="problems-{found.pk}.csv"'
    return response


def _found(request: HttpRequest, pk: int) -> ChangeSet:
    return get_object_or_404(access.change_sets(request.user, Right.SELL).select_related("shop", "by", "feed"), pk=pk)


def _received(request: HttpRequest, shop: Shop, file: UploadedFile) -> ChangeSet:
    person = access.person(request)
    made = change_sets.receive(shop, Path(file.name or "").name, file.chunks(), person)
    change_sets.ask(made, Task.CHECK)
    log.info("file uploaded", change_set=made.pk, shop=shop.slug, by=person.get_username())
    return made


def _ask(request: HttpRequest, found: ChangeSet, task: str) -> None:
    try:
        change_sets.ask(found, task)
    except change_sets.NotNowError:
        messages.error(request, _("It is at work, or not at the point where this can be done. Nothing was started."))
    else:
        log.info("change set asked", change_set=found.pk, task=task, by=access.person(request).get_username())


def _preview(found: ChangeSet) -> Preview | str | None:
    """The first rows of a file that waits to be imported, or why they cannot be read."""
    if found.task != Task.CHECK or not found.file:
        return None
    try:
        return preview(found.shop, Path(found.file.path), found.encoding, Mapping.from_dict(found.options))
    except FeedError as error:
        return str(error)


def _page(request: HttpRequest, found: ChangeSet, form: MappingForm | None = None, status: int = 200) -> HttpResponse:
    shown = _preview(found)
    readable = shown if isinstance(shown, Preview) else None
    if form is None and shown is not None:
        form = MappingForm(readable.columns if readable else (), found)
    changed = found.changed.order_by("pk")
    page = Paginator(changed, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "set": found,
        "open": found.status in (Status.WAITS, Status.RUNS),
        "preview": readable,
        "unreadable": shown if isinstance(shown, str) else "",
        "form": form,
        "problems": found.problems.order_by("line", "pk")[:PROBLEMS_SHOWN],
        "page": page,
        "changes": history.changes(found.shop, page.object_list),
        "kept": history.changes(found.shop, changed.exclude(kept="")[:PROBLEMS_SHOWN]),
        "steps": history.steps(found),
    }
    return render(request, "console/change_set.html", context, status=status)


class _Echo:
    """What ``csv`` writes comes back as the answer's next piece."""

    def write(self, value: str) -> str:
        return value


def _csv(found: ChangeSet) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(["line", "problem"])
    rows = found.problems.order_by("line", "pk").values_list("line", "reason")
    for line, reason in rows.iterator(2_000):
        yield writer.writerow([line, _harmless(told(reason))])


def _harmless(text: str) -> str:
    """A spreadsheet program takes what begins so for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
