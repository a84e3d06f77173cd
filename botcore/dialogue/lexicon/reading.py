"""Reads a shop's vocabulary from its catalogue."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from django.db import connection
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Mod

from botcore.dialogue.kinds import MOST, chinese_names, kinds_in
from botcore.dialogue.lexicon.lexicon import (
    CUES,
    HAND_MADE,
    UNREADABLE,
    CategoryWords,
    Lexicon,
    key_of,
    names_category,
    phrase_key,
)
from botcore.dialogue.meanings import CATEGORY, LACKS, TEXT, Meaning
from botcore.dialogue.ports import titled
from botcore.dialogue.thesaurus import sayings, thesaurus
from botcore.dialogue.words import CHINESE, FUNCTION_WORDS, singular, tokens
from catalog.ingest.mapping import OTHER_NAMES
from catalog.ingest.vocabulary import UNCATEGORISED, category_path
from catalog.models import AttributeValue, Product, Shop
from catalog.text import segment

TITLES = 50_000
"""So many titles tell in which category things are."""


def read_lexicon(shop: Shop) -> Lexicon:
    """The vocabulary of a shop's catalogue as it is now."""
    lexicon = Lexicon(size=Product.objects.filter(shop=shop, active=True).count())
    lexicon.document_stems = _document_stems(shop)
    _read_categories(shop, lexicon)
    _read_values(shop, lexicon)
    _read_places(shop, lexicon)
    lexicon.sorting = _sorting(lexicon)
    _read_absences(lexicon)
    titles = _titles(shop, lexicon)
    in_chinese = [t for t in titles.values() if CHINESE.search(t.chinese + t.english)]
    lexicon.writes_chinese = 2 * len(in_chinese) > len(titles)
    sorts = _sorts(lexicon, titles)
    shared = _heads_of_many(titles, sorts)
    for value in lexicon.attributes.get(lexicon.sorting, ()):
        if phrase_key(value) in shared:
            lexicon.forget(value, Meaning(lexicon.sorting, value))
    _read_kinds(lexicon, titles, shared)
    parts = _parts(lexicon)
    _bridge(lexicon, parts)
    _bridge_people(lexicon)
    for word, meanings in parts.items():
        if not {m.attribute for m in lexicon.meanings(word)} - {m.attribute for m in meanings} - {LACKS, TEXT}:
            lexicon.learn(word, *meanings)
    _read_things(lexicon, titles)
    _read_told(lexicon, titles, sorts)
    _index(lexicon)
    _read_sayings(lexicon)
    return lexicon


def _index(lexicon: Lexicon) -> None:
    """Makes what is matched and what slips of spelling are looked up in."""
    for key, (phrase, meanings) in lexicon.phrases.items():
        lexicon.recognise(key, phrase, meanings)
        if len(phrase) > 1 and all(map(CHINESE.match, phrase)):
            lexicon.chinese.add(phrase)
            if any(m.attribute != TEXT for m in meanings):
                for place in range(len(phrase)):
                    lexicon.slips.setdefault(phrase[:place] + "?" + phrase[place + 1 :], []).append(phrase)
    lexicon.automaton.make_automaton()
    _spell(lexicon.spellings, lexicon.surfaces | CUES)


def _spell(spellings: dict[int, list[str]], words: Iterable[str]) -> None:
    """Keep the words towards which misspelt ones are put right, by their length."""
    for word in words:
        if word.isascii() and word.isalpha() and len(word) >= 4:
            spellings.setdefault(len(word), []).append(word)


def _read_sayings(lexicon: Lexicon) -> None:
    """Let the ways in which people say a value stand for it, unless a shorter phrase of the shop's in it does already (whoever
    wants "没有帽子" refuses the hood that "有帽子" asks for), or is refused in it ("not boxy" where there are boxy ones)."""
    said: dict[str, tuple[str, set[Meaning]]] = {}
    for concept, listed in sayings().items():
        meanings = _valued_as(lexicon, concept)
        for saying in listed if meanings else ():
            told = {x for m in lexicon.match(tokens(saying)) for x in m.meanings}
            refuses = saying.startswith(REFUSING) and any(x.attribute in lexicon.attributes for x in told)
            if not (meanings & told or refuses) and (key := phrase_key(saying)) not in lexicon.phrases:
                said.setdefault(key, (saying, set()))[1].update(meanings)
    for key, (saying, meanings) in said.items():
        lexicon.recognise(key, saying, meanings, saying=True)
        if CHINESE.match(saying):
            lexicon.chinese.add(saying)
    lexicon.automaton.make_automaton()
    _spell(lexicon.spoken, {token.text for saying, _ in said.values() for token in tokens(saying)})


REFUSING = ("no ", "not ", "nothing ", "without ", "不", "没", "无", "别")
"""What a saying begins with that refuses the value behind it."""


def _valued_as(lexicon: Lexicon, concept: str) -> set[Meaning]:
    """The values that a concept is called in the shop, or one that shares another of its names (持久 is long-wearing and
    long-lasting)."""
    others = (str(word).lower() for listed in thesaurus().same.get(concept, {}).values() for word in listed)
    for names in ([concept], others):
        found = {m for name in names for m in lexicon.meanings(name) if m.attribute in lexicon.attributes}
        if found:
            return found
    return set()


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
        if names_category(meanings)
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
    if HAND_MADE.search(head):
        head = ""
    for word in segment(" ".join([*whole, head]).replace("-", " ")).split():
        bare = ENDING.sub("", word)
        for piece in {word, bare}:
            if len(piece) > (1 if CHINESE.match(piece) else 2):
                yield piece
    if CHINESE.match(name) and len(bare := ENDING.sub("", name)) > 1:
        yield bare


ENDING = re.compile(r"(?<=[\u3400-\u9fff])(?:器|式|用|版|款|型|色|味|质|里|装|模式|功能|配件|发质|肌肤|状)$")


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


def _read_values(shop: Shop, lexicon: Lexicon) -> None:
    rows = AttributeValue.objects.filter(shop=shop, product_count__gt=0).exclude(attribute=OTHER_NAMES)
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
            if attribute == OTHER_NAMES:
                continue
            lexicon.placed.setdefault(Meaning(attribute, value), {})[paths.get(path, path)] = count


SORTED = 0.95
"""The share of the products that have one value of an attribute that sorts them, and of these in one category each."""
DIVIDED = 3
"""So many categories are divided by what sorts products, and so many products a value has at least, on average."""
LIKE_OTHERS = frozenset({"brand", "author", "color", "size", "material"})
"""Attributes that never tell a kind, however few of a small shop's values are in several categories."""


def _sorting(lexicon: Lexicon) -> str:
    """The attribute that divides each category as a level below it would: nearly all products have it, and nearly every value
    is in one category alone. A shop of a category or two has none: there everything is in one category."""
    values: defaultdict[str, list[dict[str, int]]] = defaultdict(list)
    for meaning, places in lexicon.placed.items():
        values[meaning.attribute].append(places)

    def sorts(listed: Sequence[Mapping[str, int]]) -> bool:
        told = sum(sum(places.values()) for places in listed)
        at_home = [max(places, key=lambda path: places[path]) for places in listed]
        kept = sum(places[path] for places, path in zip(listed, at_home, strict=True))
        divided = sum(count > 1 for count in Counter(at_home).values())
        all_once = SORTED * lexicon.size <= told <= lexicon.size
        return all_once and kept >= SORTED * told and divided >= DIVIDED and len(listed) <= told / DIVIDED

    named = [attribute for attribute, listed in values.items() if attribute not in LIKE_OTHERS and sorts(listed)]
    return max(named, key=lambda attribute: len(values[attribute]), default="")


OF_MANY, MOSTLY = 10, 0.25
"""A word that so many titles end in, less than this share of them of one kind, names no kind."""


def _heads_of_many(titles: Mapping[int, Titles], sorts: Mapping[int, str]) -> frozenset[str]:
    """The words, by key, that titles of many kinds end in: who wants a "shaving set" wants none of the tools whose kind the shop
    calls "set". None where no attribute tells the kinds."""
    ending: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for pk, sort in sorts.items():
        if words := [token for token in tokens(titles[pk].english.lower()) if token.is_word]:
            ending[key_of(words[-1])][sort] += 1
    return frozenset(
        key
        for key, counted in ending.items()
        if counted.total() >= OF_MANY and max(counted.values()) < MOSTLY * counted.total()
    )


def _sorts(lexicon: Lexicon, titles: Mapping[int, Titles]) -> dict[int, str]:
    """What the attribute that tells the kinds says of products, by their ids; nothing where none does."""
    if not lexicon.sorting:
        return {}
    sort = KeyTextTransform("0", KeyTransform(lexicon.sorting, "attributes"))
    rows = Product.objects.filter(pk__in=titles).order_by("pk").annotate(sort=sort).values_list("pk", "sort")
    return {pk: value for pk, value in rows if value}


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


MOST_TOLD, TELLING, TELLING_SORTS, LONGEST_TOLD = 70, 6, 3, 160
"""So many categories or kinds, those with most products, are told of; so many products, and characters of each, tell of one.
All are read, some ten milliseconds each, before the first message that names nothing."""


def _read_told(lexicon: Lexicon, titles: Mapping[int, Titles], sorted_as: Mapping[int, str]) -> None:
    """Keep what the shop says of the products of a category, kind by kind, in every language that it does; nothing where there
    is one category alone to choose from."""
    inside: defaultdict[str, list[int]] = defaultdict(list)
    for pk, called in sorted(titles.items()):
        inside[called.path].append(pk)
    inside.pop(category_path(UNCATEGORISED), None)
    largest = sorted(inside, key=lambda path: (-lexicon.categories[path].products, path))[:MOST_TOLD]
    if len(largest) < 2:
        return
    if lexicon.sorting:
        _read_told_of_sorts(lexicon, titles, sorted_as, largest)
        return
    some = [pk for path in largest for pk in inside[path][:: -(-len(inside[path]) // TELLING)]]
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for (path, _), kind in lexicon.kinds.items():
        kinds[path].add(kind)
    lexicon.told = {path: {"": _names_told(lexicon.categories[path])} for path in largest}
    for product in Product.objects.filter(pk__in=some).order_by("pk").only("title", "description", "translations"):
        called = titles[product.pk]
        kind = max((kind for kind in kinds[called.path] if kind in called.english.lower()), key=len, default="")
        told = lexicon.told[called.path]
        told[kind] = tuple(dict.fromkeys([*told.get(kind, ()), *_texts_of(product)]))


def _read_told_of_sorts(
    lexicon: Lexicon, titles: Mapping[int, Titles], sorted_as: Mapping[int, str], paths: Sequence[str]
) -> None:
    """The same where an attribute tells the kinds: of each of the commonest, what is said of a few products."""
    sorts: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for pk, value in sorted_as.items():
        if titles[pk].path in paths:
            sorts[titles[pk].path, value].append(pk)
    common = sorted(sorts, key=lambda sort: (-len(sorts[sort]), sort))[:MOST_TOLD]
    some = {pk: sort for sort in common for pk in sorts[sort][:: -(-len(sorts[sort]) // TELLING_SORTS)]}
    lexicon.told = {path: {"": _names_told(lexicon.categories[path])} for path in paths}
    for path, value in common:
        lexicon.told[path][value] = (value,)
    for product in Product.objects.filter(pk__in=some).order_by("pk").only("title", "description", "translations"):
        path, value = some[product.pk]
        lexicon.told[path][value] += tuple(_texts_of(product))


def _texts_of(product: Product) -> Iterable[str]:
    """A product's title and description in each of its languages."""
    for language in dict.fromkeys(("en", *product.translations)):
        yield titled(product.text("title", language), product.text("description", language))[:LONGEST_TOLD]


def _names_told(category: CategoryWords) -> tuple[str, ...]:
    english = [name for name in category.aliases if not CHINESE.match(name)]
    chinese = [name for name in category.aliases if CHINESE.match(name)]
    told = (titled(category.name, ", ".join(english)),)
    return (*told, titled(category.chinese, "、".join(chinese))) if category.chinese else told


def _read_things(lexicon: Lexicon, titles: Mapping[int, Titles]) -> None:
    """Learn in which category the things are that no category is named after: a humidifier is in "Air & Climate"."""
    holders: defaultdict[str, set[int]] = defaultdict(set)
    for pk, called in titles.items():
        for token in tokens(called.english.lower()):
            holders[key_of(token)].add(pk)
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
            keys = [key_of(token) for token in tokens(phrase.lower())]
            if phrase == thing or not parts.issuperset(keys):  # "oxford" is a fabric before it is a shoe
                holding |= set.intersection(*(holders.get(key, set()) for key in keys))
        counted = Counter(places[pk] for pk in holding)
        if counted:
            path, products = counted.most_common(1)[0]
            if products >= IMPLIES_PRODUCTS and products >= IMPLIES_SHARE * counted.total():
                lexicon.implied[thing] = path


def _read_kinds(lexicon: Lexicon, titles: Mapping[int, Titles], shared: Container[str]) -> None:
    """Learn the names of the kinds that a category holds: aliases that only some titles bear, and what its titles end in, but for
    the words that titles of many kinds end in."""
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
            if not (lexicon.meanings(name) or _is_sorted(lexicon, name) or phrase_key(kind) in shared):
                lexicon.learn(name, Meaning(CATEGORY, path))
                lexicon.kinds.setdefault((path, phrase_key(name)), kind)


def _is_sorted(lexicon: Lexicon, name: str) -> bool:
    """Whether a Chinese name is of a kind that an attribute tells (项链: the necklaces, not what titles call pendants)."""
    concepts = thesaurus().chinese.get(name, ())
    return any(m.attribute == lexicon.sorting for concept in concepts for m in lexicon.meanings(concept))


def _read_heads(lexicon: Lexicon, holders: Mapping[str, set[int]], places: Mapping[int, str]) -> None:
    """Let the last word of a category's longer name stand for it ("purifier", "净化器").

    It must be no head of many things ("machine"); an English one is in titles of that category and of no other.
    """
    heads: defaultdict[str, set[Meaning]] = defaultdict(set)
    for phrase, meanings in lexicon.phrases.values():
        words = segment(phrase).split()
        if names_category(meanings) and len(words) > 1 and "&" not in phrase:
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
        called = [*english, *(f"{phrase}s" for phrase in english)] if lexicon.sorting else english
        reached = set().union(*(lexicon.meanings(phrase) & _named(lexicon, own, phrase) for phrase in called))
        if sorted_ := {m for m in reached if m.attribute == lexicon.sorting}:
            reached = {
                m for m in sorted_ if m.value in called or not m.value.endswith("ing")
            } or sorted_  # fish, fishing
        elif concept in words.things and names_category(reached):
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
            elif _is_plural_thing(lexicon, concept, phrase, reached):
                lexicon.exactly[phrase] = tuple(sorted(reached))


def _is_plural_thing(lexicon: Lexicon, concept: str, phrase: str, reached: set[Meaning]) -> bool:
    """Whether a plural names a thing where its singular is a value of the shop's: "denims", beside "denim"."""
    names_thing = concept in thesaurus().things and names_category(reached)
    return names_thing and singular(phrase) != phrase and not reached <= lexicon.meanings(phrase)


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


def _document_stems(shop: Shop) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, ndoc FROM ts_stat(format('SELECT search_vector FROM catalog_product"
            " WHERE shop_id = %%s AND active', %s::bigint))",
            [shop.pk],
        )
        return dict(cursor.fetchall())
