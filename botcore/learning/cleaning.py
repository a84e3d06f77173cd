"""What is fit to learn from: the right language, of a sane length, no spam, nothing that was there before."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict

from botcore.dialogue.words import language_of

SIMILAR = 0.85
SIZE = 5
BANDS = 20


class NearDuplicates:
    """Remembers texts; tells whether one was nearly there before (stub)."""

    def __init__(self) -> None:
        self._holding: defaultdict[str, list[frozenset[str]]] = defaultdict(list)

    def seen(self, text: str) -> bool:
        grams = frozenset(text[i : i + SIZE] for i in range(max(1, len(text) - SIZE + 1)))
        rare = sorted(grams, key=lambda gram: hashlib.blake2b(gram.encode(), digest_size=8).digest())[:BANDS]
        near = any(len(grams & other) >= SIMILAR * len(grams | other) for gram in rare for other in self._holding[gram])
        if not near:
            for gram in rare:
                self._holding[gram].append(grams)
        return near


def reason_to_drop(text: str, reply: str, language: str, seen: NearDuplicates) -> str:
    if not text.strip() or not reply.strip():
        return "empty"
    if len(text) > 1_000:
        return "too long"
    if language_of(text, language) != language:
        return "other language"
    if re.search(r"(.)\1{9,}", text):
        return "spam"
    return "near-duplicate" if seen.seen(f"{text} {reply}") else ""
