"""The sequence model learns from what customers took, in order, what they take next.

    python -m workers.training.sequence --histories FILE [--attributes FILE] --out FOLDER
    python -m workers.training.sequence --shop SLUG

Reads from top to bottom. A run that was killed continues after its last whole epoch when the command is given again, and
ends with the same weights as one that was not. ``benchmarks.sequence`` trains by this script as well.

Protocol, that of the literature on leave-one-out (Kang & McAuley 2018; S3-Rec, Zhou et al. 2020):

- of every customer's items the last is for the test, the one before for validation, the rest for training;
- in training every step predicts the next item; the loss is the cross-entropy over all items that occur in training, or,
  with ``negatives``, an estimate of it, not one negative a step, which cost SASRec much of its quality (Klenitskiy &
  Vasilev 2023; Petrov & Macdonald 2023);
- in validation the model reads the training items, in the test those and the validation item;
- the target is ranked among all items (no sampled candidates), without the items the model has just read. Equal scores
  share their ranks. A target in its own history, or one of which the model knows nothing, counts as missed;
- recall@k (with one target also called hit rate) and NDCG@k are means over customers;
- training ends when validation NDCG@10 has not risen for ``patience`` epochs, and the best epoch's weights are kept. The
  test is looked at once, by those weights; hyper-parameters are chosen by validation.

Leave-one-out splits each customer's time, not the calendar's: what others did later is known in training.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.metadata
import json
import logging
import math
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from botcore.installation import installation
from workers.engine.sequence import PADDING, Catalogue, SequenceModel, Shape, content_of, save
from workers.training.provenance import code_revision, sha256

logger = logging.getLogger(__name__)

CUTOFFS = (5, 10)
LIKE_LENGTHS = 64
"""Customers of like length that go through the network together, so that little of it is padding."""
AT_ONCE = 512
"""Customers ranked at once: bounds the memory of their scores over all items."""


class SequenceTrainingError(RuntimeError):
    """The run cannot start; the message says what to change."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns. Two runs of one recipe on one data set give the same model."""

    width: int = 64
    layers: int = 1
    heads: int = 1
    inner: int = 64
    max_length: int = 50
    dropout: float = 0.3
    temperature: float | None = 0.1
    content: bool = True
    """Add the attributes' vectors to the items': the only way to place products without history."""
    forgotten: float = 0.1
    """Share of items that lose their own vector in a step, so that content alone learns to do (DropoutNet, 2017)."""
    lr: float = 2e-3
    negatives: int = 0
    """Items drawn in each step to estimate the sum over all of them; 0: all. Draw where the catalogue is large."""
    batch: int = 128
    """Customers a step."""
    epochs: int = 200
    patience: int = 5
    """Epochs without a better validation before training ends."""
    refit: bool = False
    """Write a model trained on everything, validation and test included, for as many epochs as were best: to serve."""
    seed: int = 1

    @property
    def shape(self) -> Shape:
        return Shape(
            self.width,
            self.layers,
            self.heads,
            self.inner,
            self.max_length,
            self.dropout,
            self.temperature,
            self.content,
        )


# --- data -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Histories:
    """What each customer took, oldest first, as item keys; attributes by item key; where it was read from."""

    sequences: tuple[tuple[str, ...], ...]
    attributes: dict[str, list[str]]
    source: dict[str, str]


@dataclass(frozen=True)
class Split:
    """Item numbers by customer. ``train`` are the items before validation and test."""

    catalogue: Catalogue
    train: list[list[int]]
    valid: list[int]
    test: list[int]

    @property
    def test_inputs(self) -> list[list[int]]:
        return [[*items, target] for items, target in zip(self.train, self.valid, strict=True)]


def read_histories(file: Path, attributes: Path | None = None) -> Histories:
    """``file``: one customer a line, the customer's key and then item keys in order. ``attributes``: JSON object, item
    key to a list of attributes. Raises ``SequenceTrainingError`` for a file without any customer."""
    with file.open(encoding="utf-8") as lines:
        sequences = tuple(tuple(line.split()[1:]) for line in lines if line.strip())
    if not sequences:
        raise SequenceTrainingError(f"{file} holds no customer")
    named = json.loads(attributes.read_text(encoding="utf-8")) if attributes else {}
    files = [file, *([attributes] if attributes else [])]
    return Histories(
        sequences,
        {item: [str(value) for value in values] for item, values in named.items()},
        {path.name: sha256(path) for path in files},
    )


def shop_histories(slug: str) -> Histories:
    """A shop's views, carts and orders: each product once a customer, where it first occurs.

    Reviews are left out: they come days after the order they belong to. Raises ``SequenceTrainingError`` for a shop that
    does not exist.
    """
    from catalog.models import Interaction, Product, Shop

    shop = Shop.objects.filter(slug=slug).first()
    if shop is None:
        raise SequenceTrainingError(f'no shop is called "{slug}"')
    taken: dict[int, dict[str, None]] = {}
    events = shop.interactions.exclude(kind=Interaction.Kind.REVIEW).order_by("at", "pk")
    for customer, sku in events.values_list("customer_id", "product__sku").iterator():
        taken.setdefault(customer, {})[sku] = None
    sequences = tuple(tuple(skus) for _, skus in sorted(taken.items()))
    products = Product.objects.filter(shop=shop).select_related("category")
    attributes = {product.sku: content_of(product) for product in products}
    text = json.dumps([sequences, sorted(attributes.items())])
    return Histories(sequences, attributes, {f"shop {slug}": hashlib.sha256(text.encode()).hexdigest()})


def split(histories: Histories) -> Split:
    """Leave-one-out; customers with fewer than three items are left out.

    Raises ``SequenceTrainingError`` when no customer is left.
    """
    sequences = [sequence for sequence in histories.sequences if len(sequence) >= 3]
    if not sequences:
        raise SequenceTrainingError("no customer has three products; there is nothing to learn from yet")
    catalogue = catalogue_of([sequence[:-2] for sequence in sequences], histories)
    numbered = numbers(sequences, catalogue)
    return Split(
        catalogue,
        [items[:-2] for items in numbered],
        [items[-2] for items in numbered],
        [items[-1] for items in numbered],
    )


def catalogue_of(trained: Sequence[Sequence[str]], histories: Histories) -> Catalogue:
    """Items by their count in ``trained``, most frequent first, so that a number says nothing about what is held out;
    then the items of the histories and of the attributes that do not occur there.

    An attribute that only one item has is left out: it is another name for that item.
    """
    counts = Counter(item for sequence in trained for item in sequence)
    others = {item for sequence in histories.sequences for item in sequence} | set(histories.attributes)
    skus = (*sorted(counts, key=lambda item: (-counts[item], item)), *sorted(others - counts.keys()))
    shared = Counter(name for item in skus for name in set(histories.attributes.get(item, ())))
    attributes = tuple(sorted(name for name, count in shared.items() if count > 1))
    position = {name: n for n, name in enumerate(attributes)}
    content = tuple(
        tuple(position[name] for name in histories.attributes.get(item, ()) if name in position) for item in skus
    )
    return Catalogue(skus, len(counts), attributes, content)


def numbers(sequences: Sequence[Sequence[str]], catalogue: Catalogue) -> list[list[int]]:
    """The sequences as item numbers."""
    number = {sku: n for n, sku in enumerate(catalogue.skus, 1)}
    return [[number[item] for item in sequence] for sequence in sequences]


def padded(sequences: Sequence[Sequence[int]]) -> Tensor:
    """Customers x longest, filled with ``PADDING`` at the end."""
    return pad_sequence([torch.tensor(s, dtype=torch.long) for s in sequences], True, PADDING)


def like_lengths(sequences: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Positions of the sequences, ``size`` at a time, those of like length together."""
    order = sorted(range(len(sequences)), key=lambda n: len(sequences[n]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


# --- the measures ---------------------------------------------------------------------------------------------------


def ranks(scores: Tensor, targets: Sequence[int], histories: Sequence[Sequence[int]]) -> Tensor:
    """The rank, from 1, of each customer's target among all items outside the customer's history: shape ``(customers,)``.

    ``scores``: customers x (items + 1), column 0 of no item. Equal scores share the mean of their ranks, so that a
    model which cannot tell items apart gets no credit. A target without a finite score ranks behind all that have one.
    """
    scores = scores.clone()
    for row, history in enumerate(histories):
        scores[row, list(history)] = -math.inf
    target = scores[torch.arange(len(scores)), torch.tensor(targets)][:, None].numpy()
    items = scores[:, PADDING + 1 :].numpy()  # NumPy counts ten times faster
    better, equal = np.count_nonzero(items > target, axis=1), np.count_nonzero(items == target, axis=1)
    return torch.from_numpy(better + (equal + 1) / 2)


def recall(ranked: Tensor, k: int) -> float:
    """Share of customers whose one target is among the first ``k``."""
    return float((ranked <= k).double().mean())


def ndcg(ranked: Tensor, k: int) -> float:
    """Mean of 1 / log2(1 + rank) for targets among the first ``k``, 0 for others: the ideal list has gain 1."""
    return float(torch.where(ranked <= k, 1 / torch.log2(ranked.double() + 1), 0.0).mean())


def measures(ranked: Tensor) -> dict[str, float]:
    """Recall and NDCG at every cut-off."""
    return {
        f"{name}@{k}": round(measure(ranked, k), 5)
        for name, measure in (("recall", recall), ("ndcg", ndcg))
        for k in CUTOFFS
    }


@torch.no_grad()
def evaluate(model: SequenceModel, inputs: Sequence[Sequence[int]], targets: Sequence[int]) -> Tensor:
    """Ranks of the targets after the inputs, in the order given."""
    model.eval()
    vectors, width = model.vectors(), len(model.catalogue.skus) + 1
    unplaced = torch.tensor([not model.places(item) for item in range(width)])
    result = torch.empty(len(inputs), dtype=torch.double)
    for rows in like_lengths(inputs, AT_ONCE):
        read = [[n for n in inputs[row] if model.places(n)][-model.shape.max_length :] or [PADDING] for row in rows]
        last = torch.tensor([len(items) - 1 for items in read])
        states = model(padded(read), vectors)[torch.arange(len(rows)), last]
        scores = model.logits(states, vectors)
        scores = F.pad(scores, (0, width - scores.shape[1])).masked_fill(unplaced, -math.inf)
        result[rows] = ranks(scores, [targets[row] for row in rows], [inputs[row] for row in rows])
    return result


# --- learning -------------------------------------------------------------------------------------------------------


def loss(model: SequenceModel, sequences: Sequence[Sequence[int]], recipe: Recipe) -> Tensor:
    """Mean cross-entropy of every next item of a batch, in nats."""
    trained = model.catalogue.trained
    keep = (torch.rand(trained + 1) >= recipe.forgotten).float() if recipe.forgotten and recipe.content else None
    vectors = model.vectors(keep)
    states, targets = [], []
    for rows in like_lengths(sequences, LIKE_LENGTHS):
        items = padded([sequences[row][-recipe.max_length - 1 :] for row in rows])
        following = items[:, 1:]
        states.append(model(items[:, :-1], vectors)[following != PADDING])
        targets.append(following[following != PADDING])
    state, target = torch.cat(states), torch.cat(targets)
    if recipe.negatives and recipe.negatives < trained:
        return sampled_softmax(model, state, target, vectors[: trained + 1], recipe.negatives)
    logits = model.logits(state, vectors[1 : trained + 1])
    return F.cross_entropy(logits, target - 1)


def sampled_softmax(model: SequenceModel, states: Tensor, targets: Tensor, vectors: Tensor, negatives: int) -> Tensor:
    """Cross-entropy with the sum over all items estimated from ``negatives`` of them, drawn for the whole batch.

    Each drawn item stands for as many as there are to one (Bengio & Senecal 2008, with uniform draws), so that the
    expected sum is the full one, which it is exactly when every item is drawn.
    """
    items = len(vectors) - 1
    drawn = torch.randperm(items)[:negatives] + 1
    scores = model.logits(states, vectors[drawn])
    column = torch.full((items + 1,), -1)
    column[drawn] = torch.arange(negatives)
    hit = column[targets] >= 0
    scores[hit, column[targets][hit]] = -math.inf  # the target is no negative of its own
    stands_for = torch.log((items - 1) / (negatives - hit.float()))
    target = model.score(states, vectors[targets]) - stands_for
    return (torch.logaddexp(torch.logsumexp(scores, 1), target) - target).mean()


def batches(customers: int, recipe: Recipe, epoch: int) -> list[list[int]]:
    """Every customer once, in an order that seed and epoch alone decide."""
    order = random.Random(f"{recipe.seed}/{epoch}").sample(range(customers), customers)
    return [order[start : start + recipe.batch] for start in range(0, customers, recipe.batch)]


def train_epoch(
    model: SequenceModel,
    optimizer: torch.optim.Optimizer,
    sequences: Sequence[Sequence[int]],
    recipe: Recipe,
    epoch: int,
) -> float:
    """Mean loss of one pass over the sequences, in nats."""
    model.train()
    total = 0.0
    sequences = [items for items in sequences if len(items) > 1]
    planned = batches(len(sequences), recipe, epoch)
    for batch in track(planned, f"epoch {epoch + 1}", console=Console(stderr=True), transient=True):
        optimizer.zero_grad()
        value = loss(model, [sequences[row] for row in batch], recipe)
        value.backward()
        optimizer.step()
        total += value.item()
    return total / len(planned)


@dataclass(frozen=True)
class Course:
    """How far a run has come: epochs done, the best of them by validation NDCG@10, and the numbers of each."""

    epoch: int = 0
    best_epoch: int = 0
    best: float = -1.0
    seconds: float = 0.0
    epochs: tuple[dict[str, float], ...] = ()

    def over(self, recipe: Recipe) -> bool:
        return self.epoch >= recipe.epochs or self.epoch - self.best_epoch >= recipe.patience

    def after(self, value: float, valid: dict[str, float], seconds: float) -> Course:
        epoch, better = self.epoch + 1, valid["ndcg@10"] > self.best
        return Course(
            epoch=epoch,
            best_epoch=epoch if better else self.best_epoch,
            best=valid["ndcg@10"] if better else self.best,
            seconds=self.seconds + seconds,
            epochs=(*self.epochs, {"loss": round(value, 4)} | valid),
        )


def train(recipe: Recipe, histories: Histories, out: Path) -> dict[str, Any]:
    """Train, write the model folder ``out`` and return its ``meta.json``, at once if ``out`` holds this very run.

    Raises ``SequenceTrainingError`` when there is too little data or ``out`` holds another run.
    """
    inputs = _inputs(recipe, histories)
    checkpoint = _Checkpoint(out)
    if (done := checkpoint.claim(inputs)) is not None:
        return done
    data = split(histories)
    model, optimizer = _beginning(recipe, data.catalogue)
    course = checkpoint.restore(model, optimizer)
    while not course.over(recipe):
        started = time.monotonic()
        value = train_epoch(model, optimizer, data.train, recipe, course.epoch)
        valid = measures(evaluate(model, data.train, data.valid))
        course = course.after(value, valid, time.monotonic() - started)
        logger.info("epoch %d: loss %.4f, validation %s, %.0f s so far", course.epoch, value, valid, course.seconds)
        checkpoint.store(model, optimizer, course)
    checkpoint.restore_best(model)
    meta = {
        "version": out.name.removeprefix("."),
        "kind": "sequence",
        "data": _described(data) | {"sha256": histories.source},
        "code": code_revision(),
        "hyperparameters": inputs["recipe"],
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "epochs": course.epoch,
        "best_epoch": course.best_epoch,
        "course": list(course.epochs),
        "validation": measures(evaluate(model, data.train, data.valid)),
        "test": measures(evaluate(model, data.test_inputs, data.test)),
        "seconds": round(course.seconds, 1),
        "threads": torch.get_num_threads(),
        "packages": {"torch": importlib.metadata.version("torch")},
    }
    save(_refitted(recipe, histories, course.best_epoch) if recipe.refit else model, out)
    checkpoint.finish(meta)
    return meta


def _inputs(recipe: Recipe, histories: Histories) -> dict[str, Any]:
    return {"recipe": asdict(recipe), "data": histories.source}


def _beginning(recipe: Recipe, catalogue: Catalogue) -> tuple[SequenceModel, torch.optim.Optimizer]:
    torch.manual_seed(recipe.seed)
    model = SequenceModel(recipe.shape, catalogue)
    return model, torch.optim.AdamW(model.parameters(), lr=recipe.lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)


def _refitted(recipe: Recipe, histories: Histories, epochs: int) -> SequenceModel:
    """The model to serve: trained as long as was best, on every customer's whole history."""
    catalogue = catalogue_of(histories.sequences, histories)
    model, optimizer = _beginning(recipe, catalogue)
    for epoch in range(epochs):
        value = train_epoch(model, optimizer, numbers(histories.sequences, catalogue), recipe, epoch)
        logger.info("epoch %d of %d on everything: loss %.4f", epoch + 1, epochs, value)
    return model


def _described(data: Split) -> dict[str, Any]:
    return {
        "customers": len(data.train),
        "interactions": sum(map(len, data.train)) + 2 * len(data.train),
        "items": len(data.catalogue.skus),
        "items_in_training": data.catalogue.trained,
        "attributes": len(data.catalogue.attributes),
    }


class _Checkpoint:
    """The state of a run inside its folder, as of the last whole epoch; gone when the run is finished."""

    def __init__(self, out: Path) -> None:
        self._out, self._file, self._claim = out, out / "checkpoint.pt", out / "inputs.json"

    def claim(self, inputs: dict[str, Any]) -> dict[str, Any] | None:
        """Bind the folder to these inputs; the meta data of this very run if it is finished."""
        self._out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(inputs, indent=2, sort_keys=True)
        if self._claim.exists() and self._claim.read_text() != text:
            raise SequenceTrainingError(f"{self._out} holds another run; remove it or choose another --out.")
        self._claim.write_text(text)
        meta = self._out / "meta.json"
        return json.loads(meta.read_text(encoding="utf-8")) if meta.exists() else None

    def restore(self, model: SequenceModel, optimizer: torch.optim.Optimizer) -> Course:
        """Continue where the run was: weights, optimiser and random numbers. A new course if it never was anywhere."""
        if not self._file.exists():
            return Course()
        state = torch.load(self._file, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        return Course(**state["course"])

    def store(self, model: SequenceModel, optimizer: torch.optim.Optimizer, course: Course) -> None:
        better = course.best_epoch == course.epoch
        best = model.state_dict() if better else torch.load(self._file, weights_only=True)["best"]
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "course": asdict(course),
            "best": best,
        }
        unfinished = self._file.with_suffix(".unfinished")
        torch.save(state, unfinished)
        unfinished.replace(self._file)

    def restore_best(self, model: SequenceModel) -> None:
        model.load_state_dict(torch.load(self._file, weights_only=True)["best"])

    def finish(self, meta: dict[str, Any]) -> None:
        (self._out / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
        self._file.unlink()


# --- the command ----------------------------------------------------------------------------------------------------


def train_shop(slug: str, models: Path, recipe: Recipe) -> dict[str, Any]:
    """Train a shop's model into ``models/sequence-<slug>``, in place of the one before as soon as it is complete."""
    final, new = models / f"sequence-{slug}", models / f".sequence-{slug}"
    histories = shop_histories(slug)
    if (new / "inputs.json").exists() and json.loads((new / "inputs.json").read_text()) != _inputs(recipe, histories):
        shutil.rmtree(new)  # of a run that was killed, on data that have changed since
    meta = train(recipe, histories, new)
    shutil.rmtree(final, ignore_errors=True)
    new.rename(final)
    return meta


def main(argv: list[str] | None = None) -> None:
    default = Recipe()
    parser = argparse.ArgumentParser(
        prog="python -m workers.training.sequence", description=(__doc__ or "").splitlines()[0]
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--shop", help="slug; the model goes below VAR_DIR/models and is served from there")
    source.add_argument("--histories", type=Path, help="a customer a line: key, then item keys in order")
    parser.add_argument("--attributes", type=Path, help="JSON object: item key to a list of attributes")
    parser.add_argument("--out", type=Path, help="model folder, with --histories")
    parser.add_argument("--threads", type=int, help="processor threads; without it, all")
    for field in dataclasses.fields(Recipe):
        _add_option(parser, field.name, getattr(default, field.name))
    options = vars(parser.parse_args(argv))
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(message)s")
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    recipe = Recipe(**{field.name: options[field.name] for field in dataclasses.fields(Recipe)})
    if options["shop"]:
        with installation():
            from django.conf import settings

            meta = train_shop(options["shop"], settings.VAR_DIR / "models", recipe)
    else:
        if not options["out"]:
            parser.error("--histories needs --out")
        meta = train(recipe, read_histories(options["histories"], options["attributes"]), options["out"])
    logger.info("best epoch %d; validation %s; test %s", meta["best_epoch"], meta["validation"], meta["test"])


def _add_option(parser: argparse.ArgumentParser, name: str, default: object) -> None:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(default, bool):
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default)
    else:
        parser.add_argument(flag, type=float if default is None else type(default), default=default)


if __name__ == "__main__":
    main()
