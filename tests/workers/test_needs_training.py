"""What the reader of needs learns from: kinds of several writers put together, batches in which some kinds are not for sale."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from workers.engine.reader import NEEDS
from workers.training.needs import SAID, Kind, batches, read_kinds
from workers.training.provenance import sha256


def line(kind: str, *messages: str) -> str:
    row = {
        "kind": kind,
        "kind_zh": "雨衣",
        "about": "keeps you dry",
        "about_zh": "防水",
        "en": messages,
        "zh": ["淋成落汤鸡"],
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def test_what_several_writers_told_of_one_kind_is_put_together(tmp_path):
    (tmp_path / "a.jsonl").write_text(line("rain jackets", "i arrive soaked") + line("kettles", "tea for one"))
    (tmp_path / "b.jsonl").write_text(line("Rain Jacket", "wet to the bone"))
    jackets, kettles = read_kinds(tmp_path)
    assert jackets.messages == ("i arrive soaked", "淋成落汤鸡", "wet to the bone", "淋成落汤鸡")
    assert (jackets.id, kettles.id) == ("a1", "a2")
    assert jackets.told[:2] == ("rain jackets: keeps you dry", "雨衣: 防水")


def test_a_line_without_a_field_is_refused(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"kind": "kettles"}\n')
    with pytest.raises(KeyError, match="about"):
        read_kinds(tmp_path)


def test_every_message_is_asked_once_and_needs_its_kind_or_none_where_that_is_not_for_sale():
    kinds = [Kind(f"a{n}", (f"kind {n}",), tuple(f"message {n}/{m}" for m in range(5))) for n in range(30)]
    made = list(batches(kinds, ["hello", "thanks"], seed=1))
    told = Counter(text for batch in made for text in batch.messages if text.startswith("message"))
    assert set(told) == {text for kind in kinds for text in kind.messages} and set(told.values()) == {1}
    for batch in made:
        for text, number in zip(batch.messages, batch.needed, strict=True):
            sold = [kind for kind in batch.kinds if text in kind.messages]
            assert [batch.kinds[number - 1]] == sold if number else not sold
    without = [
        number == 0 for batch in made for number, text in zip(batch.needed, batch.messages, strict=True) if "/" in text
    ]
    assert 0.1 < sum(without) / len(without) < 0.35
    assert [batch.messages for batch in made] == [
        batch.messages for batch in batches(kinds, ["hello", "thanks"], seed=1)
    ]


def test_the_shipped_reader_of_needs_was_trained_on_these_kinds():
    stated = json.loads((NEEDS / "meta.json").read_text(encoding="utf-8"))["sha256"]
    assert stated == {path.name: sha256(path) for path in SAID.glob("*.jsonl")}
