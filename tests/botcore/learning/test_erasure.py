"""Whoever asks to be forgotten is told what has learned from them: models, what was made of these, the ranker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from botcore.customers import forget, person_of
from botcore.learning.erasure import erase, known
from botcore.models import Contact, DatasetRow, Feedback, ModelVersion
from catalog.models import Customer, Interaction, Shop
from tests.factories import (
    ContactFactory,
    ConversationFactory,
    DatasetFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ProductFactory,
    ShopFactory,
    TurnFactory,
)

pytestmark = pytest.mark.django_db

UPDATED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def shop() -> Shop:
    return ShopFactory()


@pytest.fixture
def ann(shop) -> Contact:
    return ContactFactory(account__shop=shop, customer=Customer.objects.create(shop=shop, key="C-1"))


def learned_from(contact: Contact) -> ModelVersion:
    dataset = DatasetFactory(shop=contact.account.shop)
    DatasetRow.objects.create(
        dataset=dataset, place=0, use="sft", part="train", content={}, turn_id=1, contact_id=contact.pk, source="-"
    )
    return ModelVersionFactory(shop=dataset.shop, dataset=dataset)


def test_what_was_made_of_a_model_that_learned_from_somebody_is_named_too(shop, ann):
    taught = learned_from(ann)
    elsewhere = DatasetFactory(shop=shop)
    smaller = ModelVersionFactory(shop=shop, dataset=elsewhere, recipe="compress", parent=taught)
    smallest = ModelVersionFactory(shop=shop, dataset=elsewhere, recipe="compress", parent=smaller)
    ModelVersionFactory(shop=shop, dataset=elsewhere, recipe="sft", parent=taught)  # starts from what ships
    ModelVersionFactory(shop=shop, dataset=elsewhere, recipe="compress")
    assert erase(ann).versions == (smallest, smaller, taught)


@pytest.fixture
def ranker(shop, settings, tmp_path) -> Any:
    """Writes what the shop's own ranker says of itself."""
    settings.RANKER_DIR = tmp_path

    def write(**told: str) -> None:
        (tmp_path / shop.slug).mkdir(exist_ok=True)
        (tmp_path / shop.slug / "meta.json").write_text(json.dumps({"version": "shop-9", **told}))

    return write


def ordered(contact: Contact, at: datetime) -> None:
    shop = contact.account.shop
    Interaction.objects.create(
        shop=shop, customer=contact.customer, product=ProductFactory(shop=shop), kind="order", at=at
    )


def thought(contact: Contact, at: datetime) -> None:
    talk = ConversationFactory(shop=contact.account.shop, contact=contact, closed=True)
    row = FeedbackFactory(turn=TurnFactory(conversation=talk), contact=contact)
    Feedback.objects.filter(pk=row.pk).update(created_at=at)


@pytest.mark.parametrize(("did", "learned"), [(ordered, "updated_until"), (thought, "opinions_until")])
def test_the_ranker_is_named_by_whoever_did_something_before_it_learned(ann, ranker, did, learned):
    both = {"updated_until": UPDATED - timedelta(days=99), "opinions_until": UPDATED - timedelta(days=99)}
    ranker(**{name: at.isoformat() for name, at in (both | {learned: UPDATED}).items()})
    did(ann, UPDATED)
    assert known([ann]).ranker == ""
    did(ann, UPDATED - timedelta(seconds=1))
    assert known([ann]).ranker == "shop-9"


def test_a_ranker_that_does_not_say_may_have_learned_from_all(ann, ranker):
    ranker()
    assert known([ann]).ranker == ""
    ordered(ann, UPDATED)
    assert known([ann]).ranker == "shop-9"


def test_nobody_of_the_shop_is_in_the_ranker_that_ships(ann):
    ann.account.shop.slug = "demo"
    ordered(ann, UPDATED)
    assert known([ann]).ranker == ""


def test_a_person_whose_orders_go_too_is_still_told_of_the_ranker(ann, ranker):
    ranker(updated_until=UPDATED.isoformat())
    ordered(ann, UPDATED - timedelta(days=1))
    assert forget(person_of(ann)).ranker == "shop-9"
    assert not Customer.objects.exists()


def test_the_command_names_the_ranker(ann, ranker, capsys):
    ranker()
    ordered(ann, UPDATED)
    account = ann.account
    call_command("erase_customer", account.shop.slug, account.channel, ann.external_id)
    assert "the shop's ranker (shop-9) may have learned from what they did or thought" in capsys.readouterr().out
