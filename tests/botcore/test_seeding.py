"""A shop full of made-up rows is the same for the same number, and never mixed with people's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from botcore.models import Contact, Conversation, Feedback, InboundEvent, MetricBucket, Outbound, Turn
from botcore.seeding import NotEmptyError, Size, seed
from catalog.models import Customer, Interaction, Shop
from tests.factories import ConversationFactory, ProductFactory, ShopFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def told(shop: Shop) -> list[tuple[object, ...]]:
    turns = Turn.objects.filter(conversation__shop=shop).order_by("pk")
    return list(turns.values_list("conversation__key", "number", "act", "text", "slate", "timings_ms", "answered_at"))


def test_there_is_as_much_of_everything_as_was_asked_for():
    shop = seed("load", Size(60, 900), NOW)
    turns = Turn.objects.filter(conversation__shop=shop)
    assert Conversation.objects.filter(shop=shop).count() == 60
    assert Interaction.objects.filter(shop=shop).count() == 900
    assert turns.count() == InboundEvent.objects.count() == Outbound.objects.count() > 120
    assert Feedback.objects.filter(turn__in=turns).exists()
    assert not turns.filter(answered_at__gt=NOW).exists()
    assert not Interaction.objects.filter(at__gt=NOW).exists()
    assert not Contact.objects.filter(account__active=True).exists()


def test_the_same_number_makes_the_same_shop():
    first = told(seed("one", Size(20, 50), NOW, 4))
    Conversation.objects.all().delete()
    assert told(seed("two", Size(20, 50), NOW, 4)) == first
    assert told(seed("three", Size(20, 50), NOW, 5)) != first


def test_a_shop_s_own_products_are_talked_about():
    product = ProductFactory(shop=ShopFactory(slug="pine"), sku="P-7", title='A "quoted", title\\N')
    shop = seed("pine", Size(5, 20), NOW)
    assert set(Interaction.objects.filter(shop=shop).values_list("product", flat=True)) == {product.pk}
    assert product.title in told(shop)[0][3]


def test_a_shop_that_somebody_has_talked_to_is_left_alone():
    shop = ConversationFactory().shop
    with pytest.raises(NotEmptyError, match=shop.slug):
        seed(shop.slug, Size(5, 20), NOW)
    with pytest.raises(CommandError, match="name another"):
        call_command("seed_load", shop=shop.slug, conversations=5, interactions=20)
    assert (Conversation.objects.count(), Customer.objects.count()) == (1, 0)


def test_rows_made_afterwards_get_ids_of_their_own_and_the_metrics_are_counted():
    call_command("seed_load", shop="load", conversations=10, interactions=50)
    assert ConversationFactory().pk > max(Conversation.objects.filter(shop__slug="load").values_list("pk", flat=True))
    assert MetricBucket.objects.filter(shop__slug="load", width=86_400).exists()


def test_metrics_are_counted_anew_by_command():
    call_command("seed_load", shop="load", conversations=10, interactions=50)
    before = list(
        MetricBucket.objects.order_by("width", "start", "channel", "version").values_list("counts", flat=True)
    )
    call_command("rebuild_metrics", shop="load")
    after = list(MetricBucket.objects.order_by("width", "start", "channel", "version").values_list("counts", flat=True))
    assert before == after
    with pytest.raises(CommandError, match="no shop"):
        call_command("rebuild_metrics", shop="nobody")
