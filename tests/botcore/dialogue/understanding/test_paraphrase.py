"""Values said in other words, by the real reader, against a vocabulary of some of a shop's values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from botcore.dialogue.lexicon.lexicon import CategoryWords, Lexicon
from botcore.dialogue.meanings import Match, Meaning
from botcore.dialogue.ports import Meant, MessageRead
from botcore.dialogue.understanding.paraphrase import paraphrased
from botcore.dialogue.understanding.stretches import Found, surest, windows
from botcore.dialogue.words import normalise, tokens
from workers.engine import load_reader

VALUES = {
    "occasion": "office evening weekend travel gym gift wedding hiking",
    "mood": "hopeful funny dark tense cozy thoughtful",
    "feature": "quick-drying long-lasting side-zip crew-neck turtleneck water-resistant",
    "finish": "matte glossy satin",
    "color": "red blue yellow green black",
}
LEXICON = Lexicon(
    categories={"goods": CategoryWords("goods", "Goods", "thing", "东西", 40)},
    placed={Meaning(a, v): {"goods": 5} for a, values in VALUES.items() for v in values.split()},
)


def read(text: str) -> set[Meaning]:
    clean = normalise(text)
    found = paraphrased(clean, tokens(clean), [], (), "goods", LEXICON, load_reader())
    return {meaning for match in found for meaning in match.meanings}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("something for evenings out", Meaning("occasion", "evening")),
        ("i want it for going to the office", Meaning("occasion", "office")),
        ("it should be water proof", Meaning("feature", "water-resistant")),
        ("with zippers on the side", Meaning("feature", "side-zip")),
        ("something that makes me laugh", Meaning("mood", "funny")),
        ("要能逗我笑的", Meaning("mood", "funny")),
        ("出去爬山用", Meaning("occasion", "hiking")),
    ],
)
def test_a_value_in_other_words(text, value):
    assert value in read(text)


@pytest.mark.parametrize(
    "text",
    [
        "could it be here by thursday?",
        "my neighbour told me about you",
        "a nice one, i'd say",
        "how do i send something back",
        "which one would you take?",
        "你们周末发货吗",
        "客服态度真好",
    ],
)
def test_what_is_no_value_stays_unread(text):
    assert read(text) == set()


def test_nothing_is_read_where_nobody_said_what_the_talk_is_about():
    words = tokens("evenings out")
    assert paraphrased("evenings out", words, [], (), "", LEXICON, load_reader()) == []


@dataclass(frozen=True)
class Certain:
    """Stands for the reader: the last window of the message means the first value, by these chances."""

    chance: float
    refused: float

    def message(self, text: str) -> MessageRead:
        raise AssertionError(text)

    def meaning(self, text, stretches, values) -> Meant:
        odds = np.full((len(stretches), len(values)), -50.0, dtype=np.float32)
        odds[-1, 0] = np.log(self.chance / (1 - self.chance))
        return Meant(odds, np.full(len(stretches), self.refused, dtype=np.float32))


@pytest.mark.parametrize(
    ("chance", "refused", "found"),
    [
        (0.99, 0.1, [(False, False)]),
        (0.99, 0.9, [(True, False)]),
        (0.92, 0.1, [(False, True)]),
        (0.92, 0.9, []),
        (0.5, 0.1, []),
    ],
)
def test_what_is_sure_must_hold_what_is_likely_is_preferred_and_never_refused(chance, refused, found):
    matches = paraphrased("to desk", tokens("to desk"), [], (), "goods", LEXICON, Certain(chance, refused))
    assert [(match.refused, match.hinted) for match in matches] == found


def test_what_only_points_at_shown_items_means_no_value():
    words = tokens("i like the funny one that makes me laugh")
    assert (
        paraphrased("i like the funny one that makes me laugh", words, [], range(2, 9), "goods", LEXICON, load_reader())
        == []
    )


def test_what_is_read_already_is_not_read_again():
    words = tokens("a red one for evenings out")
    known = Match(3, 6, "for evenings out", (Meaning("occasion", "evening"),))
    assert paraphrased("a red one for evenings out", words, [known], (), "goods", LEXICON, load_reader())[-1] == known


def test_windows_keep_to_a_clause_and_a_language_and_tell_something():
    words = tokens("it is to stay put, 不脱妆")
    said = {" ".join(t.text for t in words[first:last]) for first, last in windows(words)}
    assert {"stay put", "is to stay", "不 脱 妆"} <= said
    assert not any("," in text or ("put" in text and "不" in text) for text in said)
    assert "it is" not in said


def test_windows_leave_out_what_is_taken():
    words = tokens("red wool coat")
    assert set(windows(words, {1})) == {(0, 1), (2, 3)}


def test_the_surest_window_wins_over_those_it_overlaps():
    places = [(0, 2), (1, 3), (4, 5)]
    odds = np.array([[2.0, -9.0], [-9.0, 4.0], [-9.0, -9.0]], dtype=np.float32)
    meant = Meant(odds, np.array([0.1, 0.9, 0.1], dtype=np.float32))
    assert surest(places, meant, "ab", 0.5) == [Found(1, 3, (1,), pytest.approx(0.982, abs=1e-3), True)]
    assert surest(places, meant, "ab", 0.99) == []


def test_near_values_of_one_attribute_are_alternatives_and_those_of_others_rivals():
    meant = Meant(np.array([[3.0, 2.5, 2.9, -9.0]], dtype=np.float32), np.zeros(1, dtype=np.float32))
    assert surest([(0, 1)], meant, ["wear", "wear", "finish", "wear"], 0.7) == []
    (found,) = surest([(0, 1)], meant, ["wear", "wear", "wear", "wear"], 0.7)
    assert found.values == (0, 2, 1) and found.chance == pytest.approx(0.981, abs=2e-3)
