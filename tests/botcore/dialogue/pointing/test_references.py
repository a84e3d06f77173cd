"""Which of the shown items a message speaks of."""

from decimal import Decimal

import pytest

from botcore.dialogue.meanings import Match, Meaning
from botcore.dialogue.pointing.references import price_between, references
from botcore.dialogue.pointing.shown import ShownItem
from botcore.dialogue.state import DialogueState
from botcore.dialogue.words import normalise, tokens

SHOWN = (
    ShownItem(
        "A", "Heron Cork Stool", "heron cork stool, folds flat. 鹭 软木凳", Decimal(40), frozenset({"cork", "2 kg"})
    ),
    ShownItem(
        "B", "Linden Felt Stool", "linden felt stool, stacks. 椴 毛毡凳", Decimal(90), frozenset({"felt", "3 kg"})
    ),
    ShownItem(
        "C", "Marlow Cork Bench", "marlow cork bench, for two. 马洛 软木长凳", Decimal(65), frozenset({"cork", "8 kg"})
    ),
)
NAMES = {"cork": "cork", "felt": "felt", "软木": "cork", "毛毡": "felt", "藤条": "rattan"}


def spoken_of(text, focus="", shown=SHOWN):
    clean = normalise(text)
    words = tokens(clean)
    matches = []
    for name, value in NAMES.items():
        if (start := clean.find(name)) >= 0:
            first = next(i for i, t in enumerate(words) if t.start == start)
            last = next(i for i, t in enumerate(words) if t.end == start + len(name)) + 1
            matches.append(Match(first, last, name, (Meaning("material", value),)))
    state = DialogueState(shown=(tuple(item.sku for item in shown),), focus=focus)
    return references(clean, words, matches, shown, state)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("the second one please", "B"),
        ("compare 1 and 3", "AC"),
        ("the last two", "BC"),
        ("second from last", "B"),
        ("does the felt one fold?", "B"),
        ("both cork ones", "AC"),
        ("how heavy is the cheapest", "A"),
        ("none of these", "ABC"),
        ("not the felt, show me the others", "BAC"),
        ("what about the Marlow", "C"),
        ("the 90 one", "B"),
        ("is the $65 one any good", "C"),
        ("how heavy is the 40 dollar one?", "A"),
        ("what's different, the 40 or the 65?", "AC"),
        ("the 3 kg one", "B"),
        ("90的那个", "B"),
        ("65块那款有货吗", "C"),
        ("第二个", "B"),
        ("最后那只", "C"),
        ("前两个都不错", "AB"),
        ("毛毡那个多少钱", "B"),
        ("软木的两个有什么不同", "AC"),
        ("最贵的那个", "B"),
        ("三个都不要", "ABC"),
    ],
)
def test_items_are_found_by_place_number_description_and_rank(text, items):
    assert set(spoken_of(text).skus) == set(items)


@pytest.mark.parametrize(
    "text", ["do you have it in blue?", "something for the hallway", "给我看看别的", "wait a second"]
)
def test_a_message_that_points_at_nothing_names_no_item(text):
    assert spoken_of(text).skus == ()


@pytest.mark.parametrize(
    ("text", "beyond"),
    [
        ("i'll take the second one", True),
        ("第二个有货吗", True),
        ("the first one, please", False),
        ("is it second-hand?", False),
        ("the last one", False),
        ("it's for my second son", False),
    ],
)
def test_a_place_that_the_list_does_not_have_points_at_nothing_in_it(text, beyond):
    found = spoken_of(text, focus="A", shown=SHOWN[:1])
    assert found.beyond is beyond
    assert not (found.skus and beyond)


def test_a_pronoun_means_the_item_in_focus():
    assert spoken_of("does it fold?", focus="C").skus == ("C",)


@pytest.mark.parametrize(("text", "items"), [("只要不是藤条这个材料就行", ""), ("这个多少钱", "C")])
def test_a_demonstrative_behind_a_name_takes_up_the_name(text, items):
    assert spoken_of(text, focus="C").skus == tuple(items)


@pytest.mark.parametrize("text", ["the 30 one", "under 90", "40 of them", "the 90s one", "by the 40th"])
def test_a_number_that_is_no_price_of_theirs_points_at_nothing(text):
    assert spoken_of(text).skus == ()


@pytest.mark.parametrize(
    "text",
    [
        "something between the first and the second",
        "something between the 40 and the 90 one",
        "between the $40 one and the $90 one maybe",
    ],
)
def test_a_price_between_two_items_lies_between_their_prices(text):
    between = price_between(text, spoken_of(text), SHOWN)
    assert [between.holds(Decimal(amount)) for amount in ("40", "40.01", "89.99", "90")] == [False, True, True, False]


def test_which_of_two_asks_for_nothing_between_them():
    text = "between the first and the second, which folds?"
    assert not price_between(text, spoken_of(text), SHOWN)


def test_what_an_item_is_called_tells_it_apart_before_what_is_written_of_it():
    shown = (
        ShownItem("A", "Night LED Lantern", "night led lantern, bright", Decimal(30)),
        ShownItem("B", "Desert Camping Set", "desert camping set with a led lantern", Decimal(300)),
    )
    assert spoken_of("how much is the led one", shown=shown).skus == ("A",)
