"""Built models that nobody would miss are deleted; what serves, what a rollback leads to and what is young stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from botcore.learning import versions
from botcore.models import ModelVersion
from catalog.models import Shop
from tests.factories import ModelVersionFactory, ShopFactory, measured
from workers.housekeeping import PATIENCE, forget_models

pytestmark = pytest.mark.django_db
NOW = timezone.now() + timedelta(days=100)


@pytest.fixture
def models(tmp_path: Path, settings: Any) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "models"


def built(shop: Shop, models: Path) -> ModelVersion:
    version = ModelVersionFactory(shop=shop)
    (models / version.artefact / "hf").mkdir(parents=True)
    (models / version.artefact / "meta.json").write_text("{}")
    return version


def left(models: Path) -> set[str]:
    return {path.name for path in models.iterdir() if not path.name.startswith(".")}


def test_only_what_serves_and_what_a_rollback_leads_to_stays(models):
    shop = ShopFactory()
    oldest, before, live, canary, idle = (built(shop, models) for _ in range(5))
    for version in (oldest, before, live):
        versions.move(measured(version), "live")
    versions.move(measured(canary), "canary")
    (models / "sequence-demo").mkdir()
    assert forget_models(NOW) == sorted([oldest.artefact, idle.artefact])
    assert left(models) == {before.artefact, live.artefact, canary.artefact, "sequence-demo"}
    assert versions.rollback(shop, version=live) == before
    assert forget_models(NOW) == [live.artefact]  # and a rollback of what came back would lead to the shipped one


def test_what_was_moved_lately_stays(models):
    version = built(ShopFactory(), models)
    assert forget_models(version.state_since + PATIENCE) == []
    assert forget_models(version.state_since + PATIENCE + timedelta(seconds=1)) == [version.artefact]
    assert forget_models(NOW) == []


def test_a_model_that_two_versions_share_stays_while_one_of_them_serves(models):
    one = built(ShopFactory(), models)
    other = ModelVersionFactory(shop=one.shop, artefact=one.artefact)
    versions.move(other, "live")
    assert forget_models(NOW) == []


def test_what_a_killed_process_left_half_deleted_goes(models):
    version = built(ShopFactory(), models)
    (models / version.artefact).rename(models / f".forgotten-{version.artefact}")
    assert forget_models(NOW) == [version.artefact]
    assert not any(models.glob(".forgotten-*"))
