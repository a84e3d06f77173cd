"""What changed in a shop's conversations is told to its merchant, and only that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from botcore.dialogue.state import DialogueState
from botcore.models import ChannelAccount, Contact, Conversation, Turn
from botcore.monitoring import drift
from botcore.monitoring.drift import (
    Choice,
    Click,
    Interval,
    PriceBuckets,
    Shown,
    attributed,
    categories,
    click_drift,
    clicks,
    drifts,
    intents,
    price_buckets,
    prices,
    turning_point,
)
from catalog.models import Customer, Interaction, Shop
from tests.factories import (
    AccountFactory,
    CategoryFactory,
    ContactFactory,
    ConversationFactory,
    ProductFactory,
    ShopFactory,
    TurnFactory,
)

NOW = timezone.now()
WEEK = Interval(NOW - timedelta(days=7), NOW)


@pytest.fixture
def shop(db) -> Shop:
    return ShopFactory()


@pytest.fixture
def account(shop) -> ChannelAccount:
    return AccountFactory(shop=shop)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def strangers(account: ChannelAccount, number: int) -> list[Conversation]:
    """One conversation each of so many new contacts."""
    contacts = Contact.objects.bulk_create(ContactFactory.build(account=account) for _ in range(number))
    return Conversation.objects.bulk_create(
        ConversationFactory.build(shop=account.shop, contact=contact) for contact in contacts
    )


def said(conversation: Conversation, days_ago: float, intent: str = "find", number: int = 1, **fields: Any) -> Turn:
    """A turn, not stored yet."""
    turn = TurnFactory.build(
        conversation=conversation,
        number=number,
        understanding=fields.pop("understanding", {"intent": intent}),
        **fields,
    )
    turn.written = ago(days_ago)
    return turn


def store(turns: Sequence[Turn]) -> None:
    stored = Turn.objects.bulk_create(turns)
    for turn in stored:
        turn.created_at = turn.written
    Turn.objects.bulk_update(stored, ["created_at"])


def slate(*skus: str, price: str = "49.00") -> list[dict[str, Any]]:
    return [{"letter": "A", "sku": sku, "price": price, "propensity": 1.0} for sku in skus]


def state(**known: Any) -> dict[str, Any]:
    return DialogueState(**known).to_json()


def weeks(account: ChannelAccount, before: Sequence[dict[str, Any]], recent: Sequence[dict[str, Any]]) -> None:
    """One turn of a new contact for each of the fields, spread over the reference and the last week."""
    people = iter(strangers(account, len(before) + len(recent)))
    early = [said(next(people), 35 - 28 * (i + 0.5) / len(before), **fields) for i, fields in enumerate(before)]
    late = [said(next(people), 7 - 7 * (i + 0.5) / len(recent), **fields) for i, fields in enumerate(recent)]
    store([*early, *late])


def asking(refunds: int, messages: int) -> list[dict[str, Any]]:
    return [{"intent": "refund" if i < refunds else "find"} for i in range(messages)]


class TestWhatIsCounted:
    def test_intents_by_contact(self, shop, account):
        talkative, brief = strangers(account, 2)
        store(
            [
                said(talkative, 3, "find"),
                said(talkative, 2, "find", number=2),
                said(talkative, 1, "policy", number=3),
                said(brief, 1, "policy"),
            ]
        )
        tally = intents(shop, WEEK)
        assert tally.counts == {"find": 2, "policy": 2}
        assert sorted(map(dict, tally.customers), key=len) == [{"policy": 1}, {"find": 2, "policy": 1}]

    def test_neither_what_is_unread_nor_what_is_unanswered_nor_what_lies_outside(self, shop, account):
        turns = [
            said(talk, days, **fields)
            for talk, (days, fields) in zip(
                strangers(account, 5),
                [
                    (1, {"intent": "find"}),
                    (1, {"understanding": {}}),
                    (1, {"status": Turn.Status.SILENT}),
                    (7.01, {}),
                    (-0.01, {}),
                ],
                strict=True,
            )
        ]
        store(turns)
        assert intents(shop, WEEK).counts == {"find": 1}

    def test_an_interval_holds_its_beginning_and_not_its_end(self, shop, account):
        first, last = strangers(account, 2)
        store([said(first, 7, "find"), said(last, 0, "policy")])
        assert intents(shop, WEEK).counts == {"find": 1}

    def test_a_category_once_each_time_a_conversation_turns_to_it(self, shop, account):
        (talk,) = strangers(account, 1)
        goals = ["", "jackets", "jackets", "shoes", "shoes", "jackets", ""]
        store(
            [
                said(talk, 2 - n / 10, number=n, state_before=state(goal=earlier), state_after=state(goal=goal))
                for n, (earlier, goal) in enumerate(pairwise(goals), start=1)
            ]
        )
        assert categories(shop, WEEK).counts == {"jackets": 2, "shoes": 1}

    def test_the_first_goal_of_a_conversation_that_had_no_state(self, shop, account):
        (talk,) = strangers(account, 1)
        store([said(talk, 1, state_before={}, state_after=state(goal="jackets"))])
        assert categories(shop, WEEK).counts == {"jackets": 1}

    def test_prices_in_the_quantiles_of_the_reference(self, shop, account):
        one, other = strangers(account, 2)
        store(
            [
                *(said(one, 20, number=n, slate=slate("P", price=f"{10 * n}.00")) for n in range(1, 11)),
                said(
                    other, 1, slate=[*slate("P", price="$9.99"), *slate("P", price="29.99"), *slate("P", price="300")]
                ),
                said(
                    other, 1, number=2, slate=[*slate("P", price="$1,200.50"), *slate("P", price="100"), {"sku": "?"}]
                ),
            ]
        )
        buckets = price_buckets(shop, Interval(ago(35), ago(7)))
        assert buckets == PriceBuckets(tuple(map(Decimal, (10, 30, 50, 70, 90))), Decimal(100), "USD")
        assert prices(shop, WEEK, buckets).counts == {
            "under $10": 1,
            "$10 to under $30": 1,
            "over $100": 2,
            "$90 to $100": 1,
        }

    def test_no_price_buckets_where_nothing_was_shown(self, shop):
        assert price_buckets(shop, WEEK) is None

    def test_another_shop_s_turns_do_not_count(self, shop):
        (talk,) = strangers(AccountFactory(shop=ShopFactory()), 1)
        store([said(talk, 1, slate=slate("P1"))])
        buckets = PriceBuckets((Decimal(1),), Decimal(100), "USD")
        assert not intents(shop, WEEK).counts
        assert not categories(shop, WEEK).counts
        assert not prices(shop, WEEK, buckets).counts
        assert clicks(shop, WEEK) == []


class TestClicks:
    def test_a_reply_whose_product_a_later_message_likes_was_clicked(self, shop, account):
        (talk,) = strangers(account, 1)
        liking = {"state_before": state(), "state_after": state(liked=("P2",))}
        store(
            [
                said(talk, 3, slate=slate("P1", "P2"), state_after=state()),
                said(talk, 2.9, number=2, slate=slate("P3"), state_after=state()),
                said(talk, 2.8, number=3, slate=[{"sku": "P2", "price": "49.00"}], **liking),
                said(talk, 2.7, number=4, slate=slate("P4"), state_before=state(liked=("P2",)), state_after=state(liked=("P2",))),
            ]
        )  # fmt: skip
        assert clicks(shop, WEEK) == [Click(ago(3), True), Click(ago(2.9), False), Click(ago(2.7), False)]

    def test_a_known_customer_s_view_or_order_in_the_shop_is_a_click(self, shop, account):
        customer = Customer.objects.create(shop=shop)
        known, stranger = strangers(account, 2)
        Contact.objects.filter(pk=known.contact_id).update(customer=customer)
        for sku in ("P1", "P2", "P3"):
            ProductFactory(shop=shop, sku=sku)
        store(
            [
                said(talk, days, number=number, slate=slate(sku))
                for talk, days, number, sku in [
                    (known, 5, 1, "P1"),
                    (stranger, 4.9, 1, "P1"),
                    (known, 4.8, 2, "P2"),
                    (known, 4.7, 3, "P3"),
                ]
            ]
        )
        for sku, kind, at in [("P1", "view", 4.6), ("P2", "review", 4.6), ("P3", "order", 3.6)]:
            product = shop.products.get(sku=sku)
            Interaction.objects.create(shop=shop, customer=customer, product=product, kind=kind, at=ago(at))
        assert [click.chosen for click in clicks(shop, WEEK)] == [True, False, False, False]

    def test_replies_that_are_too_young_to_judge_are_left_out(self, shop, account):
        old, young = strangers(account, 2)
        store([said(old, 1.01, slate=slate("P1")), said(young, 0.99, slate=slate("P1"))])
        assert [click.at for click in clicks(shop, WEEK)] == [ago(1.01)]

    def test_a_choice_belongs_to_the_last_reply_before_it_that_showed_the_product(self):
        shown = [Shown(1, ago(days), frozenset({"P1"})) for days in (6, 5.9, 5.7)]
        found = attributed(shown, [Choice(1, ago(5.8), "P1")], NOW)
        assert [click.chosen for click in found] == [False, True, False]

    @pytest.mark.parametrize(
        "choice",
        [
            Choice(2, ago(5.9), "P1"),
            Choice(1, ago(5.9), "P2"),
            Choice(1, ago(6), "P1"),
            Choice(1, ago(6.1), "P1"),
            Choice(1, ago(4.99), "P1"),
        ],
        ids=["another contact", "another product", "at once", "before", "too late"],
    )
    def test_what_is_no_click(self, choice):
        assert [c.chosen for c in attributed([Shown(1, ago(6), frozenset({"P1"}))], [choice], NOW)] == [False]

    def test_the_last_moment_of_patience_is_a_click(self):
        found = attributed([Shown(1, ago(6), frozenset({"P1"}))], [Choice(1, ago(5), "P1")], NOW)
        assert [click.chosen for click in found] == [True]


def clicked(chances: Sequence[float], seed: int = 1) -> list[Click]:
    """A stream over 35 days with the chance of a click of each reply."""
    draws = np.random.default_rng(seed).random(len(chances))
    return [
        Click(ago(35 - 35 * i / len(chances)), bool(draw < chance))
        for i, (draw, chance) in enumerate(zip(draws, chances, strict=True))
    ]


class TestClickDrift:
    def test_fewer_clicks_in_the_last_week_are_told(self):
        found = click_drift(clicked([0.3] * 2000 + [0.1] * 500), ago(7))
        assert found is not None
        assert (found.what, found.measure) == ("clicks", "ADWIN")
        assert found.value > found.threshold > 0
        assert found.value == pytest.approx(0.2, abs=0.05)
        assert abs(found.since - ago(7)) < timedelta(days=1)
        assert found.sentence.startswith("Customers choose products less often: after ")

    def test_what_changed_before_does_not_blur_what_it_was(self):
        found = click_drift(clicked([0.8] * 1000 + [0.3] * 1000 + [0.1] * 500), ago(7))
        assert found is not None
        assert found.value == pytest.approx(0.2, abs=0.05)

    def test_the_turning_point_is_where_the_mean_changes(self):
        assert turning_point([0, 1, 0, 1, 0, 1, 1, 1, 1, 1]) == 5
        assert turning_point([1, 1, 0]) == 2
        assert turning_point([0, 1]) == 1

    def test_more_clicks_are_told_as_more(self):
        found = click_drift(clicked([0.1] * 2000 + [0.3] * 500), ago(7))
        assert found is not None
        assert "more often" in found.sentence

    def test_a_change_of_weeks_ago_is_no_news(self):
        assert click_drift(clicked([0.3] * 1000 + [0.1] * 1500), ago(7)) is None

    def test_a_steady_stream_is_nothing_to_tell(self):
        assert not any(click_drift(clicked([0.2] * 2500, seed), ago(7)) for seed in range(20))

    def test_nor_is_an_empty_one(self):
        assert click_drift([], ago(7)) is None


class TestDrifts:
    def test_what_customers_ask_for_has_changed(self, shop, account):
        weeks(account, asking(32, 400), asking(37, 120))
        (found,) = drifts(shop, NOW)
        assert found.sentence == 'What customers ask for has changed: "refund" is now 31 % of messages, it was 8 %.'
        assert (found.what, found.measure, found.since) == ("intents", "PSI", ago(7))
        assert found.value == pytest.approx(0.37, abs=0.02)
        assert found.threshold == 0.25

    def test_the_sentence_names_no_heap_of_rare_intents(self, shop, account):
        rare = [{"intent": f"rare-{i}"} for i in range(60)]
        weeks(account, asking(0, 400), [*asking(0, 60), *rare])
        (found,) = drifts(shop, NOW)
        assert '"find" is now 50 % of messages, it was 100 %.' in found.sentence

    def test_the_same_customers_are_nothing_to_tell(self, shop, account):
        weeks(account, asking(32, 400), asking(14, 120))
        assert drifts(shop, NOW) == []

    def test_the_category_is_told_by_its_name(self, shop, account):
        CategoryFactory(shop=shop, path="outdoor/tents", name="Tents")
        CategoryFactory(path="outdoor/tents", name="Another shop's tents")
        tents = {"state_after": state(goal="outdoor/tents")}
        weeks(account, [{}] * 130, [tents] * 60 + [{}] * 60)
        (found,) = drifts(shop, NOW)
        assert found.what == "categories"
        assert found.sentence == (
            'The categories that customers look for have changed: "Tents" is now 50 % of searches, it was 0 %.'
        )

    def test_dearer_products_than_any_before_are_noticed(self, shop, account):
        weeks(account, [{"slate": slate("P")}] * 130, [{"slate": slate("P", price="99")}] * 120)
        (found,) = drifts(shop, NOW)
        assert found.what == "prices"
        assert '"over $49" is now 100 % of products, it was 0 %.' in found.sentence

    def test_cheaper_products_than_any_before_are_noticed(self, shop, account):
        weeks(account, [{"slate": slate("P")}] * 130, [{"slate": slate("P", price="19")}] * 120)
        assert [found.what for found in drifts(shop, NOW)] == ["prices"]

    def test_customers_who_no_longer_choose_are_noticed(self, shop, account):
        talks = strangers(account, 700)
        likes = np.random.default_rng(2).random(700) < np.where(np.arange(700) < 500, 0.5, 0.02)
        turns = []
        for i, (talk, likes_it) in enumerate(zip(talks, likes, strict=True)):
            days = 35 - 34 * i / 700
            turns.append(said(talk, days, slate=slate("P1"), state_after=state(goal="jackets")))
            after = state(goal="jackets", liked=("P1",) if likes_it else ())
            turns.append(
                said(talk, days - 0.01, number=2, slate=[], state_before=state(goal="jackets"), state_after=after)
            )
        store(turns)
        (found,) = drifts(shop, NOW)
        assert found.what == "clicks"
        assert "less often" in found.sentence
        assert abs(found.since - ago(35 - 34 * 500 / 700)) < timedelta(days=2)

    @pytest.mark.parametrize(("before", "recent", "told"), [(100, 100, 1), (99, 100, 0), (100, 99, 0)])
    def test_a_hundred_turns_are_needed_on_each_side(self, shop, account, before, recent, told):
        weeks(account, asking(0, before), asking(recent, recent))
        assert len(drifts(shop, NOW)) == told

    def test_another_shop_s_shift_is_its_own(self, shop, account):
        other = AccountFactory(shop=ShopFactory())
        weeks(account, asking(32, 400), asking(14, 120))
        weeks(other, asking(32, 400), asking(100, 120))
        assert drifts(shop, NOW) == []
        assert [found.what for found in drifts(other.shop, NOW)] == ["intents"]

    def test_one_customer_who_writes_all_week_is_no_shift(self, shop, account):
        weeks(account, asking(32, 400), asking(8, 100))
        (talk,) = strangers(account, 1)
        store([said(talk, 3 + n / 100, "refund", number=n + 1, slate=[]) for n in range(60)])
        assert [found.what for found in drifts(shop, NOW) if found.what == "intents"] == []

    def test_a_quiet_shop_costs_two_counts(self, shop, django_assert_num_queries):
        with django_assert_num_queries(2):
            assert drifts(shop, NOW) == []

    def test_the_names_that_callers_import_are_here(self):
        assert all(hasattr(drift, name) for name in drift.__all__)
