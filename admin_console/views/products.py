"""Pages of products: the table with its edits, changes of many, and one product as a whole."""

from __future__ import annotations

from typing import Any

import structlog
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access, goods, labels
from admin_console.access import console_page
from admin_console.forms.products import BulkForm, NewProductForm, SheetForm, ShelfForm, written
from admin_console.goods import Said
from admin_console.problems import told
from admin_console.views import PAGE_SIZE
from botcore import change_sets
from botcore.roles import Right
from catalog import bulk, editing, shelf
from catalog.models import ChangeSet, Product, Shop

log = structlog.get_logger(__name__)

STALE, REFUSED = 409, 422


@console_page(Right.READ)
@require_safe
def products(request: HttpRequest) -> HttpResponse:
    """One shop's products, as the address filters and orders them."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    return _table(request, shop, BulkForm(shop))


@console_page(Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def new_product(request: HttpRequest) -> HttpResponse:
    """Add one by hand; its own page then takes translations and more variants."""
    shop = access.chosen_shop(request.user, Right.SELL, request.GET.get("shop"))
    form = NewProductForm(shop, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            added = editing.add(shop, form.record())
        except ValueError as error:
            form.add_error(None, told(str(error)))
        else:
            log.info("product added", product=added.pk, by=access.person(request).get_username())
            messages.success(request, _("Added. Customers can find it in a moment."))
            return redirect("console:product", pk=added.pk)
    context = {"shop": shop, "form": form, "categories": goods.chains(shop)}
    return render(request, "console/new_product.html", context, status=REFUSED if form.errors else 200)


@console_page(Right.SELL)
@require_POST
def edit_product(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one value of a row, or put it back; the row is the answer."""
    product = get_object_or_404(_whole(request, Right.SELL), pk=pk)
    name, new, was = (request.POST.get(key, "") for key in ("field", "value", "was"))
    if name not in editing.FIELDS:
        return HttpResponse(status=400)
    try:
        product = editing.edit(product, name, new, was)
    except editing.StaleError as newer:
        return _row(request, product, Said(name, was=newer.current, now=new, stale=True), STALE)
    except ValueError as error:
        return _row(request, product, Said(name, now=new, problem=str(error)), REFUSED)
    log.info("product edited", product=pk, field=name, by=access.person(request).get_username())
    return _row(request, product, Said(name, was=was, now=editing.value_of(product, name)))


@console_page(Right.SELL)
@require_POST
def change_many(request: HttpRequest) -> HttpResponse:
    """Show what a change of many products would do; with ``confirmed`` do it."""
    shop = access.chosen_shop(request.user, Right.SELL, request.GET.get("shop"))
    form = BulkForm(shop, request.POST)
    if not form.is_valid():
        return _table(request, shop, form, REFUSED)
    wanted, change = ShelfForm(request.GET, shop).filter(), form.change()
    selection = form.selection(wanted)
    if request.POST.get("confirmed"):
        name = labels.label(labels.catalogue.BULK, change.action)
        made = change_sets.change_many(shop, name, selection, change, access.person(request))
        _tell_changed(request, made)
        return redirect("console:change_set", pk=made.pk)
    context = {
        "shop": shop,
        "form": form,
        "change": change,
        "count": bulk.chosen(shop, selection).count(),
        "examples": bulk.examples(shop, selection, change),
    }
    return render(request, "console/change_many.html", context)


@console_page(Right.READ, changes=Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def product(request: HttpRequest, pk: int) -> HttpResponse:
    """All of one product; saving it needs the right to sell and what the page had shown."""
    right = Right.SELL if request.method == "POST" else Right.READ
    row = get_object_or_404(_whole(request, right), pk=pk)
    if request.method != "POST":
        return _sheet(request, row, _sheet_form(row))
    form = SheetForm(row, _other_language(row.shop), request.POST)
    if not form.is_valid():
        return _sheet(request, row, form, REFUSED)
    try:
        row = editing.rewrite(row, _said(row, form, request.POST), form.cleaned_data["version"])
    except editing.StaleError:
        return _sheet(request, row, form, STALE)
    except editing.OfferError as error:
        form.add_error(None, f"{error.sku}: {told(error.problem)}")
        return _sheet(request, row, form, REFUSED)
    except ValueError as error:
        form.add_error(None, told(str(error)))
        return _sheet(request, row, form, REFUSED)
    log.info("product edited", product=pk, by=access.person(request).get_username())
    messages.success(request, _("Saved."))
    return redirect("console:product", pk=pk)


def _whole(request: HttpRequest, right: Right) -> Any:
    rows = access.products(request.user, right).defer("embedding", "search_vector", "document")
    return rows.select_related("shop", "category").prefetch_related("variants")


def _table(request: HttpRequest, shop: Shop, form: BulkForm, status: int = 200) -> HttpResponse:
    filters = ShelfForm(request.GET, shop)
    wanted = filters.filter()
    after, before = (_id(request.GET.get(name, "")) for name in ("after", "before"))
    page = shelf.page(shop, wanted, filters.ordering(), PAGE_SIZE, after, before)
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.READ),
        "filters": filters,
        "page": page,
        "rows": goods.rows(page.rows),
        "reordered": page.order != filters.ordering(),
        "bulk": form,
        "may_sell": access.shops(request.user, Right.SELL).filter(pk=shop.pk).exists(),
        "query": _query(request, shop),
    }
    return render(request, "console/products.html", context, status=status)


def _id(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else None


def _query(request: HttpRequest, shop: Shop) -> str:
    """What this list is filtered by, for the address of a change of all that match."""
    said: QueryDict = request.GET.copy()
    for name in ("after", "before"):
        said.pop(name, None)
    said["shop"] = shop.slug
    return said.urlencode()


def _row(request: HttpRequest, product: Product, said: Said, status: int = 200) -> HttpResponse:
    """The row alone for a page that swaps it; without scripts the list that shows this product."""
    if not request.headers.get("HX-Request"):
        if said.problem or said.stale:
            messages.error(request, told(said.problem) or _("Somebody else has changed this since. Nothing was saved."))
        return redirect(f"{reverse('console:products')}?{urlencode({'shop': product.shop.slug, 'q': product.sku})}")
    return render(
        request, "console/_product_row.html", {"row": goods.row(product, said), "may_sell": True}, status=status
    )


def _other_language(shop: Shop) -> str:
    """The language whose translations the page offers: Chinese, in a Chinese shop English."""
    return "en" if shop.language.startswith("zh") else "zh"


def _sheet_form(row: Product) -> SheetForm:
    other = row.translations.get(_other_language(row.shop)) or {}
    initial = {
        **{name: getattr(row, name) for name in ("title", "brand", "description", "image", "url")},
        "category": row.category_id,
        "attributes": written(row.attributes),
        "version": editing.version_of(row),
        "title_other": other.get("title", ""),
        "description_other": other.get("description", ""),
    }
    return SheetForm(row, _other_language(row.shop), initial=initial)


def _said(row: Product, form: SheetForm, sent: Any) -> editing.Sheet:
    said = form.cleaned_data
    texts = {"title": said["title_other"].strip(), "description": said["description_other"].strip()}
    more = (editing.Offer(said["new_price"], said["new_stock"] or "0"), said["new_attributes"])
    variants = {variant.sku: variant.pk for variant in row.variants.all()}
    return editing.Sheet(
        **{name: said[name] for name in ("title", "category", "description", "brand", "image", "url", "attributes")},
        translations={**row.translations, form.language: {name: text for name, text in texts.items() if text}},
        variants={
            sku: editing.Offer(sent[f"price-{pk}"], sent[f"stock-{pk}"])
            for sku, pk in variants.items()
            if f"price-{pk}" in sent and f"stock-{pk}" in sent
        },
        withdrawn=frozenset(sku for sku, pk in variants.items() if sent.get(f"withdraw-{pk}")),
        added={said["new_sku"]: more} if said["new_sku"] else {},
    )


def _sheet(request: HttpRequest, row: Product, form: SheetForm, status: int = 200) -> HttpResponse:
    context = {
        "product": row,
        "form": form,
        "row": goods.row(row),
        "stale": status == STALE,
        "newer": goods.row(row) if status == STALE else None,
        "version": editing.version_of(row),
        "variants": [
            (
                variant,
                form.data.get(f"price-{variant.pk}", variant.price),
                form.data.get(f"stock-{variant.pk}", variant.stock),
                form.data.get(f"withdraw-{variant.pk}"),
            )
            for variant in row.variants.all()
        ],
        "dealings": goods.dealings(row),
        "may_sell": access.products(request.user, Right.SELL).filter(pk=row.pk).exists(),
    }  # fmt: skip
    return render(request, "console/product.html", context, status=status)


def _tell_changed(request: HttpRequest, made: ChangeSet) -> None:
    if made.status != ChangeSet.Status.DONE:
        messages.info(request, _("The change is under way."))
        return
    count = made.counts.get("updated", 0)
    told = ngettext("%(count)d product is changed.", "%(count)d products are changed.", count)
    messages.success(request, told % {"count": count})
