"""What the reader learns from: messages with marks, shops with questions; and that it does learn."""

from __future__ import annotations

import json

import pytest
import torch

from botcore.dialogue.understanding.stance import NOTHING, Stance
from workers.engine.reader import ANSWERS, AnswerHead, MessageHead
from workers.training import answers, messages
from workers.training.messages import Message, in_buckets, of_things, read_message, read_messages, stance_at
from workers.training.provenance import sha256


def test_marks_are_taken_off_and_placed_in_the_normalised_text():
    message = read_message("w", "find", "en", "A  {Rucksack|wanted}, nothing in {Leather|refused}!")
    assert message.text == "a rucksack, nothing in leather!"
    assert [(message.text[a:b], stance) for a, b, stance in message.things] == [
        ("rucksack", Stance.WANTED),
        ("leather", Stance.REFUSED),
    ]
    assert stance_at(message, 2, 5) == Stance.WANTED and stance_at(message, 12, 19) == NOTHING


@pytest.mark.parametrize(
    "line", ["-\ten\ta {lamp|unheard}", "-\ten\ta {  |wanted}", "sing\ten\ta {lamp|wanted}", "-\ta {lamp|wanted}"]
)
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "w.tsv").write_text(f"-\ten\ta {{lamp|wanted}}\n{line}\n")
    with pytest.raises(ValueError, match=r"w\.tsv, line 2"):
        read_messages(tmp_path)


def test_all_messages_of_the_project_are_readable():
    found = read_messages()
    assert {m.language for m in found} == {"en", "zh"}
    assert len(found) > 7000


def test_batches_hold_every_message_once_those_of_like_length_together():
    told = [Message("w", "en", "x" * (1 + number % 50)) for number in range(640)]
    batches = in_buckets(told)
    assert sorted(len(m.text) for batch in batches for m in batch) == sorted(len(m.text) for m in told)
    assert all(max(len(m.text) for m in batch) - min(len(m.text) for m in batch) <= 3 for batch in batches)


def test_a_refusal_missed_counts_against_the_message_and_the_f1():
    told = [
        read_message("w", "-", "en", "no {tin|refused}, {oak|wanted}"),
        read_message("w", "-", "en", "{oak|wanted}"),
    ]
    found = of_things(told, [[Stance.WANTED, Stance.WANTED], [Stance.WANTED]])
    assert found["refusals F1"] == 0 and found["messages with all refusals right"] == 0
    assert found["messages without any, read so"] == 1 and found["accuracy"] == pytest.approx(2 / 3, abs=1e-3)


def test_a_question_that_names_a_passage_its_shop_lacks_is_refused(tmp_path):
    shop = {
        "id": "x-01",
        "language": "en",
        "passages": [{"id": "a.1", "title": "Post", "text": "Two days."}],
        "questions": [{"q": "How long?", "about": None, "answers": ["b.1"]}],
    }
    (tmp_path / "1.jsonl").write_text(json.dumps(shop) + "\n")
    with pytest.raises(ValueError, match="x-01"):
        answers.read_shops(tmp_path)


def test_questions_asked_anew_are_answered_by_the_same_and_are_as_many(tmp_path):
    shop = {
        "id": "w-01",
        "language": "en",
        "passages": [{"id": "a.1", "title": "Post", "text": "Two days."}],
        "questions": [{"q": "How long?", "about": "Kite", "answers": ["a.1"]}],
    }
    anew = {"id": "x-01", "of": "w-01", "language": "zh to en", "questions": ["多久能到"]}
    (tmp_path / "1.jsonl").write_text(json.dumps(shop) + "\n")
    (tmp_path / "10.jsonl").write_text(json.dumps(anew) + "\n")
    first, second = answers.read_shops(tmp_path)
    assert second.answers.tolist() == first.answers.tolist() and second.passages == first.passages
    assert second.questions == ("Kite: 多久能到",) and second.language == "zh to en"
    (tmp_path / "10.jsonl").write_text(json.dumps({**anew, "questions": []}) + "\n")
    with pytest.raises(ValueError, match="x-01 asks 0 questions anew of the 1 of w-01"):
        answers.read_shops(tmp_path)


def test_what_lies_nearer_than_the_bound_is_likelier_than_no_answer():
    question, near, far = torch.eye(4)[:1], torch.eye(4)[:1], torch.eye(4)[1:2]
    first, second = AnswerHead()(question, torch.cat([near, far]))[0].tolist()
    assert first > 0 > second


def test_the_shipped_reader_of_answers_was_trained_on_these_questions():
    stated = json.loads((ANSWERS / "meta.json").read_text(encoding="utf-8"))["sha256"]
    assert stated == {path.name: sha256(path) for path in answers.QUESTIONS.glob("*.jsonl")}


def test_what_is_not_deep_teaches_the_layer_of_intents_alone():
    head, states = MessageHead(4, 3, 2), torch.randn(2, 5, 4, requires_grad=True)
    intents, _ = head(states, torch.ones(2, 5), torch.tensor([True, False]))
    intents.pow(2).sum().backward()
    assert states.grad[0].abs().sum() > 0 and states.grad[1].abs().sum() == 0
    assert head.intent.weight.grad.abs().sum() > 0


def test_what_is_judged_counts_answers_silence_and_surprise():
    shop = answers.AskedShop("x-05", "en", ("a", "b"), ("q", "r"), torch.tensor([[True, False], [False, False]]))
    right = torch.tensor([[0.0, 9.0, 0.0], [9.0, 0.0, 0.0]])
    told = answers.judged([(shop, right)])
    assert (told["answered rightly"], told["silent where nothing answers"]) == (1, 1)
    assert answers.judged([(shop, right.roll(1, dims=1))])["surprise"] > 5 > 0.01 > told["surprise"]


def test_a_few_steps_lower_the_loss(monkeypatch):
    """The whole way from marked messages to weights, on two words that mean opposite things."""
    told = [
        read_message("w", "find", "en", f"{word} {{{thing}|{stance}}}")
        for word, stance in (("zig", "wanted"), ("zag", "refused"))
        for thing in ("tin", "oak", "wool", "silk")
    ]
    monkeypatch.setattr(messages, "BATCH", 8)
    _, losses = messages.train(told, epochs=6)
    assert losses[-1] < 0.7 * losses[0]
