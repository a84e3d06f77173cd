"""What a product says to full-text search and to the sentence encoder."""

import pytest
from django.db import connection

from catalog.text import MAX_PASSAGE, ProductText, digest, document, passage, segment


def test_chinese_words_are_separated_and_latin_words_are_kept():
    assert segment("绿色登山背包 Water-Resistant 12L") == "绿色 登山 背包 water-resistant 12l"


def test_words_of_two_scripts_stay_one_word_in_either_case():
    assert segment("纯棉T恤") == segment("纯棉t恤") == "纯棉 t恤"


def test_full_width_letters_and_chinese_punctuation_do_not_stick_to_words():
    assert segment("背包、ＸＬ号。") == "背包 xl 号"


def test_documents_hold_the_shorter_words_inside_long_ones():
    assert "共和国" not in segment("中华人民共和国").split()
    assert "共和国" in segment("中华人民共和国", overlapping=True).split()


def test_curly_apostrophes_and_slashes_read_like_plain_words():
    assert segment("Men’s Sandwiches/Wraps") == "men's sandwiches wraps"


BACKPACK = ProductText(
    title="Trail Pack",
    description="Carries everything. Dries fast.",
    brand="Alpina",
    categories=("Accessories", "Backpacks"),
    attributes={"brand": ["alpina"], "color": ["green"], "care_label": ["x" * 80]},
    other_names=("双肩包", "绿色"),
    translations={"zh": {"title": "登山背包", "description": "快干"}},
)


def test_a_document_holds_every_language_and_every_name():
    words = document(BACKPACK).split()
    assert {"trail", "alpina", "backpacks", "green", "双肩包", "绿色", "登山", "背包", "快干", "fast."} <= set(words)


def test_a_passage_is_natural_text_without_other_languages_and_long_values():
    assert passage(BACKPACK) == (
        "Trail Pack. Alpina. Accessories > Backpacks. color: green. Carries everything. Dries fast."
    )


def test_a_passage_ends_between_sentences():
    long = ProductText(title="Trail Pack", description="It carries water. " * 200)
    assert len(passage(long)) <= MAX_PASSAGE
    assert passage(long).endswith("It carries water.")


def test_a_document_of_any_length_fits_into_an_index():
    assert len(document(ProductText(title="背包", description="登山背包" * 100_000))) < 200_000


def test_digests_tell_texts_apart():
    assert digest("a") != digest("b")
    assert len(digest("背包")) == 64


@pytest.mark.django_db
def test_postgresql_indexes_each_chinese_word_as_a_word():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_tsvector('english', %s) @@ plainto_tsquery('english', %s)",
            [segment("轻便的登山背包，绿色。T恤", overlapping=True), segment("绿色背包 t恤")],
        )
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT tsvector_to_array(to_tsvector('english', %s))", [segment("绿色登山背包 backpacks")])
        assert sorted(cursor.fetchone()[0]) == ["backpack", "登山", "绿色", "背包"]


def test_traditional_and_simplified_characters_are_one_text():
    assert segment("防水的紅色雨衣，適合登山") == segment("防水的红色雨衣，适合登山")
