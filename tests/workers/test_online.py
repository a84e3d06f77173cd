"""A ranker that learns from new days: what it may learn from, what it must be better at, and how it is taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded

from catalog.models import Customer, Interaction, Shop
from catalog.ranking import model
from catalog.ranking.features import FEATURES
from catalog.ranking.model import BoostedRanker, ranker_of
from tests.factories import CategoryFactory, ProductFactory, ShopFactory
from tests.fakes import HashEncoder
from workers import tasks
from workers.training import online, ranker
from workers.training.ranker import SEQUENCE, WITHOUT_SEQUENCE, Groups, Window, interaction_groups, split_of

START = datetime(2026, 5, 1, tzinfo=UTC)
NOW = START + timedelta(days=100)


def customers_who_like(feature: str, seed: int, groups: int = 500, size: int = 20) -> Groups:
    rng = np.random.default_rng(seed)
    rows = rng.random((groups * size, len(FEATURES)))
    rows[:, SEQUENCE] = 0.0
    wish = 2 * rows[:, FEATURES.index(feature)] + rows[:, FEATURES.index("likes")] + rng.normal(0, 0.1, len(rows))
    labels = (wish > 2.2).astype(int)
    return Groups(rows, labels, np.full(groups, size), np.arange(groups) // 2, np.zeros(groups, dtype=int))


def shuffled(groups: Groups) -> Groups:
    return replace(groups, labels=np.random.default_rng(5).permutation(groups.labels))


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A ranker for customers who go by the rating."""
    folder = tmp_path_factory.mktemp("trained") / "model"
    booster = ranker.train(customers_who_like("rating", 1), customers_who_like("rating", 2), 1, WITHOUT_SEQUENCE)
    until = dict.fromkeys(("updated_until", "opinions_until"), START.isoformat())
    ranker.save(booster, folder, {"version": "first", **until}, WITHOUT_SEQUENCE)
    return folder


@pytest.fixture
def shop(trained, tmp_path, settings) -> Shop:
    """A shop, not stored, that the trained ranker serves."""
    settings.RANKER_DIR = tmp_path / "rankers"
    own = settings.RANKER_DIR / "shop"
    own.mkdir(parents=True)
    for file in trained.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    return Shop(slug="shop")


@pytest.fixture
def given(monkeypatch):
    """Groups in place of a database's; the windows that were asked for."""
    windows: list[Window] = []

    def give(training: Groups, held_out: Groups) -> list[Window]:
        def found(groups: Groups):
            return lambda shop, current, window, encoder: windows.append(window) or groups

        monkeypatch.setattr(online, "_training", found(training))
        monkeypatch.setattr(online, "_held_out", found(held_out))
        return windows

    return give


def test_a_changed_taste_is_learned_written_and_served(shop, given, settings):
    held_out = customers_who_like("stock", 12)
    windows = given(customers_who_like("stock", 11), held_out)
    before = ranker_of(shop)
    outcome = online.update(shop, NOW)
    after = ranker_of(shop)
    assert outcome.done == "updated" and after.version in outcome.sentence and "first" in outcome.sentence
    assert outcome.numbers["low"] > 0 and outcome.numbers["gain"] > 0.01
    gain = ranker.ndcgs(held_out, after.scores, 3).mean() - ranker.ndcgs(held_out, before.scores, 3).mean()
    assert gain == pytest.approx(outcome.numbers["gain"])
    assert windows[0].start == START and windows[0].end == windows[1].start and windows[1].end == NOW
    meta = json.loads((settings.RANKER_DIR / "shop" / "meta.json").read_text())
    assert meta["parent"] == "first" and meta["updated_until"] == windows[1].start.isoformat()
    assert meta["opinions_until"] == meta["updated_until"]
    assert meta["update"]["gain"] == outcome.numbers["gain"] and meta["trees"] == outcome.numbers["trees"]
    assert sorted(path.name for path in settings.RANKER_DIR.iterdir()) == ["shop", "shop.before"]


def test_the_next_update_goes_on_where_the_last_one_stopped_learning(shop, given):
    windows = given(customers_who_like("stock", 11), customers_who_like("stock", 12))
    assert online.update(shop, NOW).done == online.update(shop, NOW + timedelta(days=9)).done == "updated"
    assert windows[2].start == windows[0].end


def test_the_old_trees_are_kept_and_the_new_ones_are_as_monotone(shop, given, trained):
    given(customers_who_like("stock", 11), customers_who_like("stock", 12))
    old = BoostedRanker(trained)
    online.update(shop, NOW)
    new = ranker_of(shop)
    assert new.booster.num_trees() == old.booster.num_trees() + online.TREES
    rows = customers_who_like("stock", 13, 10).rows
    kept = new.booster.predict(rows, raw_score=True, num_iteration=old.booster.num_trees())
    assert kept == pytest.approx(old.booster.predict(rows, raw_score=True))
    for column in range(len(FEATURES)):
        line = np.full((21, len(FEATURES)), 0.5)
        line[:, column] = np.linspace(0, 1, 21)
        assert (np.diff(new.scores(line)) >= -1e-9).all(), FEATURES[column]


def test_what_is_learned_from_shuffled_labels_is_refused_and_nothing_changes_on_disk(shop, given, settings):
    given(shuffled(customers_who_like("rating", 11)), customers_who_like("rating", 12))
    before = bytes_below(settings.RANKER_DIR)
    outcome = online.update(shop, NOW)
    assert outcome.done == "refused" and "held-out groups" in outcome.reason
    assert bytes_below(settings.RANKER_DIR) == before
    assert [path.name for path in settings.RANKER_DIR.iterdir()] == ["shop"]


@pytest.mark.parametrize(("gain", "low", "passes"), [(0.01, -0.004, True), (0.01, -0.006, False), (0.0, -0.001, False)])
def test_the_gate(gain, low, passes):
    assert online.Judgement(0.3, 0.3 + gain, gain, low, 0.1, 500).passed == passes


def test_too_few_groups_wait(shop, given):
    many, few = customers_who_like("stock", 11), customers_who_like("stock", 12, 30)
    given(few, many)
    assert online.update(shop, NOW).sentence == (
        "The ranker of shop: waiting. 30 groups to learn from of at least 200."
    )
    given(many, few)
    assert online.update(shop, NOW).reason == "30 groups to judge by of at least 100."


def test_hand_set_weights_damaged_models_and_full_ones_are_not_updated(shop, settings, monkeypatch):
    assert "only the hand-set weights" in online.update(Shop(slug="another"), NOW).reason
    monkeypatch.setattr(online, "MOST_TREES", 10)
    assert "train it from the start" in online.update(shop, NOW).reason
    (settings.RANKER_DIR / "shop" / "model.txt").write_text("not this one")
    assert "cannot be used" in online.update(shop, NOW).reason


def test_rollback_restores_the_bytes_and_the_undone_days_are_not_learned_from_again(shop, given, settings):
    windows = given(customers_who_like("stock", 11), customers_who_like("stock", 12))
    before = bytes_below(settings.RANKER_DIR / "shop")
    assert online.rollback(shop).done == "not possible"
    assert online.update(shop, NOW).done == "updated"
    assert online.rollback(shop).reason.startswith("first serves again")
    assert bytes_below(settings.RANKER_DIR / "shop") == before and ranker_of(shop).version == "first"
    assert online.rollback(shop).done == "not possible"
    online.update(shop, NOW + timedelta(days=1))
    assert windows[2].start == windows[0].end


def test_a_shipped_model_is_updated_into_the_shops_own_and_can_be_gone_back_to(
    shop, given, settings, trained, monkeypatch, tmp_path
):
    (settings.RANKER_DIR / "shop").rename(tmp_path / "shop")
    monkeypatch.setattr(model, "SHIPPED", tmp_path)
    given(customers_who_like("stock", 11), customers_who_like("stock", 12))
    assert online.update(shop, NOW).done == "updated"
    assert bytes_below(tmp_path / "shop") == bytes_below(trained)
    online.rollback(shop)
    assert bytes_below(settings.RANKER_DIR / "shop") == bytes_below(trained)


@pytest.mark.parametrize("fails_at", range(3))
def test_a_crash_in_the_middle_leaves_the_old_ranker_in_place(shop, given, settings, monkeypatch, fails_at):
    given(customers_who_like("stock", 11), customers_who_like("stock", 12))
    online.update(shop, NOW)
    serving = ranker_of(shop).version
    own, renames, rename = settings.RANKER_DIR / "shop", [], Path.rename

    def crash(path: Path, target: Path) -> Path:
        renames.append(path)
        if len(renames) == fails_at + 1:
            raise OSError("the power went")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", crash)
    with pytest.raises(OSError, match="the power went"):
        online.update(shop, NOW + timedelta(days=9))
    assert ranker_of(shop).version == serving
    monkeypatch.setattr(Path, "rename", rename)
    assert online.update(shop, NOW + timedelta(days=9)).done == "updated"
    assert json.loads((own / "meta.json").read_text())["parent"] == serving


# --- with a database ------------------------------------------------------------------------------------------------


def with_customers(days: int, customers: int = 12) -> Shop:
    """A shop of eight jackets where every customer looks at two of them each day, an hour after the day begins."""
    shop = ShopFactory()
    category = CategoryFactory(shop=shop, path="clothing/jackets", name="Jackets")
    products = [
        ProductFactory(
            shop=shop,
            category=category,
            title=f"Jacket {number}",
            embedding=HashEncoder().encode([f"jacket {number}"])[0],
            variant__price=Decimal(20 + number),
        )
        for number in range(8)
    ]
    own = [Customer.objects.create(shop=shop, key=f"c{number}") for number in range(customers)]
    Interaction.objects.bulk_create(
        Interaction(
            shop=shop,
            customer=customer,
            product=products[(day + number + step) % 8],
            kind="view",
            at=START + timedelta(days=day, hours=1, minutes=5 * step),
        )
        for day in range(days)
        for number, customer in enumerate(own)
        for step in (0, 1)
    )
    return shop


def groups_in(shop: Shop, window: Window) -> dict[str, Groups]:
    return interaction_groups(shop, HashEncoder(), 1, sequences=False, window=window)[0]


@pytest.mark.django_db
def test_a_window_lets_nothing_from_before_or_after_into_the_groups():
    shop = with_customers(days=9)
    window = Window(START + timedelta(days=3), START + timedelta(days=6))
    before = groups_in(shop, window)
    customers = list(Customer.objects.filter(shop=shop).values_list("pk", flat=True))
    assert sum(len(groups.sizes) for groups in before.values()) <= 3 * len(customers)
    for split, groups in before.items():
        assert {split_of(int(customer)) for customer in groups.customers} <= {split}
    Interaction.objects.filter(shop=shop, at__gte=window.end).update(kind="order")
    assert {n: g.digest() for n, g in groups_in(shop, window).items()} == {n: g.digest() for n, g in before.items()}
    Interaction.objects.filter(shop=shop, at__lt=window.start).update(kind="order")
    after = groups_in(shop, window)
    assert {n: g.labels.tolist() for n, g in after.items()} == {n: g.labels.tolist() for n, g in before.items()}
    assert after["train"].digest() != before["train"].digest(), "earlier events fill histories"
    assert all(not len(groups.sizes) for groups in groups_in(shop, Window(NOW, NOW + timedelta(days=1))).values())


@pytest.mark.django_db
def test_a_visit_that_goes_on_when_a_window_ends_is_known_up_to_there_and_not_the_next_ones():
    shop = with_customers(days=4)
    cut = START + timedelta(days=2, hours=1, minutes=2)
    ending = groups_in(shop, Window(START + timedelta(days=2), cut))
    assert all(groups.labels.sum() == len(groups.sizes) for groups in ending.values()), "one of the two products"
    next_days = groups_in(shop, Window(cut, START + timedelta(days=3)))
    assert not any(len(groups.sizes) for groups in next_days.values())


@pytest.mark.django_db
def test_another_shops_interactions_are_not_used():
    shop = with_customers(days=4)
    window = Window(START + timedelta(days=1), NOW)
    before = groups_in(shop, window)
    other = with_customers(days=9)
    Interaction.objects.filter(shop=other).update(kind="order")
    after = groups_in(shop, window)
    assert {name: groups.digest() for name, groups in after.items()} == {n: g.digest() for n, g in before.items()}


@pytest.mark.django_db
def test_an_update_asks_the_database_for_training_customers_first_and_held_out_ones_later(trained, settings, tmp_path):
    settings.RANKER_DIR = tmp_path
    shop = with_customers(days=7, customers=20)
    own = tmp_path / shop.slug
    own.mkdir()
    for file in trained.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    current = BoostedRanker(own)
    window = Window(START + timedelta(days=3), START + timedelta(days=5))
    training = online._training(shop, current, window, HashEncoder())
    held_out = online._held_out(shop, current, window, HashEncoder())
    assert {split_of(int(customer)) for customer in training.customers} == {"train"}
    assert {split_of(int(customer)) for customer in held_out.customers} == {"valid", "test"}
    assert "waiting" in online.update(shop, START + timedelta(days=9), encoder=HashEncoder()).sentence


@pytest.mark.django_db
def test_an_update_learns_from_the_opinions_of_its_days_as_well(trained, settings, monkeypatch):
    settings.RANKER_DIR = trained.parent
    shop = with_customers(days=7)
    window = Window(START + timedelta(days=3), START + timedelta(days=5))
    current, judged = (
        BoostedRanker(trained),
        replace(customers_who_like("likes", 3, groups=2), weights=np.full(40, 3.0)),
    )
    monkeypatch.setattr(
        online, "feedback_groups", lambda of, during: judged if (of, during) == (shop, window) else None
    )
    training = online._training(shop, current, window, HashEncoder())
    own = online._groups(shop, current, window, HashEncoder(), "train")["train"]  # of the same draws
    assert len(training.sizes) == len(own.sizes) + 2
    assert set(training.weights[:-40]) == {1.0} and set(training.weights[-40:]) == {3.0}


@pytest.mark.django_db
def test_one_shops_error_does_not_stop_the_others_but_the_time_limit_does(monkeypatch):
    first, second = ShopFactory(), ShopFactory()
    asked = []

    def update(shop: Shop, now: datetime) -> online.Outcome:
        asked.append(shop)
        if shop == first:
            raise errors[0]
        return online.Outcome(shop.slug, "waiting", "")

    monkeypatch.setattr(online, "update", update)
    errors: list[Exception] = [ValueError("broken")]
    tasks.update_rankers()
    assert asked == [first, second]
    errors[0] = SoftTimeLimitExceeded()
    with pytest.raises(SoftTimeLimitExceeded):
        tasks.update_rankers()
    assert asked == [first, second, first]
