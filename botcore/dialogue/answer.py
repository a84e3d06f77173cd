"""The answer to a question: the one source that it rests on, quoted word for word, or none.

What there is to quote comes from ``evidence.py``, ``stock.py`` and ``opinions.py``; here it is chosen, and put into the
sentences that the reply's ``[quote]`` stands for. Reads the database, never writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import yaml

from botcore.dialogue.chances import Floats, chances, fused
from botcore.dialogue.evidence import (
    Asked,
    Evidence,
    Kind,
    article_evidence,
    holding_rare,
    listed,
    product_evidence,
    terms,
)
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, TEXT, Meaning
from botcore.dialogue.named import calls_by_name
from botcore.dialogue.names import attribute_name
from botcore.dialogue.opinions import Opinion, asks_others, meanings, opinion_on, remarks_of, subject_of
from botcore.dialogue.ports import Ports, about, titled
from botcore.dialogue.state import DialogueState
from botcore.dialogue.stock import Stock, named_values, stock_evidence, stock_of, varying
from botcore.dialogue.understand import Understanding
from botcore.dialogue.words import DATA, content_words, normalise, sentences, tokens
from catalog.models import Category, KnowledgeArticle, Product, Shop

QUOTED = 2
"""Sentences quoted at most; an article of three is quoted whole when its sentences are short."""
SHORT = 220
"""Characters up to which a whole article is quoted."""
TOLD = 0.5
"""What a sentence loses when the last answer quoted it already: the customer asks for the rest."""
ELLIPTIC = 7
"""Words up to which a question may be read as going on from the last answer: "and who pays for that?"."""
GOES_ON = re.compile(r"^(?:and|or|but|so|what about|how about|what if)\b|\b(?:it|that|this)\b|^那|呢[？?]?$")
"""What such a question begins with or points by; "how fast is express?" stands for itself."""

GONE = {"en": "A sold-out item", "zh": "缺货的商品"}
"""What a question is about that goes on from a stock that was told to be sold out."""

POINTS = re.compile(r"\b(?:it|its|this|that|these|those|they|them)\b|[它这那][个款件本双台条瓶些]?")
"""What a question points with at the product in the spotlight."""
DISPLEASING = re.compile(
    r"\b(?:if|in case|suppose|when)\b.{0,30}?(?:\b(?:does|do|did|will|would)(?:n't| not) (?:really )?(?:fit|suit|like)\b"
    r"|\bwon't (?:fit|suit)\b|\btoo (?:small|big|large|tight|loose|long|short)\b|\bwrong size\b|\bchange \w+ mind\b)[^,;]*$"
    r"|(?:要是|如果|万一|假如|若是?|买了).{0,8}(?:不合[适身脚]|不喜欢|不满意|太[大小长短紧松]|[大小]了|穿不[上了下])[了呢的话怎么办能可以退换货吗]*\W*$"
)
"""What supposes that a thing does not please, and asks no more: "and if it doesn't fit?"."""
SUPPOSING = re.compile(r"^(?:\w+[, ]+){0,2}if\b|\bwhat (?:happens )?if\b|要是|万一|如果|假如|怎么办")
"""What asks what happens in a case that has not happened, which hardly any article puts into the same words."""
RETURNING = {"en": "Can I return it?", "zh": "可以退货吗？"}
"""What such a question asks."""
WHAT_ABOUT = re.compile(
    r"\bwhat(?:'?s| is| are|'re)\b.{0,40}\babout\b|讲(?:的|了|述)?(?:是)?(?:些)?(?:什么|啥)|什么(?:内容|故事)"
)
"""What asks for the content of a book, or for what a thing is."""
SURE = 0.6
"""The chance from which evidence is an answer; a person is better than a guess. By the development questions of
``benchmarks.answers``."""
OPINION_SURE = 0.44
"""How near, on their own scale, customers' remarks must be to a question to answer it."""
OTHERS, UNASKED = 0.2, 0.1
"""What they gain where other people's opinions are asked for, and lose where they are not."""
TELLING = -2.5
"""The reader's log odds from which a remark that nobody asked others for answers a question: that a kettle is used every day
says nothing of what happens if it breaks. Set by hand between -1.1 and -3.9, which eight remarks of the demo shop left free."""
# What speaks for a piece of evidence beside the reader, in log odds:
RARE = 1.0
"""An article holds the question's rare words, those that one or two of the articles hold, times its share of them."""
MEANT = 1.0
"""The message's intent asks for the shop's service, or for the product that it speaks of, times the intent's chance."""
NAMED = 2.0
"""An attribute whose name or value the question holds, and stock where it names a size, colour or edition."""
STOCKED = 2.0
"""And stock further, where the message asks for it, times the intent's chance."""
GOING_ON, REPEATED = 2.5, -1.5
"""The question goes on from the article that was quoted just before, and the sentence was quoted there already."""
CERTAIN = 4.0
"""It is asked, without doubt, about the item that the question points at: a value, its stock."""


@dataclass(frozen=True)
class Answer:
    """What an answer rests on and says.

    ``id`` is an article's slug or a product's SKU, ``name`` the article's title, the attribute or what was asked about;
    ``quote`` stands word for word in the source (a stock has no words: it is what was read from the variants), ``text`` is
    what the reply says. ``near`` is the chance that it answers, of customers' remarks how near they are; ``some`` that any of
    the shop's articles does. ``rows`` are ids of variants or reviews.
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
    some: float = 0.0

    @property
    def sure(self) -> bool:
        return self.near >= (OPINION_SURE if self.kind is Kind.REVIEW else SURE)

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
    shop: Shop,
    said: Understanding,
    before: DialogueState,
    product: Product | None,
    lexicon: Lexicon,
    ports: Ports,
    several: Sequence[Product] = (),
) -> Answer | None:
    """The likeliest answer that the shop has to a message, sure or not; ``product`` is the one it speaks of, if any, else
    ``several`` are those that it may speak of.

    What customers wrote is an answer where it is asked for, or where nothing else is.
    """
    asked = Asked(as_return(said.text, said.language), said.language)
    if not product and (of_each := _of_each(several, said, lexicon)):
        return of_each
    answer = _from_shop(shop, asked, said, before, product, lexicon, ports, [product] if product else several)
    if product and (asks_others(asked) or answer is None or not answer.sure):
        opinion = _from_reviews(product, asked, ports)
        if opinion and (opinion.sure or answer is None):
            return opinion
    return answer


def as_return(text: str, language: str) -> str:
    """A question what happens if a thing does not please, as the one about returns that it is; any other as it stands."""
    return RETURNING["zh" if language == "zh" else "en"] if DISPLEASING.search(text) else text


def _from_shop(
    shop: Shop,
    asked: Asked,
    said: Understanding,
    before: DialogueState,
    product: Product | None,
    lexicon: Lexicon,
    ports: Ports,
    spoken_of: Sequence[Product],
) -> Answer | None:
    """The likeliest of all that the shop itself says, in its articles and of the product.

    Articles about other kinds of things than ``spoken_of`` are not read. Those about other values are no answer, and are
    weighed all the same: what is left is no likelier because the best of it does not count.
    """
    topic, rare = _going_on(shop, asked, before), holding_rare(shop, asked)
    also = [*filter(None, [before.last_article]), *rare]
    read = article_evidence(shop, asked, about(topic, asked.text), ports.reader, also)
    evidence = [e for e in read if not _of_another_kind(e.name, asked.text, spoken_of, lexicon)]
    asks_of_product = bool(spoken_of) and (said.intent.name in OF_PRODUCTS or POINTS.search(asked.text) is not None)
    others = {e for e in evidence if asks_of_product and _of_others(e.name, asked.text, spoken_of, lexicon)}
    if product:
        evidence += product_evidence(product, asked, lexicon, shop.currency)
        evidence += stock_evidence(product, asked.language)
    if others.issuperset(evidence):
        return None
    asks = _AsksOf.product(asked, said, product, lexicon) if product else None
    title = product.text("title", asked.language) if product else ""
    odds = _odds(asked, topic, title, evidence, ports)
    odds += [asks.leaning(e) if asks and e.kind is not Kind.ARTICLE else _service(said, rare, e) for e in evidence]
    if topic:
        odds += [_of_topic(e, before) for e in evidence]
    if asks:  # whatever the reader makes of it: what is asked for by its name is there or is not
        odds = np.maximum(odds, [CERTAIN if asks.beyond_doubt(e) else -np.inf for e in evidence])
    near = {e: chance for e, chance in zip(evidence, chances(odds).tolist(), strict=True) if e not in others}
    best = _likeliest(near)
    if asks and best.kind is not Kind.ARTICLE:
        chance = sum(n for e, n in near.items() if _say_the_same(e, best))
        return _of(asks.of, best, chance, {**asks.has, **asks.comes_in}, asked.language, lexicon)
    return _of_article(best, near, before.last_quote if best.id == before.last_article else "")


OF_PRODUCTS = ("product_question", "availability")
"""The intents of questions about a product."""


def _of_others(title: str, question: str, products: Sequence[Product], lexicon: Lexicon) -> bool:
    """Whether an article is by its title about values that none of the products has, nor the question: how wool is washed
    says nothing of viscose."""
    named, asked = _values_named(title, lexicon), _values_named(question, lexicon)
    return any(
        asked.get(attribute, set()).isdisjoint(values)
        and all(held and not _share(values, held) for held in (p.attributes.get(attribute, ()) for p in products))
        for attribute, values in named.items()
    )


def _of_another_kind(title: str, question: str, products: Sequence[Product], lexicon: Lexicon) -> bool:
    """Whether an article is by its title about categories that none of the products is in, nor the question names: what
    guarantee clothes have says nothing of a kettle."""
    named = _categories_named(title, lexicon)
    if not named or not products or named & _categories_named(question, lexicon):
        return False
    return not any(f"{p.category.path}/".startswith(f"{path}/") for p in products for path in named)


def _categories_named(text: str, lexicon: Lexicon) -> set[str]:
    matches = lexicon.match(tokens(normalise(text)))
    return {m.value for match in matches for m in match.meanings if m.attribute == CATEGORY}


def _values_named(text: str, lexicon: Lexicon) -> dict[str, set[str]]:
    named: dict[str, set[str]] = {}
    for match in lexicon.match(tokens(normalise(text))):
        for meaning in match.meanings:
            if meaning.attribute not in (TEXT, CATEGORY) and not lexicon.names_kind(meaning.attribute):
                named.setdefault(meaning.attribute, set()).add(meaning.value)
    return named


def _share(values: set[str], held: Sequence[str]) -> bool:
    """Whether a value of one is one of the other or a kind of it: "lambswool" is wool."""
    return any(one in other or other in one for one in values for other in held)


def _of_each(products: Sequence[Product], said: Understanding, lexicon: Lexicon) -> Answer | None:
    """Which of several products have the values that a question asks of "it": as no one is meant, each is told of.

    A description that says the value is quoted, as it may deny it.
    """
    if len(products) < 2 or said.intent.name not in OF_PRODUCTS or not (said.is_question and POINTS.search(said.text)):
        return None
    asked = _value_asked_of_all(products, said, lexicon)
    if not asked:
        return None
    attribute, values = asked
    language = said.language
    wanted = listed((lexicon.name(Meaning(attribute, value), language) for value in values), language)
    having, quotes, lacking = [], [], []
    for product in products:
        title = product.text("title", language)
        if set(values) <= set(product.attributes.get(attribute, ())):
            having.append(title)
        elif quote := _telling(product, wanted, language):
            quotes.append(titled(title, quote))
        else:
            lacking.append(title)
    told = [_say("these_have", language, asked=wanted, titles=listed(having, language))] if having else []
    told += quotes
    told += [_say("these_lack", language, asked=wanted, titles=listed(lacking, language))] if lacking else []
    text = ("" if language == "zh" else " ").join(told)
    details = {"asked": values, "told_of": tuple(product.sku for product in products)}
    label = _say("attribute_label", language, title=listed([p.text("title", language) for p in products], language))
    return Answer(Kind.ATTRIBUTE, products[0].sku, attribute, text, text, SURE, (), details, label)


def _value_asked_of_all(
    products: Sequence[Product], said: Understanding, lexicon: Lexicon
) -> tuple[str, tuple[str, ...]] | None:
    """The one attribute with its values that a question asks of products; what their variants come in is a question of
    stock, and of one product."""
    if said.goals:
        return None
    asked = _values_asked(said, products[0], lexicon)
    if not asked:
        named = (m for match in lexicon.match(tokens(said.text)) for m in match.meanings)
        values = [m for m in named if not lexicon.names_kind(m.attribute)]
        asked = {m.attribute: (m.value,) for m in values if any(m.attribute in p.attributes for p in products)}
    if len(asked) != 1 or any(asked.keys() & varying(product).keys() for product in products):
        return None
    return next(iter(asked.items()))


def _telling(product: Product, value: str, language: str) -> str:
    """The first sentence of a description that says a value, "" for none."""
    told = sentences(product.text("description", language))
    return next((quote for quote in told if terms(value) and terms(value) <= terms(quote)), "")


def _of_article(best: Evidence, near: Mapping[Evidence, float], quoted: str) -> Answer:
    parts = [(e.quote, n) for e, n in near.items() if _side(e) == _side(best)]
    quote, chance = _quote(parts, quoted), sum(n for _, n in parts)
    some = sum(n for e, n in near.items() if e.kind is Kind.ARTICLE)
    return Answer(Kind.ARTICLE, best.id, best.name, quote, quote, chance, label=best.name, some=some)


def _odds(asked: Asked, topic: str, title: str, evidence: Sequence[Evidence], ports: Ports) -> Floats:
    """The log odds of each piece: of a product's as asked about that product, of an article's as asked by itself or going on
    from the topic. English is read by the sentence encoder as well."""
    passages, reader = [e.passage for e in evidence], ports.reader
    service = np.max([reader.answering(way, passages) for way in {asked.text, about(topic, asked.text)}], axis=0)
    of_product = reader.answering(about(title, asked.text), passages) if title else service
    odds: Floats = np.where([e.kind is Kind.ARTICLE for e in evidence], service, of_product)
    if asked.language != "en":
        return odds
    near: Floats = ports.encoder.encode(passages) @ ports.encoder.encode([asked.text])[0]
    return fused(odds, near)


def _likeliest(near: Mapping[Evidence, float]) -> Evidence:
    """The piece to answer from: the best of the article, or of the product's sides, that are likeliest as a whole."""
    of_source, of_side = _summed(_source, near), _summed(_side, near)
    among = [e for e in near if of_source[_source(e)] == max(of_source.values())]
    return max(among, key=lambda e: (of_side[_side(e)], near[e]))


def _source(evidence: Evidence) -> Hashable:
    return evidence.kind is Kind.ARTICLE, evidence.id


def _side(evidence: Evidence) -> Hashable:
    """What is told as one: an article, a description, an attribute, a stock."""
    told_whole = evidence.kind in (Kind.ARTICLE, Kind.DESCRIPTION)
    return evidence.kind, evidence.id, "" if told_whole else evidence.name


def _say_the_same(one: Evidence, other: Evidence) -> bool:
    """Whether two pieces are one answer: of one side, or a description that tells the attribute's value in its words."""
    if _side(one) == _side(other):
        return True
    if one.id != other.id or {one.kind, other.kind} != {Kind.ATTRIBUTE, Kind.DESCRIPTION}:
        return False
    value, told = (one, other) if one.kind is Kind.ATTRIBUTE else (other, one)
    return bool(terms(value.quote)) and terms(value.quote) <= terms(told.quote)


def _summed(key: Callable[[Evidence], Hashable], near: Mapping[Evidence, float]) -> dict[Hashable, float]:
    found: dict[Hashable, float] = {}
    for evidence, chance in near.items():
        found[key(evidence)] = found.get(key(evidence), 0.0) + chance
    return found


def _service(said: Understanding, rare: Mapping[str, float], evidence: Evidence) -> float:
    """What speaks for an article's sentence beside the reader."""
    return MEANT * said.intent.chance("policy", "order_status", "discount") + RARE * rare.get(evidence.id, 0.0)


def _of_topic(evidence: Evidence, before: DialogueState) -> float:
    """What speaks for a piece where the question goes on from the last article."""
    if evidence.kind is not Kind.ARTICLE or evidence.id != before.last_article:
        return 0.0
    return GOING_ON + REPEATED * (evidence.quote in before.last_quote)


def _going_on(shop: Shop, asked: Asked, before: DialogueState) -> str:
    """What a question goes on from where it says too little by itself: the title of the article, or that something is sold out
    ("when will it be back?"); "" for nothing."""
    if not (before.last_article or before.gone):
        return ""
    names_nothing = len(content_words(asked.text)) <= 1 if asked.language == "en" else True
    if not (names_nothing and len(asked.text.split()) <= ELLIPTIC and GOES_ON.search(asked.text)):
        return ""
    if before.gone:
        return GONE["zh" if asked.language == "zh" else "en"]
    rows = {row.language: row.title for row in KnowledgeArticle.objects.filter(shop=shop, slug=before.last_article)}
    return rows.get(asked.language) or next(iter(rows.values()), "")


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


@dataclass(frozen=True)
class _AsksOf:
    """A question about a product: ``comes_in`` are the values of its variants that are asked for, ``has`` all others."""

    asked: Asked
    said: Understanding
    of: Product
    comes_in: Mapping[str, tuple[str, ...]]
    has: Mapping[str, tuple[str, ...]]

    @classmethod
    def product(cls, asked: Asked, said: Understanding, product: Product, lexicon: Lexicon) -> _AsksOf:
        named = named_values(product, asked.text, said.constraints, lexicon)
        return cls(asked, said, product, named, _values_asked(said, product, lexicon))

    def leaning(self, evidence: Evidence) -> float:
        """What speaks for a piece of evidence beside the reader."""
        if self.beyond_doubt(evidence):
            return CERTAIN
        leaning = MEANT * self.said.intent.chance("product_question", "availability")
        if evidence.kind is Kind.STOCK:
            named = evidence.name in self.comes_in or _names(self.asked, evidence.name)
            leaning += (NAMED + STOCKED * self.said.intent.chance("availability")) * named
        elif evidence.kind is Kind.ATTRIBUTE:
            leaning += NAMED * (_names(self.asked, evidence.name) or evidence.name in self.has)
        return leaning

    def beyond_doubt(self, evidence: Evidence) -> bool:
        """Whether the question asks for just this: a value that it names, what the product is about, or its stock."""
        if evidence.kind is Kind.DESCRIPTION:
            return evidence.opening and self.said.is_question and WHAT_ABOUT.search(self.asked.text) is not None
        if evidence.kind is Kind.ATTRIBUTE:
            return evidence.name in self.has and bool(self.said.references) and self.said.is_question
        if evidence.kind is not Kind.STOCK or self.said.intent.name != "availability":
            return False
        of_these = evidence.name in self.comes_in if self.comes_in else not evidence.name
        return of_these and calls_by_name(self.asked.text, self.of)


def _values_asked(said: Understanding, product: Product, lexicon: Lexicon) -> dict[str, tuple[str, ...]]:
    """The values that a question asks of a product, by attribute; none where it names a kind ("and wool rugs?"), or where
    they are the product's name ("is the silk shift dress back?")."""
    if (said.goals and not said.references) or calls_by_name(said.text, product):
        return {}
    asked: dict[str, tuple[str, ...]] = {}
    for c in (c for c in said.constraints if c.attribute != TEXT and not lexicon.names_kind(c.attribute)):
        asked[c.attribute] = (*asked.get(c.attribute, ()), c.value)
    return asked


def _names(asked: Asked, attribute: str) -> bool:
    """Whether a question says the name of an attribute."""
    name = attribute_name(attribute, asked.language)
    if asked.language == "zh":
        return bool(name) and name in asked.text
    return bool(terms(name)) and terms(name) <= terms(asked.text)


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


def _from_reviews(product: Product, asked: Asked, ports: Ports) -> Answer | None:
    """What customers wrote on what is asked; where nobody asked for it, only what the reader takes for an answer."""
    others = asks_others(asked)
    subject = _without_kind(subject_of(asked), product) if others else asked
    opinion = opinion_on(subject, asked.language, remarks_of(product), ports.encoder)
    if opinion is None or not (others or ports.reader.answering(asked.text, [opinion.quote])[0] >= TELLING):
        return None
    text = opinion_text(opinion, asked.language)
    label = _say("review_label", asked.language, title=product.text("title", asked.language))
    details = {"positive": opinion.positive, "of": len(opinion.reviews), "read": opinion.read}
    near = opinion.near + (OTHERS if others else -UNASKED)
    name = " ".join(meanings(subject.text)[:1])
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
    return Asked(text.strip(), asked.language)


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
