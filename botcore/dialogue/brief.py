"""The brief: what the model is told before it writes, and the one renderer that turns it into a prompt.

Serving (``compose.py``) and training (``workers/training``) render through here, so that what the model learns
and what it is asked are the same characters. The model sees attribute words and *tags* (``[A.price]``); the values
behind tags are kept in ``slots`` and never shown to it. Every digit in a prompt is hidden behind a tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SYSTEM = "You are the shop's salesperson. Write one short reply. Use tags for names, prices and numbers."

TAG = re.compile(r"\[([A-D]\.[a-z_]+|[a-z_]+)\]")
"""A tag as the model writes it: ``[A.name]`` for an item's slot, ``[budget]`` for one of the conversation."""

LETTERS = "ABCD"


@dataclass(frozen=True)
class ItemFacts:
    """One product of the slate. ``kind`` is the category's noun; ``attributes`` are words without digits.

    ``slots`` maps a slot name to its value: always ``name`` and ``price``; ``rating``, ``stock`` and attributes whose
    values hold digits (``capacity``) where the shop knows them. Training examples may leave the values empty.
    """

    letter: str
    kind: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Brief:
    """Act, compact state and facts of one reply.

    ``wishes`` and ``gave_up`` are short phrases ("green", "not leather", "under [budget]"). ``notes`` are the act's own
    lines, in order (``docs/training.md`` lists them for every act). ``slots`` holds the values of conversation tags.
    ``house_words`` are words that the shop says in place of others, each with the one it stands for ("" for none: it claims
    nothing); the model is not told them: it has learned to use them, or it has not.
    """

    act: str
    customer: str = ""
    wishes: tuple[str, ...] = ()
    gave_up: tuple[str, ...] = ()
    items: tuple[ItemFacts, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)
    house_words: Mapping[str, str] = field(default_factory=dict)

    def tags(self) -> dict[str, str]:
        """Every tag this reply may use, without brackets, with its value."""
        items = {f"{item.letter}.{slot}": value for item in self.items for slot, value in item.slots.items()}
        return {**items, **self.slots}

    def to_json(self) -> dict[str, Any]:
        return {
            "act": self.act,
            "customer": self.customer,
            "wishes": list(self.wishes),
            "gave_up": list(self.gave_up),
            "items": [
                {"letter": i.letter, "kind": i.kind, "attributes": dict(i.attributes), "slots": dict(i.slots)}
                for i in self.items
            ],
            "notes": dict(self.notes),
            "slots": dict(self.slots),
            "house_words": dict(self.house_words),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Brief:
        return cls(
            act=data["act"],
            customer=data.get("customer", ""),
            wishes=tuple(data.get("wishes", ())),
            gave_up=tuple(data.get("gave_up", ())),
            items=tuple(ItemFacts(**item) for item in data.get("items", ())),
            notes=dict(data.get("notes", {})),
            slots=dict(data.get("slots", {})),
            house_words=dict(data.get("house_words", {})),
        )


def render(brief: Brief) -> str:
    """The user message of the prompt: one line a fact, no digits, at most about 150 tokens for three items."""
    lines = [f"act: {brief.act}"]
    if brief.customer:
        lines.append(f"customer: {brief.customer}")
    if brief.wishes:
        lines.append(f"wishes: {'; '.join(brief.wishes)}")
    if brief.gave_up:
        lines.append(f"gave up: {'; '.join(brief.gave_up)}")
    for item in brief.items:
        words = [item.kind, *(f"{name} {value}" for name, value in item.attributes.items())]
        tags = " ".join(f"[{item.letter}.{slot}]" for slot in item.slots)
        lines.append(f"{item.letter}: {'; '.join(words)}; {tags}")
    lines.extend(f"{name}: {value}" for name, value in brief.notes.items())
    if brief.slots:
        lines.append("tags: " + " ".join(f"[{slot}]" for slot in brief.slots))
    return "\n".join(lines)


def messages(brief: Brief) -> list[dict[str, str]]:
    """The chat the model completes, for ``tokenizer.apply_chat_template``."""
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": render(brief)}]
