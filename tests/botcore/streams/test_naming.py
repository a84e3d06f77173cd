"""What topics are called."""

from __future__ import annotations

from botcore.streams.naming import name_of, tells_something

OTHERS = [
    "The parcel arrived a day late.",
    "My order is still not here.",
    "Can I pay by card?",
    "The jacket fits well.",
]
OTHERS_ZH = ["包裹晚了一天才到。", "我的订单还没到。", "可以刷卡吗？", "外套很合身。"]


def test_a_name_is_what_its_sentences_share_and_others_lack():
    own = ["The zip of my backpack broke.", "Backpack zip broke on day two.", "A broken zip on the backpack, again."]
    assert set(name_of(own, OTHERS, "en").replace(",", "").split()) >= {"zip", "backpack"}
    assert (
        name_of(["背包拉链坏了。", "背包的拉链用两天就坏了。", "拉链又坏了，背包没法用。"], OTHERS_ZH, "zh")
        == "拉链、背包"
    )


def test_words_are_written_as_most_people_write_them():
    own = ["The Harbourline app is down.", "harbourline app again.", "Harbourline app: no login."]
    assert name_of(own, OTHERS, "en").startswith("Harbourline app")


def test_words_beyond_a_full_stop_or_comma_are_no_pair():
    assert name_of(["zip, backpack", "zip. backpack"], OTHERS, "en") == "backpack, zip"


def test_sentences_that_share_nothing_have_no_name():
    assert name_of(["Blue hats.", "Green lamps."], OTHERS, "en") == ""


def test_thanks_and_marks_name_nothing():
    assert not tells_something("Thanks!")
    assert not tells_something("10/10")
    assert not tells_something("好的，谢谢")
    assert tells_something("The battery died.")
    assert tells_something("电池坏了")
