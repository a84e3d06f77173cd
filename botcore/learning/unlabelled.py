"""What customers wrote to a shop, for its reader of intents to learn from without anybody's labels: scrubbed and cleaned.

Another shop's messages are never in it, nor those of somebody who was erased: their turns are gone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from botcore.dialogue.words import language_of, normalise
from botcore.learning.cleaning import NearDuplicates, reason_to_drop
from botcore.learning.scrub import scrub
from botcore.models import Turn
from catalog.models import Shop

MOST = 5_000
"""Messages that are looked at, the newest: about a minute and a half of reading on two cores."""
MOST_EACH = 20
"""Messages of one customer, so that nobody teaches a shop alone."""


@dataclass(frozen=True)
class Unlabelled:
    """A message without personal data, normalised, and where it comes from."""

    turn_id: int
    contact_id: int
    language: str
    text: str


@dataclass(frozen=True)
class Collected:
    """What is fit to learn from, newest first, and how many were left out for which reason."""

    messages: tuple[Unlabelled, ...]
    left_out: Counter[str] = field(default_factory=Counter)


def collect(shop: Shop) -> Collected:
    """The messages of the shop's own customers."""
    turns = Turn.objects.filter(conversation__shop=shop).exclude(text="").order_by("-pk")
    seen, written, left_out = NearDuplicates(), Counter[int](), Counter[str]()
    found = []
    for pk, contact, language, said in turns.values_list("pk", "conversation__contact", "language", "text")[:MOST]:
        text = scrub(said).text
        language = language or language_of(text)
        too_many = written[contact] >= MOST_EACH
        reason = "too many of one customer" if too_many else reason_to_drop(text, text, language, seen)
        if reason:
            left_out[reason] += 1
        else:
            written[contact] += 1
            found.append(Unlabelled(pk, contact, language, normalise(text)))
    return Collected(tuple(found), left_out)
