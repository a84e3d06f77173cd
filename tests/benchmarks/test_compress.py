"""The table of compression: quality is compared where every row wrote, and perplexity a token of the same tokenizer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("trl")

from benchmarks.compress import Measured, as_table, described, perplexity, rows
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


def one(name: str, listed: list[Written]) -> Measured:
    return Measured(name, name, 2**20, (1.0, 2.0), 1.5, listed)


def test_what_is_lost_is_told_where_all_rows_wrote():
    whole, small = [written(GOOD, GOOD)] * 10, [written(GOOD, FALSE)] * 10 + [written(FALSE, FALSE)] * 10
    told = rows([one("fp32", whole), one("8-bit", small)], [GOOD.replace("take", "choose")] * 20, HashEncoder())
    assert [(row.briefs, row.compared) for row in told] == [(10, 10), (20, 10)]
    assert (told[0].grounded, told[1].grounded) == (1.0, 0.25)
    assert told[0].lost == (0.0, 0.0, 0.0)
    assert told[1].lost == (0.5, 0.5, 0.5)
    assert "+50.00% (+50.00% to +50.00%, n=10)" in as_table(told)


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
        examples: tuple[Reply, ...] = (Reply(), Reply())

    monkeypatch.setattr("workers.engine.writing.load_tokenizer", lambda length: length)
    monkeypatch.setattr("workers.training.sft.encode", lambda length, *_: Encoded([0] * length))
    monkeypatch.setattr("workers.training.likelihood.log_likelihoods", lambda model, length, texts: [-6 / length] * 2)
    coarse, fine = Built(4), Built(12)
    assert perplexity(None, fine, Asked(coarse)) == pytest.approx(perplexity(None, coarse, Asked(coarse)))


def test_a_compressed_model_is_told_by_what_went(tmp_path: Path):
    layers, vocabulary = {"influence": [0.1] * 30, "dropped": [3, 4]}, {"before": 49152, "after": 10641}
    (tmp_path / "meta.json").write_text(json.dumps({"layers": layers, "vocabulary": vocabulary}))
    assert described(tmp_path) == "8-bit, 28 of 30 layers, 10,641 of 49,152 tokens"
