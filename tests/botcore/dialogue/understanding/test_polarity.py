"""What is refused, allowed and waived in a sentence, whatever the shop sells."""

import pytest

from botcore.dialogue.meanings import Match, Meaning
from botcore.dialogue.understanding.polarity import disowned, stances
from botcore.dialogue.words import normalise, tokens

VALUES = ("cork", "felt", "jute", "软木", "毛毡", "黄麻")
KINDS = ("rug", "地毯")


def said_of(text, stance):
    """The values of which a sentence says something, in its order."""
    words = tokens(normalise(text))
    clean = normalise(text)
    matches = []
    for name in (*VALUES, *KINDS):
        start = clean.find(name)
        if start >= 0:
            first = next(i for i, t in enumerate(words) if t.start == start)
            last = next(i for i, t in enumerate(words) if t.end == start + len(name)) + 1
            attribute = "category" if name in KINDS else "material"
            matches.append(Match(first, last, name, (Meaning(attribute, name),)))
    told = getattr(stances(clean, words, matches), stance)
    return {m.phrase for m in matches if m.first in told}


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("a rug, no cork or felt, jute is fine", {"cork", "felt"}),
        ("not cork but jute for the rug", {"cork"}),
        ("anything except felt", {"felt"}),
        ("cork sheds everywhere, so skip that", {"cork"}),
        ("felt isn't for me, jute please", {"felt"}),
        ("could you leave jute out of it", {"jute"}),
        ("cork gives me a rash", {"cork"}),
        ("rather a jute one than one in felt", {"felt"}),
        ("any material bar cork", {"cork"}),
        ("a bar of cork soap", set()),
        ("the third is nice, shame it's felt", {"felt"}),
        ("第三块不错，可惜是毛毡的", {"毛毡"}),
        ("地毯，软木的不考虑", {"软木"}),
        ("除了毛毡都行", {"毛毡"}),
        ("黄麻扎脚，不要", {"黄麻"}),
        ("我对毛毡过敏，看看软木的", {"毛毡"}),
        ("软木和毛毡都不要，黄麻可以", {"软木", "毛毡"}),
        ("地毯，不要软木的也不要毛毡的", {"软木", "毛毡"}),
        ("a rug of neither felt nor cork", {"felt", "cork"}),
        ("nothing like cork please", {"cork"}),
        ("I never want felt again", {"felt"}),
    ],
)
def test_a_refusal_reaches_its_objects_and_no_further(text, refused):
    assert said_of(text, "refused") == refused


@pytest.mark.parametrize(
    "text",
    [
        "don't show me a rug that isn't jute",
        "I wouldn't live without cork",
        "nothing but felt will do",
        "不是软木的地毯我不买",
        "除了黄麻我都不要",
        "地毯不能没有毛毡",
        "a rug that won't scratch cork",
        "if it isn't jute I'm not interested",
        "I refuse to buy a rug that's not felt",
        "地毯要不伤软木的",
    ],
)
def test_two_refusals_ask_for_the_thing(text):
    assert said_of(text, "refused") == set()


@pytest.mark.parametrize(
    "text",
    [
        "the first is lovely, a pity it isn't jute",
        "too bad there's no felt",
        "不错，可惜不是软木的",
        "很遗憾没有毛毡的",
    ],
)
def test_who_regrets_that_something_is_not_so_wants_it_so(text):
    assert said_of(text, "refused") == set()


@pytest.mark.parametrize(
    "text", ["don't you have it in cork?", "haven't you got felt?", "没有软木的吗", "有没有毛毡的"]
)
def test_a_negative_question_asks_for_the_thing(text):
    assert said_of(text, "refused") == set()


def test_what_is_allowed_waived_or_indifferent_is_told_apart():
    assert said_of("cork would be fine", "allowed") == {"cork"}
    assert said_of("it needn't be felt any more", "unneeded") == {"felt"}
    assert said_of("I don't mind jute", "idle") == {"jute"}
    assert said_of("黄麻也行", "allowed") == {"黄麻"}
    assert said_of("不一定要软木", "unneeded") == {"软木"}
    assert said_of("cork or not, I don't care", "idle") == {"cork"}


def test_what_nobody_said_is_no_longer_required():
    assert said_of("I never asked for jute", "unneeded") == {"jute"}
    assert said_of("我没说要软木", "unneeded") == {"软木"}
    assert disowned("i never said under $100", len("i never said under "))
    assert not disowned("i never wear cork. under $100", len("i never wear cork. under "))


def test_a_refusal_with_an_object_of_its_own_leaves_what_stands_before():
    text = "毛毡不要藤底的"
    words = tokens(text)
    felt = Match(0, 2, "毛毡", (Meaning("material", "毛毡"),))
    unknown = frozenset(i for i, token in enumerate(words) if token.text in "藤底")
    assert stances(text, words, [felt]).refused >= {0, 1}
    assert stances(text, words, [felt], unknown).refused.isdisjoint({0, 1})


def test_what_needs_not_be_so_ends_before_the_thing_itself():
    assert said_of("有不用毛毡的地毯吗", "unneeded") == {"毛毡"}
