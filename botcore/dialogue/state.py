"""What the conversation has established so far, as typed values that round-trip through JSON.

Pure: no database, no model. ``track.py`` is the only place that makes new states.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self


class Act(StrEnum):
    """What a reply does (the dialogue act)."""

    ASK = "ask"
    RECOMMEND = "recommend"
    ANSWER = "answer"
    COMPARE = "compare"
    EXPLAIN = "explain"
    CHITCHAT = "chitchat"
    HANDOFF = "handoff"
    CLARIFY = "clarify"
    DECLINE = "decline"


@dataclass(frozen=True)
class Constraint:
    """A wish about one attribute. ``attribute`` is the shop's own, or ``text`` for words looked up in all texts.

    ``wanted`` is the polarity: False for "no leather". A hard constraint is never broken silently. ``others`` are values
    that fulfil the wish as well ("black or navy"; "leather" where a shop has two kinds of it).
    """

    attribute: str
    value: str
    wanted: bool = True
    hard: bool = True
    turn: int = 0
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.value if self.wanted else f"not {self.value}"


@dataclass(frozen=True)
class PriceRange:
    """Inclusive bounds in the shop's currency; None is open. ``about`` keeps the centre of "around 50"."""

    low: Decimal | None = None
    high: Decimal | None = None
    about: Decimal | None = None

    def __bool__(self) -> bool:
        return self.low is not None or self.high is not None


@dataclass(frozen=True)
class DialogueState:
    """Everything later turns may refer to. ``shown`` holds the slates of SKUs in the order shown, newest last."""

    turn: int = 0
    goal: str = ""
    topic: str = ""
    constraints: tuple[Constraint, ...] = ()
    price: PriceRange = field(default_factory=PriceRange)
    shown: tuple[tuple[str, ...], ...] = ()
    focus: str = ""
    liked: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    open_question: str = ""
    asked: tuple[str, ...] = ()
    last_article: str = ""
    last_quote: str = ""
    language: str = "en"
    satisfaction: float = 0.0
    failures: int = 0

    @property
    def slate(self) -> tuple[str, ...]:
        """The list the customer saw last."""
        return self.shown[-1] if self.shown else ()

    @property
    def last_list(self) -> tuple[str, ...]:
        """The last slate of several products: what there is to compare."""
        return next((slate for slate in reversed(self.shown) if len(slate) > 1), ())

    @property
    def seen(self) -> frozenset[str]:
        return frozenset(sku for slate in self.shown for sku in slate)

    def with_(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; decimals as strings so that prices stay exact."""
        return {
            "turn": self.turn,
            "goal": self.goal,
            "topic": self.topic,
            "constraints": [vars(c) for c in self.constraints],
            "price": {k: str(v) for k, v in vars(self.price).items() if v is not None},
            "shown": [list(slate) for slate in self.shown],
            "focus": self.focus,
            "liked": list(self.liked),
            "rejected": list(self.rejected),
            "open_question": self.open_question,
            "asked": list(self.asked),
            "last_article": self.last_article,
            "last_quote": self.last_quote,
            "language": self.language,
            "satisfaction": self.satisfaction,
            "failures": self.failures,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Inverse of :meth:`to_json`; keys that are missing take their default, so old rows stay readable."""
        values = dict(data)
        values["constraints"] = tuple(
            Constraint(**{**c, "others": tuple(c.get("others", ()))}) for c in data.get("constraints", ())
        )
        values["price"] = PriceRange(**{k: Decimal(v) for k, v in data.get("price", {}).items()})
        values["shown"] = tuple(tuple(slate) for slate in data.get("shown", ()))
        for name in ("liked", "rejected", "asked"):
            values[name] = tuple(data.get(name, ()))
        return cls(**values)
