"""What a message says of the shop, kept with it, and whether that is still so: a message may wait for hours before it is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from botcore.dialogue.evidence import Kind
from botcore.dialogue.facts import Item
from botcore.dialogue.reply import Reply
from botcore.models import Outbound
from catalog.models import KnowledgeArticle, Product, Shop, Variant

FRESH = timedelta(minutes=1)
"""So young a message was checked when it was stored."""


def stated(shop: Shop, reply: Reply) -> dict[str, Any]:
    """The prices and the stock that a reply tells, and digests of the texts it rests on."""
    answer = reply.answer
    names = answer.details.get("told_of", (answer.id,)) if answer else ()
    return {
        "told": _told(reply.told),
        "sources": [[answer.kind.value, name, _digest(shop, answer.kind, name)] for name in names] if answer else [],
    }


def told_holds(items: Iterable[Item]) -> bool:
    """Whether prices and stock are still what a reply says: the read that everything sent rests on."""
    return _variants_hold(_told(items))


def holds(shop: Shop, facts: Mapping[str, Any]) -> bool:
    """Whether all that was stated is still so; nothing stated always is."""
    unchanged = all(_digest(shop, kind, name) == digest for kind, name, digest in facts.get("sources", ()))
    return unchanged and _variants_hold(facts.get("told", ()))


def still_true(outbound: Outbound) -> bool:
    """Whether a message that was given up may be sent after all. Of a reply that kept no facts nobody can tell."""
    if outbound.facts is None:
        return outbound.turn_id is None
    return holds(outbound.conversation.shop, outbound.facts)


def may_go(outbound: Outbound) -> bool:
    """Whether a message that waits may still be sent."""
    return timezone.now() - outbound.created_at < FRESH or still_true(outbound)


def _told(items: Iterable[Item]) -> list[list[Any]]:
    return [[item.variant_id, str(item.price), item.stock > 0] for item in items]


def _variants_hold(told: Sequence[Sequence[Any]]) -> bool:
    now = {v.pk: v for v in Variant.objects.filter(pk__in=[pk for pk, _, _ in told], product__active=True)}
    return all(
        pk in now and str(now[pk].price) == price and (now[pk].stock > 0) == in_stock for pk, price, in_stock in told
    )


def _digest(shop: Shop, kind: str, name: str) -> str:
    """A digest of all that a source says: an article in every language, or a product with its variants."""
    if kind == Kind.ARTICLE:
        articles = KnowledgeArticle.objects.filter(shop=shop, slug=name, active=True)
        says: list[Any] = list(articles.order_by("language").values_list("language", "title", "body"))
    else:
        products = Product.objects.filter(shop=shop, sku=name, active=True)
        says = [
            *products.values_list("title", "description", "attributes", "translations"),
            *products.order_by("variants").values_list("variants__price", "variants__stock", "variants__attributes"),
        ]
    return hashlib.sha256(json.dumps(says, default=str, sort_keys=True).encode()).hexdigest()
