"""The answer to a question: the one source that it rests on, quoted word for word, or none.

What there is to quote comes from ``evidence.py``, ``stock.py`` and ``opinions.py``; here it is chosen, and put into the
sentences that the reply's ``[quote]`` stands for. Reads the database, never writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import yaml

from botcore.dialogue.evidence import (
    CONTEXT,
    RARE,
    Asked,
    Evidence,
    Kind,
    article_evidence,
    closeness,
    holding_rare,
    listed,
    nearness,
    product_evidence,
    terms,
)
from botcore.dialogue.lexicon import Lexicon
from botcore.dialogue.meanings import KIND, TEXT, Meaning
from botcore.dialogue.named import calls_by_name
from botcore.dialogue.names import attribute_name
from botcore.dialogue.opinions import Opinion, asks_others, opinion_on, remarks_of, subject_of
from botcore.dialogue.ports import Encoder
from botcore.dialogue.state import DialogueState
from botcore.dialogue.stock import Stock, named_values, stock_evidence, stock_of
from botcore.dialogue.understand import Understanding
from botcore.dialogue.words import DATA, content_words
from catalog.models import Category, KnowledgeArticle, Product, Shop

QUOTED = 2
"""Sentences quoted at most; an article of three is quoted whole when its sentences are short."""
SHORT = 220
"""Characters up to which a whole article is quoted."""
TOLD = 0.5
"""What a sentence loses when the last answer quoted it already: the customer asks for the rest."""
TOLD_WHOLE = 0.2
"""What an article loses that was quoted whole, for a question that says too little without it."""
ELLIPTIC = 7
"""Words up to which a question may be read as going on from the last answer: "and who pays for that?"."""
GOES_ON = re.compile(r"^(?:and|or|but|so|what about|how about|what if)\b|\b(?:it|that|this)\b|^那|呢[？?]?$")
"""What such a question begins with or points by; "how fast is express?" stands for itself."""

THRESHOLDS: Mapping[Kind, float] = {
    Kind.ARTICLE: 0.46,
    Kind.ATTRIBUTE: 0.52,
    Kind.STOCK: 0.5,
    Kind.DESCRIPTION: 0.44,
    Kind.REVIEW: 0.44,
}
"""From which nearness evidence of a kind is an answer: above the nearest wrong one for the unanswerable questions in the
development half of ``benchmarks.answers``. A person is better than a guess."""
OWN = 0.15
"""By how much an article about products in general must be nearer than the product's own description to be preferred."""
SERVICE, EXPECTED = 0.12, 0.08
"""What the kind of evidence gains that the message's intent asks for, by the intent's chance."""
NAMED, NAMED_VALUE = 0.3, 0.2
"""What an attribute gains whose name the question holds, and stock when it names a size, colour or edition."""
CERTAIN = 0.6
"""The least nearness of what is asked, without doubt, about an item that the question points at: a value, its stock."""
UNKNOWN = 0.1
"""What a product's data and description lose when the question holds a word that no text of the shop holds."""
OPINION = 0.1
"""What reviews lose against what the shop itself says; where other people's opinions are asked for, they gain it twice."""


@dataclass(frozen=True)
class Answer:
    """What an answer rests on and says.

    ``id`` is an article's slug or a product's SKU, ``name`` the article's title, the attribute or what was asked about;
    ``quote`` stands word for word in the source (a stock has no words: it is what was read from the variants), ``text`` is
    what the reply says. ``near`` compares with ``THRESHOLDS``. ``rows`` are ids of variants or reviews.
    """

    kind: Kind
    id: str
    name: str
    quote: str
    text: str
    near: float
    rows: tuple[int, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def sure(self) -> bool:
        return self.near >= THRESHOLDS[self.kind]

    @property
    def by_itself(self) -> bool:
        """Whether its sentences are complete, so that the model has nothing to add."""
        return self.kind in (Kind.STOCK, Kind.REVIEW) or bool(self.details.get("asked"))

    def to_json(self) -> dict[str, Any]:
        """The turn's ``source``."""
        return {
            "kind": self.kind.value,
            "id": self.id,
            "name": self.name,
            "title": self.label,
            "quote": self.quote,
            "similarity": round(self.near, 3),
            "rows": list(self.rows),
            "details": {key: list(v) if isinstance(v, tuple) else v for key, v in self.details.items()},
        }


def answer_to(
    shop: Shop, said: Understanding, before: DialogueState, product: Product | None, lexicon: Lexicon, encoder: Encoder
) -> Answer | None:
    """The nearest answer that the shop has to a message, sure or not; ``product`` is the one it speaks of, if any."""
    asked = Asked.of(said.text, said.language)
    answers = [_from_article(shop, asked, said, before, product, encoder)]
    if product:
        answers += _from_product(shop, asked, product, said, lexicon, encoder)
    return max(filter(None, answers), key=_worth, default=None)


def _worth(answer: Answer) -> float:
    return answer.near - THRESHOLDS[answer.kind] + OWN * (answer.kind is Kind.DESCRIPTION)


def _going_on(shop: Shop, asked: Asked, before: DialogueState) -> Asked | None:
    """The question with what it goes on from, where it says too little by itself; else None."""
    if not before.last_article:
        return None
    names_nothing = len(content_words(asked.text)) <= 1 if asked.language == "en" else True
    if not (names_nothing and len(asked.text.split()) <= ELLIPTIC and GOES_ON.search(asked.text)):
        return None
    rows = {row.language: row.title for row in KnowledgeArticle.objects.filter(shop=shop, slug=before.last_article)}
    title = rows.get("en") or next(iter(rows.values()), "")
    return replace(asked, readings=(*(f"{title} {reading}" for reading in asked.readings),) or (title,))


def _from_article(
    shop: Shop,
    asked: Asked,
    said: Understanding,
    before: DialogueState,
    product: Product | None,
    encoder: Encoder,
) -> Answer | None:
    """The nearest article with its best sentences; of articles about as near, the one about this kind of product."""
    going_on, again = _going_on(shop, asked, before), False
    rare = holding_rare(shop, asked)
    evidence = article_evidence(shop, going_on or asked, encoder, [*filter(None, [before.last_article]), *rare])
    if not evidence:
        return None
    near = nearness(asked, evidence, encoder)
    if going_on:
        own = [e for e in evidence if e.id == before.last_article]
        whole = TOLD_WHOLE if all(e.quote in before.last_quote for e in own) else 0.0
        told = np.array([whole * (e.id == before.last_article) for e in evidence], dtype=np.float32)
        further = nearness(going_on, evidence, encoder)
        near = np.maximum(near, further - told)
        again = float(near.max()) < THRESHOLDS[Kind.ARTICLE]  # rather told again than not understood
        near = np.maximum(near, further) if again else near
    chosen = near + np.array([RARE * rare.get(e.id, 0.0) for e in evidence], dtype=np.float32)
    if product:
        kind = f"{product.category.name}, {product.category.path.partition('/')[0].replace('-', ' ')}"
        chosen = chosen + CONTEXT * closeness((kind,), [e.probes for e in evidence], encoder)
    slug = evidence[int(chosen.argmax())].id
    places = [i for i, e in enumerate(evidence) if e.id == slug]
    article = evidence[places[0]]
    quoted = before.last_quote if slug == before.last_article and not again else ""
    quote = _quote([(evidence[i].quote, float(near[i])) for i in places], quoted)
    service = said.intent.chance("policy", "order_status", "discount")
    leaning = SERVICE * service - EXPECTED * said.intent.chance("product_question")
    return Answer(
        Kind.ARTICLE, slug, article.name, quote, quote, float(near[places].max()) + leaning, label=article.name
    )


def _quote(parts: Sequence[tuple[str, float]], told: str) -> str:
    """The sentences to quote, in the article's order: all of a short article, the two nearest of a long one, those not
    told yet of one that was quoted just before."""
    glue = "" if parts[0][0][-1:] in "。！？" else " "
    whole = glue.join(part for part, _ in parts)
    if (len(whole) <= SHORT or len(parts) <= QUOTED) and not told:
        return whole
    order = sorted(range(len(parts)), key=lambda i: -(parts[i][1] - TOLD * (parts[i][0] in told)))
    best = order[:1] if told else order[:QUOTED]
    return glue.join(parts[i][0] for i in sorted(best))


def _from_product(
    shop: Shop, asked: Asked, product: Product, said: Understanding, lexicon: Lexicon, encoder: Encoder
) -> Iterator[Answer | None]:
    """The nearest of the product's data, of its description, of its stock, and what customers wrote."""
    asks = _AsksOf(
        asked, said, product, named_values(product, asked.text, said.constraints, lexicon), _values_asked(said)
    )
    evidence = [*product_evidence(product, asked, lexicon, shop.currency), *stock_evidence(product, asked.language)]
    item = EXPECTED * said.intent.chance("product_question", "availability")
    near = [
        asks.leaning(e, n + item) for e, n in zip(evidence, nearness(asked, evidence, encoder).tolist(), strict=True)
    ]
    for kind in (Kind.ATTRIBUTE, Kind.DESCRIPTION, Kind.STOCK):
        places = [i for i, e in enumerate(evidence) if e.kind is kind]
        if places:
            best = max(places, key=lambda i: near[i])
            yield _of(product, evidence[best], near[best], {**asks.has, **asks.comes_in}, asked.language, lexicon)
    yield _from_reviews(product, asked, item, encoder)


@dataclass(frozen=True)
class _AsksOf:
    """A question about a product: ``comes_in`` are the values of its variants that are asked for, ``has`` all others."""

    asked: Asked
    said: Understanding
    product: Product
    comes_in: Mapping[str, tuple[str, ...]]
    has: Mapping[str, tuple[str, ...]]

    def leaning(self, evidence: Evidence, near: float) -> float:
        """The nearness of a piece of evidence after what the question names."""
        near -= 2 * OPINION * asks_others(self.asked)
        if evidence.kind is not Kind.STOCK and self.said.unknown and self.said.language == "en":
            near -= UNKNOWN * (not set(self.said.unknown) & set(evidence.words.lower().split()))
        if evidence.kind is Kind.STOCK:
            near += NAMED_VALUE * (evidence.name in self.comes_in)
        elif evidence.kind is Kind.ATTRIBUTE:
            near += NAMED * (_names(self.asked, evidence.name) or evidence.name in self.has)
        return max(near, CERTAIN) if self._beyond_doubt(evidence) else near

    def _beyond_doubt(self, evidence: Evidence) -> bool:
        if evidence.kind is Kind.ATTRIBUTE:
            return evidence.name in self.has and bool(self.said.references) and self.said.is_question
        whole = evidence.kind is Kind.STOCK and not (evidence.name or self.comes_in or self.has)
        return whole and self.said.intent.name == "availability" and calls_by_name(self.asked.text, self.product)


def _values_asked(said: Understanding) -> dict[str, tuple[str, ...]]:
    """The values that a question asks of a product, by attribute; none where it names a kind ("and wool rugs?")."""
    if said.goals and not said.references:
        return {}
    asked: dict[str, tuple[str, ...]] = {}
    for c in (c for c in said.constraints if c.attribute not in (TEXT, KIND)):
        asked[c.attribute] = (*asked.get(c.attribute, ()), c.value)
    return asked


def _names(asked: Asked, attribute: str) -> bool:
    """Whether a question says the name of an attribute."""
    name = attribute_name(attribute, asked.language)
    return name in asked.text if asked.language == "zh" else terms(name) <= terms(asked.text) and bool(terms(name))


def _of(
    product: Product,
    evidence: Evidence,
    near: float,
    named: Mapping[str, tuple[str, ...]],
    language: str,
    lexicon: Lexicon,
) -> Answer:
    title = product.text("title", language)
    label = _say(f"{evidence.kind.value}_label", language, title=title)
    if evidence.kind is Kind.STOCK:
        stock = stock_of(product, evidence.name, named)
        text = stock_text(stock, language, lexicon)
        details = {
            "attribute": stock.attribute,
            "available": stock.available,
            "sold_out": stock.sold_out,
            "asked": stock.asked,
            "missing": stock.missing if stock.attribute else stock.sold_out,
            "within": {name: list(values) for name, values in stock.within.items()},
        }
        return Answer(Kind.STOCK, product.sku, stock.attribute, text, text, near, stock.rows, details, label)
    text = evidence.quote
    asked = named.get(evidence.name, ()) if evidence.kind is Kind.ATTRIBUTE else ()
    if evidence.kind is Kind.ATTRIBUTE:
        key = "attribute" if not asked else "has_value" if set(asked) <= set(evidence.values) else "lacks_value"
        wanted = listed((lexicon.name(Meaning(evidence.name, value), language) for value in asked), language)
        name = attribute_name(evidence.name, language)
        text = _say(key, language, name=name, value=evidence.quote, title=title, asked=wanted)
    details = {"values": evidence.values, "asked": asked} if evidence.values else {}
    return Answer(evidence.kind, product.sku, evidence.name, evidence.quote, text, near, (), details, label)


def stock_text(stock: Stock, language: str, lexicon: Lexicon) -> str:
    """What there is, in approved sentences: what was asked for first, then what else there is and what is sold out."""

    def name(*values: str, attribute: str = stock.attribute) -> str:
        return listed((_value_name(attribute, value, language, lexicon) for value in values), language)

    if not stock.attribute:
        return _say("there" if stock.available else "gone", language)
    said = []
    for value in stock.asked:
        key = "has" if value in stock.available else "foreign" if value in stock.foreign else "out"
        said.append(_say(key, language, value=name(value)))
    others = [v for v in stock.available if v not in stock.asked]
    gone = [v for v in stock.sold_out if v not in stock.asked]
    if others and (stock.missing or not stock.asked):
        said.append(_say("available", language, values=name(*others)))
    if gone and not stock.asked:
        said.append(_say("sold_out", language, values=name(*gone)))
    if not stock.available and not stock.asked:
        return _say("gone", language)
    return ("" if language == "zh" else " ").join(said)


def similar_text(answer: Answer | None, items: Sequence[object], language: str) -> str:
    """What leads over to products like one that is sold out in what was asked for, "" where there are none."""
    return (
        _say("similar" if answer and answer.details.get("attribute") else "similar_product", language) if items else ""
    )


def returned_text(before: DialogueState) -> str:
    """What the bot says first when a person has given the conversation back."""
    return _say("returned", before.language) if before.returned else ""


def _value_name(attribute: str, value: str, language: str, lexicon: Lexicon) -> str:
    """A size as it stands on the label, other values in the reply's language."""
    if attribute == "size":
        return value.upper()
    return lexicon.name(Meaning(attribute, value), language)


def _from_reviews(product: Product, asked: Asked, item: float, encoder: Encoder) -> Answer | None:
    others = asks_others(asked)
    subject = _without_kind(subject_of(asked), product) if others else asked
    opinion = opinion_on(subject, asked.language, remarks_of(product), encoder)
    if opinion is None:
        return None
    near = opinion.near + item + (2 * OPINION if others else -OPINION)
    text = opinion_text(opinion, asked.language)
    label = _say("review_label", asked.language, title=product.text("title", asked.language))
    details = {"positive": opinion.positive, "of": len(opinion.reviews), "read": opinion.read}
    name = " ".join(subject.readings[:1])
    return Answer(Kind.REVIEW, product.sku, name, opinion.quote, text, near, opinion.reviews, details, label)


def _without_kind(asked: Asked, product: Product) -> Asked:
    """A question without the words for the kind of product: "this book" is about none of its sides."""
    category = product.category
    names = [category.name.lower(), *map(str, category.aliases), *_chinese(category)]
    if category.parent:
        names += [category.parent.name.lower(), *map(str, category.parent.aliases), *_chinese(category.parent)]
    text = asked.text
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "") if asked.language == "zh" else re.sub(rf"\b{re.escape(name)}\b", "", text)
    return Asked.of(text.strip(), asked.language)


def _chinese(category: Category) -> list[str]:
    return [name] if (name := category.translations.get("zh", {}).get("name")) else []


def opinion_text(opinion: Opinion, language: str) -> str:
    """The count, its direction and the quote, as what customers wrote."""
    count, positive = len(opinion.reviews), opinion.positive
    key = "one_review" if count == 1 else "reviews_good" if positive * 2 > count else "reviews_bad"
    values = {"count": count, "good": positive, "bad": count - positive, "stars": opinion.stars}
    counted = _say(key, language, **values)
    if key == "reviews_bad" and positive * 2 == count:
        counted = _say("reviews_split", language, **values)
    return counted + ("" if language == "zh" else " ") + _say("wrote", language, quote=opinion.quote, **values)


def _say(key: str, language: str, **values: object) -> str:
    """An approved sentence of ``data/answers.yaml``."""
    return answer_sentences()[key]["zh" if language == "zh" else "en"].format(**values)


@lru_cache(maxsize=1)
def answer_sentences() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((DATA / "answers.yaml").read_text(encoding="utf-8"))
    return found
