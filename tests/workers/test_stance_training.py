"""The stance head's messages and their training, on a few of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse import csr_array

from botcore.dialogue.heads import HEADS
from botcore.dialogue.understanding.stance import Stance
from workers.training.provenance import sha256
from workers.training.stance import MESSAGES, check, fit_sparse, read_message, read_messages


def test_marks_are_taken_off_and_placed_in_the_normalised_text():
    message = read_message("w", "en", "A  {Rucksack|wanted}, nothing in {Leather|refused}!")
    assert message.text == "a rucksack, nothing in leather!"
    assert [message.text[m.start : m.end] for m in message.mentions] == ["rucksack", "leather"]
    assert message.stances == (Stance.WANTED, Stance.REFUSED)


@pytest.mark.parametrize("marked", ["nothing marked", "a {lamp|unheard}", "a {  |wanted}"])
def test_a_bad_line_is_named(tmp_path, marked):
    (tmp_path / "w.tsv").write_text(f"en\ta {{lamp|wanted}}\nen\t{marked}\n")
    with pytest.raises(ValueError, match=r"w\.tsv, line 2"):
        read_messages(tmp_path)


def test_all_messages_of_the_project_are_readable():
    messages = read_messages()
    assert len(messages) == len({m.text for m in messages}) == 4000
    assert {m.language for m in messages} == {"en", "zh"}


def test_a_table_that_can_be_told_apart_is_learned():
    table = csr_array(np.array([[1.0, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 1]]))
    weights = fit_sparse(table, np.array([0, 0, 1, 1]), 2)
    assert (table @ weights).argmax(axis=1).tolist() == [0, 0, 1, 1]


def test_the_check_judges_no_writer_by_its_own_messages():
    """Two writers who use the same words for opposite things: a head that had seen its own writer would be right."""
    says = {"a": ("refused", "wanted"), "b": ("wanted", "refused")}
    messages = [
        read_message(writer, language, f"{word} {{{thing}|{stance}}}")
        for writer, stances in says.items()
        for word, stance in zip(("zig", "zag"), stances, strict=True)
        for language, thing in (("en", "tin"), ("en", "oak"), ("zh", "tin"), ("zh", "oak"))
    ]
    assert check(messages)["other writers' head, en"]["refusals F1"] < 0.5


def test_the_shipped_head_was_trained_on_these_messages():
    """After a change of the messages: ``python -m workers.training.stance``."""
    stated = json.loads((HEADS / "stance.json").read_text(encoding="utf-8"))["sha256"]
    assert stated == {path.name: sha256(path) for path in MESSAGES.glob("*.tsv")}
