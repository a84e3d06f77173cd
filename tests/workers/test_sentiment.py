"""How texts feel: the head that ships, and the table that it was measured in."""

from __future__ import annotations

import json

import pytest

from botcore.models import Sentiment
from botcore.streams.sentiment import DATA, LABELS, NAME, feelings, shipped
from workers.engine import load_reader
from workers.training.provenance import sha256
from workers.training.sentiment import TEXTS, Text, baseline, read_texts, read_training

PLAIN = (
    ("I love it, best jacket I ever had!", "en", "positive"),
    ("It broke after two days and nobody answers, awful.", "en", "negative"),
    ("Where can I see my order?", "en", "neutral"),
    ("质量特别好，非常满意！", "zh", "positive"),
    ("用了两天就坏了，客服也不理人，太差了。", "zh", "negative"),
    ("请问这款有几个颜色？", "zh", "neutral"),
)


def test_what_is_said_plainly_is_felt_in_both_languages():
    found = feelings(load_reader().feels([text for text, _, _ in PLAIN]), [language for _, language, _ in PLAIN])
    assert [each.sentiment for each in found] == [label for _, _, label in PLAIN]
    assert all(each.confidence > 1 / 3 for each in found)


def test_nothing_read_is_nothing_felt():
    assert feelings(load_reader().feels([]), []) == []


def test_the_head_that_ships_was_trained_from_the_texts_that_are_here_and_beats_both_others():
    meta = json.loads((DATA / f"{NAME}.json").read_text(encoding="utf-8"))
    assert meta["sha256"] == {path.name: sha256(path) for path in TEXTS.glob("*.tsv")}
    assert shipped().labels == LABELS == tuple(map(str, sorted(Sentiment.values)))
    scores = {(line["language"], line["name"]): line["macro_f1"] for line in meta["report"]["held out"]}
    for language, other in (("en", "VADER"), ("zh", "SnowNLP")):
        assert scores[language, "our head, reviews"] > scores[language, f"{other}, reviews"]
        assert scores[language, "our head, all"] > scores[language, f"{other}, all"]


def test_no_text_is_both_learned_from_and_held_out():
    learned, held_out = read_training(), read_texts(TEXTS / "heldout.tsv")
    assert not {text.text for text in learned} & {text.text for text in held_out}
    assert {text.language for text in held_out} == {"en", "zh"}


def test_a_line_that_is_not_as_the_readme_says_is_named(tmp_path):
    file = tmp_path / "wrong.tsv"
    file.write_text("label\tlanguage\tkind\ttext\npositive\ten\treview\tGood.\nangry\ten\treview\tBad.\n")
    with pytest.raises(ValueError, match="line 3"):
        read_texts(file)


def test_another_scorers_bounds_are_fitted_on_what_is_learned_from():
    learned = [
        Text("negative", "en", "review", "-5"),
        Text("neutral", "en", "review", "0"),
        Text("positive", "en", "review", "5"),
    ]
    judged = [Text("negative", "en", "review", "-4"), Text("positive", "en", "review", "6")]
    assert [each.said for each in baseline(float, learned * 5, judged)] == ["negative", "positive"]
