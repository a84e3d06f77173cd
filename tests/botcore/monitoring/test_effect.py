"""Nothing is claimed of recommendations that the two groups of a trial do not show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from botcore.models import Conversation, Holdout
from botcore.monitoring.effect import Arm, Effect, compared, measure
from catalog.models import Customer, Interaction
from tests.factories import ContactFactory, ConversationFactory, ProductFactory, ShopFactory

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def arm(people: int, buyers: int, spent: float = 40.0) -> Arm:
    return Arm(people, [spent] * buyers)


def test_a_clear_difference_is_told_with_its_interval():
    found = compared(arm(2_000, 300), arm(500, 40))
    assert found.conversion_difference.value == pytest.approx(0.07)
    assert found.conversion_difference.sign == found.revenue_difference.sign == 1
    assert found.revenue_difference.low < 0.07 * 40 < found.revenue_difference.high


def test_an_interval_that_holds_nought_claims_nothing():
    found = compared(arm(400, 41), arm(120, 11))
    assert found.conversion_difference.low < 0 < found.conversion_difference.high
    assert found.conversion_difference.sign == 0


@pytest.mark.parametrize(
    ("shown", "held"), [((99, 20), (500, 20)), ((500, 20), (99, 9)), ((500, 5), (500, 4)), ((0, 0), (0, 0))]
)
def test_with_too_few_people_or_orders_nothing_is_said(shown, held):
    found = compared(arm(*shown), arm(*held))
    assert (found.conversion_difference, found.revenue_difference) == (None, None)


def test_intervals_of_groups_that_do_not_differ_hold_nought_nineteen_times_in_twenty():
    rng = np.random.default_rng(5)
    shares, revenues = [], []
    for seed in range(200):
        spent = [rng.gamma(2, 20, rng.binomial(people, 0.1)).tolist() for people in (800, 200)]
        found = compared(Arm(800, spent[0]), Arm(200, spent[1]), seed)
        shares.append(found.conversion_difference.sign != 0)
        revenues.append(found.revenue_difference.sign != 0)
    assert np.mean(shares) < 0.1
    assert np.mean(revenues) < 0.1


def test_what_is_kept_is_read_back():
    for found in (compared(arm(2_000, 300), arm(500, 40)), compared(arm(3, 1), arm(1, 0))):
        assert Effect.from_json(found.to_json()) == found


@pytest.mark.django_db
def test_people_count_for_the_group_they_were_drawn_into_and_orders_within_a_week():
    shop = ShopFactory()
    trial = Holdout.objects.create(shop=shop, share=20, started_at=NOW - timedelta(days=30))
    product = ProductFactory(shop=shop, variant__price=Decimal("25.00"))

    def person(key: str, held_out: bool, begun: timedelta, *orders: timedelta, linked: bool = True) -> None:
        customer = Customer.objects.create(shop=shop, key=key)
        contact = ContactFactory(account__shop=shop, customer=customer if linked else None)
        talk = ConversationFactory(shop=shop, contact=contact, trial=trial, held_out=held_out)
        Conversation.objects.filter(pk=talk.pk).update(created_at=NOW - begun)
        for after in orders:
            Interaction.objects.create(
                shop=shop, customer=customer, product=product, kind="order", at=NOW - begun + after, quantity=2
            )

    day = timedelta(days=1)
    person("bought twice", False, 20 * day, day, 2 * day)
    person("bought too late", False, 20 * day, 8 * day)
    person("bought before", True, 20 * day, -day)
    person("bought", True, 20 * day, day)
    person("still has time", False, 3 * day, day)
    person("unknown to the shop", False, 20 * day, day, linked=False)
    found = measure(trial, NOW)
    assert (found.people, found.buyers, found.revenue) == (2, 1, 50.0)
    assert (found.held_out, found.held_out_buyers, found.held_out_revenue) == (2, 1, 25.0)
    trial.refresh_from_db()
    assert Effect.from_json(trial.effect) == found
