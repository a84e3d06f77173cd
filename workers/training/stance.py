"""Trains the stance head: what a message says of each thing that it names.

    python -m workers.training.stance [--check]

A multinomial logistic regression over ``botcore.dialogue.understanding.contexts``, from the messages in
``workers/training/stance_messages`` (written by hand for this project, one file a writer; the marks are explained in its
README). ``--check`` prints the numbers only: each writer's messages judged by a head that learned from the other
writers alone, beside the rules.
"""

from __future__ import annotations

import argparse
import itertools
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_array

from botcore.dialogue.heads import Head
from botcore.dialogue.meanings import CATEGORY, TEXT, Match, Meaning
from botcore.dialogue.thesaurus import thesaurus
from botcore.dialogue.understanding.contexts import Mention, features
from botcore.dialogue.understanding.polarity import names_value, stances
from botcore.dialogue.understanding.stance import HASHED, Stance, by_rules, hashed, judged
from botcore.dialogue.words import normalise, singular, tokens
from workers.training.heads import write

MESSAGES = Path(__file__).parent / "stance_messages"
MARK = re.compile(r"\{([^{}|]+)\|([a-z]+)\}")
PENALTY = 0.02
"""L2, by the check's accuracy."""
ITERATIONS = 150
KNOWN = 0.6
"""The share of a message's things that a shop knows, in the second look at it."""


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
        Mention(start, end, by_rules(range(m.first, m.last), read), is_kind=not names_value(m))
        for m, (start, end) in zip(matches, places, strict=True)
    )


def _meaning(phrase: str) -> Meaning:
    """A kind of product or a value, as a shop's vocabulary would tell them apart."""
    concepts = (singular(phrase), *thesaurus().chinese.get(phrase, ()), *thesaurus().english.get(phrase, ()))
    return Meaning(CATEGORY if thesaurus().things.intersection(concepts) else TEXT, phrase)


def train(messages: Sequence[Message]) -> Head:
    """The head of some messages."""
    seen = [part for message in messages for part in (message, *_half_known(message))]
    labels = [str(stance) for message in seen for stance in message.stances]
    names = tuple(str(stance) for stance in Stance)
    weights = fit_sparse(_table(seen), np.array([names.index(label) for label in labels]), len(names))
    counts = Counter(labels)
    usual = {name: round(counts[name] / len(labels), 4) for name in names}
    return Head(names, weights.astype(np.float32), {"en": 1.0, "zh": 1.0}, usual)


def _half_known(message: Message) -> Iterator[Message]:
    """The message as a shop reads it whose vocabulary holds some of its things alone."""
    rng = np.random.default_rng(zlib.crc32(message.text.encode()))
    kept = rng.random(len(message.mentions)) < KNOWN
    if 0 < kept.sum() < len(kept):
        yield replace(
            message,
            mentions=tuple(itertools.compress(message.mentions, kept)),
            stances=tuple(itertools.compress(message.stances, kept)),
        )


def _table(messages: Sequence[Message]) -> csr_array:
    """The features of every mention, a row each, with a last column of ones."""
    rows = [hashed(found) for message in messages for found in features(message.text, message.mentions)]
    places = [
        (number, place, value) for number, row in enumerate(rows) for place, value in [*row.items(), (HASHED, 1.0)]
    ]
    numbers, columns, values = zip(*places, strict=True)
    return csr_array((values, (numbers, columns)), shape=(len(rows), HASHED + 1))


def fit_sparse(table: csr_array, truths: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float64]:
    """Weights of a multinomial logistic regression, shape ``(width, classes)``; the last column of the table is the
    intercept's, which the penalty leaves alone."""
    width = table.shape[1]
    rows, right = np.arange(len(truths)), np.eye(classes)[truths]

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights = flat.reshape(width, classes)
        logits = table @ weights
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        bounded = weights * (np.arange(width) < width - 1)[:, None]
        value = -np.log(chances[rows, truths] + 1e-12).sum() + PENALTY / 2 * (bounded**2).sum()
        return value, (table.T @ (chances - right) + PENALTY * bounded).ravel()

    found = minimize(loss, np.zeros(width * classes), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return np.asarray(found.x).reshape(width, classes)


def check(messages: Sequence[Message]) -> dict[str, dict[str, float]]:
    """Accuracy over mentions, F1 of refusals and messages without any mistake, of the rules and of heads that learned
    from the other writers, by language."""
    heads = {
        writer: train([m for m in messages if m.writer != writer]) for writer in sorted({m.writer for m in messages})
    }
    report = {}
    for language in ("en", "zh"):
        part = [m for m in messages if m.language == language]
        by_head = [judged(m.text, m.mentions, heads[m.writer]) for m in part]
        report[f"rules, {language}"] = _measures(part, [[Stance(one.rules) for one in m.mentions] for m in part])
        report[f"other writers' head, {language}"] = _measures(part, by_head)
    return report


def _measures(messages: Sequence[Message], said: Sequence[Sequence[Stance]]) -> dict[str, float]:
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
    report = check(messages)
    for name, numbers in report.items():
        print(f"{name:28} {numbers}")  # noqa: T201
    if not options.check:
        write("stance", train(messages), report, {path.name: path for path in sorted(MESSAGES.glob("*.tsv"))})


if __name__ == "__main__":
    main()
