"""PSCon, human product-search dialogues (Zou et al., SIGIR 2025, CC-BY-4.0), as training scripts and benchmarks read it.

Only read, never shipped. ``Point`` is where the logged salesperson recommended; ``NextAct`` any turn of theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from botcore.environment import PROJECT

SHARED_DATA = PROJECT.parent / "shared" / "data"


class LoggedAct(StrEnum):
    """What a logged reply does, in the four classes of the next-act table."""

    ASK = "ask"
    RECOMMEND = "recommend"
    ANSWER = "answer"
    OTHER = "other"


ACTS = {
    "Clarify": LoggedAct.ASK,
    "Inquire": LoggedAct.ASK,
    "Recommend": LoggedAct.RECOMMEND,
    "Answer": LoggedAct.ANSWER,
}
"""PSCon's actions; every other one (chitchat) is ``other``. No visible turn is labelled as an answer."""


@dataclass(frozen=True)
class Line:
    """One logged message. ``action`` and ``recommended`` are of the salesperson's lines."""

    customer: bool
    text: str
    action: str = ""
    recommended: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conversation:
    id: str
    lines: tuple[Line, ...]

    @property
    def messages(self) -> tuple[str, ...]:
        """The customer's, in order."""
        return tuple(line.text for line in self.lines if line.customer)


@dataclass(frozen=True)
class Point:
    """A recommendation point: what had been said, and the products recommended there. ``conversation`` is the fold's unit."""

    conversation: str
    before: tuple[Line, ...]
    relevant: tuple[str, ...]

    @property
    def messages(self) -> tuple[str, ...]:
        return tuple(line.text for line in self.before if line.customer)


@dataclass(frozen=True)
class NextAct:
    """A turn of the salesperson: what had been said, and what they did."""

    conversation: str
    before: tuple[Line, ...]
    act: LoggedAct


@dataclass(frozen=True)
class Pscon:
    """``titles`` by product id, in an order that says nothing about the conversations (the file's own groups them)."""

    titles: dict[str, str]
    conversations: tuple[Conversation, ...]

    def points(self) -> list[Point]:
        """Every salesperson's turn with action Recommend that recommends at least one product of ``titles``.

        What was recommended there and is in ``titles`` is relevant, shown before or not; the customer's messages so far
        are the query.
        """
        found = []
        for conversation in self.conversations:
            for place, line in enumerate(conversation.lines):
                relevant = tuple(dict.fromkeys(sku for sku in line.recommended if sku in self.titles))
                before = conversation.lines[:place]
                if line.action == "Recommend" and relevant and any(earlier.customer for earlier in before):
                    found.append(Point(conversation.id, before, relevant))
        return found

    def next_acts(self) -> list[NextAct]:
        """Every salesperson's turn that follows something the customer said."""
        return [
            NextAct(conversation.id, conversation.lines[:place], ACTS.get(line.action, LoggedAct.OTHER))
            for conversation in self.conversations
            for place, line in enumerate(conversation.lines)
            if not line.customer and any(earlier.customer for earlier in conversation.lines[:place])
        ]


def read_pscon(folder: Path) -> Pscon:
    """The visible conversations (train and valid) and all titles. Raises ``OSError`` where a file is missing."""
    titles = json.loads((folder / "products.json").read_text(encoding="utf-8"))
    logged = [
        c for part in ("train", "valid") for c in json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))
    ]
    shuffled = dict(sorted(titles.items(), key=lambda item: hashlib.sha256(item[0].encode()).digest()))
    return Pscon(shuffled, tuple(Conversation(str(c["conv_id"]), tuple(map(_line, c["conversation"]))) for c in logged))


def folds_of(conversations: Sequence[str], folds: int, seed: int) -> dict[str, int]:
    """The fold of each conversation: whole conversations are held out, folds differ by one at most."""
    ids = sorted(set(conversations))
    places = np.random.default_rng(seed).permutation(len(ids))
    return {ids[place]: number % folds for number, place in enumerate(places)}


def splits(conversations: Sequence[str], folds: int, seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """For each fold the indices to train on and those to judge, of rows that belong to ``conversations``."""
    fold = folds_of(conversations, folds, seed)
    for held in range(folds):
        yield (
            [i for i, conversation in enumerate(conversations) if fold[conversation] != held],
            [i for i, conversation in enumerate(conversations) if fold[conversation] == held],
        )


def _line(row: dict[str, Any]) -> Line:
    products = (product["product_id"] for product in row.get("recommended_products", ()))
    return Line(row["role"] == "user", row["content"].strip(), row.get("action", ""), tuple(products))
