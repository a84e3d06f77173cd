from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botcore.dialogue.money import mask_numbers, read_price
from botcore.dialogue.state import PriceRange
from botcore.dialogue.words import normalise

D = Decimal


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("a kettle for less than 35 quid", None, 35),
        ("nothing over €1,250 please", None, 1250),
        ("my budget is around sixty-five dollars", None, D("71.5")),
        ("around sixty-five dollars", D("45.5"), D("84.5")),
        ("120ish max", None, 132),
        ("none of them more than 15", None, 15),
        ("1000 is the most we can spend", None, 1000),
        ("not more than two hundred and ten", None, 210),
        ("somewhere between £15 and £40", 15, 40),
        ("from 80 to 120 euros", 80, 120),
        ("at least 90 dollars", 90, None),
        ("1.5k max", None, 1500),
        ("more than $70 please", 70, None),
        ("I don't want to pay more than 55", None, 55),
        ("30-45 bucks", 30, 45),
        ("25ish", D("17.5"), D("32.5")),
        ("$19.90", None, D("19.9")),
        ("三百块以下", None, 300),
        ("便宜过25的", None, 25),
        ("no ones from Ottoline and I've got $15 to spend", None, 15),
        ("don't show me anything under 40", 40, None),
        ("不超过一千五百元", None, 1500),
        ("两百到三百", 200, 300),
        ("预算大概八十", None, 88),
        ("八十左右", 56, 104),
        ("1200元以上", 1200, None),
        ("五十左右", 35, 65),
    ],
)
def test_a_price_is_read_in_customers_words(said, low, high):
    found = read_price(normalise(said)).range
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(
    "said",
    [
        "size 38 boots",
        "two pairs of gloves",
        "a tent for 4 people",
        "about 400 square feet",
        "a 15 inch sleeve",
        "under 12 years old",
        "2 or 3 lamps",
        "42码的鞋",
        "要三个杯子",
        "四个人用的帐篷",
        "between 8 and 10 people",
        "the first one",
        "make it one with a lid",
    ],
)
def test_numbers_that_are_no_prices_are_left_alone(said):
    assert not read_price(normalise(said)).range


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("under 150 euros", "EUR"),
        ("150欧以内", "EUR"),
        ("500元人民币以内", "CNY"),
        ("no more than RMB 500", "CNY"),
        ("forty quid tops", "GBP"),
        ("between $20 and $40", ""),
        ("五百块以内", ""),
        ("a pound cake tin under 20 dollars", ""),
    ],
)
def test_the_currency_that_an_amount_is_named_in_is_told(text, currency):
    price = read_price(text)
    assert price.range and price.currency == currency


def test_an_amount_of_money_wins_over_a_number_that_comes_first():
    assert read_price("a rug of about 300 threads for under $90").range.high == 90


def test_the_model_sees_no_digit_of_a_message():
    assert mask_numbers("boots size 42 under $85.50") == "boots size [n] under [budget]"
    assert mask_numbers("预算500元以内") == "预算[budget]以内"


@settings(deadline=None)
@given(st.integers(min_value=20, max_value=99_999))
def test_every_whole_amount_under_a_ceiling_is_that_ceiling(amount):
    assert read_price(f"under ${amount:,}").range == PriceRange(high=D(amount))
    assert read_price(f"{amount}元以内").range == PriceRange(high=D(amount))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_the_grammar_and_no_digit_gets_through(text):
    clean = normalise(text)
    found = read_price(clean)
    assert all(0 <= start < end <= len(clean) for start, end in found.spans)
    assert not any(character in "0123456789$€£¥" for character in mask_numbers(clean))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("something for 30 or below", None, 30),
        ("25 or lower", None, 25),
        ("gorgeous but my purse says 60", None, 60),
        ("70 or above", 70, None),
    ],
)
def test_limits_in_other_words(text, low, high):
    price = read_price(text).range
    assert (price.low, price.high) == (low, high)
