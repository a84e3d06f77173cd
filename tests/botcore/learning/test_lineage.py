"""What a version replaced and what a run started from, read from what was kept of it before there were relations."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from botcore.learning.versions import move, rollback
from botcore.models import TrainingRun, VersionChange
from tests.factories import DatasetFactory, ModelVersionFactory, ShopFactory, measured

pytestmark = pytest.mark.django_db

lineage = import_module("botcore.migrations.0019_lineage")


def test_what_was_replaced_is_read_from_the_reasons():
    shop, elsewhere = ShopFactory(), ShopFactory()
    first, second, third = ModelVersionFactory.create_batch(3, shop=shop)
    other = ModelVersionFactory(shop=elsewhere, name=second.name)
    move(first, "live")
    move(other, "live")
    move(measured(second), "live", reason="better")
    move(measured(third), "live")
    rollback(shop)
    rollback(shop)
    rollback(shop)
    move(third, "candidate")
    move(measured(third), "live")
    told = dict(VersionChange.objects.values_list("pk", "instead_of"))
    assert sorted(filter(None, told.values())) == [first.pk, first.pk, second.pk]
    VersionChange.objects.update(instead_of=None)
    lineage.relate(apps, None)
    assert dict(VersionChange.objects.values_list("pk", "instead_of")) == told


def test_what_runs_started_from_is_read_from_their_versions_and_of_those_half_done_it_is_what_is_live():
    dataset = DatasetFactory()
    live = ModelVersionFactory(shop=dataset.shop, state="live")

    def run(**fields: object) -> TrainingRun:
        return TrainingRun.objects.create(shop=dataset.shop, dataset=dataset, recipe="compress", **fields)

    done, half_done, waiting = run(status="done"), run(started_at=timezone.now()), run()
    parent = ModelVersionFactory(shop=dataset.shop)
    ModelVersionFactory(shop=dataset.shop, run=done, parent=parent)
    lineage.relate(apps, None)
    for row in (done, half_done, waiting):
        row.refresh_from_db()
    assert (done.source, half_done.source, waiting.source) == (parent, live, None)
