"""Long texts are cut where a reader would pause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botcore.channels.chunking import around_links, chunks, chunks_written, size


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("short", 10, ["short"]),
        ("", 10, []),
        ("First line here.\n\nSecond paragraph", 20, ["First line here.", "Second paragraph"]),
        ("One sentence here. Another one", 22, ["One sentence here.", "Another one"]),
        ("It costs $ 89.00 today", 13, ["It costs", "$ 89.00 today"]),
        ("The jacket is 1 299,00 kr", 19, ["The jacket is", "1 299,00 kr"]),
        ("That would be USD 49", 18, ["That would be", "USD 49"]),
        ("这件外套防水。价格是299元，很轻", 12, ["这件外套防水。", "价格是299元，很轻"]),
        ("价格只要1299元哦", 7, ["价格只要", "1299元哦"]),
    ],
)
def test_a_text_is_cut_at_pauses_and_never_inside_a_price(text, limit, pieces):
    assert chunks(text, limit) == pieces


AMOUNTS = (
    "$1,299.00|HK$ 1,299|US $5|R$10|Rs. 500|1 299,00 kr|1.299,00 €|1'299 zł|CHF 20|49 USD|₪ 99|99 dollars"
    "|1.2万元|3千块|1299円"
)


@pytest.mark.parametrize("amount", AMOUNTS.split("|"))
@pytest.mark.parametrize(
    "around", ["The jacket costs {} and is light", "这件外套只要{}，很轻", "只要{}哦", "from {} or {} now"]
)
def test_a_price_stays_whole_wherever_the_cut_falls(amount, around):
    text = around.format(amount, amount)
    for limit in range(len(amount), len(text)):
        assert sum(piece.count(amount) for piece in chunks(text, limit)) == text.count(amount), limit


UNCUT = (
    *AMOUNTS.split("|"), "https://shop.example/商品/外套?id=1", "http://shop.example/path/p/12", "https://a.example/?b=2",
    "👩‍👩‍👧", "🇩🇪", "👍🏽",
)  # fmt: skip
WORDS = ("jacket", "外套", "很轻。", "the.", "，", "雨天\n", "\n\n", "3.")


@given(
    st.lists(st.sampled_from((*UNCUT, *WORDS)), max_size=60),
    st.sampled_from([" ", "，"]),
    st.integers(60, 200),
    st.sampled_from(["characters", "utf16", "bytes"]),
)
def test_links_prices_and_characters_stay_whole_among_each_other(parts, between, limit, unit):
    text = between.join(parts)
    pieces = chunks(text, limit, unit)
    assert all(sum(piece.count(part) for piece in pieces) == text.count(part) for part in set(parts) & set(UNCUT))


def test_products_are_cut_from_each_other_though_one_ends_and_the_next_begins_with_a_digit():
    text = "\n\n".join(f"{number}. Jacket · ${number}9\nhttps://shop.example/p/{number}" for number in range(1, 9))
    pieces = chunks(text, 100)
    assert len(pieces) > 2
    assert "\n\n".join(pieces) == text


@pytest.mark.parametrize(("unit", "length"), [("characters", 2), ("utf16", 3), ("bytes", 7)])
def test_platforms_count_differently(unit, length):
    assert size("🧥好", unit) == length


@given(
    st.text(alphabet="ab1. \n好。🧥é‍👍", max_size=300),
    st.integers(16, 60),
    st.sampled_from(["characters", "utf16", "bytes"]),
)
def test_no_piece_is_too_long_and_nothing_but_white_space_is_lost(text, limit, unit):
    pieces = chunks(text, limit, unit)
    assert all(0 < size(piece, unit) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "link", ["https://shop.example/商品/外套?id=1", "http://shop.example/a-very-long-path/jacket.html"]
)
def test_a_link_stays_whole_where_it_fits(link):
    pieces = chunks(f"看看这个{link}很不错", size(link, "characters") + 2)
    assert any(link in piece for piece in pieces)
    assert "".join(pieces) == f"看看这个{link}很不错"


@pytest.mark.parametrize("character", ["👩‍👩‍👧", "🇩🇪", "👍🏽", "e\u0301", "각", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
@pytest.mark.parametrize("unit", ["utf16", "bytes", "characters"])
def test_what_a_reader_sees_as_one_character_is_never_cut(character, unit):
    limit = 3 * size(character, unit) - 1
    pieces = chunks(character * 20, limit, unit)
    assert "".join(pieces) == character * 20
    assert all(piece == character * (len(piece) // len(character)) for piece in pieces)
    assert all(size(piece, unit) <= limit for piece in pieces)


def doubled(text: str) -> str:
    return text.replace("&", "&amp;")


@given(st.text(alphabet="a& \n。", max_size=400), st.integers(10, 60))
def test_a_text_is_cut_by_what_it_becomes_and_loses_nothing(text, limit):
    pieces = chunks_written(text, limit, doubled)
    assert all(0 < len(doubled(piece)) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_text_that_stays_as_it_is_is_cut_as_ever():
    text = "One sentence here. Another one. And a third"
    assert chunks_written(text, 22, str) == chunks(text, 22)


def test_links_are_written_otherwise_than_the_words_around_them():
    text = "see https://a.example/x_y, or (https://b.example/z?q=1)."
    assert around_links(text, str.upper) == "SEE https://a.example/x_y, OR (https://b.example/z?q=1)."
    assert around_links("https://a.example/", str.upper, lambda link: f"<{link}>") == "<https://a.example/>"
    assert around_links("", str.upper) == ""


def test_a_limit_that_nothing_fits_is_an_error_and_no_endless_work():
    with pytest.raises(ValueError, match="pieces of -6"):
        chunks("a jacket", -6)
