"""Trains the reader of messages: what a message wants done, and what it says of each thing that it names.

    python -m workers.training.messages [--data FOLDER] [--check]

A low-rank adapter of multilingual-e5-small with two layers over its states, trained together: intents from the mean state,
and for each piece of the text whether it names a thing and which stance the message takes towards it. It learns from
``workers/training/messages`` (one file a writer; the README there explains the marks), the hand-written examples of
``botcore/dialogue/data/intents.yaml``, the questions of ``workers/training/answer_questions`` and, in English, Bitext's
support utterances (a light weight: their sentences come from templates). ``--check`` learns from all but the held-out
writers and examples, prints how these are read, and writes nothing. Temperatures are fitted on
``tests/phrasing/development*.yaml``, which are read for nothing else. Ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tokenizers import Encoding

from botcore.dialogue.intents import examples
from botcore.dialogue.understanding.stance import NOTHING, Stance
from botcore.dialogue.words import DATA, language_of, normalise
from workers.engine.reader import MESSAGES as SHIPPED
from workers.engine.reader import QUERY, MessageHead, pieces
from workers.training.adapter import Adapter
from workers.training.answers import QUESTIONS
from workers.training.calibration import Judgement, measures, temperature_for
from workers.training.phrasings import INTENTS, development
from workers.training.provenance import sha256
from workers.training.pscon import SHARED_DATA
from workers.training.support import BITEXT_FILE, bitext_rows, noise_rows

MESSAGES = Path(__file__).parent / "messages"
MARK = re.compile(r"\{([^{}|]+)\|([a-z]+)\}")
QUESTION_WEIGHT = 0.25
"""Many of them are alike in form, so the layer of intents alone learns from them: with the model below learning too, five of
a hundred refusals were read worse."""
ASKED_BY = ("1", "2", "3", "4", "5")
"""The writers of shops whose questions all are about the service or a product; the later ones' hold small talk as well."""
UNTOLD = "-"
"""Stands for the intent in messages that were marked for their things alone."""
LABELS = (NOTHING, *Stance)
NAMES = tuple(examples())
HELD_OUT = ("09", "13", "16")
"""The writers that ``--check`` does not learn from: one of messages that mostly refuse, one of everyday ones, one of chats."""
EXAMPLES_HELD_OUT = 0.12
EPOCHS, BATCH, SEED = 4, 32, 1
SMOOTHING = 0.05
NOTHING_WEIGHT = 0.4
"""Most pieces name nothing."""
BUCKET = 20
"""So many batches' messages are sorted by length together, to waste no time on padding."""
IGNORED = -100


@dataclass(frozen=True)
class Message:
    """A normalised message. ``things`` are its stretches ``(start, end, stance)``, None where they were not marked; ``intent``
    is "" where it was not told."""

    writer: str
    language: str
    text: str
    intent: str = ""
    things: tuple[tuple[int, int, Stance], ...] | None = None
    weight: float = 1.0
    deep: bool = True
    """Whether the model below learns from its intent too, or the layer of intents alone."""


def read_messages(folder: Path = MESSAGES) -> list[Message]:
    """Every message of every writer. Raises ``ValueError`` naming the file and line of one that means nothing."""
    found = []
    for path in sorted(folder.glob("*.tsv")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                try:
                    found.append(read_message(path.stem, *line.split("\t")))
                except (TypeError, ValueError) as error:
                    raise ValueError(f"{path.name}, line {number}: {error}") from error
    return found


def read_message(writer: str, intent: str, language: str, marked: str) -> Message:
    """One line with its marks taken off."""
    text, things, end = "", [], 0
    for mark in MARK.finditer(marked):
        text = normalise(text + marked[end : mark.start()] + "§")[:-1]
        begun = len(text)
        text += normalise(mark[1])
        things.append((begun, len(text), Stance(mark[2])))
        end = mark.end()
    text = normalise(text + marked[end:] + "§")[:-1]
    if any(start == stop for start, stop, _ in things):
        raise ValueError("nothing is marked")
    if intent not in (UNTOLD, *NAMES):
        raise ValueError(f"{intent!r} is no intent")
    return Message(writer, language, text, "" if intent == UNTOLD else intent, tuple(things))


def own_examples() -> list[Message]:
    return [
        Message("examples", language, normalise(text), intent)
        for intent, by_language in examples().items()
        for language, texts in by_language.items()
        for text in texts
    ]


def others(data: Path) -> list[Message]:
    """Questions to invented shops, Bitext's utterances, and noise."""
    rows = [*bitext_rows(data / "bitext-support"), *noise_rows()]
    found = [Message("others", row.language, row.text, row.label, weight=row.weight) for row in rows if row.text]
    return [*found, *shop_questions()]


def shop_questions(folder: Path = QUESTIONS) -> list[Message]:
    """The questions that the reader of answers learns from: about a product in sight, or else about the shop's service."""
    found = []
    for path in asked_by(folder):
        for shop in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            titles = {p["id"]: p["title"] for p in shop["passages"]}
            for row in shop["questions"]:
                of_product = row["about"] and all(row["about"] in titles[name] for name in row["answers"])
                intent = "product_question" if of_product else "policy"
                text = normalise(row["q"])
                found.append(Message("questions", shop["language"], text, intent, weight=QUESTION_WEIGHT, deep=False))
    return found


def asked_by(folder: Path = QUESTIONS) -> list[Path]:
    """The files of ``ASKED_BY``."""
    return [folder / f"{writer}.jsonl" for writer in ASKED_BY]


@dataclass(frozen=True)
class MessageReader:
    """What messages say, while it is learned."""

    adapter: Adapter = field(default_factory=lambda: Adapter(lambda width: MessageHead(width, len(NAMES), len(LABELS))))

    def logits(self, messages: Sequence[Message]) -> tuple[list[Encoding], torch.Tensor, torch.Tensor]:
        """Pieces, logits of intents ``(messages, intents)``, and of stances ``(messages, pieces, labels)``."""
        texts = [QUERY + message.text for message in messages]
        states, mask = self.adapter.states(texts)
        deep = torch.tensor([message.deep for message in messages])
        return self.adapter.e5.encoded(texts), *self.adapter.head(states, mask, deep)

    def loss(self, messages: Sequence[Message]) -> torch.Tensor:
        """Cross-entropy of the stances of all pieces, plus that of the intents, each where they are told."""
        encodings, intents, stances = self.logits(messages)
        wanted = torch.full(stances.shape[:2], IGNORED)
        for row, (message, encoding) in enumerate(zip(messages, encodings, strict=True)):
            for piece, start, end in pieces(encoding) if message.things is not None else ():
                wanted[row, piece] = LABELS.index(stance_at(message, start, end))
        weights = torch.tensor([NOTHING_WEIGHT] + [1.0] * (len(LABELS) - 1))
        of_things = torch.nn.functional.cross_entropy(
            stances.flatten(0, 1), wanted.flatten(), weights, ignore_index=IGNORED, label_smoothing=SMOOTHING
        )
        told = torch.tensor([NAMES.index(m.intent) if m.intent else IGNORED for m in messages])
        each = torch.nn.functional.cross_entropy(
            intents, told, ignore_index=IGNORED, label_smoothing=SMOOTHING, reduction="none"
        )
        of_intents = (each * torch.tensor([m.weight for m in messages])).sum() / len(messages)
        return torch.nan_to_num(of_things) + of_intents

    @torch.inference_mode()
    def read(self, message: Message) -> tuple[dict[str, float], list[Stance]]:
        """The intents' logits, and the likeliest stance towards each thing."""
        (encoding,), intents, stances = self.logits([message])
        chances = stances[0].log_softmax(dim=-1)[:, 1:]
        said = []
        for start, end, _ in message.things or ():
            inside = [row for row, first, last in pieces(encoding) if first < end and last > start]
            said.append(LABELS[1 + int(chances[inside].mean(dim=0).argmax())])
        return dict(zip(NAMES, intents[0].tolist(), strict=True)), [Stance(label) for label in said]


def stance_at(message: Message, start: int, end: int) -> str:
    """The stance towards the thing that a stretch of text is of."""
    return next((stance for first, last, stance in message.things or () if start < last and end > first), NOTHING)


def train(messages: Sequence[Message], epochs: int = EPOCHS) -> tuple[MessageReader, list[float]]:
    """The reader of some messages, and its mean loss in each epoch."""
    reader = MessageReader()
    return reader, reader.adapter.fit(in_buckets(messages), lambda rows: reader.loss(rows[0]), epochs=epochs, batch=1)


def in_buckets(messages: Sequence[Message]) -> list[list[Message]]:
    """Batches of messages of like length, in no order."""
    shuffled = list(messages)
    random.Random(SEED).shuffle(shuffled)
    found = []
    for start in range(0, len(shuffled), BATCH * BUCKET):
        part = sorted(shuffled[start : start + BATCH * BUCKET], key=lambda message: len(message.text))
        found += [part[place : place + BATCH] for place in range(0, len(part), BATCH)]
    return found


def check(reader: MessageReader, messages: Sequence[Message], temperature: Mapping[str, float]) -> dict[str, object]:
    """How messages that were not learned from are read, by writer and language."""
    report: dict[str, object] = {}
    for writer in sorted({m.writer for m in messages}):
        for language in ("en", "zh"):
            part = [m for m in messages if (m.writer, m.language) == (writer, language)]
            read = [reader.read(m) for m in part]
            if any(m.things for m in part):
                report[f"things, {writer}, {language}"] = of_things(part, [said for _, said in read])
            if judged := [
                _judgement(m, logits, temperature) for m, (logits, _) in zip(part, read, strict=True) if m.intent
            ]:
                report[f"intents, {writer}, {language}"] = measures(judged)
    return report


def of_things(messages: Sequence[Message], said: Sequence[Sequence[Stance]]) -> dict[str, float]:
    """Accuracy over things, F1 of refusals, and shares of messages: every refusal right, and none where there is none."""
    truths = [[stance for _, _, stance in message.things or ()] for message in messages]
    pairs = [(t, s) for row, found in zip(truths, said, strict=True) for t, s in zip(row, found, strict=True)]
    refused = Counter((t is Stance.REFUSED, s is Stance.REFUSED) for t, s in pairs)
    hits = 2 * refused[True, True]
    right = [
        (Stance.REFUSED in row, [t is Stance.REFUSED for t in row] == [s is Stance.REFUSED for s in found])
        for row, found in zip(truths, said, strict=True)
        if row
    ]
    return {
        "things": len(pairs),
        "accuracy": round(sum(t is s for t, s in pairs) / max(1, len(pairs)), 3),
        "refusals F1": round(hits / max(1, hits + refused[True, False] + refused[False, True]), 3),
        "messages with all refusals right": _share([whole for refuses, whole in right if refuses]),
        "messages without any, read so": _share([whole for refuses, whole in right if not refuses]),
    }


def _share(flags: Sequence[bool]) -> float:
    return round(sum(flags) / len(flags), 3) if flags else 0.0


def _judgement(message: Message, logits: Mapping[str, float], temperature: Mapping[str, float]) -> Judgement:
    values = np.array(list(logits.values())) / temperature[message.language]
    shares = np.exp(values - values.max())
    best = int(shares.argmax())
    return Judgement(float(shares[best] / shares.sum()), message.intent, NAMES[best])


def temperatures(reader: MessageReader) -> dict[str, float]:
    """By language, what divides the intents' logits, fitted on the development phrasings, whose intents are coarser."""
    found = {}
    for language in ("en", "zh"):
        logits, right = [], []
        for entry in development():
            text = normalise(entry["text"])
            if language_of(text) == language:
                read, _ = reader.read(Message("", language, text))
                logits.append(np.array(list(read.values()), dtype=np.float32))
                right.append([i for i, name in enumerate(NAMES) if name in INTENTS[entry["gold"]["intent"]]])
        found[language] = round(temperature_for(logits, right), 3)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder of bitext-support")
    parser.add_argument("--check", action="store_true", help="measure on held-out writers; write nothing")
    options = parser.parse_args()
    chosen = random.Random(SEED)
    marked, own, more = read_messages(), own_examples(), others(options.data)
    held_out = [m for m in marked if m.writer in HELD_OUT]
    held_out += [m for m in own if chosen.random() < EXAMPLES_HELD_OUT]
    hidden = {m.text for m in held_out} if options.check else set()
    reader, losses = train([m for m in (*marked, *own, *more) if m.text not in hidden])
    temperature = temperatures(reader)
    if options.check:
        for name, numbers in check(reader, held_out, temperature).items():
            print(f"{name:28} {numbers}")  # noqa: T201
        return
    bitext = options.data / "bitext-support" / BITEXT_FILE
    files = {"intents.yaml": DATA / "intents.yaml", "bitext-support": bitext}
    files |= {f"answer_questions/{path.name}": path for path in asked_by()}
    files |= {f"messages/{path.name}": path for path in sorted(MESSAGES.glob("*.tsv"))}
    reader.adapter.save(
        SHIPPED,
        intents=list(NAMES),
        stances=list(LABELS),
        temperature=temperature,
        sources={
            "workers/training/messages and answer_questions, botcore/dialogue/data/intents.yaml": "this project",
            "bitext-support": "Bitext customer service tagged training dataset, CDLA-Sharing-1.0: weights are Results"
            " (1.11), on which it lays no obligations (3.5); they hold no part of the utterances",
            "tests/phrasing/development*.yaml": "this project; temperatures only",
        },
        sha256={name: sha256(path) for name, path in files.items()},
        report={"messages": len(marked), "loss of each epoch": losses},
    )


if __name__ == "__main__":
    main()
