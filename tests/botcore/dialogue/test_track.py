"""What a conversation remembers after each message. Pure: readings are made by hand."""

from dataclasses import replace
from decimal import Decimal

from botcore.dialogue.intents import Intent
from botcore.dialogue.state import Constraint, DialogueState, PriceRange
from botcore.dialogue.track import after_reply, track
from botcore.dialogue.understand import ShownItem, Understanding

RUGS = DialogueState(
    turn=3,
    goal="home/rugs",
    constraints=(Constraint("color", "gray", turn=1), Constraint("text", "jute", wanted=False, turn=2)),
    price=PriceRange(high=Decimal(90)),
    shown=(("R1", "R2"),),
)
SHOWN = (ShownItem("R1", "Fjord Rug", "", Decimal(60)), ShownItem("R2", "Dune Rug", "", Decimal(40)))


def said(intent="find", **what):
    return Understanding("...", what.pop("language", "en"), Intent(intent, {intent: 0.9}), **what)


def values(state):
    return {str(c) for c in state.constraints}


def test_a_state_survives_its_way_through_json():
    state = RUGS.with_(price=PriceRange(Decimal("7.50"), Decimal("12.90"), Decimal(10)), liked=("R1",), language="zh")
    assert DialogueState.from_json(state.to_json()) == state


def test_a_new_wish_joins_the_old_ones():
    assert values(track(RUGS, said(constraints=(Constraint("size", "large"),)), SHOWN)) == {"gray", "not jute", "large"}


def test_another_value_takes_the_place_of_the_wanted_one_only():
    assert values(track(RUGS, said(constraints=(Constraint("color", "red"),)), SHOWN)) == {"red", "not jute"}


def test_colours_replace_each_other_where_the_shop_has_no_such_attribute():
    state = RUGS.with_(constraints=(Constraint("text", "green"), Constraint("text", "wool")))
    assert values(track(state, said(constraints=(Constraint("text", "navy"),)), SHOWN)) == {"wool", "navy"}


def test_what_was_ruled_out_and_is_fine_after_all_is_no_condition():
    after = track(RUGS, said(constraints=(Constraint("text", "jute"),)), SHOWN)
    assert [c.hard for c in after.constraints if c.value == "jute"] == [False]


def test_indifference_lifts_wishes_and_budget():
    assert values(track(RUGS, said(indifferent=("color",)), SHOWN)) == {"not jute"}
    assert not track(RUGS, said(indifferent=("price",)), SHOWN).price


def test_a_budget_is_remembered_from_a_question_whether_there_is_any():
    budget = PriceRange(high=Decimal(25))
    assert track(RUGS, said("availability", price=budget), SHOWN).price == budget
    assert track(RUGS, said("availability", price=budget, references=("R1",)), SHOWN).price == RUGS.price
    assert track(RUGS, said("policy", price=budget), SHOWN).price == RUGS.price


def test_a_narrower_goal_keeps_the_wishes_and_another_drops_them():
    assert track(RUGS, said(goals=("home/rugs/runners",)), SHOWN).constraints == RUGS.constraints
    other = track(RUGS, said(goals=("kitchen/kettles",)), SHOWN)
    assert (other.constraints, other.price) == ((), PriceRange())


def test_a_goal_that_is_given_up_is_gone_with_its_wishes():
    assert track(RUGS, said(dropped_goals=("home/rugs",)), SHOWN).goal == ""


def test_another_thing_is_another_subject():
    kite = track(DialogueState(), said(thing="kite", constraints=(Constraint("text", "kite"),)), ())
    assert kite.topic == "kite"
    yoyo = track(kite, said(thing="yo-yo", constraints=(Constraint("text", "yo-yo"),)), ())
    assert (yoyo.topic, values(yoyo)) == ("yo-yo", {"yo-yo"})


def test_cheaper_and_dearer_are_measured_at_what_was_pointed_at():
    assert track(RUGS, said("cheaper", references=("R1",)), SHOWN).price.high == Decimal("59.99")
    assert track(RUGS, said("dearer"), SHOWN).price == PriceRange(low=Decimal("60.01"), named=False)
    assert track(RUGS, said("cheaper", price=PriceRange(high=Decimal(30))), SHOWN).price.high == 30


def test_a_question_or_small_talk_changes_no_wish():
    for intent in ("policy", "product_question", "thanks", "smalltalk"):
        after = track(RUGS, said(intent, constraints=(Constraint("color", "red"),)), SHOWN)
        assert (after.constraints, after.price, after.goal) == (RUGS.constraints, RUGS.price, RUGS.goal)


def test_a_correction_is_a_wish():
    assert "red" in values(track(RUGS, said("not_meant", constraints=(Constraint("color", "red"),)), SHOWN))


def test_what_was_rejected_and_liked_is_remembered():
    assert track(RUGS, said("reject"), SHOWN).rejected == ("R1", "R2")
    assert track(RUGS, said("choose", references=("R2",)), SHOWN).liked == ("R2",)


def test_a_reset_keeps_nothing_but_the_count_and_the_language():
    assert track(RUGS, said("reset", language="zh"), SHOWN) == DialogueState(turn=4, language="zh")


def test_a_list_is_remembered_and_a_pick_from_it_is_not_a_new_list():
    reply = {"question": "", "article": "", "quote": "", "failed": False}
    assert after_reply(RUGS, ["R3", "R4"], **reply).slate == ("R3", "R4")
    picked = after_reply(RUGS, ["R2"], listed=False, **reply)
    assert (picked.slate, picked.focus) == (("R1", "R2"), "R2")


def test_failures_are_counted_in_a_row():
    reply = {"shown": (), "question": "", "article": "", "quote": ""}
    twice = after_reply(after_reply(RUGS, failed=True, **reply), failed=True, **reply)
    assert (twice.failures, after_reply(twice, failed=False, **reply).failures) == (2, 0)


def test_a_kind_that_is_ruled_out_stays_so_until_it_is_asked_for():
    no_rugs = track(RUGS, said("not_meant", dropped_goals=("home/rugs",)), SHOWN)
    assert no_rugs.goal == "" and values(no_rugs) == {"not home/rugs"}
    lamps = track(no_rugs, said(goals=("home/lamps",)), ())
    assert values(lamps) == {"not home/rugs"}
    assert values(track(lamps, said(goals=("home/rugs",)), ())) == set()


def test_what_is_ruled_out_inside_the_goal_narrows_it():
    anything = DialogueState(goal="home", turn=1, constraints=(Constraint("color", "gray"),))
    after = track(anything, said(dropped_goals=("home/rugs",)), ())
    assert after.goal == "home" and values(after) == {"gray", "not home/rugs"}


def test_a_budget_for_one_thing_is_none_for_another():
    tents = DialogueState(topic="tent", price=PriceRange(high=Decimal(800)), turn=1)
    assert not track(tents, said(goals=("home/rugs",)), ()).price
    gift = DialogueState(topic="women", price=PriceRange(high=Decimal(100)), turn=1)
    assert track(gift, said(goals=("home/rugs",)), ()).price.high == Decimal(100)


def test_what_is_fine_as_well_stands_beside_the_wish():
    told = said(constraints=(Constraint("color", "white", hard=False),), allowed=(("color", "white"),))
    (gray,) = (c for c in track(RUGS, told, SHOWN).constraints if c.attribute == "color")
    assert (gray.value, gray.others, gray.hard) == ("gray", ("white",), True)


def test_ones_that_do_are_those_with_what_was_asked_of_one():
    timer = Constraint("feature", "timer")
    asked = track(RUGS, said("product_question", constraints=(timer,), references=("R1",)), SHOWN)
    assert "timer" not in values(asked)
    wanted = replace(said("show"), text="show me ones that do, please")
    assert "timer" in values(track(asked, wanted, SHOWN))
    assert "timer" not in values(track(asked, replace(wanted, text="show me ones that do not itch"), SHOWN))
