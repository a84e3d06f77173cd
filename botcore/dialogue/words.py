"""Text as the understanding reads it: tokens, stems, language. Pure functions, English and Chinese."""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import snowballstemmer

from catalog.text import simplified

DATA = Path(__file__).parent / "data"

CHINESE = re.compile(r"[\u3400-\u9fff]")
TOKEN = re.compile(r"[a-z][a-z']*|\d+(?:[.,]\d+)*|[\u3400-\u9fff]|[^\s\w]", re.IGNORECASE)
CLAUSE_END = re.compile(r"[,.;:!?，。；：！？、\n]")


class _Stemmer(threading.local):
    """A stemmer keeps the word it works on, so each thread needs its own."""

    def __init__(self) -> None:
        self.english = snowballstemmer.stemmer("english")


_stemmer = _Stemmer()

FUNCTION_WORDS = frozenset((DATA / "function_words.txt").read_text(encoding="utf-8").split())
"""Words that carry no wish about a product by themselves; what is left of a message is what the customer asks for."""

ENGLISH_WORDS = frozenset((DATA / "english_words.txt").read_text(encoding="utf-8").split())
"""Ordinary English words, which are no misspelling of anything: the whole words of BERT's vocabulary (Apache-2.0)."""


NUMERALS = dict(
    zip("one two three four five six seven eight nine ten twelve".split(), (*range(1, 11), 12), strict=True)
) | dict(zip("一二三四五六七八九十两", (*range(1, 11), 2), strict=True))
"""Numbers in words."""

PLAIN = frozenset(
    "一二两三四五六七八九十几半的了是有没不我你他她它在就都也和给要会能这那哪想买找看往吗呢吧啊太个件条本台款双支把瓶盒只套张块种"
)
"""Chinese characters of grammar and counting: no part of a thing's name."""


@dataclass(frozen=True)
class Token:
    """A word, number, Chinese character or sign with its place in the normalised text."""

    text: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        return self.text[0].isalpha() and not CHINESE.match(self.text)


def normalise(text: str) -> str:
    """Lower-case, compatibility forms folded, Chinese simplified, typographic quotes straightened, white space single."""
    folded = simplified(unicodedata.normalize("NFKC", text)).replace("’", "'").replace("‘", "'").lower()
    return re.sub(r"[^\S\n]+", " ", folded).strip()


BETWEEN_CLAUSES = re.compile(rf"(?<={CHINESE.pattern}) (?={CHINESE.pattern})")


def in_clauses(text: str) -> str:
    """A normalised text with commas for the spaces that stand for them in Chinese chats ("不要蓝的 太素了")."""
    return BETWEEN_CLAUSES.sub(",", text)


def language_of(text: str, otherwise: str = "en") -> str:
    """``zh`` where a fifth of the letters are Chinese, ``en`` where letters are Latin, else ``otherwise``."""
    chinese = len(CHINESE.findall(text))
    latin = len(re.findall(r"[a-z]", text, re.IGNORECASE))
    if chinese and chinese * 4 >= latin:
        return "zh"
    return "en" if latin else otherwise


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem PostgreSQL's English dictionary gives too (Snowball)."""
    return str(_stemmer.english.stemWord(word))


PLURAL_ONLY = frozenset(
    "trousers jeans shorts leggings chinos pants tights overalls pajamas pyjamas glasses sunglasses goggles binoculars "
    "headphones earphones earbuds scissors pliers clothes groceries accessories appliances cosmetics".split()
)
"""Nouns that a shop's assistant says in the plural only."""


@lru_cache(maxsize=10_000)
def singular(noun: str) -> str:
    """The singular of a catalogue's plural noun; the last word of a phrase carries the ending."""
    head, _, last = noun.rpartition(" ")
    if last in PLURAL_ONLY:
        return noun
    if last.endswith("ies") and len(last) > 4:
        last = last[:-3] + "y"
    elif last.endswith(("ches", "shes", "sses", "xes")):
        last = last[:-2]
    elif last.endswith("s") and not last.endswith(("ss", "us", "is", "ics", "lens")) and len(last) > 3:
        last = last[:-1]
    return f"{head} {last}".strip()


def tokens(text: str) -> list[Token]:
    """The tokens of a normalised text, in order."""
    return [Token(match.group().lower(), match.start(), match.end()) for match in TOKEN.finditer(text)]


def content_words(text: str) -> list[str]:
    """The words of a normalised text that say what is wanted."""
    return [t.text for t in tokens(text) if t.is_word and t.text not in FUNCTION_WORDS and len(t.text) > 1]


ABBREVIATED = re.compile(r"\b(?:mrs?|ms|dr|prof|st|vol|approx|e\.g|i\.e)\.$", re.IGNORECASE)
"""What a full stop does not end ("by Prof. Jun Tang")."""


def sentences(text: str) -> list[str]:
    """The sentences of a text, with their end marks."""
    found: list[str] = []
    for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])\s*|\n+", text):
        if not part or not part.strip():
            continue
        if found and ABBREVIATED.search(found[-1]):
            found[-1] += f" {part.strip()}"
        else:
            found.append(part.strip())
    return found
