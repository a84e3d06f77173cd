"""Shops whose categories are departments: an attribute tells which kind of product something is, and is treated as such."""

from __future__ import annotations

import pytest

from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.state import Act

pytestmark = pytest.mark.django_db

GOODS = [  # category, style, title, price, description
    ("Furniture", "sofas", "Harbour Sofa", "640", "A velvet sofa for three."),
    ("Furniture", "sofas", "Lagoon Sofa", "720", "A linen sofa in gray."),
    ("Furniture", "sofas", "Ranch Sofa", "1900", "A leather sofa that ages well."),
    ("Furniture", "chairs", "Birch Chair", "90", "A dining chair of birch."),
    ("Furniture", "chairs", "Saddle Chair", "210", "A leather dining chair."),
    ("Furniture", "chairs", "Mesh Chair", "150", "An office chair with a mesh back, in white."),
    ("Accessories", "belt", "Braid Belt", "45", "A braided belt of brown leather."),
    ("Accessories", "belt", "Canvas Belt", "20", "A canvas belt in navy, for the waist."),
    ("Accessories", "belt", "Studio Belt", "60", "A black leather belt."),
    ("Accessories", "watch", "Pilot Watch", "95", "A steel watch."),
    ("Accessories", "watch", "Tide Watch", "140", "A watch with a rubber strap, gold hands."),
    ("Accessories", "watch", "Orchard Watch", "180", "A watch with a wooden face."),
    ("Accessories", "handbag", "Petal Handbag", "120", "A small handbag of satin."),
    ("Accessories", "handbag", "Market Handbag", "60", "A roomy handbag of straw."),
    ("Accessories", "handbag", "Office Handbag", "150", "A structured handbag."),
    ("Books", "travel", "Islands Guide", "18", "Travel among islands."),
    ("Books", "travel", "Trains of Asia", "22", "Travel by rail, with a chapter on a belt of monsoon rain."),
    ("Books", "travel", "Desert Roads", "25", "Travel through deserts."),
    ("Books", "cooking", "Asian Suppers", "24", "A cookbook of asian food."),
    ("Books", "cooking", "Bread Days", "26", "A cookbook about bread."),
    ("Books", "cooking", "Spanish Table", "24", "A cookbook of spanish food."),
    ("Groceries", "dairy", "Alpine Cheese", "14", "Cheese from the mountains, a food to share."),
    ("Groceries", "dairy", "Blue Cheese", "16", "A strong blue cheese."),
    ("Groceries", "dairy", "Young Cheese", "9", "A mild cheese for every table."),
]


@pytest.fixture
def talk(sorted_talk):
    return sorted_talk(GOODS, ("Shipping", "Orders of $50 ship free."))


def styles(reply):
    return {GOODS[int(item.sku[1:])][1] for item in reply.items}


def titles(reply):
    return {GOODS[int(item.sku[1:])][2] for item in reply.items}


def test_what_divides_every_category_sorts_its_products(talk, shop):
    assert lexicon_of(talk.shop).sorting == "style"
    assert lexicon_of(shop).sorting == "", "where categories are kinds themselves nothing else is"


def test_a_kind_that_is_named_is_shown_not_asked_about(talk):
    reply = talk("a sofa, no leather, 800 max")
    assert reply.act is Act.RECOMMEND and titles(reply) == {"Harbour Sofa", "Lagoon Sofa"}


def test_the_kind_is_given_up_for_nothing(talk):
    reply = talk("i'm invited to a wedding and need a handbag, under 200 dollars")
    assert styles(reply) == {"handbag"}
    reply = talk("a watch for less than 50 dollars")
    assert styles(reply) == {"watch"} and reply.found.gave_up_price


def test_of_two_kinds_named_together_either_will_do(talk):
    assert styles(talk("i need a belt and also a watch, both under 100")) == {"belt", "watch"}


def test_another_kind_takes_the_place_of_the_one_before(talk):
    assert styles(talk("a leather belt under 70")) == {"belt"}
    reply = talk("forget the belt, i'd rather have a sofa")
    assert styles(reply) == {"sofas"}


@pytest.mark.parametrize(
    ("message", "kinds"),
    [("a belt for travel", {"belt"}), ("i'd like to put some cheese on the table", {"dairy"})],
)
def test_what_a_thing_is_for_or_stands_on_is_no_kind_that_is_wanted(talk, message, kinds):
    assert styles(talk(message)) == kinds


def test_the_thing_before_its_purpose_is_what_is_looked_for(talk):
    assert "Asian Suppers" in titles(talk("have you got a cookbook for asian food?"))


@pytest.mark.parametrize(
    "messages",
    [
        ("show me some cheese, no blue cheese",),
        ("cheese please", "no blue cheese please"),
        ("any cheese but blue cheese",),
    ],
)
def test_of_a_refused_thing_its_modifier_alone_is_refused(talk, messages):
    replies = [talk(message) for message in messages]
    assert titles(replies[-1]) == {"Alpine Cheese", "Young Cheese"}


@pytest.mark.parametrize("message", ["想买个沙发，不要皮的", "我想要沙发，八百美元以内"])
def test_the_kind_is_known_by_its_name_in_the_other_language(talk, message):
    reply = talk(message)
    assert reply.act is Act.RECOMMEND and styles(reply) == {"sofas"} and "Ranch Sofa" not in titles(reply)


def test_what_a_thing_is_answers_no_question(talk):
    talk("show me belts")
    reply = talk("what belts do you have that really are below 30?")
    assert reply.act is Act.RECOMMEND and titles(reply) == {"Canvas Belt"}


@pytest.mark.parametrize(
    "message",
    ["ok forget all of that, let's start over. i want a sofa", "nah scrap all that, start over. i want a sofa instead"],
)
def test_starting_over_with_a_wish_serves_the_wish(talk, message):
    talk("a leather belt under 70")
    reply = talk(message)
    assert styles(reply) == {"sofas"} and not reply.state.price


def test_a_price_alone_goes_on_with_the_list(talk):
    talk("show me handbags")
    reply = talk("something under $100?")
    assert reply.act is Act.RECOMMEND and titles(reply) == {"Market Handbag"}


def test_one_limit_joins_the_other_where_both_can_hold(talk):
    talk("a watch. at least $100 please")
    reply = talk("but nothing over 160 either")
    assert titles(reply) == {"Tide Watch"}
    assert talk("up to 100 then").state.price.low is None, "what cannot hold beside it takes its place"


def test_whoever_bids_less_than_an_item_costs_asks_for_a_discount(talk):
    talk("show me watches")
    reply = talk("give me the first one for 5 dollars")
    assert (reply.act, reply.why) == (Act.DECLINE, "not_possible")
    assert not reply.state.price


def test_others_of_a_list_may_be_asked_for_in_words_of_texts(talk):
    talk("show me chairs")
    reply = talk("any in white?")
    assert reply.act is Act.RECOMMEND and "Mesh Chair" in titles(reply)
    reply = talk("do you have a gray one too?")
    assert reply.act is Act.RECOMMEND and styles(reply) == {"chairs"} and "gray" in reply.relaxed


def test_the_cheaper_of_two_is_one_of_them(talk):
    assert len(talk("sofas under 800").items) == 2
    assert titles(talk("i'd go for the cheaper of the two, show me that again")) == {"Harbour Sofa"}


def test_the_same_budget_is_kept_for_another_thing(talk):
    talk("手表，100到150美元")
    assert talk("还是包吧，预算一样").state.price.high == 150


def test_what_is_refused_by_a_word_of_texts_is_not_shown(talk):
    talk("show me handbags")
    assert titles(talk("no straw please")) == {"Petal Handbag", "Office Handbag"}


def test_what_stands_beside_the_kind_is_a_condition(talk):
    assert titles(talk("got any velvet sofas?")) == {"Harbour Sofa"}


def test_the_name_of_a_kind_of_its_own_says_what_it_is_like(talk):
    assert titles(talk("a waist belt please")) == {"Canvas Belt"}


def test_another_kind_that_is_refused_is_what_the_wanted_one_is_not_to_have(talk):
    reply = talk("a sofa please, but no belts on it")
    refused = {(c.attribute, c.value) for c in reply.state.constraints if not c.wanted}
    assert refused == {("text", "belt")} and styles(reply) == {"sofas"}


@pytest.mark.parametrize("message", ["in gray?", "what about in gray", "got any in gray?"])
def test_a_colour_that_is_only_told_in_texts_is_asked_of_the_kind(talk, message):
    talk("show me sofas")
    reply = talk(message)
    assert reply.act is Act.RECOMMEND and titles(reply) == {"Lagoon Sofa"}


def test_what_stands_before_a_thing_that_nobody_sells_is_not_wanted_alone(talk):
    assert not talk("which leather bikes do you have?").items


def test_what_costs_the_same_does_not_differ_in_price(talk):
    shown = talk("a cookbook for 24 or less")
    assert {item.price for item in shown.items} == {24} and len(shown.items) == 2
    reply = talk("what's the difference between the two?")
    assert reply.act is Act.COMPARE and "price" not in reply.brief.notes.get("differ", "")
