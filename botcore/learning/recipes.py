"""What a training run may be told: every recipe's options as data.

The command, the console's forms and ``runs.ask_for`` read this one table; what a run does where it is told nothing is in
``workers.training.run``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botcore.models import TrainingRun

Recipe = TrainingRun.Recipe
EVERY = tuple(Recipe)
TAUGHT = (Recipe.SFT, Recipe.PREFERENCE, Recipe.ADVERSARIAL)
"""Those that begin with SFT."""
USUAL = Recipe.PREFERENCE
LEAST_REPLAY, MOST_REPLAY = 0.3, 0.5
MANY = 10_000
FEWEST_BRIEFS = 50
"""Of an evaluation: with fewer there are too few replies by people to say how natural a version's are."""


class OptionError(ValueError):
    """A recipe cannot be told that; the message says what it can be told."""


@dataclass(frozen=True)
class Option:
    """One thing that ``recipes`` can be told: a number of ``kind`` between ``low`` and ``high``, or a text."""

    kind: type[int] | type[float] | type[str]
    recipes: Sequence[Recipe]
    help: str
    low: float = 0
    high: float = 0

    @property
    def usage(self) -> str:
        return f"{self.help} ({', '.join(self.recipes)})"

    def objection(self, value: Any) -> str:
        """What is wrong with ``value``, or ""."""
        if self.kind is str:
            return "" if isinstance(value, str) else "is a text"
        numbers = (int,) if self.kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, numbers):
            return "is a whole number" if self.kind is int else "is a number"
        return "" if self.low <= value <= self.high else f"is between {self.low} and {self.high}"


OPTIONS: Mapping[str, Option] = {
    "department": Option(str, EVERY, 'learn from one department alone ("clothing"), and answer what is about it'),
    "replay": Option(float, TAUGHT, "share of the base set in what is taught", LEAST_REPLAY, MOST_REPLAY),
    "search_minutes": Option(float, TAUGHT, "first look for rates and lengths so long", 0, 600),
    "epochs": Option(int, TAUGHT, "of SFT, at most", 1, 100),
    "lr": Option(float, TAUGHT, "learning rate of SFT", 1e-7, 0.1),
    "preference_epochs": Option(int, (Recipe.PREFERENCE,), "of DPO and KTO", 1, 100),
    "preference_lr": Option(float, (Recipe.PREFERENCE,), "learning rate of DPO and KTO", 1e-7, 0.1),
    "adversarial_steps": Option(int, (Recipe.ADVERSARIAL,), "steps against the discriminator", 1, MANY),
    "layers": Option(int, (Recipe.COMPRESS,), "how many layers to leave out", 0, 1_000),
    "healing": Option(int, (Recipe.COMPRESS,), "replies of the base set that heal what lost layers", 0, MANY),
    "briefs": Option(int, EVERY, "held-out briefs of the base set in the evaluation", FEWEST_BRIEFS, MANY),
    "seed": Option(int, EVERY, "of everything drawn", 0, 2**31 - 1),
}


MEASURING = ("briefs", "seed")
"""What a run can be told that only measures."""


def options_of(recipe: str) -> dict[str, Option]:
    """What the recipe can be told, by name."""
    return {name: option for name, option in OPTIONS.items() if recipe in option.recipes}


def check(recipe: str, told: Mapping[str, Any]) -> None:
    """Raises ``OptionError`` where the recipe has no such option, or the option no such value."""
    known = options_of(recipe)
    if foreign := sorted(told.keys() - known.keys()):
        raise OptionError(
            f"The recipe {recipe} cannot be told {', '.join(foreign)}; it has {', '.join(sorted(known))}."
        )
    for name, value in told.items():
        if objection := known[name].objection(value):
            raise OptionError(f"{name} {objection}, not {value!r}.")
