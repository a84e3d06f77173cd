"""Messages that are kept until the platform asks: which one a delivery is given, and that nothing is given twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from botcore import delivery, held, intake, queues
from botcore.channels.values import OutboundMessage, ReceivedEvent
from botcore.models import ChannelAccount, ChannelHealth, Contact, Conversation, InboundEvent, Outbound, Turn
from botcore.security import seal
from tests.factories import AccountFactory, ProductFactory, TurnFactory

pytestmark = pytest.mark.django_db
LONG = " ".join(f"w{number:04}" for number in range(800))
"""Three parts of WeChat's."""
CONFIG = {"app_id": "wx0123456789abcdef", "token": "lantern", "passive": "yes"}


@pytest.fixture
def account(db: None) -> ChannelAccount:
    return AccountFactory(channel="wechat", sealed_config=seal(CONFIG))


def says(account: ChannelAccount, key: str, text: str = "a green jacket", **data: Any) -> None:
    intake.accept(account, [ReceivedEvent(key, "text", "openid", text=text, data=data)], wake=lambda turn: None)


def answered(text: str = "Here.") -> Outbound:
    """The waiting turn's reply, as far as the platform takes it."""
    turn = Turn.objects.get(status=Turn.Status.WAITING)
    Turn.objects.filter(pk=turn.pk).update(status=Turn.Status.ANSWERED, answered_at=timezone.now(), language="en")
    return kept(turn.conversation, text, turn)


def kept(conversation: Conversation, text: str, turn: Turn | None = None) -> Outbound:
    outbound = delivery.post(conversation, OutboundMessage(text, turn.pk if turn else 0), turn)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert outbound.status == Outbound.Status.HELD
    return outbound


def given(account: ChannelAccount, key: str) -> str:
    payload = held.look(account.key, [key]).payload
    return payload["text"]["content"] if payload else ""


def test_a_reply_is_given_to_the_message_it_answers_once_it_is_ready(account):
    says(account, "m1")
    assert held.look(account.key, ["m1"]).over is False
    outbound = answered()
    assert given(account, "m1") == "Here."
    outbound.refresh_from_db()
    assert (outbound.status, outbound.parts_sent, outbound.platform_ids) == ("sent", 1, ["m1"])


def test_keeping_a_message_is_nobodys_failure(account):
    says(account, "m1")
    answered()
    assert not ChannelHealth.objects.exclude(last_failure_at=None).exists()


def test_a_message_behind_one_that_is_kept_is_kept_at_once(account, monkeypatch):
    woken: list[int] = []
    monkeypatch.setattr(queues, "wake_delivery", woken.append)
    says(account, "m1")
    conversation = Conversation.objects.get()
    first, second = (delivery.post(conversation, OutboundMessage(text)) for text in ("one", "two"))
    delivery.deliver(first.pk)
    assert woken == [second.pk]


def test_a_repeated_delivery_is_given_the_same_again(account):
    says(account, "m1")
    answered(LONG)
    first = given(account, "m1")
    assert given(account, "m1") == first
    assert Outbound.objects.get().parts_sent == 1


def test_the_rest_is_given_to_those_who_ask_for_it_and_asks_no_turn(account):
    says(account, "m1")
    answered(LONG)
    first = held.look(account.key, ["m1"])
    says(account, "m2", "继续", more=True)
    second = held.look(account.key, ["m2"])
    says(account, "m3", "继续", more=True)
    third = held.look(account.key, ["m3"])
    assert [look.more for look in (first, second, third)] == [True, True, False]
    said = " ".join(look.payload["text"]["content"] for look in (first, second, third))
    assert said.split() == LONG.split()
    assert Turn.objects.count() == 1
    assert InboundEvent.objects.count() == 3


def test_more_is_an_ordinary_text_where_nothing_is_kept(account):
    says(account, "m1", "more", more=True)
    assert Turn.objects.get().events.get().text == "more"


def test_more_asks_no_second_turn_while_the_first_is_in_the_making(account):
    says(account, "m1")
    says(account, "m2", "继续", more=True)
    assert Turn.objects.get().events.count() == 1
    assert held.look(account.key, ["m2"]).over is False
    answered()
    assert given(account, "m2") == "Here."


def test_the_answer_to_a_new_question_comes_before_the_rest_of_an_old_one(account):
    says(account, "m1")
    answered(LONG)
    given(account, "m1")
    says(account, "m2", "and in blue?")
    answered("It is blue.")
    look = held.look(account.key, ["m2"])
    assert (look.payload["text"]["content"], look.more) == ("It is blue.", False)
    says(account, "m3", "继续", more=True)
    assert given(account, "m3").startswith("w0"), "the old one's rest is still there for those who ask"


def test_of_two_that_were_begun_the_last_goes_on(account):
    says(account, "m1")
    answered(LONG)
    given(account, "m1")
    says(account, "m2", "and in blue?")
    answered(LONG.replace("w", "b"))
    given(account, "m2")
    says(account, "m3", "继续", more=True)
    assert given(account, "m3").startswith("b0")


def test_what_nobody_has_seen_comes_before_the_rest_of_what_was_begun(account):
    says(account, "m1")
    answered(LONG)
    given(account, "m1")
    says(account, "m2", "and in blue?")
    answered("It is blue.")
    says(account, "m3", "继续", more=True)
    assert given(account, "m3") == "It is blue."


def test_a_persons_message_is_given_when_the_customer_writes_next(account):
    says(account, "m1")
    Turn.objects.update(status=Turn.Status.SILENT)
    assert held.look(account.key, ["m1"]).over is True
    kept(Conversation.objects.get(), "Ann here: what size?")
    says(account, "m2", "hello?")
    Turn.objects.update(status=Turn.Status.SILENT)
    assert given(account, "m2") == "Ann here: what size?"


def test_what_is_no_longer_so_is_not_given_to_those_who_ask_hours_later(account):
    says(account, "m1")
    outbound = answered()
    variant = ProductFactory(shop=account.shop).variants.get()
    told = {"told": [[variant.pk, str(variant.price + 1), True]]}
    Outbound.objects.update(facts=told, created_at=timezone.now() - timedelta(hours=2))
    assert held.look(account.key, ["m1"]).over
    outbound.refresh_from_db()
    assert (outbound.status, outbound.parts_sent) == ("failed", 0)


def test_what_asks_nothing_is_over_at_once(account):
    assert held.look(account.key, ["nobody's"]).over is True
    intake.accept(account, [ReceivedEvent("m1", "other", "openid")])
    assert held.look(account.key, ["m1"]).over is True


def test_nobody_is_given_what_is_kept_for_another(account):
    stranger = TurnFactory(conversation__contact__account=account)
    kept(stranger.conversation, "Not yours.")
    says(account, "m1", "继续", more=True)
    assert given(account, "m1") == ""
    assert given(AccountFactory(channel="wechat", sealed_config=seal(CONFIG)), "m1") == ""


@pytest.mark.django_db(transaction=True)
def test_a_delivery_that_comes_eight_times_at_once_is_given_one_part(account):
    says(account, "m1")
    answered(LONG)

    def ask(_: int) -> str:
        try:
            return given(account, "m1")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        said = set(pool.map(ask, range(8)))
    assert len(said) == 1
    assert Outbound.objects.get().platform_ids == ["m1"]


@pytest.mark.django_db(transaction=True)
def test_eight_who_ask_at_once_are_given_every_part_once(account):
    says(account, "m0")
    outbound = answered(LONG)
    names = [f"m{number}" for number in range(1, 9)]
    contact = Contact.objects.get()
    for name in names:
        InboundEvent.objects.create(account=account, contact=contact, event_key=name, kind="text", data={"more": True})

    def ask(name: str) -> str:
        try:
            return given(account, name)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        said = [text for text in pool.map(ask, names) if text]
    outbound.refresh_from_db()
    assert (len(said), len(set(said)), outbound.parts_sent, outbound.status) == (3, 3, 3, "sent")
