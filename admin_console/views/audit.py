"""Pages of the audit log: what people changed, one entry, and the log as a file."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from admin_console import access
from admin_console import audit as told
from admin_console.access import console_page
from admin_console.audit import AuditFilter
from admin_console.views import PAGE_SIZE
from botcore.models import AuditEntry
from botcore.roles import Right


@console_page(Right.ADMINISTER)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Who changed what, newest first; ``?format=csv`` is the same as a file."""
    form = AuditFilter(request.GET.dict(), access.shops(request.user, Right.ADMINISTER))
    entries = form.entries(access.audit_entries(request.user, Right.ADMINISTER))
    if "shop" in form.errors:
        raise Http404
    if request.GET.get("format") == "csv":
        return HttpResponse(
            told.as_csv(entries),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
        )
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "filtered": any(value not in (None, "") for value in form.cleaned_data.values()),
        "page": page,
        "rows": told.rows(page.object_list),
        "several_shops": "shop" in form.fields,
    }
    return render(request, "console/audit.html", context)


@console_page(Right.ADMINISTER)
@require_safe
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry, with the other entries on the same thing."""
    visible = access.audit_entries(request.user, Right.ADMINISTER)
    row = get_object_or_404(visible, pk=pk)
    same = visible.filter(kind=row.kind, row_id=row.row_id) if row.row_id else AuditEntry.objects.none()
    context = {"row": told.rows([row])[0], "same": told.rows(same.exclude(pk=row.pk)[:PAGE_SIZE])}
    return render(request, "console/audit_entry.html", context)
