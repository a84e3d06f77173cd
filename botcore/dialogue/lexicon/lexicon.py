"""A shop's vocabulary: which phrases name a category or an attribute's value, and how a message is matched with them.

Nothing here is a list in the code: a new shop's words work after its import. Matching is one pass over the message.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

import ahocorasick
import rjieba
from rapidfuzz import process
from rapidfuzz.distance import OSA

from botcore.dialogue.meanings import CATEGORY, KIND, TEXT, Match, Meaning
from botcore.dialogue.measures import limit_name
from botcore.dialogue.state import Constraint
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import (
    CHINESE,
    ENGLISH_WORDS,
    FUNCTION_WORDS,
    NUMERALS,
    PLAIN,
    Token,
    singular,
    stem,
    tokens,
)
from catalog.text import simplified

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
"""Words of price and place, for which misspelt ones may stand whatever the shop sells."""
ADDRESSED = frozenset({"me", "him", "us", "them"})
"""What stands right behind a verb, and behind no noun."""
UNREADABLE = frozenset({"author", "brand"})
"""Names of people and firms: half of one is often an everyday word."""
HAND_MADE = re.compile(r"^[a-z]+-(?:cut|made|knit|spun)$")
"""English compounds that say how a thing was made: no part of them says anything alone."""
SUBJECTS = {"i", "you", "he", "she", "we", "they", "who", "ever", "just", "never"}
"""What an English verb stands behind."""
ENDINGS = frozenset("式款型色味质装状系")
"""Chinese characters behind a value of one that add nothing to it ("棒状")."""
HAVING = frozenset("带有含")
"""Verbs in front of what a thing has, with which some of its names make one word ("带盖")."""


@dataclass(frozen=True)
class CategoryWords:
    """How replies name a category: ``noun`` is its singular."""

    path: str
    name: str
    noun: str
    chinese: str
    products: int
    aliases: tuple[str, ...] = ()


def common_category(paths: Sequence[str]) -> str:
    """The nearest category that all of several are in, "" where they share none."""
    steps = zip(*(path.split("/") for path in paths), strict=False)
    return "/".join(step[0] for step in takewhile(lambda step: len(set(step)) == 1, steps))


@dataclass
class Lexicon:
    """One shop's vocabulary, frozen after :func:`lexicon_of` has built it.

    ``placed`` tells in how many products of which categories a value occurs, ``implied`` in which category a thing is
    that no category is named after ("humidifier"), ``kinds`` leads from a category and one of its other names to the word
    that tells those products by their titles, ``told`` leads from a category and a kind of its products ("" for the others,
    and for all together) to what the shop says of them. ``surfaces`` are the words of all phrases, ``called`` the names of
    categories as they were learned. Misspelt words are put right towards ``spellings``, which name something, or else towards
    ``spoken``, the words of what people say in place of a value, both by their lengths. ``slips`` leads from Chinese phrases
    with one character left open to the phrases and the character. ``exactly`` are single words that name a thing, where their
    stem is a value of the shop's ("denims"). ``sorting`` is the attribute that tells kinds of products where categories are too
    wide to ("style" of sofas, watches and boots); "" where no attribute does. ``writes_chinese`` says that most products are
    called something in Chinese too.
    """

    categories: dict[str, CategoryWords] = field(default_factory=dict)
    attributes: dict[str, dict[str, int]] = field(default_factory=dict)
    names: dict[Meaning, dict[str, list[str]]] = field(default_factory=dict)
    phrases: dict[str, tuple[str, set[Meaning]]] = field(default_factory=dict)
    placed: dict[Meaning, dict[str, int]] = field(default_factory=dict)
    implied: dict[str, str] = field(default_factory=dict)
    kinds: dict[tuple[str, str], str] = field(default_factory=dict)
    told: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    document_stems: dict[str, int] = field(default_factory=dict)
    spellings: dict[int, list[str]] = field(default_factory=dict)
    spoken: dict[int, list[str]] = field(default_factory=dict)
    surfaces: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    automaton: ahocorasick.Automaton = field(default_factory=ahocorasick.Automaton)
    chinese: set[str] = field(default_factory=set)
    slips: dict[str, list[str]] = field(default_factory=dict)
    exactly: dict[str, tuple[Meaning, ...]] = field(default_factory=dict)
    size: int = 0
    sorting: str = ""
    writes_chinese: bool = False

    def names_kind(self, attribute: str) -> bool:
        """Whether an attribute tells which kind of product something is: what a talk is about, not what it is like."""
        return attribute in (KIND, self.sorting)

    def kinds_wanted(self, constraints: Iterable[Constraint]) -> tuple[Constraint, ...]:
        """Those of the wishes that say which kind of product is looked for."""
        return tuple(c for c in constraints if c.wanted and self.names_kind(c.attribute))

    def match(self, words: Sequence[Token]) -> list[Match]:
        """Known phrases, longest first, not overlapping, in the order of the message."""
        found = self._found(words)
        chosen = _longest(_whole(words, found))
        return [replace(match, inner=_inner(match, found)) for match in chosen]

    def by_head(self, words: Sequence[Token], match: Match) -> list[Match]:
        """An English value as a kind of what its last word names, where that never has the value: a "quiet fan" is a part of air
        fryers, and of fans it says that they are quiet."""
        first, last = match.first, match.last - 1
        heads = self.match(words[last : match.last]) if last > first and words[last].is_word else []
        paths = [x.value for m in heads for x in m.meanings if x.attribute == CATEGORY]
        if not paths or any(self.holds(path, x) for path in paths for x in match.meanings):
            return [match]
        before = [replace(m, first=m.first + first, last=m.last + first) for m in self.match(words[first:last])]
        return [*before, *(replace(m, first=last, last=match.last) for m in heads)]

    def _found(self, words: Sequence[Token]) -> list[Match]:
        """Every known phrase of a message, overlapping ones too."""
        places = [i for i, token in enumerate(words) if token.text != "-"]
        keys = [key_of(words[i]) for i in places]
        text = " " + " ".join(keys) + " "
        starts = _offsets(keys)
        found = []
        for end, (length, phrase, meanings, saying) in self.automaton.iter(text):
            begun, ended = starts.get(end - length + 2), starts.get(end + 1)
            if begun is None or ended is None:
                continue
            first, last = places[begun], places[ended - 1] + 1
            if last - first == 1 and words[first].text in self.exactly:
                phrase, meanings = words[first].text, self.exactly[words[first].text]
            if not self._is_idle(words, first, last, phrase, meanings):
                found.append(Match(first, last, phrase, meanings, saying=saying))
        return found

    def _is_idle(
        self, words: Sequence[Token], first: int, last: int, phrase: str, meanings: tuple[Meaning, ...]
    ) -> bool:
        """Whether a match is only an everyday word that some name happens to share ("person", "in stock", "I saw", "run")."""
        word = words[first].text
        if last - first > 1:
            return False
        if words[first].is_word and names_category(meanings):
            if singular(word) != singular(phrase) and self.called.isdisjoint((word, singular(word))):
                return True  # "dressier" is no dress
        elif last < len(words) and words[last].text in ADDRESSED and words[first].is_word:
            return True  # "red suits me"
        elif phrase.endswith("ive") and not word.endswith("ive"):
            return True  # who decorates wants nothing decorative
        elif phrase.endswith("er") and not singular(word).endswith("er"):
            return True  # "this weekend" is no weekender
        elif phrase.endswith(("ing", "ed")) and not singular(word).endswith(phrase[-2:]):
            return True
        elif word.endswith("ly") and not phrase.endswith("ly") and not word.startswith(phrase[:-1]):
            return True  # "definitely" is no definition, "quietly" is quiet
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
            if names_category(meanings):
                self.called.add(phrase)
            self.surfaces.update(phrase.split())
            self.surfaces.add(f"{phrase.rpartition(' ')[2]}s")

    def forget(self, phrase: str, meaning: Meaning) -> None:
        """Let a phrase no longer stand for something; one that stands for nothing else is no phrase any more."""
        key = phrase_key(phrase)
        _, meanings = self.phrases.get(key, (phrase, set()))
        meanings.discard(meaning)
        if not meanings:
            self.phrases.pop(key, None)

    def recognise(self, key: str, phrase: str, meanings: Iterable[Meaning], *, saying: bool = False) -> None:
        """Let :meth:`match` find what is looked up by ``key``, once its automaton is made."""
        self.automaton.add_word(f" {key} ", (len(key) + 2, phrase, tuple(sorted(meanings)), saying))

    def meanings(self, phrase: str) -> set[Meaning]:
        """What a phrase stands for so far."""
        return self.phrases.get(phrase_key(phrase), ("", set()))[1]

    def is_exact(self, meaning: Meaning, phrase: str) -> bool:
        """Whether a phrase is a value's own name, in any language."""
        names = self.names.get(meaning, {})
        return phrase == meaning.value or any(phrase == name.lower() for listed in names.values() for name in listed)

    def exact(self, match: Match) -> tuple[Meaning, ...]:
        """The values that a phrase is the own name of: 红色 is red before it is a part of 酒红色."""
        return tuple(meaning for meaning in match.meanings if self.is_exact(meaning, match.phrase))

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
        return self._nearest(word, self.spellings) or self._nearest(word, self.spoken) or word

    def _nearest(self, word: str, spellings: Mapping[int, Sequence[str]]) -> str:
        """The likeliest of the nearest words, one or two edits away; "" where none is so near."""
        limit = 2 if len(word) >= 8 else 1
        choices = [c for length in range(len(word) - limit, len(word) + limit + 1) for c in spellings.get(length, ())]
        near = process.extract(word, choices, scorer=OSA.distance, score_cutoff=limit, limit=20)
        alike = [(distance, -self._weight(other), other) for other, distance, _ in near if other[0] == word[0]]
        return min(alike)[2] if alike else ""

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


def _is_purpose(words: Sequence[Token], place: int) -> bool:
    """Whether a word says what something is for: "for the evening", "as a gift"."""
    before = [token.text for token in words[max(place - 2, 0) : place]]
    return before[-1:] in (["for"], ["as"]) or (before[:1] in (["for"], ["as"]) and before[1] in ("a", "the"))


def names_category(meanings: Iterable[Meaning]) -> bool:
    """Whether a phrase with these meanings may name a category."""
    return any(m.attribute == CATEGORY for m in meanings)


def phrase_key(phrase: str) -> str:
    """What a phrase is looked up by: its stems, numbers in digits, without hyphens."""
    return " ".join(key_of(token) for token in tokens(simplified(phrase)) if token.text != "-")


def key_of(token: Token) -> str:
    """What a token is looked up by: its stem, a number in digits, "and" for "&"."""
    if token.text in NUMERALS:
        return str(NUMERALS[token.text])
    if token.text == "&":
        return "and"
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


def _whole(words: Sequence[Token], found: list[Match]) -> list[Match]:
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


def _chinese_runs(words: Sequence[Token]) -> Iterator[list[int]]:
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
    if not names_category(match.meanings):
        return ()
    within = [m for m in found if match.first <= m.first and m.last < match.last]
    return tuple(_longest([m for m in within if any(x.attribute not in (CATEGORY, TEXT) for x in m.meanings)]))
