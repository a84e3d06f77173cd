"""A shop's vocabulary, read from its catalogue: which phrases name a category or an attribute's value.

Nothing here is a list in the code: a new shop's words work after its import. The automaton is rebuilt when the
catalogue has changed; matching is one pass over the message.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import ahocorasick
import rjieba
from django.db import connection
from django.db.models import Max
from django.db.models.functions import Mod
from rapidfuzz import process
from rapidfuzz.distance import OSA

from botcore.dialogue.kinds import MOST, chinese_names, kinds_in
from botcore.dialogue.meanings import CATEGORY, LACKS, TEXT, Match, Meaning
from botcore.dialogue.measures import limit_name
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import CHINESE, ENGLISH_WORDS, FUNCTION_WORDS, PLAIN, Token, singular, stem, tokens
from catalog.models import AttributeValue, Category, Product, Shop
from catalog.text import segment, simplified

RECHECK_SECONDS = 5.0
READ_AT_ONCE = 5_000
"""Products that are read in less than half a second: a customer may wait for their words."""
READING_SHARE = 0.02
TITLES = 50_000
"""So many titles tell in which category things are."""


@dataclass(frozen=True)
class CategoryWords:
    """How replies name a category: ``noun`` is its singular."""

    path: str
    name: str
    noun: str
    chinese: str
    products: int
    aliases: tuple[str, ...] = ()


@dataclass
class Lexicon:
    """One shop's vocabulary, frozen after :func:`lexicon_of` has built it.

    ``placed`` tells in how many products of which categories a value occurs, ``implied`` in which category a thing is
    that no category is named after ("humidifier"), ``kinds`` leads from a category and one of its other names to the word
    that tells those products by their titles. ``surfaces`` are the words of all phrases, ``called`` the names of categories
    as they were learned. ``slips`` leads from Chinese phrases with one character left open to the phrases and the
    character.
    """

    categories: dict[str, CategoryWords] = field(default_factory=dict)
    attributes: dict[str, dict[str, int]] = field(default_factory=dict)
    names: dict[Meaning, dict[str, list[str]]] = field(default_factory=dict)
    phrases: dict[str, tuple[str, set[Meaning]]] = field(default_factory=dict)
    placed: dict[Meaning, dict[str, int]] = field(default_factory=dict)
    implied: dict[str, str] = field(default_factory=dict)
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)
    document_stems: dict[str, int] = field(default_factory=dict)
    spellings: dict[int, list[str]] = field(default_factory=dict)
    surfaces: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    automaton: ahocorasick.Automaton = field(default_factory=ahocorasick.Automaton)
    chinese: set[str] = field(default_factory=set)
    slips: dict[str, list[str]] = field(default_factory=dict)
    size: int = 0

    def match(self, words: list[Token]) -> list[Match]:
        """Known phrases, longest first, not overlapping, in the order of the message."""
        found = self._found(words)
        chosen = _longest(_whole(words, found))
        return [replace(match, inner=_inner(match, found)) for match in chosen]

    def by_head(self, words: list[Token], match: Match) -> list[Match]:
        """An English value as a kind of what its last word names, where that never has the value: a "quiet fan" is a part of air
        fryers, and of fans it says that they are quiet."""
        first, last = match.first, match.last - 1
        heads = self.match(words[last : match.last]) if last > first and words[last].is_word else []
        paths = [x.value for m in heads for x in m.meanings if x.attribute == CATEGORY]
        if not paths or any(self.holds(path, x) for path in paths for x in match.meanings):
            return [match]
        before = [replace(m, first=m.first + first, last=m.last + first) for m in self.match(words[first:last])]
        return [*before, *(replace(m, first=last, last=match.last) for m in heads)]

    def _found(self, words: list[Token]) -> list[Match]:
        """Every known phrase of a message, overlapping ones too."""
        places = [i for i, token in enumerate(words) if token.text != "-"]
        keys = [_key(words[i]) for i in places]
        text = " " + " ".join(keys) + " "
        starts = _offsets(keys)
        found = []
        for end, (length, phrase, meanings) in self.automaton.iter(text):
            begun, ended = starts.get(end - length + 2), starts.get(end + 1)
            if begun is None or ended is None:
                continue
            first, last = places[begun], places[ended - 1] + 1
            if not self._is_idle(words, first, last, phrase, meanings):
                found.append(Match(first, last, phrase, meanings))
        return found

    def _is_idle(self, words: list[Token], first: int, last: int, phrase: str, meanings: tuple[Meaning, ...]) -> bool:
        """Whether a match is only an everyday word that some name happens to share ("person", "in stock", "I saw", "run")."""
        word = words[first].text
        if last - first > 1:
            return False
        if words[first].is_word and _names_category(meanings):
            if singular(word) != singular(phrase) and self.called.isdisjoint((word, singular(word))):
                return True  # "dressier" is no dress
        elif phrase.endswith(("ing", "ed")) and not word.endswith(phrase[-2:]):
            return True
        if word not in FUNCTION_WORDS:
            return False
        if any(m.value == word for m in meanings):  # "for the evening", "as a gift"; not "good evening"
            return not _is_purpose(words, first)
        verb = first > 0 and words[first - 1].text in SUBJECTS
        return verb or singular(word) != singular(phrase) or all(m.attribute == TEXT for m in meanings)

    def learn(self, phrase: str, *meanings: Meaning) -> None:
        """Let a phrase (its stems) stand for something."""
        if key := phrase_key(phrase):
            self.phrases.setdefault(key, (phrase, set()))[1].update(meanings)
            if _names_category(meanings):
                self.called.add(phrase)
            self.surfaces.update(phrase.split())
            self.surfaces.add(f"{phrase.rpartition(' ')[2]}s")

    def meanings(self, phrase: str) -> set[Meaning]:
        """What a phrase stands for so far."""
        return self.phrases.get(phrase_key(phrase), ("", set()))[1]

    def holds(self, path: str, meaning: Meaning) -> bool:
        """Whether some product below a category has the value."""
        return self.held(path, meaning) > 0

    def held(self, path: str, meaning: Meaning) -> int:
        """How many products below a category have the value."""
        return sum(n for place, n in self.placed.get(meaning, {}).items() if (place + "/").startswith(path + "/"))

    def held_in(self, path: str) -> dict[str, dict[str, int]]:
        """The attributes of the products below a category ("" for all) with their values and in how many each occurs."""
        if not path:
            return self.attributes
        found: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for meaning in self.placed:
            if products := self.held(path, meaning):
                found[meaning.attribute][meaning.value] = products
        return found

    def says(self, path: str, attribute: str) -> bool:
        """Whether products below a category ("" for any) say anything of an attribute."""
        return not path or any(m.attribute == attribute and self.holds(path, m) for m in self.placed)

    def tells(self, path: str, meaning: Meaning) -> bool:
        """Whether a value narrows a category: some of its products have it, others do not."""
        return 0 < self.held(path, meaning) < self.categories[path].products

    def knows(self, word: str) -> bool:
        """Whether any text of the shop holds the word (by stem)."""
        return stem(word) in self.document_stems

    def kind(self, path: str, phrase: str) -> str:
        """The kind of a category's products that a phrase names, in the words of their titles; "" for none.

        What the thesaurus knows by the same concept names the same kind; what it knows by the concept of the category
        itself names none ("rucksack" where there are backpacks and daypacks), nor what is of several kinds that the products
        are told apart by ("face mask" where there are sheet masks and clay masks).
        """
        words, category = thesaurus(), self.categories[path]
        if kind := self.kinds.get((path, phrase_key(phrase))):
            return kind
        concepts = (
            *words.chinese.get(phrase, ()),
            *words.english.get(phrase, ()),
            *words.english.get(singular(phrase), ()),
        )
        names = [phrase, *(name for concept in concepts for name in words.alternatives(concept))]
        if kind := next((kind for name in concepts if (kind := self.kinds.get((path, phrase_key(name))))), ""):
            return kind
        told_apart = {name for name in names if any(self.holds(path, x) for x in self.meanings(name))}
        if len(told_apart) > 1:
            return ""
        if {category.noun, category.name.lower(), category.chinese}.intersection([*names, *map(singular, names)]):
            return ""
        return next((kind for name in names if (kind := self.kinds.get((path, phrase_key(name))))), "")

    def kinds_called(self, path: str, word: str) -> set[str]:
        """The kinds of a category's products that have a word in one of their names ("robot", "机器人")."""
        key = phrase_key(word)
        return {kind for (place, name), kind in self.kinds.items() if place == path and f" {key} " in f" {name} "}

    def leaves(self) -> list[str]:
        """The categories that have none below them."""
        return [p for p in self.categories if not any(q.startswith(p + "/") for q in self.categories)]

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
        if word in FUNCTION_WORDS or word in COMMON_WORDS or word in ENGLISH_WORDS or self.knows(word):
            return word
        if self.meanings(word) or word.partition("'")[0] in FUNCTION_WORDS:  # "he's" is no "hers"
            return word
        if len(word) < 4:
            return self._shortened(word)
        if parts := self._run_together(word):
            return parts
        limit = 2 if len(word) >= 8 else 1
        choices = [
            c for length in range(len(word) - limit, len(word) + limit + 1) for c in self.spellings.get(length, ())
        ]
        near = process.extract(word, choices, scorer=OSA.distance, score_cutoff=limit, limit=20)
        alike = [(distance, -self._weight(other), other) for other, distance, _ in near if other[0] == word[0]]
        return min(alike)[2] if alike else word

    def apart(self, first: str, second: str) -> bool:
        """Whether two words are one name written apart ("every day", "hard cover"), and name nothing as they stand."""
        valued = any(m.attribute in self.attributes for m in self.meanings(first + second))
        return valued and f"{first} {second}".isascii() and not self.meanings(f"{first} {second}")

    def _shortened(self, word: str) -> str:
        """The name that a word without vowels stands for ("grn"), if it is the only one."""
        if len(word) != 3 or set(word) & set("aeiou"):
            return word
        names = [n for length in (4, 5, 6) for n in self.spellings.get(length, ()) if re.sub("[aeiou]", "", n) == word]
        return names[0] if len(names) == 1 else word

    def _run_together(self, word: str) -> str:
        """Two names written as one word, apart; "" where it is none."""
        for cut in range(4, len(word) - 3):
            if word[:cut] in self.surfaces and word[cut:] in self.surfaces:
                return f"{word[:cut]} {word[cut:]}"
        return ""

    def _weight(self, word: str) -> int:
        """How likely a word is what was meant: in how many texts it stands; words of price and place always."""
        return self.size + 1 if word in CUES else self.document_stems.get(stem(word), 0)

    def noun(self, path: str, title: str, language: str) -> str:
        """What a reply calls a product of a category: its kind where the title tells one, else the category's noun."""
        told = [kind for (place, _), kind in self.kinds.items() if place == path and kind in title.lower()]
        if told:
            kind = max(told, key=len)
            return thesaurus().chinese_name(kind) if language == "zh" else kind
        return self.name(Meaning(CATEGORY, path), language)

    def name(self, meaning: Meaning, language: str) -> str:
        """What a reply calls a category, a value or a limit in ``language``."""
        if limit := limit_name(meaning.value, language):
            return limit
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
    _read_absences(lexicon)
    titles = _titles(shop, lexicon)
    _read_kinds(lexicon, titles)
    parts = _parts(lexicon)
    _bridge(lexicon, parts)
    _bridge_people(lexicon)
    for word, meanings in parts.items():
        if not {m.attribute for m in lexicon.meanings(word)} - {m.attribute for m in meanings} - {LACKS, TEXT}:
            lexicon.learn(word, *meanings)
    _read_things(lexicon, titles)
    for key, (phrase, meanings) in lexicon.phrases.items():
        lexicon.automaton.add_word(f" {key} ", (len(key) + 2, phrase, tuple(sorted(meanings))))
        if len(phrase) > 1 and all(map(CHINESE.match, phrase)):
            lexicon.chinese.add(phrase)
            if any(m.attribute != TEXT for m in meanings):
                for place in range(len(phrase)):
                    lexicon.slips.setdefault(phrase[:place] + "?" + phrase[place + 1 :], []).append(phrase)
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
        others = tuple(str(alias).lower() for alias in aliases)
        lexicon.categories[path] = CategoryWords(path, name, singular(english), chinese, products, others)
        noun = singular(english)
        for phrase in dict.fromkeys((english, noun, f"{noun}s", chinese, *others)):
            lexicon.learn(phrase, Meaning(CATEGORY, path))
            if len(phrase) == 2 and phrase.endswith("子") and phrase[0] not in NO_NOUNS:
                lexicon.learn(phrase[0], Meaning(CATEGORY, path))
    for path, words in list(lexicon.categories.items()):
        total = sum(c.products for c in lexicon.categories.values() if (c.path + "/").startswith(path + "/"))
        lexicon.categories[path] = replace(words, products=total)


NO_NOUNS = frozenset("被带瓶盒箱袋包条件双片个")
"""Characters that are other words without their 子; a boot is 靴 as well as 靴子."""


PART_SHARE = 0.34
"""A word in a larger share of an attribute's values is what they are values of ("skin"), not one of them."""


def _parts(lexicon: Lexicon) -> dict[str, set[Meaning]]:
    """The words that stand for the longer values containing them: "leather" for full-grain leather and vegan leather."""
    parts: defaultdict[str, set[Meaning]] = defaultdict(set)
    kinds = {
        part
        for phrase, meanings in lexicon.phrases.values()
        if _names_category(meanings)
        for part in _kind_words(phrase)
    }
    for meaning, names in lexicon.names.items():
        for name in {meaning.value, *(str(n).lower() for n in names.get("zh", ()))}:
            for word in () if PRIVATIVE.fullmatch(name) else (*_pieces(name), *_before_noun(name)):
                if (
                    word != name
                    and word not in FUNCTION_WORDS
                    and word not in kinds
                    and not any(map(str.isdigit, word))
                ):
                    parts[word].add(meaning)
    told = {word: _beside_own(lexicon, word, meanings) for word, meanings in parts.items()}
    return {word: meanings for word, meanings in told.items() if meanings and _tells_part(lexicon, meanings)}


def _before_noun(name: str) -> Iterable[str]:
    """What stands before the noun of a Chinese name that is written as one word ("爱情" of "爱情小说")."""
    words = thesaurus()
    for place in range(2, len(name) - 1) if CHINESE.match(name) else ():
        if not words.things.isdisjoint(words.chinese.get(name[place:], ())):
            yield name[:place]


def _kind_words(phrase: str) -> Iterable[str]:
    """The words of a category's name that say which kind it is; what a Chinese one has in front is a value ("爱情小说")."""
    return _pieces(segment(phrase).split()[-1]) if CHINESE.match(phrase) else _pieces(phrase)


def _beside_own(lexicon: Lexicon, word: str, meanings: set[Meaning]) -> set[Meaning]:
    """The values that a word is part of; where it is a value itself, those of the same attribute ("recycled wool")."""
    own = {m.attribute for m in lexicon.meanings(word)} - {LACKS}
    return {m for m in meanings if m.attribute in own} if own else meanings


def _pieces(name: str) -> Iterable[str]:
    """The words of a name; a Chinese one also without the ending that only says what kind of value it is."""
    *modifiers, head = name.split(" ")
    whole = [
        word for word in modifiers if "-" not in word or PRIVATIVE.fullmatch(word)
    ]  # no "safe" of "dishwasher-safe basket"
    for word in segment(" ".join([*whole, head]).replace("-", " ")).split():
        bare = ENDING.sub("", word)
        for piece in {word, bare}:
            if len(piece) > (1 if CHINESE.match(piece) else 2):
                yield piece
    if CHINESE.match(name) and len(bare := ENDING.sub("", name)) > 1:
        yield bare


ENDING = re.compile(r"(?<=[\u3400-\u9fff])(?:器|式|用|版|款|型|色|味|质|里|装|模式|功能|配件|发质|肌肤|状)$")


ENDINGS = frozenset("式款型色味质装状")
"""Those of one character, which stand behind a value of one ("棒状")."""


def _names_category(meanings: Iterable[Meaning]) -> bool:
    return any(m.attribute == CATEGORY for m in meanings)


PRIVATIVE = re.compile(
    r"(?P<free>[a-z]+)[ -]free|(?:non|un|without)[ -]?(?P<non>[a-z]{4,})|[无不未](?P<no>[\u3400-\u9fff]{1,4})"
)


def _read_absences(lexicon: Lexicon) -> None:
    """Let what a value says the absence of stand for it where it is refused: "no sulfates" is sulfate-free, "not noisy" quiet."""
    for meaning, names in lexicon.names.items():
        for name in (meaning.value, *(str(n).lower() for listed in names.values() for n in listed)):
            if match := PRIVATIVE.fullmatch(name):
                lacked = next(group for group in match.groups() if group)
                for word in (lacked, *thesaurus().alternatives(lacked)):
                    if not any(m.attribute not in (TEXT, LACKS) for m in lexicon.meanings(word)) or len(word) > 1:
                        lexicon.learn(word, lacks(meaning))
        for opposite in thesaurus().opposites.get(meaning.value, ()):
            if not lexicon.meanings(opposite):
                lexicon.learn(opposite, lacks(meaning))


def lacks(meaning: Meaning) -> Meaning:
    """What a word stands for that a value says the absence of."""
    return Meaning(LACKS, f"{meaning.attribute}={meaning.value}")


def _tells_part(lexicon: Lexicon, meanings: set[Meaning]) -> bool:
    attributes = {m.attribute for m in meanings}
    share = max(sum(m.attribute == a for m in meanings) / len(lexicon.attributes[a]) for a in attributes)
    alone = len(meanings) == 1
    return (share <= PART_SHARE or alone) and not attributes & UNREADABLE


UNREADABLE = frozenset({"author", "brand"})
"""Names of people and firms: half of one is often an everyday word."""


def _read_values(shop: Shop, lexicon: Lexicon) -> None:
    rows = AttributeValue.objects.filter(shop=shop, product_count__gt=0)
    for attribute, value, names, count in rows.values_list("attribute", "value", "names", "product_count"):
        lexicon.attributes.setdefault(attribute, {})[value] = count
        meaning = Meaning(attribute, value)
        lexicon.names[meaning] = names
        plain = value.replace(".", "").isdigit() or (len(value) < 2 and not CHINESE.match(value))
        if value in ("yes", "no", "true", "false"):
            continue
        own = () if plain else (value,)  # "l" and "42" are read by the grammar of sizes
        for phrase in dict.fromkeys((*own, *(str(n).lower() for listed in names.values() for n in listed))):
            lexicon.learn(phrase, meaning)
        if counted := re.fullmatch(r"([a-z]+) of (\d+)", value):
            lexicon.learn(f"{counted[2]} {counted[1]}", meaning)


def _read_places(shop: Shop, lexicon: Lexicon) -> None:
    """Count the products with each value, by category; a variant's values are its product's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.path, h.key, h.value, count(DISTINCT h.id) FROM ("
            " SELECT p.id, p.category_id, a.key, v.value FROM catalog_product p,"
            " jsonb_each(p.attributes) a, jsonb_array_elements_text(a.value) v WHERE p.shop_id = %s AND p.active"
            " UNION ALL SELECT p.id, p.category_id, a.key, v.value"
            " FROM catalog_variant w JOIN catalog_product p ON p.id = w.product_id,"
            " jsonb_each(w.attributes) a, jsonb_array_elements_text(a.value) v WHERE p.shop_id = %s AND p.active"
            " UNION ALL SELECT id, category_id, 'brand', lower(brand) FROM catalog_product WHERE shop_id = %s AND active"
            ") h JOIN catalog_category c ON c.id = h.category_id GROUP BY 1, 2, 3",
            [shop.pk, shop.pk, shop.pk],
        )
        paths = {path: path for path in lexicon.categories}  # one string a path, however many values it holds
        for path, attribute, value, count in cursor.fetchall():
            lexicon.placed.setdefault(Meaning(attribute, value), {})[paths.get(path, path)] = count


class Titles(NamedTuple):
    """What a product is called, and in which category it is."""

    path: str
    english: str
    chinese: str


IMPLIES_SHARE, IMPLIES_PRODUCTS = 0.85, 2
"""A thing belongs to a category when so many products are called so there, and so few elsewhere."""


def _titles(shop: Shop, lexicon: Lexicon) -> dict[int, Titles]:
    """What the products are called, by their ids; of a large catalogue a part."""
    step = max(1, lexicon.size // TITLES)
    some = Product.objects.filter(shop=shop, active=True).annotate(place=Mod("pk", step)).filter(place=0)
    rows = some.values_list("pk", "category__path", "title", "translations__zh__title")
    return {pk: Titles(path, title, chinese or "") for pk, path, title, chinese in rows.iterator()}


def _read_things(lexicon: Lexicon, titles: Mapping[int, Titles]) -> None:
    """Learn in which category the things are that no category is named after: a humidifier is in "Air & Climate"."""
    holders: defaultdict[str, set[int]] = defaultdict(set)
    for pk, called in titles.items():
        for token in tokens(called.english.lower()):
            holders[_key(token)].add(pk)
    places = {pk: called.path for pk, called in titles.items()}
    _read_heads(lexicon, holders, places)
    values = {
        key
        for key, (_, meanings) in lexicon.phrases.items()
        if any(m.attribute in lexicon.attributes for m in meanings)
    }
    parts = {part for key in values for part in key.split()}
    for thing in thesaurus().things:
        holding: set[int] = set()
        for phrase in thesaurus().alternatives(thing):
            keys = [_key(token) for token in tokens(phrase.lower())]
            if phrase == thing or not parts.issuperset(keys):  # "oxford" is a fabric before it is a shoe
                holding |= set.intersection(*(holders.get(key, set()) for key in keys))
        counted = Counter(places[pk] for pk in holding)
        if counted:
            path, products = counted.most_common(1)[0]
            if products >= IMPLIES_PRODUCTS and products >= IMPLIES_SHARE * counted.total():
                lexicon.implied[thing] = path


def _read_kinds(lexicon: Lexicon, titles: Mapping[int, Titles]) -> None:
    """Learn the names of the kinds that a category holds: aliases that only some titles bear, and what its titles end in."""
    inside: defaultdict[str, dict[int, Titles]] = defaultdict(dict)
    for pk, called in titles.items():
        for place in lexicon.category_chain(called.path):
            inside[place][pk] = called
    for path, category in lexicon.categories.items():
        own = {singular(category.noun), singular(category.name.lower())}
        for alias in category.aliases:
            kind = singular(next(iter(thesaurus().chinese.get(alias, ())), alias))
            bearing = sum(kind in each.english.lower() for each in inside[path].values())
            if kind not in own and IMPLIES_PRODUCTS <= bearing < MOST * len(inside[path]):
                lexicon.kinds[path, phrase_key(alias)] = kind
    valued: defaultdict[str, set[str]] = defaultdict(set)
    for meaning, places in lexicon.placed.items():
        for path in places:
            valued[path].update(token.text for token in tokens(meaning.value))
    for path in lexicon.leaves():
        english = {pk: each.english for pk, each in inside[path].items()}
        chinese = {pk: each.chinese for pk, each in inside[path].items() if each.chinese}
        kinds = kinds_in(english, valued[path])
        for name, kind in {**{kind: kind for kind in kinds}, **chinese_names(chinese, kinds)}.items():
            if not lexicon.meanings(name):
                lexicon.learn(name, Meaning(CATEGORY, path))
                lexicon.kinds.setdefault((path, phrase_key(name)), kind)


def _read_heads(lexicon: Lexicon, holders: Mapping[str, set[int]], places: Mapping[int, str]) -> None:
    """Let the last word of a category's longer name stand for it ("purifier", "净化器").

    It must be no head of many things ("machine"); an English one is in titles of that category and of no other.
    """
    heads: defaultdict[str, set[Meaning]] = defaultdict(set)
    for phrase, meanings in lexicon.phrases.values():
        words = segment(phrase).split()
        if _names_category(meanings) and len(words) > 1 and "&" not in phrase:
            heads[words[-1]] |= {m for m in meanings if m.attribute == CATEGORY}
    for head, meanings in heads.items():
        chinese = CHINESE.match(head) is not None
        if (
            len(meanings) > 1
            or lexicon.meanings(head)
            or head in FUNCTION_WORDS
            or thesaurus().headed(head) > MANY_THINGS
        ):
            continue
        path = next(iter(meanings)).value
        called = Counter(places[pk] for pk in holders.get(phrase_key(head), ()))
        if (chinese and len(head) > 2) or (
            called[path] >= IMPLIES_PRODUCTS and called[path] >= IMPLIES_SHARE * called.total()
        ):
            lexicon.learn(head, *meanings)


MANY_THINGS = 2


def _bridge(lexicon: Lexicon, parts: Mapping[str, set[Meaning]]) -> None:
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
        if concept in words.things and _names_category(reached):
            reached = {m for m in reached if m.attribute == CATEGORY}
        if not reached:
            reached = _composed(lexicon, concept)
        if not reached:
            reached = set().union(*(parts.get(phrase, set()) for phrase in english[:1]))
        if not reached and concept in words.things:
            named = [_named(lexicon, own, str(o).lower()) for o in others.get("zh", ())]
            reached = {m for meanings in named for m in meanings if m.attribute == CATEGORY}
        if not reached and all(lexicon.knows(part) for part in concept.split()):
            reached = {Meaning(TEXT, concept)}
        chinese = [str(o).lower() for o in others.get("zh", ())]
        if not reached and concept in words.things:
            english, reached = [], {Meaning(TEXT, concept)}
        loose = all(m.attribute == TEXT for m in reached)
        for phrase in (*english, *chinese):
            key = phrase_key(phrase)
            told = key in own or _compound_of(key, own, reached) or _is_value_of_its_kind(lexicon, own, phrase)
            if reached and not told and not (loose and phrase in parts):
                lexicon.learn(phrase, *reached)


def _composed(lexicon: Lexicon, concept: str) -> set[Meaning]:
    """A category with the values that a concept's words give it: "night cream" is a cream for the night."""
    *modifiers, head = concept.split()
    called = (head, singular(head), *thesaurus().english.get(head, ()))
    categories = {m for word in called for m in lexicon.meanings(word) if m.attribute == CATEGORY}
    values = {m for word in modifiers for m in lexicon.meanings(word) if m.attribute in lexicon.attributes}
    held = {v for v in values for c in categories if lexicon.holds(c.value, v)}
    return categories | held if modifiers and len(categories) == 1 and held else set()


def _named(lexicon: Lexicon, own: set[str], phrase: str) -> set[Meaning]:
    key = phrase_key(phrase)
    return lexicon.phrases[key][1] if key in own else set()


def _compound_of(key: str, own: set[str], reached: set[Meaning]) -> bool:
    """Whether an English phrase ends in a name of the shop's own and would only be looked up as text."""
    return " " in key and key.rpartition(" ")[2] in own and all(m.attribute == TEXT for m in reached)


def _is_value_of_its_kind(lexicon: Lexicon, own: set[str], phrase: str) -> bool:
    """Whether a phrase is a value of the shop's with its attribute's name behind it ("straight fit")."""
    value, _, attribute = phrase.rpartition(" ")
    return any(m.attribute == attribute for m in _named(lexicon, own, value))


def _bridge_people(lexicon: Lexicon) -> None:
    """Let words for people stand for the shop's own value of whom a thing is for, if it has one."""
    for value, others in thesaurus().people.items():
        meanings = [m for m in lexicon.meanings(value) if m.attribute in lexicon.attributes]
        for phrase in (str(word) for words in others.values() for word in words):
            if meanings and not lexicon.meanings(phrase):
                lexicon.learn(phrase, *meanings)


SUBJECTS = {"i", "you", "he", "she", "we", "they", "who", "ever", "just", "never"}


def _is_purpose(words: list[Token], place: int) -> bool:
    """Whether a word says what something is for: "for the evening", "as a gift"."""
    before = [token.text for token in words[max(place - 2, 0) : place]]
    return before[-1:] in (["for"], ["as"]) or (before[:1] in (["for"], ["as"]) and before[1] in ("a", "the"))


def _document_stems(shop: Shop) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, ndoc FROM ts_stat(format('SELECT search_vector FROM catalog_product"
            " WHERE shop_id = %%s AND active', %s::bigint))",
            [shop.pk],
        )
        return dict(cursor.fetchall())


NUMERALS = dict(
    zip("one two three four five six seven eight nine ten twelve".split(), (*range(1, 11), 12), strict=True)
) | dict(zip("一二三四五六七八九十两", (*range(1, 11), 2), strict=True))


def phrase_key(phrase: str) -> str:
    """What a phrase is looked up by: its stems, numbers in digits, without hyphens."""
    return " ".join(_key(token) for token in tokens(simplified(phrase)) if token.text != "-")


def _key(token: Token) -> str:
    if token.text in NUMERALS:
        return str(NUMERALS[token.text])
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
    """The longest phrases that do not overlap; of two as long the one that names a category or a value."""
    chosen: list[Match] = []
    taken: set[int] = set()
    for match in sorted(found, key=lambda m: (m.first - m.last, all(x.attribute == TEXT for x in m.meanings), m.first)):
        places = range(match.first, match.last)
        if taken.isdisjoint(places):
            chosen.append(match)
            taken.update(places)
    return sorted(chosen, key=lambda m: m.first)


HAVING = frozenset("带有含")
"""Verbs in front of what a thing has, with which some of its names make one word ("带盖")."""


def _whole(words: list[Token], found: list[Match]) -> list[Match]:
    """The matches without single characters that are only part of a longer Chinese word ("皮" in "皮肤").

    A word that is wholly made of known phrases ("黑靴") is no such word, nor is one with only grammar beside them ("看书").
    """
    singles = [m for m in found if m.last - m.first == 1 and CHINESE.match(words[m.first].text)]
    if not singles:
        return found
    covered = {i for m in found for i in range(m.first, m.last)}
    inside: set[int] = set()
    for run in _chinese_runs(words):
        position = run[0]
        for word in rjieba.cut("".join(words[i].text for i in run), False):
            places = range(position, position + len(word))
            rest = {
                words[i].text for i in places if i not in covered and not (i == position and words[i].text in HAVING)
            }
            if len(word) > 1 and not rest <= PLAIN | ENDINGS:
                inside |= set(places)
            position += len(word)
    return [m for m in found if m not in singles or m.first not in inside]


def _chinese_runs(words: list[Token]) -> Iterator[list[int]]:
    run: list[int] = []
    for index, token in enumerate(words):
        if CHINESE.match(token.text) and (not run or words[run[-1]].end == token.start):
            run.append(index)
        elif run:
            yield run
            run = [index] if CHINESE.match(token.text) else []
    if run:
        yield run


def _inner(match: Match, found: list[Match]) -> tuple[Match, ...]:
    if not _names_category(match.meanings):
        return ()
    within = [m for m in found if match.first <= m.first and m.last < match.last]
    return tuple(_longest([m for m in within if any(x.attribute not in (CATEGORY, TEXT) for x in m.meanings)]))
