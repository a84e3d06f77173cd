"""A stored reply reaches its platform once, in order, and as soon as the platform lets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from botcore import delivery, intake, queues, receipts
from botcore.channels import health
from botcore.channels.values import Choice, OutboundMessage, Payload, ReceivedEvent, Recipient, SendResult
from botcore.models import ChannelHealth, Contact, Conversation, EarlyReceipt, Feedback, Outbound, Turn
from tests.factories import ContactFactory, ConversationFactory, ProductFactory, TurnFactory
from tests.fakes import FakeChannel, at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wakes")]

FAILED = SendResult(ok=False, error="503")
REFUSED = SendResult(ok=False, permanent=True, error="blocked by the user")


@pytest.fixture(autouse=True)
def platform(monkeypatch: pytest.MonkeyPatch) -> FakeChannel:
    channel = FakeChannel()
    monkeypatch.setattr(delivery, "channel_for", lambda account: channel)
    return channel


def reply(conversation: Conversation | None = None, **fields: object) -> Outbound:
    turn = TurnFactory(conversation=conversation or ConversationFactory())
    content = OutboundMessage(turn.reply, turn.pk).to_json()
    return Outbound.objects.create(conversation=turn.conversation, turn=turn, content=content, **fields)


def seconds_until_next(outbound: Outbound) -> float:
    outbound.refresh_from_db()
    assert outbound.next_attempt_at is not None
    return (outbound.next_attempt_at - timezone.now()).total_seconds()


def due_now(outbound: Outbound) -> None:
    """Its time has come, and its platform is believed to be back."""
    Outbound.objects.filter(pk=outbound.pk).update(next_attempt_at=timezone.now())
    ChannelHealth.objects.update(open_until=None, paused_until=None)


def parts(platform: FakeChannel) -> list[int]:
    return [payload["part"] for payload in platform.sent]


def test_every_part_is_sent_in_order_and_its_id_kept(platform):
    platform.parts = 3
    outbound = reply()
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert parts(platform) == [1, 2, 3]
    assert outbound.platform_ids == ["id-1", "id-2", "id-3"]
    assert (outbound.status, outbound.parts_sent, outbound.attempts) == ("sent", 3, 1)
    assert (outbound.leased_until, outbound.error) == (None, "")
    assert outbound.sent_at is not None


def test_a_sent_message_is_not_sent_again(platform):
    outbound = reply()
    delivery.deliver(outbound.pk)
    delivery.deliver(outbound.pk)
    assert parts(platform) == [1]


@pytest.mark.django_db(transaction=True)
def test_many_workers_woken_for_one_message_send_it_once(platform):
    outbound = reply()
    at_once(*[lambda: delivery.deliver(outbound.pk)] * 6)
    assert parts(platform) == [1]


def test_the_platform_says_when_to_come_back(platform):
    platform.results = [SendResult(ok=False, retry_after=30, error="429")]
    outbound = reply()
    delivery.deliver(outbound.pk)
    assert 29 < seconds_until_next(outbound) <= 30
    assert (outbound.status, outbound.leased_until, outbound.error) == ("pending", None, "429")
    delivery.deliver(outbound.pk)
    assert parts(platform) == [1]
    due_now(outbound)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, parts(platform)) == ("sent", [1, 1])


def test_attempts_that_fail_are_further_and_further_apart_until_the_last(platform):
    outbound = reply()
    platform.results = [FAILED] * delivery.MAX_ATTEMPTS
    for step in delivery.BACKOFF_SECONDS:
        delivery.deliver(outbound.pk)
        assert step * 0.8 - 1 < seconds_until_next(outbound) < step * 1.2
        due_now(outbound)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, outbound.attempts, outbound.error) == ("failed", delivery.MAX_ATTEMPTS, "503")
    platform.results = []
    delivery.resend(outbound)
    due_now(outbound)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, outbound.error) == ("sent", "")


def test_a_platform_that_always_asks_for_a_second_does_not_use_up_all_attempts_in_seconds(platform):
    outbound = reply()
    platform.results = [SendResult(ok=False, retry_after=1, error="429")] * delivery.MAX_ATTEMPTS
    waited = 0.0
    for _ in delivery.BACKOFF_SECONDS:
        delivery.deliver(outbound.pk)
        waited += seconds_until_next(outbound)
        due_now(outbound)
    assert waited > 0.75 * sum(delivery.BACKOFF_SECONDS)


def test_what_no_retry_can_help_is_given_up_at_once(platform):
    platform.results = [REFUSED]
    outbound = reply()
    delivery.deliver(outbound.pk)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, outbound.error, parts(platform)) == ("failed", "blocked by the user", [1])


def test_a_retry_goes_on_after_the_parts_that_arrived(platform):
    platform.parts, platform.results = 3, [SendResult(ok=True, platform_id="first"), FAILED]
    outbound = reply()
    delivery.deliver(outbound.pk)
    due_now(outbound)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert parts(platform) == [1, 2, 2, 3]
    assert outbound.platform_ids == ["first", "id-3", "id-4"]


def test_a_message_that_somebody_is_sending_is_left_to_them_until_they_are_dead(platform):
    outbound = reply(leased_until=timezone.now() + timedelta(seconds=1), parts_sent=1, platform_ids=["first"])
    platform.parts = 2
    delivery.deliver(outbound.pk)
    assert platform.sent == []
    Outbound.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (parts(platform), outbound.platform_ids) == ([2], ["first", "id-1"])


def test_a_message_of_many_slow_parts_stays_with_who_sends_it(platform, monkeypatch):
    now = timezone.now()
    outbound = reply()

    def a_slow_part() -> None:
        nonlocal now
        now += delivery.LEASE * 0.9
        monkeypatch.setattr(timezone, "now", lambda: now)
        delivery.deliver(outbound.pk)

    platform.parts, platform.meanwhile = 3, a_slow_part
    delivery.deliver(outbound.pk)
    assert parts(platform) == [1, 2, 3]


def test_a_later_reply_does_not_overtake_one_that_waits_for_its_retry(platform, wakes):
    first = reply()
    second = reply(first.conversation)
    platform.results = [FAILED]
    delivery.deliver(first.pk)
    delivery.deliver(second.pk)
    assert [payload["text"] for payload in platform.sent] == [first.turn.reply]
    due_now(first)
    delivery.deliver(first.pk)
    assert wakes[-1] == ("deliver", second.pk)
    delivery.deliver(second.pk)
    second.refresh_from_db()
    assert second.status == "sent"


def test_a_reply_that_was_given_up_holds_up_no_other(platform, wakes):
    first = reply()
    second = reply(first.conversation)
    platform.results = [REFUSED]
    delivery.deliver(first.pk)
    assert wakes == [("deliver", second.pk)]
    delivery.deliver(second.pk)
    second.refresh_from_db()
    assert second.status == "sent"


def test_conversations_do_not_wait_for_each_other(platform):
    hers, his = reply(), reply()
    platform.results = [FAILED]
    delivery.deliver(hers.pk)
    delivery.deliver(his.pk)
    his.refresh_from_db()
    assert his.status == "sent"


def test_a_message_that_breaks_its_channel_is_tried_again_and_given_up_at_last(platform):
    def broken() -> None:
        raise RuntimeError("no such picture")

    platform.meanwhile = broken
    outbound = reply()
    for _ in range(delivery.MAX_ATTEMPTS):
        with pytest.raises(RuntimeError):
            delivery.deliver(outbound.pk)
        due_now(outbound)
    outbound.refresh_from_db()
    assert (outbound.status, outbound.error) == ("failed", "RuntimeError: no such picture")


def test_the_sweeper_wakes_what_is_due_and_held_by_nobody_unless_the_broker_has_it_yet(wakes, monkeypatch):
    past, future = timezone.now() - timedelta(minutes=1), timezone.now() + timedelta(minutes=1)
    lost, dead, due = reply(), reply(leased_until=past), reply(next_attempt_at=past)
    for other in (
        reply(leased_until=future),
        reply(next_attempt_at=future),
        reply(status=Outbound.Status.SENT),
        reply(status=Outbound.Status.FAILED),
    ):
        assert other.pk
    Outbound.objects.update(created_at=past)
    reply()
    assert delivery.sweep() == 3
    assert sorted(wakes) == [("deliver", outbound.pk) for outbound in (lost, dead, due)]
    monkeypatch.setattr(queues, "backlog", {"io": 3}.__getitem__)
    assert delivery.sweep() == 0


@pytest.mark.parametrize(("status", "shown"), [(Turn.Status.WAITING, 1), (Turn.Status.ANSWERED, 0)])
def test_typing_is_shown_while_there_is_no_reply(platform, monkeypatch, status, shown):
    told: list[Recipient] = []
    monkeypatch.setattr(platform, "typing", told.append)
    turn = TurnFactory(status=status)
    show: Callable[[int], None] = delivery.show_typing
    show(turn.pk)
    assert told == [Recipient(turn.conversation.contact.external_id)] * shown


# --- what the account and its platform allow


def with_capabilities(platform: FakeChannel, **changes: object) -> None:
    platform.capabilities = replace(FakeChannel.capabilities, **changes)


def test_the_same_part_goes_out_with_the_same_key_however_often(platform):
    platform.parts, platform.results = 2, [SendResult(ok=True), FAILED]
    outbound, other = reply(), reply()
    delivery.deliver(outbound.pk)
    due_now(outbound)
    delivery.deliver(outbound.pk)
    delivery.deliver(other.pk)
    first, second, again, *others = platform.keys
    assert second == again
    assert len({first, second, *others}) == 4


def test_what_was_refused_after_all_is_sent_again_as_another_message(platform):
    outbound = reply()
    delivery.deliver(outbound.pk)
    contact = outbound.conversation.contact
    told = {"platform_id": "id-1", "status": "failed"}
    receipts.note(contact.account, ReceivedEvent("r-1", "status", contact.external_id, data=told))
    outbound.refresh_from_db()
    assert outbound.status == "failed"
    platform.results = [FAILED]
    delivery.resend(outbound)
    for _ in range(2):
        delivery.deliver(outbound.pk)
        due_now(outbound)
    first, again, once_more = platform.keys
    assert again == once_more != first


def test_an_account_sends_no_faster_than_its_platform_allows(platform, wakes):
    with_capabilities(platform, rate=0.5, burst=2)
    first = reply()
    others = [
        reply(ConversationFactory(contact=ContactFactory(account=first.conversation.contact.account))) for _ in "ab"
    ]
    for outbound in (first, *others):
        delivery.deliver(outbound.pk)
    assert len(platform.sent) == 2
    waiting = others[-1]
    assert 0 < seconds_until_next(waiting) <= 4
    assert (waiting.status, waiting.attempts, waiting.error) == ("pending", 0, "")
    ChannelHealth.objects.update(free_at=timezone.now() - timedelta(seconds=2))
    due_now(waiting)
    delivery.deliver(waiting.pk)
    assert len(platform.sent) == 3


@pytest.mark.django_db(transaction=True)
def test_many_workers_share_one_bucket(platform):
    with_capabilities(platform, rate=0.01, burst=3)
    first = reply()
    account = first.conversation.contact.account
    many = [first, *(reply(ConversationFactory(contact=ContactFactory(account=account))) for _ in range(7))]
    at_once(*[partial(delivery.deliver, outbound.pk) for outbound in many])
    assert len(platform.sent) == 3


def test_what_the_platform_asks_one_message_to_wait_the_others_wait_too(platform):
    platform.results = [SendResult(ok=False, retry_after=30, error="429")]
    first = reply()
    second = reply(ConversationFactory(contact=ContactFactory(account=first.conversation.contact.account)))
    delivery.deliver(first.pk)
    delivery.deliver(second.pk)
    assert len(platform.sent) == 1
    assert 28 < seconds_until_next(second) < 32
    assert second.attempts == 0


def test_a_customer_who_has_had_too_many_messages_keeps_nobody_else_waiting(platform):
    first = reply()
    account = first.conversation.contact.account
    for _ in range(health.FAILURES_TO_OPEN):
        platform.results = [SendResult(ok=False, crowded=True, error="131056")]
        due_now(first)
        delivery.deliver(first.pk)
    second = reply(ConversationFactory(contact=ContactFactory(account=account)))
    delivery.deliver(second.pk)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (first.status, second.status) == ("pending", "sent")
    assert ChannelHealth.objects.get(account=account).open_until is None


def tell(outbound: Outbound, platform_id: str, status: str) -> None:
    """The platform tells of a message of ours."""
    contact = outbound.conversation.contact
    data = {"platform_id": platform_id, "status": status, "error": "131053 no such picture"}
    intake.accept(contact.account, [ReceivedEvent(f"{platform_id}:{status}", "status", contact.external_id, data=data)])


def test_receipts_that_come_while_a_message_is_being_sent_are_read_when_it_is(platform):
    outbound = reply()
    platform.meanwhile = lambda: (tell(outbound, "id-1", "read"), tell(outbound, "id-1", "delivered"))
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, outbound.receipt) == ("sent", "read")
    assert not EarlyReceipt.objects.exists()


def test_a_part_that_is_refused_while_the_next_is_being_sent_is_sent_again_with_what_follows(platform):
    platform.parts = 3
    outbound = reply()
    platform.meanwhile = lambda: tell(outbound, "id-2", "failed") if len(platform.sent) == 2 else None
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (outbound.status, outbound.error) == ("failed", "131053 no such picture")
    assert (outbound.parts_sent, outbound.platform_ids) == (1, ["id-1"])
    platform.meanwhile = lambda: None
    delivery.resend(outbound)
    delivery.deliver(outbound.pk)
    assert parts(platform) == [1, 2, 3, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_a_receipt_that_is_stored_while_its_message_is_being_sent_finds_it(platform):
    """Whoever comes second finds what the first has stored: here the sender is done between our look and our commit."""
    outbound = reply()
    with transaction.atomic():
        tell(outbound, "id-1", "delivered")
        at_once(partial(delivery.deliver, outbound.pk))
    outbound.refresh_from_db()
    assert (outbound.status, outbound.receipt) == ("sent", "delivered")
    assert not EarlyReceipt.objects.exists()


def test_a_platform_that_is_down_is_asked_by_one_message_at_a_time(platform):
    first = reply()
    account = first.conversation.contact.account
    others = [reply(ConversationFactory(contact=ContactFactory(account=account))) for _ in range(7)]
    platform.results = [FAILED] * 8
    for outbound in (first, *others):
        delivery.deliver(outbound.pk)
    assert len(platform.sent) == health.FAILURES_TO_OPEN
    ChannelHealth.objects.update(open_until=timezone.now())
    Outbound.objects.update(next_attempt_at=timezone.now())
    platform.results = []

    def meanwhile_the_others_wait() -> None:
        platform.meanwhile = lambda: None
        delivery.deliver(others[-2].pk)

    platform.meanwhile = meanwhile_the_others_wait
    delivery.deliver(others[-1].pk)
    assert len(platform.sent) == health.FAILURES_TO_OPEN + 1
    row = ChannelHealth.objects.get(account=account)
    assert (row.failures, row.open_until) == (0, None)


def test_a_message_that_is_wrong_by_itself_says_nothing_of_its_platform(platform):
    first = reply()
    account = first.conversation.contact.account
    many = [first, *(reply(ConversationFactory(contact=ContactFactory(account=account))) for _ in range(6))]
    platform.results = [REFUSED] * len(many)
    for outbound in many:
        delivery.deliver(outbound.pk)
    assert len(platform.sent) == len(many)
    assert ChannelHealth.objects.get(account=account).open_until is None


def test_after_the_window_the_customer_is_asked_back_and_the_reply_is_kept(platform, monkeypatch):
    with_capabilities(platform, window=3600)
    outbound = reply()
    Contact.objects.update(heard_at=timezone.now() - timedelta(hours=2))
    ask: list[Payload] = [{"part": 1, "text": "May we write to you?"}]
    monkeypatch.setattr(platform, "reopen", lambda message: ask)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert platform.sent == ask
    assert (outbound.status, outbound.parts_sent) == ("failed", 0)
    assert outbound.error == "the customer wrote too long ago for this platform, and was asked back"


def test_a_customer_is_asked_back_once_until_they_write(platform, monkeypatch):
    with_capabilities(platform, window=3600)
    talk = ConversationFactory()
    first, second, later = (reply(talk) for _ in range(3))
    Contact.objects.update(heard_at=timezone.now() - timedelta(hours=2))
    ask: list[Payload] = [{"part": 1, "text": "May we write to you?"}]
    monkeypatch.setattr(platform, "reopen", lambda message: ask)
    for outbound in (first, second):
        delivery.deliver(outbound.pk)
    second.refresh_from_db()
    assert (second.status, platform.sent) == ("failed", ask)
    assert second.error == "the customer wrote too long ago for this platform"
    Contact.objects.update(asked_back_at=timezone.now() - timedelta(hours=3))  # they have written since
    delivery.deliver(later.pk)
    assert platform.sent == ask * 2


def test_who_is_too_late_by_the_platforms_own_clock_is_asked_back_as_well(platform, monkeypatch):
    platform.results = [SendResult(ok=False, window_closed=True, error="131047")]
    outbound = reply()
    monkeypatch.setattr(platform, "reopen", lambda message: [{"part": 1, "text": "May we write to you?"}])
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert [payload["text"] for payload in platform.sent][1:] == ["May we write to you?"]
    assert (outbound.status, outbound.error) == ("failed", f"{delivery.CLOSED.error}, and was asked back")


def test_no_more_messages_than_the_platform_grants_are_sent(platform):
    with_capabilities(platform, quota=2)
    platform.parts = 3
    outbound = reply()
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (parts(platform), outbound.status, outbound.parts_sent) == ([1, 2], "failed", 2)


def test_who_asked_for_no_more_messages_gets_none(platform):
    outbound = reply()
    Contact.objects.update(stopped_at=timezone.now())
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert (platform.sent, outbound.status) == ([], "failed")


def test_a_message_is_held_where_the_platform_only_asks(platform):
    platform.results = [SendResult(ok=False, held=True)]
    first = reply()
    second = reply(first.conversation)
    delivery.deliver(first.pk)
    first.refresh_from_db()
    assert (first.status, first.attempts) == ("held", 1)
    assert second.status == "pending"


def test_a_reply_grows_sentence_by_sentence_where_the_platform_shows_that(platform, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(platform, "stream", lambda recipient, turn, text: shown.append(text))
    turn = TurnFactory()
    content = OutboundMessage("It is light. It is green! 你好。再见", turn.pk).to_json()
    outbound = Outbound.objects.create(conversation=turn.conversation, turn=turn, content=content)
    with_capabilities(platform, streaming=True)
    delivery.deliver(outbound.pk)
    assert shown == ["It is light.", "It is light. It is green!", "It is light. It is green! 你好。"]


def test_a_pressed_thumb_is_shown_under_the_reply_it_judges_until_it_is_taken_back(platform, monkeypatch):
    edited: list[tuple[str, Payload]] = []
    turn = TurnFactory()
    message = OutboundMessage("Hello.", turn.pk, up=Choice("a", 1), down=Choice("b", 2))
    outbound = Outbound.objects.create(
        conversation=turn.conversation, turn=turn, content=message.to_json(), platform_ids=["7", "8"]
    )
    monkeypatch.setattr(platform, "render", lambda message: [{"text": message.text}, {"thumbs": message.verdict}])
    monkeypatch.setattr(platform, "edit", lambda recipient, platform_id, payload: edited.append((platform_id, payload)))
    opinion = Feedback.objects.create(turn=turn, contact=turn.conversation.contact, kind="up", source="button")
    delivery.show_verdict(outbound.pk)
    assert edited == [("8", {"thumbs": "up"})]
    opinion.delete()
    delivery.show_verdict(outbound.pk)
    assert edited[1:] == [("7", {"text": "Hello."}), ("8", {"thumbs": ""})]


@pytest.mark.parametrize(
    ("waited", "price", "status"), [(2, "59.00", "failed"), (2, "49.00", "sent"), (0, "59.00", "sent")]
)
def test_a_message_that_had_to_wait_is_not_sent_once_its_prices_have_changed(platform, waited, price, status):
    conversation = ConversationFactory()
    variant = ProductFactory(shop=conversation.shop).variants.get()
    outbound = reply(conversation, facts={"told": [[variant.pk, str(variant.price), True]]})
    Outbound.objects.update(created_at=timezone.now() - timedelta(minutes=waited))
    type(variant).objects.update(price=price)
    delivery.deliver(outbound.pk)
    outbound.refresh_from_db()
    assert outbound.status == status
    assert len(platform.sent) == (status == "sent")
