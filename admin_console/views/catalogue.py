"""Pages of the product graph and of merchandising rules."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from admin_console import access, merchandising
from admin_console import graph as product_graph
from admin_console.access import console_page
from admin_console.forms.merchandising import LinkForm, ProductFilter, RuleForm
from admin_console.views import PAGE_SIZE
from botcore.roles import Right
from catalog.graph import links
from catalog.models import Product


@console_page(Right.READ)
@require_safe
def graph(request: HttpRequest) -> HttpResponse:
    """Products with what goes with them, what may stand in for them, what is of their series."""
    form = ProductFilter(request.GET.dict(), access.shops(request.user, Right.READ))
    if not form.is_valid():
        raise Http404
    visible = access.products(request.user, Right.READ)
    if form.cleaned_data.get("shop"):
        visible = visible.filter(shop=form.cleaned_data["shop"])
    page = Paginator(product_graph.products(visible, form.cleaned_data["q"]), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {"form": form, "page": page, "rows": product_graph.rows(page.object_list)}
    return render(request, "console/graph.html", context)


@console_page(Right.READ)
@require_safe
def neighbourhood(request: HttpRequest, pk: int) -> HttpResponse:
    """One product's links, with a picture and the means to change them."""
    product = get_object_or_404(access.products(request.user, Right.READ).select_related("shop"), pk=pk)
    return _neighbourhood(request, product, LinkForm(product))


@console_page(Right.SELL)
@require_POST
def edit_link(request: HttpRequest, pk: int) -> HttpResponse:
    """The shop adds a link, vetoes a pair or takes back what it said."""
    product = get_object_or_404(access.products(request.user, Right.SELL).select_related("shop"), pk=pk)
    form = LinkForm(product, request.POST)
    if not form.is_valid():
        return _neighbourhood(request, product, form)
    other, kind = form.cleaned_data["sku"], form.cleaned_data["kind"]
    match form.cleaned_data["action"]:
        case LinkForm.ADD:
            links.add(product, other, kind)
            messages.success(request, _("The link is made."))
        case LinkForm.VETO:
            links.veto(product, other)
            messages.success(request, _("The two are never shown or offered together any more."))
        case LinkForm.REMOVE:
            links.remove(product, other, kind)
            messages.success(request, _("What the shop had said of the two is taken back."))
    return redirect("console:neighbourhood", pk=pk)


@console_page(Right.READ)
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """The merchandising rules of one shop; ``?preview=N`` shows what one of them does to a slate."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    rows = merchandising.rows(shop)
    looked_at = request.GET.get("preview", "")
    shown = next((row for row in rows if str(row.rule.pk) == looked_at), None)
    words = request.GET.get("words", "")[:200]
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.READ),
        "rows": rows,
        "looked_at": shown,
        "words": words,
        "preview": merchandising.previewed(shown, words) if shown else None,
    }
    return render(request, "console/rules.html", context)


@console_page(Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def new_rule(request: HttpRequest) -> HttpResponse:
    """A new rule; it is stored switched off, and its preview is shown."""
    shop = access.chosen_shop(request.user, Right.SELL, request.GET.get("shop"))
    form = RuleForm(shop, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        rule = form.save()
        messages.success(request, _("The rule is stored and switched off. Look at what it does, then switch it on."))
        return redirect(f"{reverse('console:rules')}?{urlencode({'shop': shop.slug, 'preview': rule.pk})}")
    return render(request, "console/new_rule.html", {"shop": shop, "form": form})


@console_page(Right.SELL)
@require_POST
def switch_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """On becomes off, off becomes on, as the button said."""
    rule = get_object_or_404(access.rules(request.user, Right.SELL).select_related("shop"), pk=pk)
    rule.active = request.POST.get("active") == "on"
    rule.save(update_fields=["active"])
    return redirect(f"{reverse('console:rules')}?{urlencode({'shop': rule.shop.slug})}")


def _neighbourhood(request: HttpRequest, product: Product, form: LinkForm) -> HttpResponse:
    groups = product_graph.neighbourhood(product)
    context = {
        "product": product,
        "groups": groups,
        "dots": product_graph.picture(groups),
        "canvas": (product_graph.WIDTH, product_graph.HEIGHT),
        "form": form,
    }
    return render(request, "console/neighbourhood.html", context)
