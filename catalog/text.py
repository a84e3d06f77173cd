"""What a product or an article says, as text: for full-text search and for the sentence encoder.

Pure functions; nothing here reads the database. ``ingest`` stores their results, search segments queries with
``segment``, and the index worker encodes ``passage``.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

import rjieba
from opencc import OpenCC

# A tsvector may not exceed 1 MB; a document of this length stays far below it whatever its script.
MAX_DOCUMENT = 40_000
MAX_PASSAGE = 600
MAX_PASSAGE_VALUE = 60

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_CHINESE = re.compile(f"[A-Za-z0-9]*[{_HAN}][A-Za-z0-9{_HAN}]*")
_PLAIN = str.maketrans({"\N{RIGHT SINGLE QUOTATION MARK}": "'", "/": " "})
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")


@dataclass(frozen=True)
class ProductText:
    """Everything a product says. ``categories`` runs from the root; ``other_names`` are what other languages and
    customers call its category and its attributes' values."""

    title: str
    description: str = ""
    brand: str = ""
    categories: tuple[str, ...] = ()
    attributes: Mapping[str, list[str]] = field(default_factory=dict)
    other_names: tuple[str, ...] = ()
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def simplified(text: str) -> str:
    """Chinese text in simplified characters, as the vocabulary is written: customers and shops may write either."""
    return text if text.isascii() else str(_converter().convert(text))


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def segment(text: str, *, overlapping: bool = False) -> str:
    """``text`` in lower case with spaces between (simplified) Chinese words; words of other scripts stay as they are.

    ``overlapping`` adds the shorter words inside long ones ("中华人民共和国" also gives "人民"): documents want it,
    so that a query for either finds them; queries do not. Symbols outside ASCII become spaces, because PostgreSQL in
    the C locale takes every non-ASCII character for a letter and would glue "背包，" into one word; so do slashes,
    because it takes "sandwiches/wraps" for the name of one file.
    """
    if text.isascii():
        return " ".join(text.translate(_PLAIN).lower().split())
    folded = simplified(unicodedata.normalize("NFKC", text.translate(_PLAIN)))
    lettered = "".join(c if c.isascii() or unicodedata.category(c)[0] in "LMN" else " " for c in folded)
    return " ".join(_CHINESE.sub(partial(_cut, overlapping=overlapping), lettered).lower().split())


def _cut(run: re.Match[str], *, overlapping: bool) -> str:
    cut = rjieba.cut_for_search if overlapping else rjieba.cut
    # The dictionary writes its Latin letters large: T恤, 卡拉OK. No guessing of new words (the HMM): it depends on the
    # words around, so that a query and a document would cut one word in two ways.
    return f" {' '.join(cut(run[0].upper(), False))} "


def document(product: ProductText) -> str:
    """The text full-text search reads: every language and every name at once, segmented."""
    translated = product.translations.values()
    return _document(
        product.title,
        product.brand,
        *product.categories,
        *(value for values in product.attributes.values() for value in values),
        *product.other_names,
        *(texts.get("title", "") for texts in translated),
        product.description,
        *(texts.get("description", "") for texts in translated),
    )


def article_document(title: str, body: str) -> str:
    return _document(title, body)


def _document(*parts: str) -> str:
    return segment("\n".join(filter(None, parts))[:MAX_DOCUMENT], overlapping=True)


def passage(product: ProductText) -> str:
    """The shorter, natural text the sentence encoder reads: about 100 words in the shop's own language."""
    named = (
        f"{attribute.replace('_', ' ')}: {', '.join(short)}"
        for attribute, values in product.attributes.items()
        if attribute != "brand" and (short := [value for value in values if len(value) <= MAX_PASSAGE_VALUE])
    )
    facts = (product.title, product.brand, " > ".join(product.categories), "; ".join(named))
    return _passage(facts, product.description)


def article_passage(title: str, body: str) -> str:
    return _passage((title,), body)


def _passage(facts: Iterable[str], prose: str) -> str:
    """``facts`` whole, then as many sentences of ``prose`` as fit."""
    text = ". ".join(fact.strip().rstrip(".") for fact in facts if fact.strip())[:MAX_PASSAGE]
    for sentence in _SENTENCE_END.split(" ".join(prose.split())):
        if len(text) + len(sentence) >= MAX_PASSAGE:
            break
        text += f". {sentence}" if text[-1:] not in ".!?。！？" else f" {sentence}"
    return text.strip()


def digest(text: str) -> str:
    """64 hexadecimal characters that change when ``text`` does."""
    return hashlib.sha256(text.encode()).hexdigest()
