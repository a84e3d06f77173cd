"""One reply, explained: what a turn stored, made ready to be read. Pure; tolerant of what older turns did not store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from admin_console import labels
from botcore.dialogue.brief import Brief, render
from botcore.models import Turn

CANDIDATES_FIRST = ("score",)
"""Columns of the candidates' table that come before the other features."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Change:
    """One field of the dialogue state: what stayed, what went, what came."""

    name: str
    kept: tuple[str, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """A product that was considered; ``letter`` where it was shown. ``features`` are in the table's order."""

    sku: str
    title: str
    letter: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class Candidates:
    columns: tuple[str, ...]
    rows: tuple[Candidate, ...]


@dataclass(frozen=True)
class SampleView:
    """A text the model wrote, as the customer would have read it, and what was thought of it."""

    text: str
    tagged: str
    chosen: bool
    accepted: bool
    problems: tuple[str, ...]
    scores: tuple[Pair, ...]


@dataclass(frozen=True)
class Bar:
    """One stage's time; ``percent`` of the whole."""

    name: str
    milliseconds: int
    percent: float


@dataclass(frozen=True)
class Explanation:
    why: str
    changes: tuple[Change, ...]
    understanding: tuple[Pair, ...]
    candidates: Candidates
    brief: str
    slots: tuple[Pair, ...]
    samples: tuple[SampleView, ...]
    source: tuple[Pair, ...]
    timings: tuple[Bar, ...]
    total_ms: int


def explain(turn: Turn) -> Explanation:
    """Everything the turn stored about its reply."""
    brief, slots = told_to_the_model(turn.brief)
    timings, total = bars(turn.timings_ms)
    return Explanation(
        why=plain(turn.understanding.get("why", "")),
        changes=changes(turn.state_before, turn.state_after),
        understanding=pairs({key: value for key, value in turn.understanding.items() if key != "why"}),
        candidates=candidates(turn.candidates, turn.slate),
        brief=brief,
        slots=slots,
        samples=samples(turn.samples),
        source=source(turn.source),
        timings=timings,
        total_ms=total,
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The fields that hold anything on either side, those that changed first."""
    names = [
        *labels.conversations.STATE,
        *sorted((before.keys() | after.keys()) - labels.conversations.STATE.keys() - {"turn"}),
    ]
    found = []
    for name in names:
        old, new = _values(name, before.get(name)), _values(name, after.get(name))
        if old or new:
            found.append(
                Change(
                    labels.label(labels.conversations.STATE, name),
                    kept=tuple(value for value in new if value in old),
                    gone=tuple(value for value in old if value not in new),
                    new=tuple(value for value in new if value not in old),
                )
            )
    return tuple(sorted(found, key=lambda change: not (change.gone or change.new)))


def candidates(considered: Iterable[Mapping[str, Any]], slate: Iterable[Mapping[str, Any]]) -> Candidates:
    """A table over the union of all features; a nested mapping counts as so many features."""
    letters = {item.get("sku"): str(item.get("letter") or "") for item in slate}
    flat = [_flattened(item) for item in considered]
    keys = dict.fromkeys(key for item in flat for key in item if key not in ("sku", "name", "letter"))
    columns = sorted(keys, key=lambda key: key not in CANDIDATES_FIRST)
    rows = tuple(
        Candidate(
            sku=str(item.get("sku", "")),
            title=str(item.get("name", "")),
            letter=letters.get(item.get("sku"), ""),
            features=tuple(plain(item.get(column)) for column in columns),
        )
        for item in flat
    )
    return Candidates(tuple(labels.humanised(column) for column in columns), rows)


def told_to_the_model(stored: Mapping[str, Any]) -> tuple[str, tuple[Pair, ...]]:
    """The brief as the prompt had it, and what its tags stood for."""
    if not stored:
        return "", ()
    try:
        brief = Brief.from_json(stored)
    except (KeyError, TypeError):  # stored by a version whose briefs had other fields
        return json.dumps(stored, ensure_ascii=False, indent=2), ()
    return stored.get("prompt") or render(brief), tuple((f"[{tag}]", str(value)) for tag, value in brief.tags().items())


def samples(stored: Iterable[Mapping[str, Any]]) -> tuple[SampleView, ...]:
    """The chosen text first, then the accepted, then the refused."""
    views = [
        SampleView(
            text=str(item.get("filled") or item.get("text") or ""),
            tagged=str(item.get("text") or ""),
            chosen=bool(item.get("chosen")),
            accepted=bool(item.get("accepted")),
            problems=tuple(plain(problem) for problem in item.get("problems") or ()),
            scores=pairs(item.get("scores") or {}),
        )
        for item in stored
    ]
    return tuple(sorted(views, key=lambda view: (not view.chosen, not view.accepted)))


def bars(timings: Mapping[str, Any]) -> tuple[tuple[Bar, ...], int]:
    """The stages, longest first (JSONB keeps no order), and the whole in milliseconds."""
    stages = {name: float(value) for name, value in timings.items() if isinstance(value, int | float)}
    whole = max(stages.pop("total", 0.0), sum(stages.values()))
    longest_first = sorted(stages.items(), key=lambda stage: -stage[1])
    return tuple(
        Bar(labels.humanised(name), round(value), round(100 * value / whole, 2) if whole else 0.0)
        for name, value in longest_first
    ), round(whole)


def source(stored: Mapping[str, Any]) -> tuple[Pair, ...]:
    """What an answer rests on, its kind by name first."""
    named = {"kind": labels.label(labels.conversations.SOURCES, str(stored["kind"]))} if stored.get("kind") else {}
    return pairs({**named, **{key: value for key, value in stored.items() if key != "kind"}})


def pairs(stored: Mapping[str, Any]) -> tuple[Pair, ...]:
    """Names and values of a stored mapping; what is empty is left out."""
    return tuple((labels.humanised(str(key)), text) for key, value in stored.items() if (text := plain(value)))


def plain(value: Any) -> str:
    """Any stored value as one short text. Numbers keep three significant digits below a thousand."""
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{labels.humanised(str(key))}: {plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return str(value)


def _flattened(item: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in item.items():
        flat.update(value if isinstance(value, Mapping) else {key: value})
    return flat


def _values(name: str, value: Any) -> Sequence[str]:
    """A state field as the separate things it says."""
    if name == "constraints":
        return [_wish(wish) for wish in value or ()]
    if name == "price":
        return [text] if (text := _price(value or {})) else []
    if isinstance(value, list):
        return [plain(item) for item in value]
    return [text] if value and (text := plain(value)) else []


def _wish(wish: Mapping[str, Any]) -> str:
    value = f"{'' if wish.get('wanted', True) else '≠ '}{wish.get('value', '')}{'' if wish.get('hard', True) else ' ?'}"
    attribute = wish.get("attribute") or ""
    return f"{labels.humanised(attribute)}: {value}" if attribute else value


def _price(price: Mapping[str, Any]) -> str:
    low, high, about = (price.get(name) for name in ("low", "high", "about"))
    if about is not None:
        return f"≈ {about}"
    if low is not None and high is not None:
        return f"{low} – {high}"
    if high is not None:
        return f"≤ {high}"
    return f"≥ {low}" if low is not None else ""
