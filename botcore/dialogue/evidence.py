"""What a shop can answer a question from: sentences of its articles, and of one product its data, stock and description.

Every piece of evidence is one quote, with the passage in which the reader sees it. What customers wrote of a product is
gathered in ``opinions.py``. Choosing is ``answer.py``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import rjieba

from botcore.dialogue.facts import format_price
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.names import attribute_name
from botcore.dialogue.ports import Reader, titled
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, normalise, sentences, stem, tokens
from catalog.models import KnowledgeArticle, Product, Shop
from catalog.search import search_articles

ARTICLES = 24
"""Articles read sentence by sentence: the nearest by vector and full text."""
NAMED_BY = 2
"""A word that so many articles hold at most is rare."""
OPENING = 2
"""Sentences of a description that tell what the product is."""
WHAT_IT_IS = {"en": "Description", "zh": "内容简介"}
"""What they stand under for the reader, so that "what is it about?" finds them."""


class Kind(StrEnum):
    ARTICLE = "article"
    ATTRIBUTE = "attribute"
    STOCK = "stock"
    DESCRIPTION = "description"
    REVIEW = "review"


@dataclass(frozen=True)
class Evidence:
    """``id`` is the article's slug or the product's SKU, ``name`` the article's title or the attribute.

    ``quote`` stands word for word in the row, in the language of the reply where the shop has it; ``passage`` is what the
    reader sees of it, ``values`` are an attribute's; a description's ``opening`` tells what the product is.
    """

    kind: Kind
    id: str
    name: str
    quote: str
    passage: str
    values: tuple[str, ...] = ()
    opening: bool = False


@dataclass(frozen=True)
class Asked:
    """A question, normalised, and the language of its answer."""

    text: str
    language: str


def article_evidence(
    shop: Shop, asked: Asked, question: str, reader: Reader, also: Iterable[str] = ()
) -> list[Evidence]:
    """The sentences of the articles nearest to a question as the reader sees it, and of those ``also`` to be read, by their
    slugs."""
    found = search_articles(shop, asked.language, asked.text, reader.question(question), limit=ARTICLES)
    slugs = dict.fromkeys([*also, *(hit.article.slug for hit in found)])
    by_slug: dict[str, dict[str, KnowledgeArticle]] = {}
    for row in KnowledgeArticle.objects.filter(shop=shop, active=True, slug__in=slugs).order_by("pk"):
        by_slug.setdefault(row.slug, {})[row.language] = row
    spoken = [rows.get(asked.language) or next(iter(rows.values())) for rows in by_slug.values()]
    return [evidence for row in spoken for evidence in _of_article(row)]


def article_passages(shop: Shop, limit: int) -> list[str]:
    """What the models read of a shop's articles, so that it can be read before anybody asks: ``limit`` sentences at most."""
    rows = KnowledgeArticle.objects.filter(shop=shop, active=True).order_by("pk")[:limit]
    return [evidence.passage for row in rows for evidence in _of_article(row)][:limit]


def _of_article(row: KnowledgeArticle) -> list[Evidence]:
    return [
        Evidence(Kind.ARTICLE, row.slug, row.title, quote, titled(row.title, quote)) for quote in sentences(row.body)
    ]


def holding_rare(shop: Shop, asked: Asked) -> dict[str, float]:
    """The articles that hold words of the question which hardly any article holds ("Singapore"), each with its share of
    these words. Titles are left out: they ask, in words that any question may have."""
    texts: dict[str, str] = {}
    for slug, body in KnowledgeArticle.objects.filter(shop=shop, active=True).values_list("slug", "body"):
        texts[slug] = f"{texts.get(slug, '')} {body}"
    holders = {word: {slug for slug, text in texts.items() if _holds(text, word)} for word in _words(asked.text)}
    rare = [slugs for slugs in holders.values() if 0 < len(slugs) <= NAMED_BY]
    return {slug: sum(slug in slugs for slugs in rare) / len(rare) for slug in set().union(*rare)} if rare else {}


def _words(text: str) -> frozenset[str]:
    """Stems of words that say something; of Chinese those words that are longer than a character."""
    cut = rjieba.cut(text, False) if CHINESE.search(text) else ()
    chinese = {word for word in cut if CHINESE.match(word) and len(word) > 1}
    return frozenset({term for term in terms(text) if not CHINESE.match(term)} | chinese)


def _holds(text: str, word: str) -> bool:
    return word in (text if CHINESE.match(word) else terms(text))


def product_evidence(product: Product, asked: Asked, lexicon: Lexicon, currency: str) -> list[Evidence]:
    """What one product's own data and description say."""
    return [*_of_data(product, asked.language, lexicon, currency), *_of_description(product, asked.language)]


def _of_data(product: Product, language: str, lexicon: Lexicon, currency: str) -> Iterator[Evidence]:
    title = product.text("title", language)
    varying = {attribute for variant in product.variants.all() for attribute in variant.attributes}
    comma = "、" if language == "zh" else ", "

    def of(attribute: str, told: str, values: tuple[str, ...]) -> Evidence:
        said = titled(attribute_name(attribute, language).capitalize(), told)
        return Evidence(Kind.ATTRIBUTE, product.sku, attribute, told, titled(title, said), values)

    untold = {*varying, lexicon.sorting}  # that an axe is an axe answers nothing
    for attribute, values in product.attributes.items():
        if attribute not in untold and values:
            told = comma.join(lexicon.name(Meaning(attribute, value), language) for value in values)
            yield of(attribute, told, tuple(values))
    if product.rating and product.rating_count:
        stars = f"{product.rating:.1f}"
        yield of("rating", stars, (stars,))
    prices = sorted({variant.price for variant in product.variants.all()})
    ends = prices[:1] + prices[-1:][: len(prices) - 1]
    yield of("price", " - ".join(format_price(price, currency) for price in ends), tuple(map(str, prices)))


def _of_description(product: Product, language: str) -> Iterator[Evidence]:
    title, told = product.text("title", language), sentences(product.text("description", language))
    if opening := ("" if language == "zh" else " ").join(told[:OPENING]):
        passage = titled(title, titled(WHAT_IT_IS["zh" if language == "zh" else "en"], opening))
        yield Evidence(Kind.DESCRIPTION, product.sku, "description", opening, passage, opening=True)
    for quote in told if len(told) > 1 else ():
        yield Evidence(Kind.DESCRIPTION, product.sku, "description", quote, titled(title, quote))


PLAIN = frozenset(map(stem, FUNCTION_WORDS))


@lru_cache(maxsize=8192)
def terms(text: str) -> frozenset[str]:
    """Stems of the words that say something, and pairs of Chinese characters."""
    return units(text) - PLAIN


def units(text: str) -> frozenset[str]:
    """Stems of all words, and pairs of Chinese characters."""
    found = tokens(normalise(text))
    words = {stem(t.text) for t in found if t.text[0].isalnum() and not CHINESE.match(t.text)}
    pairs = (a.text + b.text for a, b in pairwise(found) if _adjoin(a.text, b.text))
    return frozenset(words.union(pairs))


def _adjoin(first: str, second: str) -> bool:
    return bool(CHINESE.match(first) and CHINESE.match(second))


def listed(names: Iterable[str], language: str) -> str:
    """Names in a row, as a reply says them."""
    told = list(names)
    comma, last = ("、", "和") if language == "zh" else (", ", " and ")
    return comma.join(told[:-1]) + last + told[-1] if len(told) > 1 else "".join(told)
