"""Learn how search fuses its features (``catalog.search.Weights``), beside the hand-set weights and reciprocal rank fusion.

    python -m workers.training.fusion [--shop demo] [--data FOLDER]

Lists are what search brings for a query, with the products that were then wanted. The demo shop's are the questions that
``ranker.py`` simulates of visits (one of each of so many customers), PSCon's what its salespeople recommended. A linear model
with weights of at least 0 (a better match never costs a place) minimises the listwise softmax loss; the shares of rating
and popularity stay as they are, for what interactions say of them is the ranker's. PSCon is cross-validated by conversation, the
demo shop split by customer. Prints the table and the weights; ``Weights`` in the code are then set by hand to what won.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    import django

    django.setup()

from django.db import transaction
from django.db.models import Min

from botcore.dialogue.ports import Encoder
from botcore.dialogue.relevance import Talk
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.ingest.write import upsert_products
from catalog.models import Interaction, Product, Shop, Variant
from catalog.search import ProductQuery, Weights, search_products
from workers.training.pscon import SHARED_DATA, Pscon, read_pscon, splits
from workers.training.ranker import Event, Visit, simulated_question, split_of, visits_of

Floats = npt.NDArray[np.float64]

LEARNED = ("vector", "text", "soft", "title")
KEPT = ("rating", "popularity")
CUSTOMERS = {"train": 900, "test": 450}
ALL = 500
"""More than search ever brings."""
FOLDS, SEED = 10, 0
RRF = 60
"""The constant of reciprocal rank fusion (Cormack et al. 2009)."""
PENALTY = 0.1
WORDS_SEARCHED = 24


@dataclass(frozen=True)
class Brought:
    """What search brought for one query: features by column of ``LEARNED`` and ``KEPT``, and which products were wanted.

    ``missing`` counts the wanted ones that it did not bring; ``group`` is the customer or the conversation.
    """

    learned: Floats
    kept: Floats
    wanted: npt.NDArray[np.bool_]
    missing: int
    group: str


def demo_lists(shop: Shop, encoder: Encoder, split: str, count: int) -> list[Brought]:
    """One simulated question for each of ``count`` customers of a split."""
    products = {p.pk: p for p in Product.objects.filter(shop=shop, active=True).select_related("category")}
    least = Variant.objects.filter(product__shop=shop).values_list("product_id").annotate(least=Min("price"))
    prices = {pk: float(price) for pk, price in least}
    rows = Interaction.objects.filter(shop=shop, product__in=products).order_by("at", "pk")
    events = [Event(*row) for row in rows.values_list("customer_id", "product_id", "kind", "at", "rating")]
    visits = visits_of(events, {pk: product.category_id for pk, product in products.items()})
    rng = random.Random(SEED)
    chosen: dict[int, Visit] = {}
    for visit in rng.sample(visits, len(visits)):
        if split_of(visit.customer) == split and len(chosen) < count:
            chosen.setdefault(visit.customer, visit)
    found = []
    for customer, visit in chosen.items():
        asked = simulated_question(shop, visit, 0, products, prices, rng)
        query = replace(asked.query, embedding=encoder.encode([" ".join(asked.query.words)])[0], limit=ALL)
        found.append(_brought(query, {products[event.product].sku for event in visit.events}, str(customer)))
    return [each for each in found if each.wanted.any()]


def pscon_lists(pscon: Pscon, encoder: Encoder) -> list[Brought]:
    """Every recommendation point, searched in a shop of all titles, which is taken back in the end."""
    with transaction.atomic():
        shop = Shop.objects.create(slug="pscon-fusion", name="PSCon")
        price = (VariantRecord("1", Decimal("9.90"), 1),)
        upsert_products(shop, (ProductRecord(sku, title[:300], (), price) for sku, title in pscon.titles.items()))
        rows = list(Product.objects.filter(shop=shop))
        for row, vector in zip(rows, encoder.encode([row.title for row in rows]), strict=True):
            Product.objects.filter(pk=row.pk).update(embedding=vector)
        found = []
        for point in pscon.points():
            talk = Talk(point.messages)
            vector = encoder.encode([talk.queries()[1]])[0]
            query = ProductQuery(shop, words=talk.words()[-WORDS_SEARCHED:], embedding=vector, limit=ALL)
            found.append(_brought(query, set(point.relevant), point.conversation))
        transaction.set_rollback(True)
    return found


def _brought(query: ProductQuery, wanted: set[str], group: str) -> Brought:
    candidates = search_products(query)
    columns = {name: np.array([c.features[name] for c in candidates]) for name in (*LEARNED, *KEPT)}
    hits = np.array([c.product.sku in wanted for c in candidates], dtype=bool)
    learned, kept = (np.stack([columns[name] for name in names], axis=1) for names in (LEARNED, KEPT))
    return Brought(learned, kept, hits, len(wanted) - int(hits.sum()), group)


def fitted(lists: Sequence[Brought], share: Sequence[float] | None = None) -> Weights:
    """Weights that make the wanted products likely, ``vector``'s scaled to 1; ``share`` weighs the lists (all alike)."""
    shown = [each for each in lists if each.wanted.any()]
    inputs = [torch.from_numpy(each.learned) for each in shown]
    targets = [torch.from_numpy(each.wanted / each.wanted.sum()) for each in shown]
    weigh = (
        [1.0] * len(shown) if share is None else [s for s, each in zip(share, lists, strict=True) if each.wanted.any()]
    )
    raw = torch.zeros(len(LEARNED), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([raw], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        weights = torch.nn.functional.softplus(raw) * 10
        told = (
            weight * (torch.log_softmax(x @ weights, dim=0) * y).sum()
            for x, y, weight in zip(inputs, targets, weigh, strict=True)
        )
        value = -sum(told, torch.zeros(())) / sum(weigh) + PENALTY * (raw**2).mean() / len(shown) ** 0.5
        value.backward()
        return value

    optimiser.step(loss)
    weights = (torch.nn.functional.softplus(raw) * 10).detach().numpy()
    scaled = weights / weights[LEARNED.index("vector")]
    return replace(Weights(), **dict(zip(LEARNED, map(float, scaled), strict=True)))


def by_weights(each: Brought, weights: Weights) -> Floats:
    learned, kept = (np.array([getattr(weights, name) for name in names]) for names in (LEARNED, KEPT))
    scores: Floats = each.learned @ learned + each.kept @ kept
    return scores


def by_reciprocal_rank(each: Brought) -> Floats:
    """The sum of 1 / (60 + rank) over the rankings of vector and text, products of equal value sharing the better rank."""
    scores = np.zeros(len(each.wanted))
    for name in ("vector", "text"):
        values = each.learned[:, LEARNED.index(name)]
        scores += 1 / (RRF + 1 + (values[None, :] > values[:, None]).sum(axis=1))
    return scores


def quality(lists: Sequence[Brought], scores: Sequence[Floats]) -> tuple[Floats, Floats, Floats]:
    """For each list hit@5, reciprocal rank of the first wanted product, NDCG@10."""
    hits, reciprocal, gains = [], [], []
    for each, score in zip(lists, scores, strict=True):
        ordered = each.wanted[np.argsort(-score, kind="stable")]
        first = int(np.argmax(ordered)) + 1 if ordered.any() else 0
        hits.append(float(0 < first <= 5))
        reciprocal.append(1 / first if first else 0.0)
        discount = 1 / np.log2(np.arange(2, 12))
        ideal = discount[: int(ordered.sum()) + each.missing].sum()
        gains.append(float((ordered[:10] * discount[: len(ordered[:10])]).sum() / ideal))
    return np.array(hits), np.array(reciprocal), np.array(gains)


def table(sets: Mapping[str, tuple[Sequence[Brought], Mapping[str, Sequence[Floats]]]]) -> Iterator[str]:
    """Each set's rows: mean values, and the difference of reciprocal ranks to hand-set with its 95 % bootstrap interval."""
    rng = np.random.default_rng(SEED)
    for name, (lists, scored) in sets.items():
        yield f"{name}: {len(lists)} lists, {np.mean([len(each.wanted) for each in lists]):.0f} candidates each"
        base = quality(lists, scored["hand-set"])[1]
        draws = rng.integers(0, len(lists), (2000, len(lists)))
        for ranking, scores in scored.items():
            hits, reciprocal, gains = quality(lists, scores)
            low, high = np.percentile((reciprocal - base)[draws].mean(axis=1), [2.5, 97.5])
            yield (
                f"  {ranking:<28} hit@5 {hits.mean():.3f}  MRR {reciprocal.mean():.3f} [{low:+.3f}, {high:+.3f}]"
                f"  NDCG@10 {gains.mean():.3f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shop", default="demo")
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder that holds pscon/")
    options = parser.parse_args()
    from botcore.embedded_postgres import database_for_command

    with database_for_command(sys.argv):
        run(options)


def run(options: argparse.Namespace) -> None:
    from workers.engine import load_encoder

    encoder = load_encoder()
    shop = Shop.objects.get(slug=options.shop)
    train, test = (demo_lists(shop, encoder, split, count) for split, count in CUSTOMERS.items())
    talks = pscon_lists(read_pscon(options.data / "pscon"), encoder)
    of_demo, of_talks, of_both = fitted(train), fitted(talks), fitted([*train, *talks], _halves(train, talks))
    held: dict[str, dict[int, Weights]] = {"PSCon": {}, "both": {}}
    for training, judged in splits([each.group for each in talks], FOLDS, SEED):
        part = [talks[i] for i in training]
        held["PSCon"] |= dict.fromkeys(judged, fitted(part))
        held["both"] |= dict.fromkeys(judged, fitted([*train, *part], _halves(train, part)))
    sets = {
        f"{options.shop}, held-out customers": (
            test,
            {
                "hand-set": [by_weights(each, Weights()) for each in test],
                "reciprocal rank fusion": [by_reciprocal_rank(each) for each in test],
                "learned on the shop": [by_weights(each, of_demo) for each in test],
                "learned on PSCon": [by_weights(each, of_talks) for each in test],
                "learned on both": [by_weights(each, of_both) for each in test],
            },
        ),
        "PSCon, held-out conversations": (
            talks,
            {
                "hand-set": [by_weights(each, Weights()) for each in talks],
                "reciprocal rank fusion": [by_reciprocal_rank(each) for each in talks],
                "learned on the shop": [by_weights(each, of_demo) for each in talks],
                "learned on PSCon": [by_weights(each, held["PSCon"][i]) for i, each in enumerate(talks)],
                "learned on both": [by_weights(each, held["both"][i]) for i, each in enumerate(talks)],
            },
        ),
    }
    for line in table(sets):
        print(line)  # noqa: T201
    for name, weights in (("the shop", of_demo), ("PSCon", of_talks), ("both", of_both)):
        print(f"learned on {name}: " + ", ".join(f"{k} {getattr(weights, k):.3f}" for k in LEARNED))  # noqa: T201


def _halves(one: Sequence[Brought], other: Sequence[Brought]) -> list[float]:
    """Both sets count alike, however many lists each has."""
    return [1 / len(one)] * len(one) + [1 / len(other)] * len(other)


if __name__ == "__main__":
    main()
