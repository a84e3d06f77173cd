"""What a turn stored, made readable. No database."""

from admin_console.explanation import Bar, Change, bars, candidates, changes, plain, samples, told_to_the_model
from botcore.dialogue.brief import Brief, ItemFacts


def test_changed_fields_come_first_and_say_what_went_and_what_came():
    before = {"goal": "coats", "language": "en", "constraints": [{"attribute": "color", "value": "green"}]}
    after = {
        "goal": "bags",
        "language": "en",
        "constraints": [
            {"attribute": "color", "value": "green", "turn": 3},
            {"attribute": "material", "value": "leather", "wanted": False},
            {"attribute": "text", "value": "light", "hard": False},
        ],
    }
    assert changes(before, after) == (
        Change("Looking for", kept=(), gone=("coats",), new=("bags",)),
        Change("Wishes", kept=("color: green",), gone=(), new=("material: ≠ leather", "text: light ?")),
        Change("Language", kept=("en",), gone=(), new=()),
    )


def test_prices_read_as_people_write_them():
    said = [{"low": "20", "high": "50"}, {"high": "80"}, {"low": "10"}, {"low": "40", "high": "60", "about": "50"}]
    shown = [changes({}, {"price": price})[0].new for price in said]
    assert shown == [("20 – 50",), ("≤ 80",), ("≥ 10",), ("≈ 50",)]


def test_a_field_the_console_has_never_heard_of_is_shown_under_its_own_name():
    assert changes({}, {"mood_swing": "sunny"}) == (Change("mood swing", (), (), ("sunny",)),)


def test_candidates_make_one_table_of_all_their_features_with_the_score_first():
    table = candidates(
        [{"sku": "P1", "name": "Coat", "dense": 0.71234, "score": 0.9}, {"sku": "P2", "features": {"stock": True}}],
        slate=[{"letter": "A", "sku": "P1"}],
    )
    assert table.columns == ("score", "dense", "stock")
    assert [(row.title, row.letter, row.features) for row in table.rows] == [
        ("Coat", "A", ("0.9", "0.712", "")),
        ("", "", ("", "", "✓")),
    ]


def test_the_brief_is_shown_as_the_prompt_had_it_beside_the_values_behind_its_tags():
    brief = Brief("recommend", items=(ItemFacts("A", "coat", slots={"name": "Parka"}),), slots={"budget": "$80"})
    text, slots = told_to_the_model(brief.to_json())
    assert text == "act: recommend\nA: coat; [A.name]\ntags: [budget]"
    assert slots == (("[A.name]", "Parka"), ("[budget]", "$80"))


def test_a_brief_of_another_shape_is_shown_raw():
    assert told_to_the_model({"facts": ["a"]}) == ('{\n  "facts": [\n    "a"\n  ]\n}', ())


def test_the_text_that_went_out_comes_before_the_accepted_and_the_refused():
    views = samples(
        [
            {"text": "bad", "accepted": False, "problems": ["a promise"]},
            {"text": "fine", "accepted": True},
            {"text": "[A.name]!", "filled": "Parka!", "accepted": True, "chosen": True},
        ]
    )
    assert [view.text for view in views] == ["Parka!", "fine", "bad"]
    assert views[2].problems == ("a promise",)


def test_bars_are_shares_of_the_whole_longest_first():
    assert bars({"find": 25, "write": 50.0, "total": 100.0}) == ((Bar("write", 50, 50.0), Bar("find", 25, 25.0)), 100)
    assert bars({"find": 0}) == ((Bar("find", 0, 0.0),), 0)
    assert bars({}) == ((), 0)


def test_numbers_are_short_and_nothing_is_nothing():
    values = (0.123456, 1234.5, 0, [], None, {"a_b": [1, 2]}, True)
    assert [plain(value) for value in values] == ["0.123", "1234", "0", "", "", "a b: 1, 2", "✓"]
