"""A turn is written by the version that its conversation belongs to, and beside it by the shadow, which nobody is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import pytest

from botcore import answering
from botcore.dialogue.linear import Head
from botcore.dialogue.ports import IntentLayer, Ports
from botcore.learning import layers, rollout
from botcore.learning.versions import move, rollback
from botcore.models import ModelVersion, Outbound, ShadowReply, Turn
from tests.factories import ModelVersionFactory, ShopFactory, TurnFactory, measured
from tests.fakes import FakeGenerator, HashEncoder
from workers import serving, shadow, tasks
from workers.engine.lending import Lending

pytestmark = pytest.mark.django_db


class Loaded(FakeGenerator):
    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def generators(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lending[int, Loaded]]:
    lending: Lending[int, Loaded] = Lending(lambda version_id: Loaded())
    monkeypatch.setattr(serving, "generators", lending)
    monkeypatch.setattr(serving, "load_encoder", HashEncoder)
    monkeypatch.setattr(serving, "load_reader", lambda: None)
    yield lending
    lending.settle()


def ports_for(turn: Turn) -> AbstractContextManager[Ports]:
    return serving.writing_by(rollout.served(turn.conversation).writes)


def version_of(turn: object, state: str) -> ModelVersion:
    return move(measured(ModelVersionFactory(shop=turn.conversation.shop)), state, share=99)  # type: ignore[attr-defined]


def test_a_shop_without_versions_is_served_by_what_ships():
    with ports_for(TurnFactory()) as ports:
        assert ports.version_id is None
        assert ports.generator is not None


def test_the_live_version_writes_and_until_it_is_loaded_what_ships_does(generators):
    turn = TurnFactory()
    with ports_for(turn) as ports:
        assert ports.version_id is None
    live = version_of(turn, "live")
    with ports_for(turn) as ports:
        assert ports.version_id in (None, live.pk)
    generators.settle()
    with ports_for(turn) as ports:
        assert ports.version_id == live.pk


def test_after_a_rollback_the_next_turn_is_written_by_what_was_before(generators):
    turn = TurnFactory()
    version_of(turn, "live")
    with ports_for(turn):
        pass
    rollback(turn.conversation.shop)
    with ports_for(turn):
        generators.settle()
    with ports_for(turn) as ports:
        assert ports.version_id is None


def test_a_shadow_reply_is_stored_and_sent_to_nobody(generators):
    turn = TurnFactory()
    version = version_of(turn, "shadow")
    row = shadow.answer_beside(turn.pk)
    assert row is not None
    assert (row.version, row.turn, row.written_by) == (version, turn, "model")
    assert row.text == "I would take the Canvas jacket for $49.00."
    assert Outbound.objects.count() == 0
    turn.refresh_from_db()
    assert turn.reply == "The Canvas jacket is green and costs $49.00."


def test_a_second_wake_up_for_the_same_turn_stores_nothing_more():
    turn = TurnFactory()
    version_of(turn, "shadow")
    shadow.answer_beside(turn.pk)
    shadow.answer_beside(turn.pk)
    assert ShadowReply.objects.count() == 1


def test_without_a_shadow_or_a_brief_nothing_is_written():
    assert shadow.answer_beside(TurnFactory().pk) is None
    turn = TurnFactory(brief={})
    version_of(turn, "shadow")
    assert shadow.answer_beside(turn.pk) is None


class Layered:
    """A reader that tells which layer it was given."""

    layer: IntentLayer | None = None

    def with_intents(self, layer: IntentLayer) -> Layered:
        found = Layered()
        found.layer = layer
        return found


def test_a_shops_own_layer_reads_its_messages_from_the_next_turn_on_and_no_other_shops(tmp_path, settings):
    settings.VAR_DIR = tmp_path
    shop, other = ShopFactory(), ShopFactory()
    ports = Ports(HashEncoder(), Layered(), None)
    assert serving.as_read_in(shop, ports) is ports
    head = Head(("find",), np.ones((3, 1), np.float32), {"en": 1.0, "zh": 1.0}, {})
    layers.keep(shop, IntentLayer(head, "above"), {})
    assert serving.as_read_in(shop, ports).reader.layer.head.weights.tolist() == [[1.0]] * 3
    assert serving.as_read_in(other, ports) is ports
    layers.take_back(shop)
    assert serving.as_read_in(shop, ports) is ports


def test_a_turn_is_read_with_its_shops_layer(monkeypatch):
    turn, read = TurnFactory(), []
    monkeypatch.setattr(serving, "as_read_in", lambda shop, ports: (shop, ports))
    monkeypatch.setattr(answering, "answer_turn", lambda turn_id, ports: read.append(ports))
    tasks.answer(turn.pk)
    assert [shop for shop, _ in read] == [turn.conversation.shop]


@pytest.mark.parametrize(("port", "load"), [("images", "load_image_encoder"), ("speech", "load_speech_recogniser")])
def test_a_model_of_pictures_or_speech_that_does_not_load_is_tried_once_and_done_without(monkeypatch, port, load):
    tried = []

    def broken():
        tried.append(port)
        raise OSError("no such weights")

    monkeypatch.setattr(serving, load, broken)
    supplied = getattr(serving, port)
    supplied.cache_clear()
    try:
        assert [supplied(), supplied()] == [None, None]
        assert tried == [port]
    finally:
        supplied.cache_clear()
