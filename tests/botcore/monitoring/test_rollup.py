"""What happened is counted once, whenever it becomes known, and read back as the numbers people look at."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import quantiles

import pytest
from django.utils import timezone

from botcore.models import AttributedOrder, Feedback, MetricBucket, ModelVersion, Turn
from botcore.monitoring import rollup
from botcore.monitoring.counting import Answered, bin_of, of_reply, quantile
from botcore.monitoring.metrics import METRICS
from catalog.models import Customer, Interaction, Shop
from tests.factories import (
    AccountFactory,
    ConversationFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ProductFactory,
    ShopFactory,
    TurnFactory,
)

NOW = datetime(2026, 11, 20, 12, 30, 40, tzinfo=UTC)
Width = MetricBucket.Width


@pytest.fixture
def shop(db: None) -> Shop:
    return ShopFactory()


def turn(
    shop: Shop, at: datetime, waited: float = 1.0, channel: str = "webchat", version: ModelVersion | None = None, **kept
) -> Turn:
    """A turn answered at a time, after so many seconds."""
    talk = ConversationFactory(shop=shop, contact__account=AccountFactory(shop=shop, channel=channel))
    asked = at - timedelta(seconds=waited)
    row = TurnFactory(conversation=talk, answered_at=at, asked_version=version, **kept)
    Turn.objects.filter(pk=row.pk).update(created_at=asked)
    type(talk).objects.filter(pk=talk.pk).update(created_at=asked)
    return row


def value(shop: Shop, key: str, width: int = Width.DAY, **where: str) -> float | None:
    buckets = rollup.read(shop, width, NOW - timedelta(days=400), NOW + timedelta(days=1), **where)
    return METRICS[key].read(rollup.merged(buckets), 1)


def everything(shop: Shop) -> list[tuple[object, ...]]:
    rows = MetricBucket.objects.filter(shop=shop).order_by("width", "start", "channel", "version")
    return [tuple(row) for row in rows.values_list("width", "start", "channel", "version", "counts")]


@pytest.mark.django_db
def test_minutes_hours_and_days_tell_the_same(shop):
    for minutes in (1, 2, 61, 60 * 25, 60 * 24 * 9, 60 * 24 * 60):
        turn(shop, NOW - timedelta(minutes=minutes))
    rollup.roll(shop, NOW)
    assert value(shop, "replies", Width.HOUR) == value(shop, "replies", Width.DAY) == 6
    assert value(shop, "replies", Width.MINUTE) == 5  # of sixty days ago the minutes are not kept
    assert value(shop, "messages") == value(shop, "conversations") == 6


@pytest.mark.django_db
def test_counting_again_changes_nothing_and_counting_anew_tells_the_same(shop):
    for minutes in range(0, 3_000, 177):
        FeedbackFactory(turn=turn(shop, NOW - timedelta(minutes=minutes)))
    Feedback.objects.update(created_at=NOW, updated_at=NOW)
    rollup.roll(shop, NOW)
    once = everything(shop)
    rollup.roll(shop, NOW + timedelta(seconds=20))
    assert everything(shop) == once
    rollup.rebuild(shop)
    assert everything(shop) == []
    rollup.roll(shop, NOW + timedelta(seconds=20))
    assert everything(shop) == once


@pytest.mark.django_db
def test_what_comes_while_we_count_is_counted_the_next_time(shop):
    rollup.roll(shop, NOW)
    waits = turn(shop, NOW - timedelta(seconds=10), status=Turn.Status.WAITING)
    Turn.objects.filter(pk=waits.pk).update(answered_at=None)
    rollup.roll(shop, NOW)
    assert (value(shop, "messages"), value(shop, "replies")) == (1, 0)
    later = NOW + timedelta(minutes=9)
    Turn.objects.filter(pk=waits.pk).update(status=Turn.Status.ANSWERED, answered_at=later)
    rollup.roll(shop, later + timedelta(seconds=5))
    assert (value(shop, "messages"), value(shop, "replies")) == (1, 1)
    assert value(shop, "answer_p50") == pytest.approx(9 * 60_000 + 11_000, rel=0.05)


@pytest.mark.django_db
def test_a_thumb_on_an_old_reply_that_is_turned_round_is_counted_as_it_is_now(shop):
    old = turn(shop, NOW - timedelta(days=40))
    thumb = FeedbackFactory(turn=old, kind="up")
    Feedback.objects.update(created_at=NOW - timedelta(days=39), updated_at=NOW - timedelta(days=39))
    rollup.roll(shop, NOW)
    assert (value(shop, "thumbs"), value(shop, "thumbs_down")) == (1, 0)
    Feedback.objects.filter(pk=thumb.pk).update(kind="down", updated_at=NOW + timedelta(seconds=3))
    rollup.roll(shop, NOW + timedelta(seconds=20))
    assert (value(shop, "thumbs"), value(shop, "thumbs_down")) == (0, 1)


@pytest.mark.django_db
def test_channels_and_versions_are_told_apart_and_other_shops_are_not_counted(shop):
    version = ModelVersionFactory(shop=shop, name="pine-2")
    turn(shop, NOW, channel="telegram", version=version)
    turn(shop, NOW, channel="telegram")
    turn(shop, NOW)
    turn(ShopFactory(), NOW)
    rollup.roll(shop, NOW + timedelta(seconds=1))
    assert value(shop, "replies") == 3
    assert value(shop, "replies", channel="telegram") == 2
    assert value(shop, "replies", channel="telegram", version="pine-2") == 1
    assert value(shop, "replies", version="shipped") == 2


@pytest.mark.django_db
def test_an_order_belongs_to_the_last_reply_that_showed_the_product_within_a_week(shop):
    product = ProductFactory(shop=shop, sku="P1", variant__price=Decimal("49.00"))
    customer = Customer.objects.create(shop=shop, key="ada")
    first, second = turn(shop, NOW - timedelta(days=3)), turn(shop, NOW - timedelta(days=2), channel="telegram")
    for row in (first, second):
        row.conversation.contact.customer = customer
        row.conversation.contact.save()
    stranger = Customer.objects.create(shop=shop, key="bob")
    of = {"shop": shop, "product": product, "kind": "order"}
    Interaction.objects.create(customer=customer, at=NOW - timedelta(days=2, hours=12), quantity=2, **of)
    Interaction.objects.create(customer=customer, at=NOW - timedelta(days=1), **of)
    Interaction.objects.create(customer=customer, at=NOW - timedelta(hours=1), **of)
    Interaction.objects.create(customer=customer, at=NOW - timedelta(days=4), **of)  # before any reply
    Interaction.objects.create(customer=customer, at=NOW + timedelta(days=6), **of)  # more than a week after
    Interaction.objects.create(customer=stranger, at=NOW, **of)
    Interaction.objects.create(customer=customer, at=NOW, **{**of, "kind": "view"})
    Interaction.objects.create(customer=customer, at=NOW, **{**of, "product": ProductFactory(shop=shop, sku="P9")})
    rollup.roll(shop, NOW)
    kept = AttributedOrder.objects.order_by("at").values_list("turn", "revenue", "first")
    assert list(kept) == [
        (first.pk, Decimal("98.00"), True),
        (second.pk, Decimal("49.00"), True),
        (second.pk, Decimal("49.00"), False),
    ]
    assert (value(shop, "orders"), value(shop, "revenue"), value(shop, "conversion")) == (3, 196, 1.0)
    assert value(shop, "revenue", channel="telegram") == 98


@pytest.mark.django_db
def test_an_order_that_a_feed_brings_late_is_counted_on_its_day(shop):
    product = ProductFactory(shop=shop, sku="P1", variant__price=Decimal("10.00"))
    customer = Customer.objects.create(shop=shop, key="ada")
    talk = turn(shop, NOW - timedelta(days=50)).conversation
    talk.contact.customer = customer
    talk.contact.save()
    rollup.roll(shop, NOW)
    Interaction.objects.create(shop=shop, customer=customer, product=product, kind="order", at=NOW - timedelta(days=49))
    rollup.roll(shop, NOW + timedelta(seconds=20))
    buckets = rollup.read(shop, Width.DAY, NOW - timedelta(days=60), NOW)
    assert [bucket.start.date() for bucket in buckets if bucket.counts.get("orders")] == [
        (NOW - timedelta(days=49)).date()
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [1, 20, 24, 25, 49, 24 * 7])
@pytest.mark.parametrize("ended", [timedelta(0), timedelta(hours=5), timedelta(hours=17, minutes=20)])
def test_the_counts_of_an_interval_are_the_same_read_from_days_as_hour_by_hour(shop, hours, ended):
    for back in range(0, 220, 7):
        turn(shop, NOW - timedelta(hours=back))
    rollup.roll(shop, NOW)
    until = NOW - ended
    since = (until - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    by_the_hour = rollup.merged(rollup.read(shop, Width.HOUR, since, until))
    assert rollup.total(shop, Width.HOUR, rollup.Interval(since, until)) == by_the_hour
    assert by_the_hour.get("replies", 0) >= hours // 8


# --- what is read of counts


def test_quantiles_of_many_buckets_are_those_of_the_rows_within_a_twentieth():
    random.seed(3)
    times = [random.lognormvariate(6.5, 0.9) for _ in range(4_000)]
    counts = rollup.merged(
        rollup.Bucket(NOW, "", "", of_reply(Answered(2, "recommend", "model", "", True, ms, {}, []))) for ms in times
    )
    for share, exact in ((0.5, quantiles(times, n=2)[0]), (0.95, quantiles(times, n=20)[-1])):
        assert quantile(counts, "answer", share) == pytest.approx(exact, rel=0.06)


@pytest.mark.parametrize("ms", [0, 0.2, 1, 17, 420, 61_000, 1e12])
def test_every_duration_has_a_bin(ms):
    assert 0 <= bin_of(ms) <= 150


def test_a_reply_from_a_phrase_is_a_fallback_only_where_the_model_was_asked():
    def fallbacks(written_by: str, error: str) -> float | None:
        counts = of_reply(Answered(1, "recommend", written_by, error, True, 900.0, {}, []))
        return METRICS["fallbacks"].read(counts, 1)

    assert fallbacks("template", "every text was refused") == 1
    assert fallbacks("model", "") == 0
    assert fallbacks("template", "") is None


def test_grounding_and_the_balance_of_asking_are_shares_of_what_was_written_and_done():
    counts = rollup.merged(
        rollup.Bucket(NOW, "", "", of_reply(Answered(1, act, "model", "", shown, 900.0, {"find": 30.0}, verdicts)))
        for act, shown, verdicts in (
            ("ask", False, [True, False]),
            ("recommend", True, [True, True]),
            ("chitchat", False, []),
        )
    )
    assert METRICS["grounded"].read(counts, 1) == 0.75
    assert METRICS["asking"].read(counts, 1) == 0.5
    assert METRICS["find_p50"].read(counts, 1) == pytest.approx(30, rel=0.05)
    assert METRICS["compose_p50"].read(counts, 1) is None


def test_ten_customers_who_wait_a_minute_each_within_five_minutes_are_two_at_any_time():
    counts = rollup.merged(
        rollup.Bucket(NOW, "", "", of_reply(Answered(1, "answer", "article", "", False, 60_000.0, {}, [])))
        for _ in range(10)
    )
    assert METRICS["queue"].read(counts, 5) == pytest.approx(2)


@pytest.mark.django_db
def test_the_queue_is_read_as_it_stands(shop):
    assert (METRICS["waiting"].now(shop), METRICS["oldest"].now(shop)) == (0, 0)
    row = turn(shop, timezone.now(), waited=30, waiting=True)
    turn(ShopFactory(), timezone.now(), waiting=True)
    assert row.status == "waiting"
    assert METRICS["waiting"].now(shop) == 1
    assert METRICS["oldest"].now(shop) >= 30
