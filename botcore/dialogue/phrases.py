"""Approved phrases with slots: what is said when the model is not asked (Chinese), late, down, or refused.

Data in ``data/phrases.yaml``; what may follow any reply is in ``data/followups.yaml``.
A phrase fits a brief when everything it names is there; phrases claim nothing, so what
they say is as true as the brief.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

from botcore.dialogue.brief import TAG, Brief
from botcore.dialogue.words import DATA

PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)(?:\.([a-z_0-9]+))?\}")
OCCASIONS = ("note", "topic", "reason", "unclear", "stock", "source")
"""Notes that make a reply another reply: a phrase must have been written for the same one."""


@dataclass(frozen=True)
class Phrase:
    act: str
    language: str
    reply: str
    notes: Mapping[str, str] = field(default_factory=dict)
    gave_up: bool = False
    items: int = 0


def phrase_for(brief: Brief, language: str, seed: int) -> str:
    """A reply for the brief, tags not yet filled. Raises ``LookupError`` where the data has no phrase that fits."""
    fitting = [
        (p, text) for p in phrases()[language].get(brief.act, ()) if (text := _said(p, brief, language)) is not None
    ]
    if not fitting:
        raise LookupError(f"no {language} phrase for {brief.act} with {dict(brief.notes)}")
    best = max(_closeness(phrase, brief) for phrase, _ in fitting)
    equals = [text for phrase, text in fitting if _closeness(phrase, brief) == best]
    return equals[seed % len(equals)]


@lru_cache(maxsize=1)
def phrases() -> dict[str, dict[str, list[Phrase]]]:
    """All phrases by language and act."""
    data: dict[str, list[dict[str, Any]]] = {}
    for name in ("phrases.yaml", "followups.yaml"):
        data |= yaml.safe_load((DATA / name).read_text(encoding="utf-8"))
    found: dict[str, dict[str, list[Phrase]]] = {"en": {}, "zh": {}}
    for act, rows in data.items():
        for row in rows:
            notes = {name: str(value) for name, value in row.get("notes", {}).items()}
            phrase = Phrase(act, row["lang"], row["reply"], notes, bool(row.get("gave_up")), int(row.get("items", 0)))
            found[phrase.language].setdefault(act, []).append(phrase)
    return found


def _said(phrase: Phrase, brief: Brief, language: str) -> str | None:
    """The phrase filled with the brief's words; None where it does not fit."""
    if phrase.gave_up != bool(brief.gave_up):
        return None
    if any(brief.notes.get(name) != phrase.notes.get(name) for name in OCCASIONS):
        return None
    if any(name not in brief.notes or value not in (brief.notes[name], "any") for name, value in phrase.notes.items()):
        return None
    missing = False

    def fill(match: re.Match[str]) -> str:
        nonlocal missing
        word = _word(match[1], match[2] or "", brief, language)
        missing = missing or word is None
        return word or ""

    text = PLACEHOLDER.sub(fill, phrase.reply)
    known = brief.tags()
    if missing or any(tag not in known for tag in TAG.findall(text)):
        return None
    if "quote" in known and "[quote]" not in text:
        return None
    if phrase.items and len(brief.items) < phrase.items:
        return None
    return text[:1].upper() + text[1:]


def _word(subject: str, attribute: str, brief: Brief, language: str) -> str | None:
    comma, last = ("、", "和") if language == "zh" else (", ", " and ")
    if attribute:
        item = next((i for i in brief.items if i.letter == subject), None)
        if item is None:
            return None
        if attribute == "kind":
            return item.kind
        values = list(item.attributes.values())
        return item.attributes.get(attribute) if attribute not in ("any", "any2") else next(iter(values), None)
    notes = brief.notes
    match subject:
        case "wish":
            return next((w for w in brief.wishes if not w.startswith(("not ", "不要")) and "[" not in w), None)
        case "gave_up":
            return _listed(brief.gave_up, comma, last) or None
        case "options":
            chosen = [o for o in re.split(r",\s+|、", notes.get("options", "")) if o]
            return _listed(chosen, comma, " or " if language == "en" else "还是") or None
        case "because":
            return _listed(notes.get("because", "").split("; "), comma, last) or None
        case "ask" | "title" | "cheaper" | "rated" | "differ":
            return notes.get(subject)
        case "value":
            return _value(brief)
        case "available":
            return "available" if language == "en" else "有货"
        case "unavailable":
            return "unavailable" if language == "en" else "缺货"
    return None


def _value(brief: Brief) -> str | None:
    letter, attribute = brief.notes.get("about", "A"), brief.notes.get("attribute", "")
    item = next((i for i in brief.items if i.letter == letter), None)
    if item is None:
        return None
    return item.attributes.get(attribute) or (f"[{letter}.{attribute}]" if attribute in item.slots else None)


def _listed(words: list[str] | tuple[str, ...], comma: str, last: str) -> str:
    words = [w for w in words if w]
    return comma.join(words[:-1]) + last + words[-1] if len(words) > 1 else "".join(words)


def _closeness(phrase: Phrase, brief: Brief) -> tuple[int, int, int]:
    """How well a fitting phrase suits: notes it was written for, items it names, whether it asks the follow-up."""
    named = len({tag[0] for tag in TAG.findall(phrase.reply) if tag[1:2] == "."})
    asks = ("{ask}" in phrase.reply or "{options}" in phrase.reply or "ask" in phrase.notes) == ("ask" in brief.notes)
    return (len(phrase.notes), int(asks), -abs(min(len(brief.items), 3) - max(named, phrase.items)))
