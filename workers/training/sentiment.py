"""Trains the head that tells how a text feels, English and Chinese, and sets it beside VADER and SnowNLP.

    python -m workers.training.sentiment [--check]

A multinomial logistic regression on what the reader makes of a text (``MultilingualReader.feels``), one for both languages,
with a temperature each. It learns from ``workers/training/sentiment/train*.tsv`` (the README there tells how they were written);
its penalty and temperatures come from cross-validation among those alone. ``heldout.tsv``, by another writer, is for the
table at the end and nothing else. VADER's and SnowNLP's scores become three classes by bounds fitted on the same texts that the
head learned from. Both are in ``requirements-dev.txt``. ``--check`` prints the table and writes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from botcore.dialogue.linear import Head
from botcore.installation import installation
from botcore.streams.ports import StreamReader
from botcore.streams.sentiment import DATA, LABELS, NAME, shipped
from workers.training.calibration import Judgement, macro_f1, measures, temperature_for
from workers.training.heads import write
from workers.training.next_act import fit_softmax
from workers.training.pscon import splits

Floats = npt.NDArray[np.float32]

TEXTS = Path(__file__).parent / "sentiment"
SOURCES = "workers/training/sentiment: written for this project by language models; no customers' texts"
LANGUAGES = ("en", "zh")
FOLDS, SEED = 5, 0
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
RESAMPLED = 2_000
"""Times that the held-out texts are drawn anew for an interval."""


@dataclass(frozen=True)
class Text:
    """A labelled text. ``kind`` is review, message or news."""

    label: str
    language: str
    kind: str
    text: str


@dataclass(frozen=True)
class Line:
    """One row of the table: macro-F1 with the bounds of its 95 % interval."""

    name: str
    language: str
    texts: int
    score: float
    low: float
    high: float


def read_texts(path: Path) -> list[Text]:
    """The texts of one file. Raises ``ValueError`` for a line that is not as the README says."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], start=2):
        label, language, kind, text = line.split("\t")
        if label not in LABELS or language not in LANGUAGES or not text.strip():
            raise ValueError(f"{path.name}, line {number}: {line[:60]}")
        found.append(Text(label, language, kind, text.strip()))
    return found


def read_training() -> list[Text]:
    """What is learned from."""
    return [text for path in sorted(TEXTS.glob("train*.tsv")) for text in read_texts(path)]


# --- the head ---------------------------------------------------------------------------------------------------------


def train(texts: Sequence[Text], inputs: Floats) -> tuple[Head, dict[str, Any]]:
    """The head, and what its like of each fold said of texts that it had not seen, at the best penalty."""
    logits = {penalty: _unseen(texts, inputs, penalty) for penalty in PENALTIES}
    best = max(PENALTIES, key=lambda penalty: macro_f1(_judged(texts, logits[penalty])))
    temperature = {language: _temperature(texts, logits[best], language) for language in LANGUAGES}
    scaled = logits[best] / np.array([[temperature[text.language]] for text in texts])
    report = {
        language: measures(
            [j for j, text in zip(_judged(texts, scaled), texts, strict=True) if text.language == language]
        )
        for language in LANGUAGES
    }
    usual = {label: round(sum(text.label == label for text in texts) / len(texts), 4) for label in LABELS}
    head = Head(LABELS, _fit(texts, inputs, best), temperature, usual)
    return head, {"penalty": best, "cross-validated": report}


def _fit(texts: Sequence[Text], inputs: Floats, penalty: float) -> Floats:
    truths = np.array([LABELS.index(text.label) for text in texts])
    return fit_softmax(inputs, truths, len(LABELS), penalty).astype(np.float32)


def _unseen(texts: Sequence[Text], inputs: Floats, penalty: float) -> Floats:
    """Of each text the logits of a head that has not seen it."""
    logits = np.zeros((len(texts), len(LABELS)), dtype=np.float32)
    for learned, judged in splits([str(place) for place in range(len(texts))], FOLDS, SEED):
        weights = _fit([texts[place] for place in learned], inputs[learned], penalty)
        logits[judged] = inputs[judged] @ weights[:-1] + weights[-1]
    return logits


def _temperature(texts: Sequence[Text], logits: Floats, language: str) -> float:
    own = [place for place, text in enumerate(texts) if text.language == language]
    right = [[LABELS.index(texts[place].label)] for place in own]
    return round(temperature_for([logits[place] for place in own], right), 3)


def _judged(texts: Sequence[Text], logits: Floats) -> list[Judgement]:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return [
        Judgement(float(row.max()), text.label, LABELS[int(row.argmax())])
        for row, text in zip(shares, texts, strict=True)
    ]


def said_by(head: Head, texts: Sequence[Text], reader: StreamReader) -> list[Judgement]:
    """What the head says of texts."""
    inputs = reader.feels([text.text for text in texts])
    rows = [head.probabilities(row, text.language) for row, text in zip(inputs, texts, strict=True)]
    return [
        Judgement(float(row.max()), text.label, LABELS[int(row.argmax())])
        for row, text in zip(rows, texts, strict=True)
    ]


# --- the others -------------------------------------------------------------------------------------------------------


def baseline(score: Callable[[str], float], learned: Iterable[Text], judged: Sequence[Text]) -> list[Judgement]:
    """What a scorer says of texts, its scores cut at the two bounds that suit the learned texts best (macro-F1)."""
    known = [(score(text.text), text.label) for text in learned]
    values = np.unique(np.quantile([value for value, _ in known], np.linspace(0, 1, 41)))
    bounds = max(
        ((low, high) for low in values for high in values if low <= high),
        key=lambda pair: macro_f1([Judgement(1.0, label, _cut(value, *pair)) for value, label in known]),
    )
    return [Judgement(1.0, text.label, _cut(score(text.text), *bounds)) for text in judged]


def _cut(value: float, low: float, high: float) -> str:
    return LABELS[0] if value < low else LABELS[2] if value > high else LABELS[1]


def _scorers() -> dict[str, tuple[str, Callable[[str], float]]]:
    """By language the name of what is known for it, and its score of a text, the higher the better."""
    from snownlp import SnowNLP
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    vader = SentimentIntensityAnalyzer()
    return {
        "en": ("VADER", lambda text: float(vader.polarity_scores(text)["compound"])),
        "zh": ("SnowNLP", lambda text: float(SnowNLP(text).sentiments)),
    }


# --- the table --------------------------------------------------------------------------------------------------------


def table(head: Head, reader: StreamReader, learned: Sequence[Text], judged: Sequence[Text]) -> list[Line]:
    """The head beside what is known for each language, on held-out texts: all, and reviews alone."""
    lines = []
    scorers = _scorers()
    for language in LANGUAGES:
        name, score = scorers[language]
        own = [text for text in judged if text.language == language]
        seen = [text for text in learned if text.language == language]
        for what, said in (("our head", said_by(head, own, reader)), (name, baseline(score, seen, own))):
            reviews = [each for each, text in zip(said, own, strict=True) if text.kind == "review"]
            lines += [_line(f"{what}, all", language, said), _line(f"{what}, reviews", language, reviews)]
    return lines


def _line(name: str, language: str, said: Sequence[Judgement]) -> Line:
    """With a percentile interval over texts drawn anew (bootstrap)."""
    random = np.random.default_rng(SEED)
    drawn = [macro_f1([said[place] for place in random.integers(0, len(said), len(said))]) for _ in range(RESAMPLED)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Line(name, language, len(said), round(macro_f1(said), 3), round(float(low), 3), round(float(high), 3))


def as_text(line: Line) -> str:
    interval = f"[{line.low:.3f}, {line.high:.3f}]"
    return f"{line.language}  {line.name:20} {line.texts:4} texts  {line.score:.3f}  {interval}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="measure the head that ships; write nothing")
    options = parser.parse_args()
    with installation():
        from workers.engine import load_reader

        reader = load_reader()
    texts = read_training()
    head, report = (shipped(), {}) if options.check else train(texts, reader.feels([text.text for text in texts]))
    lines = table(head, reader, texts, read_texts(TEXTS / "heldout.tsv"))
    for line in lines:
        print(as_text(line))  # noqa: T201
    if not options.check:
        held_out = [{"name": each.name, "language": each.language, "macro_f1": each.score} for each in lines]
        files = {path.name: path for path in sorted(TEXTS.glob("*.tsv"))}
        write(DATA / f"{NAME}.npz", head, SOURCES, files, {**report, "held out": held_out})


if __name__ == "__main__":
    main()
