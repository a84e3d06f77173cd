"""The trainer carries a run out once, keeps what went wrong, and leaves an interrupted run to be continued."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from django.core.management import call_command
from django.utils import timezone

from botcore import queues
from botcore.learning import datasets, recipes, runs, versions
from botcore.learning.progress import UNHEARD
from botcore.models import ModelVersion, TrainingRun
from tests.factories import DatasetFactory, ModelVersionFactory
from tests.fakes import Wakes
from workers import trainer
from workers.engine import artefacts
from workers.engine.artefacts import Artefact
from workers.training import compress, snapshot
from workers.training import run as steps
from workers.training.provenance import sha256

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "app", Wakes())


@pytest.fixture
def asked() -> TrainingRun:
    return runs.ask_for(datasets.approve(DatasetFactory(), None), "sft", {})


@pytest.fixture
def carrying_out(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[TrainingRun], ModelVersion]], None]:
    def use(work: Callable[[TrainingRun], ModelVersion]) -> None:
        monkeypatch.setattr(steps, "carry_out", lambda run, progress: work(run))

    return use


def fails(error: BaseException) -> Callable[[TrainingRun], Any]:
    def work(run: TrainingRun) -> Any:
        raise error

    return work


def status(run: TrainingRun) -> str:
    run.refresh_from_db()
    return run.status


def test_a_run_is_carried_out_once(asked, carrying_out):
    carrying_out(lambda run: ModelVersionFactory(shop=run.shop, run=run))
    version = trainer.carry_out(asked.pk)
    assert version is not None and version.run == asked
    assert status(asked) == "done"
    assert trainer.carry_out(asked.pk) is None


def test_what_went_wrong_is_kept_with_the_run(asked, carrying_out):
    carrying_out(fails(ValueError("no rows to learn from")))
    with pytest.raises(ValueError, match="no rows"):
        trainer.carry_out(asked.pk)
    assert status(asked) == "failed"
    assert asked.error.startswith("ValueError: no rows to learn from")


def test_a_run_that_failed_goes_on_by_the_command_that_began_it(asked, carrying_out, capsys):
    carrying_out(fails(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        trainer.carry_out(asked.pk)
    carrying_out(lambda run: ModelVersionFactory(shop=run.shop, run=run))
    call_command("train", "--run", str(asked.pk), "--json")
    assert (status(asked), asked.error) == ("done", "")
    assert json.loads(capsys.readouterr().out)["version"] == asked.version.name


def test_an_interrupted_run_waits_to_be_continued(asked, carrying_out):
    carrying_out(fails(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        trainer.carry_out(asked.pk)
    assert status(asked) == "queued"
    carrying_out(lambda run: ModelVersionFactory(shop=run.shop))
    assert trainer.carry_out(asked.pk) is not None


@pytest.mark.django_db(transaction=True)
def test_a_run_at_a_long_step_is_not_taken_for_dead(carrying_out, monkeypatch):
    monkeypatch.setattr(runs, "SIGN_SECONDS", 0.01)
    asked = runs.ask_for(datasets.approve(DatasetFactory(), None), "sft", {})

    def long_step(run: TrainingRun) -> ModelVersion:
        TrainingRun.objects.filter(pk=run.pk).update(alive_at=timezone.now() - 2 * runs.SILENT)
        deadline = time.monotonic() + 20
        while TrainingRun.objects.get(pk=run.pk).alive_at < timezone.now() - runs.SILENT:
            assert time.monotonic() < deadline
        assert runs.claim(run.pk) is None
        return ModelVersionFactory(shop=run.shop)

    carrying_out(long_step)
    assert trainer.carry_out(asked.pk) is not None


def test_a_stopped_run_stays_stopped_however_it_ends(asked, carrying_out):
    def stopped(run: TrainingRun) -> ModelVersion:
        runs.stop(run)
        return ModelVersionFactory(shop=run.shop)

    carrying_out(stopped)
    trainer.carry_out(asked.pk)
    assert status(asked) == "stopped"


def test_what_served_the_shop_when_the_run_started_is_compressed_and_becomes_a_candidate(
    monkeypatch, settings, tmp_path
):
    settings.VAR_DIR = tmp_path
    dataset = datasets.approve(DatasetFactory(), None)
    live = ModelVersionFactory(shop=dataset.shop, state="live", folder="training/1/demo-1")
    asked = runs.claim(runs.ask_for(dataset, "compress", {"layers": 4}).pk)
    versions.rollback(dataset.shop)
    built = Artefact(tmp_path / "built", "small-0", "llama")
    built.folder.mkdir()
    (built.folder / "meta.json").write_text('{"outputs": {"hf": "h", "gguf": "g"}}')
    told: list[compress.Recipe] = []

    def compressed(recipe: compress.Recipe, out: Path, watch: object) -> None:
        told.append(recipe)
        out.mkdir()
        (out / "model.safetensors").write_bytes(b"weights")

    monkeypatch.setattr(snapshot, "export", lambda *_, **__: snapshot.Files(tmp_path))
    monkeypatch.setattr(snapshot, "for_healing", lambda files, replies, seed: files.train)
    monkeypatch.setattr(compress, "train", compressed)
    monkeypatch.setattr(artefacts, "build", lambda *_: built)
    monkeypatch.setattr(steps, "evaluate", lambda *_: None)
    version = steps.carry_out(asked)
    assert (told[0].version, told[0].layers) == (tmp_path / live.folder, 4)
    assert (version.recipe, version.parent, version.state) == ("compress", live, "candidate")
    assert version.digests == {
        "weights": sha256(tmp_path / version.folder / "model.safetensors"),
        "hf": "h",
        "gguf": "g",
    }


def test_a_run_has_a_default_for_all_it_may_be_told():
    assert steps.OPTIONS.keys() == recipes.OPTIONS.keys()
    for name, default in steps.OPTIONS.items():
        assert not recipes.OPTIONS[name].objection(default)


def test_what_another_run_of_that_number_left_is_thrown_away(asked, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    place = steps.Place.of(asked)
    (place.folder / "work.txt").write_text("half done")
    assert (steps.Place.of(asked).folder / "work.txt").exists()
    asked.options = {"epochs": 9}
    assert not (steps.Place.of(asked).folder / "work.txt").exists()


@pytest.mark.parametrize(
    ("recipe", "further"), [("sft", None), ("preference", "preference"), ("adversarial", "adversarial")]
)
def test_what_follows_the_wording_starts_from_what_sft_taught(recipe, further, asked, monkeypatch, tmp_path):
    started: dict[str, Any] = {}
    run = runs.claim(asked.pk)
    place, run.recipe, taught_first = steps.Place(tmp_path), recipe, tmp_path / "shop-1-sft"

    def trained(name: str) -> Callable[..., None]:
        def train(told: Any, out: Any, watch: Any) -> None:
            started[name] = (told.start, out)
            out.mkdir()
            (out / "meta.json").write_text("{}")

        return train

    for module, name in ((steps.sft, "sft"), (steps.preference, "preference"), (steps.adversarial, "adversarial")):
        monkeypatch.setattr(module, "train", trained(name))
    (tmp_path / "train.jsonl").write_text('{"reply": "Try the green one."}\n')
    watch = steps._Watch(run, tmp_path, UNHEARD)
    for _ in range(2):  # a run that is taken up again does nothing twice
        taught = steps._taught(run, steps.OPTIONS, steps.snapshot.Files(tmp_path), place, "shop-1", watch)
        assert taught == tmp_path / "shop-1"
    base = steps._base_adapter()
    expected = {"sft": (base, taught_first), further: (taught_first, taught)} if further else {"sft": (base, taught)}
    assert started == expected


def test_a_count_takes_the_place_of_the_one_before_and_measures_stay(asked, monkeypatch, tmp_path):
    run = runs.claim(asked.pk)
    watch = steps._Watch(run, tmp_path, UNHEARD)
    monkeypatch.setattr(steps, "COUNTED_SECONDS", 0.0)
    watch.stage("sft")
    watch.point({"step": 10, "of": 40, "loss": 0.5})
    watch.stage("writing")
    assert runs.how_far(run) is None
    for step in (1, 2, 3):
        watch.point({"step": step, "of": 600})
    run.refresh_from_db()
    assert run.curves == [
        {"stage": "sft", "step": 10, "of": 40, "loss": 0.5},
        {"stage": "writing", "step": 3, "of": 600},
    ]
    assert runs.how_far(run) == (3, 600)


def test_every_trial_of_a_search_has_curves_of_its_own_on_the_board(asked, tmp_path):
    watch = steps._Watch(runs.claim(asked.pk), tmp_path, UNHEARD)
    told: list[tuple[str, float, int]] = []
    watch._board.add_scalar = lambda *scalar: told.append(scalar)
    watch.stage("search")
    for trial in (0, 1):
        watch.point({"trial": trial, "step": 5, "of": 20, "loss": 0.5})
    watch.stage("sft")
    watch.point({"step": 5, "of": 20, "loss": 0.4})
    assert told == [("search/trial 0/loss", 0.5, 5), ("search/trial 1/loss", 0.5, 5), ("sft/loss", 0.4, 5)]


def test_counts_are_told_the_row_now_and_then_and_at_the_end(asked, tmp_path):
    run = runs.claim(asked.pk)
    watch = steps._Watch(run, tmp_path, UNHEARD)
    watch.stage("writing")
    found = []
    for step in (1, 2, 3):
        watch.point({"step": step, "of": 3})
        found.append(runs.how_far(TrainingRun.objects.get(pk=run.pk)))
    assert found == [(1, 3), (1, 3), (3, 3)]
