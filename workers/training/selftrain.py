"""Teaches a shop's own layer of intents from messages that nobody labelled, where two heads agree, behind a gate.

``manage.py selftrain`` and, once a week, beat call :func:`learn`. The heads see different things: the shipped layer the states
of the reader, a second one, trained here from the same labelled messages, the vectors of the sentence encoder (of Chinese the
English words in its dictionary). Where they agree above a threshold the message gets their label (Lee 2013; Blum and
Mitchell 1998), and the layer learns from these, held near the shipped one, which stands for the labelled messages: learning
from them again read worse, for the states below were trained on them.

By the development phrasings ``CHOOSING`` temperatures and the threshold are chosen; by those of other writers, ``JUDGING``, a
layer is judged: beside what serves, and beside its likes that learned the same labels shuffled. For these bring a gain, too,
where they only tell what customers want most; what is kept must have learned which message wants what. Every round starts
from the layer that ships.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import structlog
from django.db import transaction

from botcore.dialogue.heads import in_english
from botcore.dialogue.linear import Head
from botcore.dialogue.ports import Encoder, IntentLayer
from botcore.dialogue.words import language_of, normalise
from botcore.learning import layers
from botcore.learning.pseudo_labels import Difference, Threshold, agreed, improved, threshold_for, weights_of
from botcore.learning.unlabelled import Unlabelled, collect
from botcore.models import Contact
from catalog.models import Shop
from workers.training import rounds
from workers.training.calibration import temperature_for
from workers.training.heads import fit
from workers.training.messages import NAMES, own_examples, read_messages, shop_questions
from workers.training.next_act import fit_softmax
from workers.training.phrasings import INTENTS, as_gold, development
from workers.training.provenance import code_revision
from workers.training.support import noise_rows

if TYPE_CHECKING:
    from workers.engine.reader import MultilingualReader

log = structlog.get_logger(__name__)

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Drawn = npt.NDArray[Any]
Say = Callable[[str], None]
Done = Literal["kept", "refused", "waiting", "taken back"]

CHOOSING, JUDGING = ("development3", "development4"), ("development", "development2")
LANGUAGES = ("en", "zh")
NEW = 200
"""Messages since the last round, before which another is not worth its while: every look at the judging messages uses them up."""
SECOND_PENALTY = 3.0
PENALTY = 30.0
"""What holds the layer near the shipped one."""
MOST_OF_A_LABEL = 60
"""Pseudo-labels of one intent that count fully; more share their weight."""
SHUFFLES = 5
"""Layers taught the same labels in another order: by chance one of them beats another, hardly all the others."""
DRAWS, SEED = 2_000, 0


@dataclass(frozen=True)
class Seen:
    """Messages as the two heads see them: the reader's states and the sentence encoder's vectors, shapes ``(messages, 384)``."""

    languages: tuple[str, ...]
    states: Floats
    vectors: Floats


@dataclass(frozen=True)
class Phrasings:
    """Messages of development sets with the coarser intents of their gold."""

    seen: Seen
    golds: tuple[str, ...]

    def right(self, place: int) -> list[int]:
        """The places in ``NAMES`` that are right for a message."""
        return [i for i, name in enumerate(NAMES) if name in INTENTS[self.golds[place]]]


@dataclass(frozen=True)
class Ground:
    """What every shop's round stands on: development messages, both heads, and the threshold, None where none will do."""

    choosing: Phrasings
    judging: Phrasings
    shipped: Head
    second: Head
    threshold: Threshold | None
    above: str


@dataclass(frozen=True)
class Score:
    """What a layer says of the judging messages: gold, its own in the gold's terms, and its surprise in nats."""

    golds: tuple[str, ...]
    said: tuple[str, ...]
    losses: Floats


@dataclass(frozen=True)
class Trial:
    """A layer with what it and its rivals scored on the judging messages, and its gains over each rival."""

    layer: Head
    own: Score
    rivals: Mapping[str, Score]

    @cached_property
    def gains(self) -> dict[str, dict[str, Difference]]:
        return {name: compared(rival, self.own) for name, rival in self.rivals.items()}

    @property
    def passed(self) -> bool:
        return all(improved(found.values()) for found in self.gains.values())

    @property
    def over_shuffled(self) -> Difference:
        """What is saved in log loss over the best of the layers that learned shuffled labels."""
        gains = [found["log_loss"] for name, found in self.gains.items() if name != "served"]
        return min(gains, key=lambda gain: gain.mean)

    def to_json(self) -> dict[str, Any]:
        scores = {**self.rivals, "with pseudo-labels": self.own}
        return {
            "judged on": len(self.own.golds),
            "scores": {name: measured(found) for name, found in scores.items()},
            "gains": {name: {key: asdict(d) for key, d in found.items()} for name, found in self.gains.items()},
        }

    def __str__(self) -> str:
        return "; ".join(
            f"over {name} {', '.join(f'{key} {d}' for key, d in found.items())}" for name, found in self.gains.items()
        )


@dataclass(frozen=True)
class Outcome(rounds.Outcome):
    """Of a round of self-training."""

    subject = "The layer of intents"
    done: Done


def learn(shop: Shop, ground: Callable[[], Ground], reader: MultilingualReader, encoder: Encoder, say: Say) -> Outcome:
    """One round of a shop; ``ground`` is asked for only where there is enough to learn from."""
    collected = collect(shop)
    newest = max((message.turn_id for message in collected.messages), default=0)
    new = sum(message.turn_id > _told(shop).get("newest", 0) for message in collected.messages)
    if new < NEW:
        return Outcome(shop.slug, "waiting", f"{new} new messages of at least {NEW}.", {"new": new})
    say(f"{len(collected.messages)} messages of {shop.slug}")
    known = ground()
    served = layers.of(shop)
    current = served.head if served and served.above == known.above else known.shipped
    seen = see([message.text for message in collected.messages], reader, encoder)
    outcome = tried(shop, collected.messages, seen, known, current)
    outcome = replace(outcome, numbers={**outcome.numbers, "left_out": dict(collected.left_out)})
    told = {"newest": newest, "done": outcome.done, "reason": outcome.reason, "numbers": dict(outcome.numbers)}
    layers.last_round(shop).parent.mkdir(parents=True, exist_ok=True)
    layers.last_round(shop).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return outcome


def tried(shop: Shop, messages: Sequence[Unlabelled], seen: Seen, ground: Ground, current: Head) -> Outcome:
    """Pseudo-label, train, judge; keep the layer where it has passed."""
    chosen, labels = pseudo_labelled(seen, ground)
    if not len(chosen):
        return Outcome(shop.slug, "refused", "The two heads agree on no message surely enough.")
    trial = trial_of(ground, current, seen.states[chosen], labels)
    numbers = {
        "messages": len(messages),
        "pseudo-labelled": len(chosen),
        "intents": dict(Counter(NAMES[label] for label in labels).most_common()),
        "threshold": asdict(ground.threshold) if ground.threshold else None,
        **trial.to_json(),
    }
    if not trial.passed:
        return Outcome(shop.slug, "refused", f"No better beyond doubt: {trial}.", numbers)
    if not _kept(shop, IntentLayer(trial.layer, ground.above), [messages[place] for place in chosen], numbers):
        return Outcome(shop.slug, "refused", "Somebody whose messages it learned from has been erased.", numbers)
    return Outcome(shop.slug, "kept", f"Better: {trial}.", numbers)


def take_back(shop: Shop) -> Outcome:
    """Let the layer that ships read the shop's messages again; the next round waits for new messages."""
    if layers.take_back(shop):
        return Outcome(shop.slug, "taken back", "The one that ships reads the next message.")
    return Outcome(shop.slug, "waiting", "The one that ships reads already.")


def learn_all(reader: MultilingualReader, encoder: Encoder) -> list[Outcome]:
    """Every shop's round; an error of one is logged and the next has its turn."""
    ground = functools.cache(lambda: lay(reader, encoder))
    outcomes = []
    for outcome in rounds.each_shop(lambda shop: learn(shop, ground, reader, encoder, log.info)):
        log.info("self-training", shop=outcome.shop, done=outcome.done, reason=outcome.reason)
        outcomes.append(outcome)
    return outcomes


# --- what a round stands on -----------------------------------------------------------------------------------------


def lay(reader: MultilingualReader, encoder: Encoder, say: Say = log.info) -> Ground:
    """Read the labelled messages and the development phrasings, train the second head, choose the threshold."""
    rows = [(m.text, m.intent, m.weight) for m in (*read_messages(), *own_examples(), *shop_questions()) if m.intent]
    rows += [(row.text, row.label, row.weight) for row in noise_rows() if row.text]
    say(f"{len(rows)} labelled messages")
    texts, intents, weights = zip(*rows, strict=True)
    vectors = encoder.encode([in_english(text) for text in texts])
    choosing, judging = (phrasings(development(*names), reader, encoder) for names in (CHOOSING, JUDGING))
    return grounded(fit(vectors, intents, NAMES, weights, SECOND_PENALTY), choosing, judging, reader.layer)


def grounded(second: Floats, choosing: Phrasings, judging: Phrasings, shipped: IntentLayer) -> Ground:
    """The second head's temperatures and the threshold, from what has been read."""
    told = tempered(second, choosing, choosing.seen.vectors)
    labels, chances = _agreed(choosing.seen, shipped.head, told)
    right = np.array([label in choosing.right(place) for place, label in enumerate(labels)])
    return Ground(choosing, judging, shipped.head, told, threshold_for(chances, right), shipped.above)


def see(texts: Sequence[str], reader: MultilingualReader, encoder: Encoder) -> Seen:
    """Normalised messages as both heads see them; some ten milliseconds each."""
    return Seen(
        tuple(language_of(text) for text in texts),
        reader.states(texts),
        encoder.encode([in_english(text) for text in texts]),
    )


def phrasings(entries: Sequence[Mapping[str, Any]], reader: MultilingualReader, encoder: Encoder) -> Phrasings:
    texts = [normalise(entry["text"]) for entry in entries]
    return Phrasings(see(texts, reader, encoder), tuple(entry["gold"]["intent"] for entry in entries))


# --- learning -------------------------------------------------------------------------------------------------------


def pseudo_labelled(seen: Seen, ground: Ground) -> tuple[Places, Places]:
    """The places of the messages that both heads are sure enough of, and their labels."""
    if ground.threshold is None or not seen.languages:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    labels, chances = _agreed(seen, ground.shipped, ground.second)
    chosen = np.flatnonzero(chances >= ground.threshold.chance)
    return chosen, labels[chosen]


def taught(ground: Ground, states: Floats, labels: Places) -> Head:
    """The shipped layer after learning from pseudo-labels."""
    weights = fit_softmax(
        states, labels, len(NAMES), PENALTY, weights_of(labels, MOST_OF_A_LABEL), around=ground.shipped.weights
    )
    return tempered(weights.astype(np.float32), ground.choosing, ground.choosing.seen.states)


def trial_of(ground: Ground, current: Head, states: Floats, labels: Places) -> Trial:
    """A layer taught with pseudo-labels beside the ``current`` one and its likes with the same labels shuffled."""
    rng = np.random.default_rng(SEED)
    shuffled = (taught(ground, states, rng.permutation(labels)) for _ in range(SHUFFLES))
    rivals = {"served": score(current, ground.judging)}
    rivals |= {f"shuffled {place}": score(layer, ground.judging) for place, layer in enumerate(shuffled, start=1)}
    layer = taught(ground, states, labels)
    return Trial(layer, score(layer, ground.judging), rivals)


def tempered(weights: Floats, choosing: Phrasings, inputs: Floats) -> Head:
    """A head with temperatures fitted on the choosing messages."""
    logits = inputs @ weights[:-1] + weights[-1]
    temperature = {}
    for language in LANGUAGES:
        places = [place for place, own in enumerate(choosing.seen.languages) if own == language]
        rights = [choosing.right(place) for place in places]
        temperature[language] = round(temperature_for(list(logits[places]), rights), 3)
    return Head(NAMES, weights, temperature, {})


def chances_of(head: Head, inputs: Floats, languages: Sequence[str]) -> Floats:
    """Calibrated chances, shape ``(messages, intents)``."""
    return np.stack([head.probabilities(row, own) for row, own in zip(inputs, languages, strict=True)])


def _agreed(seen: Seen, first: Head, second: Head) -> tuple[Places, Floats]:
    return agreed(chances_of(first, seen.states, seen.languages), chances_of(second, seen.vectors, seen.languages))


# --- judging --------------------------------------------------------------------------------------------------------


def score(head: Head, judging: Phrasings) -> Score:
    """What a layer makes of labelled messages."""
    chances = chances_of(head, judging.seen.states, judging.seen.languages)
    said = tuple(as_gold(NAMES[row.argmax()], gold) for row, gold in zip(chances, judging.golds, strict=True))
    right = np.array([row[judging.right(place)].sum() for place, row in enumerate(chances)])
    return Score(judging.golds, said, -np.log(np.maximum(right, 1e-9)))


def measured(found: Score) -> dict[str, float]:
    """Accuracy; macro-F1 and the log loss in nats, of each gold the mean, of these the mean."""
    right = np.mean([said == gold for said, gold in zip(found.said, found.golds, strict=True)])
    whole = np.ones((1, len(found.golds)))
    macro_f1, log_loss = float(_macro_f1s(found, whole)[0]), float(_log_losses(found, whole)[0])
    return {"accuracy": round(float(right), 4), "macro_f1": round(macro_f1, 4), "log_loss": round(log_loss, 4)}


def compared(before: Score, after: Score) -> dict[str, Difference]:
    """By how much ``after`` is better, with intervals by bootstrap over the same messages (paired: Efron 1979)."""
    count = len(before.golds)
    draws = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), DRAWS).astype(float)

    def difference(gains: Callable[[Drawn], Drawn]) -> Difference:
        low, high = np.quantile(gains(draws), (0.025, 0.975))
        return Difference(float(gains(np.ones((1, count)))[0]), float(low), float(high))

    return {
        "macro_f1": difference(lambda drawn: _macro_f1s(after, drawn) - _macro_f1s(before, drawn)),
        "log_loss": difference(lambda drawn: _log_losses(before, drawn) - _log_losses(after, drawn)),
    }


def _macro_f1s(found: Score, drawn: Drawn) -> Drawn:
    """The mean F1 of the golds that occur, for each row of ``drawn``, shape ``(draws, messages)``: how often each counts."""
    truth, said = _golds(found, found.golds), _golds(found, found.said)
    both, either = drawn @ (truth * said), drawn @ truth + drawn @ said
    scores = np.where(drawn @ truth > 0, 2 * both / np.maximum(either, 1), np.nan)
    return np.asarray(np.nanmean(scores, axis=1))


def _log_losses(found: Score, drawn: Drawn) -> Drawn:
    """The mean log loss of the golds that occur: to expect what is frequent is no gain."""
    truth = _golds(found, found.golds)
    counts = drawn @ truth
    means = np.where(counts > 0, drawn @ (truth * found.losses[:, None]) / np.maximum(counts, 1), np.nan)
    return np.asarray(np.nanmean(means, axis=1))


def _golds(found: Score, told: Sequence[str]) -> Drawn:
    return np.array([[float(one == name) for name in sorted(set(found.golds))] for one in told])


# --- keeping --------------------------------------------------------------------------------------------------------


def _kept(shop: Shop, layer: IntentLayer, messages: Sequence[Unlabelled], numbers: Mapping[str, Any]) -> bool:
    """Keep the layer with its lineage, unless somebody in it was erased since; erasing waits until it is written."""
    contacts = sorted({message.contact_id for message in messages})
    meta = {
        "contacts": contacts,
        "turns": [message.turn_id for message in messages],
        "sha256": hashlib.sha256("\n".join(message.text for message in messages).encode()).hexdigest(),
        "round": dict(numbers),
        "code": code_revision(),
    }
    with transaction.atomic():
        if len(Contact.objects.select_for_update().filter(pk__in=contacts)) != len(contacts):
            return False
        layers.keep(shop, layer, meta)
    return True


def _told(shop: Shop) -> dict[str, Any]:
    """The last round's report; empty where there was none."""
    path = layers.last_round(shop)
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
