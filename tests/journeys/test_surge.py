"""Customers suddenly complain of one thing, through the chat: an alert is there after the next beat, and people take over."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from botcore import answering, intake, queues
from botcore.celery import app
from botcore.channels.values import ReceivedEvent
from botcore.dialogue.ports import Ports
from botcore.models import Alert, ChannelAccount, Conversation, TextItem, Turn
from botcore.monitoring import surge_alerts
from tests.factories import AccountFactory, UserFactory
from tests.fakes import FakeGenerator, HashEncoder, Wakes
from tests.journeys.small_shop import open_shop
from workers.engine import load_reader
from workers.tasks import watch_streams

pytestmark = pytest.mark.django_db

USUAL = (
    "Do you have a green jacket?", "Is the Ridge backpack waterproof?", "Can I send the jacket back?",
    "Which sizes does the Moss jacket come in?", "My parcel arrived, thank you!", "Where is my parcel?",
    "I love the Ridge backpack", "Is there a cheaper jacket?",
)  # fmt: skip
COMPLAINTS = (
    "My parcel still has not arrived, this is awful",
    "Where is my parcel? It is a week late and I am furious",
    "The parcel is late again, terrible delivery",
    "Still no parcel, your delivery is a disgrace",
    "My parcel is lost and nobody helps me, so disappointed",
    "Parcel delivery failed three times, I am fed up",
    "The delivery of my parcel is a nightmare, late and damaged",
    "我的包裹还没到，太差劲了",
    "包裹晚了一个星期，非常生气",
    "包裹丢了也没人管，太失望了",
)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> ChannelAccount:
    monkeypatch.setattr(queues, "app", Wakes())
    return AccountFactory(shop=open_shop("lantern"))


@pytest.fixture
def ports() -> Ports:
    return Ports(HashEncoder(), load_reader(), FakeGenerator())


def says(account: ChannelAccount, ports: Ports, text: str) -> Turn:
    """A new customer writes, and is answered."""
    (turn_id,) = intake.accept(account, [ReceivedEvent(uuid.uuid4().hex, "text", uuid.uuid4().hex, text)])
    answering.answer_turn(turn_id, ports)
    return Turn.objects.get(pk=turn_id)


def usual_days(account: ChannelAccount, ports: Ports) -> None:
    """Three days on which customers asked what they ask."""
    for number in range(40):
        turn = says(account, ports, USUAL[number % len(USUAL)])
        Turn.objects.filter(pk=turn.pk).update(created_at=timezone.now() - timedelta(hours=2 + 2 * number))
    watch_streams()


def test_a_surge_of_complaints_is_an_alert_after_one_beat_and_a_person_has_the_conversations(client, account, ports):
    usual_days(account, ports)
    assert TextItem.objects.filter(read_at=None).count() == 0
    assert surge_alerts.surges_of([account.shop]) == []

    complaining = {says(account, ports, text).conversation_id for text in COMPLAINTS}
    watch_streams()
    (alert,) = surge_alerts.surges_of([account.shop])
    assert alert.measured["people"] > len(COMPLAINTS) / 2
    found = surge_alerts.gathered(alert)
    assert {each.pk for each in found.conversations} <= complaining
    assert all(quote.text in COMPLAINTS for quote in found.quotes)
    assert len(found.quotes) == surge_alerts.QUOTES
    assert app.conf.beat_schedule["streams"]["schedule"] <= 30, "seconds: the alert is there within a minute"

    client.force_login(
        UserFactory(shops=[account.shop], shops__role="merchant"), backend="django.contrib.auth.backends.ModelBackend"
    )
    page = client.get(reverse("console:surge", args=[alert.pk])).content.decode()
    assert all(quote.text in page for quote in found.quotes)
    client.post(reverse("console:hand_over_surge", args=[alert.pk]))
    assert Conversation.objects.filter(waiting_for_person=True).count() == len(found.conversations)

    watch_streams()
    assert Alert.objects.filter(closed_at=None).count() == 1, "found again, it is the same alert"
