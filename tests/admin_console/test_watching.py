"""The overview tells the shop's numbers, what lies behind them, and what can be said of recommendations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from admin_console.watching import PERIODS, SPARK_HEIGHT, spark
from botcore import holdout
from botcore.models import Conversation, Holdout, Turn
from botcore.monitoring import rollup
from botcore.monitoring.effect import Arm, compared
from botcore.monitoring.metrics import METRICS
from botcore.roles import Role
from catalog.models import Shop
from tests.factories import (
    AccountFactory,
    ConversationFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ShopFactory,
    TurnFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
OVERVIEW, BEHIND = "console:overview", "console:behind"


def reply(shop: Shop, waited: float = 1.0, channel: str = "webchat", ago: float = 60, **kept) -> Turn:
    talk = ConversationFactory(shop=shop, contact__account=AccountFactory(shop=shop, channel=channel))
    answered = timezone.now() - timedelta(seconds=ago)
    row = TurnFactory(conversation=talk, answered_at=answered, **kept)
    Turn.objects.filter(pk=row.pk).update(created_at=answered - timedelta(seconds=waited))
    Conversation.objects.filter(pk=talk.pk).update(created_at=answered - timedelta(seconds=waited))
    return row


def tiles(page) -> dict[str, str]:
    return {tile.metric.key: tile.value for _, group in page.context["found"].groups for tile in group}


def test_the_numbers_of_a_shop_and_of_no_other(merchant, shop):
    reply(shop, act="handoff")
    FeedbackFactory(turn=reply(shop, written_by="template", error="every draft was refused"), kind="down")
    reply(ShopFactory())
    rollup.roll(shop, timezone.now())
    shown = tiles(merchant.get(reverse(OVERVIEW)))
    assert (shown["replies"], shown["handoffs"], shown["fallbacks"], shown["thumbs_down"]) == (
        "2", "50.0 %", "50.0 %", "100.0 %",
    )  # fmt: skip
    assert merchant.get(reverse(OVERVIEW), {"shop": ShopFactory().slug}).status_code == 404


def test_channel_version_and_period_are_in_the_address(merchant, shop):
    version = ModelVersionFactory(shop=shop, name="pine-2")
    reply(shop, channel="telegram", asked_version=version)
    reply(shop, channel="telegram")
    reply(shop, ago=3 * 86_400)
    rollup.roll(shop, timezone.now())

    def replies(**asked: str) -> str:
        return tiles(merchant.get(reverse(OVERVIEW), asked))["replies"]

    assert (replies(), replies(period="7d"), replies(period="1h")) == ("2", "3", "2")
    assert replies(channel="telegram", period="7d") == "2"
    assert replies(version="pine-2") == "1"
    assert replies(version="shipped", period="7d") == "2"


@pytest.mark.parametrize(
    "nonsense", [{"period": "99y"}, {"metric": "'; drop"}, {"split": "x"}, {"channel": "<b>" * 90}]
)
def test_an_address_that_nobody_offers_shows_what_is_usual(merchant, shop, nonsense):
    reply(shop)
    rollup.roll(shop, timezone.now())
    page = merchant.get(reverse(OVERVIEW), nonsense)
    assert page.status_code == 200
    assert "<b><b>" not in page.content.decode()


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("split", ["", "channel", "version"])
def test_a_chart_is_a_table_that_can_be_read(merchant, shop, period, split):
    reply(shop)
    rollup.roll(shop, timezone.now())
    chart = merchant.get(reverse(OVERVIEW), {"period": period, "split": split}).context["found"].chart
    assert len(chart.rows) == PERIODS[period].length // PERIODS[period].step
    assert sum(value or 0 for _, cells in chart.rows for value, _ in cells) == 1


def test_a_shop_without_conversations_is_told_what_to_expect(merchant):
    assert "Nothing is counted yet" in merchant.get(reverse(OVERVIEW)).content.decode()


@pytest.mark.parametrize("metric", [key for key, metric in METRICS.items() if metric.behind])
def test_every_number_leads_to_the_replies_behind_it(merchant, shop, metric):
    row = reply(
        shop, timings_ms=dict.fromkeys(("understand", "decide", "find", "ask", "plan", "compose", "total"), 40.0)
    )
    rollup.roll(shop, timezone.now())
    page = merchant.get(reverse(BEHIND), {"metric": metric})
    assert page.status_code == 200
    assert set(page.context["turns"]) <= {row}


def test_the_slowest_replies_and_those_that_failed_are_found(merchant, shop):
    for _ in range(30):
        reply(shop, waited=1)
    slow = reply(shop, waited=9)
    failed = reply(shop, written_by="template", error="writing failed", text="why so slow?")
    rollup.roll(shop, timezone.now())

    def found(metric: str) -> list[Turn]:
        return list(merchant.get(reverse(BEHIND), {"metric": metric}).context["turns"])

    assert slow in found("answer_p95")
    assert found("errors") == found("fallbacks") == [failed]
    assert "why so slow?" in merchant.get(reverse(BEHIND), {"metric": "errors"}).content.decode()


def test_older_replies_are_on_the_next_page(merchant, shop):
    for _ in range(27):
        reply(shop)
    first = merchant.get(reverse(BEHIND), {"metric": "replies"})
    second = merchant.get(reverse(BEHIND), {"metric": "replies", "page": 2})
    assert (len(first.context["turns"]), first.context["more"]) == (25, True)
    assert (len(second.context["turns"]), second.context["more"]) == (2, False)
    assert merchant.get(reverse(BEHIND), {"page": "-3"}).context["number"] == 1


@pytest.mark.parametrize("address", [reverse(OVERVIEW), reverse(BEHIND)])
def test_a_page_asks_the_database_as_often_however_much_there_is(
    merchant, shop, address, django_assert_max_num_queries
):
    for _ in range(3):
        reply(shop)
    rollup.roll(shop, timezone.now())
    with django_assert_max_num_queries(24):
        merchant.get(address)
    for place in range(40):
        reply(shop, channel=("webchat", "telegram", "line")[place % 3], ago=60 * place)
    rollup.roll(shop, timezone.now())
    with django_assert_max_num_queries(24):
        merchant.get(address)


# --- the holdout


def by(shop: Shop, role: Role) -> Client:
    browser = Client()
    user = UserFactory(shops=[shop], shops__role=role)
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def test_an_owner_holds_people_out_and_a_merchant_may_not(shop):
    asked = {"shop": shop.slug, "share": 10}
    assert by(shop, Role.MERCHANT).post(reverse("console:set_holdout"), asked).status_code == 403
    assert holdout.open_trial(shop) is None
    by(shop, Role.OWNER).post(reverse("console:set_holdout"), asked)
    assert holdout.open_trial(shop).share == 10
    by(shop, Role.OWNER).post(reverse("console:set_holdout"), {**asked, "share": 51})
    assert holdout.open_trial(shop).share == 10
    assert by(ShopFactory(), Role.OWNER).post(reverse("console:set_holdout"), asked).status_code == 404


def words(merchant: Client, shop: Shop, shown: Arm, held_out: Arm) -> str:
    Holdout.objects.all().delete()
    Holdout.objects.create(shop=shop, share=20, effect=compared(shown, held_out).to_json())
    return " ".join(merchant.get(reverse(OVERVIEW)).context["trial"].sentences)


def test_nothing_is_claimed_before_there_is_enough_or_where_it_may_be_chance(merchant, shop):
    assert "Not enough yet" in words(merchant, shop, Arm(60, [9.0] * 20), Arm(20, [9.0]))
    assert "can be told from chance" in words(merchant, shop, Arm(800, [9.0] * 80), Arm(200, [9.0] * 18))
    assert "more people order" in words(merchant, shop, Arm(2_000, [9.0] * 300), Arm(500, [9.0] * 40))
    assert "fewer people order" in words(merchant, shop, Arm(2_000, [9.0] * 100), Arm(500, [9.0] * 80))


# --- small charts


def test_a_gap_breaks_the_line_and_nought_draws_none():
    assert len(spark([1.0, 2.0, None, 3.0, 1.0])) == 2
    assert spark([0.0, 0.0]) == spark([None, None]) == spark([]) == ()
    ((*_, last),) = (line.split() for line in spark([1.0, 4.0]))
    assert 0 <= float(last.split(",")[1]) <= SPARK_HEIGHT
