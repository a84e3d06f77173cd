"""What the conversation has established so far, as typed values that round-trip through JSON.

Pure: no database, no model. ``track.py`` is the only place that makes new states.
"""

from __future__ import annotations

from dataclasses import dataclass, field, is_dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self, cast


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
    that fulfil the wish as well ("black or navy"; "leather" where a shop has two kinds of it). ``said`` is the customer's
    narrower word for it where texts of the shop hold that ("teddy bear" of plush toys); "" for none.
    """

    attribute: str
    value: str
    wanted: bool = True
    hard: bool = True
    turn: int = 0
    others: tuple[str, ...] = ()
    said: str = field(default="", compare=False)

    @property
    def named(self) -> tuple[str, ...]:
        """The shop's values that its name stands for: its own, or all within a limit ("..300 pages", ``measures.py``)."""
        return self.others if self.is_limit else (self.value,)

    @property
    def is_limit(self) -> bool:
        """Whether it is about an amount: open ends are empty, as in bands of prices."""
        return ".." in self.value

    def __str__(self) -> str:
        return self.value if self.wanted else f"not {self.value}"


CENT = Decimal("0.01")
"""What makes an inclusive bound leave out the price itself."""


@dataclass(frozen=True)
class PriceRange:
    """Inclusive bounds in the shop's currency; None is open. ``about`` keeps the centre of "around 50". One that is not
    ``named`` comes from the prices shown ("cheaper"): no amount that the customer ever said."""

    low: Decimal | None = None
    high: Decimal | None = None
    about: Decimal | None = None
    named: bool = True

    @property
    def bounds(self) -> dict[str, Decimal]:
        """The amounts by name, without those that are open."""
        told = {"low": self.low, "high": self.high, "about": self.about}
        return {name: amount for name, amount in told.items() if amount is not None}

    def __bool__(self) -> bool:
        return self.low is not None or self.high is not None

    def holds(self, amount: Decimal) -> bool:
        return (self.low is None or amount >= self.low) and (self.high is None or amount <= self.high)


@dataclass(frozen=True)
class Question:
    """What the last reply asked. ``attribute`` is the shop's own, or "category", "price" or "meaning".

    ``options`` are the answers it told, as stored: values, category paths, price bands (``20..50``, open ends empty), or
    meanings (``color=rose``). ``alone`` says that nothing was shown with it: "the first" is then an option.
    """

    attribute: str
    options: tuple[str, ...] = ()
    alone: bool = False

    @classmethod
    def from_json(cls, data: dict[str, Any] | str | None) -> Self | None:
        """States of older turns hold the attribute alone."""
        if isinstance(data, dict):
            return cls(data["attribute"], tuple(data["options"]), data["alone"])
        return cls(data, alone=True) if data else None


@dataclass(frozen=True)
class LaterGoal:
    """What the customer also asked for, to be served next."""

    category: str
    constraints: tuple[Constraint, ...] = ()
    price: PriceRange = field(default_factory=PriceRange)


@dataclass(frozen=True)
class DialogueState:
    """Everything later turns may refer to. ``shown`` holds the slates of SKUs in the order shown, newest last.

    ``asked`` are attributes that need no question for this goal: asked about already, or said not to matter.
    ``questioned`` are the values that the last question asked of a product, for who then wants "ones that do".
    ``returned``: a person held the conversation and has just given it back.
    ``hurried`` is a customer who has asked to be shown things, not asked things. ``told`` is what they have said while nothing
    named what they look for: beside a goal it says that this was guessed. ``last_quote`` are the sentences of ``last_article``
    that were quoted; ``gone`` says that the last reply told something to be sold out.
    """

    turn: int = 0
    goal: str = ""
    topic: str = ""
    constraints: tuple[Constraint, ...] = ()
    price: PriceRange = field(default_factory=PriceRange)
    shown: tuple[tuple[str, ...], ...] = ()
    focus: str = ""
    liked: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    open_question: Question | None = None
    asked: tuple[str, ...] = ()
    hurried: bool = False
    told: str = ""
    waiting: tuple[LaterGoal, ...] = ()
    questioned: tuple[Constraint, ...] = ()
    last_article: str = ""
    last_quote: str = ""
    gone: bool = False
    language: str = "en"
    satisfaction: float = 0.0
    failures: int = 0
    returned: bool = False

    @property
    def department(self) -> str:
        """The path of the department that the talk is about; "" for none."""
        return self.goal.partition("/")[0]

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
        """Plain JSON, equal to what the database gives back; decimals as strings so that prices stay exact."""
        return cast("dict[str, Any]", _plain(self))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Inverse of :meth:`to_json`; keys that are missing take their default, so old rows stay readable."""
        values = dict(data)
        for name in ("constraints", "questioned"):
            values[name] = tuple(map(_constraint, data.get(name, ())))
        values["price"] = _price(data.get("price", {}))
        values["open_question"] = Question.from_json(data.get("open_question"))
        values["waiting"] = tuple(
            LaterGoal(goal["category"], tuple(map(_constraint, goal["constraints"])), _price(goal["price"]))
            for goal in data.get("waiting", ())
        )
        values["shown"] = tuple(tuple(slate) for slate in data.get("shown", ()))
        for name in ("liked", "rejected", "asked"):
            values[name] = tuple(data.get(name, ()))
        return cls(**values)


def _plain(value: object) -> object:
    """Lists and dicts for tuples and dataclasses."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return {k: _plain(v) for k, v in vars(value).items()} if is_dataclass(value) else value


def _constraint(data: dict[str, Any]) -> Constraint:
    return Constraint(**{**data, "others": tuple(data.get("others", ()))})


def _price(data: dict[str, Any]) -> PriceRange:
    bounds = {name: Decimal(data[name]) for name in ("low", "high", "about") if data.get(name) is not None}
    return PriceRange(**bounds, named=data.get("named", True))
