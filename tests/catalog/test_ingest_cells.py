"""Prices, stock, stars and addresses as people write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.ingest.cells import (
    listed,
    one_text,
    parse_address,
    parse_count,
    parse_price,
    parse_rating,
    parse_stock,
    prose,
)

CENTS = st.integers(min_value=0, max_value=999_999_999_999)


@pytest.mark.parametrize(
    ("written", "currency", "price"),
    [
        ("12.50", "USD", "12.50"),
        ("1,299.00", "USD", "1299.00"),
        ("$1,299", "USD", "1299.00"),
        ("€ 12,50", "EUR", "12.50"),
        ("1.299,00 €", "EUR", "1299.00"),
        ("1.299.000", "EUR", "1299000.00"),
        ("1 299,00", "EUR", "1299.00"),
        ("1'299.50", "CHF", "1299.50"),
        ("12.50 USD", "USD", "12.50"),
        ("US$5", "USD", "5.00"),
        ("199元", "CNY", "199.00"),
        ("￥１９９", "CNY", "199.00"),
        ("0.5", "USD", "0.50"),
    ],
)
def test_prices_are_read_as_people_write_them(written, currency, price):
    assert parse_price(written, currency) == Decimal(price)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("abc", 'price "abc" is not a number: write 12.50'),
        ("-5", "is not a number"),
        ("10-20", "is not a number"),
        ("nan", "is not a number"),
        ("1e5", "is not a number"),
        ("", "is not a number"),
        ("1.299", "can be read two ways: write 1299.00 or 1.29"),
        ("1,2,3", "mixes its separators"),
        ("10 20", "mixes its separators"),
        ("1,299,00", "mixes its separators"),
        ("€ 12,50", "is not in USD, the currency of the shop"),
        ("12.50 GBP", "is not in USD, the currency of the shop"),
        ("99999999999", "is too large"),
    ],
)
def test_a_price_that_is_none_says_what_to_write(written, reason):
    with pytest.raises(ValueError, match=reason.replace("$", r"\$")):
        parse_price(written, "USD")


@given(CENTS)
def test_every_price_survives_being_written_with_thousands_and_cents(cents):
    price = Decimal(cents) / 100
    english = f"{price:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    french = english.replace(",", " ").replace(".", ",")
    assert {parse_price(text, "EUR") for text in (english, german, french, f"€{english}", f"{german} EUR")} == {price}


@given(st.text())
def test_any_text_is_a_price_or_a_reason_and_never_a_crash(written):
    try:
        price = parse_price(written, "USD")
    except ValueError as error:
        assert str(error).startswith("price ")
    else:
        assert price >= 0
        assert price.as_tuple().exponent == -2


@pytest.mark.parametrize(
    ("written", "stock"), [("15", 15), ("15.0", 15), ("1,200", 1200), ("In Stock", 1), ("out of stock", 0), ("有货", 1)]
)
def test_stock_is_a_number_or_a_word_for_it(written, stock):
    assert parse_stock(written) == stock


@pytest.mark.parametrize("written", ["-3", "2.5", "many", "1e3", "٣"])
def test_stock_that_is_no_count_is_refused(written):
    with pytest.raises(ValueError, match="is not a whole number from 0: write 12"):
        parse_stock(written)


def test_no_stars_yet_is_no_rating():
    assert parse_rating("4,5") == 4.5
    assert parse_rating("0") is None
    with pytest.raises(ValueError, match="stars from 1 to 5"):
        parse_rating("5.5")
    assert parse_count("rating count", "0") == 0


@pytest.mark.parametrize("written", ["javascript:alert(1)", "data:text/html,x", "/etc/passwd", "../../settings.py"])
def test_addresses_that_do_not_belong_into_a_page_are_refused(written):
    with pytest.raises(ValueError, match="is no web address"):
        parse_address("image", written, relative=True)


def test_images_may_be_files_of_the_media_folder_and_links_may_not():
    assert parse_address("image", "packs/1.jpg", relative=True) == "packs/1.jpg"
    assert parse_address("url", "https://shop.example/1", relative=False) == "https://shop.example/1"
    with pytest.raises(ValueError, match="start it with https://"):
        parse_address("url", "packs/1.jpg", relative=False)


def test_html_becomes_plain_text_and_mathematics_stays():
    assert prose("<p>Light &amp; <b>strong</b></p>\n<br/>for a < b") == "Light & strong\nfor a < b"


def test_control_characters_alone_say_nothing():
    assert one_text("brand", " \b\x7f ") == ""
    assert listed("red|\b|blue") == ["red", "blue"]
    assert one_text("brand", " Nord\twand ") == "Nord\twand"
