"""What messages want: ``python -m benchmarks.intents [development|development2|heldout]``.

The reader against the nearest examples, the simplest way, on the phrasings of ``tests/phrasing``, whose
intents are coarser than ours: accuracy, macro-F1 and expected calibration error (15 bins). Totals only, whatever the set.
``as understood`` is the whole reading, which also knows what a message names. Needs a database with the demo shop.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from benchmarks.nearest import NearestExamples, hand_written
from benchmarks.phrasing import SETS, Reader
from botcore.dialogue.intents import Intent
from botcore.dialogue.words import normalise
from workers.training.calibration import Judgement, measures
from workers.training.phrasings import as_gold

HEAD = ("classifier", "language", "messages", "accuracy", "macro-F1", "ECE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "set", choices=sorted(path.stem for path in SETS.glob("*.yaml")), nargs="?", default="development"
    )
    options = parser.parse_args()
    from botcore.installation import installation

    entries = yaml.safe_load((SETS / f"{options.set}.yaml").read_text("utf-8"))
    with installation():
        from benchmarks.pscon import table
        from catalog.models import Shop

        print(table(HEAD, rows(entries, Shop.objects.get(slug="demo"))))


def rows(entries: Sequence[Mapping[str, Any]], shop: Any) -> list[tuple[str, ...]]:
    from botcore.dialogue.intents import IntentClassifier
    from workers.engine import load_encoder, load_reader

    reader = Reader(shop)
    understood = {normalise(entry["text"]): reader.read(entry).said.intent for entry in entries}
    ways = {
        "as understood": understood.__getitem__,
        "reader alone": IntentClassifier(load_reader()).classify,
        "nearest examples": NearestExamples(load_encoder(), hand_written()).classify,
    }
    found = []
    for name, classify in ways.items():
        for language in ("en", "zh", "all"):
            part = [entry for entry in entries if language in ("all", entry["language"])]
            m = measures(judgements(classify, part))
            found.append((name, language, *(f"{m[key]:g}" for key in ("messages", "accuracy", "macro_f1", "ece"))))
    return found


def judgements(classify: Callable[[str], Intent], entries: Sequence[Mapping[str, Any]]) -> list[Judgement]:
    """How a classifier does on phrasings, whose intents are coarser than ours."""
    found = []
    for entry in entries:
        intent, truth = classify(normalise(entry["text"])), entry["gold"]["intent"]
        found.append(Judgement(intent.confidence, truth, as_gold(intent.name, truth)))
    return found


if __name__ == "__main__":
    main()
