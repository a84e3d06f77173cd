"""What the dialogues came to: the table's rows, and single dialogues as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.metrics import bootstrap, mean
from benchmarks.simulator.goods import Market
from benchmarks.simulator.hard_wishes import broken, judged, named, needless
from benchmarks.simulator.shopper import TURNS, Talk

HEAD = (
    "simulated shoppers",
    "dialogues",
    f"success within {TURNS} turns",
    "turns to success",
    "lost patience",
    "hard wishes held or given up openly",
    "given up needlessly",
)


def rows(measured: Mapping[str, Sequence[Talk]], market: Market) -> list[tuple[str, ...]]:
    """A row for each bot, for each language and department of it, and its lead over the others on the same shoppers."""
    found = []
    for name, talks in measured.items():
        found.append(row(name, talks, market))
        if len(measured) == 1 or name == next(iter(measured)):
            found += [row(f"{name}, {part}", some, market) for part, some in parts(talks)]
    ours, *others = measured
    for other in others:
        gains = [bool(a.success) - bool(b.success) for a, b in zip(measured[ours], measured[other], strict=True)]
        found.append(
            (f"{ours}, gain over {other}", str(len(gains)), _interval([float(g) for g in gains]), "", "", "", "")
        )
    return found


def row(name: str, talks: Sequence[Talk], market: Market) -> tuple[str, ...]:
    won = [float(talk.success) for talk in talks if talk.success]
    replies = sum(len(judged(talk)) for talk in talks)
    breaks = sum(1 for talk in talks for _ in broken(talk, market))
    return (
        name,
        str(len(talks)),
        _interval([float(bool(talk.success)) for talk in talks]),
        f"{mean(won):.2f}" if won else "-",
        f"{mean([float(talk.left) for talk in talks]):.1%}",
        f"{1 - breaks / replies:.1%} of {replies}" if replies else "-",
        str(sum(1 for talk in talks for _ in needless(talk, market))),
    )


def parts(talks: Sequence[Talk]) -> Iterator[tuple[str, list[Talk]]]:
    for of in ("language", "department"):
        for value in sorted({getattr(talk, of) for talk in talks}):
            yield value, [talk for talk in talks if getattr(talk, of) == value]


def _interval(values: Sequence[float]) -> str:
    return str(bootstrap(values, [str(i) for i in range(len(values))], mean))


def told(talk: Talk, market: Market) -> str:
    """A dialogue as text: the goal, every message and what was shown."""
    silent = {b.turn: b for b in broken(talk, market)}
    hasty = set(needless(talk, market))
    wishes = "; ".join(named(w) + ("" if w.hard else f" ~{w.weight:.1f}") for w in talk.goal.wishes)
    how = f"turn {talk.success}" if talk.success else "left" if talk.left else "no success"
    lines = [f"[{talk.language} {talk.goal.kind}: {wishes}; enough {talk.goal.enough:.2f}] {how}"]
    if talk.change:
        lines.append(f"  (changes {named(talk.change.old)} to {named(talk.change.new)})")
    lines.append(f"  satisfied by {', '.join(g.sku for g in talk.goal.satisfying(market.goods.values()))}")
    for turn, exchange in enumerate(talk.exchanges, 1):
        lines.append(f"  > {exchange.text}")
        gave_up = f" (gave up {', '.join(exchange.reply.gave_up)})" if exchange.reply.gave_up else ""
        lines.append(f"  < {exchange.reply.text}{gave_up}")
        if exchange.reply.shown:
            lines.append(f"      {', '.join(f'{s.sku} {s.price or str()}'.strip() for s in exchange.reply.shown)}")
        if turn in hasty:
            lines.append("      !! gave up what is in stock")
        if turn in silent:
            lines.append(f"      !! {silent[turn].sku} breaks {', '.join(silent[turn].wishes)}")
    return "\n".join(lines)
