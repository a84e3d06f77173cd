"""Pages of articles: policies and answers to frequent questions, as replies quote them."""

from __future__ import annotations

import structlog
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from admin_console import access, quoting
from admin_console.access import console_page
from admin_console.forms.catalogue import ArticleForm
from admin_console.problems import told
from admin_console.views import PAGE_SIZE
from botcore.dialogue.words import sentences
from botcore.roles import Right
from catalog import editing
from catalog.ingest.articles import article_slug
from catalog.models import KnowledgeArticle

log = structlog.get_logger(__name__)


@console_page(Right.READ)
@require_safe
def articles(request: HttpRequest) -> HttpResponse:
    """One shop's articles, with how often answers quoted them lately."""
    shop = access.chosen_shop(request.user, Right.READ, request.GET.get("shop"))
    words = request.GET.get("q", "")[:200]
    found = quoting.articles(shop, words)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "shop": shop,
        "shops": access.shops(request.user, Right.READ),
        "words": words,
        "page": page,
        "rows": quoting.rows(shop, page.object_list),
        "may_sell": access.shops(request.user, Right.SELL).filter(pk=shop.pk).exists(),
    }
    return render(request, "console/articles.html", context)


@console_page(Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def new_article(request: HttpRequest) -> HttpResponse:
    """Write one; its slug is made from the title, or is that of the article which ``?translates=`` names."""
    shop = access.chosen_shop(request.user, Right.SELL, request.GET.get("shop"))
    article = KnowledgeArticle(shop=shop)
    form = ArticleForm(article, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        slug = request.GET.get("translates") or article_slug(form.cleaned_data["title"])
        article.slug, article.language = article_slug(slug), form.cleaned_data["language"]
        if KnowledgeArticle.objects.filter(shop=shop, slug=article.slug, language=article.language).exists():
            form.add_error("title", _("There is an article of this name in this language already."))
        elif _kept(request, article, form):
            return redirect("console:article", pk=article.pk)
    context = {"shop": shop, "form": form, "translates": request.GET.get("translates", "")}
    return render(request, "console/article.html", context, status=422 if form.errors else 200)


@console_page(Right.READ, changes=Right.SELL)
@require_http_methods(["GET", "HEAD", "POST"])
def article(request: HttpRequest, pk: int) -> HttpResponse:
    """One article, the pieces that answers quote of it, and which questions did lately."""
    right = Right.SELL if request.method == "POST" else Right.READ
    found = get_object_or_404(access.articles(request.user, right).defer("embedding", "search_vector"), pk=pk)
    said = {"title": found.title, "body": found.body, "active": found.active, "version": editing.article_version(found)}
    form = ArticleForm(found, request.POST if request.method == "POST" else None, initial=said)
    stale = False
    if request.method == "POST" and form.is_valid():
        try:
            if _kept(request, found, form):
                return redirect("console:article", pk=pk)
        except editing.StaleError:
            stale = True
            found.refresh_from_db()
    context = {
        "shop": found.shop,
        "article": found,
        "form": form,
        "stale": stale,
        "version": editing.article_version(found),
        "pieces": sentences(found.body),
        "questions": quoting.questions(found),
        "languages": KnowledgeArticle.objects.filter(shop=found.shop_id, slug=found.slug).exclude(pk=pk),
        "may_sell": access.articles(request.user, Right.SELL).filter(pk=pk).exists(),
    }
    return render(request, "console/article.html", context, status=409 if stale else 422 if form.errors else 200)


def _kept(request: HttpRequest, article: KnowledgeArticle, form: ArticleForm) -> bool:
    """Whether the article could be stored as it was written; else the form says why not. Raises ``StaleError``."""
    said = form.cleaned_data
    try:
        editing.rewrite_article(article, said["title"], said["body"], said["active"], said["version"])
    except ValueError as error:
        form.add_error(None, told(str(error)))
        return False
    log.info("article edited", article=article.pk, by=access.person(request).get_username())
    messages.success(request, _("Saved. Answers quote the new text as soon as it is indexed, in some seconds."))
    return True
