"""A shop's own reading of customers' words: a low-rank correction of the encoder's query vectors.

    python -m workers.training.encoder --shop SLUG [--data FOLDER]

The encoder stays as it is, and so does every stored vector: q becomes the unit vector of q + (q A) B, with A and B of rank
``RANK`` (48 KB). So nothing is embedded anew, vectors of two versions never meet, and intents and articles, which the same
encoder reads, cannot change. Pairs are what customers wished for (simulated as in ``ranker.py``, in English and, through
the names of the shop's values, in Chinese) and what they then looked at; the loss is the softmax over all products of the
shop. Written to ``VAR_DIR/queries/SLUG`` only if on held-out customers the whole 95 % interval of the gain in reciprocal
rank is above 0 and PSCon, where its data is there, is not worse.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    import django

    django.setup()

from django.db.models import Min

from botcore.dialogue.ports import Encoder
from botcore.dialogue.relevance import Talk
from catalog.models import AttributeValue, Interaction, Product, Shop, Variant
from catalog.queries import Correction, save
from workers.training.provenance import code_revision
from workers.training.pscon import SHARED_DATA, Pscon, read_pscon
from workers.training.ranker import Event, simulated_question, split_of, visits_of

Floats = npt.NDArray[np.float32]

RANK = 16
TEMPERATURE = 0.05
RATE, DECAY, EPOCHS, PATIENCE, BATCH = 2e-3, 1e-2, 60, 6, 256
VISITS = {"train": 6, "valid": 2, "test": 2}
"""At most so many visits of a customer."""
CUSTOMERS = {"train": 900, "valid": 250, "test": 400}
SEED = 0


@dataclass(frozen=True)
class Pairs:
    """What was asked (``texts``) and the row of the product looked at; ``customers`` are the unit of resampling."""

    texts: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    customers: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Goods:
    """The shop's products and their stored vectors, unit length, shape ``(products, dimensions)``."""

    products: Mapping[int, Product]
    rows: Mapping[int, int]
    vectors: Floats


def goods_of(shop: Shop) -> Goods:
    found = Product.objects.filter(shop=shop, active=True, embedding__isnull=False).select_related("category")
    products = {product.pk: product for product in found.order_by("pk")}
    vectors = np.stack([np.asarray(product.embedding, dtype=np.float32) for product in products.values()])
    return Goods(products, {pk: row for row, pk in enumerate(products)}, vectors)


def pairs_of(shop: Shop, goods: Goods, split: str, chinese: bool) -> Pairs:
    """Simulated wishes of a split's customers with the products that they then looked at."""
    least = Variant.objects.filter(product__in=goods.products).values_list("product_id").annotate(least=Min("price"))
    prices = {pk: float(price) for pk, price in least}
    names = {
        row.value: row.names["zh"][0] for row in AttributeValue.objects.filter(shop=shop) if row.names.get("zh")
    } | {
        product.category.name.lower(): product.category.translations["zh"]["name"]
        for product in goods.products.values()
        if product.category.translations.get("zh")
    }
    events = Interaction.objects.filter(shop=shop, product__in=goods.products).order_by("at", "pk")
    rows = [Event(*row) for row in events.values_list("customer_id", "product_id", "kind", "at", "rating")]
    visits = visits_of(rows, {pk: product.category_id for pk, product in goods.products.items()})
    rng = random.Random(f"{SEED} {split}")
    taken: dict[int, int] = {}
    texts, targets, customers = [], [], []
    for visit in rng.sample(visits, len(visits)):
        known = taken.get(visit.customer, 0)
        full = len(taken) >= CUSTOMERS[split] and not known
        if split_of(visit.customer) != split or known >= VISITS[split] or full:
            continue
        taken[visit.customer] = known + 1
        words = simulated_question(shop, visit, 0, goods.products, prices, rng).query.words
        for product in dict.fromkeys(event.product for event in visit.events):
            texts.append(" ".join(names.get(word, word) if chinese else word for word in words))
            targets.append(goods.rows[product])
            customers.append(visit.customer)
    return Pairs(tuple(texts), np.array(targets), np.array(customers))


def trained(
    queries: Floats, rows: npt.NDArray[np.int64], products: Floats, valid: tuple[Floats, npt.NDArray[np.int64]]
) -> Correction:
    """The correction of the best epoch by the validation pairs' loss (none at all among the choices)."""
    torch.manual_seed(SEED)
    width = products.shape[1]
    down = torch.nn.Parameter(torch.randn(width, RANK) / width**0.5)
    up = torch.nn.Parameter(torch.zeros(RANK, width))
    optimiser = torch.optim.AdamW([down, up], lr=RATE, weight_decay=DECAY)
    asked, wanted, goods = torch.from_numpy(queries), torch.from_numpy(rows), torch.from_numpy(products)
    held, held_wanted = torch.from_numpy(valid[0]), torch.from_numpy(valid[1])

    def loss(vectors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        corrected = torch.nn.functional.normalize(vectors + vectors @ down @ up, dim=1)
        return torch.nn.functional.cross_entropy(corrected @ goods.T / TEMPERATURE, targets)

    def now() -> Correction:
        return Correction(down.detach().numpy().copy(), up.detach().numpy().copy())

    with torch.no_grad():
        best, kept, worse = float(loss(held, held_wanted)), now(), 0
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(asked)).split(BATCH):
            optimiser.zero_grad()
            loss(asked[batch], wanted[batch]).backward()
            optimiser.step()
        with torch.no_grad():
            value = float(loss(held, held_wanted))
        if value < best:
            best, kept, worse = value, now(), 0
        else:
            worse += 1
        if worse == PATIENCE:
            break
    return kept


def reciprocal_ranks(queries: Floats, rows: npt.NDArray[np.int64], products: Floats) -> npt.NDArray[np.float64]:
    scores = queries @ products.T
    own = scores[np.arange(len(rows)), rows]
    return 1.0 / (1 + (scores > own[:, None]).sum(axis=1))


def pscon_hits(pscon: Pscon, encoder: Encoder, correction: Correction | None) -> tuple[float, float]:
    """hit@5 and MRR of the talks' words against all titles by cosine alone."""
    skus, titles = list(pscon.titles), encoder.encode(list(pscon.titles.values()))
    points = pscon.points()
    asked = encoder.encode([Talk(point.messages).queries()[0] for point in points])
    vectors = asked if correction is None else np.stack([correction.of(vector) for vector in asked])
    places = []
    for point, scores in zip(points, vectors @ titles.T, strict=True):
        order = [skus[i] for i in np.argsort(-scores, kind="stable")]
        places.append(min(order.index(sku) for sku in point.relevant) + 1)
    return float(np.mean([place <= 5 for place in places])), float(np.mean([1 / place for place in places]))


def interval(gains: npt.NDArray[np.float64], customers: npt.NDArray[np.int64]) -> tuple[float, float]:
    """95 % bootstrap interval of a mean, whole customers resampled."""
    ids, inverse = np.unique(customers, return_inverse=True)
    sums, counts = np.bincount(inverse, gains), np.bincount(inverse)
    draws = np.random.default_rng(SEED).integers(0, len(ids), (2000, len(ids)))
    low, high = np.percentile(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)


def run(options: argparse.Namespace) -> None:
    from workers.serving import encoder as loaded

    encoder, shop = loaded(), Shop.objects.get(slug=options.shop)
    goods = goods_of(shop)
    made = {(split, chinese): pairs_of(shop, goods, split, chinese) for split in VISITS for chinese in (False, True)}
    texts = sorted({text for pairs in made.values() for text in pairs.texts})
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))

    def encoded(pairs: Pairs) -> Floats:
        return np.stack([vectors[text] for text in pairs.texts])

    english, chinese = made["train", False], made["train", True]
    both = np.concatenate([encoded(english), encoded(chinese)]), np.concatenate([english.rows, chinese.rows])
    valid = (
        np.concatenate([encoded(made["valid", False]), encoded(made["valid", True])]),
        np.concatenate([made["valid", False].rows, made["valid", True].rows]),
    )
    correction = trained(*both, goods.vectors, valid)
    say(f"pairs: {', '.join(f'{split} {len(made[split, False].rows)}' for split in VISITS)}; as many in Chinese")
    report: dict[str, dict[str, float]] = {}
    for language, pairs in (("English", made["test", False]), ("Chinese", made["test", True])):
        plain = encoded(pairs)
        corrected = np.stack([correction.of(vector) for vector in plain])
        before, after = (reciprocal_ranks(q, pairs.rows, goods.vectors) for q in (plain, corrected))
        low, high = interval(after - before, pairs.customers)
        report[language] = {"before": float(before.mean()), "after": float(after.mean()), "low": low, "high": high}
        say(
            f"{language:<8} MRR {before.mean():.3f} -> {after.mean():.3f}, gain [{low:+.3f}, {high:+.3f}];"
            f" hit@10 {(before >= 0.1).mean():.3f} -> {(after >= 0.1).mean():.3f}"
        )
    harmless = True
    if (options.data / "pscon" / "products.json").is_file():
        pscon = read_pscon(options.data / "pscon")
        (hit, mrr), (hit_after, mrr_after) = (pscon_hits(pscon, encoder, used) for used in (None, correction))
        harmless = hit_after >= hit
        report["PSCon"] = {"before": hit, "after": hit_after}
        say(f"PSCon    hit@5 {hit:.3f} -> {hit_after:.3f}, MRR {mrr:.3f} -> {mrr_after:.3f}")
    if report["English"]["low"] > 0 and harmless:
        folder = save(shop, correction, {"report": report, "seed": SEED, "code": code_revision()})
        say(f"written to {folder}")
    else:
        say("not better in every respect: nothing written")


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shop", required=True, help="the shop's slug")
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder that holds pscon/")
    options = parser.parse_args()
    from botcore.embedded_postgres import database_for_command

    with database_for_command(sys.argv):
        run(options)


if __name__ == "__main__":
    main()
