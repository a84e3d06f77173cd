"""The reader with a shop's own layer of intents: what it says of intents is the layer's, all else the shipped model's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from botcore.dialogue.linear import Head
from botcore.dialogue.ports import IntentLayer
from workers.engine import load_reader
from workers.engine.reader import MultilingualReader

TEXTS = ("i want a red kettle, no plastic", "多谢", "how long does delivery take?")


@pytest.fixture(scope="module")
def reader() -> MultilingualReader:
    return load_reader()


def leaning(layer: IntentLayer, intent: str) -> IntentLayer:
    weights = layer.head.weights.copy()
    weights[-1, layer.head.labels.index(intent)] += 100
    return replace(layer, head=replace(layer.head, weights=weights))


def test_states_read_together_are_those_that_messages_are_read_from(reader):
    for text, state, language in zip(TEXTS, reader.states(TEXTS), ("en", "zh", "en"), strict=True):
        chances = reader.layer.head.probabilities(state, language)
        assert list(reader.message(text).intents.values()) == pytest.approx(chances.tolist(), abs=1e-4)


def test_a_shops_layer_tells_its_intents_and_leaves_the_rest_and_other_shops_alone(reader):
    own = reader.with_intents(leaning(reader.layer, "upset"))
    for text in TEXTS:
        ours, shipped = own.message(text), reader.message(text)
        assert max(ours.intents, key=ours.intents.__getitem__) == "upset"
        assert shipped.intents["upset"] < 0.5
        assert ours.pieces == shipped.pieces and np.array_equal(ours.stances, shipped.stances)


def test_a_layer_that_learned_above_another_reader_or_of_other_intents_is_not_used(reader):
    layer = leaning(reader.layer, "upset")
    assert reader.with_intents(replace(layer, above="another")) is reader
    fewer = Head(("find",), layer.head.weights[:, :1], layer.head.temperature, {})
    assert reader.with_intents(replace(layer, head=fewer)) is reader
    narrower = replace(layer.head, weights=layer.head.weights[1:])
    assert reader.with_intents(replace(layer, head=narrower)) is reader


KINDS = [
    ["Humidifiers: moist air for dry rooms", "加湿器：缓解干燥"],
    ["Rain jackets: keep you dry in a downpour"],
    ["Hand creams: for dry, chapped hands"],
]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("租的小单间 暖气一开天天流鼻血", 0), ("i bike to work and arrive soaked", 1), ("洗碗洗得手都裂口子了", 2)],
)
def test_who_names_nothing_needs_the_kind_that_helps(reader, text, kind):
    chances = reader.needing(text, KINDS)
    assert chances.argmax() == kind and chances[kind] > 0.2
    assert np.delete(chances, kind).max() < 0.1


@pytest.mark.parametrize("text", ["hello there", "my parcel never came", "谢谢"])
def test_who_looks_for_nothing_needs_none_of_the_kinds(reader, text):
    assert reader.needing(text, KINDS).max() < 0.1
    assert reader.needing(text, []).shape == (0,)
