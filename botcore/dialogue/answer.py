"""Answers from the shop's articles: which article, and which of its sentences, word for word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from botcore.dialogue.ports import Encoder
from botcore.dialogue.state import DialogueState
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understand import Understanding
from botcore.dialogue.words import CHINESE, DATA, content_words, sentences, tokens
from catalog.models import KnowledgeArticle, Shop
from catalog.search import search_articles

QUOTED = 2
"""Sentences quoted at most; an article of three is quoted whole when its sentences are short."""
SHORT = 220
"""Characters up to which a whole article is quoted."""
FOLLOW_UP = 0.04
"""What an article gains when the question follows an answer from it."""
TOLD = 0.5
"""What a sentence loses when the last answer quoted it already: the customer asks for the rest."""
ELLIPTIC = 7
"""Words up to which a question may be read as going on from the last answer: "and who pays for that?"."""
GOES_ON = re.compile(r"^(?:and|or|but|so|what about|how about|what if)\b|\b(?:it|that|this)\b|^那|呢[？?]?$")
"""What such a question begins with or points by; "how fast is express?" stands for itself."""


@dataclass(frozen=True)
class ArticleAnswer:
    """An article, the sentences of it that answer, and how near it is to the question (cosine and a little more)."""

    article: KnowledgeArticle
    quote: str
    similarity: float

    def to_json(self) -> dict[str, Any]:
        return {
            "slug": self.article.slug,
            "title": self.article.title,
            "quote": self.quote,
            "similarity": round(self.similarity, 3),
        }


def answer_from_articles(
    shop: Shop, said: Understanding, before: DialogueState, encoder: Encoder
) -> ArticleAnswer | None:
    """The nearest article with its best sentences; None where the shop has no articles.

    The encoder is English: a Chinese question is judged by its English concepts and by shared words.
    """
    question = said.text if said.language == "en" else english_gist(said.text)
    last = KnowledgeArticle.objects.filter(shop=shop, slug=before.last_article).first() if before.last_article else None
    names_nothing = len(content_words(question)) <= 1 if said.language == "en" else True
    if last and names_nothing and len(question.split()) <= ELLIPTIC and GOES_ON.search(question):
        question = f"{last.title}. {question}"
    embedding = encoder.encode([question])[0] if question else None
    found = search_articles(shop, said.language, said.text, embedding, limit=5)
    if not found:
        return None
    ranked = []
    for hit in found:
        parts = sentences(hit.article.body)
        nearness = _nearness(said.text if hit.article.language == "zh" else question, parts, encoder)
        gain = FOLLOW_UP if hit.article.slug == before.last_article else 0.0
        ranked.append((max(hit.similarity, float(nearness.max(initial=0.0))) + gain, hit.article, parts, nearness))
    similarity, article, parts, nearness = max(ranked, key=lambda r: r[0])
    if article.slug == before.last_article:
        nearness = np.array([n - TOLD * (p in before.last_quote) for n, p in zip(nearness, parts, strict=True)])
    return ArticleAnswer(article, _quote(article.body, parts, nearness), similarity)


DESCRIBED = 0.38
"""Similarity from which a sentence of a product's description answers a question about it."""


def answer_from_description(description: str, question: str, encoder: Encoder) -> str:
    """The sentence of a product's own description that answers a question, "" where none comes near."""
    parts = sentences(description)
    nearness = _nearness(question, parts, encoder)
    if not parts or nearness.max() < (SHARED if CHINESE.search(description) else DESCRIBED):
        return ""
    return parts[int(nearness.argmax())]


SHARED = 0.25
"""Share of a Chinese question's pairs of characters that a sentence must hold to answer it."""


def english_gist(text: str) -> str:
    """The English words for what a Chinese text asks about, longest first: those of a shop's service, then products."""
    known = {**thesaurus().chinese, **service_words()}
    found, position = [], 0
    while position < len(text):
        for length in range(6, 0, -1):
            concepts = known.get(text[position : position + length])
            if concepts:
                found.append(concepts[0])
                position += length
                break
        else:
            position += 1
    latin = [t.text for t in tokens(text) if t.is_word]
    return " ".join(dict.fromkeys([*found, *latin]))


@lru_cache(maxsize=1)
def service_words() -> dict[str, tuple[str, ...]]:
    """Chinese words about delivery, payment, returns and so on -> the English phrase for them."""
    data: dict[str, list[str]] = yaml.safe_load((DATA / "service_words.yaml").read_text(encoding="utf-8"))
    return {chinese: (english,) for english, words in data.items() for chinese in words}


def _nearness(question: str, parts: list[str], encoder: Encoder) -> npt.NDArray[np.float32]:
    """How near each sentence is to the question: by meaning in English, by shared pairs of characters in Chinese."""
    if not parts:
        return np.zeros(0, dtype=np.float32)
    if any(CHINESE.search(part) for part in parts):
        asked = _pairs(question)
        return np.array([len(asked & _pairs(part)) / (len(asked) or 1) for part in parts], dtype=np.float32)
    asked = encoder.encode([question])[0]
    return np.array([encoder.encode([part])[0] @ asked for part in parts], dtype=np.float32)  # one by one: remembered


def _pairs(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1) if CHINESE.match(text[i])}


def _quote(body: str, parts: list[str], nearness: npt.NDArray[np.float32]) -> str:
    """The sentences to quote, in the article's order: all of a short article, the two nearest of a long one."""
    if len(body) <= SHORT or len(parts) <= QUOTED:
        return " ".join(body.split())
    best = sorted(np.argsort(-nearness)[:QUOTED])
    return " ".join(parts[i] for i in best)
