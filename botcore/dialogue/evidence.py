"""What a shop can answer a question from: sentences of its articles, and of one product its data, stock and description.

Every piece of evidence is one quote with the ways in which a customer may ask for it, and one scale says how near it is to
a question: meaning (the encoder's cosine, Chinese through ``gloss``) and shared words. What customers wrote of a
product is gathered in ``opinions.py``. Choosing is ``answer.py``'s.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from botcore.dialogue.facts import format_price
from botcore.dialogue.gloss import english_gist, readings
from botcore.dialogue.lexicon import Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.names import attribute_name
from botcore.dialogue.ports import Encoder
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, normalise, sentences, stem, tokens
from catalog.models import KnowledgeArticle, Product, Shop
from catalog.search import search_articles
from catalog.text import article_passage

Floats = npt.NDArray[np.float32]

ARTICLES = 6
"""Articles read sentence by sentence, for each reading of the question: the nearest by vector and full text."""
SHARED = 0.2
"""What evidence gains that holds every word of the question; measured with ``benchmarks.answers`` on its development half."""
AROUND = 0.3
"""The part that the text around a sentence has in how near it is: a sentence alone may be near by chance."""
RARE, NAMED_BY = 0.25, 2
"""What an article gains, beside others, that holds the question's rare words: those that one or two of the articles hold."""
CONTEXT = 0.15
"""What an article gains that is about the very kind of product talked about: whose warranty is asked for?"""


OPENING = 2
"""Sentences of a description that tell what the product is."""
AS_A_WHOLE = ("What is it about?", "speak what?")
"""How customers ask what a product is; one as ``gloss`` reads the Chinese."""


class Kind(StrEnum):
    ARTICLE = "article"
    ATTRIBUTE = "attribute"
    STOCK = "stock"
    DESCRIPTION = "description"
    REVIEW = "review"


@dataclass(frozen=True)
class Evidence:
    """``id`` is the article's slug or the product's SKU, ``name`` the article's title or the attribute.

    ``quote`` stands word for word in the row, in the language of the reply where the shop has it. ``probes`` are English
    texts near which a question for it lies, ``around`` the whole text it stands in; ``words`` what it says in the reply's
    language.
    """

    kind: Kind
    id: str
    name: str
    quote: str
    probes: tuple[str, ...]
    words: str = ""
    values: tuple[str, ...] = ()
    around: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A question: normalised, with what the encoder reads of it."""

    text: str
    language: str
    readings: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, text: str, language: str) -> Asked:
        return cls(text, language, meanings(text))


@lru_cache(maxsize=8192)
def meanings(text: str) -> tuple[str, ...]:
    """What the encoder reads of a text. The concepts in a Chinese one are left out where they are only things: "book"
    is near to whatever is said of books."""
    gist = english_gist(text) if CHINESE.search(text) else ""
    only_things = bool(gist) and gist in thesaurus().things
    return tuple(reading for reading in readings(text) if reading and not (only_things and reading == gist))


def article_evidence(shop: Shop, asked: Asked, encoder: Encoder, also: Iterable[str] = ()) -> list[Evidence]:
    """The sentences and titles of the articles nearest to the question, and of those ``also`` to be read, by their slugs."""
    slugs: dict[str, None] = dict.fromkeys(also)
    for vector in encoder.encode(asked.readings):
        for found in search_articles(shop, asked.language, asked.text, vector, limit=ARTICLES):
            slugs[found.article.slug] = None
    by_slug: dict[str, dict[str, KnowledgeArticle]] = {}
    for row in KnowledgeArticle.objects.filter(shop=shop, active=True, slug__in=slugs).order_by("pk"):
        by_slug.setdefault(row.slug, {})[row.language] = row
    return [e for rows in by_slug.values() for e in _of_article(rows, asked.language)]


def holding_rare(shop: Shop, asked: Asked) -> dict[str, float]:
    """The articles that hold words of the question which hardly any article holds ("Singapore"), each with its share of
    these words. Titles are left out: they ask, in words that any question may have."""
    texts: dict[str, str] = {}
    for slug, body in KnowledgeArticle.objects.filter(shop=shop, active=True).values_list("slug", "body"):
        texts[slug] = f"{texts.get(slug, '')} {body}"
    holders = {term: {slug for slug, text in texts.items() if term in terms(text)} for term in terms(asked.text)}
    rare = [slugs for slugs in holders.values() if 0 < len(slugs) <= NAMED_BY]
    return {slug: sum(slug in slugs for slugs in rare) / len(rare) for slug in set().union(*rare)} if rare else {}


def _of_article(rows: dict[str, KnowledgeArticle], language: str) -> Iterator[Evidence]:
    spoken = rows.get(language) or next(iter(rows.values()))
    english = rows.get("en", spoken)
    whole = meanings(article_passage(english.title, english.body))
    for quote, twin in _twins(spoken.body, english.body):
        probes = (*meanings(twin), *meanings(f"{english.title} {twin}"), *meanings(english.title))
        yield Evidence(Kind.ARTICLE, spoken.slug, spoken.title, quote, probes, f"{spoken.title} {quote}", around=whole)


def _twins(spoken: str, english: str) -> list[tuple[str, str]]:
    """The sentences of a text with the English ones that say the same; where they do not run in step, with themselves."""
    said, meant = sentences(spoken), sentences(english)
    return list(zip(said, meant if len(said) == len(meant) else said, strict=True))


def product_evidence(product: Product, asked: Asked, lexicon: Lexicon, currency: str) -> list[Evidence]:
    """What one product's own data and description say."""
    return [*_of_data(product, asked.language, lexicon, currency), *_of_description(product, asked.language)]


def _of_data(product: Product, language: str, lexicon: Lexicon, currency: str) -> Iterator[Evidence]:
    varying = {attribute for variant in product.variants.all() for attribute in variant.attributes}
    comma = "、" if language == "zh" else ", "
    for attribute, values in product.attributes.items():
        if attribute in varying or not values:
            continue
        told = comma.join(lexicon.name(Meaning(attribute, value), language) for value in values)
        name = attribute_name(attribute, "en")
        probes = (f"What {name} is it?", f"{name}: {', '.join(values)}")
        words = f"{attribute_name(attribute, language)} {told}"
        yield Evidence(Kind.ATTRIBUTE, product.sku, attribute, told, probes, words, tuple(values))
    if product.rating and product.rating_count:
        stars = f"{product.rating:.1f}"
        stars_probes = ("What is its rating?", "How many stars does it have?")
        yield Evidence(Kind.ATTRIBUTE, product.sku, "rating", stars, stars_probes, "评分 几星", (stars,))
    prices = sorted({variant.price for variant in product.variants.all()})
    told = " - ".join(format_price(price, currency) for price in prices[:1] + prices[-1:][: len(prices) - 1])
    price_probes = ("How much is it?", "What does it cost?", "What is the price of this?")
    yield Evidence(Kind.ATTRIBUTE, product.sku, "price", told, price_probes, "多少钱 价格", tuple(map(str, prices)))


def _of_description(product: Product, language: str) -> Iterator[Evidence]:
    spoken = product.text("description", language)
    if opening := sentences(spoken)[:OPENING]:
        text = ("" if language == "zh" else " ").join(opening)
        yield Evidence(Kind.DESCRIPTION, product.sku, "description", text, AS_A_WHOLE, "讲什么 讲的 内容 介绍")
    for quote, twin in _twins(spoken, product.text("description", "en")):
        yield Evidence(Kind.DESCRIPTION, product.sku, "description", quote, meanings(twin), quote)


def nearness(asked: Asked, evidence: Sequence[Evidence], encoder: Encoder) -> Floats:
    """How near each piece is to the question, about 0 to 1.2."""
    if not evidence or not asked.readings:
        return np.zeros(len(evidence), dtype=np.float32)
    meant = closeness(asked.readings, [e.probes for e in evidence], encoder)
    whole = closeness(asked.readings, [e.around for e in evidence], encoder)
    meant = np.where([bool(e.around) for e in evidence], (1 - AROUND) * meant + AROUND * whole, meant)
    return meant + SHARED * shared(asked.text, [e.words for e in evidence])


def closeness(texts: Sequence[str], probes: Sequence[Sequence[str]], encoder: Encoder) -> Floats:
    """For every group of probes the best cosine with any of the texts, 0 for an empty group."""
    flat = list(dict.fromkeys(probe for group in probes for probe in group))
    if not flat:
        return np.zeros(len(probes), dtype=np.float32)
    best = (encoder.encode(flat) @ encoder.encode(list(texts)).T).max(axis=1)
    by_probe = dict(zip(flat, best, strict=True))
    return np.array([max((by_probe[p] for p in group), default=0.0) for group in probes], dtype=np.float32)


def shared(question: str, texts: Sequence[str]) -> Floats:
    """The share of the question's words that each text holds, rare ones counting more (inverse frequency in ``texts``)."""
    held = [terms(text) for text in texts]
    frequency = Counter(term for each in held for term in each)
    weights = {term: math.log(1 + len(texts) / (1 + frequency[term])) for term in terms(question)}
    total = sum(weights.values())
    if not total:
        return np.zeros(len(texts), dtype=np.float32)
    return np.array([sum(w for t, w in weights.items() if t in each) / total for each in held], dtype=np.float32)


PLAIN = frozenset(map(stem, FUNCTION_WORDS))


@lru_cache(maxsize=8192)
def terms(text: str) -> frozenset[str]:
    """Stems of the words that say something, and pairs of Chinese characters."""
    found = tokens(normalise(text))
    words = {stem(t.text) for t in found if t.text[0].isalnum() and not CHINESE.match(t.text)}
    pairs = (a.text + b.text for a, b in pairwise(found) if _adjoin(a.text, b.text))
    return frozenset((words - PLAIN) | set(pairs))


def _adjoin(first: str, second: str) -> bool:
    return bool(CHINESE.match(first) and CHINESE.match(second))


def listed(names: Iterable[str], language: str) -> str:
    """Names in a row, as a reply says them."""
    told = list(names)
    comma, last = ("、", "和") if language == "zh" else (", ", " and ")
    return comma.join(told[:-1]) + last + told[-1] if len(told) > 1 else "".join(told)
