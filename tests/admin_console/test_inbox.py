"""The inbox, and a person's answer: who waits, what is suggested, what reaches the customer, what does not."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from botcore import answering, delivery, intake
from botcore.channels import registry
from botcore.channels.values import Capabilities, OutboundMessage, ReceivedEvent
from botcore.dialogue.ports import Ports
from botcore.models import ChannelAccount, Contact, Conversation, Outbound, Turn
from catalog.models import KnowledgeArticle, Shop, Variant
from tests.factories import AccountFactory, ConversationFactory, ShopFactory, TurnFactory, UserFactory
from tests.fakes import FakeChannel, FakeGenerator, HashEncoder
from tests.journeys.small_shop import open_shop
from workers.engine import load_reader

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wakes")]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> FakeChannel:
    channel = FakeChannel()
    monkeypatch.setattr(delivery, "channel_for", lambda account: channel)
    return channel


@pytest.fixture
def small(db: None) -> Shop:
    return open_shop()


@pytest.fixture
def account(small: Shop, platform: FakeChannel) -> ChannelAccount:
    return AccountFactory(shop=small, channel="telegram")


@pytest.fixture
def ann(client: Client, small: Shop) -> Client:
    user = UserFactory(username="ann", first_name="Ann", last_name="Lee", shops=[small])
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def ports() -> Ports:
    return Ports(HashEncoder(), load_reader(), FakeGenerator())


class Customer:
    """Writes on a channel; the bot hears it at once."""

    def __init__(self, account: ChannelAccount, ports: Ports) -> None:
        self.account, self.ports = account, ports

    def writes(self, text: str) -> Turn:
        (turn_id,) = intake.accept(self.account, [ReceivedEvent(uuid.uuid4().hex, "text", "ada", text)])
        turn = answering.answer_turn(turn_id, self.ports)
        assert turn is not None
        turn.refresh_from_db()
        return turn

    @property
    def conversation(self) -> Conversation:
        return Conversation.objects.get(contact__account=self.account)


@pytest.fixture
def customer(account: ChannelAccount, ports: Ports) -> Customer:
    return Customer(account, ports)


def page(client: Client, conversation: Conversation) -> str:
    return " ".join(client.get(reverse("console:conversation", args=[conversation.key])).content.decode().split())


def answer(client: Client, conversation: Conversation, text: str = "", after: int | None = None, **more: object) -> str:
    last = conversation.outbound.order_by("-pk").first()
    data = {"text": text, "after": (last.pk if last else 0) if after is None else after, **more}
    response = client.post(reverse("console:answer", args=[conversation.key]), data, follow=True)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def sent(platform: FakeChannel) -> list[str]:
    """What the platform was given, once everything that waits was delivered."""
    for outbound in Outbound.objects.filter(status="pending").order_by("pk"):
        delivery.deliver(outbound.pk)
    return [payload["text"] for payload in platform.sent]


# --- the whole way


def test_a_person_answers_the_bot_suggests_and_returns(ann, customer, platform):
    customer.writes("I want to talk to a person")
    inbox = ann.get(reverse("console:inbox")).content.decode()
    assert "I want to talk to a person" in inbox
    assert ">1</span>" in inbox  # in the navigation
    talk = customer.conversation
    shown = answer(ann, talk, "Hello, this is Ann. What may I do for you?")
    assert "Your answer is on its way." in shown
    assert sent(platform)[-1] == "Hello, this is Ann. What may I do for you?"
    shown = page(ann, talk)
    assert shown.index("I want to talk to a person") < shown.index("Hello, this is Ann.") < shown.index("Ann Lee")

    silent = customer.writes("show me a green jacket")
    assert (silent.status, silent.reply, customer.conversation.state) == ("silent", "", talk.state)
    shown = page(ann, talk)
    assert "I would take the Moss jacket for $89.50." in shown
    before = sent(platform)
    assert "Moss" not in " ".join(before)
    answer(ann, talk, suggestion=str(silent.number))
    assert sent(platform)[len(before) :] == ["I would take the Moss jacket for $89.50."]
    message = OutboundMessage.from_json(Outbound.objects.latest("pk").content)
    assert ([card.sku for card in message.cards], message.turn) == (["J-1"], 0)
    assert Outbound.objects.latest("pk").author.username == "ann"
    assert "The bot would say" not in page(ann, talk)

    ann.post(reverse("console:hand_back", args=[talk.key]))
    reply = customer.writes("how much is the first one?")
    assert reply.status == "answered"
    assert "$89.50" in reply.reply  # what the person sent as it is has been said
    assert "handed the chat over to me again" in reply.reply
    assert "handed the chat" not in customer.writes("something cheaper?").reply


# --- suggestions


@pytest.fixture
def held(customer: Customer) -> Customer:
    """A customer whose conversation a person holds."""
    customer.writes("hello")
    Conversation.objects.update(waiting_for_person=True)
    return customer


def test_a_suggestion_reads_all_that_nobody_has_answered(held):
    held.writes("I need a jacket")
    turn = held.writes("green, please")
    assert [card["sku"] for card in turn.suggestion["message"]["cards"]] == ["J-1"]
    assert held.conversation.state == Turn.objects.get(number=1).state_after


def test_a_suggestion_keeps_its_samples_with_their_verdicts_and_counts_as_no_reply(held, ann):
    turn = held.writes("show me a green jacket")
    assert [sample["chosen"] for sample in turn.suggestion["samples"]] == [True]
    assert (turn.suggestion["act"], turn.suggestion["written_by"]) == ("recommend", "model")
    assert (turn.reply, turn.act, turn.samples, turn.slate) == ("", "", [], [])
    assert ann.get(reverse("console:home"), {"act": "recommend"}).context["numbers"].replies == 0


def test_a_suggestion_never_says_that_the_bot_is_back(held, ann):
    ann.post(reverse("console:hand_back", args=[held.conversation.key]))
    ann.post(reverse("console:take_over", args=[held.conversation.key]))
    assert held.conversation.state["returned"]
    assert held.writes("show me a green jacket").suggestion["message"]["text"].startswith("I would take")


def test_nothing_is_suggested_to_who_asks_for_a_person_again(held):
    assert held.writes("let me talk to a human").suggestion == {}


def test_a_suggestion_that_fails_disturbs_nothing(held, ann, monkeypatch):
    def breaks(*args: object, **options: object) -> None:
        raise RuntimeError("no weights")

    monkeypatch.setattr(answering, "respond", breaks)
    turn = held.writes("show me a green jacket")
    assert (turn.status, turn.text, turn.suggestion) == ("silent", "show me a green jacket", {})
    assert "show me a green jacket" in page(ann, held.conversation)


@pytest.mark.parametrize("change", [{"price": Decimal("99.90")}, {"stock": 0}])
def test_a_suggestion_whose_facts_have_changed_is_not_sent_and_that_is_said(held, ann, platform, change):
    turn = held.writes("show me a green jacket")
    Variant.objects.filter(sku="J-1").update(**change)
    assert "may not be true any more" in page(ann, held.conversation)
    before = sent(platform)
    assert "Nothing was sent" in answer(ann, held.conversation, suggestion=str(turn.number))
    assert "Nothing was sent" in answer(ann, held.conversation, text=turn.suggestion["message"]["text"])
    assert sent(platform) == before
    answer(ann, held.conversation, text="The Moss jacket costs $99.90 now.")
    assert sent(platform)[len(before) :] == ["The Moss jacket costs $99.90 now."]


def test_a_suggestion_that_quotes_an_article_is_not_sent_once_the_article_says_otherwise(held, ann, platform):
    turn = held.writes("how long do I have to return it?")
    assert "30 days" in turn.suggestion["message"]["text"]
    KnowledgeArticle.objects.update(body="You can send anything back within 14 days.")
    before = sent(platform)
    assert "Nothing was sent" in answer(ann, held.conversation, suggestion=str(turn.number))
    assert sent(platform) == before


def test_a_suggestion_put_into_the_field_without_a_script(held, ann):
    turn = held.writes("show me a green jacket")
    response = ann.get(reverse("console:conversation", args=[held.conversation.key]), {"use": turn.number})
    assert response.context["answer"]["text"].value() == "I would take the Moss jacket for $89.50."


# --- what is not sent


def test_two_colleagues_do_not_answer_the_same_customer_at_once(held, ann, platform):
    looked_at = held.conversation.outbound.latest("pk").pk
    answer(ann, held.conversation, "First.", after=looked_at)
    shown = answer(ann, held.conversation, "Second.", after=looked_at)
    assert "Something was said since you looked" in shown
    assert "Second.</textarea>" in shown  # the words are not lost
    assert sent(platform)[-1] == "First."


def test_nothing_is_sent_where_the_bot_answers(customer, ann, platform):
    customer.writes("hello")
    before = sent(platform)
    answer(ann, customer.conversation, "Hello from a person")
    assert sent(platform) == before
    assert not Outbound.objects.filter(turn=None).exists()


def test_an_answer_without_words_is_not_sent(held, ann):
    assert "This field is required." in answer(ann, held.conversation, "  ")
    assert not Outbound.objects.filter(turn=None).exists()


@pytest.mark.parametrize("number", ["²", "9" * 30, "-1", "x"])
def test_a_suggestion_of_no_turn_is_not_found(held, ann, number):
    address = reverse("console:answer", args=[held.conversation.key])
    assert ann.post(address, {"after": 0, "suggestion": number}).status_code == 404


def _counts(page) -> dict[str, int]:
    """The numbers beside the rooms of a page's menu."""
    return {link.room.address: link.count for _, links in page.context["wings"] for link in links}


def test_an_answer_of_another_shop_does_not_exist(held, merchant):
    stranger = Client()
    stranger.force_login(UserFactory(shops=[ShopFactory()]), backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("console:answer", args=[held.conversation.key])
    assert stranger.post(address, {"text": "hi", "after": 0}).status_code == 404
    assert merchant.post(address, {"text": "hi", "after": 0}).status_code == 404
    assert not Outbound.objects.filter(turn=None).exists()


# --- the platform's window


@pytest.fixture
def windowed(monkeypatch: pytest.MonkeyPatch) -> None:
    can = Capabilities(text_limit=4096, window=24 * 3600, quota=5)
    monkeypatch.setattr(registry.channel_class("telegram"), "capabilities", can)
    monkeypatch.setattr(FakeChannel, "capabilities", can)


def test_an_open_window_says_until_when_and_how_often(held, ann, windowed):
    shown = page(ann, held.conversation)
    assert "The platform takes answers until" in shown
    assert "5 messages may still be sent." in shown


@pytest.mark.parametrize("closed", [{"heard_at": timedelta(days=2)}, {"sent_since": 5}])
def test_a_closed_window_is_said_before_and_the_answer_becomes_a_dead_letter(held, ann, platform, windowed, closed):
    sent(platform)
    Contact.objects.update(
        **{name: timezone.now() - value if isinstance(value, timedelta) else value for name, value in closed.items()}
    )
    assert "Your answer is not delivered now" in page(ann, held.conversation)
    before = sent(platform)
    answer(ann, held.conversation, "Are you still there?")
    assert sent(platform) == before
    assert Outbound.objects.latest("pk").status == "failed"
    assert _counts(ann.get(reverse("console:inbox")))["failed"] == 1


def test_a_customer_who_wants_no_messages_is_not_written_to(held, ann, platform):
    Contact.objects.update(stopped_at=timezone.now())
    assert "asked for no more messages" in page(ann, held.conversation)


def test_a_channel_that_is_off_sends_nothing(held, ann, platform):
    before = sent(platform)
    ChannelAccount.objects.update(active=False)
    assert "This channel is switched off" in page(ann, held.conversation)
    answer(ann, held.conversation, "Hello?")
    assert sent(platform) == before
    assert Outbound.objects.latest("pk").error == "the channel is switched off"


# --- the inbox


def _ago(turn: Turn, **time: float) -> None:
    Turn.objects.filter(pk=turn.pk).update(created_at=timezone.now() - timedelta(**time))


def test_the_longest_wait_comes_first_and_who_is_answered_last(merchant, shop):
    late, soon, answered = (
        TurnFactory(conversation__shop=shop, conversation__waiting_for_person=True, act="handoff", text=text)
        for text in ("waits", "waits longer", "has an answer")
    )
    _ago(late, minutes=5)
    _ago(soon, hours=2)
    _ago(answered, hours=9)
    Outbound.objects.create(conversation=answered.conversation, content={"text": "Here."})
    rows = merchant.get(reverse("console:inbox")).context["rows"]
    assert [row.words for row in rows] == ["waits longer", "waits", "has an answer"]
    assert [bool(row.since) for row in rows] == [True, True, False]
    assert "2\xa0hours" in merchant.get(reverse("console:inbox")).content.decode()
    assert _counts(merchant.get(reverse("console:inbox")))["inbox"] == 2


def test_who_writes_again_after_an_answer_waits_from_then_on(merchant, shop):
    first = TurnFactory(conversation__shop=shop, conversation__waiting_for_person=True, act="handoff")
    _ago(first, hours=2)
    Outbound.objects.create(conversation=first.conversation, content={"text": "Here."})
    again = TurnFactory(conversation=first.conversation, status="silent", text="and now?")
    (row,) = merchant.get(reverse("console:inbox")).context["rows"]
    assert (row.since, row.words) == (again.created_at, "and now?")


def test_a_conversation_taken_over_after_an_answer_waits_for_nothing(merchant, shop):
    turn = TurnFactory(conversation__shop=shop)
    merchant.post(reverse("console:take_over", args=[turn.conversation.key]))
    (row,) = merchant.get(reverse("console:inbox")).context["rows"]
    assert row.since is None


def test_nobody_else_s_customers_are_in_the_inbox(merchant, shop):
    TurnFactory(conversation__waiting_for_person=True, act="handoff", text="theirs")
    ConversationFactory(shop=shop)
    shown = merchant.get(reverse("console:inbox"))
    assert "theirs" not in shown.content.decode()
    assert "Nobody waits" in shown.content.decode()
    assert not any(_counts(shown).values())
