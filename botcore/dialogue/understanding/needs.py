"""What kind of thing a message is about that names none: "i arrive like a drowned rat" needs a rain jacket, says the reader.

It is asked only where nothing else tells what is looked for, and what it is not sure of is asked back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.ports import MessageReader

SURE = 0.6
"""The chance from which a category is what is looked for: the narrowest that has it with all that is in it, unless it can be
asked which part of it is."""
LIKELY, BESIDE, OPTIONS, TOGETHER = 0.08, 0.3, 4, 0.5
"""The chance from which a category may be meant, and its share of the likeliest one's; how many are told at most where it is
asked which one is, and the chance that it is one of these."""
ALONE = 0.35
"""The chance from which the only one that may be meant is: what is shown tells more than a question that nothing speaks for."""


KIND_SURE = 0.65
"""The share of the kinds' chances from which one kind of a category's products is what is needed."""


@dataclass(frozen=True)
class Need:
    """The category that a message surely needs, "" for none, with the ``kind`` of its products if that is sure, too; and the
    categories, two or more, that it may need, likeliest first."""

    goal: str = ""
    kind: str = ""
    likely: tuple[str, ...] = ()


def need(text: str, ruled_out: Collection[str], lexicon: Lexicon, reader: MessageReader) -> Need:
    """What a normalised text needs; never what was ``ruled_out``, by category paths."""
    left = [path for path in lexicon.told if not any(f"{path}/".startswith(f"{other}/") for other in ruled_out)]
    told = [list(chain(*lexicon.told[path].values())) for path in left]
    chances = dict(zip(left, reader.needing(text, told).tolist(), strict=True))
    within: Counter[str] = Counter()
    for path, chance in chances.items():
        within.update(dict.fromkeys(lexicon.category_chain(path), chance))
    least = max(LIKELY, BESIDE * max(chances.values(), default=0.0))
    likely = sorted((path for path in left if chances[path] >= least), key=lambda path: -chances[path])[:OPTIONS]
    sure = max((path for path in within if within[path] >= SURE), key=lambda path: path.count("/"), default="")
    if len(likely) == 1 and chances[likely[0]] >= ALONE:
        return Need(likely[0], _kind(text, likely[0], lexicon, reader))
    if len(likely) > 1 and sure not in chances and sum(chances[path] for path in likely) >= TOGETHER:
        return Need(likely=tuple(likely))
    return Need(sure, _kind(text, sure, lexicon, reader), tuple(likely) if sure else ())


def _kind(text: str, goal: str, lexicon: Lexicon, reader: MessageReader) -> str:
    """The kind of a category's products that is needed, if it is one; "" for none."""
    told = {kind: passages for kind, passages in lexicon.told.get(goal, {}).items() if kind}
    chances = dict(zip(told, reader.needing(text, list(told.values())).tolist(), strict=True))
    kind = max(chances, key=chances.__getitem__, default="")
    return kind if kind and chances[kind] >= KIND_SURE * sum(chances.values()) else ""
