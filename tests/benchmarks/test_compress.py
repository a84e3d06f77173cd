"""The table of compression: quality is compared where every row wrote, and perplexity a token of the same tokenizer."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("trl")

from benchmarks.compress import AT_ONCE, Measured, as_table, described, rows, speeds, surprises
from benchmarks.measures import Writing
from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.ports import Sample
from botcore.dialogue.verify import verify
from tests.fakes import HashEncoder
from workers.training.evaluate import Written

GOOD = "I would take the green [A.name], at [A.price]."
FALSE = "I would take the waterproof [A.name], at [A.price]."
ITEM = ItemFacts("A", "jacket", {"color": "green"}, {"name": "", "price": ""})
BRIEF = Brief("recommend", "a green jacket", wishes=("jacket", "green"), items=(ITEM,))


def written(*texts: str) -> Written:
    return Written(BRIEF, tuple(Sample(text, 12) for text in texts), tuple(verify(text, BRIEF) for text in texts), "")


def one(name: str, listed: list[Written], surprises: tuple[float, ...] = (0.5, 0.5)) -> Measured:
    return Measured(name, name, 2**20, (1.0, 2.0), list(surprises), listed)


def test_what_is_lost_is_told_where_all_rows_wrote():
    whole, small = [written(GOOD, GOOD)] * 10, [written(GOOD, FALSE)] * 10 + [written(FALSE, FALSE)] * 10
    told = rows([one("fp32", whole), one("8-bit", small)], [GOOD.replace("take", "choose")] * 20, HashEncoder())
    assert [(row.briefs, row.compared) for row in told] == [(10, 10), (20, 10)]
    assert (told[0].grounded, told[1].grounded) == (1.0, 0.25)
    assert told[0].lost == (0.0, -0.2785, 0.2785)  # ten briefs cannot tell more
    assert told[1].lost == (0.5, 0.1106, 0.7228)
    assert "+50.00% (+11.06% to +72.28%, n=10)" in as_table(told)


def test_how_much_perplexity_rose_is_told_with_how_sure_that_is():
    listed = [written(GOOD, GOOD)] * 10
    whole, small = one("fp32", listed, (0.2, 0.4) * 20), one("8-bit", listed, (0.2, 0.44) * 20)
    told = rows([whole, small], [GOOD] * 10, HashEncoder())
    assert told[0].risen == (0.0, 0.0, 0.0)
    assert (told[1].perplexity, told[1].read) == (round(math.exp(0.32), 4), 40)
    mean, low, high = told[1].risen
    assert mean == round(math.expm1(0.02), 4) and 0 < low < mean < high < math.expm1(0.04)
    assert "n=40)" in as_table(told)


def test_rows_are_timed_in_turns_and_each_brief_once(monkeypatch):
    asked: list[tuple[str, int, tuple[int, ...]]] = []

    def writing(generator: str, briefs: list[int], samples: int, at_once: int) -> Writing:
        asked.append((generator, at_once, tuple(briefs)))
        return Writing(len(briefs), 0, len(briefs), len(briefs) / (at_once * len(generator)))

    monkeypatch.setattr("benchmarks.measures.engine_writing", writing)
    assert speeds(["a", "bb"], list(range(40)), 12) == [(1.0, AT_ONCE), (2.0, 2 * AT_ONCE)]
    measured = [(generator, briefs) for generator, _, briefs in asked if briefs != (24,)]
    assert [generator for generator, _ in measured] == ["a", "bb"] * 4
    for row in ("a", "bb"):
        assert sorted(brief for generator, briefs in measured if generator == row for brief in briefs) == [*range(24)]


def test_a_tokenizer_that_spells_more_has_no_lower_perplexity_for_it(monkeypatch):
    """The same probability of the whole reply, spread over three times the tokens."""

    @dataclass
    class Encoded:
        ids: list[int]
        reply_start: int = 0

    @dataclass
    class Built:
        hf: int

    @dataclass
    class Reply:
        brief: Brief = BRIEF
        reply: str = GOOD

    @dataclass
    class Asked:
        whole: Built
        examples: tuple[Reply, ...] = (Reply(), Reply(), Reply())
        read: int = 2

    monkeypatch.setattr("workers.engine.writing.load_tokenizer", lambda length: length)
    monkeypatch.setattr("workers.training.sft.encode", lambda length, *_: Encoded([0] * length))
    monkeypatch.setattr("workers.training.likelihood.log_likelihoods", lambda model, length, texts: [-6 / length] * 2)
    coarse, fine = Built(4), Built(12)
    assert surprises(None, fine, Asked(coarse)) == pytest.approx(surprises(None, coarse, Asked(coarse)))


def test_a_compressed_model_is_told_by_what_went(tmp_path: Path):
    layers, vocabulary = {"influence": [0.1] * 30, "dropped": [3, 4]}, {"before": 49152, "after": 10641}
    (tmp_path / "meta.json").write_text(json.dumps({"layers": layers, "vocabulary": vocabulary}))
    assert described(tmp_path) == "8-bit, 28 of 30 layers, 10,641 of 49,152 tokens"
