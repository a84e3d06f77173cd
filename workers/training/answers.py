"""Trains the reader's answers: does a passage of a shop answer a customer's question?

    python -m workers.training.answers

A low-rank adapter of multilingual-e5-small that reads question and passage together, from the shops and questions in
``workers/training/answer_questions`` (invented by hand for this project; the README there tells how). Every question is
shown with the passages that answer it and with those that only look like it, found by the sentence encoder. The last
shop of every writer in each language is held out: how its questions are answered is printed and stored with the weights.
Fifteen minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Encoding

from botcore.dialogue.ports import Encoder
from botcore.dialogue.words import normalise
from workers.engine import load_encoder
from workers.engine.reader import ANSWERS, mean_state, pair
from workers.training.adapter import Adapter
from workers.training.provenance import sha256

QUESTIONS = Path(__file__).parent / "answer_questions"
HELD_OUT = ("05", "10")
"""Numbers of each writer's shops that are not learned from: one English, one Chinese."""
ALIKE = 5
"""Passages that do not answer a question, nearest to it, which it is shown with."""
RERANKED = 8
"""Of a held-out question's nearest passages, those that are judged, as in serving."""
EPOCHS, BATCH = 3, 24


@dataclass(frozen=True)
class Asked:
    """A question with its shop's passages by id, in nearness to it, and those that answer it."""

    shop: str
    language: str
    text: str
    passages: dict[str, str]
    answers: frozenset[str]

    def pairs(self, passages: int) -> Iterator[tuple[str, bool]]:
        """The passages that answer, and the nearest ones that do not."""
        yield from ((self.passages[name], True) for name in sorted(self.answers))
        others = [text for name, text in self.passages.items() if name not in self.answers]
        yield from ((text, False) for text in others[:passages])


def read_questions(encoder: Encoder, folder: Path = QUESTIONS) -> list[Asked]:
    """Every question of every shop. Raises ``ValueError`` for one that names a passage its shop does not have."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            shop = json.loads(line)
            texts = {p["id"]: passage(p["title"], p["text"]) for p in shop["passages"]}
            vectors = encoder.encode(list(texts.values()))
            for row in shop["questions"]:
                if not set(row["answers"]) <= texts.keys():
                    raise ValueError(f"{path.name}, {shop['id']}: {row['q']!r} names a passage that is not there")
                text = normalise(row["q"])
                order = np.argsort(-(vectors @ encoder.encode([text])[0]))
                names = list(texts)
                near = {names[place]: texts[names[place]] for place in order}
                found.append(Asked(shop["id"], shop["language"], text, near, frozenset(row["answers"])))
    return found


def passage(title: str, text: str) -> str:
    """A sentence as the reader sees it: after what it stands under."""
    return f"{title}: {text}"


@dataclass(frozen=True)
class AnswerReader:
    """The chances of answers, while they are learned."""

    adapter: Adapter

    def logits(self, encodings: Sequence[Encoding]) -> torch.Tensor:
        logits: torch.Tensor = self.adapter.layer(mean_state(*self.adapter.e5.states(encodings)))
        return logits.squeeze(-1)

    def loss(self, batch: Sequence[tuple[Encoding, bool]]) -> torch.Tensor:
        right = torch.tensor([float(answers) for _, answers in batch])
        return torch.nn.functional.binary_cross_entropy_with_logits(
            self.logits([encoding for encoding, _ in batch]), right
        )

    def encoded(self, question: str, passages: Sequence[str]) -> list[Encoding]:
        return list(self.adapter.e5.tokenizer.encode_batch([pair(question, text) for text in passages]))

    @torch.inference_mode()
    def chances(self, question: str, passages: Sequence[str]) -> list[float]:
        chances: list[float] = self.logits(self.encoded(question, passages)).sigmoid().tolist()
        return chances


def train(asked: Sequence[Asked], epochs: int = EPOCHS) -> tuple[AnswerReader, list[float]]:
    reader = AnswerReader(Adapter(outputs=1))
    rows: list[tuple[Encoding, bool]] = []
    for one in asked:
        texts, answering = zip(*one.pairs(ALIKE), strict=True)
        rows += zip(reader.encoded(one.text, texts), answering, strict=True)
    return reader, reader.adapter.fit(rows, reader.loss, epochs=epochs, batch=BATCH)


def judged(reader: AnswerReader, asked: Sequence[Asked], sure: float = 0.5) -> dict[str, float]:
    """How held-out questions are answered from their nearest passages: the right one first among those that can be answered
    (beside the encoder's own first), answered at all and rightly, and silence where nothing answers."""
    can, first, nearest, right, silent, cannot = 0, 0, 0, 0, 0, 0
    for one in asked:
        names = list(one.passages)[:RERANKED]
        chances = reader.chances(one.text, [one.passages[name] for name in names])
        best = int(np.argmax(chances))
        if one.answers:
            can += 1
            first += names[best] in one.answers
            nearest += names[0] in one.answers
            right += names[best] in one.answers and chances[best] >= sure
        else:
            cannot += 1
            silent += chances[best] < sure
    return {
        "questions": len(asked),
        "right passage first": round(first / can, 3),
        "by the encoder": round(nearest / can, 3),
        "answered rightly": round(right / can, 3),
        "silent where nothing answers": round(silent / cannot, 3),
    }


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    questions = read_questions(load_encoder())
    held_out = [one for one in questions if one.shop.endswith(HELD_OUT)]
    reader, losses = train([one for one in questions if not one.shop.endswith(HELD_OUT)])
    report: dict[str, object] = {"loss of each epoch": losses}
    for language in ("en", "zh"):
        report[language] = judged(reader, [one for one in held_out if one.language == language])
        print(language, report[language])  # noqa: T201
    reader.adapter.save(
        ANSWERS,
        labels=["answers"],
        sources={"workers/training/answer_questions": "this project"},
        sha256={path.name: sha256(path) for path in sorted(QUESTIONS.glob("*.jsonl"))},
        report=report,
    )


if __name__ == "__main__":
    main()
