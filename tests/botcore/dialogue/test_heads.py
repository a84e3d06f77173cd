"""The shipped act head, and the intents that the reader tells: calibrated chances, trained from what is on file."""

import json

import numpy as np
import pytest

from botcore.dialogue.heads import EMBEDDED, HEADS, asking_odds, shipped, situation_inputs
from botcore.dialogue.intents import IntentClassifier, examples, naming
from botcore.dialogue.linear import Head
from botcore.dialogue.state import DialogueState, Question
from botcore.dialogue.words import DATA
from catalog.models import EMBEDDING_DIMENSIONS
from tests.fakes import HashEncoder
from workers.engine.reader import MESSAGES
from workers.training.messages import MESSAGES as WRITTEN
from workers.training.messages import asked_by
from workers.training.provenance import sha256


@pytest.fixture
def classifier(reader):
    return IntentClassifier(reader)


def test_the_encoder_is_as_wide_as_the_head_expects():
    assert EMBEDDED == EMBEDDING_DIMENSIONS


def test_the_reader_was_trained_on_the_messages_on_file():
    meta = json.loads((MESSAGES / "meta.json").read_text())
    on_file = {f"messages/{path.name}": sha256(path) for path in WRITTEN.glob("*.tsv")}
    on_file |= {f"answer_questions/{path.name}": sha256(path) for path in asked_by()}
    on_file["intents.yaml"] = sha256(DATA / "intents.yaml")
    learned = {name: digest for name, digest in meta["sha256"].items() if name != "bitext-support"}
    assert learned == on_file, "run python -m workers.training.messages"
    assert set(meta["intents"]) == set(examples()) == set(naming())


@pytest.mark.parametrize(
    ("meta", "licences"), [(MESSAGES / "meta.json", ["CDLA-Sharing-1.0"]), (HEADS / "act.json", ["CC-BY-4.0", "MIT"])]
)
def test_what_was_learned_names_its_sources_and_their_licences(meta, licences):
    sources = " ".join(json.loads(meta.read_text())["sources"].values())
    assert all(licence in sources for licence in licences)


@pytest.mark.parametrize("said", ["do you ship to norway?", "我要第二个", "", "zzgh"])
def test_chances_add_up_to_one_and_the_likeliest_comes_first(classifier, said):
    intent = classifier.classify(said)
    assert sum(intent.scores.values()) == pytest.approx(1, abs=1e-4)
    assert intent.confidence == max(intent.scores.values())


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("hello, i want to buy something", "vague"),
        ("good morning, sunshine", "greeting"),
        ("hello, nice to meet you", "greeting"),
        ("你好，在吗", "greeting"),
    ],
)
def test_a_greeting_is_answered_as_one_unless_a_request_stands_behind_it(classifier, said, intent):
    assert classifier.classify(said).name == intent


def test_a_named_product_speaks_for_a_search_and_against_small_talk(classifier):
    plain, named = (classifier.classify("lovely weather for it", flag).scores for flag in (False, True))
    odds = [scores["find"] / scores["smalltalk"] for scores in (plain, named)]
    assert odds[1] > 2 * odds[0]


def test_a_higher_temperature_is_less_sure():
    weights = np.array([[2.0, -2.0], [0.0, 0.0]], dtype=np.float32)
    row = np.array([1.0], dtype=np.float32)
    cold, warm = (Head(("a", "b"), weights, {"en": t}, {}).probabilities(row, "en")[0] for t in (0.5, 2.0))
    assert 0.5 < warm < cold < 1


def test_inputs_have_the_width_of_the_weights():
    assert len(situation_inputs("a kettle", None, 0, 0, False)) == len(shipped("act").weights) - 1


def test_salespeople_ask_less_once_they_have_asked():
    fresh = DialogueState()
    asked = DialogueState(shown=(("A", "B", "C"),), asked=("color", "price"), open_question=Question("price"))
    assert asking_odds("a kettle", HashEncoder(), asked) < asking_odds("a kettle", HashEncoder(), fresh)
