"""A shop's own words, learned from its corrections: "complimentary", where the model says "free".

The vocabulary of replies is closed (decision 0002), so that a correction in a new word would teach what may never be
sent. A word that merchants have put in another's place again and again becomes a house word: it may be said wherever the
other one may, and claims exactly what that claims. A word that takes no other's place ("merrily") waits until a person
says that it claims nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from botcore.dialogue.brief import TAG, Brief
from botcore.dialogue.verify import NEGATION, PROMISES
from botcore.dialogue.vocabulary import COMPARED, WORD, parts
from botcore.learning.corrections import strangers
from botcore.models import Annotation, HouseWord
from catalog.models import AttributeValue, Category, Shop

FEWEST_REPLIES, FEWEST_CONVERSATIONS = 5, 3
"""So many corrections put the word in, in so many conversations: one slip of the pen makes no word of the house."""
AGREEMENT = 0.8
"""Share of a word's uses that stand for one and the same other."""
LOOKED_AT, WAITING_SHOWN = 300, 20
"""Of the newest corrections, and of the words that wait, so many."""


class ClaimsSomethingError(ValueError):
    """A word may not be said without a fact; the message says why."""


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


def admit_harmless(shop: Shop, word: str) -> None:
    """Somebody says that a word claims nothing. Raises ``ClaimsSomethingError`` where the shop's data or the verifier say
    otherwise."""
    word = word.lower()
    facts = AttributeValue.objects.filter(shop=shop, value__iregex=rf"\m{re.escape(word)}\M")
    names = Category.objects.filter(shop=shop, name__iregex=rf"\m{re.escape(word)}s?\M")
    if not WORD.fullmatch(word) or PROMISES.search(word) or NEGATION.search(word) or word in COMPARED:
        raise ClaimsSomethingError(
            f"“{word}” promises, denies or compares something: it cannot be a mere manner of speaking."
        )
    if facts.exists() or names.exists():
        raise ClaimsSomethingError(f"“{word}” is said of products in the catalogue: it is a fact where it is true.")
    admit(shop, {word: ""})


def forget(shop: Shop, word: str) -> None:
    """A word is the shop's own no more: no reply that says it is accepted again."""
    HouseWord.objects.filter(shop=shop, word=word).delete()


def waiting(shop: Shop, own: Mapping[str, str]) -> dict[str, int]:
    """New words of corrections that are not the shop's ``own``, with how many corrections say each, the most said first."""
    corrected = Annotation.objects.filter(
        turn__conversation__shop=shop, verdict=Annotation.Verdict.CORRECTED, for_training=True
    ).order_by("-pk")[:LOOKED_AT]
    said: Counter[str] = Counter()
    for wording, brief in corrected.values_list("wording", "turn__brief"):
        said.update(word for word in strangers(wording, Brief.from_json(brief)) if word not in own)
    return dict(said.most_common(WAITING_SHOWN))


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
