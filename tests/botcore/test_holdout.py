"""Some people are shown no products, drawn by chance and for good, and whoever answers them does not either."""

from __future__ import annotations

import uuid

import pytest

from botcore import answering, holdout, intake
from botcore.channels.values import ReceivedEvent
from botcore.dialogue.ports import Ports
from botcore.models import ChannelAccount, Contact, Conversation, Turn
from catalog.models import Customer
from tests.factories import AccountFactory, ContactFactory, ConversationFactory, ShopFactory
from tests.fakes import FakeGenerator, HashEncoder
from tests.journeys.small_shop import open_shop
from workers.engine import load_reader

pytestmark = pytest.mark.usefixtures("wakes")


@pytest.fixture
def account(db: None) -> ChannelAccount:
    return AccountFactory(shop=open_shop())


def say(account: ChannelAccount, text: str, who: str = "ada") -> int:
    (turn_id,) = intake.accept(account, [ReceivedEvent(uuid.uuid4().hex, "text", who, text)])
    return turn_id


def answered(account: ChannelAccount, text: str) -> Turn:
    turn = answering.answer_turn(say(account, text), Ports(HashEncoder(), load_reader(), FakeGenerator()))
    assert turn is not None
    return turn


def held_out(account: ChannelAccount) -> None:
    """Ada writes for the first time and is drawn into the holdout."""
    trial = holdout.begin(account.shop, 50)
    contact = ContactFactory(account=account, external_id="ada")
    ConversationFactory(shop=account.shop, contact=contact, trial=trial, held_out=True)


def test_the_share_that_is_asked_for_is_drawn_and_each_trial_draws_others():
    people = [f"contact {number}" for number in range(4_000)]
    drawn = [{person for person in people if holdout.is_held_out(person, 20, trial)} for trial in (1, 2)]
    assert all(0.17 < len(each) / len(people) < 0.23 for each in drawn)
    assert 0.02 < len(drawn[0] & drawn[1]) / len(people) < 0.06
    assert {person for person in people if holdout.is_held_out(person, 5, 1)} < drawn[0]


@pytest.mark.django_db
def test_without_a_trial_nobody_is_enrolled():
    account = AccountFactory()
    say(account, "hello")
    assert Conversation.objects.get().trial is None


@pytest.mark.django_db
def test_a_person_keeps_their_group_in_later_conversations_and_on_other_channels():
    account = AccountFactory()
    trial = holdout.begin(account.shop, 50)
    customer = Customer.objects.create(shop=account.shop, key="ada")
    contact = ContactFactory(account=account, customer=customer)
    first = ConversationFactory(shop=account.shop, contact=contact, trial=trial, held_out=True, closed=True)
    other = ContactFactory(account__shop=account.shop, account__channel="telegram", customer=customer)
    for again in (contact, other):
        talk = ConversationFactory(shop=account.shop, contact=again)
        holdout.enrol(talk)
        talk.refresh_from_db()
        assert (talk.trial, talk.held_out) == (trial, True)
    first.refresh_from_db()
    assert first.held_out


@pytest.mark.django_db
def test_who_writes_is_enrolled_and_about_the_share_is_held_out():
    account = AccountFactory()
    trial = holdout.begin(account.shop, 50)
    for number in range(60):
        say(account, "hello", f"visitor-{number}")
    assert Conversation.objects.filter(trial=trial).count() == 60
    assert 15 < Conversation.objects.filter(held_out=True).count() < 45


@pytest.mark.django_db
def test_another_share_is_another_trial_and_nought_is_none():
    shop = ShopFactory()
    first = holdout.begin(shop, 10)
    assert holdout.begin(shop, 10) == first
    second = holdout.begin(shop, 20)
    assert holdout.open_trial(shop) == second
    first.refresh_from_db()
    assert first.ended_at is not None
    assert holdout.begin(shop, 0) is None
    assert holdout.open_trial(shop) is None
    with pytest.raises(ValueError, match="0 to 50"):
        holdout.begin(shop, 51)


def test_whoever_is_held_out_gets_a_person_in_place_of_products(account):
    held_out(account)
    turn = answered(account, "show me a green jacket")
    assert (turn.act, turn.slate, turn.written_by) == ("handoff", [], "template")
    assert Conversation.objects.get().waiting_for_person
    assert "Moss" not in turn.reply


def test_small_talk_is_the_same_for_everybody(account):
    held_out(account)
    assert answered(account, "hello").act == "chitchat"


def test_the_person_who_helps_is_given_no_suggestion_with_products(account):
    held_out(account)
    Conversation.objects.update(waiting_for_person=True)
    turn = answered(account, "show me a green jacket")
    assert turn.status == "silent"
    assert Turn.objects.get(pk=turn.pk).suggestion == {}


def test_once_the_trial_is_over_everybody_is_shown_products_again(account):
    held_out(account)
    holdout.begin(account.shop, 0)
    assert answered(account, "show me a green jacket").act == "recommend"
    assert Contact.objects.count() == 1
