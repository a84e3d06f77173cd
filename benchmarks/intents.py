"""What messages want: ``python -m benchmarks.intents [development|development2|heldout]``.

The intent head against the nearest examples that served before it, on the phrasings of ``tests/phrasing``, whose
intents are coarser than ours: accuracy, macro-F1 and expected calibration error (15 bins). Totals only, whatever the set.
``as understood`` is the whole reading, which also knows what a message names. Needs a database with the demo shop.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from benchmarks.phrasing import SETS, Reader
from workers.training.phrasings import INTENTS

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
    from workers.engine import load_encoder
    from workers.training.heads import as_read, judgements, measures
    from workers.training.nearest import NearestExamples, hand_written

    encoder, reader = load_encoder(), Reader(shop)
    understood = {as_read(entry["text"]): reader.read(entry).said.intent for entry in entries}
    ways = {
        "as understood": understood.__getitem__,
        "intent head alone": IntentClassifier(encoder).classify,
        "nearest examples": NearestExamples(encoder, hand_written()).classify,
    }
    found = []
    for name, classify in ways.items():
        for language in ("en", "zh", "all"):
            part = [entry for entry in entries if language in ("all", entry["language"])]
            m = measures(judgements(classify, part, INTENTS))
            found.append((name, language, *(f"{m[key]:g}" for key in ("messages", "accuracy", "macro_f1", "ece"))))
    return found


if __name__ == "__main__":
    main()
