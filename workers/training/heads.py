"""Trains the head that tells what a salesperson would do next (``act``), from those of PSCon and IARD.

    python -m workers.training.heads [--data FOLDER] [--check]

A multinomial logistic regression over what ``botcore.dialogue.heads`` makes of a talk; written to ``botcore/dialogue/data/heads``
with a JSON that says what it was trained from. ``--check`` prints the numbers only.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from botcore.dialogue.heads import HEADS, Floats, situation_inputs
from botcore.dialogue.linear import Head
from botcore.dialogue.words import normalise
from botcore.installation import installation
from workers.training.calibration import Judgement, measures, temperature_for
from workers.training.next_act import LABELS, fit_softmax
from workers.training.provenance import code_revision, sha256
from workers.training.pscon import SHARED_DATA, LoggedAct, folds_of, read_pscon

if TYPE_CHECKING:
    from botcore.dialogue.ports import Encoder

FOLDS, SEED = 5, 0
ACT_PENALTY = 3.0
"""L2 penalty, by cross-validation."""

SOURCES = {
    "act": {
        "pscon": "PSCon (Zou et al., SIGIR 2025), CC-BY-4.0: attributed here and in docs/training.md; changed: actions"
        " mapped to four acts, texts reduced to embeddings",
        "iard": "IARD (Cai & Chen, UMAP 2020), MIT, Copyright (c) 2020 wanlingcai1997",
    },
}


@dataclass(frozen=True)
class Situation:
    """A salesperson's turn: the customer's latest message, slates shown, questions asked, whether one is open."""

    conversation: str
    text: str
    shown: int
    asked: int
    question_open: bool
    act: LoggedAct


def fit(
    inputs: Floats, labels: Sequence[str], names: Sequence[str], weights: Sequence[float], penalty: float
) -> Floats:
    """Weights of a head; rows count by ``weights``."""
    truths = np.array([names.index(label) for label in labels])
    return fit_softmax(inputs, truths, len(names), penalty, np.array(weights)).astype(np.float32)


# The intent head


def situations(folder: Path) -> list[Situation]:
    """The turns of PSCon's and IARD's salespeople that follow something the customer said."""
    found = []
    for conversation in read_pscon(folder / "pscon").conversations:
        talk = [(line.customer, line.text, _pscon_act(line.action)) for line in conversation.lines]
        found += _situations(f"pscon-{conversation.id}", talk)
    logged = json.loads((folder / "iard" / "umap2020_IARD_Cai.json").read_text(encoding="utf-8"))
    for number, dialogue in logged.items():
        talk = [
            (
                said["role"] == "seeker",
                re.sub(r"@\d+ *<([^>]*)>", r"\1", said["utterance_text"]),
                _iard_act(set(said["top-level intent/action"])),
            )
            for said in dialogue["dialogue_info"].values()
        ]
        found += _situations(f"iard-{number}", talk)
    return found


def _pscon_act(action: str) -> LoggedAct:
    from workers.training.pscon import ACTS

    return ACTS.get(action, LoggedAct.OTHER)


def _iard_act(labels: set[str]) -> LoggedAct:
    """A recommendation with a question or an answer is a recommendation."""
    order = {"Recommend": LoggedAct.RECOMMEND, "Request": LoggedAct.ASK, "Respond": LoggedAct.ANSWER}
    return next((act for label, act in order.items() if label in labels), LoggedAct.OTHER)


def _situations(conversation: str, talk: Sequence[tuple[bool, str, LoggedAct]]) -> list[Situation]:
    found: list[Situation] = []
    acts: list[LoggedAct] = []
    latest = ""
    for customer, text, act in talk:
        if customer:
            latest = normalise(text)
        elif latest:
            shown, asked = acts.count(LoggedAct.RECOMMEND), acts.count(LoggedAct.ASK)
            question_open = bool(acts) and acts[-1] is LoggedAct.ASK
            found.append(Situation(conversation, latest, shown, asked, question_open, act))
        if not customer:
            acts.append(act)
    return found


def situation_rows(turns: Sequence[Situation], encoder: Encoder, *, blind: bool) -> Floats:
    """Inputs of the act head; ``blind`` leaves the words out, as where a message has none that the encoder reads."""
    vectors = encoder.encode([turn.text for turn in turns])
    return np.stack(
        [
            situation_inputs(t.text, None if blind else vector, t.shown, t.asked, t.question_open)
            for t, vector in zip(turns, vectors, strict=True)
        ]
    )


def train_act(turns: Sequence[Situation], encoder: Encoder) -> tuple[Head, dict[str, Any]]:
    """The act head, and what its like of each fold said of turns in conversations that it had not seen."""
    seen, blind = (situation_rows(turns, encoder, blind=b) for b in (False, True))
    names = tuple(str(label) for label in LABELS)
    labels = [str(turn.act) for turn in turns]
    fold = folds_of([turn.conversation for turn in turns], FOLDS, SEED)
    logits = {"en": np.zeros((len(turns), len(names))), "zh": np.zeros((len(turns), len(names)))}
    for number in range(FOLDS):
        training = [i for i, turn in enumerate(turns) if fold[turn.conversation] != number]
        judged = [i for i, turn in enumerate(turns) if fold[turn.conversation] == number]
        weights = _fit_act(seen[training], blind[training], [labels[i] for i in training], names)
        for language, inputs in (("en", seen), ("zh", blind)):
            logits[language][judged] = inputs[judged] @ weights[:-1] + weights[-1]
    truths = [[names.index(label)] for label in labels]
    temperature = {language: round(temperature_for(list(rows), truths), 3) for language, rows in logits.items()}
    report = {}
    for source in ("pscon", "iard"):
        for language, rows in logits.items():
            part = [i for i, turn in enumerate(turns) if turn.conversation.startswith(source)]
            judgements = [_judgement(rows[i] / temperature[language], labels[i], names) for i in part]
            report[f"{source}, {'with' if language == 'en' else 'without'} words"] = measures(judgements)
    counts = Counter(labels)
    usual = {name: round(counts[name] / len(labels), 4) for name in names}
    return Head(names, _fit_act(seen, blind, labels, names), temperature, usual), report


def _fit_act(seen: Floats, blind: Floats, labels: Sequence[str], names: Sequence[str]) -> Floats:
    return fit(np.vstack([seen, blind]), [*labels, *labels], names, [0.5] * 2 * len(labels), ACT_PENALTY)


def _judgement(logits: npt.NDArray[Any], truth: str, names: Sequence[str]) -> Judgement:
    shares = np.exp(logits - logits.max())
    place = int(np.argmax(shares))
    return Judgement(float(shares[place] / shares.sum()), truth, names[place])


def write(
    path: Path, head: Head, sources: str | Mapping[str, str], files: Mapping[str, Path], report: Mapping[str, Any]
) -> None:
    """The weights in half precision at ``path`` (``.npz``), and beside them where they come from."""
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, weights=head.weights.astype(np.float16))
    meta = {
        "labels": list(head.labels),
        "temperature": dict(head.temperature),
        "usual": dict(head.usual),
        "sources": sources,
        "sha256": {label: sha256(file) for label, file in files.items()},
        "code": code_revision(),
        "report": report,
    }
    path.with_suffix(".json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder of pscon and iard")
    parser.add_argument("--check", action="store_true", help="measure only; write nothing")
    options = parser.parse_args()
    with installation():
        from workers.engine import load_encoder

        encoder = load_encoder()
    act, report = train_act(situations(options.data), encoder)
    for name, numbers in report.items():
        print(f"{name:48} {numbers}")  # noqa: T201
    print("temperatures", act.temperature)  # noqa: T201
    if not options.check:
        pscon, iard = options.data / "pscon", options.data / "iard" / "umap2020_IARD_Cai.json"
        files = {"pscon/train": pscon / "train.json", "pscon/valid": pscon / "valid.json", "iard": iard}
        write(HEADS / "act.npz", act, SOURCES["act"], files, report)


if __name__ == "__main__":
    main()
