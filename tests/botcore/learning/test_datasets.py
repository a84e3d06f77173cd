"""A snapshot holds what is fit to learn from, leaks nothing from what is tested, and is never changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.learning import datasets
from botcore.learning.corrections import approve, correct, reject
from botcore.learning.datasets import Filters, NothingToLearnError, build
from botcore.learning.erasure import erase
from botcore.models import Contact, Dataset, DatasetRow, Feedback, Turn
from catalog.models import Shop
from tests.factories import (
    ConversationFactory,
    FeedbackFactory,
    ModelVersionFactory,
    ShopFactory,
    TextItemFactory,
    TurnFactory,
)

pytestmark = pytest.mark.django_db

COLOURS = ("green", "navy", "crimson", "ivory", "teal", "amber", "olive", "plum", "coral", "slate", "rust", "sand")
NOUNS = ("jacket", "kettle", "lipstick", "novel", "lamp", "rucksack", "blender", "scarf", "toaster", "perfume")


@pytest.fixture
def shop() -> Shop:
    return ShopFactory()


def reply_about(shop: Shop, number: int, customer: str = "", **fields: Any) -> Turn:
    """A model-written reply of a conversation of its own, as many hours old as its number is small."""
    colour, noun = COLOURS[number % len(COLOURS)], NOUNS[number // len(COLOURS) % len(NOUNS)]
    item = ItemFacts("A", noun, {"color": colour}, {"name": f"The {colour} {noun}", "price": f"${number + 10}.00"})
    brief = Brief("recommend", customer or f"I want a {colour} {noun}", wishes=(noun, colour), items=(item,))
    text = f"Try the {colour} [A.name], at [A.price]."
    filled = f"Try the {colour} The {colour} {noun}, at ${number + 10}.00."
    sample = {"text": text, "filled": filled, "accepted": True, "problems": [], "scores": {}, "chosen": True}
    made = {
        "brief": brief.to_json(),
        "samples": [sample],
        "reply": filled,
        "slate": [{"letter": "A", "sku": f"P{number}"}],
    }
    turn = TurnFactory(conversation=ConversationFactory(shop=shop), **made | fields)
    Turn.objects.filter(pk=turn.pk).update(created_at=timezone.now() - timedelta(hours=500 - number))
    turn.refresh_from_db()
    return turn


def approved_replies(shop: Shop, count: int) -> list[Turn]:
    turns = [reply_about(shop, number) for number in range(count)]
    for turn in turns:
        approve(turn, None)
    return turns


def approved_snapshot(shop: Shop) -> Dataset:
    approved_replies(shop, 20)
    return build(shop, Filters())


def rows(dataset: Dataset, **wanted: Any) -> list[DatasetRow]:
    return list(dataset.rows.filter(**wanted))


def test_approved_replies_are_taught_and_corrected_ones_are_preferred_too(shop):
    first, second = reply_about(shop, 0), reply_about(shop, 1)
    approve(first, None)
    correct(second, "I'd go for the navy [A.name], at [A.price].", None)
    dataset = build(shop, Filters())
    taught = [row.content["reply"] for row in rows(dataset, use="sft")]
    assert taught == ["Try the green [A.name], at [A.price].", "I'd go for the navy [A.name], at [A.price]."]
    (pair,) = rows(dataset, use="preference")
    assert pair.content["rejected"] == "Try the navy [A.name], at [A.price]."
    assert pair.source == f"annotation:{second.annotations.get().pk}"
    assert (pair.turn_id, pair.contact_id) == (second.pk, second.conversation.contact_id)


def test_rejected_replies_and_those_not_for_training_are_left_out(shop):
    approve(reply_about(shop, 0), None)
    reject(reply_about(shop, 1), None)
    approve(reply_about(shop, 2), None, for_training=False)
    dataset = build(shop, Filters())
    assert len(rows(dataset)) == 1
    assert dataset.counts["left_out"] == {"rejected": 1}


def test_the_newest_word_on_a_reply_counts(shop, django_user_model):
    turn = reply_about(shop, 0)
    approve(turn, django_user_model.objects.create(username="ann"))
    correct(turn, "I'd go for the green [A.name], at [A.price].", django_user_model.objects.create(username="bob"))
    assert [row.content.get("reply") for row in rows(build(shop, Filters()), use="sft")] == [
        "I'd go for the green [A.name], at [A.price]."
    ]


def test_the_test_part_is_later_than_what_is_learned_and_no_conversation_is_in_two(shop):
    turns = approved_replies(shop, 40)
    dataset = build(shop, Filters())
    assert dataset.counts["rows"]["sft"] == {"train": 28, "validation": 6, "test": 6}
    made = {turn.pk: turn.created_at for turn in turns}
    newest_learned = max(made[row.turn_id] for row in rows(dataset, part="train"))
    assert all(made[row.turn_id] > newest_learned for row in rows(dataset, part__in=("validation", "test")))


def test_every_part_has_its_share_of_corrections_however_old_they_are(shop):
    """The merchant began with the oldest replies; thumbs are on all."""
    for number in range(60):
        turn = reply_about(shop, number)
        FeedbackFactory(turn=turn)
        if number < 20:
            correct(turn, turn.samples[0]["text"].replace("Try", "How about"), None)
    counts = build(shop, Filters()).counts["rows"]
    assert counts["preference"] == {"train": 14, "validation": 3, "test": 3}
    assert counts["vote"]["test"] == 6


def test_two_replies_of_one_conversation_stay_together(shop):
    turns = approved_replies(shop, 20)
    for turn, other in zip(turns[:10], turns[10:], strict=True):
        Turn.objects.filter(pk=other.pk).update(conversation=turn.conversation, number=2)
    parts: dict[int, set[str]] = {}
    for row in rows(build(shop, Filters())):
        parts.setdefault(Turn.objects.get(pk=row.turn_id).conversation_id, set()).add(row.part)
    assert all(len(found) == 1 for found in parts.values())


def test_personal_data_never_reach_a_snapshot(shop):
    said = "I want a green jacket, send it to ann.lee@example.com or call +49 170 1234567"
    approve(reply_about(shop, 0, said), None)
    (row,) = rows(build(shop, Filters()))
    assert "example.com" not in str(row.content)
    assert "1234567" not in str(row.content)
    assert "green jacket" in row.content["brief"]["customer"]


def test_values_behind_tags_stay_in_the_shop(shop):
    approve(reply_about(shop, 3), None)
    (row,) = rows(build(shop, Filters()))
    assert row.content["brief"]["items"][0]["slots"] == {"name": "", "price": ""}


def test_near_copies_are_kept_once(shop):
    for _ in range(5):
        approve(reply_about(shop, 4), None)
    dataset = build(shop, Filters())
    assert len(rows(dataset)) == 1
    assert dataset.counts["left_out"] == {"near-duplicate": 4}


def test_the_same_feedback_gives_the_same_snapshot_and_new_feedback_another(shop):
    approved_replies(shop, 5)
    first = build(shop, Filters())
    assert build(shop, Filters()) == first
    assert datasets.content_hash(rows(first)) == first.content_hash
    approve(reply_about(shop, 50), None)
    assert build(shop, Filters()) != first
    assert len(rows(first)) == 5


def test_filters_bound_what_is_let_in(shop):
    turns = approved_replies(shop, 10)
    since = turns[6].created_at
    assert {row.turn_id for row in rows(build(shop, Filters(since=since)))} == {turn.pk for turn in turns[6:]}
    assert {row.turn_id for row in rows(build(shop, Filters(until=since)))} == {turn.pk for turn in turns[:6]}
    with pytest.raises(NothingToLearnError):
        build(shop, Filters(acts=("compare",)))


def test_what_may_not_be_sent_is_not_taught(shop):
    turn = reply_about(shop, 0)
    correct(turn, "Try the marvellous green [A.name], at [A.price].", None)
    approve(reply_about(shop, 1), None)
    dataset = build(shop, Filters())
    assert dataset.counts["left_out"] == {"says what may not be sent": 1}


def test_a_word_that_merchants_use_again_and_again_becomes_the_houses_and_is_taught(shop):
    for number in range(6):
        turn = reply_about(shop, number)
        correct(turn, turn.samples[0]["text"].replace("Try", "Sample"), None)
    dataset = build(shop, Filters())
    assert dict(shop.house_words.values_list("word", "stands_for")) == {"sample": "try"}
    assert {row.content["brief"]["house_words"]["sample"] for row in rows(dataset)} == {"try"}
    assert len(rows(dataset, use="sft")) == 6


def test_thumbs_that_count_are_in_it(shop):
    for number in range(30):
        FeedbackFactory(turn=reply_about(shop, number), kind="up" if number % 3 else "down")
    dataset = build(shop, Filters())
    liked = [row.content["liked"] for row in rows(dataset, use="vote")]
    assert (len(liked), sum(liked)) == (30, 20)
    assert rows(dataset, use="sft") == []
    with pytest.raises(NothingToLearnError):
        build(shop, Filters(votes=False))


def test_what_is_tested_on_is_not_learned_from_a_thumb_on_the_same_reply_either(shop):
    tested = [row.content for row in rows(approved_snapshot(shop), part="test")]
    for number in range(30):
        FeedbackFactory(turn=reply_about(shop, number + 40))
    copies = [reply_about(shop, number) for number in range(20)]
    for turn in copies:
        FeedbackFactory(turn=turn)
    dataset = build(shop, Filters())
    told = {row.content["brief"]["customer"] for row in rows(dataset, use="vote")}
    assert tested and told.isdisjoint(content["brief"]["customer"] for content in tested)
    assert dataset.counts["left_out"]["tested on"] == len(tested)
    assert {turn.brief["customer"] for turn in copies} & told


def test_one_customers_thousand_votes_are_a_drop(shop):
    for number in range(38):
        FeedbackFactory(turn=reply_about(shop, number))
    before = build(shop, Filters())
    troll = ConversationFactory(shop=shop)
    for number in range(38, 118):
        turn = reply_about(shop, number)
        Turn.objects.filter(pk=turn.pk).update(conversation=troll, number=number)
        Feedback.objects.create(turn=turn, contact=troll.contact, kind="down", source="button")
    after = build(shop, Filters())
    assert len(rows(before, use="vote")) == 38
    hostile = [row for row in rows(after, use="vote") if row.contact_id == troll.contact_id]
    assert (len(hostile), len(rows(after, use="vote"))) == (2, 40)


def test_other_shops_and_other_languages_are_not_in_it(shop):
    approve(reply_about(ShopFactory(), 0), None)
    approve(reply_about(shop, 1, language="zh"), None)
    with pytest.raises(NothingToLearnError, match="approve or correct"):
        build(shop, Filters())


def test_every_row_tells_keywords_topic_and_sentiment(shop):
    approve(reply_about(shop, 0, understanding={"intent": "upset"}), None)
    (row,) = rows(build(shop, Filters()))
    assert row.features["sentiment"] == "negative"
    assert row.features["topic"] == "clothing/jackets"
    assert "jacket" in row.features["keywords"]


def test_what_a_worker_read_of_a_message_tells_its_sentiment_before_its_intent_does(shop):
    turn = reply_about(shop, 0, understanding={"intent": "search"})
    TextItemFactory(stream__shop=shop, turn=turn, sentiment="positive")
    approve(turn, None)
    (row,) = rows(build(shop, Filters()))
    assert row.features["sentiment"] == "positive"


def test_keywords_are_what_tells_a_message_from_the_others(shop):
    for number, said in enumerate(("a jacket please", "a jacket please for rain", "a jacket please of waxed canvas")):
        approve(reply_about(shop, number, said), None)
    keywords = [row.features["keywords"] for row in rows(build(shop, Filters()))]
    assert keywords[1][0] == "rain"
    assert set(keywords[2][:2]) == {"canva", "wax"}
    assert "jacket" in keywords[0]


def test_the_same_rows_under_other_filters_are_another_snapshot(shop):
    turns = approved_replies(shop, 6)
    everything = build(shop, Filters())
    recent = build(shop, Filters(since=turns[0].created_at))
    assert recent != everything and recent.content_hash == everything.content_hash
    assert recent.filters["since"] == turns[0].created_at.isoformat()
    assert datasets.unchanged(recent) == rows(recent)
    assert build(shop, Filters(since=turns[0].created_at)) == recent


def test_the_database_lets_no_row_of_a_snapshot_be_changed(shop):
    approved_replies(shop, 6)
    dataset = build(shop, Filters())
    for change in ({"content": {}}, {"part": "test"}, {"features": {}}, {"contact_id": 0}):
        with pytest.raises(DatabaseError, match=f"row 0 of snapshot {dataset.pk} stays"), transaction.atomic():
            dataset.rows.filter(place=0).update(**change)
    assert datasets.content_hash(rows(dataset)) == dataset.content_hash
    shop.delete()
    assert not DatasetRow.objects.exists()


@pytest.fixture
def learned(shop) -> tuple[Dataset, Contact]:
    turns = approved_replies(shop, 6)
    return build(shop, Filters()), turns[2].conversation.contact


def test_an_erased_person_is_in_no_later_snapshot_and_the_models_that_saw_them_are_named(shop, learned):
    dataset, contact = learned
    version, other = ModelVersionFactory(shop=shop, dataset=dataset), ModelVersionFactory(shop=shop)
    erased = contact.pk
    found = erase(contact)
    assert (found.datasets, found.versions, found.conversations) == ((dataset,), (version,), 1)
    assert other not in found.versions
    later = build(shop, Filters())
    assert later != dataset
    assert not later.rows.filter(contact_id=erased).exists()
    assert datasets.content_hash(rows(dataset)) == dataset.content_hash
    assert not Turn.objects.filter(conversation__contact_id=erased).exists()


def test_a_snapshot_is_approved_once(shop, django_user_model, learned):
    dataset, _ = learned
    ann = django_user_model.objects.create(username="ann")
    when = datasets.approve(dataset, ann).approved_at
    again = datasets.approve(dataset, None)
    assert (again.approved_at, again.approved_by) == (when, ann)
