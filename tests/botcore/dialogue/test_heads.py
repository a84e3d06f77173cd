"""The shipped heads: calibrated chances, trained from the examples on file, with their sources told."""

import json

import numpy as np
import pytest

from botcore.dialogue.heads import EMBEDDED, HEADS, Head, asking_odds, message_inputs, shipped, situation_inputs
from botcore.dialogue.intents import IntentClassifier, examples
from botcore.dialogue.state import DialogueState, Question
from botcore.dialogue.words import DATA
from catalog.models import EMBEDDING_DIMENSIONS
from tests.fakes import HashEncoder
from workers.training.provenance import sha256


@pytest.fixture
def classifier():
    return IntentClassifier(HashEncoder())


def test_the_encoder_is_as_wide_as_the_heads_expect():
    assert EMBEDDED == EMBEDDING_DIMENSIONS


def test_the_intent_head_was_trained_on_the_examples_on_file():
    meta = json.loads((HEADS / "intent.json").read_text())
    assert meta["sha256"]["intents.yaml"] == sha256(DATA / "intents.yaml"), "run python -m workers.training.heads"
    assert set(shipped("intent").labels) == set(examples())


@pytest.mark.parametrize(("name", "licences"), [("intent", ["CDLA-Sharing-1.0"]), ("act", ["CC-BY-4.0", "MIT"])])
def test_a_head_names_its_sources_and_their_licences(name, licences):
    sources = " ".join(json.loads((HEADS / f"{name}.json").read_text())["sources"].values())
    assert all(licence in sources for licence in licences)


@pytest.mark.parametrize("said", ["do you ship to norway?", "我要第二个", "", "zzgh"])
def test_chances_add_up_to_one_and_the_likeliest_comes_first(classifier, said):
    intent = classifier.classify(said)
    assert sum(intent.scores.values()) == pytest.approx(1, abs=1e-4)
    assert intent.confidence == max(intent.scores.values())


def test_a_named_product_speaks_for_a_search_and_against_small_talk(classifier):
    plain, named = (classifier.classify("lovely weather for it", flag).scores for flag in (False, True))
    assert named["find"] > plain["find"] and named["smalltalk"] < plain["smalltalk"]


def test_a_higher_temperature_is_less_sure():
    weights = np.array([[2.0, -2.0], [0.0, 0.0]], dtype=np.float32)
    row = np.array([1.0], dtype=np.float32)
    cold, warm = (Head(("a", "b"), weights, {"en": t}, {}).probabilities(row, "en")[0] for t in (0.5, 2.0))
    assert 0.5 < warm < cold < 1


def test_inputs_have_the_width_of_the_weights():
    assert len(message_inputs("a kettle", None)) == len(shipped("intent").weights) - 1
    assert len(situation_inputs("a kettle", None, 0, 0, False)) == len(shipped("act").weights) - 1


def test_salespeople_ask_less_once_they_have_asked():
    fresh = DialogueState()
    asked = DialogueState(shown=(("A", "B", "C"),), asked=("color", "price"), open_question=Question("price"))
    assert asking_odds("a kettle", None, asked) < asking_odds("a kettle", None, fresh)
