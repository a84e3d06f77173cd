"""Names of values that are everyday words, or are written apart."""

from __future__ import annotations

import pytest

from botcore.dialogue.lexicon import Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.words import tokens

EVENING, EVERYDAY = Meaning("occasion", "evening"), Meaning("occasion", "everyday")


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    built = Lexicon(attributes={"occasion": {"evening": 3, "everyday": 4}})
    for meaning in (EVENING, EVERYDAY):
        built.learn(meaning.value, meaning)
    for key, (phrase, meanings) in built.phrases.items():
        built.automaton.add_word(f" {key} ", (len(key) + 2, phrase, tuple(meanings)))
    built.automaton.make_automaton()
    return built


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a coat for the evening", True),
        ("something for evening", True),
        ("good evening", False),
        ("i saw it this evening", False),
    ],
)
def test_an_everyday_word_is_a_value_where_it_says_what_something_is_for(lexicon, text, said):
    found = [meaning for match in lexicon.match(tokens(text)) for meaning in match.meanings]
    assert (EVENING in found) is said


@pytest.mark.parametrize(("first", "second", "apart"), [("every", "day", True), ("every", "evening", False)])
def test_a_name_may_be_written_apart(lexicon, first, second, apart):
    assert lexicon.apart(first, second) is apart
