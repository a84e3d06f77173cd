"""A waiting turn becomes one stored reply, whoever dies, writes on, takes over or changes a price meanwhile."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from botcore import answering, intake
from botcore.channels.values import OutboundMessage, ReceivedEvent
from botcore.dialogue import find
from botcore.dialogue.intents import Intent, IntentClassifier
from botcore.dialogue.ports import Ports
from botcore.dialogue.state import DialogueState
from botcore.dialogue.words import stem
from botcore.models import ChannelAccount, Contact, Conversation, Feedback, Outbound, Turn
from catalog.models import Category, Customer, Exposure, Variant
from catalog.ranking.taste import COLD
from tests.factories import AccountFactory, ModelVersionFactory
from tests.fakes import FakeGenerator, FakeVersion, HashEncoder, at_once
from tests.journeys.small_shop import open_shop
from workers.engine import load_reader

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wakes")]
concurrent = pytest.mark.django_db(transaction=True)

ENCODER = HashEncoder()


@pytest.fixture
def account() -> ChannelAccount:
    return AccountFactory(shop=open_shop())


@pytest.fixture
def generator() -> FakeGenerator:
    return FakeGenerator()


@pytest.fixture
def ports(generator: FakeGenerator) -> Ports:
    return Ports(ENCODER, load_reader(), generator)


def say(account: ChannelAccount, text: str = "show me a green jacket") -> int:
    (turn_id,) = intake.accept(account, [ReceivedEvent(uuid.uuid4().hex, "text", "ada", text)])
    return turn_id


def once(act: Callable[[], object]) -> Callable[[], object]:
    """``act``, at the first call alone."""
    left = [act]
    return lambda: left.pop()() if left else None


# --- what is stored


def test_the_reply_is_stored_with_everything_that_explains_it(account, ports, generator):
    turn = answering.answer_turn(say(account), ports)
    assert turn is not None
    stored = Turn.objects.get()
    assert stored == turn
    assert (stored.status, stored.act, stored.language) == ("answered", "recommend", "en")
    assert (stored.written_by, stored.model_version) == ("model", "fake-1")
    assert stored.reply == "I would take the Moss jacket for $89.50."
    assert stored.text == "show me a green jacket"
    assert stored.leased_until is None
    assert stored.answered_at is not None
    assert stored.slate[0]["sku"] == "J-1"
    assert (stored.candidates[0]["sku"], stored.candidates[0]["name"]) == ("J-1", "Moss jacket")
    assert stored.brief["items"][0]["slots"]["price"] == "$89.50"
    assert [sample["chosen"] for sample in stored.samples] == [True]
    assert stored.understanding
    assert set(stored.timings_ms) == {"understand", "decide", "find", "ask", "plan", "compose", "total"}
    assert len(generator.prompts) == 1


def test_what_a_message_turns_out_to_be_about_chooses_who_writes(account, ports):
    """The first message of a talk already, whose department nobody knew before it was read."""
    shop = account.shop
    own = ModelVersionFactory(shop=shop, department=Category.objects.filter(shop=shop, parent=None).first().path)
    lent: list[str] = []

    @contextmanager
    def specialists(department: str) -> Iterator[Ports]:
        lent.append(department)
        yield replace(ports, generator=FakeVersion(version_id=own.pk), version_id=own.pk)

    turn = answering.answer_turn(say(account), replace(ports, specialists=specialists))
    assert turn is not None
    assert lent == [own.department]
    assert (turn.asked_version, turn.model_version) == (own, f"fake-{own.pk}")


def test_every_shown_product_is_stored_with_its_chance_and_counted_as_shown_then_as_chosen(account, ports):
    first = answering.answer_turn(say(account), ports)
    assert first is not None
    assert [item["propensity"] for item in first.slate] == [1.0] * len(first.slate)
    assert {"vector", "interest", "interest_share", "because"} <= set(first.candidates[0])
    counts = dict(Exposure.objects.values_list("product__sku", "shown"))
    assert counts == {item["sku"]: 1 for item in first.slate}
    answering.answer_turn(say(account, "I'll take the first one"), ports)
    assert list(Exposure.objects.filter(chosen=1).values_list("product__sku", "shown")) == [(first.slate[0]["sku"], 1)]


def test_a_contact_that_is_a_customer_is_ranked_for_as_one(account, ports, monkeypatch):
    asked: list[int | None] = []
    monkeypatch.setattr(find, "taste_of", lambda customer, now: asked.append(customer) or COLD)
    answering.answer_turn(say(account), ports)
    customer = Customer.objects.create(shop=account.shop, key="ada")
    Contact.objects.update(customer=customer)
    answering.answer_turn(say(account, "show me a green jacket"), ports)
    assert asked == [None, customer.pk]


def test_the_message_to_send_and_the_conversation_s_state_are_stored_with_it(account, ports):
    turn = answering.answer_turn(say(account), ports)
    assert turn is not None
    message = OutboundMessage.from_json(Outbound.objects.get().content)
    assert (message.text, message.turn) == (turn.reply, turn.pk)
    assert (message.cards[0].sku, message.cards[0].price) == ("J-1", "$89.50")
    conversation = Conversation.objects.get()
    assert conversation.state == turn.state_after
    assert DialogueState.from_json(conversation.state).slate[0] == "J-1"
    assert turn.state_before == {}


def test_the_next_turn_starts_from_where_the_last_one_ended(account, ports):
    first = answering.answer_turn(say(account), ports)
    second = answering.answer_turn(say(account, "something cheaper"), ports)
    assert first is not None
    assert second is not None
    assert second.state_before == first.state_after
    assert (second.number, DialogueState.from_json(second.state_after).turn) == (2, 2)


def test_delivery_is_woken_once_the_reply_is_stored(account, ports, wakes, django_capture_on_commit_callbacks):
    turn_id = say(account)
    with django_capture_on_commit_callbacks(execute=True):
        answering.answer_turn(turn_id, ports)
        assert wakes == []
    assert wakes == [("deliver", Outbound.objects.get().pk)]


# --- exactly once


def test_an_answered_turn_is_not_answered_again(account, ports, generator):
    turn_id = say(account)
    answering.answer_turn(turn_id, ports)
    assert answering.answer_turn(turn_id, ports) is None
    assert (Outbound.objects.count(), len(generator.prompts)) == (1, 1)


@concurrent
def test_many_workers_woken_for_one_turn_answer_it_once(account, generator, ports):
    generator.seconds = 0.2
    turn_id = say(account)
    answered = at_once(*[lambda: answering.answer_turn(turn_id, ports)] * 6)
    assert sum(turn is not None for turn in answered) == 1
    assert (Outbound.objects.count(), len(generator.prompts)) == (1, 1)


def test_who_lost_the_lease_stores_nothing(account, ports, generator):
    turn_id = say(account)

    def somebody_else_takes_it() -> None:
        Turn.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        assert intake.claim(turn_id) is not None

    generator.meanwhile = once(somebody_else_takes_it)
    assert answering.answer_turn(turn_id, ports) is None
    turn = Turn.objects.get()
    assert (turn.status, turn.reply, turn.attempts) == ("waiting", "", 2)
    assert turn.leased_until > timezone.now()
    assert (Outbound.objects.count(), Conversation.objects.get().state) == (0, {})


def test_who_comes_late_to_a_turn_that_was_answered_meanwhile_stores_nothing(account, ports, generator):
    turn_id = say(account)

    def somebody_else_answers_it() -> None:
        Turn.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
        assert answering.answer_turn(turn_id, ports) is not None

    generator.meanwhile = once(somebody_else_answers_it)
    assert answering.answer_turn(turn_id, ports) is None
    assert Outbound.objects.count() == 1
    assert Conversation.objects.get().state["turn"] == 1


def test_a_dialogue_that_fails_leaves_the_turn_to_the_next_attempt(account, ports):
    class Broken(HashEncoder):
        def encode(self, texts):
            raise RuntimeError("out of memory")

    turn_id = say(account)
    with pytest.raises(RuntimeError):
        answering.answer_turn(turn_id, Ports(Broken(), load_reader(), None))
    assert (Turn.objects.get().status, Outbound.objects.count()) == ("waiting", 0)
    assert answering.answer_turn(turn_id, ports) is None
    Turn.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert answering.answer_turn(turn_id, ports) is not None


@pytest.mark.parametrize(("failures", "author"), [(1, "model"), (2, "template")])
def test_a_turn_that_failed_twice_is_answered_without_the_model(account, ports, generator, failures, author):
    turn_id = say(account)
    Turn.objects.update(attempts=failures)
    turn = answering.answer_turn(turn_id, ports)
    assert turn is not None
    assert (turn.written_by, len(generator.prompts)) == (author, int(author == "model"))
    assert "Moss jacket" in turn.reply


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [("a green jacket", "en", ("person", "colleague", "team")), ("绿色的外套", "zh", ("同事", "人工"))],
)
def test_a_turn_that_always_fails_goes_to_a_person_and_the_customer_hears_of_it(
    account, ports, generator, text, language, said
):
    turn_id = say(account, text)
    Turn.objects.update(attempts=answering.MOST_ATTEMPTS)
    turn = answering.answer_turn(turn_id, ports)
    assert (turn.status, turn.act, turn.written_by, turn.language) == ("answered", "handoff", "template", language)
    assert any(word in turn.reply for word in said)
    assert "failed 5 times" in turn.error
    assert Outbound.objects.get().content["text"] == turn.reply
    assert Conversation.objects.get().waiting_for_person
    assert generator.prompts == []
    assert answering.answer_turn(turn_id, ports) is None


# --- what customers write meanwhile


def test_a_burst_of_messages_gets_one_answer(account, ports):
    turn_id = [say(account, text) for text in ("hi", "show me a jacket", "green please")][-1]
    turn = answering.answer_turn(turn_id, ports)
    assert turn is not None
    assert turn.text == "hi\nshow me a jacket\ngreen please"
    assert turn.slate[0]["sku"] == "J-1"
    assert Outbound.objects.count() == 1


def test_a_message_that_arrives_while_the_reply_is_made_is_taken_in(account, ports, generator):
    generator.meanwhile = once(lambda: say(account, "yellow rather"))
    turn = answering.answer_turn(say(account, "show me a jacket"), ports)
    assert turn is not None
    assert turn.text == "show me a jacket\nyellow rather"
    assert turn.slate[0]["sku"] == "J-2"
    assert (Outbound.objects.count(), Turn.objects.count(), len(generator.prompts)) == (1, 1, 2)


def test_a_message_that_arrives_too_late_for_that_is_the_next_turn(
    account, ports, generator, wakes, django_capture_on_commit_callbacks
):
    def writes_on() -> None:
        Turn.objects.update(created_at=timezone.now() - intake.BURST)
        say(account, "something cheaper")

    generator.meanwhile = once(writes_on)
    turn_id = say(account, "show me a jacket")
    with django_capture_on_commit_callbacks(execute=True):
        turn = answering.answer_turn(turn_id, ports)
    assert turn is not None
    assert turn.text == "show me a jacket"
    following = Turn.objects.get(status="waiting")
    assert following.number == 2
    assert wakes[-1] == ("answer", following.pk)


def test_a_conversation_is_answered_in_order(account, ports):
    first = say(account, "show me a jacket")
    Turn.objects.update(created_at=timezone.now() - intake.BURST)
    second = say(account, "the second one please")
    assert answering.answer_turn(second, ports) is None
    assert answering.answer_turn(first, ports) is not None
    assert answering.answer_turn(second, ports) is not None
    assert list(Outbound.objects.order_by("pk").values_list("turn_id", flat=True)) == [first, second]


@concurrent
def test_turns_of_one_conversation_offered_to_many_workers_are_answered_in_order(account, ports, generator):
    generator.seconds = 0.02
    turns = []
    for text in ("show me a jacket", "green", "cheaper", "thanks"):
        turns.append(say(account, text))
        Turn.objects.update(created_at=timezone.now() - intake.BURST)

    def work() -> None:
        while Turn.objects.filter(status="waiting").exists():
            for turn_id in reversed(turns):
                answering.answer_turn(turn_id, ports)

    at_once(work, work, work)
    assert list(Outbound.objects.order_by("pk").values_list("turn_id", flat=True)) == turns
    assert list(Turn.objects.order_by("answered_at").values_list("number", flat=True)) == [1, 2, 3, 4]


# --- what changes meanwhile


def test_a_price_that_changes_while_the_reply_is_written_is_sent_as_it_is_now(account, ports, generator):
    generator.meanwhile = once(lambda: Variant.objects.filter(sku="J-1").update(price=Decimal("99.90")))
    turn = answering.answer_turn(say(account), ports)
    assert turn is not None
    message = OutboundMessage.from_json(Outbound.objects.get().content)
    assert "$99.90" in turn.reply
    assert "$89.50" not in turn.reply
    assert message.cards[0].price == "$99.90"
    assert turn.brief["items"][0]["slots"]["price"] == "$99.90"
    assert turn.written_by == "template"


def test_a_price_that_is_only_told_is_checked_as_well(account, ports, generator):
    answering.answer_turn(say(account), ports)
    generator.meanwhile = once(lambda: Variant.objects.filter(sku="J-1").update(price=Decimal("99.90")))
    turn = answering.answer_turn(say(account, "how much is the first one?"), ports)
    assert turn is not None
    assert (turn.act, turn.slate) == ("answer", [])
    assert "$99.90" in turn.reply
    assert "$89.50" not in turn.reply


def test_a_product_that_sells_out_while_the_reply_is_written_is_not_offered(account, ports, generator):
    generator.meanwhile = once(lambda: Variant.objects.filter(sku="J-1").update(stock=0))
    turn = answering.answer_turn(say(account), ports)
    assert turn is not None
    assert "J-1" not in [item["sku"] for item in turn.slate]
    assert "Moss jacket" not in turn.reply


# --- persons and opinions


def test_who_asks_for_a_person_is_answered_once_more_and_then_left_to_the_person(account, ports):
    turn = answering.answer_turn(say(account, "I want to talk to a person"), ports)
    assert turn is not None
    assert turn.act == "handoff"
    assert Conversation.objects.get().waiting_for_person


def test_the_bot_is_silent_while_a_person_holds_the_conversation(account, ports):
    turn_id = say(account)
    Conversation.objects.update(waiting_for_person=True)
    turn = answering.answer_turn(turn_id, ports)
    assert turn is not None
    assert (turn.status, turn.text, turn.reply) == ("silent", "show me a green jacket", "")
    assert (Outbound.objects.count(), Conversation.objects.get().state) == (0, {})


def test_the_bot_is_silent_when_a_person_takes_over_while_it_writes(account, ports, generator):
    generator.meanwhile = once(lambda: Conversation.objects.update(waiting_for_person=True))
    turn = answering.answer_turn(say(account), ports)
    assert turn is not None
    assert (turn.status, turn.reply, Outbound.objects.count()) == ("silent", "", 0)


def test_not_what_i_meant_is_an_opinion_of_the_reply_before(account, ports, monkeypatch):
    def classify(self: IntentClassifier, text: str, named: bool = False) -> Intent:
        return Intent("not_meant" if "meant" in text else "find", {"find": 1.0})

    monkeypatch.setattr(IntentClassifier, "classify", classify)
    judged = answering.answer_turn(say(account), ports)
    answering.answer_turn(say(account, "that's not what I meant"), ports)
    opinion = Feedback.objects.get()
    assert (opinion.turn, opinion.kind, opinion.source) == (judged, "not_meant", "words")
    assert opinion.text == "that's not what I meant"


def test_not_what_i_meant_with_nothing_before_it_judges_nothing(account, ports):
    assert answering.answer_turn(say(account, "that's not what I meant"), ports) is not None
    assert not Feedback.objects.exists()


# --- many threads


def test_words_are_read_the_same_on_many_threads():
    said = ["running", "jackets", "generously", "national", "hopping", "flies", "waterproof", "backpacks", "connection"]
    read = stem.__wrapped__
    alone = [read(word) for word in said]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        together = at_once(*[lambda: [[read(word) for word in said] for _ in range(100)]] * 8)
    finally:
        sys.setswitchinterval(interval)
    assert all(words == alone for rounds in together for words in rounds)
