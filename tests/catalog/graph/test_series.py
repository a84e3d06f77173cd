"""What is of one series by its name or attribute, and what only sounds alike."""

from catalog.graph.series import Named, series_of


def named(pk: int, title: str, brand: str = "Arden", category: str = "bags/totes", **attributes: str) -> Named:
    return Named(pk, title, brand, category, {name: [value] for name, value in attributes.items()})


def test_one_name_of_one_brand_is_a_series_and_another_brand_s_is_not():
    products = [
        named(1, "Tern Tote"),
        named(2, "Tern Backpack", category="bags/backpacks"),
        named(3, "Tern Wallet", "Mole & Co"),
        named(4, "Vole Tote"),
    ]
    assert series_of(products) == [(1, 2)]


def test_the_brand_before_the_name_is_not_the_name():
    assert series_of([named(1, "Arden Tern Tote"), named(2, "Arden Vole Tote"), named(3, "Arden Tern Belt")]) == [
        (1, 3)
    ]


def test_ordinary_words_and_habits_of_naming_are_no_series():
    leather = [named(1, "Leather Tote"), named(2, "Leather Belt")]
    assert series_of(leather, frozenset({"leather"})) == []
    assert series_of([named(n, f"Deluxe Thing {n}") for n in range(20)]) == []
    midway = [named(1, "Night Lamp"), named(2, "Night Table"), named(3, "Red Night Rug"), named(4, "Old Night Clock")]
    assert series_of(midway) == []


def test_an_attribute_says_it_where_there_is_one():
    products = [
        named(1, "Wide Tote", series="tern"),
        named(2, "Small Belt", series="tern"),
        named(3, "Tall Hat", "Mole", series="tern"),
    ]
    assert series_of(products) == [(1, 2)]


def test_chinese_titles_are_cut_into_words():
    assert series_of([named(1, "飞燕 风衣", "北岸"), named(2, "飞燕 围巾", "北岸"), named(3, "海湾 围巾", "北岸")]) == [
        (1, 2)
    ]


def test_without_a_brand_nothing_is_guessed():
    assert series_of([named(1, "Tern Tote", ""), named(2, "Tern Belt", "")]) == []
