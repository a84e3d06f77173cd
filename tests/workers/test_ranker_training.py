"""What the ranker learns from: groups without tomorrow's knowledge, opinions with their chances, honest measures."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from botcore.learning import votes
from botcore.models import Feedback
from catalog.models import Customer, Interaction, Product
from catalog.ranking.features import FEATURES
from catalog.ranking.model import LinearRanker
from tests.factories import (
    CategoryFactory,
    ConversationFactory,
    FeedbackFactory,
    ProductFactory,
    ShopFactory,
    TurnFactory,
)
from tests.fakes import HashEncoder
from workers.training import ranker
from workers.training.ranker import (
    SEQUENCE,
    WITHOUT_SEQUENCE,
    Event,
    Groups,
    Window,
    feedback_groups,
    interval,
    joined,
    logged_choices,
    moments,
    ndcg,
    split_of,
    visits_of,
    without_sequence,
)
from workers.training.sequence_folds import SequenceFolds, fold_of

START = datetime(2026, 5, 1, tzinfo=UTC)


def event(customer: int, product: int, hours: float, kind: str = "view") -> Event:
    return Event(customer, product, kind, START + timedelta(hours=hours), None)


def test_a_visit_ends_with_a_pause_or_another_category_and_reviews_belong_to_none():
    events = [event(1, 10, 0), event(2, 10, 0.1), event(1, 11, 0.2), event(1, 10, 0.3, "review"), event(1, 20, 0.5),
              event(1, 10, 1), event(1, 11, 9)]  # fmt: skip
    visits = visits_of(events, {10: 1, 11: 1, 20: 2})
    assert [(v.customer, v.category, [e.product for e in v.events]) for v in visits] == [
        (1, 1, [10, 11]), (2, 1, [10]), (1, 2, [20]), (1, 1, [10]), (1, 1, [11]),
    ]  # fmt: skip


def test_every_customer_has_one_split_in_stated_shares():
    shares = Counter(split_of(number) for number in range(20_000))
    assert shares["train"] / 20_000 == pytest.approx(0.6, abs=0.015)
    assert shares["test"] / 20_000 == pytest.approx(0.25, abs=0.015)


def test_ndcg_is_the_textbook_s():
    labels = np.array([0, 3, 1])
    assert ndcg(np.array([1.0, 3.0, 2.0]), labels, 3) == pytest.approx(1)
    worst = (1 / math.log2(3) + 7 / math.log2(4)) / (7 + 1 / math.log2(3))
    assert ndcg(np.array([3.0, 1.0, 2.0]), labels, 3) == pytest.approx(worst)
    assert ndcg(np.array([3.0, 1.0, 2.0]), labels, 1) == 0
    assert ndcg(np.array([1.0, 2.0]), np.array([0, 0]), 3) == 0


def test_the_interval_is_over_customers_not_over_their_visits():
    values = np.repeat(np.random.default_rng(0).random(40), 25)
    apart = interval(values, np.arange(1_000))
    by_customer = interval(values, np.repeat(np.arange(40), 25))
    assert by_customer[0] < apart[0] < values.mean() < apart[1] < by_customer[1]


@pytest.fixture
def shop(db):
    """Twelve jackets, and 40 customers who looked at one or two of them on each of sixty days."""
    shop = ShopFactory()
    category = CategoryFactory(shop=shop, path="clothing/jackets", name="Jackets")
    encoder = HashEncoder()
    products = [
        ProductFactory(
            shop=shop,
            category=category,
            title=f"Jacket {number}",
            attributes={"color": ["red" if number % 2 else "green"]},
            embedding=encoder.encode([f"jacket {number}"])[0],
            popularity=999,
            rating=5,
            rating_count=500,
            variant__price=Decimal(20 + number),
        )
        for number in range(12)
    ]
    customers = [Customer.objects.create(shop=shop, key=f"c{number}") for number in range(40)]
    rng = random.Random(3)
    rows = []
    for day in range(60):
        for customer in rng.sample(customers, 8):
            at = START + timedelta(days=day, minutes=rng.randrange(600))
            for step, product in enumerate(rng.sample(products, rng.choice((1, 2, 2)))):
                rows.append(
                    Interaction(
                        shop=shop, customer=customer, product=product, kind="view", at=at + timedelta(minutes=step)
                    )
                )
    Interaction.objects.bulk_create(rows)
    return shop


def test_a_moment_knows_nothing_of_what_came_after_it(shop):
    seen = {moment.split for moment in moments(shop, HashEncoder(), seed=1)}
    assert seen == {"train", "valid", "test"}
    for moment in moments(shop, HashEncoder(), seed=1, splits=("train",)):
        for candidate in moment.candidates:
            assert candidate.product.popularity < 100, "the popularity of then, not the 999 of today"
            assert candidate.product.rating_count == 0
    last = Interaction.objects.latest("at").at
    Interaction.objects.filter(at__gt=last - timedelta(days=2)).update(kind="order")
    before = [m.context.taste.certainty for m in moments(shop, HashEncoder(), seed=1, splits=("train",))]
    Interaction.objects.filter(at__gt=last - timedelta(days=2)).update(kind="view")
    assert before == [m.context.taste.certainty for m in moments(shop, HashEncoder(), seed=1, splits=("train",))]


def test_candidates_are_what_search_brings_and_customers_of_the_test_train_nothing(shop):
    by_split: dict[str, set[int]] = {}
    for moment in moments(shop, HashEncoder(), seed=1):
        by_split.setdefault(moment.split, set()).add(moment.customer)
        assert all(split_of(customer) == moment.split for customer in by_split[moment.split])
        assert (
            len(moment.graded) == len(moment.candidates) >= sum(label > 0 for label in moment.graded) > 0
            or moment.wishes
        )
        if not moment.wishes and moment.context.price.high is None:
            assert len(moment.candidates) >= 11, "no candidate is left out where nothing was wished for"


def test_the_same_seed_makes_the_same_groups_and_survives_a_file(shop, tmp_path):
    first, share = ranker.interaction_groups(shop, HashEncoder(), seed=1)
    again, _ = ranker.interaction_groups(shop, HashEncoder(), seed=1)
    assert first["train"].digest() == again["train"].digest() and 0.5 < share <= 1
    ranker.stored(tmp_path / "groups.npz", first, share)
    back, same = ranker.loaded(tmp_path / "groups.npz")
    assert back["test"].digest() == first["test"].digest() and same == share


def candidate_json(sku: str, **features: float) -> dict:
    return {"sku": sku, "score": 0.0, **features}


def judged(conversation, kind: str, shown: list[tuple[str, float]], goal: str = "jackets"):
    turn = TurnFactory(
        conversation=conversation,
        state_after={"goal": goal},
        candidates=[candidate_json(s, vector=v) for s, v in (("A", 0.9), ("B", 0.5), ("C", 0.2))],
        slate=[{"sku": sku, "propensity": chance} for sku, chance in shown],
    )
    return FeedbackFactory(turn=turn, kind=kind)


@pytest.fixture
def a_few_customers(monkeypatch):
    """As many customers as there are here are enough for their opinions to count."""
    monkeypatch.setattr(votes, "LARGEST_SHARE", 1.0)


@pytest.mark.django_db
@pytest.mark.usefixtures("a_few_customers")
def test_opinions_become_a_group_where_one_conversation_judged_two_replies_differently():
    talk = ConversationFactory()
    judged(talk, "not_meant", [("A", 1.0)])
    judged(talk, "up", [("B", 1.0), ("C", 0.1)])
    judged(talk, "down", [("C", 1.0)], goal="hats")
    judged(ConversationFactory(shop=talk.shop), "up", [("A", 1.0)])
    judged(ConversationFactory(), "up", [("B", 1.0)])
    groups = feedback_groups(talk.shop)
    assert groups.sizes.tolist() == [3] and groups.labels.tolist() == [0, 2, 2]
    assert groups.rows[:, FEATURES.index("vector")].tolist() == [0.9, 0.5, 0.2]
    assert (groups.weights / groups.weights[0]).tolist() == pytest.approx([1, 1, 10])


@pytest.mark.django_db
def test_one_customers_many_opinions_teach_no_more_than_anybody_elses():
    shop = ShopFactory()
    for _ in range(24):
        talk = ConversationFactory(shop=shop)
        judged(talk, "down", [("A", 1.0)])
        judged(talk, "up", [("B", 1.0)])
    before = feedback_groups(shop)
    troll = ConversationFactory(shop=shop)
    judged(troll, "up", [("C", 1.0)])
    for number in range(100):
        judged(troll, "down", [(f"B{number}", 1.0), ("B", 1.0)])
    after = feedback_groups(shop)
    assert len(before.sizes) == 24
    assert after.digest() == before.digest()


@pytest.mark.django_db
@pytest.mark.usefixtures("a_few_customers")
def test_the_opinions_of_some_days_are_those_given_then():
    talk = ConversationFactory()
    for kind, shown in (("down", "A"), ("up", "B")):
        judged(talk, kind, [(shown, 1.0)])
    given = Feedback.objects.earliest("created_at").created_at
    assert feedback_groups(talk.shop, Window(given, given + timedelta(days=1))).sizes.tolist() == [2]
    assert feedback_groups(talk.shop, Window(given - timedelta(days=1), given)).sizes.tolist() == []


@pytest.mark.django_db
@pytest.mark.usefixtures("a_few_customers")
def test_explored_places_are_the_logged_choices():
    shop = ShopFactory()
    judged(ConversationFactory(shop=shop), "up", [("B", 1.0), ("A", 0.25)])
    judged(ConversationFactory(shop=shop), "down", [("B", 1.0), ("C", 0.5)])
    judged(ConversationFactory(shop=shop), "up", [("B", 1.0), ("A", 1.0)])
    rewards, logged, target = logged_choices(shop, LinearRanker())
    assert (rewards.tolist(), logged.tolist(), target.tolist()) == ([1, 0], [0.25, 0.5], [1, 0])
    assert ranker.policy_value(shop, LinearRanker()).value == 1  # type: ignore[union-attr]
    assert "not known" in str(ranker.policy_value(ShopFactory(), LinearRanker()))


def test_opinions_join_the_interactions_with_their_weights():
    some = Groups(np.ones((2, len(FEATURES))), np.array([1, 0]), np.array([2]), np.array([1]), np.array([0]))
    more = Groups(
        np.zeros((1, len(FEATURES))), np.array([2]), np.array([1]), np.array([-1]), np.array([0]), np.array([3.0])
    )
    both = joined(some, more)
    assert both.sizes.tolist() == [2, 1] and both.weights.tolist() == [1, 1, 3]
    none = feedback_like_nothing()
    assert joined(some, none) is some


def feedback_like_nothing() -> Groups:
    return ranker._grouped([])


def synthetic(seed: int, groups: int = 120, size: int = 20) -> Groups:
    """Customers who look at what is well rated and like what they bought before, whatever search thought of it."""
    rng = np.random.default_rng(seed)
    rows = rng.random((groups * size, len(FEATURES)))
    wish = 2 * rows[:, FEATURES.index("rating")] + 2 * rows[:, FEATURES.index("likes")] + rng.normal(0, 0.2, len(rows))
    labels = (wish > 2.8).astype(int)
    return Groups(rows, labels, np.full(groups, size), np.arange(groups) // 3, np.zeros(groups, dtype=int))


def test_training_finds_what_customers_go_by_and_never_turns_a_feature_against_itself(tmp_path):
    booster = ranker.train(synthetic(1, 400), synthetic(2), seed=1)
    learned = ranker.save(booster, tmp_path / "model", {"version": "synthetic-1"})
    found = ranker.report(synthetic(3), learned, seed=1)
    assert found["learned"]["over_hand_set"][1] > 0.1
    assert found["learned"]["ndcg3"][0] > found["learned, history hidden"]["ndcg3"][0] + 0.05
    assert found["hand-set weights"]["over_hand_set"] == [0, 0, 0]
    middle = np.full((21, len(FEATURES)), 0.5)
    for column in range(len(FEATURES)):
        rows = middle.copy()
        rows[:, column] = np.linspace(0, 1, 21)
        assert (np.diff(learned.scores(rows)) >= -1e-9).all(), FEATURES[column]


def test_the_report_is_a_table():
    groups = synthetic(4, 30)
    lines = ranker.table(ranker.report(groups, LinearRanker(), 1)).splitlines()
    assert len(lines) == 7 and lines[4].startswith("hand-set weights")


def test_the_sequence_score_is_kept_only_where_it_helps_customers_it_was_not_trained_on(tmp_path):
    def groups(seed: int, helps: bool) -> Groups:
        made = synthetic(seed, 400)
        rows = made.rows.copy()
        rows[:, SEQUENCE] = np.random.default_rng(seed + 100).normal(size=len(rows))
        labels = (rows[:, SEQUENCE] > 1.2).astype(int) if helps else made.labels
        return replace(made, rows=rows, labels=labels)

    for helps in (True, False):
        training, valid = groups(1, helps), groups(2, helps)
        reading = ranker.tried(training, valid, 1, ranker.HAND_SET, tmp_path / "reading", {"version": "r"})
        blind = ranker.tried(
            without_sequence(training),
            without_sequence(valid),
            1,
            WITHOUT_SEQUENCE,
            tmp_path / "blind",
            {"version": "b"},
        )
        gain = ranker.gain_of_sequences(groups(3, helps), reading.ranker, blind.ranker)
        assert gain and (gain.low > 0) == helps and gain.groups == 400
        assert reading.ranker.sequential and not blind.ranker.sequential
    assert ranker.gain_of_sequences(synthetic_without_history(), reading.ranker, blind.ranker) is None


def synthetic_without_history() -> Groups:
    return without_sequence(synthetic(4, 10))


def test_no_score_comes_from_a_model_that_knows_the_customer(shop):
    customers = {fold: [c for c in range(1, 400) if fold_of(c) == fold] for fold in (0, 1)}
    products = list(Product.objects.filter(shop=shop).order_by("pk"))
    red, green = ([p.sku for p in products if p.attributes["color"] == [color]] for color in ("red", "green"))
    taken = {c: tuple(red[:5]) for c in customers[0][:40]} | {c: tuple(green[:5]) for c in customers[1][:40]}
    folds = SequenceFolds(taken, products, seed=1)
    following = folds.scores(customers[0][0], red[:2], products)
    assert following == {} or max(following, key=following.get) not in {p.pk for p in products if p.sku in red[2:5]}, (
        "a customer of the first half is scored by the model of the second, which saw only green"
    )
    assert folds.scores(customers[1][0], red[:2], products) != {}
    assert folds.scores(customers[1][0], [], products) == {}
