"""Trains the reader of values: which value of a shop's products does a stretch of a message mean, if any?

    python -m workers.training.values [--check]

A low-rank adapter of multilingual-e5-small that lays what customers say ("it must not wear off by lunch") near to the values
that they mean ("wear: long-lasting"), from the kinds of products and messages in ``workers/training/own_words`` (the README
there tells how they were written). Every stretch of a message that serving would try is set against all values of its kind
and against "none of them" at once, a softmax over both, as ``answers.py`` does with sentences; so is what surrounds the
things in messages to other shops (``messages``). Every fifth kind of a writer is held out: how its messages are read is
printed and stored with the weights. ``--check`` writes nothing. Twenty minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from botcore.dialogue.ports import Meant, about
from botcore.dialogue.understanding.stretches import SURE, stretches_of, surest, value_told, windows
from botcore.dialogue.words import normalise, tokens
from workers.engine.reader import PASSAGE, QUERY, VALUES, ValueHead, mean_state, stretch_states, unit
from workers.training.adapter import SEED, Adapter
from workers.training.messages import MESSAGES, Message, read_messages
from workers.training.provenance import sha256

OWN_WORDS = Path(__file__).parent / "own_words"
MARK = re.compile(r"\[([^\[\]]+)\]\((not )?([^()]*)\)")
HELD_OUT_EVERY = 5
EPOCHS = 5
AT_ONCE = 64
LIKE = 0.6
"""The share of characters (over those of either) from which a window counts as what was marked; one that shares none with any
mark means nothing, and what lies between teaches nothing."""
NONE_WEIGHT = 1.0
"""What all stretches that mean nothing weigh together, beside all that mean a value."""
REFUSAL_WEIGHT = 8.0
"""One value of twenty is refused."""
STRANGERS = 12
"""So many messages to other shops, in which nothing but their things may mean a value, are learned beside a kind's own."""
LEASTS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Chances from which a value would be found, of which the report tells."""


class Mark(NamedTuple):
    """A stretch of a message, the number of the value that it means (None: no value), and whether the message refuses that."""

    start: int
    end: int
    value: int | None
    refused: bool = False


@dataclass(frozen=True)
class Said:
    """A normalised message. ``untold`` are stretches of which nobody said what they mean."""

    text: str
    marks: tuple[Mark, ...]
    untold: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of product: its values as the reader sees them, and what customers said of it."""

    id: str
    language: str
    name: str
    values: tuple[str, ...]
    messages: tuple[Said, ...]

    @property
    def is_held_out(self) -> bool:
        return int(self.id[1:]) % HELD_OUT_EVERY == 0


def read_kinds(folder: Path = OWN_WORDS) -> list[Kind]:
    """Every kind of every writer. Raises ``ValueError`` for a mark of a value that its kind does not have."""
    return [
        _kind(json.loads(line), f"{path.name}, line {number}")
        for path in sorted(folder.glob("*.jsonl"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]


def _kind(row: dict[str, Any], place: str) -> Kind:
    values = tuple(value_told(name, value) for name, listed in row["attributes"].items() for value in listed)
    try:
        messages = tuple(read_said(marked, values) for marked in row["messages"])
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    return Kind(row["id"], row["language"], normalise(row["kind"]), values, messages)


def read_said(marked: str, values: Sequence[str]) -> Said:
    """A message with its marks taken off."""
    text, marks, end = "", [], 0
    for mark in MARK.finditer(marked):
        text = normalise(f"{text}{marked[end : mark.start()]}§")[:-1]
        begun, meant = len(text), mark[3].strip()
        text += normalise(mark[1])
        name, _, said = meant.partition(":")
        value = value_told(name.strip(), said.strip()) if meant else ""
        if value and value not in values:
            raise ValueError(f"{meant!r} in {marked!r} is no value of this kind")
        marks.append(Mark(begun, len(text), values.index(value) if value else None, bool(mark[2])))
        end = mark.end()
    return Said(normalise(f"{text}{marked[end:]}§")[:-1], tuple(marks))


@dataclass(frozen=True)
class Taught:
    """The stretches of a message to learn from, and for each what it means (0 is none of the values, 1 the first one), and
    whether that is refused."""

    stretches: tuple[tuple[int, int], ...]
    meant: tuple[int, ...]
    refused: tuple[bool, ...]


def taught(said: Said) -> Taught:
    """What serving would try, as far as it is clear what it means, and what was marked."""
    words = tokens(said.text)
    found = {(mark.start, mark.end): mark for mark in said.marks}
    for start, end in stretches_of(words, list(windows(words))):
        likest = max(
            said.marks, key=lambda mark: (mark.value is not None, _overlap((start, end), mark[:2])), default=None
        )
        share = _overlap((start, end), likest[:2]) if likest and likest.value is not None else 0.0
        if likest and share >= LIKE:
            found.setdefault((start, end), likest)
        elif share == 0 and not any(_overlap((start, end), stretch) for stretch in said.untold):
            found.setdefault((start, end), Mark(start, end, None))
    marks = found.values()
    meant = tuple(0 if mark.value is None else mark.value + 1 for mark in marks)
    return Taught(tuple(found), meant, tuple(mark.refused for mark in marks))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    common = min(one[1], other[1]) - max(one[0], other[0])
    return max(0, common) / (max(one[1], other[1]) - min(one[0], other[0]))


@dataclass(frozen=True)
class ValueReader:
    """The chances of values, while they are learned."""

    adapter: Adapter = field(default_factory=lambda: Adapter(ValueHead))

    def logits(
        self, kind: Kind, stretches: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """For each message what ``ValueHead`` tells of its stretches."""
        values = self._values(kind.values)
        texts = [QUERY + about(kind.name, said.text) for said in kind.messages]
        before = len(about(kind.name, ""))
        encodings = self.adapter.e5.encoded(texts)
        states, _ = self.adapter.states(texts)
        return [
            self.adapter.head(
                stretch_states(encoding, row, [(before + start, before + end) for start, end in places]), values
            )
            for encoding, row, places in zip(encodings, states, stretches, strict=True)
        ]

    def _values(self, values: Sequence[str]) -> torch.Tensor:
        return unit(mean_state(*self.adapter.states([PASSAGE + value for value in values])))

    def loss(self, kinds: Sequence[Kind]) -> torch.Tensor:
        return torch.stack([self._loss(kind) for kind in kinds]).mean()

    def _loss(self, kind: Kind) -> torch.Tensor:
        lessons = [taught(said) for said in kind.messages]
        told = self.logits(kind, [lesson.stretches for lesson in lessons])
        odds, against = (torch.cat(parts) for parts in zip(*told, strict=True))
        chances = torch.nn.functional.pad(odds, (1, 0)).log_softmax(dim=1)
        meant = torch.tensor([value for lesson in lessons for value in lesson.meant])
        refused = torch.tensor([float(flag) for lesson in lessons for flag in lesson.refused])
        surprise = -chances[torch.arange(len(meant)), meant]
        means, none = meant > 0, meant == 0
        stance = torch.nn.functional.binary_cross_entropy_with_logits(
            against[means], refused[means], pos_weight=torch.tensor(REFUSAL_WEIGHT)
        )
        return _mean(surprise[means]) + NONE_WEIGHT * _mean(surprise[none]) + torch.nan_to_num(stance)

    @torch.inference_mode()
    def read(self, kind: Kind) -> list[Meant]:
        """What every window that serving would try means, message by message."""
        places = [stretches_of(words, list(windows(words))) for words in map(tokens, (s.text for s in kind.messages))]
        return [Meant(odds.numpy(), against.sigmoid().numpy()) for odds, against in self.logits(kind, places)]


def _mean(values: torch.Tensor) -> torch.Tensor:
    """The mean of what may be none."""
    return values.sum() / max(1, len(values))


def with_strangers(kinds: Sequence[Kind], strangers: Sequence[Message], seed: int = SEED) -> list[Kind]:
    """The kinds with messages to other shops beside their own: what surrounds things there means no value."""
    chosen, found = random.Random(seed), []
    by_language = {language: [m for m in strangers if m.language == language] for language in ("en", "zh")}
    for kind in kinds:
        drawn = chosen.sample(by_language[kind.language], STRANGERS)
        told = [Said(m.text, (), tuple((start, end) for start, end, _ in m.things or ())) for m in drawn]
        found.append(replace(kind, messages=(*kind.messages, *told)))
    return found


def train(kinds: Sequence[Kind], epochs: int = EPOCHS) -> tuple[ValueReader, list[float]]:
    """The reader of some kinds, and its mean loss in each epoch."""
    reader = ValueReader()
    return reader, reader.adapter.fit(kinds, reader.loss, epochs=epochs, batch=1)


def judged(read: Iterable[tuple[Kind, Sequence[Meant]]], least: float = SURE) -> dict[str, float]:
    """How values are found as serving does: of those found, how many stand where they were meant (precision), of those meant,
    how many were found (recall), of those found rightly, how many are wanted or refused as they should (stance)."""
    counts: Counter[str] = Counter()
    for kind, told in read:
        for said, meant in zip(kind.messages, told, strict=True):
            words = tokens(said.text)
            places = list(windows(words))
            stands = dict(zip(places, stretches_of(words, places), strict=True))
            found = surest(places, meant, [value.partition(":")[0] for value in kind.values], least)
            marks = [mark for mark in said.marks if mark.value is not None]
            right = [
                (one, mark)
                for one in found
                for mark in marks
                if mark.value in one.values and _overlap(stands[one.first, one.last], mark[:2]) > 0
            ]
            counts.update(meant=len(marks), found=len(found))
            counts.update(right=len({one for one, _ in right}), heard=len({mark for _, mark in right}))
            counts["pairs"] += len(right)
            counts["stance"] += sum(one.refused == mark.refused for one, mark in right)
            counts["refused"] += sum(mark.refused for _, mark in right)
            counts["refusals"] += sum(one.refused and mark.refused for one, mark in right)
    return {
        "values meant": counts["meant"],
        "precision": _share(counts["right"], counts["found"]),
        "recall": _share(counts["heard"], counts["meant"]),
        "stance": _share(counts["stance"], counts["pairs"]),
        "refusals heard": _share(counts["refusals"], counts["refused"]),
    }


def _share(part: int, whole: int) -> float:
    return round(part / max(1, whole), 3)


def sources() -> list[Path]:
    """The files that are learned from."""
    return [*sorted(OWN_WORDS.glob("*.jsonl")), *sorted(MESSAGES.glob("*.tsv"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="measure only; write nothing")
    options = parser.parse_args()
    kinds = read_kinds()
    strangers = [message for message in read_messages() if message.things is not None]
    reader, losses = train(with_strangers([kind for kind in kinds if not kind.is_held_out], strangers))
    report: dict[str, object] = {"loss of each epoch": losses}
    for language in ("en", "zh"):
        read = [(kind, reader.read(kind)) for kind in kinds if kind.is_held_out and kind.language == language]
        found = {str(least): judged(read, least) for least in LEASTS}
        report[language] = found
        for least, numbers in found.items():
            print(language, least, numbers)  # noqa: T201
    if not options.check:
        reader.adapter.save(
            VALUES,
            sources={"workers/training/own_words and messages": "this project"},
            sha256={path.name: sha256(path) for path in sources()},
            report=report,
        )


if __name__ == "__main__":
    main()
