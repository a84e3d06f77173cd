"""The messages that teach stances, and their training on a few of them."""

from __future__ import annotations

import json

import pytest

from botcore.dialogue.understanding.stance import Stance
from workers.engine import reader as serving
from workers.engine.reader import STANCES, Adapted, MessageReader
from workers.training.provenance import sha256
from workers.training.stance import LABELS, MESSAGES, measures, read_message, read_messages, train


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
    assert len({m.text for m in messages}) == len(messages) > 5700
    assert {m.language for m in messages} == {"en", "zh"}


@pytest.mark.slow
def test_what_was_learned_is_served(tmp_path, monkeypatch):
    """A few epochs on a dozen messages tell "never" from "get me"; the stored adapter reads as the trained model does."""
    texts = [f"never ever {{{thing}|refused}}" for thing in ("tin", "oak", "silk", "jute", "felt", "lead")]
    texts += [f"get me {{{thing}|wanted}}" for thing in ("tin", "oak", "silk", "jute", "felt", "lead")]
    messages = [read_message("w", "en", text) for text in texts]
    learned, losses = train(messages, epochs=6)
    assert losses[-1] < losses[0] / 2
    new = [read_message("w", "en", "never ever {cork|refused}"), read_message("w", "en", "get me {cork|wanted}")]
    assert learned.read(new) == [[Stance.REFUSED], [Stance.WANTED]]
    learned.adapter.save(tmp_path, labels=list(LABELS))
    monkeypatch.setattr(serving, "STANCES", tmp_path)
    reader = MessageReader()
    for message in new:
        (chances,) = reader.stances(message.text, [(m.start, m.end) for m in message.mentions], ["wanted"])
        assert max(chances, key=chances.__getitem__) == message.stances[0]
        trained = learned.logits(learned.encoded([message])).softmax(dim=-1)[0].tolist()
        assert list(chances.values()) == pytest.approx(trained, abs=0.01)


def test_measures_count_refusals_and_whole_messages():
    messages = [read_message("w", "en", "{a|refused} {b|wanted}"), read_message("w", "en", "{c|refused}")]
    said = [[Stance.REFUSED, Stance.WANTED], [Stance.WANTED]]
    assert measures(messages, said) == {
        "mentions": 3,
        "accuracy": 0.667,
        "refusals F1": 0.667,
        "messages with all refusals right": 0.5,
    }


def test_the_shipped_stances_were_learned_from_these_messages():
    """After a change of the messages: ``python -m workers.training.stance``."""
    stated = json.loads((STANCES / "meta.json").read_text(encoding="utf-8"))
    assert stated["sha256"] == {path.name: sha256(path) for path in MESSAGES.glob("*.tsv")}
    assert Adapted(STANCES).labels == LABELS
