"""A reply with everything that explains it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botcore.channels.values import Card
from botcore.dialogue.answer import Answer
from botcore.dialogue.ask import Asking
from botcore.dialogue.brief import Brief, render
from botcore.dialogue.compose import Wording
from botcore.dialogue.facts import Item
from botcore.dialogue.find import Found
from botcore.dialogue.perceived import NOTHING, Perceived
from botcore.dialogue.state import Act, DialogueState
from botcore.dialogue.understand import Understanding
from catalog.search import Candidate


@dataclass(frozen=True)
class Reply:
    """Everything about one answer: what is sent, what is remembered, and what explains it.

    ``items`` are shown as cards; ``told`` are all whose facts the words may state, shown or not. ``version_id`` is the model's
    version that was to write, None for the one that ships.
    """

    text: str
    act: Act
    language: str
    written_by: str
    model_version: str
    state: DialogueState
    cards: tuple[Card, ...]
    items: tuple[Item, ...]
    told: tuple[Item, ...]
    said: Understanding
    found: Found
    brief: Brief
    wording: Wording
    why: str
    asking: Asking
    answer: Answer | None
    perceived: Perceived = NOTHING
    version_id: int | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def relaxed(self) -> tuple[str, ...]:
        return self.brief.gave_up

    def explanation(self) -> dict[str, Any]:
        """The JSON fields of ``Turn`` that say why."""
        media = {"media": [dict(one) for one in self.perceived.told]} if self.perceived.told else {}
        return {
            "understanding": {**self.said.to_json(), "why": self.why, "worth": dict(self.asking.worth or {}), **media},
            "candidates": [_candidate_json(c) for c in _kept(self.found)],
            "slate": [{**item.to_json(), **self._chance(item)} for item in self.items],
            "brief": {**self.brief.to_json(), "prompt": render(self.brief)},
            "samples": [draft.to_json(self.brief.tags()) for draft in self.wording.drafts],
            "source": self.answer.to_json() if self.answer else {},
            "timings_ms": self.timings_ms,
            "error": self.wording.error,
        }

    def _chance(self, item: Item) -> dict[str, float]:
        """With which probability a product got its place: what learning from opinions is weighted by."""
        features = next((c.features for c in self.found.slate if c.product.sku == item.sku), {})
        return {"propensity": features["propensity"]} if "propensity" in features else {}


CANDIDATES_KEPT = 24
"""Of those considered, as many of the best are kept with the turn."""
REASONS = 3


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    return {
        "sku": candidate.product.sku,
        "name": candidate.product.title,
        "price": str(candidate.variant.price),
        "score": round(candidate.score, 4),
        **candidate.features,
        "because": _because(candidate),
    }


def _kept(found: Found) -> list[Candidate]:
    """The best candidates and whatever else was shown, best first."""
    shown = {candidate.product.pk for candidate in found.slate}
    best = found.candidates[:CANDIDATES_KEPT]
    return [*best, *(c for c in found.candidates[CANDIDATES_KEPT:] if c.product.pk in shown)]


def _because(candidate: Candidate) -> str:
    """The features that made most of a candidate's score, with what each added."""
    largest = sorted(candidate.contributions.items(), key=lambda part: -abs(part[1]))[:REASONS]
    return ", ".join(f"{name} {part:+.2f}" for name, part in largest)
