"""Two goals in one message: both are served, or the other one is kept and said."""

import pytest

from botcore.dialogue.state import Act, DialogueState, LaterGoal

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("said", ["a green kettle and a wool rug please", "I need a rug in wool, also a green kettle"])
def test_both_goals_are_shown_each_with_its_own_wishes(talk, said):
    reply = talk(said)
    categories = {item.category for item in reply.items}
    assert categories == {"kitchen/kettles", "home/rugs"}
    for item in reply.items:
        wish = ("material", "wool") if item.category == "home/rugs" else ("color", "green")
        assert wish[1] in item.attributes[wish[0]]
    assert all(item.title in reply.text for item in reply.items)


def test_the_second_goals_product_may_be_pointed_at(talk):
    shown = talk("a green kettle and a wool rug").items
    assert talk("I'll take the last one").state.focus == shown[-1].sku


def test_a_goal_without_a_find_is_said(talk):
    reply = talk("a kettle and a tray under 5 euros")
    assert {item.category for item in reply.items} >= {"kitchen/kettles"}
    assert "tray" in reply.text.lower()


def test_what_waits_comes_when_the_first_is_done(talk):
    talk.state = DialogueState(turn=2, goal="kitchen/kettles", shown=(("K1", "K2"),), waiting=(LaterGoal("home/rugs"),))
    reply = talk("ok, thanks")
    assert reply.act is Act.RECOMMEND
    assert {item.category for item in reply.items} == {"home/rugs"} and not reply.state.waiting


def test_choosing_first_offers_what_waits(talk):
    talk.state = DialogueState(turn=2, goal="kitchen/kettles", shown=(("K1", "K2"),), waiting=(LaterGoal("home/rugs"),))
    reply = talk("I'll take the first")
    assert "rugs" in reply.text and reply.state.waiting == (LaterGoal("home/rugs"),)


def test_a_department_and_its_own_category_are_one_goal(talk):
    assert {item.category for item in talk("something from home, a rug").items} == {"home/rugs"}
