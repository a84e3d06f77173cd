"""Every row belongs to a shop, and every migration can be taken back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from botcore.embedded_postgres import borrowed
from botcore.environment import PROJECT
from tests.journeys.installation import Installation

OURS = ("catalog", "botcore", "workers", "admin_console")
MODELS = [model for name in OURS for model in apps.get_app_config(name).get_models()]
SHOPLESS = {
    "botcore.AuditEntry",  # outlives the shop that it names, and speaks of people's logins as well
    "botcore.SecondFactor",  # a person's, who may be a member of several shops
    "botcore.SignIn",  # likewise
}
"""Models that may belong to no shop, each with its reason beside it."""


def owners(model: type[models.Model]) -> list[type[models.Model]]:
    """The models that a row cannot exist without."""
    keys = [field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey) and not field.null]
    return [key.related_model for key in keys]  # type: ignore[misc]


def belongs_to_a_shop(model: type[models.Model]) -> bool:
    return model._meta.label == "catalog.Shop" or any(belongs_to_a_shop(owner) for owner in owners(model))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_row_belongs_to_one_shop(model):
    assert belongs_to_a_shop(model) or model._meta.label in SHOPLESS


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_row_that_names_its_shop_and_says_what_it_is(model):
    assert model.__str__ is not models.Model.__str__
    own = [field for field in model._meta.concrete_fields if field.name == "shop"]
    assert all(not field.null and field.remote_field.on_delete is models.CASCADE for field in own)


def manage(var_dir: Path, *argv: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "manage.py", *argv],
        cwd=PROJECT, env={**environment, "VAR_DIR": str(var_dir)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_every_migration_goes_there_and_back(tmp_path):
    scratch = Installation(tmp_path, "", "")
    tables = (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND split_part(tablename, '_', 1) IN ('catalog', 'botcore', 'workers')"
    )
    with borrowed(scratch.server):
        manage(tmp_path, "migrate", "-v0")
        made = sorted(scratch.rows(tables))
        assert ("botcore_turn",) in made
        for app in reversed(OURS):
            if apps.get_app_config(app).models_module and list((PROJECT / app / "migrations").glob("0*.py")):
                manage(tmp_path, "migrate", "-v0", app, "zero")
        assert scratch.rows(tables) == []
        manage(tmp_path, "migrate", "-v0")
        assert sorted(scratch.rows(tables)) == made


def test_no_model_is_ahead_of_its_migrations(tmp_path):
    assert "No changes detected" in manage(tmp_path, "makemigrations", "--check", "--dry-run")
