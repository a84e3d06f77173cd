"""The sequence model's score on its way to the ranking: for known customers, from the shop's own model, never in the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from botcore.dialogue.find import Visit, find
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.state import DialogueState
from catalog.models import Customer, Interaction
from tests.factories import CategoryFactory, ProductFactory, ShopFactory
from tests.fakes import HashEncoder
from workers.habits import ShopSequences, history_of
from workers.training.sequence import Recipe, train_shop

pytestmark = pytest.mark.django_db

RECIPE = Recipe(width=16, inner=16, epochs=15, patience=15, refit=True, forgotten=0.0, dropout=0.1, batch=16)


@pytest.fixture(scope="module")
def cycle() -> list[str]:
    """What everybody takes, one after the other."""
    return [f"B{number}" for number in range(8)]


@pytest.fixture
def shop(cycle):
    """A shop of books whose customers read on from wherever they begin."""
    shop = ShopFactory(slug="pages")
    category = CategoryFactory(shop=shop, path="books", name="Books")
    books = [
        ProductFactory(shop=shop, category=category, sku=sku, title=f"Volume {sku}", attributes={}) for sku in cycle
    ]
    now = timezone.now()
    rows = []
    for number in range(48):
        customer = Customer.objects.create(shop=shop, key=f"c{number}")
        for step in range(5):
            at = now - timedelta(days=20 - step)
            rows.append(
                Interaction(shop=shop, customer=customer, product=books[(number + step) % 8], kind="order", at=at)
            )
    Interaction.objects.bulk_create(rows)
    return shop


def scores(shop, models, customer) -> dict[str, float]:
    products = list(shop.products.select_related("category"))
    by_id = {product.pk: product.sku for product in products}
    return {by_id[pk]: score for pk, score in ShopSequences(models).scores(customer.pk, products).items()}


def test_what_follows_what_a_customer_took_scores_best_and_moves_the_ranking(shop, cycle, tmp_path):
    train_shop("pages", tmp_path, RECIPE)
    reader = Customer.objects.get(shop=shop, key="c0")
    found = scores(shop, tmp_path, reader)
    assert max((sku for sku in cycle if sku not in history_of(reader.pk)), key=found.get) == "B5"

    def first(customer_id):
        visit = Visit("books", customer_id, sequence=ShopSequences(tmp_path))
        return find(shop, DialogueState(goal="books"), lexicon_of(shop), HashEncoder(), visit=visit)

    known = {c.product.sku: c.features["sequence"] for c in first(reader.pk).candidates}
    assert known == pytest.approx(found, abs=1e-3)
    assert {c.features["sequence"] for c in first(None).candidates} == {0}


def test_without_history_or_model_there_is_no_score(shop, tmp_path):
    stranger = Customer.objects.create(shop=shop, key="new")
    assert scores(shop, tmp_path, Customer.objects.get(shop=shop, key="c0")) == {}
    train_shop("pages", tmp_path, RECIPE)
    assert scores(shop, tmp_path, stranger) == {}


def test_a_damaged_model_is_logged_and_has_no_say(shop, tmp_path, caplog):
    folder = tmp_path / "sequence-pages"
    folder.mkdir()
    (folder / "meta.json").write_text("{}")
    (folder / "catalogue.json").write_text("{}")
    assert scores(shop, tmp_path, Customer.objects.get(shop=shop, key="c0")) == {}
    assert "cannot be used" in caplog.text


def test_history_is_in_the_order_of_first_sight_without_reviews(shop):
    customer = Customer.objects.create(shop=shop, key="anna")
    now = timezone.now()
    for minutes, sku, kind in ((9, "B2", "view"), (8, "B1", "view"), (7, "B2", "order"), (1, "B7", "review")):
        product = shop.products.get(sku=sku)
        Interaction.objects.create(
            shop=shop, customer=customer, product=product, kind=kind, at=now - timedelta(minutes=minutes)
        )
    assert history_of(customer.pk) == ["B2", "B1"]
