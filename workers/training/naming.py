"""Counts how often the messages of an intent name something of a catalogue: ``botcore/dialogue/data/naming.json``.

    python -m workers.training.naming

The hand-written examples are read in the words of the demo shop, which the database of the installation must hold.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from botcore.dialogue.intents import examples
from botcore.dialogue.ports import MessageRead
from botcore.dialogue.words import DATA
from botcore.installation import installation

DEMO = "demo"


class Unread:
    """Stands for the reader, which has no say in what a message names."""

    def message(self, text: str) -> MessageRead:
        return MessageRead({"find": 1.0}, (), np.empty((0, 1), dtype=np.float32), ("nothing",))

    def needing(self, text: str, kinds: Sequence[Sequence[str]]) -> npt.NDArray[np.float32]:
        return np.zeros(len(kinds), dtype=np.float32)


def naming_shares(slug: str) -> dict[str, float]:
    """How often an intent's messages name a category, price or value of a shop's vocabulary, one added on each side."""
    from botcore.dialogue.lexicon.kept import lexicon_of
    from botcore.dialogue.state import DialogueState
    from botcore.dialogue.understand import names_something, understand
    from catalog.models import Shop

    shop = Shop.objects.filter(slug=slug).first()
    if shop is None:
        raise SystemExit(
            f'This installation has no shop "{slug}", with whose words the examples are read: `make run` makes it.'
        )
    lexicon = lexicon_of(shop)
    counts: Counter[tuple[str, bool]] = Counter()
    for intent, by_language in examples().items():
        for text in itertools.chain(*by_language.values()):
            said = understand(str(text), DialogueState(), (), lexicon, Unread())
            counts[intent, names_something(said.goals, said.thing, said.price, said.constraints)] += 1
    labels = {label for label, _ in counts}
    return {n: round((counts[n, True] + 1) / (counts[n, True] + counts[n, False] + 2), 3) for n in sorted(labels)}


def main() -> None:
    with installation():
        shares = naming_shares(DEMO)
    (DATA / "naming.json").write_text(json.dumps(shares, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
