"""Messages that were given up: which they are, and whether one of them may still be sent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from botcore import delivery
from botcore.dialogue.evidence import Kind
from botcore.dialogue.facts import format_price
from botcore.models import Outbound, Turn
from catalog.models import KnowledgeArticle, Product, Shop, Variant

KEPT = timedelta(days=30)
"""So old is no answer any more."""


def failed(among: QuerySet[Outbound] | None = None) -> QuerySet[Outbound]:
    """The messages that were given up, newest first; of all shops where nothing else is said."""
    messages = Outbound.objects.all() if among is None else among
    since = timezone.now() - KEPT
    return messages.filter(status=Outbound.Status.FAILED, created_at__gte=since).order_by("-pk")


def resend(outbound: Outbound) -> bool:
    """Try a message once more, unless what it says of the shop is no longer so. Returns whether it is tried."""
    if not still_true(outbound):
        return False
    delivery.resend(outbound)
    return True


def still_true(outbound: Outbound) -> bool:
    """Whether the products that a message may name cost what they did, those it shows are there, and its source is the same.

    A turn does not tell which of its candidates the words name, so all of them count.
    """
    turn, shop = outbound.turn, outbound.conversation.shop
    stated = {(card["sku"], card["price"]) for card in outbound.content.get("cards", ())}
    shown = {sku for sku, _ in stated}
    if turn:
        considered = [item for item in turn.candidates if item.get("price")]
        stated |= {(str(item["sku"]), format_price(Decimal(item["price"]), shop.currency)) for item in considered}
        shown -= {item["sku"] for item in turn.slate if item.get("stock") == 0}  # they were shown as sold out
        if not _source_unchanged(shop, turn):
            return False
    variants = Variant.objects.filter(
        product__shop=shop, product__sku__in={sku for sku, _ in stated}, product__active=True
    )
    now = [
        (sku, format_price(price, shop.currency), stock)
        for sku, price, stock in variants.values_list("product__sku", "price", "stock")
    ]
    return stated <= {(sku, price) for sku, price, _ in now} and shown <= {sku for sku, _, stock in now if stock > 0}


def _source_unchanged(shop: Shop, turn: Turn) -> bool:
    name, kind = turn.source.get("id"), turn.source.get("kind")
    if not name:
        return True
    rows: QuerySet[KnowledgeArticle] | QuerySet[Product]
    if kind == Kind.ARTICLE:
        rows = KnowledgeArticle.objects.filter(shop=shop, slug=name, active=True)
    else:
        rows = Product.objects.filter(shop=shop, sku=name, active=True)
    changes = list(rows.values_list("updated_at", flat=True))
    return bool(changes) and max(changes) <= (turn.answered_at or turn.created_at)
