"""Pages of attributes: their values, what these are called in Chinese, and one word for two that mean the same."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from admin_console import access, labels
from admin_console.access import console_page
from admin_console.forms.catalogue import NamesForm
from botcore import change_sets
from botcore.roles import Right
from catalog import bulk
from catalog.models import AttributeValue, Shop

VALUES_SHOWN = 50


@console_page(Right.READ)
@require_safe
def attributes(request: HttpRequest) -> HttpResponse:
    """A shop's attributes, and the values of the one that ``?attribute=`` names, the commonest first."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    used = AttributeValue.objects.filter(shop=shop, product_count__gt=0)
    counted = used.values("attribute").annotate(values=Count("pk"), products=Sum("product_count")).order_by("attribute")
    names = list(counted)
    asked = request.GET.get("attribute", "")
    chosen = asked if any(row["attribute"] == asked for row in names) else names[0]["attribute"] if names else ""
    words = request.GET.get("q", "")[:200].strip().lower()
    found = used.filter(attribute=chosen, value__contains=words).order_by("-product_count", "value")
    if request.GET.get("unnamed"):
        found = found.exclude(names__has_key=_language(shop))
    page = Paginator(found, VALUES_SHOWN).get_page(request.GET.get("page"))
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.READ),
        "attributes": names,
        "chosen": chosen,
        "words": words,
        "unnamed": bool(request.GET.get("unnamed")),
        "spoken": _language(shop),
        "page": page,
        "rows": [(row, ", ".join(row.names.get(_language(shop), ())), _others(row, shop)) for row in page.object_list],
        "may_sell": access.shops(request.user, Right.SELL).filter(pk=shop.pk).exists(),
    }
    return render(request, "console/attributes.html", context)


@console_page(Right.SELL)
@require_POST
def name_value(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what a value is called in the other language."""
    row = _value(request, pk)
    form = NamesForm(request.POST)
    if form.is_valid():
        said = bulk.Change(
            bulk.NAME, attribute=row.attribute, value=row.value, language=_language(row.shop), names=form.listed()
        )  # fmt: skip
        _change(request, row, said)
        row.refresh_from_db()
    if not request.headers.get("HX-Request"):
        return redirect(_address(row))
    context = {
        "row": row,
        "names": ", ".join(row.names.get(_language(row.shop), ())),
        "others": _others(row, row.shop),
        "spoken": _language(row.shop),
        "saved": form.is_valid(),
        "may_sell": True,
    }
    return render(request, "console/_value_row.html", context)


@console_page(Right.SELL)
@require_POST
def rename_value(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a value another word; where the shop has that word already, the two become one."""
    row = _value(request, pk)
    to = " ".join(request.POST.get("to", "").lower().split())
    if not to or len(to) > 120 or "\0" in to:
        messages.error(request, _("Write the new word, of at most 120 letters."))
    elif to != row.value:
        made = _change(request, row, bulk.Change(bulk.RENAME, attribute=row.attribute, value=row.value, to=to))
        messages.success(
            request,
            _("“%(old)s” is “%(new)s” now; customers may still say the old word.") % {"old": row.value, "new": to}
            if made.status == made.Status.DONE
            else _("The change is under way."),
        )
    return redirect(_address(row))


def _value(request: HttpRequest, pk: int) -> AttributeValue:
    return get_object_or_404(access.values(request.user, Right.SELL).select_related("shop"), pk=pk)


def _change(request: HttpRequest, row: AttributeValue, change: bulk.Change) -> change_sets.ChangeSet:
    name = f"{labels.label(labels.catalogue.BULK, change.action)}: {row.attribute} {row.value}"
    return change_sets.change_many(
        row.shop, name, bulk.holding(change), change, access.person(request)
    )  # fmt: skip


def _language(shop: Shop) -> str:
    """The language in which values get names: Chinese, in a Chinese shop English."""
    return "en" if shop.language.startswith("zh") else "zh"


def _others(row: AttributeValue, shop: Shop) -> str:
    """What else the value is called, in other languages and by customers."""
    return ", ".join(name for language, names in row.names.items() if language != _language(shop) for name in names)


def _address(row: AttributeValue) -> str:
    return f"{reverse('console:attributes')}?{urlencode({'shop': row.shop.slug, 'attribute': row.attribute})}"
