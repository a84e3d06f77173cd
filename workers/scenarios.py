"""Scripted conversations and what must be true of every answer: reads scenario files, holds the talks, judges.

The format is that of ``manage.py scenarios --help``: a list of scenarios, each with turns that say what the customer
writes and what is expected of the reply.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from botcore.conversing import Conversing
from botcore.dialogue.ports import Ports
from botcore.models import Turn
from catalog.models import Product, Shop


class ScenarioError(ValueError):
    """The file is not a list of scenarios; the message names what is wrong with it."""


@dataclass(frozen=True)
class Outcome:
    """How one scenario went; ``failures`` name the turn and the reason."""

    id: str
    failures: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.failures


@dataclass(frozen=True)
class Shown:
    """One shown product with everything a scenario may ask about it."""

    sku: str
    price: Decimal
    text: str
    labels: frozenset[str]


def read_scenarios(path: Path) -> list[dict[str, Any]]:
    """The scenarios of a YAML file. Raises :class:`ScenarioError`."""
    try:
        scenarios = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}") from error
    if not isinstance(scenarios, list) or not all(isinstance(s, dict) and s.get("turns") for s in scenarios):
        raise ScenarioError(f"{path} is not a list of scenarios, each with an id and turns")
    return scenarios


def run_scenario(scenario: Mapping[str, Any], shop: Shop, ports: Ports) -> Outcome:
    """Hold one conversation and judge every turn."""
    talk = Conversing(shop, f"scenario-{uuid.uuid4().hex[:12]}", ports)
    slates: list[list[Shown]] = []
    failures = []
    for number, turn in enumerate(scenario["turns"], 1):
        answered = talk.say(turn["user"])
        shown = _shown(answered, shop)
        for reason in judge(turn.get("expect", {}), answered, shown, slates):
            failures.append(f'turn {number} "{turn["user"]}": {reason}')
        if shown:
            slates.append(shown)
    return Outcome(str(scenario.get("id", "?")), tuple(failures))


def judge(
    expect: Mapping[str, Any], turn: Turn, shown: Sequence[Shown], slates: Sequence[Sequence[Shown]]
) -> Iterator[str]:
    """Why a turn falls short of what is expected; nothing where it does not."""
    if "act" in expect and turn.act not in expect["act"]:
        yield f"act is {turn.act}, not {' or '.join(expect['act'])}"
    for name, wanted in expect.get("shown", {}).items():
        if problem := SHOWN_RULES[name](wanted, shown, slates):
            yield f"shown.{name}: {problem}"
    patterns = [str(p) for p in expect.get("reply_any", [])]
    if patterns and not any(re.search(p, turn.reply, re.IGNORECASE) for p in patterns):
        yield f'reply "{turn.reply}" matches none of {patterns}'
    for pattern in expect.get("reply_none", []):
        if re.search(str(pattern), turn.reply, re.IGNORECASE):
            yield f'reply "{turn.reply}" matches {pattern}'
    if "relaxed" in expect and bool(turn.brief.get("gave_up") or turn.act == "decline") != expect["relaxed"]:
        yield "the reply does not say which wish it gave up" if expect["relaxed"] else "a wish was given up"


def _shown(turn: Turn, shop: Shop) -> list[Shown]:
    """The slate as the scenario judges it: from the catalogue, not from what the reply claims."""
    products = {p.sku: p for p in Product.objects.filter(shop=shop, sku__in=[item["sku"] for item in turn.slate])}
    found = []
    for item in turn.slate:
        product = products[item["sku"]]
        labels = {part.replace("-", " ") for part in product.category.path.split("/")}
        labels |= {value for values in product.attributes.values() for value in values}
        text = f"{product.title} {product.description}".lower()
        found.append(Shown(item["sku"], Decimal(item["price"]), text, frozenset(labels)))
    return found


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word.lower())}(?:s|es)?\b", text) is not None


Rule = Callable[[Any, Sequence[Shown], Sequence[Sequence[Shown]]], str]


def _every(holds: Callable[[Any, Shown], bool]) -> Rule:
    def rule(wanted: Any, shown: Sequence[Shown], slates: Sequence[Sequence[Shown]]) -> str:
        return ", ".join(f"{item.sku} ({item.price}) breaks {wanted}" for item in shown if not holds(wanted, item))

    return rule


def _fresh(wanted: bool, shown: Sequence[Shown], slates: Sequence[Sequence[Shown]]) -> str:
    seen = {item.sku for slate in slates for item in slate}
    return ", ".join(f"{item.sku} was shown before" for item in shown if wanted and item.sku in seen)


def _cheaper_than(place: int, shown: Sequence[Shown], slates: Sequence[Sequence[Shown]]) -> str:
    if not slates or len(slates[-1]) < place:
        return "no such item was shown before"
    limit = slates[-1][place - 1].price
    return ", ".join(f"{item.sku} costs {item.price}, not below {limit}" for item in shown if item.price >= limit)


def _includes_previous(place: int, shown: Sequence[Shown], slates: Sequence[Sequence[Shown]]) -> str:
    if not slates or len(slates[-1]) < place:
        return "no such item was shown before"
    wanted = slates[-1][place - 1].sku
    return "" if any(item.sku == wanted for item in shown) else f"{wanted} is not shown again"


SHOWN_RULES: dict[str, Rule] = {
    "min": lambda wanted, shown, _: "" if len(shown) >= wanted else f"{len(shown)} shown, at least {wanted} expected",
    "max": lambda wanted, shown, _: "" if len(shown) <= wanted else f"{len(shown)} shown, at most {wanted} expected",
    "style": _every(lambda wanted, item: bool(item.labels & set(wanted))),
    "category": _every(lambda wanted, item: bool(item.labels & set(wanted))),
    "price_max": _every(lambda wanted, item: item.price <= wanted),
    "price_min": _every(lambda wanted, item: item.price >= wanted),
    "text_any": _every(lambda wanted, item: any(_has_word(item.text, word) for word in wanted)),
    "text_none": _every(lambda wanted, item: not any(_has_word(item.text, word) for word in wanted)),
    "fresh": _fresh,
    "cheaper_than": _cheaper_than,
    "includes_previous": _includes_previous,
}
