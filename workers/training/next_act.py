"""What a salesperson does next: ask, recommend, answer or something else, learned from logged dialogues.

    python -m workers.training.next_act [--data FOLDER] [--ablate]

A multinomial logistic regression on the sentence encoder's vectors of the latest messages of both sides, the intent
classifier's scores, and a few counts of the dialogue. Judged by cross-validation over conversations: no turn of a
conversation is in the training set of the fold that judges it. Prints accuracy, macro-F1 and the confusions.

PSCon's actions as classes: Clarify and Inquire are ``ask``, Recommend ``recommend``, Answer ``answer``, chitchat ``other``.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from botcore.dialogue.words import normalise
from workers.training.pscon import SHARED_DATA, LoggedAct, NextAct, Pscon, read_pscon, splits

if TYPE_CHECKING:
    from botcore.dialogue.ports import Encoder, Reader

Floats = npt.NDArray[np.float64]

FOLDS, SEED = 10, 0
PENALTY = 3.0
TURNS_TOLD = 6
"""Later turns than this are alike."""
PARTS = ("customer", "assistant", "intents", "dialogue")
"""The blocks of the features, for leaving one out."""
LABELS = tuple(LoggedAct)


@dataclass(frozen=True)
class NextActs:
    """The turns with their features: ``blocks`` maps a name of :data:`PARTS` to ``(turns, width)``."""

    turns: tuple[NextAct, ...]
    blocks: dict[str, Floats]

    @classmethod
    def of(cls, pscon: Pscon, encoder: Encoder, reader: Reader) -> NextActs:
        turns = tuple(pscon.next_acts())
        latest = [_latest(turn, customer=True) for turn in turns]
        replied = [_latest(turn, customer=False) for turn in turns]
        texts = sorted({*latest, *replied})
        vectors = dict(zip(texts, encoder.encode(texts).astype(np.float64), strict=True))
        said = np.array([bool(text) for text in replied], dtype=np.float64)[:, None]
        intents = {text: reader.message(normalise(text)).intents for text in set(latest)}
        names = sorted(next(iter(intents.values())))
        blocks = {
            "customer": np.stack([vectors[text] for text in latest]),
            "assistant": np.stack([vectors[text] for text in replied]) * said,
            "intents": np.array([[intents[text][name] for name in names] for text in latest]) * 3,
            "dialogue": np.array([_counts(turn) for turn in turns], dtype=np.float64),
        }
        return cls(turns, blocks)

    def held_out(self, seed: int = SEED, without: str = "") -> list[LoggedAct]:
        """What the model of each turn's fold predicts."""
        inputs = np.hstack([block for name, block in self.blocks.items() if name != without])
        truths = np.array([LABELS.index(turn.act) for turn in self.turns])
        predicted = np.zeros(len(truths), dtype=np.int64)
        for training, judged in splits([turn.conversation for turn in self.turns], FOLDS, seed):
            weights = fit_softmax(inputs[training], truths[training], len(LABELS), PENALTY)
            predicted[judged] = classify(inputs[judged], weights)
        return [LABELS[place] for place in predicted]


def fit_softmax(
    inputs: npt.NDArray[Any],
    labels: npt.NDArray[np.int64],
    classes: int,
    penalty: float,
    importance: Floats | None = None,
    around: npt.NDArray[Any] | None = None,
) -> Floats:
    """Weights of a multinomial logistic regression, shape ``(width + 1, classes)``; the last row is the intercept,
    which the L2 penalty leaves alone. ``importance`` weighs the rows, all alike by default. Where there are weights ``around``
    the penalty is on all that differs from them, the intercept too."""
    table, truth = torch.from_numpy(_with_one(inputs)), torch.from_numpy(labels)
    centre = torch.zeros(table.shape[1], classes, dtype=table.dtype) if around is None else torch.from_numpy(around)
    held = -1 if around is None else None
    weights = centre.clone().requires_grad_()
    counts = torch.from_numpy(np.ones(len(labels)) if importance is None else importance).to(table.dtype)
    optimiser = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = (counts * torch.nn.functional.cross_entropy(table @ weights, truth, reduction="none")).sum()
        value = value + penalty / 2 * ((weights - centre)[:held] ** 2).sum()
        value.backward()
        return value

    optimiser.step(loss)
    found: Floats = weights.detach().numpy()
    return found


def classify(inputs: Floats, weights: Floats) -> npt.NDArray[np.int64]:
    """The likeliest class of each row."""
    return np.argmax(_with_one(inputs) @ weights, axis=1)


def _with_one(inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.hstack([inputs, np.ones((len(inputs), 1), inputs.dtype)])


def _latest(turn: NextAct, *, customer: bool) -> str:
    return next((line.text for line in reversed(turn.before) if line.customer is customer), "")


def _counts(turn: NextAct) -> list[float]:
    """The turn's number (one of :data:`TURNS_TOLD`), questions asked so far, and what the latest messages look like."""
    mine = [line.text for line in turn.before if not line.customer]
    latest = _latest(turn, customer=True)
    number = [float(min(len(mine), TURNS_TOLD - 1) == place) for place in range(TURNS_TOLD)]
    return [
        *number,
        float(sum("?" in text or "？" in text for text in mine)) / 3,
        float(bool(mine) and ("?" in mine[-1] or "？" in mine[-1])),
        float("?" in latest or "？" in latest),
        min(len(latest.split()), 30) / 10,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder that holds pscon/")
    parser.add_argument("--ablate", action="store_true", help="also leave each block of features out in turn")
    options = parser.parse_args()
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    django.setup()
    from workers.engine import load_encoder, load_reader

    encoder = load_encoder()
    acts = NextActs.of(read_pscon(options.data / "pscon"), encoder, load_reader())
    for without in ("", *(PARTS if options.ablate else ())):
        predicted = acts.held_out(without=without)
        print(f"{'without ' + without if without else 'all features'}: {report(acts.turns, predicted)}")  # noqa: T201


def report(turns: Sequence[NextAct], predicted: Sequence[LoggedAct]) -> str:
    """Accuracy, macro-F1 over the classes that occur, and what was taken for what."""
    pairs = Counter((turn.act, said) for turn, said in zip(turns, predicted, strict=True))
    right = sum(count for (truth, said), count in pairs.items() if truth == said)
    occurring = [label for label in LABELS if any(truth == label for truth, _ in pairs)]
    scores = []
    for label in occurring:
        both = pairs[label, label]
        either = sum(count * ((truth == label) + (said == label)) for (truth, said), count in pairs.items())
        scores.append(2 * both / either)
    taken = ", ".join(f"{truth} for {said} {count}" for (truth, said), count in pairs.most_common() if truth != said)
    return f"accuracy {right / len(turns):.3f}, macro-F1 {float(np.mean(scores)):.3f}; {taken}"


if __name__ == "__main__":
    main()
