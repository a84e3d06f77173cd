"""Chinese names that no vocabulary of the shop has, by the English words of its texts."""

import numpy as np
import pytest

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import TEXT, Meaning
from botcore.dialogue.ports import MessageRead
from botcore.dialogue.understanding.glossing import glossed
from botcore.dialogue.understanding.stance import NOTHING, Stance
from botcore.dialogue.words import stem, tokens

LABELS = (NOTHING, *(stance.value for stance in Stance))
BOOTS = Meaning("style", "boot")


@pytest.fixture
def lexicon() -> Lexicon:
    built = Lexicon(attributes={"style": {"boot": 3}}, document_stems={stem(w): 2 for w in ("mask", "curved", "water")})
    built.learn("boots", BOOTS)
    for key, (phrase, meanings) in built.phrases.items():
        built.recognise(key, phrase, meanings)
    built.automaton.make_automaton()
    return built


def read(text: str, named: str, lexicon: Lexicon) -> list[tuple[str, tuple[Meaning, ...]]]:
    """The names found in a text of which the reader takes one stretch for a thing that is wanted."""
    words, start = tokens(text), text.index(named)
    inside = [start <= word.start < start + len(named) for word in words]
    rows = np.array([[0.02, 0.9, *[0.01] * 6] if thing else [0.98, *[0.003] * 7] for thing in inside], dtype=np.float32)
    seen = MessageRead({}, tuple((word.start, word.end) for word in words), rows, LABELS)
    return [(match.phrase, match.meanings) for match in glossed(text, words, (), seen, lexicon)]


def test_a_name_is_what_the_dictionary_calls_it_where_the_shop_writes_so(lexicon):
    assert read("想买个面具", "面具", lexicon) == [("面具", (Meaning(TEXT, "mask"),))]
    assert read("有曲面屏的吗", "曲面", lexicon) == [("曲面", (Meaning(TEXT, "curved"),))]


def test_a_kind_is_known_by_the_head_of_its_compound(lexicon):
    assert read("要一双登山靴", "登山靴", lexicon) == [("靴", (BOOTS,))]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("想买个口红", "口红"),  # lipstick: the shop has none
        ("送生日礼物", "日"),  # a part of a word is no name
        ("给我看看面具", "看"),  # a verb
    ],
)
def test_what_the_shop_does_not_write_of_is_no_name(lexicon, text, named):
    assert read(text, named, lexicon) == []


def test_a_shop_that_writes_chinese_would_have_the_name_itself(lexicon):
    lexicon.writes_chinese = True
    assert read("想买个面具", "面具", lexicon) == []
    assert read("要一双登山靴", "登山靴", lexicon) == []


def test_what_names_nothing_is_not_looked_up(lexicon):
    assert read("面具先不看，要鞋", "鞋", lexicon) == []
