"""Embeddings kept in step with the catalogue's texts: whatever changed is embedded, in batches, by the ``index`` queue.

Products by the sentence encoder, articles by the reader, whose questions lie near to what answers them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from django.db.models import F, QuerySet

from botcore import queues
from catalog.ingest.vocabulary import Vocabulary
from catalog.models import KnowledgeArticle, Product, Shop
from catalog.text import article_passage, digest, passage
from workers import serving

Floats = npt.NDArray[np.float32]

BATCH = 64

Row = TypeVar("Row", Product, KnowledgeArticle)


def embed_changed(shop_id: int, progress: Callable[[int], None] | None = None) -> int:
    """Embed every product and article of a shop whose text is newer than its vector. Returns how many."""
    shop = Shop.objects.get(pk=shop_id)
    vocabulary = Vocabulary.of(shop)
    products = _stale_products().filter(shop=shop).select_related("category")
    articles = _stale_articles().filter(shop=shop)
    done = 0
    while batch := list(products.order_by("pk")[:BATCH]):
        texts = [passage(vocabulary.text_of(product)) for product in batch]
        done += _embed(batch, texts, serving.encoder().encode(texts), progress)
    while found := list(articles.order_by("pk")[:BATCH]):
        texts = [article_passage(article.title, article.body) for article in found]
        done += _embed(found, texts, serving.reader().passages(texts), progress)
    return done


def count_changed(shop_id: int) -> int:
    """How many texts of a shop wait for their vector."""
    return _stale_products().filter(shop_id=shop_id).count() + _stale_articles().filter(shop_id=shop_id).count()


def sweep() -> None:
    """Wake the index queue for shops whose wake-up was lost."""
    stale = _stale_products().values("shop_id").union(_stale_articles().values("shop_id"))
    shop_ids = [row["shop_id"] for row in stale]
    if queues.backlog("index") < len(shop_ids):
        for shop_id in shop_ids:
            queues.wake_index(shop_id)


def _embed(rows: Sequence[Row], texts: Sequence[str], vectors: Floats, progress: Callable[[int], None] | None) -> int:
    """Store the vectors with the digest of what was embedded: a text that changed meanwhile stays stale."""
    for row, text, vector in zip(rows, texts, vectors, strict=True):
        type(row).objects.filter(pk=row.pk).update(embedding=vector, embedded_digest=digest(text))
    if progress:
        progress(len(rows))
    return len(rows)


def _stale_products() -> QuerySet[Product]:
    return Product.objects.exclude(embedded_digest=F("text_digest"))


def _stale_articles() -> QuerySet[KnowledgeArticle]:
    return KnowledgeArticle.objects.exclude(embedded_digest=F("text_digest"))
