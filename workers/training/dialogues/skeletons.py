"""Reads the hand-written replies in ``skeletons/*.yaml`` and works out what each one needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from botcore.dialogue.brief import TAG
from botcore.dialogue.state import Act

FOLDER = Path(__file__).parent / "skeletons"
PLACEHOLDER = re.compile(r"\{([A-Za-z_]+2?)(?:\.([a-z_0-9]+))?\}")
LETTER_VARIABLES = ("cheaper", "dearer", "rated", "unrated")


class SkeletonError(ValueError):
    """A skeleton that cannot be used as it is written; the message names it and says what to change."""


@dataclass(frozen=True)
class Skeleton:
    """One reply with holes.

    ``gave_up`` is the sort of wish given up: "" none, "any", "in" (said after "in"), "adj", "budget" or an attribute.
    ``because`` lists the reasons an explanation builds on: attributes, "budget", "rating" or "not".
    """

    id: str
    act: Act
    reply: str
    notes: Mapping[str, str] = field(default_factory=dict)
    gave_up: str = ""
    items: int = 0
    options: str = ""
    because: tuple[str, ...] = ()
    same: bool = False
    plural: bool = False

    @cached_property
    def placeholders(self) -> frozenset[tuple[str, str]]:
        """Pairs (subject, attribute): ("A", "color"), ("wish", "")."""
        return frozenset((m[1], m[2] or "") for m in PLACEHOLDER.finditer(self.reply))

    @cached_property
    def tags(self) -> frozenset[str]:
        return frozenset(m[1] for m in TAG.finditer(re.sub(r"\{(?:cheaper|dearer|rated|unrated)\}", "A", self.reply)))

    def uses(self, name: str) -> bool:
        """Whether the reply has the placeholder ``{name}``."""
        return (name, "") in self.placeholders

    def attributes(self) -> frozenset[str]:
        """Attributes and roles named of any item: {"color", "phrase"}."""
        return frozenset(attribute for _, attribute in self.placeholders if attribute)

    def subjects(self) -> frozenset[str]:
        """Letters and letter variables whose attributes the reply tells: {"A", "B"}."""
        return frozenset(subject for subject, attribute in self.placeholders if attribute and attribute != "kind")

    def slots(self) -> frozenset[str]:
        """Item slots the reply's tags need, besides name and price: {"rating", "capacity"}."""
        return frozenset(tag[2:] for tag in self.tags if tag[1:2] == ".") - {"name", "price"}

    def letters(self) -> int:
        """How many items the reply speaks of."""
        named = {tag[0] for tag in self.tags if tag[1:2] == "."} | {s for s, _ in self.placeholders if len(s) == 1}
        pair = any(subject in LETTER_VARIABLES for subject, _ in self.placeholders)
        return max(self.items, 2 * pair, max((ord(letter) - ord("A") + 1 for letter in named), default=0))


def _skeleton(act: Act, position: int, row: Mapping[str, Any]) -> Skeleton:
    unknown = set(row) - {"reply", "notes", "gave_up", "items", "options", "because", "same", "plural"}
    if unknown or not row.get("reply"):
        raise SkeletonError(f"{act}.yaml, entry {position + 1}: needs a reply and knows no {sorted(unknown)}")
    gave_up, because = row.get("gave_up", ""), row.get("because", ())
    return Skeleton(
        id=f"{act}-{position + 1:03}",
        act=act,
        reply=row["reply"],
        notes={name: str(value) for name, value in row.get("notes", {}).items()},
        gave_up="any" if gave_up is True else gave_up or "",
        items=row.get("items", 0),
        options=row.get("options", ""),
        because=(because,) if isinstance(because, str) else tuple(because),
        same=row.get("same", False),
        plural=row.get("plural", False),
    )


def load_skeletons() -> dict[Act, tuple[Skeleton, ...]]:
    """Every skeleton by act, in file order."""
    return {act: tuple(_read(act)) for act in Act}


def _read(act: Act) -> Iterator[Skeleton]:
    path = FOLDER / f"{act}.yaml"
    for position, row in enumerate(yaml.safe_load(path.read_text("utf-8"))):
        yield _skeleton(act, position, row)
