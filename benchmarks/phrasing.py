"""How well messages are understood: ``python -m benchmarks.phrasing [SET] [--failures]``.

Reads one message at a time, in the situation its entry describes, and compares what was understood with the gold of
``tests/phrasing`` (see its README). Slot F1 counts a category, a price, and every attribute with its polarity;
wishes about texts are left out. ``--failures`` lists what went wrong and is for the development sets alone.
Needs a database with the demo shop (the running installation's, or one is made for the occasion).
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from workers.training.phrasings import INTENTS

if TYPE_CHECKING:
    from botcore.dialogue.lexicon.lexicon import Lexicon
    from botcore.dialogue.state import Constraint, DialogueState
    from botcore.dialogue.understand import Understanding
    from catalog.models import Shop

SETS = Path(__file__).resolve().parents[1] / "tests" / "phrasing"
SETS_NAMED = ("development", "development2", "development3", "development4", "heldout")
TEXT, KIND = "text", "title"
NEGATIONS = {"negation", "negation_scope", "double_negation"}
Slots = dict[tuple[str, bool], frozenset[str]]
"""Values by attribute and whether they are wanted; several values of one attribute are alternatives."""


@dataclass
class Counts:
    """Hits, wrong finds and misses of slots, and right answers of the messages that test negation and reference."""

    hits: int = 0
    wrong: int = 0
    missed: int = 0
    negations: list[bool] = field(default_factory=list)
    references: list[bool] = field(default_factory=list)
    intents: list[bool] = field(default_factory=list)

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(1, 2 * self.hits + self.wrong + self.missed)


@dataclass(frozen=True)
class Judged:
    """One entry with what was found in it."""

    entry: Mapping[str, Any]
    gold: Slots
    found: Slots
    refers: frozenset[int]
    said: Understanding

    @property
    def problems(self) -> list[str]:
        keys = self.gold.keys() | self.found.keys()
        slots = [
            f"{'' if wanted else 'not '}{name}: {'|'.join(sorted(self.found.get((name, wanted), {'-'})))} "
            f"for {'|'.join(sorted(self.gold.get((name, wanted), {'-'})))}"
            for name, wanted in sorted(keys)
            if not fits(self.gold.get((name, wanted)), self.found.get((name, wanted)))
        ]
        wanted = set(self.entry["gold"].get("refers", ()))
        return slots + ([f"refers {sorted(self.refers)} for {sorted(wanted)}"] if self.refers != wanted else [])


def fits(gold: frozenset[str] | None, found: frozenset[str] | None) -> bool:
    """Whether a slot was found as it should be: some of the alternatives and nothing else."""
    return bool(gold and found and found <= gold)


def count(judged: Sequence[Judged]) -> Counts:
    """The measures over some entries."""
    counts = Counts()
    for one in judged:
        for key in one.gold.keys() | one.found.keys():
            gold, found = one.gold.get(key), one.found.get(key)
            right = fits(gold, found)
            counts.hits += right
            counts.wrong += found is not None and not right
            counts.missed += gold is not None and not right
        unwanted = {key for key in one.gold.keys() | one.found.keys() if not key[1]}
        if unwanted or one.entry["kind"] in NEGATIONS:
            counts.negations.append(all(fits(one.gold.get(key), one.found.get(key)) for key in unwanted))
        if wanted := one.entry["gold"].get("refers"):
            counts.references.append(one.refers == set(wanted))
        counts.intents.append(one.said.intent.name in INTENTS.get(one.entry["gold"]["intent"], ()))
    return counts


class Reader:
    """Understands entries over the demo shop."""

    def __init__(self, shop: Shop) -> None:
        from botcore.dialogue.lexicon.kept import lexicon_of
        from catalog.models import Category
        from workers.engine import load_encoder, load_reader

        self._shop = shop
        self._lexicon: Lexicon = lexicon_of(shop)
        self._encoder, self._model = load_encoder(), load_reader()
        self._paths = {tuple(_names(c)): c.path for c in Category.objects.filter(shop=shop).select_related("parent")}

    def read(self, entry: Mapping[str, Any]) -> Judged:
        from botcore.dialogue.pipeline import shown_items
        from botcore.dialogue.understand import understand

        state = self._state(entry.get("before", {}), entry["language"])
        shown = shown_items(self._shop, state)
        said = understand(entry["text"], state, shown, self._lexicon, self._model, self._encoder)
        places = {sku: place for place, sku in enumerate(state.slate)}
        refers = frozenset(places[sku] for sku in said.references if sku in places)
        return Judged(entry, self._gold(entry["gold"]), self._found(said), refers, said)

    def _state(self, before: Mapping[str, Any], language: str) -> DialogueState:
        from botcore.dialogue.state import Constraint, DialogueState, PriceRange

        price: dict[str, Any] = {
            name: Decimal(str(value)) for name, value in before.get("price", {}).items() if name != "currency"
        }
        wishes = [
            Constraint(w["attribute"], w["value"], wanted)
            for wanted, key in ((True, "wanted"), (False, "unwanted"))
            for w in before.get(key, ())
        ]
        return DialogueState(
            turn=1 if before else 0,
            goal=self._paths.get(tuple(before.get("category", ())), ""),
            constraints=tuple(wishes),
            price=PriceRange(**price),
            shown=(tuple(before["shown"]),) if "shown" in before else (),
            language=language,
        )

    def _gold(self, gold: Mapping[str, Any]) -> Slots:
        slots: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
        for part in (gold, gold.get("also", {})):
            for wanted, key in ((True, "wanted"), (False, "unwanted")):
                for wish in part.get(key, ()):
                    if wish["attribute"] not in (TEXT, KIND):
                        slots[wish["attribute"], wanted].add(wish["value"].lower())  # the vocabulary folds case
            if "category" in part:
                slots["category", True].add(self._paths[tuple(part["category"])])
        if price := gold.get("price"):
            slots["price", True].add(_price(price))
        return {key: frozenset(values) for key, values in slots.items()}

    def _found(self, said: Understanding) -> Slots:
        slots: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
        constraint: Constraint
        for constraint in (*said.constraints, *said.second):
            if constraint.attribute not in (TEXT, KIND):
                slots[constraint.attribute, constraint.wanted] |= {constraint.value, *constraint.others}
        if said.goals:
            slots["category", True].add(said.goals[0])
        if said.price:
            given = {name: value for name, value in vars(said.price).items() if value is not None}
            slots["price", True].add(_price(given))
        return {key: frozenset(values) for key, values in slots.items()}


def _names(category: Any) -> list[str]:
    return [*(_names(category.parent) if category.parent else []), category.name]


def _price(price: Mapping[str, Any]) -> str:
    """A price as one text; "about" stands for whatever range was made of it."""
    if "about" in price:
        return f"about {Decimal(str(price['about'])).normalize():f}"
    bounds = (f"{name} {Decimal(str(price[name])).normalize():f}" for name in ("low", "high") if name in price)
    return " ".join(bounds)


def table(judged: Sequence[Judged]) -> str:
    """The measures by language and together; by kind of phenomenon the share of entries without any problem."""
    lines = [f"{'':10}{'messages':>9}{'slot F1':>9}{'negation':>10}{'reference':>11}{'intent':>8}"]
    for name in ("en", "zh", "all"):
        part = [one for one in judged if name in ("all", one.entry["language"])]
        c = count(part)
        lines.append(
            f"{name:10}{len(part):9}{c.f1:9.3f}{_share(c.negations):10.3f}{_share(c.references):11.3f}"
            f"{_share(c.intents):8.3f}"
        )
    kinds: defaultdict[str, list[bool]] = defaultdict(list)
    for one in judged:
        kinds[one.entry["kind"]].append(not one.problems)
    lines += [f"{kind:22}{sum(right):4} of {len(right)}" for kind, right in sorted(kinds.items())]
    return "\n".join(lines)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=SETS_NAMED, nargs="?", default="development")
    parser.add_argument("--failures", action="store_true", help="list what went wrong (development sets only)")
    options = parser.parse_args()
    if options.failures and options.set == "heldout":
        parser.error("the failures of the held-out set are not looked at; use a development set")
    from botcore.installation import installation

    entries = yaml.safe_load((SETS / f"{options.set}.yaml").read_text("utf-8"))
    with installation():
        from benchmarks.shop import demo_shop

        reader = Reader(demo_shop())
        judged = [reader.read(entry) for entry in entries]
    print(table(judged))
    for one in judged if options.failures else ():
        if one.problems:
            print(f"{one.entry['id']} {one.entry['kind']}: {one.entry['text']}\n    {'; '.join(one.problems)}")


if __name__ == "__main__":
    main()
