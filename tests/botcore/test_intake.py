"""Messages become turns exactly once, whatever platforms repeat and however many processes take them in."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, transaction
from django.utils import timezone

from botcore import intake, queues, receipts
from botcore.channels.values import ReceivedEvent
from botcore.models import (
    ChannelAccount,
    Contact,
    Conversation,
    EarlyReceipt,
    Feedback,
    InboundEvent,
    Outbound,
    Turn,
)
from tests.factories import AccountFactory, ContactFactory, ConversationFactory, TurnFactory
from tests.fakes import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wakes")]
concurrent = pytest.mark.django_db(transaction=True)

ASK_AT_ONCE = 8


@pytest.fixture
def account() -> ChannelAccount:
    return AccountFactory()


def event(text: str = "a green jacket", kind: str = "text", **values: Any) -> ReceivedEvent:
    given: dict[str, Any] = {"event_key": uuid.uuid4().hex, "contact_id": "ada", **values}
    return ReceivedEvent(kind=kind, text=text, **given)


def aged(turn_id: int, by: timedelta) -> None:
    Turn.objects.filter(pk=turn_id).update(created_at=timezone.now() - by)


def numbers(conversation: Conversation) -> list[int]:
    return list(conversation.turns.order_by("number").values_list("number", flat=True))


# --- accept


def test_a_message_is_stored_with_its_contact_conversation_and_turn(account):
    (turn_id,) = intake.accept(account, [event("hello", contact_name="Ada Byron", language="en")])
    stored = InboundEvent.objects.get()
    assert (stored.text, stored.kind, stored.turn_id, stored.account) == ("hello", "text", turn_id, account)
    assert (stored.contact.external_id, stored.contact.name, stored.contact.language) == ("ada", "Ada Byron", "en")
    assert stored.turn.conversation.contact == stored.contact
    assert stored.turn.conversation.shop == account.shop
    assert (stored.turn.number, stored.turn.status) == (1, "waiting")


def test_a_worker_is_woken_when_the_message_is_stored_and_not_before(
    account, wakes, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        (turn_id,) = intake.accept(account, [event()])
        assert wakes == []
    assert wakes == [("answer", turn_id), ("show_typing", turn_id)]


def test_a_repeated_delivery_stores_nothing_and_wakes_nobody(account, wakes, django_capture_on_commit_callbacks):
    message = event()
    intake.accept(account, [message])
    with django_capture_on_commit_callbacks(execute=True):
        assert intake.accept(account, [message]) == []
    assert (InboundEvent.objects.count(), Turn.objects.count(), wakes) == (1, 1, [])


def test_a_delivery_repeated_after_the_answer_does_not_ask_again(account):
    message = event()
    (turn_id,) = intake.accept(account, [message])
    Turn.objects.filter(pk=turn_id).update(status=Turn.Status.ANSWERED)
    assert intake.accept(account, [message]) == []
    assert Turn.objects.count() == 1


def test_two_accounts_may_use_the_same_event_key(account):
    intake.accept(account, [event(event_key="1")])
    intake.accept(AccountFactory(), [event(event_key="1")])
    assert Turn.objects.count() == 2


@concurrent
def test_deliveries_of_one_message_at_the_same_moment_make_one_turn(account):
    message = event()
    asked = at_once(*[lambda: intake.accept(account, [message])] * ASK_AT_ONCE)
    assert sorted(len(turns) for turns in asked) == [0] * (ASK_AT_ONCE - 1) + [1]
    assert (InboundEvent.objects.count(), Turn.objects.count(), Contact.objects.count()) == (1, 1, 1)


@concurrent
def test_first_messages_at_the_same_moment_share_one_conversation_and_one_turn(account, monkeypatch):
    monkeypatch.setattr(intake, "BURST", timedelta(minutes=1))

    def send(number: int) -> Callable[[], list[int]]:
        return lambda: intake.accept(account, [event(f"message {number}")])

    asked = at_once(*[send(number) for number in range(ASK_AT_ONCE)])
    turn = Turn.objects.get()
    assert asked == [[turn.pk]] * ASK_AT_ONCE
    assert turn.events.count() == ASK_AT_ONCE


@concurrent
def test_turns_made_at_the_same_moment_are_numbered_without_gaps(account, monkeypatch):
    monkeypatch.setattr(intake, "BURST", timedelta(0))
    at_once(*[lambda: intake.accept(account, [event()])] * ASK_AT_ONCE)
    assert numbers(Conversation.objects.get()) == list(range(1, ASK_AT_ONCE + 1))


def test_three_messages_in_a_moment_are_one_turn(account):
    turns = {turn for text in ("hi", "I need a jacket", "green") for turn in intake.accept(account, [event(text)])}
    assert len(turns) == 1
    assert Turn.objects.get().events.count() == 3


def test_a_later_message_is_a_turn_of_its_own(account):
    (first,) = intake.accept(account, [event()])
    aged(first, intake.BURST)
    (second,) = intake.accept(account, [event()])
    assert second != first
    assert numbers(Conversation.objects.get()) == [1, 2]


def test_a_message_after_the_answer_is_a_turn_of_its_own(account):
    (first,) = intake.accept(account, [event()])
    Turn.objects.filter(pk=first).update(status=Turn.Status.ANSWERED)
    (second,) = intake.accept(account, [event()])
    assert Turn.objects.get(pk=second).number == 2


def test_a_delivery_is_stored_whole_or_not_at_all(account):
    with pytest.raises(DataError), transaction.atomic():
        intake.accept(account, [event("fine"), event("who?", contact_id="x" * 191)])
    assert (InboundEvent.objects.count(), Turn.objects.count(), Contact.objects.count()) == (0, 0, 0)


def test_nul_bytes_are_left_out(account):
    intake.accept(account, [event("a\0 jac\0ket")])
    assert InboundEvent.objects.get().text == "a jacket"


def test_an_endless_message_is_cut(account):
    intake.accept(account, [event("long " * 10_000)])
    assert len(InboundEvent.objects.get().text) == intake.TEXT_LIMIT


@pytest.mark.parametrize("message", [event(" \n"), event("", kind="other"), event("\0")])
def test_a_message_without_words_is_kept_and_asks_nothing(account, message):
    assert intake.accept(account, [message]) == []
    assert InboundEvent.objects.get().turn is None
    assert Turn.objects.count() == 0


# --- beginning again


def test_after_a_reset_the_next_message_opens_a_new_conversation(account):
    intake.accept(account, [event("a green jacket")])
    Conversation.objects.update(state={"goal": "jackets"})
    assert intake.accept(account, [event("", kind="reset")]) == []
    intake.accept(account, [event("hi")])
    old, new = Conversation.objects.order_by("pk")
    assert (old.closed, new.closed, new.state, numbers(new)) == (True, False, {}, [1])


def test_a_reset_and_a_greeting_of_one_delivery_come_in_order(account):
    intake.accept(account, [event("before")])
    (turn_id,) = intake.accept(account, [event("", kind="reset"), event("hi")])
    assert Turn.objects.get(pk=turn_id).conversation.turns.count() == 1
    assert Conversation.objects.filter(closed=True).count() == 1


@concurrent
def test_resets_between_messages_at_the_same_moment_lose_no_message(account):
    for _ in range(4):
        messages = [event(f"message {number}") for number in range(6)]
        kinds = [*messages[:3], event("", kind="reset"), *messages[3:], event("", kind="reset")]
        at_once(*[lambda one=one: intake.accept(account, [one]) for one in kinds])
        assert InboundEvent.objects.filter(event_key__in=[m.event_key for m in messages], turn=None).count() == 0
    assert Conversation.objects.filter(closed=False).count() <= 1


# --- opinions


def test_an_opinion_of_a_reply_asks_nothing(account):
    contact = ContactFactory(account=account, external_id="ada")
    turn = TurnFactory(conversation=ConversationFactory(shop=account.shop, contact=contact))
    assert intake.accept(account, [event("", kind="button", data={"verdict": "down", "turn": turn.pk})]) == []
    assert Feedback.objects.get().turn == turn
    assert Turn.objects.count() == 1


# --- claim


def test_a_claimed_turn_is_nobody_elses(account):
    (turn_id,) = intake.accept(account, [event("one"), event("two")])
    lease = intake.claim(turn_id)
    assert lease is not None
    assert (lease.turn_id, lease.events) == (turn_id, 2)
    assert intake.claim(turn_id) is None
    assert Turn.objects.get().attempts == 1


@concurrent
def test_of_many_workers_that_claim_a_turn_one_wins(account):
    (turn_id,) = intake.accept(account, [event()])
    leases = at_once(*[lambda: intake.claim(turn_id)] * ASK_AT_ONCE)
    assert sum(lease is not None for lease in leases) == 1
    assert Turn.objects.get().lease == next(lease.key for lease in leases if lease)


def test_an_expired_lease_is_given_to_the_next(account):
    (turn_id,) = intake.accept(account, [event()])
    first = intake.claim(turn_id)
    Turn.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    second = intake.claim(turn_id)
    assert first is not None
    assert second is not None
    assert first.key != second.key
    assert (Turn.objects.get().lease, Turn.objects.get().attempts) == (second.key, 2)


def test_a_turn_waits_for_the_one_before_it(account):
    (first,) = intake.accept(account, [event()])
    aged(first, intake.BURST)
    (second,) = intake.accept(account, [event()])
    assert intake.claim(second) is None
    assert intake.claim(first) is not None
    assert intake.claim(second) is None
    Turn.objects.filter(pk=first).update(status=Turn.Status.ANSWERED)
    assert intake.claim(second) is not None


def test_conversations_do_not_wait_for_each_other(account):
    (hers,) = intake.accept(account, [event(contact_id="ada")])
    (his,) = intake.accept(account, [event(contact_id="charles")])
    assert intake.claim(his) is not None
    assert intake.claim(hers) is not None


@pytest.mark.parametrize("status", [Turn.Status.ANSWERED, Turn.Status.SILENT])
def test_a_finished_turn_cannot_be_claimed(account, status):
    (turn_id,) = intake.accept(account, [event()])
    Turn.objects.update(status=status)
    assert intake.claim(turn_id) is None


def test_a_turn_that_is_gone_cannot_be_claimed():
    assert intake.claim(4711) is None


# --- sweep


def test_the_sweeper_wakes_what_was_forgotten_and_what_a_dead_worker_held(account, wakes):
    (forgotten,) = intake.accept(account, [event(contact_id="forgotten")])
    (held,) = intake.accept(account, [event(contact_id="held")])
    (dead,) = intake.accept(account, [event(contact_id="dead")])
    (answered,) = intake.accept(account, [event(contact_id="answered")])
    intake.accept(account, [event(contact_id="just now")])
    for turn_id in (forgotten, held, dead, answered):
        aged(turn_id, timedelta(minutes=1))
    intake.claim(held)
    intake.claim(dead)
    Turn.objects.filter(pk=dead).update(leased_until=timezone.now() - timedelta(seconds=1))
    Turn.objects.filter(pk=answered).update(status=Turn.Status.ANSWERED)
    assert intake.sweep() == 2
    assert sorted(wakes) == [("answer", turn_id) for turn_id in sorted([forgotten, dead])]


def test_the_sweeper_wakes_nobody_for_a_turn_that_waits_for_another(account, wakes):
    (first,) = intake.accept(account, [event()])
    aged(first, timedelta(minutes=1))
    (second,) = intake.accept(account, [event()])
    aged(second, timedelta(minutes=1))
    assert intake.sweep() == 1
    assert wakes == [("answer", first)]


@pytest.mark.parametrize(("waiting", "woken"), [(0, 3), (2, 3), (3, 0), (50, 0)])
def test_the_sweeper_adds_no_wake_ups_to_a_broker_that_has_not_worked_off_the_last(
    account, wakes, monkeypatch, waiting, woken
):
    for contact in ("ada", "charles", "mary"):
        (turn_id,) = intake.accept(account, [event(contact_id=contact)])
        aged(turn_id, timedelta(minutes=1))
    monkeypatch.setattr(queues, "backlog", {"reply": waiting}.__getitem__)
    assert intake.sweep() == len(wakes) == woken


# --- what else a platform tells


def test_an_edit_takes_the_place_of_the_message_while_nobody_answers_it(account):
    (turn_id,) = intake.accept(account, [event("a gren jacket", data={"message": "7"})])
    assert intake.accept(account, [event("a green jacket", "edit", data={"message": "7"})]) == []
    assert [row.text for row in InboundEvent.objects.filter(turn=turn_id)] == ["a green jacket"]


def test_an_edit_of_what_is_answered_or_being_answered_is_a_new_message(account):
    (turn_id,) = intake.accept(account, [event("a gren jacket", data={"message": "7"})])
    assert intake.claim(turn_id)
    aged(turn_id, timedelta(minutes=1))
    (again,) = intake.accept(account, [event("a green jacket", "edit", data={"message": "7"})])
    assert again != turn_id
    assert InboundEvent.objects.get(turn=turn_id).text == "a gren jacket"


def test_an_edit_of_somebody_elses_message_changes_nothing_of_theirs(account):
    (turn_id,) = intake.accept(account, [event("a gren jacket", data={"message": "7"})])
    intake.accept(account, [event("free for all", "edit", data={"message": "7"}, contact_id="eve")])
    assert InboundEvent.objects.get(turn=turn_id).text == "a gren jacket"


def test_who_asks_for_no_more_messages_opens_no_turn_until_they_start_again(account):
    assert intake.accept(account, [event("STOP", "stop")]) == []
    assert intake.accept(account, [event("a green jacket")]) == []
    assert Contact.objects.get().stopped_at is not None
    assert len(intake.accept(account, [event("START", "start"), event("a green jacket")])) == 1
    assert Contact.objects.get().stopped_at is None


def test_how_to_answer_is_what_the_last_message_said(account):
    intake.accept(account, [event(address={"reply_token": "first"})])
    intake.accept(account, [event(address={"reply_token": "second"}), event("and blue")])
    contact = Contact.objects.get()
    assert contact.address == {"reply_token": "second"}
    assert contact.heard_at is not None


def test_a_message_begins_the_platforms_count_anew(account):
    intake.accept(account, [event()])
    Contact.objects.update(sent_since=4)
    intake.accept(account, [event("", "reaction", data={"verdict": "up", "platform_id": "1"})])
    assert Contact.objects.get().sent_since == 4
    intake.accept(account, [event()])
    assert Contact.objects.get().sent_since == 0


def sent(account: ChannelAccount, **fields: Any) -> Outbound:
    contact = ContactFactory(account=account, external_id="ada")
    turn = TurnFactory(conversation=ConversationFactory(shop=account.shop, contact=contact))
    values = {"content": {}, "status": "sent", "platform_ids": ["w-1"], **fields}
    return Outbound.objects.create(conversation=turn.conversation, turn=turn, **values)


def told(account: ChannelAccount, outbound: Outbound, *statuses: str, **data: Any) -> Outbound:
    for status in statuses:
        receipt = event("", "status", data={"platform_id": "w-1", "status": status, **data})
        assert intake.accept(account, [receipt]) == []
    outbound.refresh_from_db()
    return outbound


def test_receipts_go_forward_in_whatever_order_they_come(account):
    outbound = sent(account)
    assert told(account, outbound, "delivered").receipt == "delivered"
    assert told(account, outbound, "read", "delivered", "read").receipt == "read"
    assert not InboundEvent.objects.exists()


def test_a_message_the_platform_gave_up_is_a_dead_letter(account):
    two_parts = sent(account, parts_sent=2, platform_ids=["w-0", "w-1"])
    outbound = told(account, two_parts, "failed", error="131026 not on this platform")
    assert (outbound.status, outbound.error) == ("failed", "131026 not on this platform")
    assert (outbound.parts_sent, outbound.platform_ids) == (1, ["w-0"])


def test_a_part_that_fails_is_not_hidden_by_another_that_arrived(account):
    two_parts = sent(account, parts_sent=2, platform_ids=["w-0", "w-1"], receipt="delivered")
    outbound = told(account, two_parts, "failed")
    assert (outbound.status, outbound.parts_sent, outbound.platform_ids) == ("failed", 1, ["w-0"])


def test_a_message_that_arrived_cannot_fail_afterwards(account):
    outbound = told(account, sent(account), "delivered", "failed")
    assert (outbound.status, outbound.receipt) == ("sent", "delivered")


def test_a_receipt_of_somebody_elses_message_is_nothing(account):
    outbound = sent(account)
    intake.accept(account, [event("", "status", data={"platform_id": "w-1", "status": "read"}, contact_id="eve")])
    intake.accept(AccountFactory(), [event("", "status", data={"platform_id": "w-1", "status": "read"})])
    outbound.refresh_from_db()
    assert outbound.receipt == ""


def test_a_receipt_of_a_message_whose_id_is_not_known_is_kept_once_and_forgotten_after_a_day(account):
    outbound = told(account, sent(account, platform_ids=["w-0"]), "read", "read")
    assert (outbound.receipt, EarlyReceipt.objects.count()) == ("", 1)
    receipts.sweep()
    assert EarlyReceipt.objects.count() == 1
    EarlyReceipt.objects.update(received_at=timezone.now() - timedelta(hours=25))
    receipts.sweep()
    assert not EarlyReceipt.objects.exists()


# --- stop and start


def test_a_start_is_an_answer_to_those_who_never_stopped_and_else_starts_again(account):
    (turn_id,) = intake.accept(account, [event("yes", "start")])
    assert InboundEvent.objects.get(turn=turn_id).kind == "text"
    assert intake.accept(account, [event("stop", "stop")]) == []
    assert intake.accept(account, [event("are you there?")]) == []
    assert intake.accept(account, [event("yes", "start")]) == []
    assert Contact.objects.get().stopped_at is None
    assert len(intake.accept(account, [event("a green jacket")])) == 1


def test_a_start_without_words_asks_nothing_of_those_who_never_stopped(account):
    assert intake.accept(account, [event("", "start")]) == []
    assert InboundEvent.objects.get().kind == "start"


def test_endless_keys_that_begin_alike_are_different_messages(account):
    first, second = (event(event_key="k" * 400 + ending) for ending in "ab")
    intake.accept(account, [first, second, first])
    assert InboundEvent.objects.count() == 2
