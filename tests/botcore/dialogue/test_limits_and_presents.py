"""Limits of amounts, presents for people who like something, and words that are only half of a value's name."""

from __future__ import annotations

from decimal import Decimal

import pytest

from botcore.dialogue.find import _relaxations
from botcore.dialogue.lexicon import kept
from botcore.dialogue.measures import in_digits, limit_name, read_measures
from botcore.dialogue.state import Act, Constraint, DialogueState, PriceRange
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.ingest.write import upsert_products
from workers import indexing

pytestmark = pytest.mark.django_db

HELD = {
    "pages": {"320": 3, "280": 2, "300": 1},
    "capacity": {"1.2 l": 3, "1.7 l": 2, "500 ml": 2},
    "battery": {"30 min": 2, "45 min": 1},
}
MORE = [
    ("B1", "Books", "Thin Ice", "9.00", {"pages": "180"}, "A detective story."),
    ("B2", "Books", "Long Winter", "9.00", {"pages": "640"}, "A detective story."),
    ("B3", "Books", "Suppers", "14.00", {"pages": "240"}, "Recipes for cooking at home, for everyone who cooks."),
    ("B4", "Books", "Bread and Cakes", "55.00", {"pages": "310"}, "Baking with flour and yeast: how to bake well."),
    ("A1", "Fryers", "Ember Fryer", "60.00", {"household": "light cooking"}, "Hot air for a snack."),
    ("A2", "Fryers", "Gale Fryer", "70.00", {"household": "families"}, "Hot air for six."),
    ("C1", "Shirts", "Reed Shirt", "30.00", {"size": "s"}, "Cotton."),
]


@pytest.fixture
def wider(shop, talk):
    """The talk in a shop with books, air fryers and a shirt as well."""
    upsert_products(
        shop,
        [
            ProductRecord(
                sku=sku,
                title=title,
                category=(category,),
                variants=(VariantRecord(sku=sku, price=Decimal(price), stock=5),),
                description=description,
                attributes={name: [value] for name, value in attributes.items()},
            )
            for sku, category, title, price, attributes, description in MORE
        ],
    )
    indexing.embed_changed(shop.pk)
    kept._cache.clear()
    return talk


def skus(reply):
    return {item.sku for item in reply.items}


@pytest.mark.parametrize(
    ("text", "attribute", "fitting"),
    [
        ("shorter than 300 pages", "pages", {"280"}),
        ("no more than 300 pages", "pages", {"280", "300"}),
        ("不超过三百页", "pages", {"280", "300"}),
        ("不到300页", "pages", {"280"}),
        ("不要300页以上的", "pages", {"280"}),
        ("nothing over 300 pages", "pages", {"280", "300"}),
        ("it shouldn't have more than 300 pages", "pages", {"280", "300"}),
        ("不少于300页", "pages", {"300", "320"}),
        ("between 290 and 310 pages", "pages", {"300"}),
        ("at least 1.5 litres", "capacity", {"1.7 l"}),
        ("half a litre or less", "capacity", {"500 ml"}),
        ("1升到1.5升", "capacity", {"1.2 l"}),
        ("over 40 minutes", "battery", {"45 min"}),
        ("less than 1 hour", "battery", {"30 min", "45 min"}),
        ("under 2 kg", "", set()),
    ],
)
def test_a_limit_stands_for_the_values_within_it(text, attribute, fitting):
    (limit,) = read_measures(in_digits(text), HELD).limits
    named, values = limit.within(HELD)
    assert (named, set(values)) == (attribute, fitting)


@pytest.mark.parametrize("text", ["a 1.2 l kettle", "delivered within 30 minutes", "a book with 300 pages"])
def test_an_amount_alone_is_no_limit(text):
    assert read_measures(text, HELD).limits == ()


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        ("..300 pages", "up to 300 pages", "300页以内"),
        ("1.5.. l", "at least 1.5 l", "1.5升以上"),
        ("1..2 l", "1 to 2 l", "1到2升"),
        ("1.2 l", "", ""),
    ],
)
def test_a_limit_has_a_name(value, english, chinese):
    assert (limit_name(value, "en"), limit_name(value, "zh")) == (english, chinese)


def test_a_limit_of_pages_holds(wider):
    wider("do you have books?")
    assert skus(wider("shorter than 300 pages")) == {"B1", "B3"}


def test_a_limit_that_nothing_holds_is_given_up_by_its_name(wider):
    reply = wider("a book with less than 100 pages")
    assert reply.brief.gave_up == ("up to 100 pages",) and reply.items


def test_a_limit_of_what_the_goal_says_nothing_of_is_given_up_in_the_customers_words(wider):
    reply = wider("a kettle under 2 kg")
    assert reply.brief.gave_up == ("under 2 kg",) and skus(reply) <= {"K1", "K2", "K3", "K4"}


def test_a_time_that_the_goal_says_nothing_of_is_no_wish(wider):
    assert not wider("I need a kettle in less than 2 hours").brief.gave_up


def test_half_of_a_values_name_is_no_condition_of_a_present(wider):
    reply = wider("a present for somebody who loves cooking")
    assert "B3" in skus(reply)
    assert [(c.attribute, c.hard) for c in wider.state.constraints if c.value == "cooking"] == [("text", False)]


def test_half_of_a_values_name_is_the_value_where_the_goal_has_it(wider):
    wider("fryers for cooking")
    assert [c.value for c in wider.state.constraints if c.attribute == "household"] == ["light cooking"]


def test_a_small_flat_is_no_size_of_rugs(wider):
    reply = wider("a rug for a small flat")
    assert not reply.found.gave_up and all(c.value != "s" for c in wider.state.constraints)


def test_what_was_said_before_the_price_still_weighs(wider):
    assert "B4" in skus(wider("I need something for my sister, she bakes a lot"))
    assert wider("around 60 euros would be ok").items[0].sku == "B4"


def test_he_is_into_something_is_about_no_woman(wider):
    wider("something for my dad, he's into cooking")
    assert "women" not in {c.value for c in wider.state.constraints}


def test_what_a_thing_is_for_is_given_up_before_the_price_and_what_it_is_like():
    work, navy = Constraint("occasion", "office", turn=1), Constraint("color", "navy", turn=1)
    state = DialogueState(goal="dresses", constraints=(work, navy), price=PriceRange(high=Decimal(90)))
    kept, price, gave_up_price = next(iter(_relaxations(state)))
    assert (kept, price, gave_up_price) == ((navy,), state.price, False)


def test_that_nothing_costs_less_names_the_cheapest_and_its_price(talk):
    talk("kettles, no plastic")
    reply = talk("cheaper")
    assert reply.act is Act.DECLINE
    assert "Harbour Kettle" in reply.text and "€39" in reply.text


@pytest.mark.parametrize("asked", ["which one is the cheapest of those?", "最便宜的是哪个"])
def test_of_several_at_the_lowest_price_none_wins(wider, asked):
    assert {"B1", "B2"} < skus(wider("books please, under 20 euros"))
    assert skus(wider(asked)) == {"B1", "B2"}
