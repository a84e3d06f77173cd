"""Trains the reader of needs: which kind of product does a message need that names none, if any of the shop's?

    python -m workers.training.needs [--check]

A low-rank adapter of multilingual-e5-small that lays what people tell of themselves ("i bike to work and arrive like a drowned
rat") near to what a shop says of such products ("Rain jackets: keep you dry on the way ..."), from the kinds and messages in
``workers/training/needs`` (the README there tells how they were written). The messages of some kinds are set against what
is said of all these kinds and against "none of them" at once, a softmax over both, as in ``answers.py``; a kind is as near
as the nearest of what is said of it. Of every batch some kinds are not for sale: their messages need none of the others,
nor do messages that search for nothing (``messages``). Every fifth kind of a writer is held out: how its messages are read
is printed and stored with the weights. ``--check`` writes nothing. Ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from botcore.dialogue.ports import titled
from botcore.dialogue.words import normalise, singular
from workers.engine.reader import NEEDS, PASSAGE, QUERY, AnswerHead
from workers.training.adapter import SEED, Adapter
from workers.training.messages import read_messages
from workers.training.provenance import sha256

SAID = Path(__file__).parent / "needs"
HELD_OUT_EVERY = 5
EPOCHS = 6
KINDS, MESSAGES = 24, 3
"""Kinds of a batch, and messages of each."""
NOT_SOLD = 0.2
"""The share of a batch's kinds that are not for sale."""
IDLE = 12
"""Messages of a batch that need nothing."""
SEARCHES = {
    "find",
    "vague",
    "show",
    "availability",
    "goes_with",
    "more",
    "cheaper",
    "dearer",
    "reject",
    "choose",
    "compare",
}
"""Intents of messages that may need something."""
LEASTS = (0.3, 0.5, 0.7, 0.9)
"""Chances from which a kind would be taken for the one needed, of which the report tells."""


@dataclass(frozen=True)
class Kind:
    """A kind of product: what shops say of it, and what people say who need it. ``id`` is the writer with the line."""

    id: str
    told: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def is_held_out(self) -> bool:
        return int(self.id[1:]) % HELD_OUT_EVERY == 0


def read_kinds(folder: Path = SAID) -> list[Kind]:
    """Every kind of every writer; what several wrote of one by the same name is put together. Raises ``KeyError`` for a line
    without one of the fields."""
    found: dict[str, Kind] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            name = singular(row["kind"].lower())
            known = found.get(name, Kind(f"{path.stem}{number}", (), ()))
            told = (titled(row["kind"], row["about"]), titled(row["kind_zh"], row["about_zh"]))
            said = (*known.messages, *(normalise(text) for text in (*row["en"], *row["zh"])))
            found[name] = Kind(known.id, (*known.told, *told), said)
    return list(found.values())


@dataclass(frozen=True)
class Batch:
    """Kinds for sale, and messages with the number of the kind that each needs (0 is none, 1 the first)."""

    kinds: tuple[Kind, ...]
    messages: tuple[str, ...]
    needed: tuple[int, ...]


def batches(kinds: Sequence[Kind], idle: Sequence[str], seed: int) -> Iterator[Batch]:
    """Every message of every kind once, in batches of many kinds."""
    rng = random.Random(seed)
    rest = {kind: rng.sample(kind.messages, len(kind.messages)) for kind in kinds}
    while rest:
        chosen = rng.sample(sorted(rest, key=lambda kind: kind.id), min(KINDS, len(rest)))
        sold = chosen[round(NOT_SOLD * len(chosen)) :]
        told = [
            (text, sold.index(kind) + 1 if kind in sold else 0) for kind in chosen for text in rest[kind][:MESSAGES]
        ]
        told += [(text, 0) for text in rng.sample(idle, min(IDLE, len(idle)))]
        yield Batch(tuple(sold), tuple(text for text, _ in told), tuple(number for _, number in told))
        rest = {kind: left for kind, texts in rest.items() if (left := texts[MESSAGES:] if kind in chosen else texts)}


@dataclass(frozen=True)
class NeedReader:
    """The chances of kinds, while they are learned."""

    adapter: Adapter = field(default_factory=lambda: Adapter(lambda width: AnswerHead()))

    def logits(self, messages: Sequence[str], kinds: Sequence[Kind]) -> torch.Tensor:
        """Shape ``(messages, 1 + kinds)``, that of none first, which is 0."""
        told = [text for kind in kinds for text in kind.told]
        own = torch.tensor([number for number, kind in enumerate(kinds) for _ in kind.told])
        vectors = self.adapter.vectors([*(QUERY + text for text in messages), *(PASSAGE + text for text in told)])
        odds = self.adapter.head(vectors[: len(messages)], vectors[len(messages) :])
        best = torch.stack([odds[:, own == number].amax(dim=1) for number in range(len(kinds))], dim=1)
        return torch.nn.functional.pad(best, (1, 0))

    def loss(self, rows: Sequence[Batch]) -> torch.Tensor:
        (batch,) = rows
        chances = self.logits(batch.messages, batch.kinds).log_softmax(dim=1)
        return -chances[torch.arange(len(batch.needed)), torch.tensor(batch.needed)].mean()


def train(kinds: Sequence[Kind], idle: Sequence[str], epochs: int = EPOCHS) -> tuple[NeedReader, list[float]]:
    """The reader of some kinds, and its mean loss over each pass."""
    reader = NeedReader()
    told = [batch for epoch in range(epochs) for batch in batches(kinds, idle, SEED + epoch)]
    return reader, reader.adapter.fit(told, reader.loss, epochs=1, batch=1)


@torch.inference_mode()
def judged(reader: NeedReader, kinds: Sequence[Kind], idle: Sequence[str], sold: int = 2) -> dict[str, Any]:
    """How messages of held-out kinds are read where ``sold`` of three kinds are for sale: the kind needed first, or among the
    first three; and for each least chance, how many kinds were found that were needed (recall) and how many of those found
    were (precision)."""
    for_sale = [kind for number, kind in enumerate(kinds) if number % 3 < sold]
    messages = [(text, for_sale.index(kind) if kind in for_sale else -1) for kind in kinds for text in kind.messages]
    messages += [(text, -1) for text in idle]
    chances = reader.logits([text for text, _ in messages], for_sale).softmax(dim=1)[:, 1:].numpy()
    needed = np.array([number for _, number in messages])
    order, can = np.argsort(-chances, axis=1), needed >= 0
    right = order[:, 0] == needed
    report: dict[str, Any] = {
        "kinds for sale": len(for_sale),
        "messages": len(messages),
        "first": round(float(right[can].mean()), 3),
        "of three": round(float((order[:, :3] == needed[:, None])[can].any(axis=1).mean()), 3),
    }
    for least in LEASTS:
        found = chances.max(axis=1) >= least
        precision, recall = (right & found).sum() / max(1, found.sum()), (right & found)[can].mean()
        report[f"from {least}"] = {"precision": round(float(precision), 3), "recall": round(float(recall), 3)}
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="measure only; write nothing")
    options = parser.parse_args()
    kinds = read_kinds()
    idle = [message.text for message in read_messages() if message.intent and message.intent not in SEARCHES]
    taught, kept = idle[: -len(idle) // 5], idle[-len(idle) // 5 :]
    reader, losses = train([kind for kind in kinds if not kind.is_held_out], taught)
    report = judged(reader, [kind for kind in kinds if kind.is_held_out], kept[:100])
    print(losses, json.dumps(report, indent=1))  # noqa: T201
    if not options.check:
        reader.adapter.save(
            NEEDS,
            sources={"workers/training/needs and messages": "this project"},
            sha256={path.name: sha256(path) for path in sorted(SAID.glob("*.jsonl"))},
            loss=losses,
            report=report,
        )


if __name__ == "__main__":
    main()
