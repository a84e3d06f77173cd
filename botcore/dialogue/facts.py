"""Products as facts: the words the model may use, the values behind its tags, the card the customer sees.

Every price and name that is ever sent passes through here, from one read of the database.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from botcore.channels.values import Card
from botcore.dialogue.brief import LETTERS, ItemFacts
from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import CATEGORY, KIND, TEXT, Meaning
from botcore.dialogue.state import Constraint, DialogueState
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import singular, stem, tokens
from catalog.models import Shop
from catalog.search import Candidate

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "JPY": "¥"}
WITHOUT_CENTS = {"JPY", "KRW"}
ATTRIBUTES_TOLD = {1: 4, 2: 3}
FEWEST_TOLD = 2
"""Attributes told of each item by the number of items, as in training: longer prompts help nobody."""
VALUES_TOLD = 3
FOUND_IN_TEXT = "style"
"""The attribute under which wishes that a product's texts hold are told: they are said before the noun, as styles are."""
SOLD_OUT = {"en": "sold out", "zh": "缺货"}
NOT_TOLD = {"brand", "sku", "promoted", "featured", "image", "size"}


@dataclass(frozen=True)
class Item:
    """One product of a reply with the variant it stands for. ``words`` are attribute words in the reply's language."""

    letter: str
    sku: str
    variant_id: int
    title: str
    kind: str
    category: str
    price: Decimal
    currency: str
    stock: int
    words: dict[str, str]
    slots: dict[str, str]
    attributes: dict[str, list[str]]
    image: str
    url: str
    warning: str = ""
    """What a customer must know before anything else: that it is sold out."""

    def facts(self) -> ItemFacts:
        return ItemFacts(self.letter, self.kind, self.words, self.slots)

    def card(self) -> Card:
        detail = ", ".join([*filter(None, [self.warning]), *self.words.values()][:3])
        return Card(self.sku, self.title, self.slots["price"], detail, media_url(self.image), self.url)

    def to_json(self) -> dict[str, Any]:
        return {
            "letter": self.letter,
            "sku": self.sku,
            "name": self.title,
            "price": str(self.price),
            "currency": self.currency,
            "category": self.category,
            "attributes": self.attributes,
            "stock": self.stock,
            "image": media_url(self.image),
        }


def format_price(amount: Decimal, currency: str) -> str:
    """``$49.99``, ``$1,200`` (no cents where there are none), ``CHF 20``."""
    whole = amount == amount.to_integral() or currency in WITHOUT_CENTS
    number = f"{amount:,.0f}" if whole else f"{amount:,.2f}"
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{currency} {number}"


def media_url(path: str) -> str:
    """The absolute address of a product's picture, "" where there is none."""
    if not path or path.startswith(("http://", "https://")):
        return path
    return f"{settings.PUBLIC_URL}{settings.MEDIA_URL}{path}"


def items_of(
    candidates: Sequence[Candidate], shop: Shop, state: DialogueState, lexicon: Lexicon, first: str = ""
) -> tuple[Item, ...]:
    """Candidates as lettered items, the attribute ``first`` and facts about wishes before others."""
    told = ATTRIBUTES_TOLD.get(len(candidates), FEWEST_TOLD)
    pairs = zip(LETTERS, candidates, strict=False)
    return tuple(_item(letter, candidate, shop, state, lexicon, told, first) for letter, candidate in pairs)


def satisfied(candidate: Candidate, constraint: Constraint) -> bool:
    """Whether the product's own data or text support a wanted wish."""
    product, variant = candidate.product, candidate.variant
    if constraint.attribute == KIND:
        return (constraint.value in product.title.lower()) == constraint.wanted
    if constraint.attribute == CATEGORY:
        return f"{product.category.path}/".startswith(f"{constraint.value}/") == constraint.wanted
    if constraint.attribute != TEXT:
        values = variant.attributes.get(constraint.attribute) or product.attributes.get(constraint.attribute, ())
        return (not set(constraint.named).isdisjoint(values)) == constraint.wanted
    held = {stem(t.text) for t in tokens(f"{product.title} {product.description} {product.document}".lower())}
    phrases = thesaurus().alternatives(constraint.value) if constraint.wanted else (constraint.value,)
    found = any(all(stem(part) in held for part in re.findall(r"[\w']+", phrase.lower())) for phrase in phrases)
    return found == constraint.wanted


def _item(
    letter: str, candidate: Candidate, shop: Shop, state: DialogueState, lexicon: Lexicon, told: int, first: str
) -> Item:
    product, variant, language = candidate.product, candidate.variant, state.language
    attributes = {**product.attributes, **variant.attributes}
    words, numbers = _attribute_words(attributes, candidate, state, lexicon, told, first)
    title = product.text("title", language)
    slots = {"name": title, "price": format_price(variant.price, shop.currency)}
    if product.rating and product.rating_count:
        slots["rating"] = f"{product.rating:.1f}/5" if language == "zh" else f"{product.rating:.1f} out of 5"
        slots["reviews"] = str(product.rating_count)
    slots.update(numbers)
    return Item(
        letter=letter,
        sku=product.sku,
        variant_id=variant.pk,
        title=title,
        kind=lexicon.noun(product.category.path, product.title, language)
        if product.category.path in lexicon.categories
        else singular(product.category.name.lower()),
        category=product.category.path,
        price=variant.price,
        currency=shop.currency,
        stock=variant.stock,
        words=words,
        slots=slots,
        attributes=product.attributes,
        image=variant.image or product.image,
        url=product.url,
        warning="" if variant.stock > 0 else SOLD_OUT.get(language, SOLD_OUT["en"]),
    )


def _attribute_words(
    attributes: dict[str, list[str]],
    candidate: Candidate,
    state: DialogueState,
    lexicon: Lexicon,
    most: int,
    first: str,
) -> tuple[dict[str, str], dict[str, str]]:
    """What may be said of a product: attribute words, those wished for first, and slots for values with digits."""
    wished = [c for c in state.constraints if c.wanted and satisfied(candidate, c)]
    order = [first, *(c.attribute for c in wished if c.attribute != TEXT), *attributes]
    words: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for attribute in dict.fromkeys(order):
        values = attributes.get(attribute) or []
        if attribute in NOT_TOLD or not values or not re.fullmatch(r"[a-z_]+", attribute):
            continue
        if any(character.isdigit() for value in values for character in value):
            if len(values) == 1 and len(values[0]) <= 30 and len(numbers) < 2:
                numbers[attribute] = values[0]
        elif len(words) < most and all(len(value) <= 40 for value in values):
            wanted = [c.value for c in wished if c.attribute == attribute]
            told = [*wanted, *(v for v in values if v not in wanted)][:VALUES_TOLD]
            joiner = "、" if state.language == "zh" else ", "
            words[attribute] = joiner.join(lexicon.name(Meaning(attribute, v), state.language) for v in told)
    texts = [lexicon.name(Meaning(TEXT, c.value), state.language) for c in wished if c.attribute == TEXT and c.hard]
    new = [text for text in texts if not any(text in value for value in words.values())]
    if new:
        known = [words[FOUND_IN_TEXT]] if FOUND_IN_TEXT in words else []
        words[FOUND_IN_TEXT] = ("、" if state.language == "zh" else ", ").join([*new, *known])
    return words, numbers
