"""A shop's own words, learned from its corrections: "complimentary", where the model says "free".

The vocabulary of replies is closed (decision 0002), so that a correction in a new word would teach what may never be
sent. A word that merchants have put in another's place again and again becomes a house word: it may be said wherever the
other one may, and claims exactly what that claims.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from botcore.dialogue.brief import TAG, Brief
from botcore.dialogue.vocabulary import WORD, parts
from botcore.learning.corrections import strangers
from botcore.models import HouseWord
from catalog.models import Shop

FEWEST_REPLIES, FEWEST_CONVERSATIONS = 5, 3
"""So many corrections put the word in, in so many conversations: one slip of the pen makes no word of the house."""
AGREEMENT = 0.8
"""Share of a word's uses that stand for one and the same other."""


@dataclass(frozen=True)
class Correction:
    """A reply before and after, tags not filled, in the conversation with this id."""

    before: str
    after: str
    brief: Brief
    conversation: int


def learned(corrections: Iterable[Correction]) -> dict[str, str]:
    """The new words of corrections that have earned their place, each with the word that it stands for."""
    uses: defaultdict[str, Counter[str]] = defaultdict(Counter)
    conversations: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for correction in corrections:
        for new, old in set(replacements(correction)):
            uses[new][old] += 1
            conversations[new, old].add(correction.conversation)
    return {
        new: old
        for new, olds in sorted(uses.items())
        for old, count in olds.most_common(1)
        if count >= FEWEST_REPLIES
        and len(conversations[new, old]) >= FEWEST_CONVERSATIONS
        and count >= AGREEMENT * olds.total()
    }


def replacements(correction: Correction) -> Iterator[tuple[str, str]]:
    """New words with the known ones in whose place they were put, word for word."""
    strange = set(strangers(correction.after, correction.brief))
    before, after = _words(correction.before), _words(correction.after)
    for change, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if change == "replace" and end - start == new_end - new_start:
            for old, new in zip(before[start:end], after[new_start:new_end], strict=True):
                if new in strange and not TAG.fullmatch(old):
                    yield new, old


def admit(shop: Shop, words: Mapping[str, str]) -> None:
    """Make words the shop's own; a word that already is one keeps its meaning."""
    rows = [HouseWord(shop=shop, word=word, stands_for=other) for word, other in words.items()]
    HouseWord.objects.bulk_create(rows, ignore_conflicts=True)


def of(shop: Shop) -> dict[str, str]:
    """The shop's words, each with what it stands for."""
    return dict(shop.house_words.values_list("word", "stands_for"))


def _words(text: str) -> list[str]:
    """Words in small letters, and tags as they are."""
    found: list[str] = []
    for piece in text.split():
        tags = [f"[{tag}]" for tag in TAG.findall(piece)]
        found += tags or [part for word in WORD.findall(piece) for part in parts(word)]
    return found
