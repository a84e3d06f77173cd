"""Shoppers of a seed sent to one bot after another: each bot meets the same people with the same goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from benchmarks.simulator.bots import Bot, Ours, bots_of
from benchmarks.simulator.goods import Market, market_of
from benchmarks.simulator.phrasebook import LANGUAGES
from benchmarks.simulator.report import HEAD, rows
from benchmarks.simulator.shopper import Talk, converse, shopper_of

if TYPE_CHECKING:
    from catalog.models import Shop

DIALOGUES, SEED = 400, 1

Say = Callable[[str], None]


def simulator_table(say: Say) -> str:
    """The table of docs/benchmarks.md: ours in phrases beside the baselines. Makes the demo shop where there is none."""
    from benchmarks.pscon import table
    from benchmarks.shop import demo_shop

    say("simulator: the demo shop and its embeddings")
    shop = demo_shop()
    market = market_of(shop)
    measured = measure(chosen_bots("all", shop, market), market, DIALOGUES, SEED, LANGUAGES, say)
    return table(HEAD, rows(measured, market))


def languages_of(choice: str) -> tuple[str, ...]:
    return LANGUAGES if choice == "both" else (choice,)


def chosen_bots(choice: str, shop: Shop, market: Market, *, with_model: bool = False) -> dict[str, Bot]:
    """The bots of a choice by name, ours first."""
    from botcore.dialogue.ports import Ports
    from workers import serving

    bots: dict[str, Bot] = {}
    if choice in ("ours", "all"):
        bots["ours"] = Ours(shop, serving.ports() if with_model else Ports(serving.encoder(), serving.reader(), None))
    return bots | {n: bot for n, bot in bots_of(market).items() if choice == "all" or n.startswith(choice)}


def measure(
    bots: Mapping[str, Bot], market: Market, dialogues: int, seed: int, languages: Sequence[str], say: Say
) -> dict[str, list[Talk]]:
    """The dialogues of each bot, in the same order of shoppers; languages and departments take turns."""
    departments = market.departments
    measured = {}
    for name, bot in bots.items():
        say(f"{dialogues} dialogues with {name}")
        measured[name] = [
            converse(
                shopper_of(
                    market,
                    languages[i % len(languages)],
                    departments[i // len(languages) % len(departments)],
                    f"{seed}/{i}",
                ),
                bot,
            )
            for i in range(dialogues)
        ]
    return measured
