"""Customers who chat in Chinese with a shop that writes English: clauses, the dictionary's words, and what is given up first."""

from __future__ import annotations

import pytest

from botcore.dialogue.state import Act
from tests.botcore.dialogue.test_own_names import GOODS as NAMED

pytestmark = pytest.mark.django_db

GOODS = [  # category, style, title, price, description
    *NAMED,
    ("Accessories", "backpack", "Canvas Backpack", "60", "A backpack of canvas."),
    ("Accessories", "backpack", "Trail Backpack", "70", "A backpack for hikers."),
    ("Accessories", "backpack", "City Backpack", "65", "A backpack for commuters."),
    ("Accessories", "bag", "Canvas Bag", "45", "A bag for the shoulder."),
    ("Accessories", "bag", "Work Bag", "90", "A bag with room for a computer."),
    ("Accessories", "bag", "Evening Bag", "50", "A bag for the opera."),
    ("Furniture", "sofas", "Emerald Sofa", "600", "A green sofa of velvet."),
    ("Furniture", "sofas", "Forest Sofa", "650", "A green sofa of linen."),
    ("Furniture", "sofas", "Sunset Sofa", "600", "An orange sofa of velvet."),
    ("Groceries", "soup", "Tomato Soup", "5", "A soup of tomatoes."),
    ("Groceries", "soup", "Onion Soup", "6", "A soup of onions."),
    ("Groceries", "soup", "Pea Soup", "4", "A soup of peas."),
    ("Groceries", "seafood", "Garlic Shrimp", "18", "Shrimp in garlic."),
    ("Groceries", "seafood", "Oysters", "30", "A dozen oysters."),
    ("Outdoors", "kayaking", "River Kayak", "800", "A kayak for two."),
    ("Outdoors", "kayaking", "Lake Kayak", "600", "A kayak for calm water."),
    ("Outdoors", "kayaking", "Carbon Paddle", "80", "A paddle that floats."),
    ("Instruments", "wind", "Brass Trumpet", "400", "A trumpet for beginners."),
    ("Instruments", "wind", "Silver Flute", "350", "A flute for beginners."),
    ("Instruments", "wind", "Ebony Clarinet", "380", "A clarinet for beginners."),
    ("Instruments", "percussion", "Marching Drum", "300", "A drum for the school band."),
]


@pytest.fixture
def talk(sorted_talk):
    return sorted_talk(GOODS, ("How to pay", "We accept Visa, Mastercard and PayPal. Nothing else."))


def titles(reply):
    return {GOODS[int(item.sku[1:])][2] for item in reply.items}


def test_a_space_ends_a_clause(talk):
    shown = titles(talk("有包吗 双肩包不要 他不背双肩"))
    assert shown and not shown & {"Canvas Backpack", "Trail Backpack", "City Backpack"}


def test_a_word_has_the_senses_of_all_its_entries(talk):
    assert titles(talk("想买个汤")) == {"Tomato Soup", "Onion Soup", "Pea Soup"}


def test_another_thing_is_looked_for_by_its_own_name(talk):
    assert talk("有皮划艇吗").act is Act.RECOMMEND
    assert titles(talk("想买支桨")) == {"Carbon Paddle"}


def test_the_customer_s_own_word_is_the_narrower_one(talk):
    assert titles(talk("再看看泰迪熊")) == {"Honey Teddy Bear", "Brown Teddy Bear", "Tiny Teddy Bear"}


def test_what_is_refused_of_a_kind_is_not_the_kind(talk):
    shown = titles(talk("想做顿海鲜，除了虾都行"))
    assert len(shown) == 3 and shown <= {"Atlantic Salmon", "Smoked Salmon", "Salmon Burgers", "Oysters"}
    assert titles(talk("some seafood please, but no shrimp")) <= {
        "Atlantic Salmon",
        "Smoked Salmon",
        "Salmon Burgers",
        "Oysters",
    }


def test_others_are_looked_for_where_one_alone_is_in_sight(talk):
    assert titles(talk("有橙色的沙发吗")) == {"Sunset Sofa"}
    reply = talk("橙色没那么好看 换绿色的呢")
    assert reply.act is Act.RECOMMEND and titles(reply) == {"Emerald Sofa", "Forest Sofa"}


def test_a_story_s_word_is_given_up_before_the_thing(talk):
    assert titles(talk("孩子下学期进学校乐队 老师让学小号 你们有吗")) == {"Brass Trumpet"}


def test_words_of_texts_are_given_up_before_the_price(talk):
    reply = talk("a green linen sofa under 620 please")
    assert titles(reply) == {"Emerald Sofa"}  # Forest Sofa is of linen, and 650


def test_what_is_a_sentence_s_all_is_a_thing(talk):
    talk("show me kayaks")
    assert titles(talk("cool. and a paddle?")) == {"Carbon Paddle"}
    assert titles(talk("what trumpets do you have?")) == {"Brass Trumpet"}
