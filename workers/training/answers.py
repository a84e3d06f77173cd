"""Trains the reader of answers: which of a shop's sentences answers a customer's question, if any does?

    python -m workers.training.answers [--check | --served]

A low-rank adapter of multilingual-e5-small that lays questions near to the passages that answer them, from the shops and
questions in ``workers/training/answer_questions`` (the README there tells how they were written). Every question of a shop
is set against all of its passages and against "none of them" at once, a softmax over both (InfoNCE, van den Oord et al. 2018,
with a class for what nobody answers). The last shop of every writer in each language is held out: how its questions
are answered is printed and stored with the weights. ``--check`` writes nothing. Ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from botcore.dialogue.chances import fused
from botcore.dialogue.ports import Encoder, Reader, about, titled
from botcore.dialogue.words import normalise
from workers.engine.reader import ANSWERS, PASSAGE, QUERY, AnswerHead
from workers.training.adapter import Adapter
from workers.training.provenance import sha256

QUESTIONS = Path(__file__).parent / "answer_questions"
HELD_OUT = ("05", "10")
"""Numbers of each writer's shops that are not learned from: one English, one Chinese."""
LANGUAGES = ("en", "zh", "zh to en")
"""Of questions, and of what answers them where that is another."""
EPOCHS = 5
SURE = 0.5
"""Chance that something answers, from which held-out questions count as answered in the report."""


@dataclass(frozen=True)
class AskedShop:
    """A shop's passages and questions as the reader sees them. ``answers[q][p]``: whether a passage answers a question."""

    id: str
    language: str
    passages: tuple[str, ...]
    questions: tuple[str, ...]
    answers: torch.Tensor


def read_shops(folder: Path = QUESTIONS) -> list[AskedShop]:
    """Every shop. Raises ``ValueError`` for a question that names a passage its shop does not have, and where a shop's questions
    asked anew in another language are not as many as it has."""
    found: list[AskedShop] = []
    told: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.jsonl"), key=lambda path: (len(path.name), path.name)):
        for line in path.read_text(encoding="utf-8").splitlines():
            shop = json.loads(line)
            if asked_anew := shop.get("of"):
                shop = {**told[asked_anew], **shop, "questions": _anew(told[asked_anew], shop)}
            told[shop["id"]] = shop
            ids = [p["id"] for p in shop["passages"]]
            for row in shop["questions"]:
                if not set(row["answers"]) <= set(ids):
                    raise ValueError(f"{path.name}, {shop['id']}: {row['q']!r} names a passage that is not there")
            found.append(
                AskedShop(
                    shop["id"],
                    shop["language"],
                    tuple(titled(p["title"], p["text"]) for p in shop["passages"]),
                    tuple(about(row["about"] or "", normalise(row["q"])) for row in shop["questions"]),
                    torch.tensor([[name in row["answers"] for name in ids] for row in shop["questions"]]),
                )
            )
    return found


def _anew(shop: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A shop's questions in the words of another line, one by one."""
    asked, words = shop["questions"], other["questions"]
    if len(asked) != len(words):
        raise ValueError(f"{other['id']} asks {len(words)} questions anew of the {len(asked)} of {shop['id']}")
    return [{**question, "q": word} for question, word in zip(asked, words, strict=True)]


@dataclass(frozen=True)
class AnswerReader:
    """The chances of answers, while they are learned."""

    adapter: Adapter

    def logits(self, shop: AskedShop) -> torch.Tensor:
        """Shape ``(questions, 1 + passages)``, that of no answer first, which is 0."""
        texts = [*(QUERY + q for q in shop.questions), *(PASSAGE + p for p in shop.passages)]
        vectors = self.adapter.vectors(texts)
        odds = self.adapter.head(vectors[: len(shop.questions)], vectors[len(shop.questions) :])
        return torch.nn.functional.pad(odds, (1, 0))

    def loss(self, shops: Sequence[AskedShop]) -> torch.Tensor:
        return torch.stack([self._loss(shop) for shop in shops]).mean()

    def _loss(self, shop: AskedShop) -> torch.Tensor:
        chances = self.logits(shop).log_softmax(dim=1)
        right = torch.cat([~shop.answers.any(dim=1, keepdim=True), shop.answers], dim=1)
        return -chances.masked_fill(~right, -torch.inf).logsumexp(dim=1).mean()


def train(shops: Sequence[AskedShop], epochs: int = EPOCHS) -> tuple[AnswerReader, list[float]]:
    """The reader of some shops, and its mean loss in each epoch."""
    reader = AnswerReader(Adapter(lambda width: AnswerHead()))
    return reader, reader.adapter.fit(shops, reader.loss, epochs=epochs, batch=1)


@torch.inference_mode()
def judged(read: Iterable[tuple[AskedShop, torch.Tensor]]) -> dict[str, float]:
    """How questions are answered: the right passage first among those that can be, answered at all and rightly, answered
    wrongly, silent where nothing answers; how well the chance tells the two kinds of questions apart (area under ROC); and
    the mean surprise (nats) at what is right. ``read`` are shops with the logits of ``AnswerReader.logits``."""
    first, sure, can, surprise = [], [], [], []
    for shop, logits in read:
        chances = logits.softmax(dim=1)
        none = ~shop.answers.any(dim=1)
        best = chances[:, 1:].argmax(dim=1)
        first += shop.answers[torch.arange(len(best)), best].tolist()
        sure += (1 - chances[:, 0]).tolist()
        can += (~none).tolist()
        right = torch.cat([none[:, None], shop.answers], dim=1)
        surprise += (-(chances * right).sum(dim=1).log()).tolist()
    best_right, answered, answerable = np.array(first), np.array(sure), np.array(can)
    told = answered >= SURE
    pairs = answered[answerable][:, None] > answered[~answerable][None]
    return {
        "questions": len(can),
        "right passage first": round(float(best_right[answerable].mean()), 3),
        "answered rightly": round(float((best_right & told)[answerable].mean()), 3),
        "answered from another passage": round(float((~best_right & told)[answerable].mean()), 3),
        "silent where nothing answers": round(float((~told)[~answerable].mean()), 3),
        "answerable told apart (AUC)": round(float(pairs.mean()), 3),
        "surprise": round(float(np.mean(surprise)), 3),
    }


def served(shop: AskedShop, reader: Reader, encoder: Encoder) -> dict[str, torch.Tensor]:
    """The logits of what is served, as ``AnswerReader.logits``: of the reader alone and, of English, as the dialogue weighs
    them with the sentence encoder."""
    odds = np.stack([reader.answering(question, shop.passages) for question in shop.questions])
    found = {"reader alone": odds}
    if shop.language == "en":
        near = encoder.encode(shop.questions) @ encoder.encode(shop.passages).T
        found["with the encoder"] = fused(odds, near)
    return {name: torch.nn.functional.pad(torch.from_numpy(values), (1, 0)) for name, values in found.items()}


def judge_served(shops: Sequence[AskedShop]) -> None:
    """Prints how held-out questions are answered by what is served."""
    from workers.engine import load_encoder, load_reader

    reader, encoder = load_reader(), load_encoder()
    for language in LANGUAGES:
        weighed = [(shop, served(shop, reader, encoder)) for shop in shops if shop.language == language]
        for name in weighed[0][1]:
            print(language, name, judged((shop, logits[name]) for shop, logits in weighed))  # noqa: T201


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="measure only; write nothing")
    way.add_argument("--served", action="store_true", help="train nothing; judge the weights that are served")
    options = parser.parse_args()
    shops = read_shops()
    held_out = [shop for shop in shops if shop.id.endswith(HELD_OUT)]
    if options.served:
        judge_served(held_out)
        return
    reader, losses = train([shop for shop in shops if not shop.id.endswith(HELD_OUT)])
    report: dict[str, object] = {"loss of each epoch": losses}
    for language in LANGUAGES:
        report[language] = judged((shop, reader.logits(shop)) for shop in held_out if shop.language == language)
        print(language, report[language])  # noqa: T201
    if not options.check:
        reader.adapter.save(
            ANSWERS,
            sources={"workers/training/answer_questions": "this project"},
            sha256={path.name: sha256(path) for path in sorted(QUESTIONS.glob("*.jsonl"))},
            report=report,
        )


if __name__ == "__main__":
    main()
