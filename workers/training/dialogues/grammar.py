"""The little English grammar that filling a skeleton needs: articles, lists, pairs, capitals."""

from __future__ import annotations

import re
from collections.abc import Sequence

_VOWEL_SOUND = re.compile(r"(?!(?:uni(?!n|m)|use|usu|eu|one\b|once))[aeiou]|hour|honest", re.IGNORECASE)
_ARTICLE = re.compile(r"\b([Aa])n? (?=([A-Za-z]+))")
_IS_HAS = re.compile(r"(?:\b([Ii]t)'s| is)( also)? has\b")
_NO_ARTICLE = re.compile(r"\b([Nn]o) (?:an?|the) ")
_SENTENCE_START = re.compile(r"(^|[.!?] )([a-z])")
_SINGLE = re.compile(
    r"\b(an?|this|that|another|is the) "
    r"((?:[a-z]+ )?(?:\{[A-D]\.adj\} |\{[A-D]\.color\} |\{match\} )?)(?=\{[A-D]\.kind\})",
    re.IGNORECASE,
)


def bare(phrase: str) -> str:
    """``a hood`` -> ``hood``: a value as a catalogue lists it."""
    return re.sub(r"^(?:an?|the) ", "", phrase)


def with_article(noun_phrase: str, *, plural: bool) -> str:
    """``green sandals`` -> ``a pair of green sandals``; the article's form is settled by :func:`polish`."""
    return f"a pair of {noun_phrase}" if plural else f"a {noun_phrase}"


def listed(items: Sequence[str], word: str) -> str:
    """``black, green or red`` for ``word="or"``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def pairs(skeleton: str) -> str:
    """Rewrites ``a {A.kind}`` into ``a pair of {A.kind}``, for kinds that are plural words."""
    return _SINGLE.sub(r"\1 pair of \2", skeleton)


def settle_articles(text: str) -> str:
    """``a olive coat`` -> ``an olive coat``."""
    return _ARTICLE.sub(lambda m: f"{m[1]}{'n' if _VOWEL_SOUND.match(m[2]) else ''} ", text)


def polish(reply: str) -> str:
    """Settles "it's has" and a/an, drops articles after "no" and starts sentences with capitals."""
    reply = _IS_HAS.sub(lambda m: f"{m[1] or ''}{m[2] or ''} has", reply)
    reply = settle_articles(_NO_ARTICLE.sub(r"\1 ", reply))
    return _SENTENCE_START.sub(lambda m: m[1] + m[2].upper(), reply)


def said_by_shop(use: str) -> str:
    """``my father`` -> ``your father``: a customer's purpose in the salesperson's mouth."""
    return re.sub(r"\bmy\b", "your", use)
