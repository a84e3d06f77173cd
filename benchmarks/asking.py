"""What asking brings: ``python -m benchmarks.asking [--dialogues 200] [--seed 1] [--language both]``.

The same simulated shoppers (``benchmarks/simulator``) meet the same bot with different policies in the place of
``ask.ask_or_show``: it never asks; it asks a fixed script before it shows anything; it asks by expected gain. Prints
success within five turns, turns to success, and how many of the replies asked beside a list and alone.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from botcore.dialogue.ask import Asking
    from botcore.dialogue.lexicon.lexicon import Lexicon
    from botcore.dialogue.state import DialogueState
    from catalog.search import Candidate

SCRIPT = ("price", "color", "material")
HEAD = (
    "policy",
    "dialogues",
    "success within 5 turns",
    "turns to success",
    "lost patience",
    "replies that ask beside",
    "alone",
)


def never(*_: Any, **__: Any) -> Asking:
    from botcore.dialogue.ask import Asking

    return Asking()


def script(
    candidates: Sequence[Candidate], slate: Sequence[Candidate], state: DialogueState, lexicon: Lexicon, **allowed: Any
) -> Asking:
    """The first two of a script's questions that the goal's products can answer, each alone; then it shows."""
    from botcore.dialogue.ask import Asking, askable, belief
    from botcore.dialogue.state import Question

    if len(state.asked) >= 2 or len(candidates) <= len(slate):
        return Asking()
    questions = {q.attribute: q for q in askable(candidates, belief(candidates, 0), state, lexicon)}
    attribute = next((a for a in SCRIPT if a in questions), None)
    if attribute is None:
        return Asking()
    return Asking(Question(attribute, tuple(o.value for o in questions[attribute].options), alone=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--language", choices=("en", "zh", "both"), default="both")
    parser.add_argument("--policy", choices=("never", "script", "gain"), action="append")
    options = parser.parse_args()
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    from botcore.installation import installation

    with installation():
        from benchmarks.pscon import table

        found = {name: measured(name, options) for name in options.policy or ("gain", "never", "script")}
        print(
            table(HEAD, [*(row for _, row in found.values()), *gains({name: won for name, (won, _) in found.items()})])
        )


def gains(won: Mapping[str, Sequence[float]]) -> list[tuple[str, ...]]:
    """What the first policy gains over the others, on the same shoppers."""
    from benchmarks.metrics import bootstrap, mean

    ours, *others = won
    found: list[tuple[str, ...]] = []
    for other in others:
        differences = [a - b for a, b in zip(won[ours], won[other], strict=True)]
        interval = bootstrap(differences, [str(i) for i in range(len(differences))], mean)
        found.append((f"{ours}, gain over {other}", str(len(differences)), str(interval), "", "", "", ""))
    return found


def measured(name: str, options: argparse.Namespace) -> tuple[list[float], tuple[str, ...]]:
    """Who found something with a policy, and the policy's row of the table."""
    from benchmarks.shop import demo_shop
    from benchmarks.simulator.goods import market_of
    from benchmarks.simulator.report import row
    from benchmarks.simulator.run import chosen_bots, languages_of, measure
    from botcore.dialogue import ask, questions

    weigh = {"never": never, "script": script, "gain": ask.ask_or_show}[name]
    asked: Counter[str] = Counter()

    def counted(*given: Any, **allowed: Any) -> Asking:
        asking = weigh(*given, **allowed)
        asked["alone" if asking.question and asking.question.alone else "beside" if asking.question else "shown"] += 1
        return asking

    shop = demo_shop()
    market = market_of(shop)
    with patch.object(questions, "ask_or_show", counted):
        talks = measure(
            chosen_bots("ours", shop, market),
            market,
            options.dialogues,
            options.seed,
            languages_of(options.language),
            print,
        )["ours"]
    total = max(1, asked.total())
    shares = (f"{asked['beside'] / total:.0%}", f"{asked['alone'] / total:.0%}")
    return [float(bool(talk.success)) for talk in talks], (*row(name, talks, market)[:5], *shares)


if __name__ == "__main__":
    main()
