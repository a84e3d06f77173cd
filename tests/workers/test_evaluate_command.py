"""``manage.py evaluate`` and ``train`` tell the report and the verdict, and on the way how far they are."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

pytest.importorskip("trl")

from django.core.management import call_command
from django.core.management.base import CommandError

from botcore.learning import datasets, runs
from botcore.learning.progress import Progress
from botcore.models import ModelVersion
from tests.admin_console import learned
from tests.factories import DatasetFactory, ModelVersionFactory, ShopFactory
from workers.training import run as steps

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wakes")]


@pytest.fixture
def version() -> ModelVersion:
    dataset = DatasetFactory(shop=ShopFactory(slug="pine", name="Pine"))
    made = learned.run(dataset, status="done", options={"briefs": 60, "seed": 3, "epochs": 2})
    return ModelVersionFactory(shop=dataset.shop, name="pine-7", gate={}, run=made, dataset=dataset)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What evaluations were told, which take no time and find what ``learned.REPORT`` says."""
    told: list[Mapping[str, Any]] = []

    def evaluate(version: ModelVersion, files: Any, options: Mapping[str, Any], progress: Progress) -> ModelVersion:
        told.append(options)
        progress.stage("writing")
        progress.point({"step": 1, "of": 2})
        version.report, version.gate = learned.REPORT, learned.REFUSED
        version.save()
        return version

    monkeypatch.setattr(steps, "evaluate", evaluate)
    return told


def printed(*argv: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*argv, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_report_is_a_table_that_ends_with_the_verdict(version, asked):
    table, progress = printed("evaluate", "pine-7")
    assert "accepted                        0.9933          0.9899" in table
    assert "naturalness                     +0.090   95 %: +0.020 to +0.160, n=150" in table
    assert "FAILED  wishes_named: -0.110 (-0.160 to -0.060); at worst -0.100 is allowed" in table
    assert "the gate does not let pine-7 to customers" in table
    assert progress.splitlines() == ["writing", "writing 1/2"]
    assert [(told["briefs"], told["seed"]) for told in asked] == [(60, 3)], "as when it was made"
    (run,) = version.measurements.all()
    assert (run.status, run.stage) == ("done", "writing")


def test_as_json_it_is_the_report_with_the_name_and_the_verdict(version, asked):
    told = json.loads(printed("evaluate", "pine-7", "--json", "--briefs", "50")[0])
    assert told == {"version": "pine-7", "gate": learned.REFUSED, **json.loads(json.dumps(learned.REPORT))}
    assert [told["briefs"] for told in asked] == [50]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("pine-7", "--briefs", "1"), "--briefs is between 50 and 10000, not 1"),
        (("pine-9",), "Pine has no version pine-9; there are: pine-7"),
    ],
)
def test_what_would_measure_nothing_is_refused(version, asked, argv, said):
    with pytest.raises(CommandError, match=said):
        printed("evaluate", *argv)
    assert asked == []


def test_what_is_measured_already_is_not_measured_twice(version, asked):
    runs.claim(runs.ask_to_measure(version, {}).pk)
    with pytest.raises(CommandError, match="pine-7 is being measured already, by run"):
        printed("evaluate", "pine-7")
    assert asked == []


def test_a_measurement_that_fails_is_kept_and_can_go_on(version, asked, monkeypatch):
    def fails(*told: Any) -> ModelVersion:
        raise OSError("disk full")

    measure = steps.evaluate
    monkeypatch.setattr(steps, "evaluate", fails)
    with pytest.raises(OSError, match="disk full"):
        printed("evaluate", "pine-7")
    (run,) = version.measurements.all()
    assert (run.status, run.error.splitlines()[0]) == ("failed", "OSError: disk full")
    monkeypatch.setattr(steps, "evaluate", measure)
    assert "the gate does not let pine-7" in printed("train", "--run", str(run.pk))[0]


def test_a_version_of_no_run_has_nothing_to_be_tested_on(asked):
    ModelVersionFactory(name="oak-1")
    with pytest.raises(CommandError, match="made by no run"):
        printed("evaluate", "oak-1")


def test_a_run_ends_with_its_version_s_report(monkeypatch, version):
    waiting = runs.ask_for(datasets.approve(version.run.dataset, None), "sft", {})

    def carry_out(run: Any, progress: Progress) -> ModelVersion:
        progress.stage("sft")
        progress.point({"step": 10, "of": 40, "loss": 0.5})
        return ModelVersionFactory(shop=run.shop, name="pine-8", run=run, report=learned.REPORT, gate=learned.PASSED)

    monkeypatch.setattr(steps, "carry_out", carry_out)
    table, progress = printed("train", "--run", str(waiting.pk))
    assert "the gate lets pine-8 to customers" in table
    assert progress.splitlines() == ["sft", "sft 10/40: loss 0.5"]
    with pytest.raises(CommandError, match="is done, stopped, or being carried out elsewhere"):
        printed("train", "--run", str(waiting.pk))
