"""A product that a question calls by its own name: "do you still have the Hazel silk shift dress in red?", 《…》还有货吗."""

from __future__ import annotations

import re

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from botcore.dialogue.words import content_words, normalise, stem, tokens
from catalog.models import Product, Shop

IN_QUOTES = re.compile(r"《([^》]{2,80})》|“([^”]{3,80})”|\"([^\"]{3,80})\"")
FEWEST_WORDS = 3
"""Of so many words is a name that nobody says by chance ("silk dress" is a wish, no name)."""
LOOKED_AT = 20


def product_named(shop: Shop, text: str) -> str:
    """The SKU of the one product, sold out or not, whose name a message quotes or says in full; "" for none."""
    if match := IN_QUOTES.search(text):
        name = next(group for group in match.groups() if group)
        whole = f"《{name}》" if match[1] else name
        called = Q(title__icontains=name) | Q(translations__zh__title__icontains=whole)
        found = _active(shop).filter(called)[:2]
        return found[0].sku if len(found) == 1 else ""
    said = content_words(normalise(text))
    if len(said) < FEWEST_WORDS:
        return ""
    holding = _active(shop).filter(search_vector=SearchQuery(" ".join(said), config="english"))[:LOOKED_AT]
    stems = {stem(word) for word in said}
    named = [product.sku for product in holding if _words(product.title) <= stems]
    return named[0] if len(named) == 1 else ""


def calls_by_name(text: str, product: Product) -> bool:
    """Whether a question says no more of a product than its name, or a name in quotes."""
    said = {stem(word) for word in content_words(normalise(text))}
    return IN_QUOTES.search(text) is not None or (bool(said) and said <= _words(product.title))


def _active(shop: Shop) -> QuerySet[Product]:
    return Product.objects.filter(shop=shop, active=True).order_by("pk")


def _words(title: str) -> set[str]:
    words = {stem(token.text) for token in tokens(title.lower()) if token.is_word and len(token.text) > 1}
    return words if len(words) >= FEWEST_WORDS else {title}
