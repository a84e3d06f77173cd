"""A layer of intents that learns from messages nobody labelled: kept where they help, refused where they mislead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import call_command

from botcore.dialogue.linear import Head
from botcore.dialogue.ports import IntentLayer
from botcore.learning import layers
from botcore.models import Contact
from catalog.models import Shop
from tests.factories import ConversationFactory, ShopFactory, TurnFactory
from workers import tasks
from workers.training import selftrain
from workers.training.messages import NAMES
from workers.training.next_act import fit_softmax
from workers.training.selftrain import Ground, Phrasings, Seen, compared, measured, score, trial_of

WIDTH = 24
GOLDS = {"thanks": "thanks", "greeting": "greeting", "compare": "compare", "person": "person", "upset": "complaint"}
"""Intents that the messages here are of, with what the development sets call them."""
CENTRES = np.random.default_rng(1).normal(size=(2, len(GOLDS), WIDTH)).astype(np.float32)
"""Of the reader's states and of the sentence encoder's vectors: where the messages of an intent lie."""


class World:
    """Messages of the five intents, as two heads see them whose errors have nothing to do with each other."""

    def __init__(self, seed: int, noise: float = 1.2) -> None:
        self.rng, self.noise = np.random.default_rng(seed), noise

    def messages(self, each: int) -> tuple[Seen, list[str]]:
        kinds = self.rng.permutation(np.repeat(np.arange(len(GOLDS)), each))
        states, vectors = (
            (centres[kinds] + self.rng.normal(0, self.noise, (len(kinds), WIDTH))).astype(np.float32)
            for centres in CENTRES
        )
        languages = tuple("en" if place % 2 else "zh" for place in range(len(kinds)))
        return Seen(languages, states, vectors), [list(GOLDS)[kind] for kind in kinds]

    def phrasings(self, each: int) -> Phrasings:
        seen, intents = self.messages(each)
        return Phrasings(seen, tuple(GOLDS[intent] for intent in intents))


def ground_of(world: World, labelled_each: int = 6) -> Ground:
    """Two heads that have learned from few messages."""
    seen, intents = world.messages(labelled_each)
    labels = np.array([NAMES.index(intent) for intent in intents])
    choosing, judging = world.phrasings(60), world.phrasings(80)
    first, second = (
        fit_softmax(inputs, labels, len(NAMES), 1.0).astype(np.float32) for inputs in (seen.states, seen.vectors)
    )
    shipped = selftrain.tempered(first, choosing, choosing.seen.states)
    return selftrain.grounded(second, choosing, judging, IntentLayer(shipped, "above"))


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ground_of(World(2))


@pytest.fixture(scope="module")
def unlabelled() -> tuple[Seen, list[str]]:
    return World(3).messages(150)


def test_what_both_heads_are_sure_of_is_as_right_as_was_promised(ground, unlabelled):
    seen, truths = unlabelled
    chosen, labels = selftrain.pseudo_labelled(seen, ground)
    assert len(chosen) > 100
    assert ground.threshold.precision >= 0.97
    right = np.mean([NAMES[label] == truths[place] for place, label in zip(chosen, labels, strict=True)])
    assert right > 0.95


def test_messages_nobody_labelled_make_the_layer_better(ground, unlabelled):
    seen, _ = unlabelled
    chosen, labels = selftrain.pseudo_labelled(seen, ground)
    trial = trial_of(ground, ground.shipped, seen.states[chosen], labels)
    assert trial.passed
    assert trial.gains["served"]["log_loss"].low > 0
    assert trial.over_shuffled.low > 0


@pytest.mark.parametrize("seed", range(1, 4))
def test_shuffled_pseudo_labels_are_refused(ground, unlabelled, seed):
    seen, _ = unlabelled
    chosen, labels = selftrain.pseudo_labelled(seen, ground)
    shuffled = np.random.default_rng(seed).permutation(labels)
    trial = trial_of(ground, ground.shipped, seen.states[chosen], shuffled)
    assert not trial.passed
    assert trial.gains["served"]["log_loss"].high < 0


@pytest.mark.parametrize("seed", range(1, 4))
def test_shuffled_pseudo_labels_are_refused_where_what_serves_knows_nothing(ground, unlabelled, seed):
    """There to expect what is frequent is a gain over what serves; what is kept must have learned more than that."""
    seen, _ = unlabelled
    chosen, labels = selftrain.pseudo_labelled(seen, ground)
    shuffled = np.random.default_rng(seed).permutation(labels)
    nothing = replace(ground.shipped, weights=np.zeros_like(ground.shipped.weights))
    assert not trial_of(ground, nothing, seen.states[chosen], shuffled).passed


def test_where_the_heads_never_agree_nothing_is_taught(unlabelled):
    seen, _ = unlabelled
    blind = World(2, noise=30.0)
    ground = ground_of(blind)
    assert ground.threshold is None
    assert len(selftrain.pseudo_labelled(seen, ground)[0]) == 0


def said(*names: str, losses: Sequence[float]) -> selftrain.Score:
    return selftrain.Score(("thanks", "thanks", "thanks", "compare"), names, np.array(losses))


def test_rare_intents_count_as_much_as_common_ones():
    found = measured(said("thanks", "thanks", "thanks", "thanks", losses=[0.1, 0.1, 0.1, 0.5]))
    assert found == {"accuracy": 0.75, "macro_f1": round((6 / 7 + 0) / 2, 4), "log_loss": (0.1 + 0.5) / 2}


def test_a_difference_is_paired_and_its_interval_holds_its_mean():
    before = said("thanks", "compare", "thanks", "thanks", losses=[1, 1, 1, 1])
    after = said("thanks", "thanks", "thanks", "compare", losses=[0.5, 0.5, 0.5, 0.5])
    found = compared(before, after)
    assert (found["log_loss"].mean, found["log_loss"].low, found["log_loss"].high) == (0.5, 0.5, 0.5)
    assert found["macro_f1"].low < found["macro_f1"].mean == pytest.approx(1 - (4 / 6 + 0) / 2)
    assert compared(after, after)["macro_f1"].high == 0


# --- with a database ------------------------------------------------------------------------------------------------


class Eyes:
    """Reader and encoder that know where each message of a :class:`World` lies."""

    layer = IntentLayer(Head(NAMES, np.zeros((WIDTH + 1, len(NAMES)), np.float32), {}, {}), "above")

    def __init__(self, seen: Seen) -> None:
        self.places, self.seen = {}, seen

    def states(self, texts: Sequence[str]) -> np.ndarray:
        return self.seen.states[[self._place(text) for text in texts]]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        return self.seen.vectors[[self._place(text) for text in texts]]

    def _place(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))


SYLLABLES = [consonant + vowel for consonant in "bdfglmnprst" for vowel in "aeiou"]


def words_of(number: int) -> str:
    """A message like no other: four words of three syllables each, drawn by a number."""
    drawn = np.random.default_rng(number).choice(SYLLABLES, (4, 3))
    return " ".join("".join(word) for word in drawn)


@pytest.fixture
def shop(tmp_path, settings) -> Shop:
    settings.VAR_DIR = tmp_path
    return ShopFactory()


def written(shop: Shop, count: int, start: int = 0) -> None:
    for number in range(start, start + count, 20):
        conversation = ConversationFactory(shop=shop)
        for place in range(number, min(number + 20, start + count)):
            TurnFactory(conversation=conversation, number=place + 1, text=words_of(place))


def learn(shop: Shop, ground: Ground, seen: Seen) -> selftrain.Outcome:
    eyes = Eyes(seen)
    return selftrain.learn(shop, lambda: ground, eyes, eyes, lambda text: None)


@pytest.mark.django_db
def test_a_round_is_kept_with_its_lineage_serves_at_once_and_is_taken_back(shop, ground, unlabelled):
    written(shop, 300)
    outcome = learn(shop, ground, unlabelled[0])
    assert outcome.done == "kept" and "Better" in outcome.sentence
    own = layers.of(shop)
    before, after = (score(head, ground.judging).losses.mean() for head in (ground.shipped, own.head))
    assert after < before
    meta = layers.meta_of(layers.file_of(shop))
    assert len(meta["turns"]) == outcome.numbers["pseudo-labelled"] > 100
    assert set(meta["contacts"]) <= set(Contact.objects.filter(account__shop=shop).values_list("pk", flat=True))
    assert meta["round"]["threshold"]["precision"] >= 0.97 and len(meta["sha256"]) == 64
    assert learn(shop, ground, unlabelled[0]).done == "waiting", "there is nothing new to learn from"
    assert selftrain.take_back(shop).done == "taken back"
    assert layers.of(shop) is None
    assert learn(shop, ground, unlabelled[0]).done == "waiting", "what was taken back is not learned again at once"
    assert selftrain.take_back(shop).done == "waiting"


@pytest.mark.django_db
def test_a_refused_round_leaves_the_old_layer_and_says_why(shop, ground, unlabelled, monkeypatch):
    written(shop, 300)
    layers.keep(shop, IntentLayer(ground.shipped, "above"), {"contacts": []})
    old = layers.file_of(shop).read_bytes()
    honest = selftrain.pseudo_labelled

    def shuffled(seen: Seen, known: Ground) -> tuple[np.ndarray, np.ndarray]:
        chosen, labels = honest(seen, known)
        return chosen, np.random.default_rng(0).permutation(labels)

    monkeypatch.setattr(selftrain, "pseudo_labelled", shuffled)
    outcome = learn(shop, ground, unlabelled[0])
    assert outcome.done == "refused" and "No better beyond doubt" in outcome.reason
    assert layers.file_of(shop).read_bytes() == old
    assert json.loads(layers.last_round(shop).read_text())["done"] == "refused"


@pytest.mark.django_db
def test_who_is_erased_while_a_round_runs_is_not_learned_from(shop, ground, unlabelled, monkeypatch):
    written(shop, 300)
    honest = selftrain.trial_of

    def erased_meanwhile(*given: object) -> selftrain.Trial:
        Contact.objects.filter(account__shop=shop).delete()
        return honest(*given)

    monkeypatch.setattr(selftrain, "trial_of", erased_meanwhile)
    outcome = learn(shop, ground, unlabelled[0])
    assert outcome.done == "refused" and "erased" in outcome.reason
    assert layers.of(shop) is None


@pytest.mark.django_db
def test_too_few_new_messages_wait_without_reading_anything(shop):
    written(shop, selftrain.NEW - 1)
    outcome = selftrain.learn(shop, pytest.fail, None, None, pytest.fail)
    assert outcome.done == "waiting" and str(selftrain.NEW - 1) in outcome.reason


@pytest.mark.django_db
def test_the_command_takes_back_and_reports_as_json(shop, ground, monkeypatch):
    monkeypatch.setattr("workers.engine.load_reader", lambda: None)
    monkeypatch.setattr("workers.serving.load_encoder", lambda: None)
    layers.keep(shop, IntentLayer(ground.shipped, "above"), {"contacts": []})
    out = StringIO()
    call_command("selftrain", "--shop", shop.slug, "--take-back", stdout=out)
    assert "taken back" in out.getvalue() and layers.of(shop) is None
    out = StringIO()
    call_command("selftrain", "--shop", shop.slug, "--json", stdout=out)
    assert json.loads(out.getvalue())["numbers"] == {"new": 0}


@pytest.mark.django_db
def test_one_shops_error_does_not_stop_the_others_but_the_time_limit_does(monkeypatch):
    first, second = ShopFactory(), ShopFactory()
    asked: list[Shop] = []
    errors: list[Exception] = [ValueError("broken")]

    def failing(shop: Shop, *_: object) -> selftrain.Outcome:
        asked.append(shop)
        if shop == first:
            raise errors[0]
        return selftrain.Outcome(shop.slug, "waiting", "")

    monkeypatch.setattr(selftrain, "learn", failing)
    monkeypatch.setattr("workers.engine.load_reader", lambda: None)
    monkeypatch.setattr("workers.serving.load_encoder", lambda: None)
    tasks.self_train()
    assert asked == [first, second]
    errors[0] = SoftTimeLimitExceeded()
    with pytest.raises(SoftTimeLimitExceeded):
        tasks.self_train()
    assert asked == [first, second, first]
