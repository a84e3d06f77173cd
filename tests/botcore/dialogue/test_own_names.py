"""What customers call things is taken as they say it: narrower names first, and words that name nothing alone."""

from __future__ import annotations

import pytest

from botcore.dialogue.state import Act

pytestmark = pytest.mark.django_db

GOODS = [  # category, style, title, price, description
    ("Tools", "set", "Socket Set", "120", "A set of sockets for mechanics."),
    ("Tools", "set", "Screwdriver Set", "40", "A set of screwdrivers for every home."),
    ("Tools", "set", "Wrench Set", "80", "A set of wrenches in a box."),
    ("Tools", "saw", "Hand Saw", "25", "A saw for branches."),
    ("Tools", "saw", "Fine Saw", "30", "A saw for joints."),
    ("Tools", "saw", "Bow Saw", "35", "A saw for logs."),
    ("Beauty", "grooming", "Gentleman's Shaving Set", "90", "A brush, a bowl and a razor for shaving."),
    ("Beauty", "grooming", "Barber's Shaving Set", "70", "Shaving as at the barber's, with a brush."),
    ("Beauty", "grooming", "Beard Oil", "24", "An oil that softens a beard."),
    ("Beauty", "makeup", "Brush Set", "30", "Brushes for powder and blush."),
    ("Beauty", "makeup", "Palette Set", "35", "Two palettes of eyeshadow."),
    ("Beauty", "makeup", "Lip Set", "28", "Lipsticks in coral and pink."),
    ("Kitchen", "cooking", "Spoon Set", "19", "Wooden spoons for cooking."),
    ("Kitchen", "cooking", "Pan Set", "150", "Pans for everything from eggs to salmon."),
    ("Kitchen", "cooking", "Apron", "22", "An apron to cook in."),
    ("Kitchen", "tableware", "Bowl Set", "40", "Bowls of stoneware."),
    ("Kitchen", "tableware", "Glass Set", "20", "Six glasses."),
    ("Kitchen", "tableware", "Tea Set", "60", "A pot with four cups."),
    ("Kitchen", "tableware", "Serving Plate", "25", "A plate of porcelain."),
    ("Groceries", "seafood", "Atlantic Salmon", "24", "Fillets of salmon, ready for the pan."),
    ("Groceries", "seafood", "Smoked Salmon", "18", "Salmon smoked over beech."),
    ("Groceries", "seafood", "Salmon Burgers", "15", "Four burgers of wild salmon."),
    ("Groceries", "seafood", "Picnic Platter", "40", "Shrimps, chicken wings and olives."),
    ("Groceries", "seafood", "Harvest Platter", "35", "Shrimps, bread and grapes."),
    ("Groceries", "meat", "Pork Chops", "18", "Four chops of pork."),
    ("Groceries", "meat", "Ribeye Steak", "30", "A steak to grill."),
    ("Groceries", "meat", "Chicken Breast", "12", "Two breasts of chicken."),
    ("Toys", "plush", "Honey Teddy Bear", "25", "A plush bear with a ribbon."),
    ("Toys", "plush", "Brown Teddy Bear", "29", "A plush bear that is soft to hug."),
    ("Toys", "plush", "Tiny Teddy Bear", "12", "A bear for a pocket, of plush."),
    ("Toys", "plush", "Garden Bunny", "20", "A plush rabbit with long ears."),
    ("Toys", "plush", "Sleepy Sloth", "22", "A plush sloth."),
    ("Toys", "plush", "Ocean Whale", "27", "A plush whale, large."),
    ("Toys", "percussion", "African Djembe Drum", "130", "A hand drum from West Africa."),
    ("Toys", "percussion", "Tabla Drum", "200", "Two drums as they are played in India."),
    ("Toys", "percussion", "Tin Drum", "30", "A drum of tin for children."),
]


@pytest.fixture
def talk(sorted_talk):
    return sorted_talk(GOODS, ("How to pay", "We accept Visa, Mastercard and PayPal. Nothing else."))


def titles(reply):
    return {GOODS[int(item.sku[1:])][2] for item in reply.items}


def test_a_word_that_titles_of_all_kinds_end_in_names_no_kind(talk):
    assert titles(talk("any nice shaving sets?")) == {"Gentleman's Shaving Set", "Barber's Shaving Set"}


def test_the_narrower_name_that_was_said_comes_first(talk):
    reply = talk("the cheapest teddy bears please")
    assert titles(reply) == {"Honey Teddy Bear", "Brown Teddy Bear", "Tiny Teddy Bear"}


def test_a_thing_is_called_as_the_customer_calls_it_and_what_is_done_with_it_is_no_kind(talk):
    reply = talk("cooking for my girlfriend this week, want some nice salmon")
    assert titles(reply) == {"Atlantic Salmon", "Smoked Salmon", "Salmon Burgers"}
    assert "coral" not in reply.text.lower()


def test_what_stands_before_the_thing_is_a_condition(talk):
    assert titles(talk("hey do u have african drums")) == {"African Djembe Drum"}


def test_a_narrower_thing_than_a_kind_is_refused_as_well(talk):
    assert "Picnic Platter" in titles(talk("i'd like a platter"))
    assert titles(talk("no chicken please")) == {"Harvest Platter"}


def test_a_thing_among_those_of_the_kind_is_a_narrower_choice_and_no_item_in_sight(talk):
    assert len(titles(talk("birthday gift for my dad, he loves grooming. up to 95 dollars"))) == 3
    reply = talk("he already has a hundred brushes. an oil maybe")
    assert titles(reply) == {"Beard Oil"} and reply.state.price.high == 95


def test_the_one_in_sight_that_is_so_is_shown(talk):
    assert len(titles(talk("have you got drums?"))) == 3
    reply = talk("is there an african one")
    assert reply.act is Act.RECOMMEND and titles(reply) == {"African Djembe Drum"}


def test_a_question_beside_a_choice_is_answered(talk):
    talk("have you got teddy bears?")
    reply = talk("ok id take that. how can i pay")
    assert reply.act is Act.ANSWER and "PayPal" in reply.text


def test_a_refusal_does_not_change_what_the_talk_is_about(talk):
    assert talk("i'd like a platter").state.topic == "platter"
    assert talk("no olives, my kids are scared of them").state.topic == "platter"
