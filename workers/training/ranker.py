"""Trains a shop's ranker: LambdaMART boosted from the hand-set weights, judged on customers and days it never saw.

    python -m workers.training.ranker --shop demo [--groups var/groups.npz] [--out FOLDER]

From interactions: one group is one customer at one moment of a visit to a category. Its candidates are what the real
search brings for what they might have written (up to 60, no sampled negatives); its labels are what they then did: order
3, cart 2, view 1, nothing 0. Nobody wrote anything in a web shop, so the words are simulated (known-item queries,
Azzopardi et al. 2007): the category's name, with up to two attribute values and sometimes a budget taken from a product
they then looked at. Popularity, ratings and the customer's history are as they were at that moment.

From opinions on replies: products of judged replies within one conversation, weighted by clipped inverse propensity.

The sequence model's score comes from two models, each trained on one half of the customers before the test days began,
and asked about the other half: no score knows the customer's next step. Whether it helps is decided on the validation
customers, and a ranker that it does not help is trained without it and never asks for it.

Customers are split by their id, and time on top: training ends before the test days begin. A model is written only
if it beats the hand-set weights on the test customers with the whole 95 % interval of the difference above zero.
Learning from clicks on one's own slates without propensities would teach the ranker its own opinion: views in a
shop's pages and explored places are what it may learn from.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    import django

    django.setup()

from django.db.models import Max, Min
from django.utils import timezone

from botcore.dialogue.ports import Encoder
from botcore.installation import installation
from botcore.learning import opinions
from botcore.models import Feedback, Turn
from catalog.models import Interaction, Product, Shop, Variant
from catalog.ranking.diversity import SHARPNESS
from catalog.ranking.features import FEATURES, Context, PriceWish, conversation_vector, feature_rows
from catalog.ranking.model import HAND_SET, BoostedRanker, LinearRanker, Ranker, interest_share, load_lightgbm
from catalog.ranking.taste import WEIGHTS, PriceLevel, Trace, price_levels, taste_from
from catalog.search import Candidate, ProductQuery, Wish, search_products
from workers.training.counterfactual import Estimate, snips, training_weights
from workers.training.sequence_folds import SequenceFolds

Floats = npt.NDArray[np.float64]

LABELS = {"view": 1, "cart": 2, "order": 3}
GAINS = [0, 1, 3, 7]
CONSIDERED = 60
VISIT_GAP = timedelta(hours=3)
SPLITS = ("train", "valid", "test")
HISTORY_SHARE, TEST_SHARE = 0.3, 0.25
"""Of the time: the first part only fills histories, the last is the test's."""
GROUPS = {"train": 4_000, "valid": 700, "test": 1_500}
ATTRIBUTES_NOT_SAID = {"brand", "sku", "image", "promoted", "featured"}
PHRASES = ("do you have {}?", "I'm looking for {}", "{} please", "show me {}", "I need {}, can you help?")
BASE_SCALE = SHARPNESS
"""LambdaMART's sigmoid sees the hand-set scores (about 0.1 apart) times this."""
ROUNDS, PATIENCE = 400, 40


@dataclass(frozen=True)
class Groups:
    """Feature rows of many queries, one after the other; ``sizes`` says how many belong to each.

    ``customers`` and ``wishes`` (how many the simulated words named) have one entry a group.
    """

    rows: Floats
    labels: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    customers: npt.NDArray[np.int64]
    wishes: npt.NDArray[np.int64]
    weights: Floats = field(default_factory=lambda: np.zeros(0))

    def split(self) -> Iterator[tuple[Floats, npt.NDArray[np.int64]]]:
        """Rows and labels of each group."""
        ends = np.cumsum(self.sizes)
        for end, size in zip(ends, self.sizes, strict=True):
            yield self.rows[end - size : end], self.labels[end - size : end]

    def digest(self) -> str:
        parts = (self.rows.round(6), self.labels, self.sizes)
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


# --- groups from interactions ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    customer: int
    product: int
    kind: str
    at: datetime
    rating: int | None


@dataclass(frozen=True)
class Window:
    """The time from ``start`` to just before ``end``."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True)
class Visit:
    """What one customer did in one category without a longer pause, in order."""

    customer: int
    category: int
    events: tuple[Event, ...]


def visits_of(events: Iterable[Event], category: Mapping[int, int]) -> list[Visit]:
    """Events in order of time, cut into visits; reviews belong to none."""
    by_customer: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind in LABELS:
            by_customer[event.customer].append(event)
    visits = []
    for customer, own in by_customer.items():
        current: list[Event] = []
        for event in own:
            if current and (
                event.at - current[-1].at > VISIT_GAP or category[event.product] != category[current[-1].product]
            ):
                visits.append(Visit(customer, category[current[0].product], tuple(current)))
                current = []
            current.append(event)
        visits.append(Visit(customer, category[current[0].product], tuple(current)))
    return sorted(visits, key=lambda visit: (visit.events[0].at, visit.customer))


def split_of(customer: int) -> str:
    """60 % of customers train, 15 % stop the training, 25 % test."""
    share = int(hashlib.sha256(f"customer {customer}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return "train" if share < 0.6 else "valid" if share < 0.75 else "test"


class Past:
    """What the shop knew at a moment: popularity, ratings and everybody's traces, fed in order of time.

    ``taken`` are the SKUs of each customer in the order in which they first took them.
    """

    def __init__(self, half_life_days: float) -> None:
        self.half_life = half_life_days * 86_400
        self.popular: dict[int, tuple[float, datetime]] = {}
        self.stars: defaultdict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.traces: defaultdict[int, list[Trace]] = defaultdict(list)
        self.taken: defaultdict[int, dict[str, None]] = defaultdict(dict)

    def popularity(self, product: int, now: datetime) -> float:
        value, at = self.popular.get(product, (0.0, now))
        return value * 0.5 ** ((now - at).total_seconds() / self.half_life)

    def take(self, event: Event, product: Product, level: float | None) -> None:
        self.popular[event.product] = (self.popularity(event.product, event.at) + WEIGHTS[event.kind], event.at)
        if event.rating is not None:
            self.stars[event.product][0] += event.rating
            self.stars[event.product][1] += 1
        if event.kind in LABELS:
            self.traces[event.customer].append(
                Trace(event.kind, event.at, product.embedding, product.attributes, level)
            )
            self.taken[event.customer][product.sku] = None

    def as_it_was(self, product: Product, now: datetime) -> None:
        """Put what was known at ``now`` into a product's fields (in memory only)."""
        total, votes = self.stars[product.pk]
        product.rating, product.rating_count = (total / votes if votes else None), int(votes)
        product.popularity = self.popularity(product.pk, now)


@dataclass(frozen=True)
class Asked:
    """A simulated question: the query and what the conversation sounds like."""

    query: ProductQuery
    message: str
    liked: tuple[Product, ...]
    wishes: int


def simulated_question(
    shop: Shop, visit: Visit, moment: int, products: Mapping[int, Product], prices: Mapping[int, float],
    rng: random.Random,
) -> Asked:  # fmt: skip
    """What the customer of a visit might have written before its event number ``moment``.

    Wishes are taken from the best of what follows; three in ten are hard (search filters by them), three soft, the
    rest only words.
    """
    following = visit.events[moment:]
    target = products[max(following, key=lambda event: LABELS[event.kind]).product]
    known = [(a, v) for a, values in target.attributes.items() if a not in ATTRIBUTES_NOT_SAID for v in values]
    said = rng.sample(known, min(len(known), rng.choices((0, 1, 2), (4, 4, 2))[0]))
    ways = [rng.choices(("hard", "soft", "words"), (3, 3, 4))[0] for _ in said]
    words = (*(value for _, value in said), target.category.name.lower())
    budget = round(prices[target.pk] * rng.uniform(1.05, 1.6), 2) if rng.random() < 0.3 else None
    first = tuple(dict.fromkeys(event.product for event in visit.events[:moment]))
    query = ProductQuery(
        shop=shop,
        words=words,
        category=target.category.path,
        wishes=tuple(Wish(a, (v,)) for (a, v), way in zip(said, ways, strict=True) if way == "hard"),
        soft=tuple(Wish(a, (v,)) for (a, v), way in zip(said, ways, strict=True) if way == "soft"),
        price_high=None if budget is None else decimal(budget),
        exclude=tuple(products[pk].sku for pk in first),
        limit=CONSIDERED,
    )
    return Asked(query, rng.choice(PHRASES).format(" ".join(words)), tuple(products[pk] for pk in first), len(said))


def decimal(amount: float) -> Any:
    from decimal import Decimal

    return Decimal(str(amount))


@dataclass(frozen=True)
class Moment:
    """One customer at one moment: what search brought for the simulated question, and what they then did.

    ``labels`` are by product id; products that were not brought are among them.
    """

    split: str
    customer: int
    wishes: int
    candidates: tuple[Candidate, ...]
    context: Context
    labels: Mapping[int, int]

    @property
    def graded(self) -> list[int]:
        """The label of each candidate."""
        return [self.labels.get(candidate.product.pk, 0) for candidate in self.candidates]


def moments(
    shop: Shop,
    encoder: Encoder,
    seed: int,
    splits: Sequence[str] = SPLITS,
    sequences: bool = False,
    window: Window | None = None,
) -> Iterator[Moment]:
    """The moments of ``splits`` in order of time, each with everything as it was then.

    ``sequences`` trains sequence models for their scores, which are 0 without. Of a ``window`` are the moments of the
    visits that begin in it, for all splits: what was before fills histories, what came after is not read.
    """
    products = {p.pk: p for p in Product.objects.filter(shop=shop, active=True).select_related("category")}
    prices = {pk: float(p) for pk, p in _least_prices(shop)}
    levels = price_levels({product.category_id for product in products.values()})
    events = [
        event
        for event in _events(shop)
        if event.product in products and event.product in prices and (window is None or event.at < window.end)
    ]
    windows = dict.fromkeys(SPLITS, window) if window else _windows(events)
    past, position = Past(shop.popularity_half_life_days), 0
    folds = (
        SequenceFolds(_taken(events, products, windows["test"].start), products.values(), seed) if sequences else None
    )
    categories = {pk: p.category_id for pk, p in products.items()}
    for split, visit, number in _chosen_visits(events, categories, seed, windows):
        if split not in splits:
            continue
        now = visit.events[0].at
        while events[position].at < now:
            event = events[position]
            product = products[event.product]
            level = levels.get(product.category_id)
            past.take(event, product, level.of(prices[product.pk]) if level else None)
            position += 1
        rng = random.Random(f"{seed}/{visit.customer}/{now.isoformat()}")
        asked = simulated_question(shop, visit, number, products, prices, rng)
        candidates, context = _asked(asked, visit.customer, now, past, levels, encoder)
        if folds:
            following = folds.scores(visit.customer, list(past.taken[visit.customer]), [c.product for c in candidates])
            context = replace(context, sequence=following)
        yield Moment(split, visit.customer, asked.wishes, tuple(candidates), context, _labels(visit.events[number:]))


def interaction_groups(
    shop: Shop,
    encoder: Encoder,
    seed: int,
    splits: Sequence[str] = SPLITS,
    sequences: bool = True,
    window: Window | None = None,
) -> tuple[dict[str, Groups], float]:
    """Groups of each split, and the share of what customers went on to look at that search brought.

    Moments of which search brought nothing that was looked at tell a ranker nothing and are left out.
    """
    made: dict[str, list[tuple[Floats, list[int], int, int]]] = {name: [] for name in SPLITS}
    wanted = brought = 0
    for moment in moments(shop, encoder, seed, splits, sequences, window):
        wanted += len(moment.labels)
        brought += sum(label > 0 for label in moment.graded)
        if len(set(moment.graded)) > 1:
            rows = feature_rows(moment.candidates, moment.context)
            made[moment.split].append((rows, moment.graded, moment.customer, moment.wishes))
    return {name: _grouped(parts) for name, parts in made.items()}, brought / max(wanted, 1)


def _asked(
    asked: Asked, customer: int, now: datetime, past: Past, levels: Mapping[int, PriceLevel], encoder: Encoder
) -> tuple[list[Candidate], Context]:
    """What search brings for a question, and its context, both as they were at ``now``."""
    vector = encoder.encode([" ".join(asked.query.words)])[0]
    message = encoder.encode([asked.message])[0]
    candidates = search_products(replace(asked.query, embedding=vector))
    for candidate in candidates:
        past.as_it_was(candidate.product, now)
    liked = [product.embedding for product in asked.liked if product.embedding is not None]
    return candidates, Context(
        conversation=conversation_vector([vector, message], liked),
        price=PriceWish(high=asked.query.price_high),
        taste=taste_from(past.traces[customer][-80:], now),
        levels=levels,
    )


def _chosen_visits(
    events: Sequence[Event], category: Mapping[int, int], seed: int, windows: Mapping[str, Window]
) -> list[tuple[str, Visit, int]]:
    """(split, visit, moment) in order of time; half of the longer visits are asked about after their first product."""
    rng = random.Random(seed)
    found: dict[str, list[tuple[str, Visit, int]]] = {name: [] for name in SPLITS}
    for visit in visits_of(events, category):
        split = split_of(visit.customer)
        if visit.events[0].at not in windows[split]:
            continue
        first = visit.events[0].product
        later = next((i for i, event in enumerate(visit.events) if event.product != first), 0)
        found[split].append((split, visit, later if rng.random() < 0.5 else 0))
    some = [each for name, listed in found.items() for each in rng.sample(listed, min(GROUPS[name], len(listed)))]
    return sorted(some, key=lambda each: (each[1].events[0].at, each[1].customer))


def _windows(events: Sequence[Event]) -> dict[str, Window]:
    """When visits count, by split: from when histories are long enough to learn from, and the test's after training."""
    start, end = events[0].at, events[-1].at
    test = _test_days(start, end)
    training = Window(start + (end - start) * HISTORY_SHARE, test)
    return {"train": training, "valid": training, "test": Window(test, datetime.max.replace(tzinfo=UTC))}


def _test_days(start: datetime, end: datetime) -> datetime:
    return end - (end - start) * TEST_SHARE


def trained_until(shop: Shop) -> datetime | None:
    """When the test days of a training begin that starts now; None without interactions.

    It only moves on as time does, so an earlier training has learned from nothing after it.
    """
    span = Interaction.objects.filter(shop=shop).aggregate(start=Min("at"), end=Max("at"))
    return _test_days(span["start"], span["end"]) if span["start"] else None


def _taken(events: Iterable[Event], products: Mapping[int, Product], until: datetime) -> dict[int, tuple[str, ...]]:
    """What each customer took before a day: SKUs, each where it first occurs."""
    taken: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for event in events:
        if event.kind in LABELS and event.at < until:
            taken[event.customer][products[event.product].sku] = None
    return {customer: tuple(skus) for customer, skus in taken.items()}


def _labels(events: Iterable[Event]) -> dict[int, int]:
    labels: dict[int, int] = {}
    for event in events:
        labels[event.product] = max(labels.get(event.product, 0), LABELS[event.kind])
    return labels


def _grouped(parts: Sequence[tuple[Floats, Sequence[int], int, int]]) -> Groups:
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Groups(np.zeros((0, len(FEATURES))), none, none, none, none)
    return Groups(
        rows=np.concatenate([rows for rows, _, _, _ in parts]),
        labels=np.concatenate([np.array(labels, dtype=np.int64) for _, labels, _, _ in parts]),
        sizes=np.array([len(labels) for _, labels, _, _ in parts]),
        customers=np.array([customer for _, _, customer, _ in parts]),
        wishes=np.array([wishes for _, _, _, wishes in parts]),
    )


def _events(shop: Shop) -> list[Event]:
    rows = Interaction.objects.filter(shop=shop).order_by("at", "pk")
    return [Event(*row) for row in rows.values_list("customer_id", "product_id", "kind", "at", "rating")]


def _least_prices(shop: Shop) -> list[tuple[int, Any]]:
    rows = Variant.objects.filter(product__shop=shop).values_list("product_id").annotate(least=Min("price"))
    return [(product, least) for product, least in rows]


# --- groups from opinions on replies --------------------------------------------------------------------------------

OPINIONS = {Feedback.Kind.UP: 2, Feedback.Kind.DOWN: 0, Feedback.Kind.NOT_MEANT: 0}


def counted_opinions(shop: Shop, window: Window | None = None) -> list[Feedback]:
    """What customers thought of replies, as far as it counts: nobody's word weighs more for being said more often."""
    given = Feedback.objects.filter(turn__conversation__shop=shop, kind__in=OPINIONS)
    if window:
        given = given.filter(created_at__gte=window.start, created_at__lt=window.end)
    counted, _ = opinions.that_count(given, opinions.merchants_words(Turn.objects.filter(feedback__in=given)))
    return counted


def feedback_groups(shop: Shop, window: Window | None = None) -> Groups:
    """Products shown in judged replies, a group for each conversation and goal; weights undo the propensities.

    An opinion is on a whole reply: it says something only where the same conversation, about the same category, also
    has a reply that was judged otherwise.
    """
    shown: defaultdict[tuple[int, str], list[tuple[list[float], int, float]]] = defaultdict(list)
    for opinion in counted_opinions(shop, window):
        turn = opinion.turn
        goal = str(turn.state_after.get("goal", ""))
        for row, propensity in _shown_rows(turn):
            shown[turn.conversation_id, goal].append((row, OPINIONS[Feedback.Kind(opinion.kind)], propensity))
    telling = [
        (conversation, listed) for (conversation, _), listed in shown.items() if len({label for _, label, _ in listed}) > 1
    ]  # fmt: skip
    groups = _grouped(
        [
            (np.array([r for r, _, _ in ls]), [label for _, label, _ in ls], -conversation, 0)
            for conversation, ls in telling
        ]
    )
    return replace(groups, weights=training_weights(np.array([p for _, listed in telling for _, _, p in listed])))


def logged_choices(shop: Shop, ranker: Ranker) -> tuple[Floats, Floats, Floats]:
    """Rewards, logged propensities and the ranker's own choice for every judged explored place, for :func:`snips`.

    The ranker is taken to show, in that place, the best of the stored candidates that the reply did not hold already.
    """
    rewards, logged, target = [], [], []
    for opinion in counted_opinions(shop):
        slate = opinion.turn.slate
        if not slate or not 0 < float(slate[-1].get("propensity", 1.0)) < 1:
            continue
        kept = {item["sku"] for item in slate[:-1]}
        left = [c for c in opinion.turn.candidates if c["sku"] not in kept]
        scores = ranker.scores(np.array([[float(c.get(name, 0.0)) for name in FEATURES] for c in left]))
        rewards.append(1.0 if opinion.kind == Feedback.Kind.UP else 0.0)
        logged.append(float(slate[-1]["propensity"]))
        target.append(1.0 if left[int(scores.argmax())]["sku"] == slate[-1]["sku"] else 0.0)
    return np.array(rewards), np.array(logged), np.array(target)


def _shown_rows(turn: Turn) -> Iterator[tuple[list[float], float]]:
    """Feature rows of a reply's products, as they were logged, each with its propensity."""
    features = {candidate["sku"]: candidate for candidate in turn.candidates}
    for item in turn.slate:
        if "propensity" in item and item["sku"] in features:
            logged = features[item["sku"]]
            yield [float(logged.get(name, 0.0)) for name in FEATURES], float(item["propensity"])


# --- training -------------------------------------------------------------------------------------------------------


SEQUENCE = FEATURES.index("sequence")
WITHOUT_SEQUENCE: Mapping[str, float] = {**HAND_SET, "sequence": 0.0}


def without_sequence(groups: Groups) -> Groups:
    """The groups as they are where nobody asks a sequence model."""
    rows = groups.rows.copy()
    rows[:, SEQUENCE] = 0.0
    return replace(groups, rows=rows)


def with_history(groups: Groups) -> npt.NDArray[np.bool_]:
    """Which groups are of a customer of whom the sequence model knows something: shape ``(groups,)``."""
    return np.array([bool(rows[:, SEQUENCE].any()) for rows, _ in groups.split()], dtype=bool)


def training_settings(seed: int) -> dict[str, Any]:
    """LightGBM's, for LambdaMART.

    Monotone: no feature's growth ever lowers a score, so that "the model likes it less because it matches better" is
    never an explanation.
    """
    return {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [3],
        "label_gain": GAINS,
        "lambdarank_truncation_level": 10,
        "learning_rate": 0.1,
        "num_leaves": 15,
        "min_data_in_leaf": 200,
        "lambda_l2": 5.0,
        "monotone_constraints": [1] * len(FEATURES),
        "monotone_constraints_method": "advanced",
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }


def dataset(groups: Groups, base: Ranker, reference: Any = None) -> Any:
    """The groups as LightGBM takes them, to be boosted from the scores of ``base``."""
    return load_lightgbm().Dataset(
        groups.rows,
        label=groups.labels,
        group=groups.sizes,
        init_score=BASE_SCALE * base.scores(groups.rows),
        weight=groups.weights if len(groups.weights) else None,
        feature_name=list(FEATURES),
        reference=reference,
        params={"feature_pre_filter": False},
    )


def train(train_groups: Groups, valid: Groups, seed: int, weights: Mapping[str, float] = HAND_SET) -> Any:
    """The booster upon ``weights``, stopped where the validation customers' NDCG@3 is best."""
    lightgbm = load_lightgbm()
    base = LinearRanker(weights)
    training = dataset(train_groups, base)
    return lightgbm.train(
        training_settings(seed),
        training,
        num_boost_round=ROUNDS,
        valid_sets=[dataset(valid, base, training)],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )


def save(booster: Any, folder: Path, meta: Mapping[str, Any], weights: Mapping[str, float] = HAND_SET) -> BoostedRanker:
    """``model.txt`` with the trees up to the best round, ``meta.json`` with all that serving checks and people ask."""
    folder.mkdir(parents=True, exist_ok=True)
    trees = booster.best_iteration if booster.best_iteration > 0 else booster.num_trees()
    text = booster.model_to_string(num_iteration=trees)
    (folder / "model.txt").write_text(text, encoding="utf-8")
    described = {
        **meta,
        "features": list(FEATURES),
        "weights": dict(weights),
        "sequential": bool(weights["sequence"]) or bool(booster.feature_importance("gain")[SEQUENCE]),
        "scale": 1 / BASE_SCALE,
        "trees": trees,
        "model_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "lightgbm": load_lightgbm().__version__,
    }
    (folder / "meta.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    return BoostedRanker(folder)


# --- judging --------------------------------------------------------------------------------------------------------


def ndcg(scores: Floats, labels: npt.NDArray[np.int64], k: int) -> float:
    """Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) with gains 2^label - 1."""
    gains = 2.0**labels - 1
    discounts = 1 / np.log2(np.arange(2, min(k, len(labels)) + 2))
    ideal = float(np.sort(gains)[::-1][:k] @ discounts)
    return float(gains[np.argsort(-scores, kind="stable")][:k] @ discounts) / ideal if ideal else 0.0


def ndcgs(groups: Groups, score: Any, k: int) -> Floats:
    """NDCG@k of every group; ``score`` maps feature rows to scores."""
    return np.array([ndcg(score(rows), labels, k) for rows, labels in groups.split()])


def interval(
    values: Floats, customers: npt.NDArray[np.int64], seed: int = 0, draws: int = 1_000
) -> tuple[float, float]:
    """95 % interval of a mean over groups, by bootstrap over customers (their groups are not independent)."""
    own = [np.flatnonzero(customers == customer) for customer in np.unique(customers)]
    sums = np.array([values[index].sum() for index in own])
    counts = np.array([len(index) for index in own])
    picked = np.random.default_rng(seed).integers(0, len(own), (draws, len(own)))
    means = sums[picked].sum(axis=1) / counts[picked].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def contestants(ranker: Ranker, seed: int) -> dict[str, Any]:
    """What is compared, as functions from feature rows to scores."""
    popular, rng = FEATURES.index("popularity"), np.random.default_rng(seed)
    personal = [FEATURES.index(name) for name in ("affinity", "likes", "price_habit", "sequence")]

    def stranger(rows: Floats) -> Floats:
        unknown = rows.copy()
        unknown[:, personal] = 0.0
        return ranker.scores(unknown)

    def blind(rows: Floats) -> Floats:
        unasked = rows.copy()
        unasked[:, SEQUENCE] = 0.0
        return ranker.scores(unasked)

    return {
        "learned": lambda rows: ranker.scores(rows),
        "learned, sequence hidden": blind,
        "learned, history hidden": stranger,
        "hand-set weights": lambda rows: LinearRanker(HAND_SET).scores(rows),
        "popularity": lambda rows: rows[:, popular],
        "random": lambda rows: rng.random(len(rows)),
    }


@dataclass(frozen=True)
class Trial:
    """A ranker that was trained, before anybody decided to serve it."""

    booster: Any
    ranker: BoostedRanker
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Gain:
    """What one ranker has over another in NDCG@3 on groups of customers with history, with its 95 % interval."""

    value: float
    low: float
    high: float
    groups: int

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}] on {self.groups} groups"


def tried(training: Groups, valid: Groups, seed: int, weights: Mapping[str, float], folder: Path, meta: Any) -> Trial:
    booster = train(training, valid, seed, weights)
    return Trial(booster, save(booster, folder, meta, weights), weights)


def gain_of_sequences(groups: Groups, reading: Ranker, blind: Ranker) -> Gain | None:
    """What a ranker that reads the sequence score has over one trained without; None where no group has a score."""
    known = with_history(groups)
    if not known.any():
        return None
    over = ndcgs(groups, lambda rows: reading.scores(rows), 3)
    over -= ndcgs(without_sequence(groups), lambda rows: blind.scores(rows), 3)
    return Gain(float(over[known].mean()), *interval(over[known], groups.customers[known]), int(known.sum()))


def report(groups: Groups, ranker: Ranker, seed: int) -> dict[str, dict[str, Any]]:
    """NDCG@3 and @10 of every contestant with intervals, the difference to the hand-set weights, and by wishes named.

    ``known`` is NDCG@3 for customers of whom the sequence model knows something.
    """
    found: dict[str, dict[str, Any]] = {}
    known = with_history(groups)
    hand_set = ndcgs(groups, contestants(ranker, seed)["hand-set weights"], 3)
    for name, score in contestants(ranker, seed).items():
        three, ten = ndcgs(groups, score, 3), ndcgs(groups, score, 10)
        found[name] = {
            "ndcg3": [float(three.mean()), *interval(three, groups.customers)],
            "ndcg10": [float(ten.mean()), *interval(ten, groups.customers)],
            "over_hand_set": [float((three - hand_set).mean()), *interval(three - hand_set, groups.customers)],
            "known": float(three[known].mean()) if known.any() else None,
            "by_wishes": {str(n): float(three[groups.wishes == n].mean()) for n in np.unique(groups.wishes)},
        }
    return found


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        f"{'':<24} {'NDCG@3':<22} {'NDCG@10':<22} {'NDCG@3 over hand-set':<26} {'with history':<13}NDCG@3 by wishes named"
    ]
    for name, row in found.items():
        cells = [f"{v:.3f} [{low:.3f}, {high:.3f}]" for v, low, high in (row["ndcg3"], row["ndcg10"])]
        value, low, high = row["over_hand_set"]
        wishes = "  ".join(f"{n}: {v:.3f}" for n, v in row["by_wishes"].items())
        lines.append(
            f"{name:<24} {cells[0]:<22} {cells[1]:<22} {f'{value:+.3f} [{low:+.3f}, {high:+.3f}]':<26} "
            f"{'-' if row['known'] is None else format(row['known'], '.3f'):<13}{wishes}"
        )
    return "\n".join(lines)


# --- the command ----------------------------------------------------------------------------------------------------


def stored(path: Path, made: Mapping[str, Groups], share: float) -> None:
    names = ("rows", "labels", "sizes", "customers", "wishes")
    arrays = {f"{split}_{name}": getattr(groups, name) for split, groups in made.items() for name in names}
    np.savez_compressed(path, share=share, **arrays)


def loaded(path: Path) -> tuple[dict[str, Groups], float]:
    file = np.load(path)
    names = ("rows", "labels", "sizes", "customers", "wishes")
    return {split: Groups(*(file[f"{split}_{name}"] for name in names)) for split in SPLITS}, float(file["share"])


def joined(interactions: Groups, opinions: Groups) -> Groups:
    """Both kinds of groups as one training set."""
    if not len(opinions.sizes):
        return interactions
    both = {
        name: np.concatenate([getattr(interactions, name), getattr(opinions, name)])
        for name in ("rows", "labels", "sizes", "customers", "wishes")
    }
    return Groups(**both, weights=np.concatenate([np.ones(len(interactions.labels)), opinions.weights]))


def policy_value(shop: Shop, ranker: Ranker) -> Estimate | str:
    """What the ranker would have earned in explored places, or why that cannot be said."""
    try:
        return snips(*logged_choices(shop, ranker))
    except ValueError as error:
        return f"not known: {error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shop", required=True, help="the shop's slug")
    parser.add_argument(
        "--groups", type=Path, help="keep the groups made from interactions here, and use what is there"
    )
    parser.add_argument("--out", type=Path, help="folder for the model; the shop's own below RANKER_DIR where left out")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--even-if-worse", action="store_true", help="write a model that does not beat the weights")
    options = parser.parse_args()
    with installation():
        run(options)


def run(options: argparse.Namespace) -> None:
    from django.conf import settings

    from workers.serving import encoder

    shop = Shop.objects.get(slug=options.shop)
    until = trained_until(shop)
    if options.groups and options.groups.exists():
        made, share = loaded(options.groups)
    else:
        made, share = interaction_groups(shop, encoder(), options.seed)
        if options.groups:
            stored(options.groups, made, share)
    judged, opinions_until = feedback_groups(shop), timezone.now()
    say(f"groups {', '.join(f'{name} {len(g.sizes)}' for name, g in made.items())}; opinions {len(judged.sizes)}")
    say(f"candidates a group {made['test'].sizes.mean():.1f}; search brought {share:.1%} of what was looked at")
    folder = options.out or settings.RANKER_DIR / shop.slug
    meta = {
        "version": f"{shop.slug}-{made['train'].digest()[:8]}",
        "data": {
            "sha256": made["train"].digest(),
            "groups": {name: len(groups.sizes) for name, groups in made.items()},
            "opinions": len(judged.sizes),
            "simulated_customers": Interaction.objects.filter(shop=shop, simulated=True).exists(),
        },
        "seed": options.seed,
        "opinions_until": opinions_until.isoformat(),
        **({"updated_until": until.isoformat()} if until else {}),
    }
    training, valid, tries = joined(made["train"], judged), made["valid"], settings.VAR_DIR / "rankers-tried"
    blind = tried(
        without_sequence(training), without_sequence(valid), options.seed, WITHOUT_SEQUENCE, tries / "blind", meta
    )
    reading = tried(training, valid, options.seed, HAND_SET, tries / "reading", meta)
    gain = gain_of_sequences(valid, reading.ranker, blind.ranker)
    chosen = reading if gain and gain.low > 0 else blind
    found = report(made["test"], chosen.ranker, options.seed)
    say(table(found))
    say(f"sequence score, NDCG@3 over training without it: validation {gain or 'not known'}; test "
        f"{gain_of_sequences(made['test'], reading.ranker, blind.ranker) or 'not known'}: "
        f"{'used' if chosen is reading else 'not used'}")  # fmt: skip
    shares = np.concatenate([interest_share(chosen.ranker.contributions(rows)) for rows, _ in made["test"].split()])
    say(
        f"interest match, share of the score: mean {shares.mean():.1%}, least {shares.min():.1%}, most {shares.max():.1%}"
    )
    say(f"explored places, this model's value (clipped SNIPS): {policy_value(shop, chosen.ranker)}")
    gains = dict(zip(FEATURES, chosen.booster.feature_importance("gain"), strict=True))
    say(
        "gain: "
        + ", ".join(f"{n} {g / sum(gains.values()):.0%}" for n, g in sorted(gains.items(), key=lambda x: -x[1]))
    )
    if found["learned"]["over_hand_set"][1] > 0 or options.even_if_worse:
        save(chosen.booster, folder, {**meta, "test": found}, chosen.weights)
        say(
            f"{chosen.booster.best_iteration} trees, {(folder / 'model.txt').stat().st_size / 1024:.0f} KiB, written to {folder}"
        )
    else:
        say("no better than the hand-set weights on the test customers: nothing written")


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
