"""A canary that costs more than it may is taken back: customers write, workers answer them, and the beat looks at it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from botcore import intake
from botcore.celery import app
from botcore.channels.values import ReceivedEvent
from botcore.learning import rollout
from botcore.learning.versions import move
from botcore.models import ChannelAccount, ModelVersion, Turn
from tests.factories import AccountFactory, ModelVersionFactory, measured
from tests.fakes import FakeVersion, HashEncoder
from tests.journeys.small_shop import open_shop
from workers import serving, tasks
from workers.engine.artefacts import ArtefactError
from workers.engine.lending import Lending

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wakes")]

FEWEST = 4
SLOWEST_MS = 800.0
WRITING_SECONDS = 1.2


@dataclass
class Models:
    """Loads every version but the ``broken``; those that are ``slow`` take their time to write."""

    slow: set[int] = field(default_factory=set)
    broken: set[int] = field(default_factory=set)

    def load(self, version_id: int) -> FakeVersion:
        if version_id in self.broken:
            raise ArtefactError("no such folder")
        return FakeVersion(WRITING_SECONDS if version_id in self.slow else 0.0, version_id=version_id)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[Models]:
    models = Models()
    lending: Lending[int, FakeVersion] = Lending(models.load, kept=serving.SHIPPED)
    monkeypatch.setattr(serving, "generators", lending)
    monkeypatch.setattr(serving, "load_encoder", HashEncoder)
    monkeypatch.setattr(serving, "discriminator", lambda: None)
    thresholds = partial(rollout.Thresholds, fewest=FEWEST, slowest_ms=SLOWEST_MS)
    monkeypatch.setattr(rollout, "Thresholds", thresholds)
    yield models
    lending.settle()


@pytest.fixture
def account(models: Models) -> ChannelAccount:
    """Of a shop whose live version has been serving for a while."""
    account = AccountFactory(shop=open_shop())
    version_in(account, "live")
    answered(account)
    return account


def version_in(account: ChannelAccount, state: str) -> ModelVersion:
    return move(measured(ModelVersionFactory(shop=account.shop)), state, share=50)


def answered(account: ChannelAccount, customer: str = "", text: str = "show me a green jacket") -> Turn:
    """What a customer, a new one if none is named, is answered; the worker then has loaded what it found missing."""
    event = ReceivedEvent(uuid.uuid4().hex, "text", customer or uuid.uuid4().hex, text)
    (turn_id,) = intake.accept(account, [event])
    tasks.answer(turn_id)
    serving.generators.settle()
    return Turn.objects.get(pk=turn_id)


def arriving(account: ChannelAccount) -> Iterator[Turn]:
    """Replies to new customers, more than any test needs."""
    for _ in range(60):
        yield answered(account)


def answered_by_both(account: ChannelAccount, canary: ModelVersion) -> list[Turn]:
    """Replies to new customers until there are enough of either side to be judged; those of the canary."""
    own: list[Turn] = []
    others: list[Turn] = []
    for turn in arriving(account):
        (own if turn.asked_version == canary else others).append(turn)
        if min(len(own), len(others)) >= FEWEST:
            break
    return own


def beat() -> None:
    """What the beat has a worker do every half minute."""
    app.tasks[app.conf.beat_schedule["rollouts"]["task"]].apply(throw=True)


def test_a_canary_that_answers_slowly_is_taken_back_and_its_customers_are_served_by_what_is_live(account, models):
    canary = version_in(account, "canary")
    models.slow = {canary.pk}
    slow = answered_by_both(account, canary)
    assert {turn.model_version for turn in slow} == {f"fake-{canary.pk}"}
    assert min(turn.timings_ms["total"] for turn in slow) > 1_000 * WRITING_SECONDS

    beat()

    canary.refresh_from_db()
    assert canary.state == "retired"
    assert canary.changes.first().reason.startswith("replies take")
    begun = time.monotonic()
    turn = answered(account, slow[0].conversation.contact.external_id)
    assert turn.conversation == slow[0].conversation
    live = ModelVersion.objects.get(state="live")
    assert (turn.asked_version, turn.model_version) == (live, f"fake-{live.pk}")
    assert time.monotonic() - begun < WRITING_SECONDS


def test_a_canary_that_answers_as_fast_as_what_is_live_stays(account):
    canary = version_in(account, "canary")
    answered_by_both(account, canary)
    beat()
    canary.refresh_from_db()
    assert canary.state == "canary"


def test_a_canary_that_cannot_be_loaded_is_taken_back_though_what_is_live_wrote_for_it(account, models):
    canary = version_in(account, "canary")
    models.broken = {canary.pk}
    own = answered_by_both(account, canary)
    live = ModelVersion.objects.get(state="live")
    assert {turn.model_version for turn in own} == {f"fake-{live.pk}"}
    assert {turn.error for turn in own} == {"the version failed to load: ArtefactError"}

    beat()

    canary.refresh_from_db()
    assert canary.state == "retired"
    assert canary.changes.first().reason == f"errors in 100% of {len(own)} replies, 0% before"


def test_while_a_canary_is_loaded_for_the_first_time_replies_are_those_of_what_is_live(account):
    canary, live = version_in(account, "canary"), ModelVersion.objects.get(state="live")
    turn = next(turn for turn in arriving(account) if rollout.served(turn.conversation).writes == canary)
    assert (turn.asked_version, turn.model_version, turn.error) == (live, f"fake-{live.pk}", "")
    assert rollout.beside(canary).own.replies == 0


def test_words_that_no_model_was_to_write_are_no_error_of_a_version_that_cannot_be_loaded(account, models):
    canary = version_in(account, "canary")
    models.broken = {canary.pk}
    failed = next(turn for turn in arriving(account) if turn.asked_version == canary)
    turn = answered(account, failed.conversation.contact.external_id, "我想要一件绿色的夹克")
    assert (turn.language, turn.asked_version, turn.error) == ("zh", canary, "")
