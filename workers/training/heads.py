"""Trains the dialogue's heads: what a message wants (``intent``) and what a salesperson would do next (``act``).

    python -m workers.training.heads [--data FOLDER] [--check]

Both are multinomial logistic regressions over what ``botcore.dialogue.heads`` makes of a message; written to
``botcore/dialogue/data/heads`` with a JSON that says what they were trained from. ``--check`` prints the numbers only.

The intent head learns from our hand-written examples and, in English, from Bitext's support utterances (a light weight:
their sentences come from templates). Its temperatures are fitted on ``tests/phrasing/development*.yaml``, which are read
for nothing else here. How often messages of an intent name something of the catalogue is counted in the demo shop, which the
database of the installation must hold. The act head learns from the salespeople of PSCon and IARD.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from botcore.dialogue.heads import HEADS, Floats, Head, in_english, message_inputs, situation_inputs
from botcore.dialogue.intents import Intent, IntentClassifier
from botcore.dialogue.money import mask_numbers
from botcore.dialogue.words import DATA, language_of, normalise
from botcore.installation import installation
from workers.training.nearest import Example, NearestExamples, hand_written
from workers.training.next_act import LABELS, fit_softmax
from workers.training.phrasings import INTENTS, development
from workers.training.provenance import code_revision, sha256
from workers.training.pscon import SHARED_DATA, LoggedAct, folds_of, read_pscon

if TYPE_CHECKING:
    from botcore.dialogue.ports import Encoder

FOLDS, SEED = 5, 0
INTENT_PENALTY, ACT_PENALTY = 0.05, 3.0
"""L2 penalties, by cross-validation."""
BITEXT_WEIGHT, BITEXT_EACH = 0.3, 40
BINS = 15
UNCLEAR = "unclear"
DEMO = "demo"
"""The shop in whose vocabulary the examples are read."""

BITEXT = {
    "contact_human_agent": "person", "contact_customer_service": "person", "complaint": "upset",
    "track_order": "order_status", "track_refund": "order_status",
    "cancel_order": "policy", "change_order": "policy", "change_shipping_address": "policy",
    "check_cancellation_fee": "policy", "check_payment_methods": "policy", "check_refund_policy": "policy",
    "delivery_options": "policy", "delivery_period": "policy", "get_refund": "policy", "payment_issue": "policy",
}  # fmt: skip
"""Bitext's intents that are ours too; accounts, invoices, newsletters and reviews are no business of this bot."""

SOURCES = {
    "intent": {
        "botcore/dialogue/data/intents.yaml": "this project",
        "bitext-support": "Bitext customer service tagged training dataset, CDLA-Sharing-1.0: weights are Results"
        " (1.11), on which it lays no obligations (3.5); they hold no part of the utterances",
        "tests/phrasing/development*.yaml": "this project; temperatures only",
    },
    "act": {
        "pscon": "PSCon (Zou et al., SIGIR 2025), CC-BY-4.0: attributed here and in docs/training.md; changed: actions"
        " mapped to four acts, texts reduced to embeddings",
        "iard": "IARD (Cai & Chen, UMAP 2020), MIT, Copyright (c) 2020 wanlingcai1997",
    },
    "stance": {"workers/training/stance_messages": "this project"},
}


@dataclass(frozen=True)
class Row:
    """One message to learn from."""

    text: str
    label: str
    language: str
    weight: float = 1.0


@dataclass(frozen=True)
class Situation:
    """A salesperson's turn: the customer's latest message, slates shown, questions asked, whether one is open."""

    conversation: str
    text: str
    shown: int
    asked: int
    question_open: bool
    act: LoggedAct


@dataclass(frozen=True)
class Judgement:
    """One answer of a classifier: its confidence, the right label and its own."""

    confidence: float
    truth: str
    said: str


def accuracy(judged: Sequence[Judgement]) -> float:
    return sum(j.truth == j.said for j in judged) / max(1, len(judged))


def macro_f1(judged: Sequence[Judgement]) -> float:
    """The mean F1 over the labels that occur."""
    scores = []
    for label in {j.truth for j in judged}:
        both = sum(j.truth == j.said == label for j in judged)
        scores.append(2 * both / sum((j.truth == label) + (j.said == label) for j in judged))
    return float(np.mean(scores)) if scores else 0.0


def calibration_error(judged: Sequence[Judgement], bins: int = BINS) -> float:
    """Expected calibration error over equal bins of confidence (Naeini et al. 2015)."""
    places = [min(int(j.confidence * bins), bins - 1) for j in judged]
    error = 0.0
    for place in set(places):
        inside = [j for j, at in zip(judged, places, strict=True) if at == place]
        error += abs(sum(j.confidence - (j.truth == j.said) for j in inside))
    return error / max(1, len(judged))


def measures(judged: Sequence[Judgement]) -> dict[str, float]:
    return {
        "messages": len(judged),
        "accuracy": round(accuracy(judged), 3),
        "macro_f1": round(macro_f1(judged), 3),
        "ece": round(calibration_error(judged), 3),
    }


def fit(
    inputs: Floats, labels: Sequence[str], names: Sequence[str], weights: Sequence[float], penalty: float
) -> Floats:
    """Weights of a head; rows count by ``weights``."""
    truths = np.array([names.index(label) for label in labels])
    return fit_softmax(inputs, truths, len(names), penalty, np.array(weights)).astype(np.float32)


def temperature_for(logits: Sequence[Floats], right: Sequence[Sequence[int]]) -> float:
    """The temperature that makes the right answers likeliest; ``right`` lists the places that are right for each row."""

    def loss(temperature: float) -> float:
        total = 0.0
        for row, places in zip(logits, right, strict=True):
            scaled = row / temperature
            shares = np.exp(scaled - scaled.max())
            total -= float(np.log(max(shares[list(places)].sum() / shares.sum(), 1e-9)))
        return total

    return float(min(np.geomspace(0.3, 4, 80), key=loss))


def encoded(texts: Sequence[str], encoder: Encoder) -> list[Floats | None]:
    """Embeddings, of a Chinese text's English words; None where it has none."""
    known = {text: english for text in texts if (english := in_english(text))}
    return list(map(dict(zip(known, encoder.encode(list(known.values())), strict=True)).get, texts))


# The intent head


def as_read(text: str) -> str:
    """A message as the classifier gets it: normalised, its numbers masked."""
    return mask_numbers(normalise(text))


def own_rows() -> list[Row]:
    return [Row(as_read(e.text), e.intent, language_of(as_read(e.text))) for e in hand_written()]


def bitext_rows(folder: Path) -> list[Row]:
    """Different utterances of the mapped intents, as many of each."""
    by_intent: dict[str, dict[str, None]] = {}
    with (folder / "Bitext_Sample_Customer_Service_Training_Dataset.csv").open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            if line["intent"] in BITEXT:
                masked = as_read(line["utterance"])
                by_intent.setdefault(line["intent"], {})[masked] = None
    rng = np.random.default_rng(SEED)
    rows = []
    for intent, texts in sorted(by_intent.items()):
        for place in rng.permutation(len(texts))[:BITEXT_EACH]:
            rows.append(Row(list(texts)[place], BITEXT[intent], "en", BITEXT_WEIGHT))
    return rows


def noise_rows() -> list[Row]:
    """Letters and characters at random: what means nothing must not look like anything."""
    rng = np.random.default_rng(SEED)
    latin, chinese = list("abcdefghijklmnopqrstuvwxyz"), [chr(code) for code in range(0x4E00, 0x9FA5)]
    english = [
        " ".join("".join(rng.choice(latin, rng.integers(2, 8))) for _ in range(rng.integers(1, 5))) for _ in range(60)
    ]
    other = ["".join(rng.choice(chinese, rng.integers(2, 9))) for _ in range(30)]
    return [Row(text, UNCLEAR, language_of(text)) for text in ["", *english, *other]]


def train_intent(own: Sequence[Row], more: Sequence[Row], vectors: Mapping[str, Floats | None]) -> Head:
    rows = [*own, *more]
    names = tuple(dict.fromkeys(row.label for row in own))
    inputs = np.stack([message_inputs(row.text, vectors[row.text]) for row in rows])
    weights = fit(inputs, [r.label for r in rows], names, [r.weight for r in rows], INTENT_PENALTY)
    counts = Counter(row.label for row in own)
    return Head(names, weights, {"en": 1.0, "zh": 1.0}, {n: round(counts[n] / len(own), 4) for n in names})


def cross_validated(
    own: Sequence[Row], more: Sequence[Row], vectors: Mapping[str, Floats | None], encoder: Encoder
) -> dict[str, list[tuple[Row, Intent]]]:
    """What heads and nearest examples say of our examples, none of which they had seen."""
    places = np.random.default_rng(SEED).permutation(len(own))
    found: dict[str, list[tuple[Row, Intent]]] = {"head": [], "nearest": []}
    for fold in range(FOLDS):
        judged = [own[i] for i in places[fold::FOLDS]]
        held = {row.text for row in judged}
        known = [row for row in own if row.text not in held]
        head = train_intent(known, more, vectors)
        nearest = NearestExamples(encoder, [Example(r.label, r.text, r.language) for r in known])
        for row in judged:
            chances = head.probabilities(message_inputs(row.text, vectors[row.text]), row.language)
            ranked = sorted(zip(head.labels, map(float, chances), strict=True), key=lambda pair: -pair[1])
            found["head"].append((row, Intent(ranked[0][0], dict(ranked))))
            found["nearest"].append((row, nearest.classify(row.text)))
    return found


def naming_shares(slug: str) -> dict[str, float]:
    """How often an intent's messages name a category, price or value of a shop's vocabulary, one added on each side."""
    from botcore.dialogue.lexicon import lexicon_of
    from botcore.dialogue.state import DialogueState
    from botcore.dialogue.understand import names_something, understand
    from catalog.models import Shop

    class Unread(IntentClassifier):
        """Stands for the classifier, which has no say in what a message names."""

        def __init__(self) -> None: ...

        def classify(self, text: str, named: bool = False) -> Intent:
            return Intent("find", {"find": 1.0})

    shop = Shop.objects.filter(slug=slug).first()
    if shop is None:
        raise SystemExit(
            f'This installation has no shop "{slug}", with whose words the examples are read: `make run` makes it.'
        )
    lexicon = lexicon_of(shop)
    counts: Counter[tuple[str, bool]] = Counter()
    for example in hand_written():
        said = understand(example.text, DialogueState(), (), lexicon, Unread())
        counts[example.intent, names_something(said.goals, said.thing, said.price, said.constraints)] += 1
    labels = {label for label, _ in counts}
    return {n: round((counts[n, True] + 1) / (counts[n, True] + counts[n, False] + 2), 3) for n in sorted(labels)}


def with_temperatures(head: Head, encoder: Encoder, right: Mapping[str, set[str]]) -> Head:
    """The head calibrated on the development phrasings; ``right`` maps their intents to ours."""
    entries = development()
    texts = [as_read(entry["text"]) for entry in entries]
    vectors = encoded(texts, encoder)
    found = {}
    for language in ("en", "zh"):
        logits, places = [], []
        for entry, text, vector in zip(entries, texts, vectors, strict=True):
            if language_of(text) == language:
                logits.append(message_inputs(text, vector) @ head.weights[:-1] + head.weights[-1])
                places.append([i for i, name in enumerate(head.labels) if name in right[entry["gold"]["intent"]]])
        found[language] = round(temperature_for(logits, places), 3)
    return replace(head, temperature=found)


def judgements(
    classify: Callable[[str], Intent], entries: Sequence[Mapping[str, Any]], right: Mapping[str, set[str]]
) -> list[Judgement]:
    """How a classifier does on phrasings, whose intents are coarser than ours."""
    found = []
    for entry in entries:
        intent, truth = classify(as_read(entry["text"])), entry["gold"]["intent"]
        said = truth if intent.name in right[truth] else next((g for g, n in right.items() if intent.name in n), "")
        found.append(Judgement(intent.confidence, truth, said))
    return found


# The act head


def situations(folder: Path) -> list[Situation]:
    """The turns of PSCon's and IARD's salespeople that follow something the customer said."""
    found = []
    for conversation in read_pscon(folder / "pscon").conversations:
        talk = [(line.customer, line.text, _pscon_act(line.action)) for line in conversation.lines]
        found += _situations(f"pscon-{conversation.id}", talk)
    logged = json.loads((folder / "iard" / "umap2020_IARD_Cai.json").read_text(encoding="utf-8"))
    for number, dialogue in logged.items():
        talk = [
            (
                said["role"] == "seeker",
                re.sub(r"@\d+ *<([^>]*)>", r"\1", said["utterance_text"]),
                _iard_act(set(said["top-level intent/action"])),
            )
            for said in dialogue["dialogue_info"].values()
        ]
        found += _situations(f"iard-{number}", talk)
    return found


def _pscon_act(action: str) -> LoggedAct:
    from workers.training.pscon import ACTS

    return ACTS.get(action, LoggedAct.OTHER)


def _iard_act(labels: set[str]) -> LoggedAct:
    """A recommendation with a question or an answer is a recommendation."""
    order = {"Recommend": LoggedAct.RECOMMEND, "Request": LoggedAct.ASK, "Respond": LoggedAct.ANSWER}
    return next((act for label, act in order.items() if label in labels), LoggedAct.OTHER)


def _situations(conversation: str, talk: Sequence[tuple[bool, str, LoggedAct]]) -> list[Situation]:
    found: list[Situation] = []
    acts: list[LoggedAct] = []
    latest = ""
    for customer, text, act in talk:
        if customer:
            latest = normalise(text)
        elif latest:
            shown, asked = acts.count(LoggedAct.RECOMMEND), acts.count(LoggedAct.ASK)
            question_open = bool(acts) and acts[-1] is LoggedAct.ASK
            found.append(Situation(conversation, latest, shown, asked, question_open, act))
        if not customer:
            acts.append(act)
    return found


def situation_rows(turns: Sequence[Situation], encoder: Encoder, *, blind: bool) -> Floats:
    """Inputs of the act head; ``blind`` leaves the words out, as where a message has none that the encoder reads."""
    vectors = encoder.encode([turn.text for turn in turns])
    return np.stack(
        [
            situation_inputs(t.text, None if blind else vector, t.shown, t.asked, t.question_open)
            for t, vector in zip(turns, vectors, strict=True)
        ]
    )


def train_act(turns: Sequence[Situation], encoder: Encoder) -> tuple[Head, dict[str, Any]]:
    """The act head, and what its like of each fold said of turns in conversations that it had not seen."""
    seen, blind = (situation_rows(turns, encoder, blind=b) for b in (False, True))
    names = tuple(str(label) for label in LABELS)
    labels = [str(turn.act) for turn in turns]
    fold = folds_of([turn.conversation for turn in turns], FOLDS, SEED)
    logits = {"en": np.zeros((len(turns), len(names))), "zh": np.zeros((len(turns), len(names)))}
    for number in range(FOLDS):
        training = [i for i, turn in enumerate(turns) if fold[turn.conversation] != number]
        judged = [i for i, turn in enumerate(turns) if fold[turn.conversation] == number]
        weights = _fit_act(seen[training], blind[training], [labels[i] for i in training], names)
        for language, inputs in (("en", seen), ("zh", blind)):
            logits[language][judged] = inputs[judged] @ weights[:-1] + weights[-1]
    truths = [[names.index(label)] for label in labels]
    temperature = {language: round(temperature_for(list(rows), truths), 3) for language, rows in logits.items()}
    report = {}
    for source in ("pscon", "iard"):
        for language, rows in logits.items():
            part = [i for i, turn in enumerate(turns) if turn.conversation.startswith(source)]
            judgements = [_judgement(rows[i] / temperature[language], labels[i], names) for i in part]
            report[f"{source}, {'with' if language == 'en' else 'without'} words"] = measures(judgements)
    counts = Counter(labels)
    usual = {name: round(counts[name] / len(labels), 4) for name in names}
    return Head(names, _fit_act(seen, blind, labels, names), temperature, usual), report


def _fit_act(seen: Floats, blind: Floats, labels: Sequence[str], names: Sequence[str]) -> Floats:
    return fit(np.vstack([seen, blind]), [*labels, *labels], names, [0.5] * 2 * len(labels), ACT_PENALTY)


def _judgement(logits: npt.NDArray[Any], truth: str, names: Sequence[str]) -> Judgement:
    shares = np.exp(logits - logits.max())
    place = int(np.argmax(shares))
    return Judgement(float(shares[place] / shares.sum()), truth, names[place])


def write(name: str, head: Head, report: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """The weights in half precision, and where they come from."""
    HEADS.mkdir(exist_ok=True)
    np.savez_compressed(HEADS / f"{name}.npz", weights=head.weights.astype(np.float16))
    meta = {
        "labels": list(head.labels),
        "temperature": dict(head.temperature),
        "usual": dict(head.usual),
        "named": dict(head.named),
        "sources": SOURCES[name],
        "sha256": {label: sha256(path) for label, path in files.items()},
        "code": code_revision(),
        "report": report,
    }
    (HEADS / f"{name}.json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder of bitext-support, pscon and iard")
    parser.add_argument("--check", action="store_true", help="measure only; write nothing")
    options = parser.parse_args()
    with installation():
        from workers.engine import load_encoder

        encoder, named = load_encoder(), naming_shares(DEMO)
    own, more = own_rows(), [*bitext_rows(options.data / "bitext-support"), *noise_rows()]
    texts = list(dict.fromkeys(row.text for row in (*own, *more)))
    vectors = dict(zip(texts, encoded(texts, encoder), strict=True))
    head = replace(with_temperatures(train_intent(own, more, vectors), encoder, INTENTS), named=named)
    report: dict[str, Any] = {}
    for way, answers in cross_validated(own, more, vectors, encoder).items():
        for language in ("en", "zh"):
            part = [Judgement(i.confidence, r.label, i.name) for r, i in answers if r.language == language]
            report[f"{way}, own examples held out, {language}"] = measures(part)
    nearest = NearestExamples(encoder, hand_written())
    ways = {"head": IntentClassifier(encoder, head).classify, "nearest": nearest.classify}
    for name, classify in ways.items():
        for language in ("en", "zh"):
            entries = [entry for entry in development() if entry["language"] == language]
            report[f"{name}, development phrasings, {language}"] = measures(judgements(classify, entries, INTENTS))
    turns = situations(options.data)
    act, act_report = train_act(turns, encoder)
    for name, numbers in {**report, **act_report}.items():
        print(f"{name:48} {numbers}")  # noqa: T201
    print("temperatures", head.temperature, act.temperature)  # noqa: T201
    if not options.check:
        bitext = options.data / "bitext-support" / "Bitext_Sample_Customer_Service_Training_Dataset.csv"
        write("intent", head, report, {"intents.yaml": DATA / "intents.yaml", "bitext-support": bitext})
        pscon, iard = options.data / "pscon", options.data / "iard" / "umap2020_IARD_Cai.json"
        files = {"pscon/train": pscon / "train.json", "pscon/valid": pscon / "valid.json", "iard": iard}
        write("act", act, act_report, files)


if __name__ == "__main__":
    main()
