"""What the sequence model finds, beside popularity and item-to-item counts, on public histories.

    python -m benchmarks.sequence --data FOLDER [--seeds 1 2 3]

``FOLDER`` holds ``Beauty.txt`` and ``item2attributes.json`` (S3-Rec's Amazon Beauty: measure only, ship nothing made
from it). The protocol is that of ``workers.training.sequence``. Trained models are kept below ``--out``, so that a second
call reads their numbers, and one that was killed goes on.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from workers.engine.sequence import load
from workers.training.sequence import (
    AT_ONCE,
    Histories,
    Recipe,
    Split,
    evaluate,
    measures,
    ranks,
    read_histories,
    split,
    train,
)

SEEDS = (1, 2, 3)
RECIPE = Recipe(negatives=512)
"""Chosen by validation NDCG@10 among recipes that draw negatives; all of them (0) are better and slower
(docs/ranking-sequence.md)."""
SHOWN = ("recall@5", "ndcg@5", "recall@10", "ndcg@10")


def rows(data: Path, out: Path, seeds: Sequence[int] = SEEDS, recipe: Recipe = RECIPE) -> list[tuple[str, str, str]]:
    """Name, measures on the test item and a remark, of each model. Trains what ``out`` does not hold yet."""
    histories = read_beauty(data)
    held_out = split(histories)
    found = [
        ("popularity", _written([popularity(held_out)]), "counts in training"),
        ("item-to-item counts", _written([markov(held_out)]), "first-order Markov chain, popularity breaks ties"),
    ]
    metas = [train(replace(recipe, seed=seed), histories, out / f"seed-{seed}") for seed in seeds]
    minutes = statistics.fmean(meta["seconds"] / 60 for meta in metas)
    remark = f"seeds {', '.join(map(str, seeds))}; {minutes:.0f} min each on {metas[0]['threads']} thread(s)"
    return [*found, ("sequence model", _written([meta["test"] for meta in metas]), remark)]


def cold_rows(
    data: Path, out: Path, seed: int = 1, recipe: Recipe = RECIPE, hidden: float = 0.05
) -> list[tuple[str, str, str]]:
    """The same measures for products that nobody took before: a share of the products is hidden from training and from
    every history, and the customers whose test item is one of them are asked for it, among all products."""
    histories = without_some(read_beauty(data), hidden, seed)
    folder = out / f"cold-{seed}"
    train(replace(recipe, seed=seed), histories, folder)
    held_out, model = split(histories), load(folder)
    cold = [row for row, item in enumerate(held_out.test) if item > held_out.catalogue.trained]
    found = evaluate(model, [held_out.test_inputs[row] for row in cold], [held_out.test[row] for row in cold])
    chance = 10 / len(held_out.catalogue.skus)
    remark = f"{len(cold)} customers; {hidden:.0%} of the products hidden; by chance R@10 {chance:.4f}"
    return [("sequence model, products without history", _written([measures(found)]), remark)]


def without_some(histories: Histories, share: float, seed: int) -> Histories:
    """The histories without a share of the items, drawn by ``seed``, except where one is a customer's test item."""
    items = sorted({item for sequence in histories.sequences for item in sequence})
    hidden = set(random.Random(seed).sample(items, round(share * len(items))))
    sequences = tuple(
        (*(item for item in sequence[:-1] if item not in hidden), sequence[-1]) for sequence in histories.sequences
    )
    return replace(histories, sequences=sequences, source=histories.source | {"hidden": f"{share} by {seed}"})


def read_beauty(data: Path) -> Histories:
    return read_histories(data / "Beauty.txt", data / "item2attributes.json")


def popularity(held_out: Split) -> dict[str, float]:
    """Every customer gets the most frequent items of training."""
    counts = _counts(held_out)
    return _measured(held_out, lambda inputs: counts.expand(len(inputs), -1))


def markov(held_out: Split) -> dict[str, float]:
    """Customers get what followed their last item most often; items that never did come after, by popularity."""
    followers: dict[int, Counter[int]] = {}
    for items in held_out.train:
        for before, after in itertools.pairwise(items):
            followers.setdefault(before, Counter())[after] += 1
    counts = _counts(held_out)
    popular = counts / (counts.max() + 1)

    def scores(inputs: Sequence[Sequence[int]]) -> Tensor:
        result = popular.repeat(len(inputs), 1)
        for row, items in enumerate(inputs):
            for after, count in followers.get(items[-1], Counter()).items():
                result[row, after] += count
        return result

    return _measured(held_out, scores)


def _counts(held_out: Split) -> Tensor:
    items = torch.tensor([item for listed in held_out.train for item in listed])
    return torch.bincount(items, minlength=len(held_out.catalogue.skus) + 1).float()


def _measured(held_out: Split, scores: Callable[[Sequence[Sequence[int]]], Tensor]) -> dict[str, float]:
    inputs, parts = held_out.test_inputs, []
    for start in range(0, len(inputs), AT_ONCE):
        some = inputs[start : start + AT_ONCE]
        parts.append(ranks(scores(some), held_out.test[start : start + AT_ONCE], some))
    return measures(torch.cat(parts))


def _written(runs: Sequence[dict[str, float]]) -> str:
    """Mean of the runs and, of more than one, their sample standard deviation."""
    cells = []
    for name in SHOWN:
        values = [run[name] for run in runs]
        spread = f" ±{statistics.stdev(values):.4f}" if len(values) > 1 else ""
        cells.append(f"{name[0].upper()}@{name.partition('@')[2]} {statistics.fmean(values):.4f}{spread}")
    return "  ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with Beauty.txt and item2attributes.json")
    parser.add_argument(
        "--out", type=Path, default=Path("var/benchmarks/sequence"), help="where trained models are kept"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--cold", action="store_true", help="products without history as well: one more training")
    parser.add_argument("--threads", type=int, help="processor threads; without it, all")
    options = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    found = rows(options.data, options.out, options.seeds)
    if options.cold:
        found += cold_rows(options.data, options.out)
    for name, values, remark in found:
        print(f"{name:42}{values}  {remark}")


if __name__ == "__main__":
    main()
