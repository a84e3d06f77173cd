"""The shops and questions that teach what answers, and what the reader makes of questions it has not seen."""

from __future__ import annotations

import json

import pytest

from tests.fakes import HashEncoder
from workers.engine import load_reader
from workers.engine.reader import ANSWERS
from workers.training.answers import QUESTIONS, passage, read_questions
from workers.training.provenance import sha256


def test_every_question_names_passages_of_its_shop():
    questions = read_questions(HashEncoder())
    assert len(questions) == 1200
    assert sum(bool(one.answers) for one in questions) == 720
    assert {one.language for one in questions} == {"en", "zh"}
    pairs = dict(questions[0].pairs(3))
    assert sum(pairs.values()) == len(questions[0].answers)
    assert len(pairs) == len(questions[0].answers) + 3


def test_a_question_about_a_passage_that_is_not_there_is_named(tmp_path):
    shop = {"id": "w-01", "language": "en", "passages": [], "questions": [{"q": "why?", "answers": ["no.1"]}]}
    (tmp_path / "w.jsonl").write_text(json.dumps(shop))
    with pytest.raises(ValueError, match="why"):
        read_questions(HashEncoder(), tmp_path)


@pytest.mark.parametrize(
    ("question", "answers", "does_not"),
    [
        (
            "what do i pay for postage?",
            "Delivery: Standard delivery costs 4.50 per order.",
            "Delivery: We use two carriers.",
        ),
        ("who founded the shop?", "", "Our shops: The shops open at nine and close at six."),
        ("衣服不合身能换吗？", "换货：收货后15天内可免费更换尺码。", "会员：每消费一元积一分。"),
        ("你们招人吗？", "", "门店：周一至周六九点到十八点营业。"),
    ],
)
def test_what_answers_is_told_from_what_is_only_near(question, answers, does_not):
    chances = load_reader().answers(question, [does_not, *filter(None, [answers])])
    assert chances[0] < 0.5
    assert all(chance > 0.5 for chance in chances[1:])


def test_many_passages_are_judged_in_their_order():
    passages = [passage("Returns", f"You have {days} days to return what you bought.") for days in range(10, 21)]
    reader = load_reader()
    together = reader.answers("how long can i return it?", passages)
    assert together == pytest.approx(
        [reader.answers("how long can i return it?", [one])[0] for one in passages], abs=1e-3
    )


def test_the_shipped_answers_were_learned_from_these_questions():
    """After a change of the questions: ``python -m workers.training.answers``."""
    stated = json.loads((ANSWERS / "meta.json").read_text(encoding="utf-8"))["sha256"]
    assert stated == {path.name: sha256(path) for path in QUESTIONS.glob("*.jsonl")}
