"""Articles that a person has begun: kept, but quoted to no customer before somebody switches them on."""

from __future__ import annotations

from django.db import transaction

from catalog.ingest.articles import article_slug
from catalog.ingest.records import ArticleRecord
from catalog.ingest.write import upsert_articles
from catalog.models import KnowledgeArticle, Shop


class DraftError(ValueError):
    """It cannot be kept as it is; the message says why."""


@transaction.atomic
def keep_draft(shop: Shop, title: str, body: str, language: str) -> KnowledgeArticle:
    """A new article that is not active, whatever others of its title there are. Raises ``DraftError``."""
    record = ArticleRecord(slug=_free_slug(shop, title), title=title, body=body, language=language)
    report = upsert_articles(shop, [record])
    if report.errors:
        raise DraftError(report.errors[0].reason)
    draft = KnowledgeArticle.objects.get(shop=shop, slug=record.slug, language=language)
    draft.active = False
    draft.save(update_fields=["active"])
    return draft


def _free_slug(shop: Shop, title: str) -> str:
    wanted = article_slug(title)[:110]
    taken = set(shop.articles.filter(slug__startswith=wanted).values_list("slug", flat=True))
    return next(
        slug
        for number in range(1, len(taken) + 2)
        if (slug := f"{wanted}-{number}" if number > 1 else wanted) not in taken
    )
