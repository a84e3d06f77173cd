"""Kinds of products, read from titles that no shop of ours has."""

from __future__ import annotations

from botcore.dialogue.kinds import chinese_names, kinds_in
from botcore.dialogue.lexicon.lexicon import CategoryWords, Lexicon, phrase_key
from botcore.dialogue.meanings import Meaning

GARDEN = [
    "Acme Folding Hand Saw, 20 cm", "Brio Hand Saw with Wooden Grip", "Corso Hand Saw", "Dorn Hand Saw (curved)",
    "Acme Hedge Trimmer, 500 W", "Brio Quiet Hedge Trimmer", "Corso Hedge Trimmer for Beginners", "Dorn Hedge Trimmer",
]  # fmt: skip
CHINESE = [
    "艾克 折叠手锯 20厘米", "布里 木柄手锯 轻便", "科索 手锯", "多恩 弯头手锯",
    "艾克 绿篱修剪机 轻便", "布里 静音绿篱修剪机", "科索 绿篱修剪机", "多恩 绿篱修剪机",
]  # fmt: skip


def numbered(titles):
    return dict(enumerate(titles))


def test_kinds_are_what_the_names_end_in_before_their_details():
    kinds = kinds_in(numbered(GARDEN), valued=())
    assert kinds["hand saw"] == {0, 1, 2, 3}
    assert kinds["hedge trimmer"] == kinds["trimmer"] == {4, 5, 6, 7}


def test_what_all_of_a_category_is_called_is_no_kind_of_it():
    titles = numbered([f"{name} Rain Jacket" for name in "ABCD"] + [f"{name} Puffer Jacket" for name in "ABCD"])
    assert set(kinds_in(titles, valued=())) == {"rain jacket", "puffer jacket"}


def test_a_noun_with_a_value_is_no_kind():
    titles = numbered([f"{name} Midi Skirt" for name in "ABCD"] + [f"{name} Pencil Skirt" for name in "ABCD"])
    assert kinds_in(titles, valued={"midi", "pencil"}) == {}


def test_names_without_a_common_ending_tell_no_kinds():
    assert kinds_in(numbered(["The Lacquer Box", "Closing Time", "A Lighthouse for Rent", "Mend"]), valued=()) == {}
    assert kinds_in({}, valued=()) == {}


def test_chinese_names_are_those_of_the_same_products():
    kinds = kinds_in(numbered(GARDEN), valued=())
    names = chinese_names(numbered(CHINESE), kinds)
    assert names["绿篱修剪机"] in ("trimmer", "hedge trimmer")
    assert "轻便" not in names
    assert "折叠手锯" not in names  # one of them only


def test_another_word_for_the_category_names_no_kind_of_it():
    bags = CategoryWords("bags", "Backpacks", "backpack", "双肩包", 40)
    lexicon = Lexicon(categories={"bags": bags}, kinds={("bags", phrase_key("daypack")): "daypack"})
    assert lexicon.kind("bags", "daypack") == "daypack"
    assert lexicon.kind("bags", "rucksack") == lexicon.kind("bags", "backpack") == ""


def test_another_word_for_a_kind_names_it():
    mixing = CategoryWords("mixing", "Mixers & Blenders", "mixers & blender", "搅拌料理", 40)
    lexicon = Lexicon(categories={"mixing": mixing}, kinds={("mixing", phrase_key("blender")): "blender"})
    assert lexicon.kind("mixing", "smoothie maker") == "blender"


def test_a_word_for_several_kinds_names_none_of_them():
    masks = CategoryWords("masks", "Masks", "mask", "面膜", 40)
    sheet, clay = Meaning("type", "sheet mask"), Meaning("type", "clay mask")
    lexicon = Lexicon(categories={"masks": masks}, kinds={("masks", phrase_key("sheet mask")): "sheet mask"})
    lexicon.placed = {sheet: {"masks": 20}, clay: {"masks": 20}}
    for meaning in (sheet, clay):
        lexicon.learn(meaning.value, meaning)
    assert lexicon.kind("masks", "sheet mask") == "sheet mask"
    assert lexicon.kind("masks", "face mask") == ""


def test_a_part_of_its_name_calls_a_kind():
    names = {"robot vacuum": "robot vacuum", "扫地机器人": "robot vacuum", "cordless vacuum": "cordless vacuum"}
    lexicon = Lexicon(kinds={("floors", phrase_key(name)): kind for name, kind in names.items()})
    assert lexicon.kinds_called("floors", "robots") == lexicon.kinds_called("floors", "机器人") == {"robot vacuum"}
    assert lexicon.kinds_called("floors", "bot") == lexicon.kinds_called("garden", "robots") == set()
