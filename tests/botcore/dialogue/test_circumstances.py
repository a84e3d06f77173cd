"""For whom, where and why something is wanted is no wish of the thing; and what nobody has is said to be missing once."""

from __future__ import annotations

import pytest

from botcore.dialogue.state import Act

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "message",
    [
        "a kettle for a house with two parrots",
        "a kettle for my husband and his trombone",
        "my sister moved into a houseboat with a harmonium, which kettle would suit her?",
        "after the burst pipe in our cellar we need a new kettle",
        "a kettle to go on my barge with a chimney",
        "想给养鹦鹉的邻居买个水壶",
        "因为旧的被猫打碎了，想买个水壶",
        "参加龙舟赛喝水用的水壶",
    ],
)
def test_circumstances_are_not_looked_for(talk, message):
    reply = talk(message)
    assert reply.act is Act.RECOMMEND and reply.brief.gave_up == ()


@pytest.mark.parametrize(
    ("message", "missed"),
    [
        ("a kettle with antlers", "antlers"),
        ("a kettle for my husband with antlers", "antlers"),
        ("想要一个带鹿角的水壶", "鹿角"),
        ("给我妈买个带鹿角的水壶", "鹿角"),
    ],
)
def test_what_is_wished_of_the_thing_is_said_to_be_missing(talk, message, missed):
    assert any(missed in told for told in talk(message).brief.gave_up)


def test_circumstances_alone_leave_open_what_is_wanted(talk):
    reply = talk("I need something for a flat with a dog")
    assert (reply.act, reply.why, reply.items) == (Act.ASK, "category", ())


@pytest.mark.parametrize(("first", "then"), [("a kettle in wool", "under 60 euros"), ("紫色的水壶", "60欧以内")])
def test_what_nothing_holds_is_said_once(talk, first, then):
    assert talk(first).brief.gave_up
    assert talk(then).brief.gave_up == ()


def test_what_nothing_holds_is_said_again_to_who_asks_again(talk):
    talk("a kettle in wool")
    assert talk("it has to be wool").brief.gave_up == ("wool",)


@pytest.mark.parametrize(("goal", "thing"), [("a rug", "a dinosaur"), ("想买地毯", "恐龙的")])
def test_a_kind_is_not_left_for_a_thing_that_the_whole_shop_lacks(talk, goal, thing):
    talk(goal)
    assert talk(thing).act is Act.DECLINE
    assert talk.state.goal == "home/rugs"
