import pytest

from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.words import content_words, language_of, normalise, sentences, singular, tokens


@pytest.mark.parametrize(
    ("text", "language"),
    [("Have you got mugs?", "en"), ("有杯子吗", "zh"), ("有没有 tote bag", "zh"), ("the brand 小米 makes", "en")],
)
def test_the_language_is_that_of_most_letters(text, language):
    assert language_of(text) == language


def test_a_message_without_letters_keeps_the_language_of_the_talk():
    assert language_of("👍 100", otherwise="zh") == "zh"


def test_full_width_signs_and_typographic_quotes_are_plain_afterwards():
    assert normalise("Ｄｏｎ’t  want　４２") == "don't want 42"


@pytest.mark.parametrize(
    ("plural", "one"), [("berries", "berry"), ("brushes", "brush"), ("cactus", "cactus"), ("dress", "dress"), ("rugs", "rug"),
                        ("camera lens", "camera lens"), ("watering cans", "watering can")],
)  # fmt: skip
def test_a_plural_noun_has_its_singular(plural, one):
    assert singular(plural) == one


def test_every_chinese_character_is_a_token_with_its_place():
    assert [(t.text, t.start) for t in tokens("红色 rug2")] == [("红", 0), ("色", 1), ("rug", 3), ("2", 6)]


def test_only_words_that_say_what_is_wanted_are_content():
    assert content_words("could you please show me some woollen hats") == ["woollen", "hats"]


def test_a_text_falls_into_sentences_of_both_languages():
    assert sentences("Free over $4.95. Next day!\n不支持退货。请保留小票。") == [
        "Free over $4.95.", "Next day!", "不支持退货。", "请保留小票。",
    ]  # fmt: skip


def test_a_concept_is_answered_by_its_kinds_and_not_by_what_is_broader():
    assert "merino" in thesaurus().alternatives("wool")
    assert "wool" not in thesaurus().alternatives("cashmere")


def test_colours_are_told_from_things_and_materials():
    words = thesaurus()
    assert words.is_colour("navy")
    assert not words.is_colour("denim") and not words.is_colour("lamp")
    assert "wallet" in words.things and "waterproof" not in words.things


def test_a_title_or_an_abbreviation_ends_no_sentence():
    text = "A guide by Prof. Jun Tang and Dr. Helen Moss. Washes well, e.g. at 30 degrees! No. Brown is fine."
    assert sentences(text) == [
        "A guide by Prof. Jun Tang and Dr. Helen Moss.",
        "Washes well, e.g. at 30 degrees!",
        "No.",
        "Brown is fine.",
    ]
