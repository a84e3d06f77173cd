"""Values said in other words, by the real encoder, against a vocabulary of some of a shop's values."""

from __future__ import annotations

import pytest

from botcore.dialogue.lexicon.lexicon import Lexicon
from botcore.dialogue.meanings import Meaning
from botcore.dialogue.understanding.paraphrase import paraphrased
from botcore.dialogue.words import normalise, tokens
from workers.engine import load_encoder

VALUES = {
    "occasion": "office evening weekend travel gym gift wedding hiking",
    "mood": "hopeful funny dark tense cozy thoughtful",
    "feature": "quick-drying long-lasting side-zip crew-neck turtleneck water-resistant",
    "finish": "matte glossy satin",
    "color": "red blue yellow green black",
}
LEXICON = Lexicon(placed={Meaning(a, v): {"goods": 5} for a, values in VALUES.items() for v in values.split()})


def read(text: str) -> set[Meaning]:
    words = tokens(normalise(text))
    found = paraphrased(
        normalise(text), words, LEXICON.match(words) if LEXICON.phrases else [], "goods", LEXICON, load_encoder()
    )
    return {meaning for match in found for meaning in match.meanings}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("something for evenings out", Meaning("occasion", "evening")),
        ("i want it for going to the office", Meaning("occasion", "office")),
        ("one with a matt look", Meaning("finish", "matte")),
        ("it should be water proof", Meaning("feature", "water-resistant")),
        ("with zippers on the side", Meaning("feature", "side-zip")),
    ],
)
def test_a_value_in_other_words(text, value):
    assert value in read(text)


@pytest.mark.parametrize(
    "text",
    [
        "could it be here by thursday?",
        "my neighbour told me about you",
        "a nice one for my favourite aunt",
        "how do i send something back",
        "which one would you take?",
        "something bright",
        "适合晚上穿的",
    ],
)
def test_what_is_no_value_stays_unread(text):
    assert read(text) == set()


def test_nothing_is_read_where_nobody_said_what_the_talk_is_about():
    words = tokens("evenings out")
    assert paraphrased("evenings out", words, [], "", LEXICON, load_encoder()) == []


@pytest.mark.parametrize(
    ("text", "guessed"), [("something for evenings out", False), ("it should be water proof", True)]
)
def test_a_value_in_quite_other_words_is_a_guess(text, guessed):
    found = paraphrased(text, tokens(text), [], "goods", LEXICON, load_encoder())
    assert [match.guessed for match in found] == [guessed]
