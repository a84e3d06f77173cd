"""The review queue: what comes first, what is decided together, what two people decide at once, what an undo leaves."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from botcore import feedback
from botcore.dialogue.brief import Brief
from botcore.learning import datasets
from botcore.learning.corrections import CorrectionRefusedError, approve
from botcore.learning.erasure import erase
from botcore.learning.review import queue, value
from botcore.learning.review.decisions import Word, decide, undo
from botcore.learning.review.queue import Filters
from botcore.models import Annotation, Feedback, ReviewDecision, ReviewItem, Turn
from tests.factories import ConversationFactory, FeedbackFactory, ShopFactory, TurnFactory, UserFactory

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
WORDING = "Look at the [A.name], it is green and costs [A.price]."


# --- what a word is worth --------------------------------------------------------------------------------------------


def test_thumbs_down_come_before_doubt_and_doubt_before_what_is_new():
    sure = value.value("", 1, 0.05, NOON)
    new, doubtful = value.value("", 1, 1, NOON), value.value("", 0.1, 0.05, NOON)
    assert sure < new < doubtful < value.value("down", 1, 0.05, NOON)
    assert value.value("up", 1, 0.05, NOON) == sure


def test_a_fortnight_is_worth_a_point_so_that_the_order_of_two_replies_never_changes():
    later = NOON + timedelta(days=14)
    assert value.value("", 1, 0, later) - value.value("", 1, 0, NOON) == pytest.approx(1)


@pytest.mark.parametrize(
    ("written_by", "error", "samples", "expected"),
    [
        ("model", "", [{"accepted": True, "chosen": True, "scores": {"fluency": 0.0}}], 1.0),
        ("model", "", [{"accepted": True, "chosen": True}, {"accepted": False}], 0.5),
        ("model", "", [{"accepted": True, "chosen": True, "scores": {"fluency": -0.7}}], 0.4966),
        ("template", "every sample was refused", [{"accepted": False}], 0.0),
        ("template", "", [], 1.0),
    ],
)
def test_confidence_is_the_share_of_good_samples_times_the_likelihood_of_the_sent_one(
    written_by, error, samples, expected
):
    assert value.confidence(written_by, error, samples) == pytest.approx(expected, abs=1e-4)


def test_three_of_a_hundred_replies_are_drawn_for_a_second_reader_and_always_the_same():
    drawn = [pk for pk in range(10_000) if value.for_second(pk)]
    assert 250 < len(drawn) < 350
    assert drawn == [pk for pk in range(10_000) if value.for_second(pk)]


# --- the queue -------------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return ShopFactory()


@pytest.fixture
def ann(shop):
    return UserFactory(username="ann", shops=[shop])


@pytest.fixture
def ben(shop):
    return UserFactory(username="ben", shops=[shop])


def reply(shop, text, *, wording="", second=False, **fields) -> Turn:
    """A reply in the queue; its own words to a message of its own, unless they are given."""
    sample = {
        "text": wording or f"{WORDING[:-1]}, as you said: {text}.",
        "accepted": True,
        "chosen": True,
        "scores": {},
    }
    fields = {"samples": [sample], "understanding": {"intent": text[:12]}, **fields}
    turn = TurnFactory(conversation=ConversationFactory(shop=shop), text=text, **fields)
    queue.enqueue(turn.pk)
    ReviewItem.objects.filter(turn=turn).update(for_second=second)
    return turn


EVERYTHING, APPROVED = Filters(), Word("approved")


def order(reader, filters=EVERYTHING) -> list[str]:
    return [item.turn.text for item in queue.select(ReviewItem.objects.all(), filters, reader).select_related("turn")]


def approved(turn, author, version=0, token=None, word=APPROVED):
    return decide(Turn.objects.all(), {turn.pk: version}, word, author, token or uuid4())


def test_what_a_customer_disliked_comes_first_and_goes_back_when_they_take_it_back(shop, ann):
    liked, other = reply(shop, "a jacket for rain"), reply(shop, "boots to hike in")
    assert order(ann) == ["boots to hike in", "a jacket for rain"]
    contact = liked.conversation.contact
    feedback.opinion(liked, contact, Feedback.Kind.DOWN, Feedback.Source.BUTTON)
    assert order(ann) == ["a jacket for rain", "boots to hike in"]
    assert order(ann, Filters(signal="down")) == ["a jacket for rain"]
    assert queue.signals_of(ReviewItem.objects.get(turn=liked)) == ["down", "new_topic"]
    Feedback.objects.all().delete()
    queue.weigh_again(liked.pk)
    assert order(ann) == ["boots to hike in", "a jacket for rain"]
    assert ReviewItem.objects.get(turn=other).opinion == ""


def test_the_first_replies_of_a_topic_are_new_and_the_later_ones_are_not(shop, ann):
    for number in range(5):
        reply(shop, f"{'abcde'[number] * 4} what do people say of it", understanding={"intent": "reviews"})
    novelties = ReviewItem.objects.order_by("pk").values_list("novelty", flat=True)
    assert list(novelties) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
    assert len(order(ann, Filters(signal="new_topic"))) == 4


def test_replies_nearly_the_same_are_one_row_until_it_is_decided(shop, ann):
    wording = "We ship within two days and you can send everything back for free."
    first = reply(shop, "when will my parcel come to my door", wording=wording)
    second = reply(shop, "when will my parcel come to my door?", wording=wording)
    other = reply(shop, "do you sell tents for four people", wording=WORDING)
    items = ReviewItem.objects.all()
    rows = list(queue.select(items, Filters(), ann))
    assert [row.pk for row in rows] == [other.pk, first.pk]
    assert queue.sizes(items, [row.group for row in rows]) == {first.pk: 2, other.pk: 1}
    assert [item.pk for item in queue.members(items, rows[1])] == [second.pk]
    approved(first, ann)
    assert [row.pk for row in queue.select(items, Filters(), ann)] == [other.pk, second.pk]


def test_the_same_words_in_another_shop_are_no_near_duplicates(shop):
    mine, theirs = reply(shop, "hello there my friend"), reply(ShopFactory(), "hello there my friend")
    groups = ReviewItem.objects.in_bulk([mine.pk, theirs.pk])
    assert groups[mine.pk].group != groups[theirs.pk].group


def test_words_are_found_whatever_their_case_and_counts_of_views_are_those_of_the_queue(shop, ann):
    reply(shop, "A Rain jacket"), reply(shop, "Boots", act="answer")
    assert order(ann, Filters(words="rain JACKET")) == ["A Rain jacket"]
    views = {
        1: Filters(),
        2: Filters(act="answer"),
        3: Filters(words="rain"),
        4: Filters(reason="tone", decided="done"),
    }
    assert queue.counts(ReviewItem.objects.filter(shop=shop), views, ann) == {1: 2, 2: 1, 3: 1, 4: 0}


def test_a_sweep_takes_up_what_was_missed_and_what_is_older_than_the_queue(shop, ann):
    old, said = (TurnFactory(conversation=ConversationFactory(shop=shop), text=text) for text in ("old", "said"))
    approve(said, ann)
    reply(shop, "known")
    TurnFactory(conversation=ConversationFactory(shop=shop), text="missed")
    TurnFactory(conversation=ConversationFactory(shop=shop), waiting=True)
    assert queue.sweep() == 3
    assert queue.sweep() == 0
    assert sorted(order(ann)) == ["known", "missed", "old"]
    assert ReviewItem.objects.get(turn=said).status == "done"
    assert ReviewItem.objects.get(turn=old).status == "waiting"


def test_what_somebody_else_holds_stays_theirs_until_their_time_is_over(shop, ann, ben):
    turn = reply(shop, "a jacket")
    items = ReviewItem.objects.all()
    queue.hold(items, ann)
    queue.hold(items, ben)
    assert ReviewItem.objects.get(turn=turn).held_by == ann
    ReviewItem.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    queue.hold(items, ben)
    assert ReviewItem.objects.get(turn=turn).held_by == ben


# --- decisions -------------------------------------------------------------------------------------------------------


def test_a_decision_is_kept_with_what_was_before_and_sent_twice_counts_once(shop, ann):
    turn, token = reply(shop, "a jacket"), uuid4()
    assert approved(turn, ann, token=token).kept == {turn.pk: 1}
    assert approved(turn, ann, token=token).kept == {turn.pk: 1}
    row = ReviewDecision.objects.get()
    assert (row.kind, row.author, row.before["annotation"], row.undone_at) == ("approved", ann, None, None)
    assert row.after["annotation"]["verdict"] == "approved"
    assert order(ann) == []


def test_who_decides_on_what_somebody_else_has_decided_is_told_and_changes_nothing(shop, ann, ben):
    turn = reply(shop, "a jacket")
    approved(turn, ann)
    outcome = approved(turn, ben, word=Word("rejected", reason="tone"))
    assert (outcome.kept, outcome.conflicts) == ({}, (turn.pk,))
    assert Annotation.objects.get().author == ann
    assert approved(turn, ben, version=1, word=Word("rejected", reason="tone")).kept == {turn.pk: 2}


def test_an_undo_brings_back_exactly_what_was_before(shop, ann):
    turn, first, second = reply(shop, "a jacket"), uuid4(), uuid4()
    approved(turn, ann, token=first)
    before = Annotation.objects.values().get()
    approved(turn, ann, version=1, token=second, word=Word("rejected", reason="tone", for_training=False))
    assert undo(Turn.objects.all(), ann, second).kept == {turn.pk: 3}
    assert Annotation.objects.values().get() == before
    assert undo(Turn.objects.all(), ann, first).kept == {turn.pk: 4}
    assert not Annotation.objects.exists()
    assert order(ann) == ["a jacket"]
    assert ReviewDecision.objects.filter(undone_at=None).count() == 0
    assert undo(Turn.objects.all(), ann, first).kept == {}


def test_nobody_undoes_another_s_decision_nor_one_that_somebody_built_upon(shop, ann, ben):
    turn, token = reply(shop, "a jacket"), uuid4()
    approved(turn, ann, token=token)
    assert undo(Turn.objects.all(), ben, token).kept == {}
    approved(turn, ben, version=1)
    assert undo(Turn.objects.all(), ann, token).conflicts == (turn.pk,)
    assert Annotation.objects.count() == 2


def test_a_false_correction_keeps_nothing(shop, ann):
    turn = reply(shop, "a jacket")
    with pytest.raises(CorrectionRefusedError):
        approved(turn, ann, word=Word("corrected", "Take the Velvet Moon for $39.00."))
    assert not Annotation.objects.exists() and not ReviewDecision.objects.exists()
    assert order(ann) == ["a jacket"]


def test_a_reply_of_another_shop_is_left_out(shop, ann):
    theirs = reply(ShopFactory(), "theirs")
    visible = Turn.objects.filter(conversation__shop=shop)
    assert decide(visible, {theirs.pk: 0}, Word("approved"), ann, uuid4()).kept == {}
    assert not Annotation.objects.exists()


def test_a_second_reader_decides_without_knowing_of_the_first_and_agreement_is_counted(shop, ann, ben):
    same, other = reply(shop, "one thing", second=True), reply(shop, "another matter", second=True)
    approved(same, ann), approved(other, ann)
    assert order(ann) == []
    assert sorted(order(ben)) == ["another matter", "one thing"]
    assert approved(same, ben).kept == {same.pk: 2}  # the version that ben saw before ann decided
    assert approved(other, ben, word=Word("rejected", reason="tone")).kept == {other.pk: 2}
    assert order(ben) == []
    assert order(ann, Filters(decided="disagreed")) == ["another matter"]
    found = queue.figures(shop, timezone.now() - timedelta(days=1))
    assert (found.agreement, found.read_twice) == (0.5, 2)
    assert (found.verdicts, found.reasons) == ({"approved": 3, "rejected": 1}, {"tone": 1})


def test_a_customer_who_is_forgotten_leaves_no_words_in_the_queue_nor_in_the_log(shop, ann):
    turn = reply(shop, "my name is Mei and I want a jacket")
    approved(turn, ann)
    erase(turn.conversation.contact)
    assert not ReviewItem.objects.exists() and not ReviewDecision.objects.exists()


# --- what is learned -------------------------------------------------------------------------------------------------


def learned(shop) -> set[int]:
    try:
        return set(datasets.build(shop, datasets.Filters()).rows.values_list("turn_id", flat=True))
    except datasets.NothingToLearnError:
        return set()


def teachable(shop, text) -> Turn:
    brief = {**TurnFactory.build(conversation=None, number=1).brief, "customer": text}
    return reply(shop, text, wording=WORDING, brief=Brief.from_json(brief).to_json())


def test_what_is_undone_or_no_more_used_for_training_is_in_no_later_snapshot(shop, ann, ben):
    kept, undone, switched = (
        teachable(shop, text)
        for text in ("something warm for the snow", "does this one come in green", "my son needs a coat for school")
    )
    token = uuid4()
    approved(kept, ann), approved(undone, ann, token=token), approved(switched, ann)
    assert learned(shop) == {kept.pk, undone.pk, switched.pk}
    undo(Turn.objects.all(), ann, token)
    off, switch = Word("training", for_training=False), uuid4()
    assert approved(switched, ben, version=1, token=switch, word=off).kept == {switched.pk: 2}
    assert Annotation.objects.get(turn=switched).author == ann
    assert learned(shop) == {kept.pk}
    undo(Turn.objects.all(), ben, switch)
    assert learned(shop) == {kept.pk, switched.pk}


def test_a_newer_word_that_is_not_for_training_takes_an_older_one_out_of_the_next_snapshot(shop, ann, ben):
    turn = teachable(shop, "something warm for the snow")
    approved(turn, ann)
    assert learned(shop) == {turn.pk}
    approved(turn, ben, version=1, word=Word("approved", for_training=False))
    assert learned(shop) == set()


def test_a_reply_that_its_customer_already_disliked_comes_in_as_disliked(shop):
    turn = TurnFactory(conversation=ConversationFactory(shop=shop))
    FeedbackFactory(turn=turn, kind="down")
    queue.enqueue(turn.pk)
    assert turn.review.opinion == "down"
