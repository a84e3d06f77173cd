"""A shop's vocabulary, read from its catalogue: which phrases name a category or an attribute's value.

Nothing here is a list in the code: a new shop's words work after its import. The automaton is rebuilt when the
catalogue has changed; matching is one pass over the message.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import ahocorasick
from django.db import connection
from django.db.models import Max
from django.db.models.functions import Mod
from rapidfuzz import process
from rapidfuzz.distance import OSA

from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, Token, singular, stem, tokens
from catalog.models import AttributeValue, Category, Product, Shop
from catalog.text import simplified

CATEGORY = "category"
TEXT = "text"
RECHECK_SECONDS = 5.0
READ_AT_ONCE = 5_000
"""Products that are read in less than half a second: a customer may wait for their words."""
READING_SHARE = 0.02
TITLES = 50_000
"""So many titles tell in which category things are."""


class Meaning(NamedTuple):
    """What a phrase stands for: a category path, an attribute's value, or a word looked up in all texts."""

    attribute: str
    value: str


@dataclass(frozen=True)
class Match:
    """A phrase of a message that the shop knows, by token positions ``[first, last)``; several meanings are ambiguous."""

    first: int
    last: int
    phrase: str
    meanings: tuple[Meaning, ...]


@dataclass(frozen=True)
class CategoryWords:
    """How replies name a category: ``noun`` is its singular."""

    path: str
    name: str
    noun: str
    chinese: str
    products: int


@dataclass
class Lexicon:
    """One shop's vocabulary, frozen after :func:`lexicon_of` has built it.

    ``placed`` tells in which categories an attribute's value occurs, ``implied`` in which category a thing is
    that no category is named after ("humidifier").
    """

    categories: dict[str, CategoryWords] = field(default_factory=dict)
    attributes: dict[str, dict[str, int]] = field(default_factory=dict)
    names: dict[Meaning, dict[str, list[str]]] = field(default_factory=dict)
    phrases: dict[str, tuple[str, set[Meaning]]] = field(default_factory=dict)
    placed: dict[Meaning, set[str]] = field(default_factory=dict)
    implied: dict[str, str] = field(default_factory=dict)
    document_stems: dict[str, int] = field(default_factory=dict)
    spellings: dict[int, list[str]] = field(default_factory=dict)
    surfaces: set[str] = field(default_factory=set)
    automaton: ahocorasick.Automaton = field(default_factory=ahocorasick.Automaton)
    size: int = 0

    def match(self, words: list[Token]) -> list[Match]:
        """Known phrases, longest first, not overlapping, in the order of the message."""
        keys = [_key(token) for token in words]
        text = " " + " ".join(keys) + " "
        starts = _offsets(keys)
        found = []
        for end, (length, phrase, meanings) in self.automaton.iter(text):
            first = starts.get(end - length + 2)
            last = starts.get(end + 1)
            if first is not None and last is not None and not _idle(words, first, last, phrase, meanings):
                found.append(Match(first, last, phrase, meanings))
        return _longest(found)

    def learn(self, phrase: str, *meanings: Meaning) -> None:
        """Let a phrase (its stems) stand for something."""
        if key := " ".join(_key(token) for token in tokens(simplified(phrase))):
            self.phrases.setdefault(key, (phrase, set()))[1].update(meanings)
            self.surfaces.update(phrase.split())

    def meanings(self, phrase: str) -> set[Meaning]:
        """What a phrase stands for so far."""
        return self.phrases.get(" ".join(_key(token) for token in tokens(phrase)), ("", set()))[1]

    def holds(self, path: str, meaning: Meaning) -> bool:
        """Whether some product below a category has the value."""
        return any((place + "/").startswith(path + "/") for place in self.placed.get(meaning, ()))

    def knows(self, word: str) -> bool:
        """Whether any text of the shop holds the word (by stem)."""
        return stem(word) in self.document_stems

    def category_chain(self, path: str) -> Iterator[str]:
        """The path and its ancestors, nearest first."""
        while path:
            yield path
            path = path.rpartition("/")[0]

    def children(self, path: str) -> list[CategoryWords]:
        """The categories right below ``path`` ("" for the departments), largest first."""
        depth = path.count("/") + 1 if path else 0
        below = [c for c in self.categories.values() if c.path.count("/") == depth and c.path.startswith(path)]
        return sorted(below, key=lambda c: -c.products)

    def correct(self, word: str) -> str:
        """The word, or the vocabulary's word it must be a misspelling of: one edit, two in words of eight letters on.

        Only words that nobody knows are corrected, and only towards words that name something.
        """
        if len(word) < 4 or word in FUNCTION_WORDS or self.knows(word) or word in COMMON_WORDS:
            return word
        limit = 2 if len(word) >= 8 else 1
        choices = [
            c for length in range(len(word) - limit, len(word) + limit + 1) for c in self.spellings.get(length, ())
        ]
        near = process.extract(word, choices, scorer=OSA.distance, score_cutoff=limit, limit=20)
        alike = [(distance, -self._weight(other), other) for other, distance, _ in near if other[0] == word[0]]
        return min(alike)[2] if alike else word

    def _weight(self, word: str) -> int:
        """How likely a word is what was meant: in how many texts it stands; words of price and place always."""
        return self.size + 1 if word in CUES else self.document_stems.get(stem(word), 0)

    def name(self, meaning: Meaning, language: str) -> str:
        """What a reply calls a category or value in ``language``."""
        if meaning.attribute == CATEGORY and (category := self.categories.get(meaning.value)):
            return category.chinese if language == "zh" else category.noun
        if language != "en" and (names := self.names.get(meaning, {}).get(language)):
            return names[0]
        return thesaurus().chinese_name(meaning.value) if language == "zh" else meaning.value


COMMON_WORDS = frozenset(
    """where there their write wrote while white's think thing could would should about again please sorry hello thanks
    tyres tires types cheap cheaper under below price prices maybe order return refund deliver delivery ship shipping
    first second third last those these other different between person human agent manager speak talk help
    long does have send back pays paid work works still every always never today tomorrow week month year time
    cash card cheque check visa gift code coupon colour color size fast""".split()
)
"""Plain words that are one edit away from some product's name somewhere, and must not become it."""

CUES = frozenset(
    "under below less than cheaper cheapest expensive "
    "around about between bucks dollars euros pounds budget without something looking "
    "compare difference first second third fourth last".split()
)


@dataclass
class _Kept:
    """A shop's lexicon in this process: of which catalogue it is, when that was looked up, when it may be read again."""

    lexicon: Lexicon
    version: object
    checked: float
    due: float = 0.0
    reading: bool = False


_cache: dict[int, _Kept] = {}
_lock = threading.Lock()


def lexicon_of(shop: Shop) -> Lexicon:
    """The shop's lexicon, built again when its catalogue has changed (looked up at most every few seconds).

    A large catalogue is read beside the conversation, which goes on with the words it has, and seldom: reading takes at most
    a ``READING_SHARE`` of the time.
    """
    with _lock:
        kept, now = _cache.get(shop.pk), time.monotonic()
        if kept and (now - kept.checked < RECHECK_SECONDS or kept.reading or now < kept.due):
            return kept.lexicon
        version = _version(shop)
        if kept is None or (version != kept.version and kept.lexicon.size <= READ_AT_ONCE):
            kept = _cache[shop.pk] = _Kept(_build(shop), version, time.monotonic())
        elif version != kept.version:
            kept.reading = True
            threading.Thread(target=_read_beside, args=(shop, version), daemon=True, name="lexicon").start()
        kept.checked = time.monotonic()
        return kept.lexicon


def _read_beside(shop: Shop, version: object) -> None:
    """Build the lexicon of a changed catalogue on a connection of its own."""
    begun = time.monotonic()
    try:
        lexicon = _build(shop)
    finally:
        connection.close()
        with _lock:
            kept, now = _cache[shop.pk], time.monotonic()
            kept.reading, kept.checked, kept.due = False, now, now + (now - begun) / READING_SHARE
    kept.lexicon, kept.version = lexicon, version


def _version(shop: Shop) -> object:
    return (
        Product.objects.filter(shop=shop).aggregate(last=Max("updated_at"))["last"],
        AttributeValue.objects.filter(shop=shop).count(),
        Category.objects.filter(shop=shop).count(),
    )


def _build(shop: Shop) -> Lexicon:
    lexicon = Lexicon(size=Product.objects.filter(shop=shop, active=True).count())
    lexicon.document_stems = _document_stems(shop)
    _read_categories(shop, lexicon)
    _read_values(shop, lexicon)
    _read_places(shop, lexicon)
    _bridge(lexicon)
    _bridge_people(lexicon)
    _read_titles(shop, lexicon)
    for key, (phrase, meanings) in lexicon.phrases.items():
        lexicon.automaton.add_word(f" {key} ", (len(key) + 2, phrase, tuple(sorted(meanings))))
    lexicon.automaton.make_automaton()
    for word in lexicon.surfaces | CUES:
        if word.isascii() and word.isalpha() and len(word) >= 4:
            lexicon.spellings.setdefault(len(word), []).append(word)
    return lexicon


def _read_categories(shop: Shop, lexicon: Lexicon) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.path, c.name, c.translations, c.aliases, count(p.id) FROM catalog_category c"
            " LEFT JOIN catalog_product p ON p.category_id = c.id AND p.active WHERE c.shop_id = %s GROUP BY c.id",
            [shop.pk],
        )
        rows = cursor.fetchall()
    for path, name, translations, aliases, products in rows:
        translations = json.loads(translations) if isinstance(translations, str) else translations
        aliases = json.loads(aliases) if isinstance(aliases, str) else aliases
        english = name.lower()
        chinese = (translations.get("zh") or {}).get("name") or thesaurus().chinese_name(singular(english))
        lexicon.categories[path] = CategoryWords(path, name, singular(english), chinese, products)
        noun = singular(english)
        for phrase in {english, noun, f"{noun}s", chinese, *(str(a).lower() for a in aliases)}:
            lexicon.learn(phrase, Meaning(CATEGORY, path))
    for path, words in list(lexicon.categories.items()):
        total = sum(c.products for c in lexicon.categories.values() if (c.path + "/").startswith(path + "/"))
        lexicon.categories[path] = CategoryWords(path, words.name, words.noun, words.chinese, total)


def _read_values(shop: Shop, lexicon: Lexicon) -> None:
    rows = AttributeValue.objects.filter(shop=shop, product_count__gt=0)
    for attribute, value, names, count in rows.values_list("attribute", "value", "names", "product_count"):
        lexicon.attributes.setdefault(attribute, {})[value] = count
        meaning = Meaning(attribute, value)
        lexicon.names[meaning] = names
        if value.replace(".", "").isdigit() or (len(value) < 2 and not CHINESE.match(value)):
            continue
        if value in FUNCTION_WORDS or value in ("yes", "no", "true", "false"):
            continue
        for phrase in {value, *(str(n).lower() for listed in names.values() for n in listed)}:
            lexicon.learn(phrase, meaning)


def _read_places(shop: Shop, lexicon: Lexicon) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.path, a.key, v.value FROM catalog_product p JOIN catalog_category c ON c.id = p.category_id,"
            " jsonb_each(p.attributes) a, jsonb_array_elements_text(a.value) v WHERE p.shop_id = %s AND p.active"
            " UNION SELECT DISTINCT c.path, a.key, v.value FROM catalog_variant w JOIN catalog_product p ON p.id = w.product_id"
            " JOIN catalog_category c ON c.id = p.category_id,"
            " jsonb_each(w.attributes) a, jsonb_array_elements_text(a.value) v WHERE p.shop_id = %s AND p.active",
            [shop.pk, shop.pk],
        )
        paths = {path: path for path in lexicon.categories}  # one string a path, however many values it holds
        for path, attribute, value in cursor.fetchall():
            lexicon.placed.setdefault(Meaning(attribute, value), set()).add(paths.get(path, path))


IMPLIES_SHARE, IMPLIES_PRODUCTS = 0.85, 2
"""A thing belongs to a category when so many products are called so there, and so few elsewhere."""


def _read_titles(shop: Shop, lexicon: Lexicon) -> None:
    """Learn in which category the things are that no category is named after: a humidifier is in "Air & Climate"."""
    holders: defaultdict[str, set[int]] = defaultdict(set)
    places: dict[int, str] = {}
    step = max(1, lexicon.size // TITLES)
    some = Product.objects.filter(shop=shop, active=True).annotate(place=Mod("pk", step)).filter(place=0)
    for pk, title, path in some.values_list("pk", "title", "category__path").iterator():
        places[pk] = path
        for token in tokens(title.lower()):
            holders[_key(token)].add(pk)
    values = {
        key
        for key, (_, meanings) in lexicon.phrases.items()
        if any(m.attribute in lexicon.attributes for m in meanings)
    }
    parts = {part for key in values for part in key.split()}
    for thing in thesaurus().things:
        called: set[int] = set()
        for phrase in thesaurus().alternatives(thing):
            keys = [_key(token) for token in tokens(phrase.lower())]
            if phrase == thing or not parts.issuperset(keys):  # "oxford" is a fabric before it is a shoe
                called |= set.intersection(*(holders.get(key, set()) for key in keys))
        counted = Counter(places[pk] for pk in called)
        if counted:
            path, products = counted.most_common(1)[0]
            if products >= IMPLIES_PRODUCTS and products >= IMPLIES_SHARE * counted.total():
                lexicon.implied[thing] = path


def _bridge(lexicon: Lexicon) -> None:
    """Let the thesaurus's words reach the shop's: its categories and values, or words that its texts hold.

    The shop's own phrases are never given another meaning. A thing that the shop has no word for is still understood in
    Chinese, where no spaces show an unknown word, so that it can be declined. A compound of a category of its own
    ("rain jacket" where it has jackets) is left to the grammar, which knows the head from what modifies it.
    """
    words = thesaurus()
    own = set(lexicon.phrases)
    for concept, others in words.same.items():
        english = [concept, *(str(o).lower() for o in others.get("en", ()))]
        reached = set().union(*(lexicon.meanings(phrase) & _named(lexicon, own, phrase) for phrase in english))
        if not reached and all(lexicon.knows(part) for part in concept.split()):
            reached = {Meaning(TEXT, concept)}
        chinese = [str(o).lower() for o in others.get("zh", ())]
        if not reached and concept in words.things:
            english, reached = [], {Meaning(TEXT, concept)}
        for phrase in (*english, *chinese):
            key = " ".join(_key(token) for token in tokens(phrase))
            if reached and key not in own and not _compound_of(key, own, reached):
                lexicon.learn(phrase, *reached)


def _named(lexicon: Lexicon, own: set[str], phrase: str) -> set[Meaning]:
    key = " ".join(_key(token) for token in tokens(phrase))
    return lexicon.phrases[key][1] if key in own else set()


def _compound_of(key: str, own: set[str], reached: set[Meaning]) -> bool:
    """Whether an English phrase ends in a name of the shop's own and would only be looked up as text."""
    return " " in key and key.rpartition(" ")[2] in own and all(m.attribute == TEXT for m in reached)


def _bridge_people(lexicon: Lexicon) -> None:
    """Let words for people stand for the shop's own value of whom a thing is for, if it has one."""
    for value, others in thesaurus().people.items():
        meanings = [m for m in lexicon.meanings(value) if m.attribute in lexicon.attributes]
        for phrase in (str(word) for words in others.values() for word in words):
            if meanings and not lexicon.meanings(phrase):
                lexicon.learn(phrase, *meanings)


SUBJECTS = {"i", "you", "he", "she", "we", "they", "who", "ever", "just", "never"}


def _idle(words: list[Token], first: int, last: int, phrase: str, meanings: tuple[Meaning, ...]) -> bool:
    """Whether a match is only an everyday word that some name happens to share ("person", "in stock", "I saw", "run")."""
    word = words[first].text
    if last - first == 1 and phrase.endswith(("ing", "ed")) and not word.endswith(phrase[-2:]):
        return True
    if last - first > 1 or word not in FUNCTION_WORDS:
        return False
    verb = first > 0 and words[first - 1].text in SUBJECTS
    return verb or singular(word) != singular(phrase) or all(m.attribute == TEXT for m in meanings)


def _document_stems(shop: Shop) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, ndoc FROM ts_stat(format('SELECT search_vector FROM catalog_product"
            " WHERE shop_id = %%s AND active', %s::bigint))",
            [shop.pk],
        )
        return dict(cursor.fetchall())


def _key(token: Token) -> str:
    return stem(token.text) if token.is_word else token.text


def _offsets(keys: Iterable[str]) -> dict[int, int]:
    """Character offset in the joined text -> index of the token that begins there (one past the end included)."""
    offsets, position = {}, 1
    index = 0
    for index, key in enumerate(keys):
        offsets[position] = index
        position += len(key) + 1
    offsets[position] = index + 1
    return offsets


def _longest(found: list[Match]) -> list[Match]:
    chosen: list[Match] = []
    taken: set[int] = set()
    for match in sorted(found, key=lambda m: (m.first - m.last, m.first)):
        places = range(match.first, match.last)
        if taken.isdisjoint(places):
            chosen.append(match)
            taken.update(places)
    return sorted(chosen, key=lambda m: m.first)
