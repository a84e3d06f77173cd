"""Learn how a talk is matched with titles (``botcore/dialogue/relevance.py``) from logged recommendations.

    python -m workers.training.relevance [--data FOLDER] [--write]

A linear model over the features, fitted by the listwise softmax loss (Cao et al. 2007, ListNet's top-one probabilities)
over all titles, no sampled negatives, with an L2 penalty on weights of standardised features. Prints hit@5 and MRR of
held-out conversations (a fold learns neither weights nor word frequencies from the conversations it judges), then fits
on all points; ``--write`` puts that into ``botcore/dialogue/data/relevance.json`` with where it comes from.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from workers.training.pscon import SHARED_DATA, Point, Pscon, read_pscon, splits

if TYPE_CHECKING:
    from botcore.dialogue.ports import Encoder
    from botcore.dialogue.relevance import Floats, Relevance

FOLDS, SEED = 10, 0
PENALTY = 1.0
SPOKEN_OFTEN = 3
"""Words fewer talks say are not worth shipping; they count as said by nobody."""
NO_FEATURES: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Learner:
    """The data with everything encoded once; ``fit`` makes a model from any part of it."""

    pscon: Pscon
    points: tuple[Point, ...]
    similarity: tuple[Floats, ...]

    @classmethod
    def of(cls, pscon: Pscon, encoder: Encoder) -> Learner:
        """``similarity`` holds for each point the cosines of every title with the talk's queries."""
        from botcore.dialogue.relevance import Talk

        points = tuple(pscon.points())
        titles = encoder.encode(list(pscon.titles.values()))
        queries = [Talk(point.messages).queries() for point in points]
        texts = sorted({text for three in queries for text in three if text})
        vectors = dict(zip(texts, encoder.encode(texts), strict=True))
        nothing = np.zeros(titles.shape[1], dtype=np.float32)
        near = (titles @ np.stack([vectors.get(text, nothing) for text in three]).T for three in queries)
        return cls(pscon, points, tuple(matrix.astype(np.float64) for matrix in near))

    def fit(self, chosen: Sequence[int], without: frozenset[str] = NO_FEATURES) -> Relevance:
        """The model learned from the ``chosen`` points, and from the talks of their conversations alone."""
        from botcore.dialogue.relevance import FEATURES, Relevance, Speech, Talk

        conversations = {self.points[i].conversation for i in chosen}
        speech = Speech.of(Talk(c.messages) for c in self.pscon.conversations if c.id in conversations)
        tables = np.stack([self.table(i, speech) for i in chosen])
        for place, name in enumerate(FEATURES):
            if name in without:
                tables[:, :, place] = 0.0
        places = {sku: place for place, sku in enumerate(self.pscon.titles)}
        targets = np.zeros(tables.shape[:2])
        for row, i in enumerate(chosen):
            relevant = self.points[i].relevant
            targets[row, [places[sku] for sku in relevant]] = 1 / len(relevant)
        weights = fit_listwise(tables, targets, PENALTY)
        return Relevance(dict(zip(FEATURES, weights.tolist(), strict=True)), speech)

    def table(self, i: int, speech: object) -> Floats:
        """The features of every title at point ``i``."""
        from botcore.dialogue.relevance import Collection, Speech, Talk, features

        assert isinstance(speech, Speech)
        titles = list(self.pscon.titles.values())
        return features(Talk(self.points[i].messages), titles, self.similarity[i], Collection.of(titles), speech)

    def ranked(self, i: int, model: Relevance) -> list[str]:
        """All products for point ``i``, best first."""
        scores = model.scores(self.table(i, model.speech))
        skus = list(self.pscon.titles)
        return [skus[place] for place in np.argsort(-scores, kind="stable")]

    def held_out(self, seed: int = SEED, without: frozenset[str] = NO_FEATURES) -> list[list[str]]:
        """The ranking of every point by the model of its fold."""
        ranked: dict[int, list[str]] = {}
        for training, judged in splits([point.conversation for point in self.points], FOLDS, seed):
            model = self.fit(training, without)
            ranked |= {i: self.ranked(i, model) for i in judged}
        return [ranked[i] for i in range(len(self.points))]


def fit_listwise(tables: Floats, targets: Floats, penalty: float) -> Floats:
    """Weights of a linear scorer, shape ``(features,)``.

    ``tables`` is ``(lists, items, features)``; ``targets`` ``(lists, items)``, each row a distribution. Minimises the
    cross-entropy of softmax(scores) plus ``penalty``/2 times the squared weights of features divided by their deviation.
    """
    deviation = np.sqrt(tables.var(axis=1).mean(axis=0))
    scale = np.where(deviation > 1e-9, deviation, 1.0)
    inputs, wanted = torch.from_numpy(tables / scale), torch.from_numpy(targets)
    weights = torch.zeros(tables.shape[2], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        told = torch.log_softmax(inputs @ weights, dim=1)
        value = -(told * wanted).sum() + penalty / 2 * (weights**2).sum()
        value.backward()
        return value

    optimiser.step(loss)
    found: Floats = weights.detach().numpy() / scale
    return found


def quality(learner: Learner, ranked: Sequence[Sequence[str]]) -> tuple[float, float]:
    """hit@5 and mean reciprocal rank."""
    places = [
        min(order.index(sku) for sku in point.relevant) + 1
        for point, order in zip(learner.points, (list(r) for r in ranked), strict=True)
    ]
    return float(np.mean([place <= 5 for place in places])), float(np.mean([1 / place for place in places]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder that holds pscon/")
    parser.add_argument("--write", action="store_true", help="ship the model that is fitted on all points")
    parser.add_argument("--ablate", action="store_true", help="also leave each feature out in turn")
    options = parser.parse_args()
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    django.setup()
    from botcore.dialogue.relevance import FEATURES
    from workers.engine import load_encoder

    learner = Learner.of(read_pscon(options.data / "pscon"), load_encoder())
    for left_out in [(), *([(name,) for name in FEATURES] if options.ablate else [])]:
        hit, mrr = quality(learner, learner.held_out(without=frozenset(left_out)))
        print(f"held out, {FOLDS} folds{' without ' + left_out[0] if left_out else ''}: hit@5 {hit:.3f}, MRR {mrr:.3f}")  # noqa: T201
    model = learner.fit(range(len(learner.points)))
    print(json.dumps({name: round(weight, 3) for name, weight in model.weights.items()}))  # noqa: T201
    if options.write:
        write(model, learner)


def write(model: Relevance, learner: Learner) -> None:
    """Ship a model with its provenance."""
    from botcore.dialogue.words import DATA

    hit, mrr = quality(learner, learner.held_out())
    spoken = {word: count for word, count in sorted(model.speech.frequency.items()) if count >= SPOKEN_OFTEN}
    shipped = {
        "about": "How customers' talks are matched with titles; written by workers/training/relevance.py.",
        "learned_from": "PSCon (Zou et al., SIGIR 2025), CC-BY-4.0: train and valid, user turns and recommended products",
        "made": date.today().isoformat(),
        "points": len(learner.points),
        "conversations": len(learner.pscon.conversations),
        "held_out": {"folds": FOLDS, "hit@5": round(hit, 3), "MRR": round(mrr, 3)},
        "weights": {name: round(weight, 4) for name, weight in model.weights.items()},
        "speech": {"talks": model.speech.talks, "frequency": spoken},
    }
    (DATA / "relevance.json").write_text(json.dumps(shipped, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
