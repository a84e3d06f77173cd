"""What a person's word on a reply is expected to be worth, who is to read it twice, and the reasons to reject. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from botcore.models import Feedback, Turn

OPINION: Mapping[str, float] = {Feedback.Kind.DOWN: 4.0, Feedback.Kind.NOT_MEANT: 3.0, Feedback.Kind.UP: 0.0}
"""What a customer's opinion adds. The worst counts."""
DOUBT, NOVELTY = 2.0, 1.5
DAYS_A_POINT = 14.0
"""So many days newer is worth a point. A reply never has to be weighed again for growing old: all do so alike."""
UNSURE = 0.5
"""Below this confidence a reply is listed as one that the model was not sure of."""
NEW_TOPIC = 0.25
"""From this novelty on, the topic's fourth reply, a topic counts as new."""
KNOWN_TOPIC = 20
"""More earlier replies of a topic than this make it no better known."""
SECOND_SHARE = 0.03
"""The share of replies that two people read, neither knowing of the other."""


class Reason(StrEnum):
    """Why a reply is rejected, in the order of the keys 1 to 9."""

    NOT_ASKED = "not_asked"
    IGNORES_WISH = "ignores_wish"
    WRONG_PRODUCT = "wrong_product"
    FALSE_CLAIM = "false_claim"
    INCOMPLETE = "incomplete"
    UNCLEAR = "unclear"
    TONE = "tone"
    TOO_LONG = "too_long"
    NEEDS_PERSON = "needs_person"


def value(opinion: str, confidence: float, novelty: float, at: datetime) -> float:
    """``opinion + 2 (1 - confidence) + 1.5 novelty + days / 14``: thumbs-down first, then doubt, then what is new."""
    days = at.timestamp() / 86_400
    return OPINION.get(opinion, 0.0) + DOUBT * (1 - confidence) + NOVELTY * novelty + days / DAYS_A_POINT


def confidence(written_by: str, error: str, samples: Iterable[Mapping[str, Any]]) -> float:
    """How sure the model was, 0 to 1: the share of its samples that may be sent, times the geometric mean of the
    probabilities of the sent one's tokens. 0 where it was to write and nothing of it could be sent, 1 where an approved
    phrase or an article was to be said anyway.
    """
    if error:
        return 0.0
    drafts = list(samples)
    if written_by != Turn.WrittenBy.MODEL or not drafts:
        return 1.0
    accepted = sum(bool(draft.get("accepted")) for draft in drafts) / len(drafts)
    scores = next((draft.get("scores") or {} for draft in drafts if draft.get("chosen")), {})
    fluency = scores.get("fluency")
    likely = math.exp(min(0.0, fluency)) if isinstance(fluency, int | float) else 1.0
    return accepted * likely


def novelty(earlier: int) -> float:
    """1 for the first reply of a topic, a half for its second, and so on."""
    return 1 / (1 + min(earlier, KNOWN_TOPIC))


def worst(kinds: Iterable[str]) -> str:
    """The opinion that counts of all that a customer gave."""
    return max(kinds, key=lambda kind: OPINION.get(kind, 0.0), default="")


def topic(state: Mapping[str, Any], understanding: Mapping[str, Any]) -> str:
    """What the customer looks for and what they want to know of it."""
    return " · ".join(str(part) for part in (state.get("goal"), understanding.get("intent")) if part)[:120]


def for_second(turn_id: int) -> bool:
    """Whether two people are to read a reply: drawn by a hash, so that nobody can choose and every process agrees."""
    digest = hashlib.blake2b(f"second reading {turn_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") < SECOND_SHARE * 2**64
