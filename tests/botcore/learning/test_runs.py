"""A training run is a row: carried out once, found again when its process dies, ended when somebody says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from botcore import queues
from botcore.learning import runs, versions
from botcore.learning.datasets import approve
from botcore.models import Dataset, TrainingRun
from tests.factories import CategoryFactory, DatasetFactory, ModelVersionFactory, measured
from tests.fakes import Wakes, at_once


@pytest.fixture(autouse=True)
def wakes(monkeypatch: pytest.MonkeyPatch) -> Wakes:
    broker = Wakes()
    monkeypatch.setattr(queues, "app", broker)
    monkeypatch.setattr(queues, "backlog", lambda queue: 0)
    return broker


@pytest.fixture
def dataset(db: None) -> Dataset:
    return approve(DatasetFactory(), None)


def test_nothing_is_learned_from_what_nobody_has_looked_at(db):
    with pytest.raises(runs.RefusedError, match="approve"):
        runs.ask_for(DatasetFactory(), "sft", {})


def test_a_run_wakes_the_trainer_and_is_claimed_once(dataset, wakes, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        run = runs.ask_for(dataset, "sft", {"epochs": 1})
    assert wakes == [("train", run.pk)]
    claimed = runs.claim(run.pk)
    assert claimed is not None and claimed.status == "running"
    assert runs.claim(run.pk) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_trainers_one_gets_the_run(dataset):
    run = runs.ask_for(dataset, "sft", {})
    claims = at_once(*[lambda: runs.claim(run.pk)] * 6)
    assert sum(claim is not None for claim in claims) == 1


def test_a_run_whose_process_died_is_woken_and_claimed_again(dataset, wakes):
    run = runs.ask_for(dataset, "sft", {})
    runs.claim(run.pk)
    runs.sweep()
    assert wakes == []
    TrainingRun.objects.update(alive_at=timezone.now() - runs.SILENT - timedelta(seconds=1))
    runs.sweep()
    assert wakes == [("train", run.pk)]
    assert runs.claim(run.pk) is not None


def test_a_run_goes_on_from_what_was_live_when_it_first_started(dataset):
    first, second = ModelVersionFactory.create_batch(2, shop=dataset.shop)
    ModelVersionFactory(state="live")
    run = runs.ask_for(dataset, "compress", {})
    versions.move(first, "live")
    assert runs.claim(run.pk).source == first
    TrainingRun.objects.update(alive_at=None)
    versions.move(measured(second), "live")
    assert runs.claim(run.pk).source == first
    assert runs.claim(runs.ask_for(dataset, "compress", {}).pk).source == second


def test_a_departments_run_goes_on_from_what_answers_there(dataset):
    for path in ("books", "clothing"):
        CategoryFactory(shop=dataset.shop, path=path, name=path.title())
    shops, own = ModelVersionFactory(shop=dataset.shop), ModelVersionFactory(shop=dataset.shop, department="books")
    versions.move(shops, "live")
    of = {"department": "books"}
    assert runs.claim(runs.ask_for(dataset, "compress", of).pk).source == shops
    versions.move(measured(own), "live")
    assert runs.claim(runs.ask_for(dataset, "compress", of).pk).source == own
    assert runs.claim(runs.ask_for(dataset, "compress", {"department": "clothing"}).pk).source == shops
    assert runs.claim(runs.ask_for(dataset, "compress", {}).pk).source == shops


def test_no_run_is_for_a_department_that_the_shop_does_not_have(dataset):
    CategoryFactory(shop=dataset.shop, path="books", name="Books")
    CategoryFactory(path="clothing", name="Clothing")  # another shop's
    with pytest.raises(runs.RefusedError, match=r"no department clothing; there are: books\."):
        runs.ask_for(dataset, "sft", {"department": "clothing"})
    assert not TrainingRun.objects.exists()


def test_a_run_that_started_from_what_ships_goes_on_from_it(dataset):
    run = runs.ask_for(dataset, "compress", {})
    assert runs.claim(run.pk).source is None
    TrainingRun.objects.update(alive_at=None)
    versions.move(ModelVersionFactory(shop=dataset.shop), "live")
    assert runs.claim(run.pk).source is None


def test_a_run_tells_what_it_does_and_hears_that_it_was_stopped(dataset):
    run = runs.claim(runs.ask_for(dataset, "sft", {}).pk)
    assert run is not None
    runs.tell(run, "sft", {"step": 1, "loss": 2.5})
    stored = TrainingRun.objects.get()
    assert (stored.stage, stored.curves) == ("sft", [{"stage": "sft", "step": 1, "loss": 2.5}])
    assert runs.stop(run)
    with pytest.raises(runs.RefusedError, match="stopped"):
        runs.tell(run, "building")
    runs.finish(run)
    assert TrainingRun.objects.get().status == "stopped"
    assert not runs.stop(run)


def test_a_failed_run_keeps_its_reason(dataset):
    run = runs.claim(runs.ask_for(dataset, "sft", {}).pk)
    assert run is not None
    runs.finish(run, "ValueError: no rows")
    stored = TrainingRun.objects.get()
    assert (stored.status, stored.error) == ("failed", "ValueError: no rows")
    assert runs.claim(run.pk) is None


def test_a_run_that_failed_goes_on_with_what_it_had(dataset):
    run = runs.claim(runs.ask_for(dataset, "sft", {}).pk)
    assert run is not None
    runs.tell(run, "sft", {"step": 1, "loss": 2.5})
    runs.finish(run, "OSError: disk full")
    assert runs.go_on(run)
    again = runs.claim(run.pk)
    assert again is not None and again.curves == [{"stage": "sft", "step": 1, "loss": 2.5}] and not again.error
    assert not runs.go_on(run)


def test_a_run_that_was_stopped_goes_on_once_its_process_has_heard_of_it(dataset):
    run = runs.claim(runs.ask_for(dataset, "sft", {}).pk)
    assert run is not None and runs.stop(run)
    assert not runs.go_on(run)
    TrainingRun.objects.update(alive_at=timezone.now() - runs.SILENT - timedelta(seconds=1))
    assert runs.go_on(run) and runs.claim(run.pk) is not None


def test_a_run_that_made_a_version_is_done(dataset):
    run = runs.ask_for(dataset, "sft", {})
    TrainingRun.objects.update(status="failed")
    ModelVersionFactory(shop=dataset.shop, dataset=dataset, run=run)
    assert not runs.go_on(run)
