"""A turn is written by the version that its conversation belongs to, and beside it by the shadow, which nobody is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import pytest

from botcore import answering
from botcore.dialogue.linear import Head
from botcore.dialogue.ports import IntentLayer, Ports
from botcore.learning import layers, rollout
from botcore.learning.versions import move, rollback
from botcore.models import ModelVersion, Outbound, ShadowReply, Turn
from tests.factories import ConversationFactory, ModelVersionFactory, ShopFactory, TurnFactory, measured
from tests.fakes import FakeVersion, HashEncoder
from workers import serving, shadow, tasks
from workers.engine.artefacts import ArtefactError
from workers.engine.lending import Lending

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken() -> set[int]:
    """Ids of versions that cannot be loaded."""
    return set()


@pytest.fixture(autouse=True)
def generators(monkeypatch: pytest.MonkeyPatch, broken: set[int]) -> Iterator[Lending[int, FakeVersion]]:
    def load(version_id: int) -> FakeVersion:
        if version_id in broken:
            raise ArtefactError("no such folder")
        return FakeVersion(version_id=version_id)

    lending: Lending[int, FakeVersion] = Lending(load)
    monkeypatch.setattr(serving, "generators", lending)
    monkeypatch.setattr(serving, "load_encoder", HashEncoder)
    monkeypatch.setattr(serving, "load_reader", lambda: None)
    yield lending
    lending.settle()


def ports_for(turn: Turn) -> AbstractContextManager[Ports]:
    return serving.writing_by(rollout.served(turn.conversation).writes)


@pytest.fixture
def held_up(generators, monkeypatch) -> Callable[[], threading.Event]:
    """From its call on nothing is loaded until the event is set."""

    def hold() -> threading.Event:
        gate, load = threading.Event(), generators.load
        monkeypatch.setattr(generators, "load", lambda version_id: gate.wait(20) and load(version_id))
        return gate

    return hold


def writer_of(turn: Turn) -> int | None:
    """The version whose generator is there for a turn, which then is the version that the reply belongs to."""
    with ports_for(turn) as ports:
        if ports.generator is None:
            assert (ports.version_id, ports.load_error) == (None, "")
            return None
        assert ports.generator.version_id == (ports.version_id or serving.SHIPPED)
        return ports.generator.version_id


def version_of(turn: object, state: str) -> ModelVersion:
    return move(measured(ModelVersionFactory(shop=turn.conversation.shop)), state, share=99)  # type: ignore[attr-defined]


def in_canary(version: ModelVersion) -> Turn:
    """A turn of a conversation that the canary answers."""
    while True:
        turn = TurnFactory(conversation=ConversationFactory(shop=version.shop))
        if rollout.served(turn.conversation).writes == version:
            return turn


def test_a_shop_without_versions_is_served_by_what_ships():
    assert writer_of(TurnFactory()) == serving.SHIPPED


def test_the_live_version_writes_and_until_it_is_loaded_what_ships_does(generators, held_up):
    turn = TurnFactory()
    writer_of(turn)
    live = version_of(turn, "live")
    gate = held_up()
    assert [writer_of(turn) for _ in range(2)] == [serving.SHIPPED] * 2
    gate.set()
    generators.settle()
    assert writer_of(turn) == live.pk


def test_until_a_canary_is_loaded_what_is_live_in_its_shop_writes(generators, held_up):
    turn = TurnFactory()
    writer_of(turn)
    live = version_of(turn, "live")
    writer_of(turn)
    generators.settle()
    canary = version_of(turn, "canary")
    gate = held_up()
    assert writer_of(in_canary(canary)) == live.pk
    gate.set()
    generators.settle()
    assert writer_of(in_canary(canary)) == canary.pk


def test_another_shops_model_never_writes_and_until_the_own_one_is_loaded_phrases_do(generators):
    neighbour = version_of(TurnFactory(), "live")
    with serving.writing_by(neighbour) as ports:
        assert ports.version_id == neighbour.pk
    turn = TurnFactory()
    live = version_of(turn, "live")
    assert writer_of(turn) is None
    generators.settle()
    assert writer_of(turn) == live.pk
    assert generators.loaded() == {neighbour.pk, live.pk}


def test_what_is_about_a_department_is_written_by_its_own_version_and_belongs_to_it(generators):
    turn = TurnFactory()
    writer_of(turn)
    shops, own = version_of(turn, "live"), ModelVersionFactory(shop=turn.conversation.shop, department="books")
    move(measured(own), "live")
    for version in (shops, own):
        with serving.writing_by(version):
            generators.settle()
    talk = turn.conversation
    with serving.answering(talk.shop, lambda about: rollout.served(talk, about).writes) as ports:
        for department, version in (("", shops), ("clothing", shops), ("books", own)):
            with ports.writing_about(department) as writing:
                assert (writing.version_id, writing.generator.version_id) == (version.pk, version.pk)
        with ports.in_phrases().writing_about("books") as writing:
            assert writing.generator is None


def test_until_a_departments_version_is_loaded_the_shops_writes(generators, held_up):
    turn = TurnFactory()
    writer_of(turn)
    shops = version_of(turn, "live")
    writer_of(turn)
    generators.settle()
    own = move(measured(ModelVersionFactory(shop=turn.conversation.shop, department="books")), "live")
    gate = held_up()
    with serving.writing_by(own) as ports:
        assert (ports.version_id, ports.load_error) == (shops.pk, "")
    gate.set()


def test_the_first_turn_after_a_rollback_is_written_by_what_ships(generators):
    turn = TurnFactory()
    writer_of(turn)
    live = version_of(turn, "live")
    writer_of(turn)
    generators.settle()
    assert writer_of(turn) == live.pk
    rollback(turn.conversation.shop)
    assert writer_of(turn) == serving.SHIPPED


def test_the_first_turn_after_a_canary_s_rollback_is_written_by_what_is_live(generators):
    shop = ShopFactory()
    versions = {}
    for state in ("live", "canary"):
        versions[state] = move(measured(ModelVersionFactory(shop=shop)), state, share=99)
        with serving.writing_by(versions[state]):
            generators.settle()
    turn = in_canary(versions["canary"])
    assert writer_of(turn) == versions["canary"].pk
    rollback(shop)
    assert writer_of(turn) == versions["live"].pk


def test_what_was_rolled_back_never_writes_again_while_what_was_before_is_being_loaded(generators):
    turn = TurnFactory()
    first, second = version_of(turn, "live"), version_of(turn, "live")
    assert writer_of(turn) == second.pk
    assert rollback(turn.conversation.shop) == first
    assert writer_of(turn) is None
    generators.settle()
    assert writer_of(turn) == first.pk


def test_a_reply_of_a_version_that_cannot_be_loaded_is_its_own_and_says_why_another_wrote_it(generators, broken):
    turn = TurnFactory()
    writer_of(turn)
    live = version_of(turn, "live")
    broken.add(live.pk)
    writer_of(turn)
    generators.settle()
    with ports_for(turn) as ports:
        assert (ports.version_id, ports.load_error) == (live.pk, "the version failed to load: ArtefactError")
        assert ports.generator.version_id == serving.SHIPPED


def test_a_shadow_that_cannot_be_loaded_writes_nothing_by_another_s_hand(generators, broken):
    turn = TurnFactory()
    writer_of(turn)
    broken.add(version_of(turn, "shadow").pk)
    for _ in range(2):
        assert shadow.answer_beside(turn.pk) is None
        generators.settle()
    assert ShadowReply.objects.count() == 0


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
    monkeypatch.setattr(serving, "as_read_in", lambda shop, ports: replace(ports, reader=shop))
    monkeypatch.setattr(answering, "answer_turn", lambda turn_id, ports: read.append(ports.reader))
    tasks.answer(turn.pk)
    assert read == [turn.conversation.shop]


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
