"""Articles as the console lists them: how often answers quoted each lately, and what had been asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from admin_console.conversations import with_words
from botcore.dialogue.evidence import Kind
from botcore.models import Turn
from catalog.models import KnowledgeArticle, Shop

DAYS, SHOWN = 28, 10


@dataclass(frozen=True)
class Row:
    """``quoted`` counts answers of the last ``DAYS`` that rest on the article, in any of its languages."""

    article: KnowledgeArticle
    quoted: int


def articles(shop: Shop, words: str) -> QuerySet[KnowledgeArticle]:
    """A shop's articles whose title or text has the words."""
    found = KnowledgeArticle.objects.filter(shop=shop).defer("embedding", "search_vector", "document")
    if words:
        found = found.filter(Q(title__icontains=words) | Q(body__icontains=words))
    return found.order_by("title", "language", "pk")


def rows(shop: Shop, page: Iterable[KnowledgeArticle]) -> list[Row]:
    """A page of :func:`articles`: one query for how often all of them were quoted."""
    shown = list(page)
    quoted = _quoting(shop).filter(source__id__in=[row.slug for row in shown])
    counts = dict(quoted.order_by().values_list("source__id").annotate(Count("pk")))
    return [Row(row, counts.get(row.slug, 0)) for row in shown]


def questions(article: KnowledgeArticle) -> list[Turn]:
    """The newest turns whose answers rest on the article."""
    found = with_words(_quoting(article.shop).filter(source__id=article.slug)).select_related("conversation")
    return list(found.defer("candidates", "samples", "brief").order_by("-pk")[:SHOWN])


def _quoting(shop: Shop) -> QuerySet[Turn]:
    since = timezone.now() - timedelta(days=DAYS)
    return Turn.objects.filter(conversation__shop=shop, created_at__gte=since, source__kind=Kind.ARTICLE.value)
