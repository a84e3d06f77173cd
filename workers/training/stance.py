"""Trains the reader's stances: what a message says of each thing that it names.

    python -m workers.training.stance [--check]

A low-rank adapter of multilingual-e5-small and a linear layer over the states of each thing's tokens, from the messages
in ``workers/training/stance_messages`` (written by hand for this project, one file a writer; the marks are explained in
its README). ``--check`` writes nothing: it learns from all but the held-out writers and prints how their messages are
read, beside the rules. Twelve minutes on two cores.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Encoding

from botcore.dialogue.meanings import CATEGORY, TEXT, Match, Meaning
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understanding.polarity import stances
from botcore.dialogue.understanding.stance import Mention, Stance, by_rules
from botcore.dialogue.words import normalise, singular, tokens
from workers.engine.reader import PREFIX, STANCES, pooled
from workers.training.adapter import Adapter
from workers.training.provenance import sha256

MESSAGES = Path(__file__).parent / "stance_messages"
MARK = re.compile(r"\{([^{}|]+)\|([a-z]+)\}")
LABELS = tuple(str(stance) for stance in Stance)
HELD_OUT = ("9", "10", "13", "14")
"""The writers that ``--check`` does not learn from: two of messages that mostly refuse, two of everyday ones."""
EPOCHS, BATCH = 5, 32
SMOOTHING = 0.02


@dataclass(frozen=True)
class Message:
    """A marked message: normalised, its things in the order of the text, what it says of each."""

    writer: str
    language: str
    text: str
    mentions: tuple[Mention, ...]
    stances: tuple[Stance, ...]


def read_messages(folder: Path = MESSAGES) -> list[Message]:
    """Every message of every writer. Raises ``ValueError`` naming the file and line of a mark that means nothing."""
    found = []
    for path in sorted(folder.glob("*.tsv")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            language, _, marked = line.partition("\t")
            try:
                found.append(read_message(path.stem, language, marked))
            except ValueError as error:
                raise ValueError(f"{path.name}, line {number}: {error}") from error
    return found


def read_message(writer: str, language: str, marked: str) -> Message:
    """One line, its marks taken off and read by the rules."""
    text, places, said = "", [], []
    end = 0
    for mark in MARK.finditer(marked):
        text = normalise(text + marked[end : mark.start()] + "§")[:-1]
        begun = len(text)
        text += normalise(mark[1])
        places.append((begun, len(text)))
        said.append(Stance(mark[2]))
        end = mark.end()
    text = normalise(text + marked[end:] + "§")[:-1]
    if not places:
        raise ValueError("nothing is marked")
    return Message(writer, language, text, _with_rules(text, places), tuple(said))


def _with_rules(text: str, places: Sequence[tuple[int, int]]) -> tuple[Mention, ...]:
    words = tokens(text)
    matches = []
    for start, end in places:
        inside = [i for i, token in enumerate(words) if start <= token.start < end]
        if not inside:
            raise ValueError(f"no word in {text[start:end]!r}")
        matches.append(Match(inside[0], inside[-1] + 1, text[start:end], (_meaning(text[start:end]),)))
    read = stances(text, words, matches)
    return tuple(
        Mention(start, end, by_rules(range(m.first, m.last), read))
        for m, (start, end) in zip(matches, places, strict=True)
    )


def _meaning(phrase: str) -> Meaning:
    """A kind of product or a value, as a shop's vocabulary would tell them apart."""
    concepts = (singular(phrase), *thesaurus().chinese.get(phrase, ()), *thesaurus().english.get(phrase, ()))
    return Meaning(CATEGORY if thesaurus().things.intersection(concepts) else TEXT, phrase)


@dataclass(frozen=True)
class StanceReader:
    """The stances towards things, while they are learned."""

    adapter: Adapter

    def logits(self, batch: Sequence[tuple[Encoding, Message]]) -> torch.Tensor:
        """Of every thing of every message, in order."""
        states, _ = self.adapter.e5.states([encoding for encoding, _ in batch])
        inputs = [
            pooled(states[row], encoding, (mention.start, mention.end), mention.rules, LABELS)
            for row, (encoding, message) in enumerate(batch)
            for mention in message.mentions
        ]
        logits: torch.Tensor = self.adapter.layer(torch.stack(inputs))
        return logits

    def loss(self, batch: Sequence[tuple[Encoding, Message]]) -> torch.Tensor:
        right = torch.tensor([LABELS.index(stance) for _, message in batch for stance in message.stances])
        return torch.nn.functional.cross_entropy(self.logits(batch), right, label_smoothing=SMOOTHING)

    def encoded(self, messages: Sequence[Message]) -> list[tuple[Encoding, Message]]:
        encodings = self.adapter.e5.tokenizer.encode_batch([PREFIX + m.text for m in messages])
        return list(zip(encodings, messages, strict=True))

    @torch.inference_mode()
    def read(self, messages: Sequence[Message]) -> list[list[Stance]]:
        """The likeliest stance towards each thing of each message."""
        return [
            [Stance(LABELS[place]) for place in self.logits([one]).argmax(dim=-1).tolist()]
            for one in self.encoded(messages)
        ]


def train(messages: Sequence[Message], epochs: int = EPOCHS) -> tuple[StanceReader, list[float]]:
    """The reader of some messages, and its mean loss in each epoch."""
    reader = StanceReader(Adapter(len(LABELS), beside=len(LABELS)))
    return reader, reader.adapter.fit(reader.encoded(messages), reader.loss, epochs=epochs, batch=BATCH)


def check(messages: Sequence[Message], held_out: Sequence[str] = HELD_OUT) -> dict[str, dict[str, float]]:
    """How the held-out writers' messages are read by the rules and by a reader that learned from the others."""
    reader, _ = train([m for m in messages if m.writer not in held_out])
    report = {}
    for writer in held_out:
        for language in ("en", "zh"):
            part = [m for m in messages if (m.writer, m.language) == (writer, language)]
            by_rules_alone = [[Stance(one.rules) for one in m.mentions] for m in part]
            report[f"writer {writer}, {language}, rules"] = measures(part, by_rules_alone)
            report[f"writer {writer}, {language}, reader"] = measures(part, reader.read(part))
    return report


def measures(messages: Sequence[Message], said: Sequence[Sequence[Stance]]) -> dict[str, float]:
    """Accuracy over things, F1 of refusals, and the share of messages that refuse in which every refusal is right."""
    pairs = [(t, s) for m, found in zip(messages, said, strict=True) for t, s in zip(m.stances, found, strict=True)]
    refused = Counter((t is Stance.REFUSED, s is Stance.REFUSED) for t, s in pairs)
    hits = 2 * refused[True, True]
    whole = [
        {i for i, t in enumerate(m.stances) if t is Stance.REFUSED}
        == {i for i, s in enumerate(found) if s is Stance.REFUSED}
        for m, found in zip(messages, said, strict=True)
        if Stance.REFUSED in m.stances
    ]
    return {
        "mentions": len(pairs),
        "accuracy": round(sum(t is s for t, s in pairs) / len(pairs), 3),
        "refusals F1": round(hits / (hits + refused[True, False] + refused[False, True]), 3),
        "messages with all refusals right": round(sum(whole) / len(whole), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="measure only; write nothing")
    options = parser.parse_args()
    messages = read_messages()
    if options.check:
        for name, numbers in check(messages).items():
            print(f"{name:28} {numbers}")  # noqa: T201
        return
    reader, losses = train(messages)
    reader.adapter.save(
        STANCES,
        labels=list(LABELS),
        sources={"workers/training/stance_messages": "this project"},
        sha256={path.name: sha256(path) for path in sorted(MESSAGES.glob("*.tsv"))},
        report={"messages": len(messages), "loss of each epoch": losses},
    )


if __name__ == "__main__":
    main()
