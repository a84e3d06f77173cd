"""Reads ``contexts/*.yaml``: product kinds with plausible attributes, and what customers write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workers.training.dialogues.grammar import bare

FOLDER = Path(__file__).parent / "contexts"
DEPARTMENTS = ("clothing", "appliances", "beauty", "books", "general")


@dataclass(frozen=True)
class Role:
    """How the values of an attribute are said: before the noun, after it, after "it is", or alone as a noun."""

    adj: bool = False
    phrase: str = ""
    predicate: str = ""
    noun: str = ""


@dataclass(frozen=True)
class Kind:
    """A sort of product. Values carry the article they are said with; a brief shows them bare."""

    name: str
    department: str
    values: Mapping[str, tuple[str, ...]]
    uses: tuple[str, ...]
    slots: tuple[str, ...]
    unwanted: tuple[str, ...]
    plural: bool
    held_out: bool


@dataclass(frozen=True)
class World:
    """Everything briefs are made of. ``talk`` is ``talk.yaml`` as it stands."""

    roles: Mapping[str, Role]
    kinds: tuple[Kind, ...]
    talk: Mapping[str, Any]

    def predicate(self, attribute: str, value: str) -> str:
        """The value as it follows "it is": ``green``, ``made of linen``, ``has a hood`` (see ``grammar.polish``)."""
        role = self.roles[attribute]
        form = role.predicate or ("{}" if role.adj else role.phrase)
        return form.format(_said_in(form, value))

    def phrase(self, attribute: str, value: str) -> str:
        """The value as it follows the noun: ``in linen``, ``with a hood``."""
        form = self.roles[attribute].phrase
        return form.format(_said_in(form, value))

    def noun(self, attribute: str, value: str) -> str:
        return (self.roles[attribute].noun or "{}").format(value)


def _said_in(form: str, value: str) -> str:
    """The value, without its article where more words of the form follow or precede it (``with a {} scent``)."""
    return value if form.endswith(" {}") else bare(value)


def _kinds(department: str) -> list[Kind]:
    data = yaml.safe_load((FOLDER / f"{department}.yaml").read_text("utf-8"))
    kinds = []
    for name, row in data["kinds"].items():
        own = {
            a: tuple(v) for a, v in row.items() if a not in ("has", "use", "slots", "plural", "held_out", "unwanted")
        }
        kinds.append(
            Kind(
                name=name,
                department=department,
                values={**{a: tuple(data["shared"][a]) for a in row.get("has", ())}, **own},
                uses=tuple(row["use"]),
                slots=tuple(row.get("slots", ())),
                unwanted=tuple(row.get("unwanted", data["unwanted"])),
                plural=row.get("plural", False),
                held_out=row.get("held_out", False),
            )
        )
    return kinds


def load_world() -> World:
    roles = yaml.safe_load((FOLDER / "attributes.yaml").read_text("utf-8"))
    return World(
        roles={name: Role(**role) for name, role in roles.items()},
        kinds=tuple(kind for department in DEPARTMENTS for kind in _kinds(department)),
        talk=yaml.safe_load((FOLDER / "talk.yaml").read_text("utf-8")),
    )
