"""Who is answered by whom, and when a version is taken back without anybody asking."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from botcore.learning.rollout import Health, Thresholds, beside, complaint, in_canary, served, watch
from botcore.learning.versions import move
from botcore.models import Contact, Conversation, ModelVersion, Turn
from catalog.models import Shop
from tests.factories import (
    ConversationFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ShopFactory,
    TurnFactory,
    measured,
)

FINE = Health(100, 40, 0.0, 0.02, 900.0, 0.05)


def test_a_conversation_stays_on_its_side_while_the_share_grows():
    keys = [uuid.UUID(int=n) for n in range(4_000)]
    ten, thirty = ({key for key in keys if in_canary(key, share, 1)} for share in (10, 30))
    assert ten < thirty
    assert 330 < len(ten) < 470
    assert 1_080 < len(thirty) < 1_320


def test_every_canary_draws_other_conversations():
    keys = [uuid.UUID(int=n) for n in range(2_000)]
    first, second = ({key for key in keys if in_canary(key, 10, salt)} for salt in (1, 2))
    assert len(first & second) < len(first) / 2


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (FINE, ""),
        (replace(FINE, errors=0.06), "errors"),
        (replace(FINE, fallbacks=0.13), "fallbacks"),
        (replace(FINE, p95_ms=3_500), "replies take"),
        (replace(FINE, p95_ms=2_900), ""),
        (replace(FINE, thumbs_down=0.16), "thumbs down"),
        (replace(FINE, customers=19, thumbs_down=0.9), ""),
        (Health(29, 29, 1.0, 1.0, 9_000, 1.0), ""),
    ],
)
def test_what_a_version_may_cost(own, told):
    reason = complaint(own, FINE, Thresholds())
    assert reason.startswith(told) and bool(reason) == bool(told)


def test_of_thumbs_nothing_is_said_without_others_to_compare_with():
    disliked, nobody = replace(FINE, thumbs_down=0.5), Health(0, 0, 0, 0, 0, 0)
    assert complaint(disliked, nobody, Thresholds()) == ""
    assert complaint(disliked, replace(FINE, customers=19), Thresholds()) == ""
    assert complaint(replace(disliked, errors=0.06), nobody, Thresholds()).startswith("errors")


def test_a_slow_machine_is_no_reason():
    slow = replace(FINE, p95_ms=3_900)
    assert complaint(slow, replace(FINE, p95_ms=3_500), Thresholds()) == ""


@pytest.fixture
def shop() -> Shop:
    return ShopFactory()


def version_in(shop: Shop, state: str, share: int = 50) -> ModelVersion:
    return move(measured(ModelVersionFactory(shop=shop)), state, share=share)


def replies(shop: Shop, version: ModelVersion | None, count: int = 30, **fields: object) -> list[Turn]:
    return replies_in(ConversationFactory(shop=shop), version, count, **fields)


def replies_in(talk: Conversation, version: ModelVersion | None, count: int, **fields: object) -> list[Turn]:
    made = {"timings_ms": {"total": 800.0}, "error": "", **fields}
    return TurnFactory.create_batch(count, conversation=talk, asked_version=version, **made)


def talks(shop: Shop, count: int) -> list[Conversation]:
    """Conversations, each of a customer of its own."""
    return ConversationFactory.create_batch(count, shop=shop)


@pytest.mark.django_db
def test_without_versions_the_shipped_adapter_writes(shop):
    assert served(ConversationFactory(shop=shop)) == served(ConversationFactory())
    assert served(ConversationFactory(shop=shop)).writes is None


@pytest.mark.django_db
def test_live_canary_and_shadow_each_have_their_place(shop, django_assert_num_queries):
    live, canary, shadow = (version_in(shop, state) for state in ("live", "canary", "shadow"))
    sides = set()
    for _ in range(40):
        conversation = ConversationFactory(shop=shop)
        with django_assert_num_queries(1):
            found = served(conversation)
        assert found == served(conversation)
        assert found.shadow == shadow
        sides.add(found.writes)
    assert sides == {live, canary}


@pytest.mark.django_db
def test_another_shops_versions_never_answer(shop):
    version_in(ShopFactory(), "live")
    assert served(ConversationFactory(shop=shop)).writes is None


@pytest.mark.django_db
def test_a_slow_canary_is_rolled_back(shop):
    version_in(shop, "live")
    canary = version_in(shop, "canary")
    replies(shop, None)
    replies(shop, canary, timings_ms={"total": 6_000.0})
    assert "replies take 6000 ms" in watch(shop, timezone.now())
    canary.refresh_from_db()
    assert canary.state == "retired"
    assert canary.changes.first().reason.startswith("replies take")


@pytest.mark.django_db
def test_a_canary_whose_replies_must_come_from_phrases_is_rolled_back(shop):
    canary = version_in(shop, "canary")
    replies(shop, None)
    replies(shop, canary, 20)
    replies(shop, canary, 12, written_by="template", error="every sample was refused")
    assert "fallbacks in 38%" in watch(shop, timezone.now())


@pytest.mark.django_db
def test_a_canary_that_many_customers_dislike_is_rolled_back(shop):
    canary = version_in(shop, "canary")
    for version in (None, canary):
        for talk in talks(shop, 20):
            replies_in(talk, version, 2)
    for contact in Contact.objects.filter(conversations__turns__asked_version=canary).distinct()[:4]:
        FeedbackFactory(turn=Turn.objects.filter(conversation__contact=contact).first(), kind="down")
    assert watch(shop, timezone.now()) == "thumbs down from 20% of 20 customers, 0% before"
    canary.refresh_from_db()
    assert canary.state == "retired"


@pytest.mark.django_db
def test_fifty_thumbs_down_of_one_customer_move_nothing(shop):
    canary = version_in(shop, "canary")
    hostile, *others = talks(shop, 20)
    for version, those in ((None, talks(shop, 20)), (canary, others)):
        for talk in those:
            replies_in(talk, version, 2)
    for turn in replies_in(hostile, canary, 50):
        FeedbackFactory(turn=turn, kind="down")
    again = ConversationFactory(shop=shop, contact=hostile.contact, closed=True)
    FeedbackFactory(turn=replies_in(again, canary, 1)[0], kind="down")
    assert watch(shop, timezone.now()) == ""
    own = beside(canary).own
    assert (own.replies, own.customers, own.thumbs_down) == (89, 20, 0.05)


@pytest.mark.django_db
def test_a_healthy_canary_stays(shop):
    canary = version_in(shop, "canary")
    replies(shop, None)
    replies(shop, canary)
    assert watch(shop, timezone.now()) == ""
    canary.refresh_from_db()
    assert canary.state == "canary"


@pytest.mark.django_db
def test_a_young_live_version_is_watched_beside_a_canary(shop):
    first = version_in(shop, "live")
    replies(shop, first, answered_at=timezone.now() - timedelta(hours=1))
    second = version_in(shop, "live")
    canary = version_in(shop, "canary")
    replies(shop, second, timings_ms={"total": 6_000.0})
    assert "replies take" in watch(shop, timezone.now())
    for version, state in ((first, "live"), (second, "retired"), (canary, "canary")):
        version.refresh_from_db()
        assert version.state == state


@pytest.mark.django_db
def test_phrases_that_no_model_was_asked_for_say_nothing_of_it(shop):
    canary = version_in(shop, "canary")
    replies(shop, canary, written_by="template", timings_ms={"total": 9_000.0})
    assert watch(shop, timezone.now()) == ""


@pytest.mark.django_db
def test_a_young_live_version_is_compared_with_what_it_replaced(shop):
    first = version_in(shop, "live")
    replies(shop, first, answered_at=timezone.now() - timedelta(hours=1))
    second = version_in(shop, "live")
    replies(shop, second, timings_ms={"total": 6_000.0})
    assert watch(shop, timezone.now() + timedelta(hours=25)) == ""
    assert "replies take" in watch(shop, timezone.now())
    first.refresh_from_db()
    assert first.state == "live"


@pytest.mark.django_db
def test_what_is_about_a_department_is_written_by_its_own_version(shop):
    shops, own = version_in(shop, "live"), move(measured(ModelVersionFactory(shop=shop, department="books")), "live")
    talk = ConversationFactory(shop=shop)
    assert [served(talk, department).writes for department in ("", "clothing", "books")] == [shops, shops, own]
    canary = version_in(shop, "canary", share=99)
    in_it = next(talk for talk in talks(shop, 20) if in_canary(talk.key, 99, canary.pk))
    assert [served(in_it, department).writes for department in ("", "books")] == [canary, own]


@pytest.mark.django_db
def test_a_departments_canary_is_compared_with_replies_about_that_department(shop):
    live = version_in(shop, "live")
    canary = move(measured(ModelVersionFactory(shop=shop, department="books")), "canary")
    about = {"state_after": {"goal": "books/fantasy"}}
    replies(shop, canary, **about)
    replies(shop, live, 10, **about)
    replies(shop, live, 20, state_after={"goal": "clothing/jackets"}, error="the generator failed: X")
    compared = beside(canary)
    assert (compared.rival, compared.own.replies, compared.other.replies) == (live, 30, 10)
    assert compared.other.errors == 0.0
