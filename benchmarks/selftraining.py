"""What unlabelled messages teach: ``python -m benchmarks.selftraining [--data FOLDER]``.

A round of ``workers/training/selftrain.py`` for each source of messages, their labels hidden: PSCon's and IARD's customers,
Bitext's utterances (less those that the reader was trained on), all of them. Beside each stands its control, the same
pseudo-labels shuffled, which the gate has to refuse. The held-out phrasings are read for the last columns alone. Ten minutes
on two cores.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import yaml

from botcore.dialogue.words import normalise
from botcore.installation import installation
from workers.training.phrasings import SETS
from workers.training.pscon import SHARED_DATA
from workers.training.support import BITEXT, BITEXT_FILE, bitext_rows

HEAD = (
    "source", "messages", "taught", "right", "macro-F1", "log loss", "macro-F1 over served", "log loss over served",
    "log loss over shuffled", "kept", "held-out accuracy", "held-out macro-F1", "held-out log loss",
)  # fmt: skip
CONTROL = 1
"""Another seed than the gate's own shuffling."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder of pscon, iard and bitext-support")
    options = parser.parse_args()
    with installation():
        from benchmarks.pscon import table

        print(table(HEAD, list(rows(options.data))))


def rows(data: Path) -> Iterator[tuple[str, ...]]:
    from workers.engine import load_encoder, load_reader
    from workers.training import selftrain

    reader, encoder = load_reader(), load_encoder()
    ground = selftrain.lay(reader, encoder, print)
    print(f"threshold {ground.threshold}")
    entries = yaml.safe_load((SETS / "heldout.yaml").read_text("utf-8"))
    held_out = selftrain.phrasings(entries, reader, encoder)

    def row(name: str, messages: int, taught: int, right: str, trial: selftrain.Trial) -> tuple[str, ...]:
        own, served = selftrain.measured(trial.own), trial.gains["served"]
        unseen = selftrain.measured(selftrain.score(trial.layer, held_out))
        return (
            *(name, str(messages), str(taught), right, f"{own['macro_f1']:.4f}", f"{own['log_loss']:.4f}"),
            *(str(served["macro_f1"]), str(served["log_loss"]), str(trial.over_shuffled)),
            "yes" if trial.passed else "no",
            *(f"{unseen[key]:.4f}" for key in ("accuracy", "macro_f1", "log_loss")),
        )

    now = selftrain.score(ground.shipped, ground.judging)
    yield row("served", 0, 0, "", selftrain.Trial(ground.shipped, now, {"served": now, "shuffled": now}))
    found = unlabelled(data)
    for name, labels in {**found, "all": {k: v for part in found.values() for k, v in part.items()}}.items():
        texts = list(labels)
        seen = selftrain.see(texts, reader, encoder)
        chosen, said = selftrain.pseudo_labelled(seen, ground)
        known = [labels[texts[p]] == selftrain.NAMES[s] for p, s in zip(chosen, said, strict=True) if labels[texts[p]]]
        right = f"{np.mean(known):.3f} of {len(known)}" if known else ""
        for control in (False, True):
            taught = np.random.default_rng(CONTROL).permutation(said) if control else said
            trial = selftrain.trial_of(ground, ground.shipped, seen.states[chosen], taught)
            yield row(f"{name}, shuffled" if control else name, len(texts), len(chosen), right, trial)


def unlabelled(data: Path) -> dict[str, Mapping[str, str]]:
    """Messages by source with our intent, which is not learned from, where one is known."""
    from workers.training.heads import situations

    turns = situations(data)
    trained_on = {row.text for row in bitext_rows(data / "bitext-support")}
    with (data / "bitext-support" / BITEXT_FILE).open(encoding="utf-8", newline="") as stream:
        support = {normalise(line["utterance"]): BITEXT.get(line["intent"], "") for line in csv.DictReader(stream)}
    return {
        "pscon": {turn.text: "" for turn in turns if turn.conversation.startswith("pscon")},
        "iard": {turn.text: "" for turn in turns if turn.conversation.startswith("iard")},
        "bitext": {text: intent for text, intent in support.items() if text not in trained_on},
    }


if __name__ == "__main__":
    main()
