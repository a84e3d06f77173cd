"""The sequence model: the protocol's measures, no look at the future, learning, resuming, and scores for ranking."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.factories import CategoryFactory, ProductFactory, ShopFactory
from workers.engine.sequence import (
    Catalogue,
    SequenceModel,
    SequenceModelError,
    SequenceScorer,
    Shape,
    content_of,
    scorer_of,
)
from workers.training import sequence as training
from workers.training.sequence import Histories, Recipe

RING = 30
"""Items of the synthetic shop; whoever takes one takes the next two or so later: a successor pattern."""
SMALL = Recipe(
    width=32,
    layers=2,
    heads=2,
    inner=64,
    dropout=0.1,
    temperature=None,
    content=False,
    forgotten=0.0,
    lr=5e-3,
    batch=64,
    epochs=12,
    patience=12,
    max_length=10,
)


def name(item: int) -> str:
    return f"item-{item % RING:02}"


def successors(customers: int = 250, seed: int = 3) -> Histories:
    """Each customer walks the ring: 80 % of the steps go to the next item, the others skip one."""
    rng = random.Random(seed)
    sequences = []
    for _ in range(customers):
        at = rng.randrange(RING)
        walk = [at]
        for _ in range(rng.randint(4, 9)):
            walk.append(walk[-1] + (1 if rng.random() < 0.8 else 2))
        sequences.append(tuple(map(name, walk)))
    return Histories(tuple(sequences), {}, {"successors": str(seed)})


def model_of(items: int = 12, **shape: object) -> SequenceModel:
    torch.manual_seed(0)
    catalogue = Catalogue(tuple(map(str, range(items))), items)
    model = SequenceModel(Shape(width=16, inner=32, max_length=8, **shape), catalogue)  # type: ignore[arg-type]
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    return model.eval()


# --- the measures ---------------------------------------------------------------------------------------------------


def test_recall_and_ndcg_are_what_a_hand_computes() -> None:
    ranked = torch.tensor([1.0, 3.0, 10.0, 11.0])
    assert training.recall(ranked, 10) == 0.75
    assert training.recall(ranked, 2) == 0.25
    assert training.ndcg(ranked, 10) == pytest.approx((1 + 1 / 2 + 1 / math.log2(11)) / 4)
    assert training.ndcg(ranked, 5) == pytest.approx((1 + 1 / 2) / 4)


def test_a_rank_counts_the_items_outside_the_history_that_score_higher() -> None:
    #                       none  1    2    3    4    5
    scores = torch.tensor([[9.0, 0.9, 0.8, 0.7, 0.6, 0.5], [9.0, 0.1, 0.2, 0.3, 0.4, 0.5]])
    assert training.ranks(scores, [4, 1], [[], []]).tolist() == [4, 5]
    assert training.ranks(scores, [4, 1], [[1, 3], [5]]).tolist() == [2, 4]


def test_equal_scores_share_their_ranks_so_that_a_constant_model_finds_nothing() -> None:
    ranked = training.ranks(torch.zeros(3, 102), [1, 50, 101], [[2], [], []])
    assert ranked.tolist() == [50.5, 51, 51]
    assert training.recall(ranked, 10) == 0


def test_a_target_of_its_own_history_or_without_a_score_counts_as_missed() -> None:
    scores = torch.tensor([[0.0, 5.0, *[1.0] * 18, -math.inf]])
    assert training.ranks(scores, [1], [[1]]).item() > 10
    assert training.ranks(scores, [20], [[]]).item() == 20


# --- the protocol ---------------------------------------------------------------------------------------------------


def test_the_last_item_is_the_test_the_one_before_the_validation() -> None:
    histories = Histories((("a", "b", "c", "d"), ("a", "c", "e"), ("a", "b")), {}, {})
    data = training.split(histories)
    named = dict(enumerate(data.catalogue.skus, 1))
    assert [[named[n] for n in items] for items in data.train] == [["a", "b"], ["a"]]
    assert [named[n] for n in data.valid] == ["c", "c"]
    assert [named[n] for n in data.test] == ["d", "e"]
    assert [[named[n] for n in items] for items in data.test_inputs] == [["a", "b", "c"], ["a", "c"]]
    assert data.catalogue.trained == 2  # what is held out does not count as seen


def test_item_numbers_follow_the_counts_in_training_and_nothing_else() -> None:
    histories = Histories((("z", "y", "b", "c"), ("z", "x", "c", "b"), ("z", "y", "a", "b")), {}, {})
    assert training.split(histories).catalogue.skus == ("z", "y", "x", "a", "b", "c")


def test_too_little_history_is_said() -> None:
    with pytest.raises(training.SequenceTrainingError, match="three products"):
        training.split(Histories((("a", "b"),), {}, {}))


def test_the_ranking_leaves_out_what_the_customer_has() -> None:
    model = model_of()
    inputs = [[1, 2, 3], [4]]
    with torch.no_grad():
        vectors = model.vectors()
        state = model(torch.tensor([[1, 2, 3]]), vectors)[0, -1]
        scores = model.logits(state, vectors)
    allowed = [n for n in range(1, 13) if n not in inputs[0]]
    expected = sorted(allowed, key=lambda n: -scores[n].item()).index(9) + 1
    assert training.evaluate(model, inputs, [9, 9])[0].item() == expected


def test_customers_evaluated_together_get_the_ranks_they_get_alone() -> None:
    model = model_of()
    inputs = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [4], [5, 1, 2]]
    together = training.evaluate(model, inputs, [11, 2, 7])
    alone = [training.evaluate(model, [read], [target]).item() for read, target in zip(inputs, [11, 2, 7], strict=True)]
    assert together.tolist() == alone


# --- the network ----------------------------------------------------------------------------------------------------


def test_no_step_sees_what_comes_after_it() -> None:
    model = model_of()
    vectors = model.vectors()
    one = model(torch.tensor([[1, 2, 3, 4, 5, 6]]), vectors)
    other = model(torch.tensor([[1, 2, 3, 9, 8, 7]]), vectors)
    assert torch.equal(one[0, :3], other[0, :3])
    assert not torch.allclose(one[0, 3:], other[0, 3:])


def test_the_order_of_the_history_matters() -> None:
    model = model_of()
    vectors = model.vectors()
    one, other = model(torch.tensor([[1, 2, 3]]), vectors)[0, -1], model(torch.tensor([[2, 1, 3]]), vectors)[0, -1]
    assert not torch.allclose(one, other)


def test_the_loss_of_a_batch_is_the_mean_over_its_steps_whatever_their_lengths() -> None:
    model = model_of()
    sequences = [[1, 2, 3], [4, 5], [6, 7, 8, 9, 10, 11]]
    steps = [len(items) - 1 for items in sequences]
    alone = [training.loss(model, [items], SMALL).item() for items in sequences]
    together = training.loss(model, sequences, SMALL).item()
    assert together == pytest.approx(np.average(alone, weights=steps), rel=1e-5)


def test_the_loss_is_the_cross_entropy_over_all_items() -> None:
    model = model_of()
    vectors = model.vectors()
    states = model(torch.tensor([[1, 2]]), vectors)[0]
    scores = model.logits(states, vectors)[:, 1:]
    expected = -(scores[0].softmax(0)[2 - 1].log() + scores[1].softmax(0)[3 - 1].log()) / 2
    assert training.loss(model, [[1, 2, 3]], SMALL).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("temperature", [None, 0.2])
def test_a_loss_over_drawn_items_is_the_full_one_when_all_are_drawn_and_near_it_on_average(
    temperature: float | None,
) -> None:
    model = model_of(items=40, temperature=temperature)
    sequences = [[1, 2, 3], [7, 30, 21, 9]]
    full = training.loss(model, sequences, SMALL).item()
    states = torch.randn(5, 16)
    targets = torch.tensor([3, 9, 27, 40, 1])
    expected = torch.nn.functional.cross_entropy(model.logits(states, model.vectors()[1:]), targets - 1).item()
    assert training.sampled_softmax(model, states, targets, model.vectors(), 40).item() == pytest.approx(expected)
    drawn = [training.loss(model, sequences, replace(SMALL, negatives=20)).item() for _ in range(300)]
    assert np.mean(drawn) == pytest.approx(full, abs=0.1)
    assert np.std(drawn) > 0


# --- learning -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [None, 0.1])
def test_successor_patterns_are_learned_where_popularity_knows_nothing(tmp_path: Path, temperature: float) -> None:
    histories = successors()
    meta = training.train(replace(SMALL, temperature=temperature), histories, tmp_path / "model")
    data = training.split(histories)
    popular = torch.zeros(len(data.test), RING + 1)
    for items in data.train:
        for item in items:
            popular[:, item] += 1
    baseline = training.ndcg(training.ranks(popular, data.test, data.test_inputs), 10)
    assert baseline < 0.3
    assert meta["test"]["ndcg@10"] > 0.75
    assert meta["data"]["customers"] == 250
    assert meta["hyperparameters"]["seed"] == 1


def test_a_run_that_was_killed_ends_like_one_that_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, histories = replace(SMALL, epochs=4, forgotten=0.1), successors(60)
    whole = training.train(recipe, histories, tmp_path / "whole")
    train_epoch = training.train_epoch

    def killed(model, optimizer, sequences, recipe, epoch):  # type: ignore[no-untyped-def]
        if epoch == 2:
            train_epoch(model, optimizer, sequences, recipe, epoch)
            raise KeyboardInterrupt
        return train_epoch(model, optimizer, sequences, recipe, epoch)

    monkeypatch.setattr(training, "train_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        training.train(recipe, histories, tmp_path / "killed")
    assert not (tmp_path / "killed" / "meta.json").exists()
    monkeypatch.setattr(training, "train_epoch", train_epoch)
    resumed = training.train(recipe, histories, tmp_path / "killed")

    assert resumed["course"] == whole["course"]
    weights = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("whole", "killed")]
    assert weights[0] == weights[1]


def test_a_finished_run_is_not_trained_again_and_another_recipe_is_refused(tmp_path: Path) -> None:
    recipe, histories = replace(SMALL, epochs=1), successors(40)
    first = training.train(recipe, histories, tmp_path / "model")
    assert training.train(recipe, histories, tmp_path / "model") == first
    with pytest.raises(training.SequenceTrainingError, match="another run"):
        training.train(replace(recipe, lr=1e-4), histories, tmp_path / "model")


def test_the_best_epoch_is_kept_and_training_stops_when_patience_ends(tmp_path: Path) -> None:
    recipe = replace(SMALL, epochs=60, patience=2, lr=2e-2)
    meta = training.train(recipe, successors(80), tmp_path / "model")
    course = [epoch["ndcg@10"] for epoch in meta["course"]]
    assert meta["epochs"] == len(course) == meta["best_epoch"] + 2 < 60
    assert meta["validation"]["ndcg@10"] == max(course) == course[meta["best_epoch"] - 1]


# --- cold products and serving --------------------------------------------------------------------------------------


def with_kinds(hidden: str) -> Histories:
    """Two kinds of products that nobody mixes; ``hidden`` is of kind 0 and nobody has taken it."""
    rng = random.Random(5)
    kinds = [[f"k{kind}-{n}" for n in range(12)] for kind in (0, 1)]
    sequences = tuple(tuple(rng.sample(kinds[n % 2], 6)) for n in range(160))
    attributes = {sku: [f"kind={kind}"] for kind in (0, 1) for sku in kinds[kind]} | {hidden: ["kind=0"]}
    return Histories(sequences, attributes, {"kinds": "5"})


def test_a_product_nobody_has_taken_is_placed_by_its_content(tmp_path: Path) -> None:
    recipe = replace(SMALL, content=True, forgotten=0.3)
    training.train(recipe, with_kinds("cold"), tmp_path / "model")
    scorer = SequenceScorer.open(tmp_path / "model")
    for history, likes in ((["k0-1", "k0-2"], True), (["k1-1", "k1-2"], False)):
        (cold,) = scorer.scores(history, ["cold"])
        (newer,) = scorer.scores(history, ["not in the model"], {"not in the model": ["kind=0", "colour=new"]})
        assert (cold > 0.3) == likes
        assert (newer > 0.3) == likes
    assert scorer.scores(["cold"], ["k0-3"]) > scorer.scores(["cold"], ["k1-3"])


def test_without_content_a_product_nobody_has_taken_has_no_score_and_is_never_ranked_first(tmp_path: Path) -> None:
    training.train(replace(SMALL, epochs=3), with_kinds("cold"), tmp_path / "model")
    scorer = SequenceScorer.open(tmp_path / "model")
    assert scorer.scores(["k0-1"], ["cold"]).tolist() == [0]
    data = training.split(with_kinds("cold"))
    cold = data.catalogue.skus.index("cold") + 1
    from workers.engine.sequence import load

    assert training.evaluate(load(tmp_path / "model"), [[1]], [cold]).item() > 20


def test_scores_are_standard_deviations_above_the_mean_product(tmp_path: Path) -> None:
    training.train(replace(SMALL, epochs=6), successors(), tmp_path / "model")
    scorer = SequenceScorer.open(tmp_path / "model")
    everything = [name(item) for item in range(RING)]
    scores = scorer.scores([name(3), name(4)], everything)
    assert scores.dtype == np.float32
    assert scores.mean() == pytest.approx(0, abs=1e-4)
    assert scores.std() == pytest.approx(1, abs=1e-3)
    assert int(scores.argmax()) == 5


def test_nothing_known_scores_nothing(tmp_path: Path) -> None:
    training.train(replace(SMALL, epochs=1), successors(40), tmp_path / "model")
    scorer = SequenceScorer.open(tmp_path / "model")
    assert scorer.scores([], [name(1)]).tolist() == [0]
    assert scorer.scores(["unheard of"], [name(1)]).tolist() == [0]
    assert scorer.scores([name(1)], []).shape == (0,)
    known, unknown = scorer.scores([name(1), "unheard of"], [name(2), "unheard of"])
    assert unknown == 0
    assert known == scorer.scores([name(1)], [name(2)])


def test_a_history_longer_than_the_model_reads_counts_by_its_end(tmp_path: Path) -> None:
    training.train(replace(SMALL, epochs=1), successors(40), tmp_path / "model")
    scorer = SequenceScorer.open(tmp_path / "model")
    history = [name(item) for item in range(25)]
    assert scorer.scores(history, [name(3)]) == scorer.scores(history[-10:], [name(3)])


def test_a_damaged_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(SequenceModelError, match="holds no sequence model"):
        SequenceScorer.open(tmp_path)
    training.train(replace(SMALL, epochs=1), successors(40), tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"short")
    with pytest.raises(SequenceModelError):
        SequenceScorer.open(tmp_path / "model")


# --- a shop's own interactions --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_shops_interactions_become_histories_and_a_model_of_its_own(tmp_path: Path) -> None:
    from catalog.models import Customer, Interaction

    shop, other = ShopFactory(slug="ring"), ShopFactory(slug="other")
    category = CategoryFactory(shop=shop, path="clothing/jackets")
    products = [ProductFactory(shop=shop, sku=name(item), category=category) for item in range(RING)]
    stranger = ProductFactory(shop=other, sku="stranger")
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def did(shop, key, product, hour, kind="view"):  # type: ignore[no-untyped-def]
        customer, _ = Customer.objects.get_or_create(shop=shop, key=key)
        at = start + timedelta(hours=hour)
        return Interaction.objects.create(shop=shop, customer=customer, product=product, kind=kind, at=at)

    for row, sequence in enumerate(successors(40).sequences):
        for hour, sku in enumerate(sequence):
            did(shop, f"C{row:02}", products[int(sku[-2:])], hour)
    did(shop, "C99", products[2], 5, "order")  # later than the view below, which is stored after it
    did(shop, "C99", products[1], 1)
    did(shop, "C99", products[2], 3, "cart")
    did(shop, "C99", products[7], 0, "review")
    did(other, "C99", stranger, 0)

    histories = training.shop_histories("ring")
    assert len(histories.sequences) == 41
    assert histories.sequences[-1] == (name(1), name(2))
    assert "category=clothing" in histories.attributes[name(1)]
    assert "category=clothing/jackets" in histories.attributes[name(1)]
    assert "stranger" not in json.dumps(histories.sequences)

    meta = training.train_shop("ring", tmp_path, replace(SMALL, content=True, refit=True))
    assert meta["version"] == "sequence-ring"
    scorer = scorer_of("ring", tmp_path)
    assert scorer is not None
    assert scorer is scorer_of("ring", tmp_path)
    assert int(scorer.scores([name(3), name(4)], [name(item) for item in range(RING)]).argmax()) in (5, 6)
    assert scorer_of("other", tmp_path) is None
    with pytest.raises(training.SequenceTrainingError, match='no shop is called "nowhere"'):
        training.shop_histories("nowhere")


@pytest.mark.django_db
def test_a_products_content_is_its_categories_brand_and_attribute_values() -> None:
    shop = ShopFactory()
    category = CategoryFactory(shop=shop, path="clothing/jackets/rain")
    product = ProductFactory(shop=shop, category=category, brand="Fjord", attributes={"color": ["green", "navy"]})
    assert content_of(product) == [
        "category=clothing",
        "category=clothing/jackets",
        "category=clothing/jackets/rain",
        "brand=fjord",
        "color=green",
        "color=navy",
    ]


# --- the benchmark --------------------------------------------------------------------------------------------------


def test_the_benchmark_sets_the_model_beside_popularity_and_counts(tmp_path: Path) -> None:
    from benchmarks import sequence as benchmark

    lines = [f"customer{row} {' '.join(items)}\n" for row, items in enumerate(successors().sequences)]
    (tmp_path / "Beauty.txt").write_text("".join(lines))
    (tmp_path / "item2attributes.json").write_text(json.dumps({name(item): [item % 2] for item in range(RING)}))
    data = training.split(benchmark.read_beauty(tmp_path))
    assert benchmark.markov(data)["recall@10"] > 0.95 > 0.6 > benchmark.popularity(data)["recall@10"]

    recipe = replace(SMALL, epochs=2, negatives=0)
    rows = benchmark.rows(tmp_path, tmp_path / "models", seeds=(1, 2), recipe=recipe)
    assert [row[0] for row in rows] == ["popularity", "item-to-item counts", "sequence model"]
    assert "R@10 0." in rows[0][1]
    assert "±" not in rows[0][1]
    assert "±" in rows[2][1]
    assert "seeds 1, 2" in rows[2][2]
    assert rows == benchmark.rows(tmp_path, tmp_path / "models", seeds=(1, 2), recipe=recipe)


def test_hidden_products_stay_in_nobodys_history_and_are_asked_for_at_the_end() -> None:
    from benchmarks.sequence import without_some

    whole = successors()
    some = without_some(whole, 0.2, 1)
    left = {item for sequence in some.sequences for item in sequence[:-1]}
    hidden = {name(item) for item in range(RING)} - left
    assert len(hidden) == 6
    assert [sequence[-1] for sequence in some.sequences] == [sequence[-1] for sequence in whole.sequences]
    assert any(sequence[-1] in hidden for sequence in some.sequences)
    assert some.source != whole.source


def test_counts_rank_the_followers_of_the_last_item_before_anything_popular() -> None:
    from benchmarks.sequence import markov

    # b follows a three times, c once; z is the most popular but never follows a.
    walks = [("a", "b"), ("a", "b"), ("a", "b"), ("a", "c"), *[("z", "z")] * 9]
    held_out = [("q", "y"), ("q", "y"), ("q", "y"), ("q", "y"), *[("q", "y")] * 9]
    sequences = [(*walk, *out) for walk, out in zip(walks, held_out, strict=True)]
    sequences.append(("z", "a", "c"))  # reads z, then a; was followed by b first, c second
    never_taken: dict[str, list[str]] = {f"f{n}": [] for n in range(40)}  # y, which nobody took either, is lost in them
    found = markov(training.split(Histories(tuple(sequences), never_taken, {})))
    # Only the last customer's target can be found, at rank 2 of those after a.
    assert found["ndcg@5"] == pytest.approx((1 / math.log2(3)) / 14, abs=1e-5)
