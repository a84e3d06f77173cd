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
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from workers.training.sequence import (
    AT_ONCE,
    Histories,
    Recipe,
    Split,
    measures,
    ranks,
    read_histories,
    split,
    train,
)

SEEDS = (1, 2, 3)
RECIPE = Recipe()
"""Chosen by validation NDCG@10 (docs/ranking-sequence.md)."""
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
    parser.add_argument("--threads", type=int, help="processor threads; without it, all")
    options = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    for name, values, remark in rows(options.data, options.out, options.seeds):
        print(f"{name:22}{values}  {remark}")


if __name__ == "__main__":
    main()
