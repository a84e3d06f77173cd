"""One real model takes another's place while customers write: every turn is answered, by one of the two or what ships."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from botcore import intake
from botcore.channels.values import ReceivedEvent
from botcore.learning.versions import move, rollback
from botcore.models import ChannelAccount, ModelVersion, Turn
from tests.factories import AccountFactory, ModelVersionFactory, measured
from tests.fakes import HashEncoder, at_once
from tests.journeys.small_shop import open_shop
from tests.workers.engine.conftest import save_small_adapter, save_small_model
from workers import serving, tasks
from workers.engine import lending, registry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("wakes"), pytest.mark.slow]

TURNS = 8
NO_WORDS = ("every sample was refused", "the generator wrote nothing")
"""What random weights may come to; no model fails, and none is late."""


@pytest.fixture
def generators(settings, monkeypatch, tmp_path) -> Iterator[lending.Lending]:
    """Those of a process with small models and room for one beside what ships."""
    settings.VAR_DIR = tmp_path
    settings.DAOGOU_BASE_MODEL = str(save_small_model("llama", tmp_path / "base"))
    settings.DAOGOU_ADAPTER = None
    settings.DAOGOU_ENGINE, settings.DAOGOU_SAMPLES, settings.REPLY_SECONDS = "openvino", 1, 30
    generators = lending.Lending(serving._load, kept=serving.SHIPPED)
    monkeypatch.setattr(serving, "generators", generators)
    monkeypatch.setattr(serving, "load_encoder", HashEncoder)
    monkeypatch.setattr(serving, "discriminator", lambda: None)
    monkeypatch.setattr(lending, "MOST_LOADED", 2)
    with serving.writing_by(None) as ports:
        assert ports.generator is not None
    yield generators
    generators.settle()
    generators.close()


@pytest.fixture
def account() -> ChannelAccount:
    return AccountFactory(shop=open_shop())


def trained(account: ChannelAccount, name: str, folder: Path) -> ModelVersion:
    save_small_adapter(folder / "base", folder / "training" / name, name)
    artefact = registry.current_artefact(folder / "training" / name)
    return ModelVersionFactory(shop=account.shop, name=name, artefact=artefact.version)


def writes(account: ChannelAccount) -> Callable[[], Turn]:
    """A customer who writes, and the worker that answers them."""
    event = ReceivedEvent(uuid.uuid4().hex, "text", uuid.uuid4().hex, "show me a green jacket")
    (turn_id,) = intake.accept(account, [event])

    def answer() -> Turn:
        tasks.answer(turn_id)
        return Turn.objects.get(pk=turn_id)

    return answer


def answered(account: ChannelAccount, *meanwhile: Callable[[], object]) -> list[Turn]:
    """Turns at the same moment, and what happens in it."""
    return at_once(*[writes(account) for _ in range(TURNS)], *meanwhile)[:TURNS]


def asked_versions(turns: list[Turn]) -> set[ModelVersion | None]:
    return {turn.asked_version for turn in turns}


def test_a_version_takes_the_place_of_another_and_gives_it_back_under_way_and_no_turn_is_lost(
    generators, account, tmp_path
):
    first, second = (trained(account, name, tmp_path) for name in ("pine-1", "pine-2"))
    move(measured(first), "live")
    assert asked_versions(answered(account)) <= {first, None}
    generators.settle()
    assert asked_versions(answered(account, lambda: move(measured(second), "live"))) <= {first, None}
    assert asked_versions(answered(account)) <= {second, None}
    generators.settle()
    assert asked_versions(answered(account)) == {second}
    assert generators.loaded() == {serving.SHIPPED, second.pk}

    assert asked_versions(answered(account, lambda: rollback(account.shop))) <= {second, None}
    assert asked_versions(answered(account)) <= {first, None}
    generators.settle()
    assert asked_versions(answered(account)) == {first}

    turns = Turn.objects.all()
    assert len(turns) == 7 * TURNS
    assert all(turn.status == "answered" and turn.reply for turn in turns)
    assert {turn.error for turn in turns} <= {"", *NO_WORDS}
