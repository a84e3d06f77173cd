"""Opinions of replies: tied to the reply they judge, one a source, and nobody's but the receiver's."""

from __future__ import annotations

from typing import Any

import pytest

from botcore import feedback
from botcore.channels.values import ReceivedEvent
from botcore.models import Contact, Feedback, Outbound, Turn
from tests.factories import ContactFactory, ConversationFactory, TurnFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def turn() -> Turn:
    answered = TurnFactory()
    Outbound.objects.create(
        conversation=answered.conversation, turn=answered, content={}, platform_ids=["m1", "m2"], status="sent"
    )
    return answered


def press(contact: Contact, kind: str = "button", **data: Any) -> Feedback | None:
    return feedback.record(contact, ReceivedEvent("key", kind, contact.external_id, data=data))


def receiver(turn: Turn) -> Contact:
    return turn.conversation.contact


def test_a_thumb_is_stored_with_its_reply(turn):
    press(receiver(turn), verdict="up", turn=turn.pk)
    opinion = Feedback.objects.get()
    assert (opinion.turn, opinion.contact, opinion.kind, opinion.source) == (turn, receiver(turn), "up", "button")


def test_a_reaction_finds_its_reply_by_any_of_the_platform_s_ids(turn):
    for platform_id in ("m1", "m2"):
        opinion = press(receiver(turn), "reaction", verdict="down", platform_id=platform_id)
        assert opinion is not None
        assert (opinion.turn, opinion.source) == (turn, "reaction")


def test_a_second_thought_replaces_the_first(turn):
    press(receiver(turn), verdict="up", turn=turn.pk)
    press(receiver(turn), verdict="down", turn=turn.pk)
    assert [opinion.kind for opinion in Feedback.objects.all()] == ["down"]


def test_a_thumb_and_a_reaction_are_two_opinions(turn):
    press(receiver(turn), verdict="up", turn=turn.pk)
    press(receiver(turn), "reaction", verdict="down", platform_id="m1")
    assert Feedback.objects.count() == 2


def test_a_withdrawn_opinion_is_gone_and_only_that_one(turn):
    press(receiver(turn), verdict="up", turn=turn.pk)
    press(receiver(turn), "reaction", verdict="down", platform_id="m1")
    assert press(receiver(turn), "reaction", verdict="none", platform_id="m1") is None
    assert [opinion.source for opinion in Feedback.objects.all()] == ["button"]


def test_nobody_judges_a_reply_to_somebody_else(turn):
    other = ContactFactory(account=receiver(turn).account)
    press(receiver(turn), verdict="up", turn=turn.pk)
    for data in ({"turn": turn.pk}, {"platform_id": "m1"}):
        for verdict in ("down", "none"):
            assert press(other, verdict=verdict, **data) is None
    assert [opinion.kind for opinion in Feedback.objects.all()] == ["up"]


def test_a_contact_s_earlier_conversations_may_be_judged(turn):
    ConversationFactory(contact=ContactFactory(account=receiver(turn).account))
    turn.conversation.closed = True
    turn.conversation.save()
    assert press(receiver(turn), verdict="up", turn=turn.pk) is not None


@pytest.mark.parametrize(
    "data",
    [
        {"verdict": "wonderful"},
        {"verdict": "up", "turn": "x"},
        {"verdict": "up", "turn": -1},
        {"verdict": "up", "turn": 10**25},
        {"verdict": "up", "turn": "²"},
        {"verdict": "up", "platform_id": "unknown"},
        {"verdict": "up", "platform_id": ""},
        {"verdict": "up", "platform_id": None},
        {"verdict": "up"},
    ],
    ids=str,
)
def test_what_names_no_reply_judges_none(turn, data):
    given = {"turn": turn.pk, **data} if data == {"verdict": "wonderful"} else data
    assert press(receiver(turn), **given) is None
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("status", [Turn.Status.WAITING, Turn.Status.SILENT])
def test_there_is_nothing_to_judge_before_there_is_a_reply(turn, status):
    Turn.objects.update(status=status)
    assert press(receiver(turn), verdict="up", turn=turn.pk) is None
