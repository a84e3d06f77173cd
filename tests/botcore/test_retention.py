"""A shop forgets conversations in which nobody says a word any more, and nothing else."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from botcore import retention
from botcore.channels.values import ReceivedEvent
from botcore.intake import accept
from botcore.learning import erasure, layers
from botcore.learning.review import queue
from botcore.models import (
    Alert,
    AlertRule,
    Annotation,
    AttributedOrder,
    AuditEntry,
    Button,
    Contact,
    Conversation,
    DatasetRow,
    EarlyReceipt,
    Feedback,
    InboundEvent,
    MetricBucket,
    Outbound,
    Retention,
    ReviewDecision,
    ShadowReply,
    TextItem,
    Topic,
    Turn,
)
from botcore.monitoring import rollup
from catalog.models import Customer, Interaction, Shop
from tests.factories import (
    AccountFactory,
    ContactFactory,
    ConversationFactory,
    DatasetFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ProductFactory,
    SentenceFactory,
    ShopFactory,
    StreamFactory,
    TextItemFactory,
    TurnFactory,
)
from tests.furnished import surge_of

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)
KEPT = 30


@pytest.fixture
def shop(db: None) -> Shop:
    made = ShopFactory(slug="pine")
    retention.keep_for(made, KEPT)
    return made


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def talk(shop: Shop, days: float, **kept: Any) -> Conversation:
    """A conversation with one answered turn and its message, all of so many days ago."""
    made = ConversationFactory(shop=shop, **kept)
    turn = TurnFactory(conversation=made, answered_at=ago(days))
    Outbound.objects.create(
        conversation=made, turn=turn, content={"text": turn.reply}, status="sent", sent_at=ago(days)
    )
    InboundEvent.objects.create(
        account=made.contact.account,
        contact=made.contact,
        event_key=f"e{turn.pk}",
        kind="text",
        turn=turn,
        text=turn.text,
    )
    for rows in (Turn.objects.filter(pk=turn.pk), Outbound.objects.filter(turn=turn)):
        rows.update(created_at=ago(days))
    Contact.objects.filter(pk=made.contact_id).update(created_at=ago(days), heard_at=ago(days))
    InboundEvent.objects.filter(turn=turn).update(received_at=ago(days))
    Conversation.objects.filter(pk=made.pk).update(created_at=ago(days), last_message_at=ago(days))
    return made


def kept() -> set[int]:
    return set(Conversation.objects.values_list("pk", flat=True))


# --- what goes --------------------------------------------------------------------------------------------------------


def test_what_has_been_silent_for_so_long_goes_and_what_is_newer_stays(shop):
    _old, young = talk(shop, KEPT + 1), talk(shop, KEPT - 1)
    retention.forget_silent(NOW)
    assert kept() == {young.pk}
    assert set(Contact.objects.values_list("pk", flat=True)) == {young.contact_id}


def test_a_shop_that_says_nothing_forgets_nothing_and_no_shop_forgets_for_another(shop):
    theirs = [talk(ShopFactory(), 4_000), talk(ShopFactory(), KEPT + 1)]
    retention.keep_for(theirs[1].shop, KEPT + 2)
    retention.forget_silent(NOW)
    assert kept() == {each.pk for each in theirs}
    retention.keep_for(shop, None)
    talk(shop, 4_000)
    retention.forget_silent(NOW)
    assert len(kept()) == 3


def test_everything_that_hangs_on_a_conversation_goes_with_it(shop):
    old = talk(shop, KEPT + 1)
    turn = old.turns.get()
    FeedbackFactory(turn=turn)
    Annotation.objects.create(turn=turn, verdict="approved")
    queue.enqueue(turn.pk)
    ReviewDecision.objects.create(turn=turn, token=uuid.uuid4(), kind="approved", before={}, after={})
    ShadowReply.objects.create(turn=turn, version=ModelVersionFactory(shop=shop), milliseconds=1.0)
    Button.objects.create(outbound=turn.outbound, number=1, action={})
    EarlyReceipt.objects.create(contact=old.contact, platform_id="1", status="read")
    SentenceFactory(item=TextItemFactory(stream=StreamFactory(shop=shop), turn=turn))
    Feedback.objects.update(created_at=ago(KEPT + 1), updated_at=ago(KEPT + 1))
    retention.forget_silent(NOW)
    hanging = {
        model
        for model in apps.get_app_config("botcore").get_models()
        for field in model._meta.concrete_fields
        if field.related_model in (Conversation, Turn, Outbound, TextItem, Contact)
    }
    assert len(hanging) > 10
    assert {model for model in hanging | {Conversation, Contact} if model.objects.exists()} == set()


def test_a_topic_that_nobody_else_speaks_of_goes_with_its_alert(shop):
    stream = StreamFactory(shop=shop)
    turns = [talk(shop, days).turns.get() for days in (KEPT + 1, KEPT + 1, 1)]
    items = [TextItemFactory(stream=stream, turn=turn) for turn in turns]
    lonely = SentenceFactory(item=items[0]).topic
    shared = SentenceFactory(item=items[1]).topic
    SentenceFactory(item=items[2], topic=shared)
    surge_of(lonely), surge_of(shared)
    retention.forget_silent(NOW)
    assert list(Topic.objects.all()) == [shared]
    assert Alert.objects.get().measured["topic"] == shared.pk


# --- what stays -------------------------------------------------------------------------------------------------------


def test_what_a_person_holds_stays(shop):
    held = talk(shop, KEPT + 1, waiting_for_person=True)
    retention.forget_silent(NOW)
    assert kept() == {held.pk}


def test_a_person_s_word_and_a_customer_s_opinion_count_as_words(shop):
    answered, judged, _neither = (talk(shop, KEPT + 1) for _ in range(3))
    Outbound.objects.create(conversation=answered, content={"text": "Your parcel is here."}, status="sent")
    FeedbackFactory(turn=judged.turns.get())
    retention.forget_silent(NOW)
    assert kept() == {answered.pk, judged.pk}


def test_a_customer_is_kept_with_what_they_said_lately_alone(shop):
    old = talk(shop, KEPT + 1, closed=True)
    new = talk(shop, 1, contact=old.contact)
    for days in (KEPT + 1, 1):
        event = InboundEvent.objects.create(
            account=old.contact.account, contact=old.contact, event_key=f"r{days}", kind="reaction"
        )
        InboundEvent.objects.filter(pk=event.pk).update(received_at=ago(days))
    retention.forget_silent(NOW)
    assert kept() == {new.pk}
    assert Contact.objects.get() == old.contact
    assert set(InboundEvent.objects.values_list("event_key", flat=True)) == {"r1", f"e{new.turns.get().pk}"}


def test_who_asked_for_no_more_messages_is_left_alone_for_good_and_who_is_told_of_alerts_is_told(shop):
    stopped, told = talk(shop, KEPT + 1).contact, talk(shop, KEPT + 1).contact
    Contact.objects.filter(pk=stopped.pk).update(stopped_at=ago(KEPT + 1))
    AlertRule.objects.create(shop=shop, name="Errors", metric="errors", threshold=0.1, contact=told)
    retention.forget_silent(NOW)
    assert not kept()
    assert set(Contact.objects.all()) == {stopped, told}


def test_snapshots_layers_orders_and_the_shop_s_own_customers_stay(shop, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    layers.file_of(shop).parent.mkdir()
    layers.file_of(shop).touch()
    customer = Customer.objects.create(shop=shop, key="C-1")
    old = talk(shop, KEPT + 1, contact__account=AccountFactory(shop=shop), contact__customer=customer)
    snapshot = DatasetFactory(shop=shop)
    DatasetRow.objects.create(
        dataset=snapshot, place=0, use="sft", part="train", content={}, turn_id=old.turns.get().pk,
        contact_id=old.contact_id, source="annotation:1",
    )  # fmt: skip
    Interaction.objects.create(
        shop=shop, customer=customer, product=ProductFactory(shop=shop), kind="order", at=ago(KEPT + 1)
    )
    retention.forget_silent(NOW)
    assert not kept() and not Contact.objects.exists()
    assert snapshot.rows.count() == Interaction.objects.count() == Customer.objects.count() == 1
    assert layers.file_of(shop).exists()


# --- what was counted -------------------------------------------------------------------------------------------------


def counted(shop: Shop) -> dict[str, float]:
    days = MetricBucket.objects.filter(shop=shop, width=MetricBucket.Width.DAY)
    return dict(rollup.merged(rollup.Bucket(d.start, d.channel, d.version, d.counts) for d in days))


def test_what_was_counted_stays_whatever_is_counted_again(shop):
    """Beside what is forgotten lies, in the same minute, the reply of somebody who still writes; it gets a thumb and an order."""
    product = ProductFactory(shop=shop, sku="P1")
    customer = Customer.objects.create(shop=shop, key="C-1")
    for _ in range(3):
        talk(shop, KEPT + 1, contact__account=AccountFactory(shop=shop), contact__customer=customer)
    stays = talk(shop, KEPT + 1)
    Conversation.objects.filter(pk=stays.pk).update(last_message_at=NOW)
    order = {"shop": shop, "customer": customer, "product": product, "kind": "order"}
    Interaction.objects.create(**order, at=ago(KEPT - 5))
    rollup.roll(shop, NOW)
    before = counted(shop)
    assert (before["messages"], before["orders"]) == (4, 1)
    retention.forget_silent(NOW)
    assert kept() == {stays.pk} and not AttributedOrder.objects.exists()

    FeedbackFactory(turn=stays.turns.get())
    Feedback.objects.update(created_at=ago(KEPT + 1), updated_at=NOW)
    Interaction.objects.create(**order, at=ago(KEPT - 5))
    rollup.roll(shop, NOW + timedelta(seconds=20))
    assert counted(shop) == before
    rollup.rebuild(shop)
    rollup.roll(shop, NOW + timedelta(seconds=40))
    assert counted(shop) == before


def test_what_came_after_is_counted_anew(shop):
    talk(shop, KEPT + 1), talk(shop, 1)
    retention.forget_silent(NOW)
    rollup.rebuild(shop)
    talk(shop, 2)
    rollup.roll(shop, NOW + timedelta(seconds=20))
    assert counted(shop)["messages"] == 3


def test_what_is_not_counted_yet_is_not_forgotten(shop, monkeypatch):
    talk(shop, KEPT + 1)
    with monkeypatch.context() as patched:
        patched.setattr(rollup, "roll", lambda shop, now: False)
        retention.forget_silent(NOW)
    assert len(kept()) == 1
    retention.forget_silent(NOW)
    assert not kept() and counted(shop)["messages"] == 1


# --- many, at once, again ---------------------------------------------------------------------------------------------


def test_a_round_takes_so_many_batches_and_the_next_one_goes_on(shop, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES", 2)
    for _ in range(5):
        talk(shop, KEPT + 1)
    assert retention.forget(shop, ago(KEPT), NOW) == 4
    assert retention.forget(shop, ago(KEPT), NOW) == 1
    assert retention.forget(shop, ago(KEPT), NOW) == 0
    assert not Contact.objects.exists()


def test_a_worker_that_dies_has_forgotten_whole_batches(shop, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 1)
    for _ in range(2):
        talk(shop, KEPT + 1)
    forget, batches = erasure.forget, iter([True, False])

    def dying(*what: Any) -> None:
        forget(*what)
        if not next(batches):
            raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "forget", dying)
        retention.forget_silent(NOW)
    assert (len(kept()), Turn.objects.count(), Contact.objects.count()) == (1, 1, 2)
    retention.forget_silent(NOW)
    assert not kept() and not Contact.objects.exists()


def test_one_shop_that_breaks_keeps_no_other_from_forgetting(shop, monkeypatch):
    other = talk(ShopFactory(), KEPT + 1).shop
    retention.keep_for(other, KEPT)
    talk(shop, KEPT + 1)
    roll = rollup.roll

    def broken(of: Shop, now: datetime) -> bool:
        if of == shop:
            raise RuntimeError
        return roll(of, now)

    monkeypatch.setattr(rollup, "roll", broken)
    retention.forget_silent(NOW)
    assert Conversation.objects.get().shop == shop


@pytest.mark.django_db(transaction=True)
def test_what_somebody_is_just_writing_in_stays():
    shop = ShopFactory()
    old = talk(shop, KEPT + 1)
    forgotten: list[int] = []

    def forget() -> None:
        forgotten.append(retention.forget(shop, ago(KEPT), NOW))
        connection.close()

    with transaction.atomic():
        accept(
            old.contact.account,
            [ReceivedEvent("again", "text", old.contact.external_id, "Hello again")],
            lambda _: None,
        )
        thread = threading.Thread(target=forget)
        thread.start()
        thread.join(timeout=20)
    assert forgotten == [0]
    assert old.turns.count() == 2 and Contact.objects.get() == old.contact


def test_the_same_few_queries_choose_a_batch_however_many_conversations_there_are(shop, django_assert_max_num_queries):
    for _ in range(20):
        talk(shop, KEPT + 1)
    rollup.roll(shop, NOW)
    with django_assert_max_num_queries(80):
        assert retention.forget(shop, ago(KEPT), NOW) == 20


# --- the rule ---------------------------------------------------------------------------------------------------------


def test_a_limit_is_of_two_weeks_to_ten_years(shop):
    for days in (0, 13, 3_651):
        with pytest.raises(ValueError, match="14 to 3650"):
            retention.keep_for(shop, days)
    assert retention.limit(shop) == KEPT
    retention.keep_for(shop, None)
    assert retention.limit(shop) is None and not Retention.objects.exists()


def test_a_forgotten_customer_who_writes_again_is_somebody_new(shop):
    old = talk(shop, KEPT + 1)
    account, who = old.contact.account, old.contact.external_id
    retention.forget_silent(NOW)
    accept(account, [ReceivedEvent("again", "text", who, "Hello")], lambda _: None)
    assert Contact.objects.get().external_id == who
    assert Conversation.objects.get().turns.get().number == 1


def test_what_a_worker_forgets_leaves_no_entry(shop):
    talk(shop, KEPT + 1)
    retention.forget_silent(NOW)
    assert not AuditEntry.objects.exists()


def test_somebody_who_never_said_a_word_is_forgotten_as_well(shop):
    old, new = ContactFactory(account__shop=shop), ContactFactory(account__shop=shop)
    Contact.objects.filter(pk=old.pk).update(created_at=ago(KEPT + 1))
    retention.forget_silent(NOW)
    assert Contact.objects.get() == new
